"""From labelled rows to int8 weights and thresholds.

Here: features as the kernel makes them, two multinomial logistic regressions, rounding, thresholds, folds.
Not here: rows and labels (rows, frames), tables (card).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from detector.kernels.linear import N_PARTS
from detector.text.classify import Classifier, part_scales, probabilities
from detector.text.fingerprint import feature_matrix_parts, fingerprint
from detector.text.vocabulary import CAPABILITIES, TEXT_TECHNIQUES
from tools.classifier.frames import with_frames
from tools.classifier.rows import FOLDS, NO_LABEL, NONE, Row

Float64 = npt.NDArray[np.float64]

VERSION = 3
SEED = 20260
N_BUCKETS = 1 << 15
PART_FACTORS = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
"""What head, tail and middle count, of the prompt and of the system prompt: chosen by cross-validation."""
BENIGN_FALSE_POSITIVES = 0.01
"""Share of ordinary prompts, unseen in training, that may carry a technique: the thresholds follow."""
LOWEST_THRESHOLD = 0.25
"""However few ordinary prompts come near a technique: fewer rows were seen than a night brings."""
UNSORTED_WEIGHT = 0.4
"""Everyday pools are called general_chat as a whole, though people also ask for code and poems in them."""
INVERSE_PENALTY = 3.0
"""scikit-learn's C: chosen by cross-validation inside the training folds."""
MAX_ITERATIONS = 200
RARE_LIMIT = 1


def matrix(rows: Sequence[Row]) -> csr_matrix:
    """Scaled features, one row a request: what `probabilities` weighs, before the weights."""
    prompts = _parts([row.text for row in rows], PART_FACTORS[0])
    distinct = sorted({row.system for row in rows})
    systems = _parts(distinct, PART_FACTORS[1])
    at = np.searchsorted(np.array(distinct, dtype=object), [row.system for row in rows])
    return (prompts + systems[at]).tocsr()


def _parts(texts: list[str], factors: Float64) -> csr_matrix:
    """Scaled features of each text, its parts added up."""
    columns, starts = feature_matrix_parts(pa.array(texts, pa.large_string()), n_buckets=N_BUCKETS)
    parts = csr_matrix(
        (np.ones(len(columns), np.float32), columns.astype(np.int32), starts.astype(np.int32)),
        shape=(N_PARTS * len(texts), N_BUCKETS),
    )
    parts.sum_duplicates()
    if PRESENCE == "part": parts.data[:] = 1
    elif PRESENCE == "text":
        c = parts.tocoo(); text = c.row // N_PARTS
        order = np.lexsort((c.row, c.col, text))
        key = text[order].astype(np.int64) * N_BUCKETS + c.col[order]
        first = np.ones(len(key), bool); first[1:] = key[1:] != key[:-1]
        keep = order[first]
        parts = csr_matrix((np.ones(len(keep), np.float32), (c.row[keep], c.col[keep])), shape=parts.shape)
    elif PRESENCE.startswith("cap"): parts.data = np.minimum(parts.data, int(PRESENCE[3:]))
    elif PRESENCE == "sqrt": parts.data = np.sqrt(parts.data)
    elif PRESENCE == "log": parts.data = 1+np.log(parts.data)
    if PRESENCE == "sqrt" or PRESENCE == "log":
        norm = np.sqrt(np.asarray(parts.multiply(parts).sum(axis=1)).ravel())
    elif PRESENCE == "l2":
        norm = np.sqrt(np.asarray(parts.multiply(parts).sum(axis=1)).ravel())
    else: norm = np.sqrt(np.asarray(parts.sum(axis=1)).ravel())
    sc = np.tile(factors, len(texts)) / np.maximum(norm, 1)
    parts.data *= np.repeat(sc, np.diff(parts.indptr)).astype(np.float32)
    out = csr_matrix((parts.data, parts.indices, parts.indptr[::N_PARTS]), shape=(len(texts), N_BUCKETS))
    out.sum_duplicates()
    return out


