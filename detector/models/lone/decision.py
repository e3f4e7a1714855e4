"""From evidence to a verdict on accounts alone: a stated false-discovery rate, and what to recommend.

Here: thresholds and their reasons. Not here: what is measured (evidence).
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from detector.campaigns import LADDER, Action, tail_p_values
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

    p_value : float64, shape (n,), above 0 to 1
    flagged : positions, ascending
    threshold : log-odds that were asked for
    """

    p_value: Float64
    flagged: tuple[int, ...]
    threshold: float
    has_history: bool


def decide(evidence: Evidence, reference: Float64, *, has_history: bool, policy: LonePolicy) -> Verdicts:
    """Judge the night's busy accounts together.

    Parameters
    ----------
    evidence : of n accounts
    reference : float64: totals of ordinary accounts of earlier nights, those below the threshold. Without a
        history the night's own stand in for them
    has_history : whether earlier nights are the reference; if not, more is asked for

    Content must support a finding, and one more family. p-values come from a tail fitted to the reference,
    for with a plain rank no single account could pass a false-discovery rate over many
    (docs/decisions/0074).

    Source: Benjamini, Hochberg, J. R. Stat. Soc. B 57 (1995) 289.
    """
    totals = evidence.total
    threshold = policy.least_log_odds if has_history else policy.first_night_log_odds
    p_values = tail_p_values(totals, reference if has_history else totals[totals < threshold])
    adjusted = stats.false_discovery_control(p_values, method="bh") if len(p_values) else p_values
    passed = (adjusted <= policy.false_discovery_rate) & (totals >= threshold)
    flagged = []
    for row in np.flatnonzero(passed).tolist():
        families = evidence.families_of(row, policy.family_log_odds)
        if "content" in families and len(families) >= 2:
            flagged.append(row)
    return Verdicts(p_values, tuple(flagged), threshold, has_history)


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
            LoneFinding(row, "lone extractor", confidence, action, (_sum(row, evidence, verdicts), *told))
        )
    return found


def _sum(row: int, evidence: Evidence, verdicts: Verdicts) -> Reason:
    return Reason(
        "lone_log_odds",
        "all evidence together, as log-odds",
        round(float(evidence.total[row]), 2),
        f"flagged from {verdicts.threshold:g} on",
    )


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
