"""From labelled rows to int8 weights and thresholds.

Here: features as the kernel makes them, two multinomial logistic regressions, rounding, thresholds, folds.
Not here: rows and labels (rows, frames), tables (card).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from warnings import catch_warnings

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from detector.kernels.linear import N_PARTS
from detector.text.classify import Classifier, part_scales, probabilities
from detector.text.fingerprint import feature_matrix_parts, fingerprint
from detector.text.vocabulary import CAPABILITIES, TEXT_TECHNIQUES
from tools.classifier.frames import with_frames
from tools.classifier.rows import COLLECTIONS, FOLDS, NO_LABEL, NONE, Row, rows_of

Float64 = npt.NDArray[np.float64]

VERSION = 4
SEED = 20260
N_BUCKETS = 1 << 15
PART_FACTORS = np.array([[1.0, 1.5, 0.8], [0.5, 0.5, 0.3]])
"""What head, tail and middle count, of the prompt and of the system prompt: chosen by cross-validation."""
BENIGN_FALSE_POSITIVES = 0.01
"""Share of ordinary prompts, unseen in training, that may carry a technique: the thresholds follow."""
CAPPED_FALSE_POSITIVES = 0.03
"""What one kind of ordinary use may add to the mean over kinds: none decides the thresholds alone."""
LOWEST_THRESHOLD = 0.25
"""However few ordinary prompts come near a technique: fewer rows were seen than a night brings."""
SHARES = {
    "trajectory": 0.1, "safety_rewrite": 0.1, "trace_cleaning": 0.1, "instruction_generation": 0.2,
    "reasoning_trace": 0.25, "preference_labels": 0.25,
}  # fmt: skip
"""How the false positives are shared out, in this order; the techniques that public campaigns used most
come last and get what the others leave."""
UNSORTED_WEIGHT = 0.4
"""Everyday pools are called general_chat as a whole, though people also ask for code and poems in them."""
BALANCE = 1.0
"""0: a frequent label weighs as much as its rows; 1: as much as a rare one. Chosen by cross-validation."""
INVERSE_PENALTY = 3.0
"""scikit-learn's C: chosen by cross-validation inside the training folds."""
MAX_ITERATIONS = 100
"""By cross-validation 25 are too few; from 50 to 100 frames that were left out gain a little."""


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
    n_features = np.diff(starts).reshape(-1, N_PARTS)
    scales = part_scales(factors, n_features.astype(np.int32)).ravel()
    data = np.repeat(scales, n_features.ravel()).astype(np.float32)
    out = csr_matrix(
        (data, columns.astype(np.int32), starts[::N_PARTS].astype(np.int32)), shape=(len(texts), N_BUCKETS)
    )
    out.sum_duplicates()
    return out


def fit(rows: list[Row]) -> Classifier:
    """Two multinomial logistic regressions side by side, rounded to int8; thresholds come later."""
    features = matrix(rows)
    rare = rarity(features)
    scaled = features.multiply(rare.astype(np.float32)).tocsr().astype(np.float32)
    weights, biases = [], []
    unsorted = np.array([row.is_benign and row.capability == 0 for row in rows])
    for labels, n_classes, row_weights in (
        (
            np.array([row.capability for row in rows]),
            len(CAPABILITIES),
            np.where(unsorted, UNSORTED_WEIGHT, 1.0),
        ),
        (np.array([row.technique for row in rows]), len(TEXT_TECHNIQUES), np.ones(len(rows))),
    ):
        known = labels != NO_LABEL
        mass = np.bincount(labels[known], weights=row_weights[known], minlength=n_classes)
        balanced = row_weights[known] / mass[labels[known]] ** BALANCE
        model = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_ITERATIONS, tol=1e-3)
        with catch_warnings(action="ignore", category=ConvergenceWarning):
            model.fit(scaled[known], labels[known], sample_weight=balanced / balanced.mean())
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
    out = np.log1p(features.shape[0] / np.maximum(n_with, 1))
    return np.asarray(out / np.sqrt((out[features.indices] ** 2).mean()))


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
        return np.asarray(1 + self.of_technique[:, 1:].argmax(axis=1))

    def techniques(self, thresholds: Float64) -> npt.NDArray[np.int64]:
        """What `classify` would give."""
        best = self.likeliest()
        return np.where(self.of_technique[np.arange(len(best)), best] >= thresholds[best], best, NONE)

    def capabilities(self) -> npt.NDArray[np.int64]:
        return np.asarray(self.of_capability.argmax(axis=1))

    def where(self, keep: Callable[[Row], bool]) -> "Scored":
        at = [index for index, row in enumerate(self.rows) if keep(row)]
        return Scored([self.rows[index] for index in at], self.of_capability[at], self.of_technique[at])


