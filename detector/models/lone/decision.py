"""From evidence to a verdict on accounts alone: a stated false-discovery rate, and what to recommend.

Here: thresholds and their reasons. Not here: what is measured (evidence).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from detector.campaigns import LADDER, Action, Nights, tail_p_values
from detector.models.base import Float64
from detector.models.lone.evidence import QUESTIONS, Evidence, Question
from detector.models.lone.findings import (
    Columns,
    Groups,
    LoneFinding,
    Reason,
    reason,
    techniques_of,
)
from detector.models.lone.surprise import Peers

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class LonePolicy:
    """What it takes to be flagged alone, and what is recommended then. Log-odds are natural logarithms."""

    least_requests: int = 200
    """Prompts of a night from which on an account is judged: a share is then known to about 7 points either
    way; the public campaigns' narrow accounts sent 280 to 860 a day."""

    least_log_odds: float = 4.0
    """Odds of 55 to one, before it is counted how rare extractors are."""

    first_night_log_odds: float = 5.0
    """The same without a history: odds of 150."""

    several_nights: int = 3
    """Nights from which on an account is also judged by their mean. What lasts a night or two, a run, a batch
    or a move of house, is over by then."""

    mean_log_odds: float = 3.0
    """What that mean must reach: odds of 20, night after night. Less than for one night, for what a night
    adds by chance averages out, for extractors and for everybody they are compared with."""

    false_discovery_rate: float = 0.1
    """Of the accounts flagged alone, this share may be wrong in expectation. Twice a campaign's: nearly all
    are only to be watched."""

    family_log_odds: float = 1.0
    """A family of evidence counts as independent support from odds of e on."""

    medium_log_odds: float = 7.0
    """Medium confidence, with three families: odds of 1,100. High confidence needs partners."""

    least_reference: int = 100
    """Ordinary busy accounts of earlier nights needed before they serve as the reference."""

    low_action: Action = "watch"
    medium_action: Action = "verify"
    first_night_softer: int = 1


@dataclass(frozen=True)
class Verdicts:
    """Of n accounts.

    p_value : float64, shape (n,), above 0 to 1: of tonight
    flagged : positions, ascending
    threshold : log-odds that were asked for
    by_nights : of those flagged, position -> number of nights and their mean log-odds, for whom tonight alone
        did not suffice
    """

    p_value: Float64
    flagged: tuple[int, ...]
    threshold: float
    has_history: bool
    by_nights: dict[int, tuple[int, float]]


def decide(
    evidence: Evidence, reference: Float64, nights: Nights, *, has_history: bool, policy: LonePolicy
) -> Verdicts:
    """Judge the night's busy accounts together: by tonight, and by the mean of several nights.

    Parameters
    ----------
    evidence : of n accounts
    reference : float64: totals of ordinary accounts of earlier nights, those below the threshold. Without a
        history the night's own stand in for them
    nights : what earlier nights said of the same n accounts, and of ordinary ones
    has_history : whether earlier nights are the reference; if not, more is asked for

    Content must support a finding, and one more family. p-values come from a tail fitted to the reference,
    for with a plain rank no single account could pass a false-discovery rate over many
    (docs/decisions/0074). Nights of one account are no independent evidence, so their log-odds are averaged,
    never added, and compared with the means of others (docs/decisions/0082).

    Source: Benjamini, Hochberg, J. R. Stat. Soc. B 57 (1995) 289.
    """
    totals = evidence.total
    threshold = policy.least_log_odds if has_history else policy.first_night_log_odds
    p_values = tail_p_values(totals, reference if has_history else totals[totals < threshold])
    tonight = _passing(p_values, policy) & (totals >= threshold)
    n_nights, means = nights.with_tonight(totals)
    lasting = _over_nights(n_nights, means, nights.usual_means, policy)
    flagged = [row for row in np.flatnonzero(tonight | lasting).tolist() if _agrees(row, evidence, policy)]
    by_nights = {row: (int(n_nights[row]), float(means[row])) for row in flagged if not tonight[row]}
    return Verdicts(p_values, tuple(flagged), threshold, has_history, by_nights)


