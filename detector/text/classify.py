"""What a prompt asks for (capability) and how an answer would be harvested (technique).

Here: the shipped linear classifier and the step from its integer sums to codes and probabilities. Not
here: the sums themselves (fingerprint, kernels.text), how the weights came about (tools/train_classifier.py;
what they are worth: docs/reference/classifier.md), techniques that one text cannot show (features).
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.text.fingerprint import Fingerprints
from detector.text.vocabulary import CAPABILITIES, TECHNIQUES, TEXT_TECHNIQUES

_TECHNIQUE_CODES = np.array([TECHNIQUES.index(name) for name in TEXT_TECHNIQUES], dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A hashed linear model with int8 weights: the first outputs are capabilities, the rest techniques."""

    weights: npt.NDArray[np.int8]
    """shape (n_buckets, n_outputs); give it to `fingerprint(..., weights=...)`."""
    scales: npt.NDArray[np.float64]
    """shape (n_outputs,): what one unit of an output's weights is worth."""
    biases: npt.NDArray[np.float64]
    """shape (n_outputs,)."""
    thresholds: npt.NDArray[np.float64]
    """shape (n_techniques,), 0 to 1: a technique less probable than its own is reported as `none`."""
    version: int
    """Codes of two versions are not compared."""

    @property
    def n_capabilities(self) -> int:
        return len(CAPABILITIES)

    @property
    def n_techniques(self) -> int:
        return len(TEXT_TECHNIQUES)


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Answers for n texts; null where the text is absent."""

    capability: pa.UInt8Array
    """Position in CAPABILITIES."""
    technique: pa.UInt8Array
    """Position in TECHNIQUES, only of those in TEXT_TECHNIQUES."""
    technique_margin: pa.FloatArray
    """0 to 1: probability of the technique given, `none` included. Not calibrated beyond its threshold."""


@cache
def classifier() -> Classifier:
    """The shipped model.

    Raises
    ------
    ValueError : the file's outputs are not those of detector.text.vocabulary.
    """
    with (files("detector.text") / "data" / "classifier.npz").open("rb") as stream, np.load(stream) as saved:
        model = Classifier(
            weights=np.ascontiguousarray(saved["weights"]),
            scales=saved["scales"].astype(np.float64),
            biases=saved["biases"].astype(np.float64),
            thresholds=saved["thresholds"].astype(np.float64),
            version=int(saved["version"]),
        )
    if model.weights.shape[1] != model.n_capabilities + model.n_techniques:
        raise ValueError("classifier.npz does not match the vocabulary: train it again")
    return model


def probabilities(
    model: Classifier, sums: npt.NDArray[np.int32], n_features: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Probabilities of every capability and of every text technique.

    Parameters
    ----------
    sums : int32, shape (n, n_outputs), as `fingerprint` fills them
    n_features : int32, shape (n,), how many features are in each sum

    Returns
    -------
    float64, shapes (n, n_capabilities) and (n, n_techniques); each row sums to 1.

    Raises
    ------
    ValueError : `sums` has another number of outputs than the model.
    """
    if sums.shape[1] != len(model.scales):
        raise ValueError(f"expected {len(model.scales)} sums a text, not {sums.shape[1]}")
    # A text counts by the root of its length: a long prompt is surer than a short one, not in proportion.
    length = np.sqrt(np.maximum(n_features, 1, dtype=np.float64))
    logits = sums / length[:, None] * model.scales + model.biases
    return _softmax(logits[:, : model.n_capabilities]), _softmax(logits[:, model.n_capabilities :])


def classify(prints: Fingerprints) -> Classes:
    """Capability and technique of every text that was fingerprinted with `classifier().weights`.

    A text without features (empty, only signs) gets code 0 for both. A technique is given only when its
    probability reaches the technique's threshold: one flag too many costs more than one too few, since a
    campaign repeats itself thousands of times.

    Raises
    ------
    ValueError : the fingerprints were made with other weights.
    """
    model = classifier()
    of_capability, of_technique = probabilities(model, prints.sums, prints.n_features)
    empty = prints.n_features == 0
    capability = np.where(empty, 0, of_capability.argmax(axis=1)).astype(np.uint8)
    likeliest = 1 + of_technique[:, 1:].argmax(axis=1)
    rows = np.arange(len(likeliest))
    shown = (of_technique[rows, likeliest] >= model.thresholds[likeliest]) & ~empty
    chosen = np.where(shown, likeliest, 0)
    margin = np.where(empty, 1.0, of_technique[rows, chosen]).astype(np.float32)
    absent = np.asarray(prints.text_hash.is_null())
    return Classes(
        capability=pa.array(capability, mask=absent),
        technique=pa.array(_TECHNIQUE_CODES[chosen], mask=absent),
        technique_margin=pa.array(margin, mask=absent),
    )


def training_permille(classes: Classes) -> pa.Int32Array:
    """Probability, in whole thousandths, that each text asks for training material by any technique.

    Whole numbers, so that sums over a campaign's requests are the same in any order. Far from sure of one
    text, the mean over the thousands of texts of one template says a good deal.
    """
    margin = classes.technique_margin.to_numpy(zero_copy_only=False)
    technique = classes.technique.fill_null(0).to_numpy(zero_copy_only=False)
    share = np.rint(1000 * np.where(technique == 0, 1 - margin, margin))
    absent = np.asarray(classes.technique.is_null())
    return pa.array(np.where(absent, 0, np.nan_to_num(share)).astype(np.int32), mask=absent)


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    out: npt.NDArray[np.float64] = np.exp(logits - logits.max(axis=1, keepdims=True))
    out /= out.sum(axis=1, keepdims=True)
    return out
