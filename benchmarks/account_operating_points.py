"""Whom a score finds at fixed rates of false positives, and whom it wrongs.

Here: figures of one score over the accounts of one world. Not here: the scores (account_models).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

Float64 = npt.NDArray[np.float64]

RATES = (0.01, 0.001, 0.0001)
"""Shares of ordinary accounts flagged."""

LEAST_OF_KIND = 20
"""Rows of a benign kind before its share of flagged ones says anything."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Accounts of all judged nights of a world, a row per account and night."""

    is_campaign: npt.NDArray[np.bool_]
    campaign: npt.NDArray[np.object_]
    """Name; empty for ordinary accounts."""
    kind: npt.NDArray[np.object_]
    """What the labels say an account is: `lone_extractor`, `evaluation_harness`."""


@dataclass(frozen=True, slots=True)
class Point:
    """One operating point."""

    per_campaign: float
    """Mean over campaigns of the share of accounts found: each campaign counts alike, large or small."""
    accounts: float
    lone: float
    relay: float
    worst_kind: str
    worst_share: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One score in one world."""

    name: str
    texts: str
    seed: int
    auc: float
    average_precision: float
    points: tuple[Point, ...]
    """One for each of RATES."""
    explained: float
    seconds: float
    peak_mb: float


def figures(
    name: str,
    score: Float64,
    crowd: Crowd,
    texts: str,
    seed: int,
    *,
    explained: float,
    seconds: float,
    peak_mb: float,
) -> Figures:
    """Measure one score; higher is more suspicious."""
    return Figures(
        name=name,
        texts=texts,
        seed=seed,
        auc=float(roc_auc_score(crowd.is_campaign, score)),
        average_precision=float(average_precision_score(crowd.is_campaign, score)),
        points=tuple(_point(score, crowd, rate) for rate in RATES),
        explained=explained,
        seconds=seconds,
        peak_mb=peak_mb,
    )


def _point(score: Float64, crowd: Crowd, rate: float) -> Point:
    ordinary = np.sort(score[~crowd.is_campaign])[::-1]
    # Strictly above the first ordinary account that may no longer be flagged: ties flag nobody.
    found = score > ordinary[int(rate * len(ordinary))]
    of = {name: found[crowd.campaign == name].mean() for name in np.unique(crowd.campaign[crowd.is_campaign])}
    kinds, code = np.unique(crowd.kind[~crowd.is_campaign], return_inverse=True)
    wronged = np.bincount(code, found[~crowd.is_campaign]) / np.bincount(code)
    wronged[np.bincount(code) < LEAST_OF_KIND] = 0.0
    worst = int(wronged.argmax())
    return Point(
        per_campaign=float(np.mean(list(of.values()))),
        accounts=float(found[crowd.is_campaign].mean()),
        lone=_share(found, crowd, "lone_extractor"),
        relay=_share(found, crowd, "relay"),
        worst_kind=str(kinds[worst]),
        worst_share=float(wronged[worst]),
    )


def _share(found: npt.NDArray[np.bool_], crowd: Crowd, kind: str) -> float:
    rows = crowd.is_campaign & np.array([name == kind for name in crowd.kind])
    return float(found[rows].mean()) if rows.any() else float("nan")
