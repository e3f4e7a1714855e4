"""What people's decisions teach about the order of the queue: a small supervised model, and its test.

Here: learning from the evidence of decided cases, proving on later nights that they help, and the
order that follows. Not here: which cases there are and what was decided (pipelines.reranking), how a finding
is scored (campaigns.decision, models.scoring): a score, a p-value, a confidence are never changed by this.

The guards, each against somebody who behaves so as to be dismissed, or against a model that fools itself:

* it is monotone: no evidence of harvesting can be taught to count for innocence, only to count for nothing;
* what a night adds grows with the root of its decisions: a hundred decoys of one night weigh as ten;
* the order is used only when it was better on later nights than those it was learned from, beyond chance;
* it moves a case among those of like confidence, and to no more than twice its place (`reordered`).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.models.base import Float64
from detector.models.gain import Later, gain
from detector.models.reorder import reordered, runs

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LEAST_OF_EACH = 10
"""Approved, and dismissed, decisions to learn from, and as many later ones to compare on. With ten against
ten the standard error of the share of pairs in the right order is still a tenth (Hanley, McNeil, Radiology
143 (1982) 29): fewer could not show a difference that a reader of the queue would notice."""

LEAST_NIGHTS = 2
"""Later nights to compare on: what holds on one night only may be one batch of look-alikes, or of decoys."""

MOST_NIGHTS = 28
"""Latest nights that are compared on: four weeks, as the scores' own reference. What helped a year ago proves
nothing about today's customers."""

MOST_DECISIONS = 5_000
"""Latest decisions that are looked at: more change no weight, and a script may record them."""

LEAST_PER_LEAF = 5
"""Cases that any split must leave on either side: half of LEAST_OF_EACH, so that one slip of a reviewer never
makes a rule of its own."""

N_TREES = 60
MOST_LEAVES = 8
"""Small on purpose: three questions deep, and as many rounds as lie within a tenth of a second."""


class Standing(StrEnum):
    """Whether past decisions order the queue, or why not."""

    USED = "used"
    NO_DECISIONS = "no decisions"
    FEW_DECISIONS = "few decisions"
    NO_GAIN = "no gain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Findings that people may have decided about; rows are cases.

    score : float64, shape (n,), 0 to 1: what the present order goes by
    evidence : float64, shape (n, n_pieces): each piece in the direction of suspicion; NaN where
        unknown. Evidence alone: no id, no decision, no recommendation.
    night : int64, shape (n,), ascending with time: the night of the finding
    """

    score: Float64
    evidence: Float64
    night: Int64

    def __post_init__(self) -> None:
        if not len(self.score) == len(self.evidence) == len(self.night) or self.evidence.ndim != 2:
            raise ValueError("a score, a row of evidence and a night for every case")

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: npt.NDArray[Any]) -> "Cases":
        """Some of them."""
        return Cases(score=self.score[rows], evidence=self.evidence[rows], night=self.night[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    """What was learned: an order that more of any evidence never lowers.

    usual : float64, shape (1 + n_pieces,): what stands in for the unknown; the score comes first
    """

    model: Any
    usual: Float64

    def log_odds(self, cases: Cases) -> Float64:
        """float64, shape (n,): higher for what people would sooner approve; only their order counts."""
        if not len(cases):
            return np.empty(0)
        with _one_thread():
            return np.asarray(self.model.decision_function(_known(cases, self.usual)), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What the decisions have come to.

    n_later, n_later_nights : decisions that were compared on, and their nights; 0 where there were too few
    present_share, learned_share : 0 to 1: of the pairs of an approved and a dismissed case of one later
        night, the part in which the approved one comes first; NaN without a comparison
    gain_low, gain_high : ends of the 95 % interval of their difference
    """

    standing: Standing
    n_approved: int
    n_dismissed: int
    n_later: int = 0
    n_later_nights: int = 0
    present_share: float = np.nan
    learned_share: float = np.nan
    gain_low: float = np.nan
    gain_high: float = np.nan
    ranker: Ranker | None = None
    """Null unless it is used."""


def learn(cases: Cases, approved: Bool, band: Sequence[object]) -> Lesson:
    """A ranker from decided cases, if it orders later nights better than the present order does.

    Each night is ordered by what the nights before it taught, as the queue would have been, and compared
    with the present order. The same cases give the same lesson, in whatever order they come.

    Parameters
    ----------
    cases : decided ones, each once, as they were when they were decided
    approved : bool, shape (n,): else dismissed
    band : of each case, what it may be moved within (see `reordered`): its confidence

    Raises
    ------
    ValueError : the lengths differ, or a score is not finite.
    """
    if not len(cases) == len(approved) == len(band) or not np.isfinite(cases.score).all():
        raise ValueError("a verdict, a band and a finite score for every case")
    order = _by_content(cases, approved)[-MOST_DECISIONS:]
    cases, approved = cases.take(order), approved[order]
    bands = np.unique([str(band[at]) for at in order], return_inverse=True)[1]
    n_approved = int(approved.sum())
    lesson = Lesson(
        standing=Standing.NO_DECISIONS, n_approved=n_approved, n_dismissed=len(approved) - n_approved
    )
    if not len(cases):
        return lesson
    later = _compared(cases, approved, bands)
    if len(later) < LEAST_NIGHTS or not _enough(np.concatenate([night.approved for night in later])):
        return replace(lesson, standing=Standing.FEW_DECISIONS)
    present, learned, low, high = gain(later)
    return replace(
        lesson,
        standing=Standing.USED if low > 0 else Standing.NO_GAIN,
        n_later=sum(len(night.approved) for night in later),
        n_later_nights=len(later),
        present_share=present,
        learned_share=learned,
        gain_low=low,
        gain_high=high,
        ranker=fitted(cases, approved) if low > 0 else None,
    )