def scored(model: Classifier, rows: list[Row]) -> Scored:
    """The rows as the kernel and `probabilities` see them."""
    prompts = fingerprint(pa.array([row.text for row in rows], pa.large_string()), weights=model.weights)
    systems = pa.array([row.system or None for row in rows], pa.large_string()).dictionary_encode()
    of_systems = fingerprint(systems.dictionary, weights=model.weights)
    system_of = systems.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Scored(rows, *probabilities(model, prompts, of_systems, system_of))


def joined(parts: list[Scored]) -> Scored:
    return Scored(
        [row for part in parts for row in part.rows],
        np.vstack([part.of_capability for part in parts]),
        np.vstack([part.of_technique for part in parts]),
    )


def thresholds_for(result: Scored, false_positives: float) -> Float64:
    """A threshold for each technique, so that all together exceed it on so small a share of ordinary
    prompts; every kind of ordinary use counts alike. Never below LOWEST_THRESHOLD: what a technique then
    leaves of its share, the next may use."""
    ordinary = result.where(lambda row: row.is_benign)
    per_row = pool_weights(ordinary.rows)
    best = ordinary.likeliest()
    thresholds = np.full(len(TEXT_TECHNIQUES), LOWEST_THRESHOLD)
    budget = 0.0
    for technique, share in SHARES.items():
        code = TEXT_TECHNIQUES.index(technique)
        budget += share * false_positives
        mine = np.flatnonzero(best == code)
        score = ordinary.of_technique[mine, code]
        order = np.argsort(-score, kind="stable")
        n_over = np.searchsorted(np.cumsum(per_row[mine][order]), budget, side="right")
        if n_over < len(order):
            thresholds[code] = max(LOWEST_THRESHOLD, np.ceil(score[order[n_over]] * 1000) / 1000)
        budget -= per_row[mine][score >= thresholds[code]].sum()
    return thresholds


def alone_at(result: Scored, technique: int, false_positives: float) -> float:
    """The threshold on one technique's own probability that so small a share of ordinary prompts
    exceeds: how well it is told from ordinary use, whatever the others do."""
    ordinary = result.where(lambda row: row.is_benign)
    score = ordinary.of_technique[:, technique]
    order = np.argsort(-score, kind="stable")
    n_over = np.searchsorted(np.cumsum(pool_weights(ordinary.rows)[order]), false_positives, side="right")
    return float(score[order[n_over]]) if n_over < len(order) else 0.0


def calibrated(result: Scored, false_positives: float) -> Float64:
    """The thresholds whose flagged share, averaged over the kinds of ordinary use, is so small when a kind
    counts at most CAPPED_FALSE_POSITIVES.

    A plain mean is decided by the hardest kind: collected prompts are flagged ten times as often as a
    conversation, and thresholds that suit them leave nothing of what is sought.
    """
    ordinary = result.where(lambda row: row.is_benign)
    _, of_row = np.unique(kinds_of(ordinary.rows), return_inverse=True)
    sizes = np.bincount(of_row)
    for budget in np.arange(8.0, 0.9, -0.25) * false_positives:
        thresholds = thresholds_for(result, float(budget))
        flagged = np.bincount(of_row, weights=ordinary.techniques(thresholds) != NONE) / sizes
        if np.minimum(flagged, CAPPED_FALSE_POSITIVES).mean() <= false_positives:
            return thresholds
    return thresholds_for(result, false_positives)


def kinds_of(rows: list[Row]) -> npt.NDArray[np.str_]:
    """A row's pool, or one name for all that are collections of prompts."""
    return np.array(["collections" if row.pool in COLLECTIONS else row.pool for row in rows])


def pool_weights(rows: list[Row]) -> Float64:
    """A weight for each row, 1 in all: every kind of ordinary use counts alike."""
    names, of_row, sizes = np.unique(kinds_of(rows), return_inverse=True, return_counts=True)
    return np.asarray(1 / (sizes[of_row] * len(names)))


def without(
    pools: dict[str, list[Row]], folds: Sequence[tuple[str, ...]], *, english: int, other: int
) -> Scored:
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
    thresholds = calibrated(tuned, BENIGN_FALSE_POSITIVES)
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
