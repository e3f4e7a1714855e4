"""The evidence for and against one account that harvests by itself.

Here: what is asked of a busy account, what the answers are worth, and what sets look-alikes apart. Not
here: what a value is worth in general (surprise), what total convicts (decision), relays (relay).

Families fail independently: content (what is asked for), templating (how it is worded), volume, shape
(rhythm), parameters, lifecycle. Each is capped, so that no family decides alone: an adversary may fake it,
and a customer may trip over it. Questions of one family are averaged, not added: they are often two views
of one fact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from detector.campaigns.shares import lower_share
from detector.models.base import Float64
from detector.models.lone.findings import Columns, Groups
from detector.models.lone.surprise import (
    Peers,
    evidence_of,
    log_odds_of_share,
    tail_probability,
)

Scale = Literal["share", "count", "plain"]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing an extractor shows more of than its peers (or less: `is_low`)."""

    family: str
    name: str
    scale: Scale
    """`share` and `count` have tails, on the scale of log-odds and of logarithms; `plain` is ranked."""
    is_low: bool = False
    cases: str | None = None
    """The column that tells how many requests a share was seen in: it counts as far as so many surely
    show."""


QUESTIONS = (
    Question("content", "technique_share", "share", cases="n_prompts"),
    Question("templating", "own_text_share", "share", cases="n_sampled"),
    Question("volume", "output_tokens", "count"),
    Question("volume", "n_requests", "count"),
    Question("shape", "hour_entropy_bits", "plain"),
    Question("shape", "burstiness", "plain", is_low=True),
    Question("parameters", "soft_label_share", "share"),
    Question("parameters", "multi_choice_share", "share"),
    Question("lifecycle", "account_age_days", "count", is_low=True),
    Question("lifecycle", "volume_z", "plain"),
)

ESSENTIAL = ("content", "volume")
"""What a harvest cannot do without: to ask for what trains a model, and for much of it. Only these speak
against when they are missing; everything else an operator may do without."""

CAP = 3.0
"""Of an essential family: odds of 20, which takes the most unusual of some 300 peers. More than what a few
hundred peers can show would rest on the shape of a tail."""

LESSER_CAP = 1.5
"""Half of it for what customers choose freely: many an application never sleeps or draws several answers."""

FAMILIES = tuple(dict.fromkeys(question.family for question in QUESTIONS))


@dataclass(frozen=True, slots=True)
class Separator:
    """What look-alikes do and extractors do not: log-odds by a ramp, never above 0. What rules a harvest
    out takes back as much as an essential family can say, what only makes it unlikely a unit."""

    name: str
    points: tuple[tuple[float, float], ...]
    is_logarithmic: bool = False


SEPARATORS = (
    # A suite repeats its items night after night; a harvest pays for each answer once.
    Separator("repeat_share", ((0.1, 0.0), (0.5, -3.0))),
    # So does a run that sends each item many times over, or a load test, within the night.
    Separator("item_novelty", ((0.4, -3.0), (0.8, 0.0))),
    # Labels, yes or no, a number: nothing to train on. 10 tokens and less are surely that, 50 surely not.
    Separator("output_tokens_mean", ((1.0, -3.0), (1.7, 0.0)), is_logarithmic=True),
    # Whoever measures a model wants the same answer again; whoever trains on answers wants many different
    # ones.
    Separator("zero_temperature_share", ((0.5, 0.0), (0.9, -1.0))),
    # People talk, and so do agents that propose, object and judge; from four in five on requests stand alone
    # (peers.peer_group), and who continues every second one does not collect single answers.
    Separator("single_turn_share", ((0.5, -3.0), (0.8, 0.0))),
)


@dataclass(frozen=True)
class Evidence:
    """Of n accounts, in the order of their columns.

    by_family : log-odds of each family of FAMILIES, float64, shape (n,), capped
    against : log-odds of each separator, by name, float64, shape (n,), 0 and below
    total : float64, shape (n,): their sum, in nats
    answers : log of the evidence of each question, by name, float64, shape (n,); NaN unknown
    """

    by_family: dict[str, Float64]
    against: dict[str, Float64]
    answers: dict[str, Float64]

    @property
    def total(self) -> Float64:
        """float64, shape (n,)."""
        return np.asarray(np.sum([*self.by_family.values(), *self.against.values()], axis=0), np.float64)

    def families_of(self, row: int, least: float) -> list[str]:
        """Families that support it by `least` log-odds, in the order of FAMILIES; content only where the
        separators of look-alikes leave that much of it."""
        at_row = {family: float(values[row]) for family, values in self.by_family.items()}
        at_row["content"] += sum(float(values[row]) for values in self.against.values())
        return [family for family in FAMILIES if at_row[family] >= least]


def weigh(columns: Columns, groups: Groups, peers: Peers) -> Evidence:
    """What speaks for and against each account.

    Parameters
    ----------
    columns : float64 arrays of shape (n,), one for each question, its cases, and each separator; NaN unknown
    groups : shape (n,), the peer group each is compared with
    peers : ordinary accounts, and the same columns of them
    """
    answers = {question.name: _answer(question, columns, groups, peers) for question in QUESTIONS}
    by_family = {
        family: _of_family(family, [answers[q.name] for q in QUESTIONS if q.family == family])
        for family in FAMILIES
    }
    against = {separator.name: _ramped(separator, columns[separator.name]) for separator in SEPARATORS}
    return Evidence(by_family, against, {name: np.log(factor) for name, factor in answers.items()})


def _answer(question: Question, columns: Columns, groups: Groups, peers: Peers) -> Float64:
    """Evidence as a factor; NaN where the account's value, or everybody else's, is unknown."""
    values = columns[question.name]
    if question.cases is not None:
        values = lower_share(values, columns[question.cases])
    out = np.full(len(values), np.nan)
    for group in np.unique(groups):
        rows = groups == group
        usual = peers.of(question.name, group)
        if not len(usual):
            continue
        mine, theirs = _scaled(values[rows], question), np.sort(_scaled(usual, question))
        out[rows] = evidence_of(tail_probability(mine, theirs, has_tail=question.scale != "plain"))
    return out


def _scaled(values: Float64, question: Question) -> Float64:
    if question.scale == "share":
        values = log_odds_of_share(values)
    elif question.scale == "count":
        values = np.log1p(np.maximum(values, 0.0))
    return -values if question.is_low else values


def _of_family(family: str, answers: Sequence[Float64]) -> Float64:
    """Log of the mean of what is known, capped; 0 where nothing is."""
    known = np.isfinite(answers)
    n_known = known.sum(axis=0)
    mean = np.where(known, answers, 0.0).sum(axis=0) / np.maximum(n_known, 1)
    log_odds = np.log(np.where(n_known > 0, mean, 1.0))
    if family in ESSENTIAL:
        return np.asarray(np.minimum(log_odds, CAP))
    return np.asarray(np.clip(log_odds, 0.0, LESSER_CAP))


def _ramped(separator: Separator, values: Float64) -> Float64:
    places, log_odds = zip(*separator.points, strict=True)
    at = np.log10(np.maximum(values, 1.0)) if separator.is_logarithmic else values
    return np.asarray(np.where(np.isfinite(values), np.interp(at, places, log_odds), 0.0))