PRESENCE = ""


def fit(rows: list[Row]) -> Classifier:
    """Two multinomial logistic regressions side by side, rounded to int8; thresholds come later."""
    features = matrix(rows)
    rare = rarity(features) * support(features, rows)
    scaled = features.multiply(rare.astype(np.float32)).tocsr().astype(np.float32)
    weights, biases = [], []
    unsorted = np.array([row.is_benign and row.capability == 0 for row in rows])
    for labels, n_classes, row_weights in (
        (
            np.array([row.capability for row in rows]),
            len(CAPABILITIES),
            np.where(unsorted, UNSORTED_WEIGHT, 1.0) * weigh(rows, "capability"),
        ),
        (np.array([row.technique for row in rows]), len(TEXT_TECHNIQUES), weigh(rows, "technique")),
    ):
        known = labels != NO_LABEL
        model = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_ITERATIONS, tol=1e-3)
        model.fit(scaled[known], labels[known], sample_weight=row_weights[known])
        if len(model.classes_) < 3:
            raise ValueError("these pools show fewer than three answers to a question: too few to train on")
        head = np.zeros((N_BUCKETS, n_classes))
        head[:, model.classes_] = model.coef_.T * rare[:, None]
        bias = np.full(n_classes, -30.0)  # an answer without a row is never chosen
        bias[model.classes_] = model.intercept_
        weights.append(head)
        biases.append(bias)
    return quantised(np.hstack(weights), np.concatenate(biases))


def rarity(features: csr_matrix) -> Float64:
    """How much a feature tells by being there: the inverse document frequency (Sparck Jones, Journal of
    Documentation 28, 1972). The penalty then falls on everyday words, which every new source uses in its
    own way; folded into the weights, it costs nothing at scan time."""
    n_with = np.bincount(features.indices, minlength=N_BUCKETS)
    out = np.log1p(features.shape[0] / np.maximum(n_with, RARE_LIMIT))
    return np.asarray(out / np.sqrt((out[features.indices] ** 2).mean()))


LEAST_SOURCES = 1
WEIGH = 0.0


def weigh(rows: list[Row], question: str) -> Float64:
    keys = [f"{row.pool}/{row.source if not row.pool.startswith('frames') else question}/{getattr(row, question)}" for row in rows]
    _, at, n = np.unique(keys, return_inverse=True, return_counts=True)
    out = n[at] ** -WEIGH
    return out / out.mean()




def support(features: csr_matrix, rows: list[Row]) -> Float64:
    _, of_row = np.unique([f"{row.pool}/{row.source}" for row in rows], return_inverse=True)
    groups = csr_matrix(
        (np.ones(len(rows), np.float32), (of_row, np.arange(len(rows)))), shape=(of_row.max() + 1, len(rows))
    )
    found = groups @ (features > 0).astype(np.float32)
    n_sources = np.bincount(found.tocsr().indices, minlength=N_BUCKETS)
    return (n_sources >= LEAST_SOURCES).astype(float)


def quantised(weights: Float64, biases: Float64) -> Classifier:
    """Round to int8, one scale an output. The few largest weights are cut off: they would cost all
    the others their precision."""
    largest = np.quantile(np.abs(weights), 0.9998, axis=0)
    scales = np.maximum(largest, 1e-6) / 127
    rounded = np.clip(np.round(weights / scales), -127, 127).astype(np.int8)
    return Classifier(
        weights=rounded,
        scales=scales,
        biases=biases,
        part_factors=PART_FACTORS.copy(),
        thresholds=np.full(len(TEXT_TECHNIQUES), 0.5),
        version=VERSION,
    )