def _over_nights(n_nights: Int64, means: Float64, usual: Float64, policy: LonePolicy) -> Bool:
    """Who stands out on the mean of several nights, bool, shape (n,); nobody before enough ordinary accounts
    have been seen as often."""
    out = np.zeros(len(means), np.bool_)
    if len(usual) >= policy.least_reference:
        judged = np.flatnonzero(n_nights >= policy.several_nights)
        passed = _passing(tail_p_values(means[judged], usual), policy)
        out[judged] = passed & (means[judged] >= policy.mean_log_odds)
    return out


def _passing(p_values: Float64, policy: LonePolicy) -> Bool:
    """Whose p-value passes the false-discovery rate among all of them."""
    adjusted = stats.false_discovery_control(p_values, method="bh") if len(p_values) else p_values
    return np.asarray(adjusted <= policy.false_discovery_rate)


def _agrees(row: int, evidence: Evidence, policy: LonePolicy) -> bool:
    """Whether content supports it, and one more family."""
    families = evidence.families_of(row, policy.family_log_odds)
    return "content" in families and len(families) >= 2


def extractors(
    columns: Columns,
    groups: Groups,
    peers: Peers,
    evidence: Evidence,
    verdicts: Verdicts,
    policy: LonePolicy,
) -> list[LoneFinding]:
    """The flagged accounts as findings, in order of rows; parameters as for `weigh` and `decide`."""
    found = []
    for row in verdicts.flagged:
        families = evidence.families_of(row, policy.family_log_odds)
        is_medium = evidence.total[row] >= policy.medium_log_odds and len(families) >= 3
        confidence, action = ("medium", policy.medium_action) if is_medium else ("low", policy.low_action)
        if not verdicts.has_history:
            action = LADDER[max(LADDER.index(action) - policy.first_night_softer, 0)]
        told = [
            reason(name, float(columns[name][row]), peers.of(name, groups[row]))
            for name in _shown(row, columns, evidence)
        ]
        found.append(
            LoneFinding(
                row, "lone extractor", confidence, action, (*_sums(row, evidence, verdicts, policy), *told)
            )
        )
    return found


def _sums(row: int, evidence: Evidence, verdicts: Verdicts, policy: LonePolicy) -> list[Reason]:
    """What convicted, first: tonight, or the mean of several nights and tonight."""
    tonight = Reason(
        "lone_log_odds",
        "all evidence together, as log-odds",
        round(float(evidence.total[row]), 2),
        f"flagged from {verdicts.threshold:g} on",
    )
    if row not in verdicts.by_nights:
        return [tonight]
    n_nights, mean = verdicts.by_nights[row]
    asked = f"flagged from {policy.mean_log_odds:g} on, over {policy.several_nights} nights or more"
    what = f"the same, on the mean of {n_nights} nights"
    return [tonight, Reason("lone_log_odds_mean", what, round(mean, 2), asked)]


SAID = 0.5
"""Log-odds from which a question's answer is worth a line to a person."""


def _shown(row: int, columns: Columns, evidence: Evidence) -> list[str]:
    """What to show: techniques, every question whose answer speaks for it, and what speaks against or
    might."""
    asked = [question for question in QUESTIONS if _speaks(question, row, evidence)]
    names = [*techniques_of(columns, row), *(question.name for question in asked)]
    names += [name for name, values in evidence.against.items() if values[row] < 0]
    names += ["n_requests", "output_tokens", "item_novelty", "repeat_share"]
    return [name for name in dict.fromkeys(names) if np.isfinite(columns[name][row])]


def _speaks(question: Question, row: int, evidence: Evidence) -> bool:
    return bool(evidence.answers[question.name][row] >= SAID)
