"""What a prompt asks for (capability) and how an answer would be harvested (technique).

Here: the shipped linear classifier and the step from its integer sums to codes and probabilities. Not
here: the sums themselves (fingerprint, kernels.text), how the weights came about (tools/classifier;
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
    part_factors: npt.NDArray[np.float64]
    """shape (2, N_PARTS): what the parts of a prompt (row 0) and of a system prompt (row 1) count."""
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
            part_factors=saved["part_factors"].astype(np.float64),
            thresholds=saved["thresholds"].astype(np.float64),
            version=int(saved["version"]),
        )
    if model.weights.shape[1] != model.n_capabilities + model.n_techniques:
        raise ValueError("classifier.npz does not match the vocabulary: train it again")
    return model


def probabilities(
    model: Classifier,
    prompts: Fingerprints,
    systems: Fingerprints | None = None,
    system_of: npt.NDArray[np.int64] | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Probabilities of every capability and of every text technique, for n requests.

    Parameters
    ----------
    prompts : fingerprints of the n prompts, made with `model.weights`
    systems : fingerprints of the distinct system prompts, made with the same weights; None: there are none
    system_of : int64, shape (n,): each request's row of `systems`, -1 where it has no system prompt

    Returns
    -------
    float64, shapes (n, n_capabilities) and (n, n_techniques); each row sums to 1.

    Raises
    ------
    ValueError : the fingerprints were made with other weights, or `systems` came without `system_of`.
    """
    evidence = _evidence(model, prompts, model.part_factors[0])
    if systems is not None:
        if system_of is None:
            raise ValueError("system prompts need `system_of`, the row of each request's")
        of_systems = _evidence(model, systems, model.part_factors[1])
        with_system = system_of >= 0
        evidence[with_system] += of_systems[system_of[with_system]]
    logits = evidence * model.scales + model.biases
    return _softmax(logits[:, : model.n_capabilities]), _softmax(logits[:, model.n_capabilities :])


def part_scales(
    factors: npt.NDArray[np.float64], n_features: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """What one feature counts in each part of each text; shape (n, N_PARTS).

    A part counts by the root of its length: a long one is surer than a short one, not in proportion. Parts
    are scaled apart, so that neither a payload thins out the instruction before it nor a long system
    prompt the user's words.
    """
    return np.asarray(factors / np.sqrt(np.maximum(n_features, 1, dtype=np.float64)))


def classify(
    prompts: Fingerprints,
    systems: Fingerprints | None = None,
    system_of: npt.NDArray[np.int64] | None = None,
) -> Classes:
    """Capability and technique of every request, all fingerprinted with `classifier().weights`.

    Parameters as for `probabilities`: a framework sends one system prompt with thousands of requests, so
    each distinct one is fingerprinted once and its evidence added to theirs.

    A request whose prompt is absent is null, also where its system prompt is known: nothing says what
    was asked. One without features (empty, only signs, and no system prompt) gets code 0 for both. A
    technique is given only when its probability reaches the technique's threshold: one flag too many costs
    more than one too few, since a campaign repeats itself thousands of times.

    Raises
    ------
    ValueError : the fingerprints were made with other weights, or `systems` came without `system_of`.
    """
    model = classifier()
    of_capability, of_technique = probabilities(model, prompts, systems, system_of)
    empty = prompts.n_features.sum(axis=1) == 0
    if systems is not None and system_of is not None and len(systems.n_features):
        empty &= (system_of < 0) | (systems.n_features.sum(axis=1)[system_of] == 0)
    capability = np.where(empty, 0, of_capability.argmax(axis=1)).astype(np.uint8)
    likeliest = 1 + of_technique[:, 1:].argmax(axis=1)
    rows = np.arange(len(likeliest))
    shown = (of_technique[rows, likeliest] >= model.thresholds[likeliest]) & ~empty
    chosen = np.where(shown, likeliest, 0)
    margin = np.where(empty, 1.0, of_technique[rows, chosen]).astype(np.float32)
    absent = np.asarray(prompts.text_hash.is_null())
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


def _evidence(
    model: Classifier, prints: Fingerprints, factors: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Each text's sums with its parts scaled and added up; shape (n, n_outputs)."""
    if prints.sums.shape[2] != len(model.scales):
        raise ValueError(f"expected {len(model.scales)} sums a text, not {prints.sums.shape[2]}")
    return np.asarray(np.einsum("npo,np->no", prints.sums, part_scales(factors, prints.n_features)))


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    out: npt.NDArray[np.float64] = np.exp(logits - logits.max(axis=1, keepdims=True))
    out /= out.sum(axis=1, keepdims=True)
    return out