def _by_content(cases: Cases, approved: Bool) -> npt.NDArray[np.intp]:
    """Rows by night, and within one by what they hold; the verdict decides only between equals."""
    held = [cases.evidence[:, piece] for piece in range(cases.evidence.shape[1])]
    return np.lexsort([approved, *held, cases.score, cases.night])


def _enough(approved: Bool) -> bool:
    return min(int(approved.sum()), int((~approved).sum())) >= LEAST_OF_EACH


# -- the model --------------------------------------------------------------------------------------


def fitted(cases: Cases, approved: Bool) -> Ranker:
    """Gradient boosting that is monotone in the score and every piece of evidence.

    There must be cases of both sorts, which count the same, however many there are of each.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  a second, for whoever learns

    columns = np.column_stack([cases.score, cases.evidence])
    found = np.isfinite(columns)
    usual = np.array([np.median(c[k]) if k.any() else 0.0 for c, k in zip(columns.T, found.T, strict=True)])
    model = HistGradientBoostingClassifier(
        monotonic_cst=[1] * columns.shape[1],
        max_iter=N_TREES,
        max_leaf_nodes=MOST_LEAVES,
        min_samples_leaf=LEAST_PER_LEAF,
        early_stopping=False,
        random_state=0,
    )
    with _one_thread():
        model.fit(_known(cases, usual), approved, sample_weight=_says(cases.night, approved))
    return Ranker(model=model, usual=usual)


@cache
def _thread_pools() -> Any:
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415  looks through all libraries that are loaded

    return ThreadpoolController()


def _one_thread() -> AbstractContextManager[object]:
    """The order must not depend on the machine's processors, and so few rows gain nothing by several."""
    limited: AbstractContextManager[object] = _thread_pools().limit(limits=1)
    return limited


def _known(cases: Cases, usual: Float64) -> Float64:
    """Score and evidence; what is unknown is as usual, for people cannot have meant it."""
    columns = np.column_stack([cases.score, cases.evidence])
    return np.asarray(np.where(np.isfinite(columns), columns, usual), np.float64)


def _says(night: Int64, approved: Bool) -> Float64:
    """How much each decision counts: those of one sort and night together as the root of their number, and
    both sorts alike."""
    _, group, size = np.unique(
        np.stack([night, approved.astype(np.int64)]), axis=1, return_inverse=True, return_counts=True
    )
    says = 1 / np.sqrt(size[group.ravel()])
    of_each = np.bincount(approved.astype(np.int64), says, 2)
    return np.asarray(says * of_each.mean() / of_each[approved.astype(np.int64)], np.float64)


# -- the test ---------------------------------------------------------------------------------------


def _compared(cases: Cases, approved: Bool, band: npt.NDArray[np.intp]) -> list[Later]:
    """The nights with decisions of both sorts that have enough of each before them."""
    later = []
    for night in np.unique(cases.night)[-MOST_NIGHTS:].tolist():
        before, tonight = cases.night < night, np.flatnonzero(cases.night == night)
        verdicts = approved[tonight]
        if not _enough(approved[before]) or verdicts.all() or not verdicts.any():
            continue
        plain = tonight[np.argsort(-cases.score[tonight], kind="stable")]
        ranker = fitted(cases.take(before), approved[before])
        order = reordered(runs(band[plain]), ranker.log_odds(cases.take(plain)))
        places = np.empty(len(plain), np.int64)
        places[order] = np.arange(len(plain))
        later.append(Later(approved[plain], _tied(cases.score[plain]), places))
    return later


def _tied(score: Float64) -> Int64:
    """Places of descending scores; equal ones share theirs, for the present order says nothing of them."""
    return np.asarray(np.unique(-score, return_inverse=True)[1], np.int64)


# -- words ------------------------------------------------------------------------------------------


def in_words(what: str, lesson: Lesson) -> str:
    """One sentence for a person: what the order of `what` (campaigns, lone accounts) goes by, and why."""
    decided = f"{lesson.n_approved:,} approved and {lesson.n_dismissed:,} dismissed"
    match lesson.standing:
        case Standing.NO_DECISIONS:
            return f"{what} stand in plain order: nobody has decided about one yet"
        case Standing.FEW_DECISIONS:
            return (
                f"{what} stand in plain order: {decided} so far; past decisions order them once there are "
                f"{LEAST_OF_EACH} of each to learn from and {LEAST_OF_EACH} of each, on {LEAST_NIGHTS} later "
                "nights, to compare on"
            )
    compared = (
        f"on {lesson.n_later:,} later ones they put the approved case before the dismissed one in "
        f"{lesson.learned_share:.0%} of pairs, plain order in {lesson.present_share:.0%} "
        f"(gain {_points(lesson.gain_low)} to {_points(lesson.gain_high)} points)"
    )
    if lesson.standing is Standing.USED:
        return f"{what} are ordered by past decisions, {decided}: {compared}"
    return (
        f"{what} stand in plain order: what past decisions teach, {decided}, is not surely better; {compared}"
    )


def _points(share: float) -> str:
    return f"{100 * share:+.0f}"