# ------------------------------------------------------------------ measuring


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows and what a model that never saw their sources says of them."""

    rows: list[Row]
    of_capability: Float64
    of_technique: Float64

    def likeliest(self) -> npt.NDArray[np.int64]:
        """Code of the likeliest technique other than none."""
        return 1 + self.of_technique[:, 1:].argmax(axis=1)

    def techniques(self, thresholds: Float64) -> npt.NDArray[np.int64]:
        """What `classify` would give."""
        best = self.likeliest()
        return np.where(self.of_technique[np.arange(len(best)), best] >= thresholds[best], best, NONE)

    def capabilities(self) -> npt.NDArray[np.int64]:
        return self.of_capability.argmax(axis=1)

    def where(self, keep: Callable[[Row], bool]) -> "Scored":
        at = [index for index, row in enumerate(self.rows) if keep(row)]
        return Scored([self.rows[index] for index in at], self.of_capability[at], self.of_technique[at])


def scored(model: Classifier, rows: list[Row]) -> Scored:
    """The rows as the kernel and `probabilities` see them."""
    logits = matrix(rows) @ (model.weights * model.scales) + model.biases
    from detector.text.classify import _softmax
    return Scored(rows, _softmax(logits[:, :15]), _softmax(logits[:, 15:]))


def joined(parts: list[Scored]) -> Scored:
    return Scored(
        [row for part in parts for row in part.rows],
        np.vstack([part.of_capability for part in parts]),
        np.vstack([part.of_technique for part in parts]),
    )


def thresholds_for(result: Scored, false_positives: float) -> Float64:
    """A threshold for each technique, so that all together exceed it on so small a share of ordinary
    prompts; every pool counts alike. Never below LOWEST_THRESHOLD."""
    ordinary = result.where(lambda row: row.is_benign)
    pools = np.array([row.pool for row in ordinary.rows])
    names, sizes = np.unique(pools, return_counts=True)
    per_row = 1 / (sizes[np.searchsorted(names, pools)] * len(names))
    best = ordinary.likeliest()
    thresholds = np.full(len(TEXT_TECHNIQUES), LOWEST_THRESHOLD)
    for code in range(1, len(TEXT_TECHNIQUES)):
        mine = np.flatnonzero(best == code)
        score = ordinary.of_technique[mine, code]
        order = np.argsort(-score, kind="stable")
        n_over = np.searchsorted(
            np.cumsum(per_row[mine][order]), false_positives / (len(TEXT_TECHNIQUES) - 1), side="right"
        )
        if n_over < len(order):
            thresholds[code] = max(LOWEST_THRESHOLD, np.ceil(score[order[n_over]] * 1000) / 1000)
    return thresholds


def rows_of(pools: dict[str, list[Row]], folds: Iterable[tuple[str, ...]]) -> list[Row]:
    return [row for fold in folds for pool in fold for row in pools.get(pool, ())]


def without(pools: dict[str, list[Row]], folds: Sequence[tuple[str, ...]], *, english: int, other: int) -> Scored:
    """Every fold as scored by a model that saw none of its pools."""
    out = []
    for fold in folds:
        if asked := rows_of(pools, [fold]):
            rows = rows_of(pools, [one for one in folds if one != fold])
            model = fit(with_frames(rows, part="train", seed=SEED, english=english, other=other))
            out.append(scored(model, asked))
    return joined(out)


def train(pools: dict[str, list[Row]], *, english: int, other: int) -> tuple[Classifier, Scored]:
    """The model of all folds with its thresholds, and every fold as scored by a model without it."""
    tuned = without(pools, FOLDS, english=english, other=other)
    thresholds = thresholds_for(tuned, BENIGN_FALSE_POSITIVES)
    rows = with_frames(rows_of(pools, FOLDS), part="train", seed=SEED, english=english, other=other)
    return replace(fit(rows), thresholds=thresholds), tuned


def save(model: Classifier, path: Path) -> None:
    np.savez_compressed(
        path,
        weights=model.weights,
        scales=model.scales.astype(np.float32),
        biases=model.biases.astype(np.float32),
        part_factors=model.part_factors.astype(np.float32),
        thresholds=model.thresholds.astype(np.float32),
        version=np.int64(model.version),
    )
