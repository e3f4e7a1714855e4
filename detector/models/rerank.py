"""What people's decisions teach about the order of the queue: a small supervised model, and its test.

Here: learning the weights of evidence from decided cases, proving on later nights that they help, and the
order that follows. Not here: which cases there are and what was decided (pipelines.reranking), how a finding
is scored (campaigns.decision, models.scoring): a score, a p-value, a confidence are never changed by this.

The guards, each against somebody who behaves so as to be dismissed, or against a model that fools itself:

* weights are never negative: no evidence of harvesting can be taught to count for innocence, only to count
  for nothing;
* a night's dismissals count for no more than twenty, and so do its approvals: a flood of decoys is a trickle;
* the order is used only when it was better on later nights than those it was learned from, beyond chance;
* it moves a case among those of like confidence, and to no more than twice its place (`reordered`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
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

PRIOR_VARIANCE = 1.0
"""Of a weight, around 0. Evidence is counted in log-odds, so that a weight of 1 is what it was meant to say:
the prior allows that, and makes twice as much an exception that many decisions have to ask for."""

MOST_PER_NIGHT = 20
"""Decisions of one sort that a night may count for: a person's day of reading. What is decided by the hundred
is decided alike, and may have been sent to be."""

MOST_LOG_ODDS = 7.0
"""Of a score as log-odds: beyond one in a thousand its digits are the model's, not the evidence's."""


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
    evidence : float64, shape (n, n_pieces): each piece in the direction of suspicion, in units of about one
        log-odds; NaN where unknown. Evidence alone: no id, no decision, no recommendation.
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
class Weights:
    """What was learned: how much each piece of evidence says, 0 up.

    weight, usual, least, most : float64, shape (1 + n_pieces,): the present score as log-odds comes first;
        `usual` stands in for what is unknown, and nothing counts for less or more than was seen in learning
    """

    weight: Float64
    usual: Float64
    least: Float64
    most: Float64

    def log_odds(self, cases: Cases) -> Float64:
        """float64, shape (n,): higher for what people would sooner approve; only their order counts."""
        columns = np.clip(_columns(cases), self.least, self.most)
        return np.asarray(np.where(np.isnan(columns), self.usual, columns) @ self.weight, np.float64)


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
    weights: Weights | None = None
    """Null unless it is used."""


def learn(cases: Cases, approved: Bool, band: Sequence[object]) -> Lesson:
    """Weights from decided cases, if they order later nights better than the present order does.

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
        weights=fitted(cases, approved) if low > 0 else None,
    )


def _by_content(cases: Cases, approved: Bool) -> npt.NDArray[np.intp]:
    """Rows by night, and within one by what they hold; the verdict decides only between equals."""
    held = [cases.evidence[:, piece] for piece in range(cases.evidence.shape[1])]
    return np.lexsort([approved, *held, cases.score, cases.night])


def _enough(approved: Bool) -> bool:
    return min(int(approved.sum()), int((~approved).sum())) >= LEAST_OF_EACH


# -- the model --------------------------------------------------------------------------------------


def fitted(cases: Cases, approved: Bool) -> Weights:
    """Weights by logistic regression with a ridge; there must be cases of both sorts.

    What would get a negative weight is left out, and the rest learned again until none does: the order stays
    monotone in every piece of evidence.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  half a second, for whoever learns

    columns = _columns(cases)
    known = np.isfinite(columns)
    usual = np.array([np.median(c[k]) if k.any() else 0.0 for c, k in zip(columns.T, known.T, strict=True)])
    columns = np.where(known, columns, usual)
    spread = np.maximum(columns.std(axis=0), 1.0)  # a column in thousands must not speak by its unit alone
    weight = np.zeros(len(usual))
    kept = np.flatnonzero(columns.max(axis=0) > columns.min(axis=0))
    says = _says(cases.night, approved)
    while len(kept):
        model = LogisticRegression(C=PRIOR_VARIANCE, max_iter=1_000)
        model.fit((columns / spread)[:, kept], approved, sample_weight=says)
        found = model.coef_[0]
        if (found >= 0).all():
            weight[kept] = found / spread[kept]
            break
        kept = kept[found >= 0]
    return Weights(weight=weight, usual=usual, least=columns.min(axis=0), most=columns.max(axis=0))


def _columns(cases: Cases) -> Float64:
    score = np.clip(cases.score, 1e-12, 1 - 1e-12)
    present = np.clip(np.log(score / (1 - score)), -MOST_LOG_ODDS, MOST_LOG_ODDS)
    return np.column_stack([present, cases.evidence])


def _says(night: Int64, approved: Bool) -> Float64:
    """How much each decision counts: 1, but those of one sort and night together at most MOST_PER_NIGHT."""
    sorts = np.stack([night, approved.astype(np.int64)])
    _, group, size = np.unique(sorts, axis=1, return_inverse=True, return_counts=True)
    return np.asarray(np.minimum(1.0, MOST_PER_NIGHT / size[group.ravel()]), np.float64)


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
        weights = fitted(cases.take(before), approved[before])
        order = reordered(runs(band[plain]), weights.log_odds(cases.take(plain)))
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
