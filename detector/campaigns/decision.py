"""From evidence to a verdict: p-values over candidates, a stated false-discovery rate, and what to recommend.

Here: thresholds and their reasons. Not here: what is measured (evidence), who belongs (communities). A person
decides in the end; this only says what is worth a person's time and how sure the night is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from detector.campaigns.evidence import COMMON, Evidence, summed_up
from detector.campaigns.memberships import Memberships

Float64 = npt.NDArray[np.float64]

Action = Literal["watch", "limit", "verify", "suspend"]

LADDER: tuple[Action, ...] = get_args(Action)
"""What may be recommended, softest first."""

Part = Literal["content", "timing", "identity", "lifecycle", "history"]
"""What a judgement rests on: the four families of evidence, and what earlier nights tell."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What it takes to be flagged, and what is recommended then. All log-odds are natural logarithms."""

    least_log_odds: float = 5.0
    """Evidence of a campaign with history to compare with: odds of 150 to one before the base rate."""

    first_night_log_odds: float = 6.0
    """Without history the night is compared with itself, which forgives a little: ask for odds of 400."""

    false_discovery_rate: float = 0.05
    """Of the campaigns flagged, this share may be wrong in expectation (Benjamini-Hochberg)."""

    family_log_odds: float = 1.0
    """A family of evidence counts as independent support from odds of e on."""

    medium_log_odds: float = 6.5
    high_log_odds: float = 8.0
    """Confidence: odds of 650 and 3,000. The signs of one scheduler have a common cap: the rest must come
    from what is asked for, for how long, and by whom."""

    least_reference: int = 20
    """Candidates of earlier nights needed before they serve as the reference."""

    low_action: Action = "watch"
    medium_action: Action = "verify"
    high_action: Action = "suspend"
    """What each confidence leads to: asking who somebody is costs a customer little, losing access a lot."""

    first_night_softer: int = 1
    """Steps of the ladder by which recommendations are softer while there is no history."""

    leave_out: tuple[Part, ...] = ()
    """Parts that are not weighed; what the night looks like without them: left_out.without."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the night says of one candidate."""

    log_odds: float
    score: float
    """0 to 1: for ordering; one half at the policy's threshold"""
    p_value: float
    families: tuple[str, ...]
    """families of evidence that support it independently"""
    flagged: bool
    confidence: str
    recommended_action: str


def decide(
    evidence: list[list[Evidence]],
    reference: Float64,
    *,
    has_content: bool | Sequence[bool],
    policy: Policy,
    members: Memberships | None = None,
) -> list[Verdict]:
    """Judge the night's candidates together.

    Parameters
    ----------
    evidence : one list per candidate
    reference : log-odds of the unflagged candidates of earlier nights; with too few of them the night's own
        candidates serve, robustly, and the threshold is stricter
    has_content : whether the log carried the candidate's prompts, for each or for all; if so, content must
        support a campaign
    members : who is in which candidate; None where that is not known. Candidates that are one another's parts
        are one hypothesis, and without history what shares accounts with a candidate that would be convicted
        is no reference

    Returns
    -------
    One verdict per candidate, by the evidence that the policy weighs. p-values come from a tail fitted to the
        reference: benign communities number dozens, and the plain rank of a candidate among them could never
        pass a false-discovery rate over many.

    Source: Benjamini, Hochberg, J. R. Stat. Soc. B 57 (1995) 289.
    """
    evidence = [weighed(pieces, policy) for pieces in evidence]
    totals = np.array([sum(piece.log_odds for piece in pieces) for pieces in evidence])
    has_history, threshold, p_values = _tested(totals, reference, policy, members)
    hypotheses = p_values[_heads(totals, members)]
    passed = p_values <= rejection_line(hypotheses, policy.false_discovery_rate)
    readable = np.asarray(has_content, dtype=np.bool_) & ("content" not in policy.leave_out)
    can_read = np.broadcast_to(readable, len(evidence))
    return [
        _verdict(pieces, float(total), float(p_value), bool(discovered and total >= threshold),
                 readable=bool(has_text), threshold=threshold, has_history=has_history, policy=policy)
        for pieces, total, p_value, discovered, has_text in zip(
            evidence, totals, p_values, passed, can_read, strict=True
        )
    ]  # fmt: skip


def decide_again(
    at: int,
    pieces: list[Evidence],
    totals: Float64,
    reference: Float64,
    *,
    has_content: bool,
    policy: Policy,
    members: Memberships | None = None,
) -> Verdict:
    """The verdict on one candidate, had it other evidence, beside the night's other candidates as they are.

    What `decide` would give it, without judging the others anew: asked for every kind of link of everything
    that is flagged, that would take the square of the night's candidates.

    Parameters
    ----------
    at, pieces : position of the candidate, and its evidence instead
    totals : float64, shape (n_candidates,): log-odds of all, as in their verdicts
    reference, policy : as for `decide`
    has_content : whether the log carried this candidate's prompts
    members : as for `decide`
    """
    pieces = weighed(pieces, policy)
    totals = totals.copy()
    totals[at] = sum(piece.log_odds for piece in pieces)
    has_history, threshold, p_values = _tested(totals, reference, policy, members)
    hypotheses = p_values[_heads(totals, members)]
    discovered = p_values[at] <= rejection_line(hypotheses, policy.false_discovery_rate)
    return _verdict(
        pieces, float(totals[at]), float(p_values[at]), bool(discovered and totals[at] >= threshold),
        readable=has_content and "content" not in policy.leave_out,
        threshold=threshold, has_history=has_history, policy=policy,
    )  # fmt: skip


TAINTED = 0.1
"""A community is no reference when this share of its accounts is suspect: one in ten is more than chance and
bystanders bring together."""


def _tested(
    totals: Float64, reference: Float64, policy: Policy, members: Memberships | None
) -> tuple[bool, float, Float64]:
    """Whether earlier nights serve as the reference, the log-odds asked for, and the p-values."""
    has_history = len(reference) >= policy.least_reference
    threshold = policy.least_log_odds if has_history else policy.first_night_log_odds
    # On a first night what would convict anyway, and parts of it, cannot be what innocence looks like.
    if not has_history:
        innocent = (totals < threshold) & ~_is_tainted(members, totals >= threshold)
        reference = totals[innocent & _heads(totals, members)]
    return has_history, threshold, tail_p_values(totals, reference)


def _is_tainted(members: Memberships | None, convicts: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which candidates share a tenth of their accounts with those that would be convicted."""
    if members is None or not convicts.any():
        return np.zeros(len(convicts), dtype=np.bool_)
    suspect = np.asarray(members.matrix[convicts].sum(axis=0)).ravel() > 0
    n_suspect = members.matrix @ suspect.astype(np.int64)
    return np.asarray(n_suspect >= TAINTED * members.sizes)


def _heads(totals: Float64, members: Memberships | None) -> npt.NDArray[np.bool_]:
    return np.ones(len(totals), dtype=np.bool_) if members is None else members.heads(totals)


def _verdict(
    pieces: list[Evidence],
    total: float,
    p_value: float,
    stands_out: bool,
    *,
    readable: bool,
    threshold: float,
    has_history: bool,
    policy: Policy,
) -> Verdict:
    families = supporting_families(pieces, policy)
    enough = len(families) >= 2 and ("content" in families or not readable)
    confidence = _confidence(total, len(families), policy)
    return Verdict(
        log_odds=total,
        score=float(1 / (1 + np.exp(-(total - threshold)))),
        p_value=p_value,
        families=families,
        flagged=stands_out and enough,
        confidence=confidence,
        recommended_action=_action(confidence, policy, has_history),
    )


def weighed(pieces: list[Evidence], policy: Policy) -> list[Evidence]:
    """The pieces of the families that the policy does not leave out, and what those have in common."""
    if not policy.leave_out:
        return pieces
    return summed_up(
        [piece for piece in pieces if piece.family not in policy.leave_out and piece.family != COMMON]
    )


def supporting_families(pieces: list[Evidence], policy: Policy) -> tuple[str, ...]:
    """Families whose pieces together reach the policy's log-odds, in the order they first appear."""
    sums: dict[str, float] = {}
    for piece in weighed(pieces, policy):
        sums[piece.family] = sums.get(piece.family, 0.0) + piece.log_odds
    return tuple(family for family, total in sums.items() if total >= policy.family_log_odds)


TAIL_FROM = 1.0
"""Log-odds from which the tail of benign communities is looked at. Below it lies their bulk, whose shape is
no exponential: most that look like something at all reach two, and would make the tail seem endless."""

MOST_SCALE = 1.5
"""Thickest tail that a reference is believed to have. Evidence is counted in log-odds, so the scale should be
one. What seems to make it thicker than half as much again is more likely campaigns that were not flagged:
believed, each of them would hide the next ones, and after a week nothing would be found at all."""

PRIOR_WEIGHT = 10.0
"""Pseudo-observations behind the prior of the tail: as many as the candidates of one quiet night."""


def tail_p_values(values: Float64, reference: Float64) -> Float64:
    """Upper-tail probability of each value for a benign community.

    Log-odds that were exactly log-likelihood ratios would exceed t under the null with probability exp(-t) at
    most (Markov's inequality). Ours are not exact, so the tail is checked against the reference: how many
    benign communities reach above TAIL_FROM, and how far beyond it (peaks over a threshold, exponential
    excess; Coles, An Introduction to Statistical Modeling of Extreme Values, 2001, chapter 4). Both start
    from the bound (exp(-TAIL_FROM) / 2 above it, scale one) with the weight of PRIOR_WEIGHT observations; the
    scale stays between one and MOST_SCALE. The median excess, not the mean, sets it: a campaign missed on an
    earlier night must not widen its own null. Values up to TAIL_FROM have p-value 1.
    """
    excess = reference[reference > TAIL_FROM] - TAIL_FROM
    prior_above = PRIOR_WEIGHT * np.exp(-TAIL_FROM) / 2
    probability_above = (len(excess) + prior_above) / (len(reference) + PRIOR_WEIGHT)
    observed_scale = float(np.median(excess)) / np.log(2) if len(excess) else 1.0
    observed_scale = min(max(observed_scale, 1.0), MOST_SCALE)
    scale = (len(excess) * observed_scale + PRIOR_WEIGHT) / (len(excess) + PRIOR_WEIGHT)
    beyond = np.maximum(values - TAIL_FROM, 0)
    return np.asarray(np.where(values > TAIL_FROM, probability_above * np.exp(-beyond / scale), 1.0))


def rejection_line(p_values: Float64, rate: float) -> float:
    """The line up to which p-values are rejected at this false-discovery rate: rate * k / n for the k of n
    hypotheses that are (Benjamini-Hochberg); -1 where none is."""
    n = len(p_values)
    passed = np.flatnonzero(np.sort(p_values) <= rate * np.arange(1, n + 1) / max(n, 1))
    return rate * float(passed[-1] + 1) / n if len(passed) else -1.0


def _confidence(log_odds: float, n_families: int, policy: Policy) -> str:
    if log_odds >= policy.high_log_odds and n_families >= 3:
        return "high"
    if log_odds >= policy.medium_log_odds and n_families >= 2:
        return "medium"
    return "low"


def _action(confidence: str, policy: Policy, has_history: bool) -> str:
    """The policy's step for the confidence; softer while there is no history."""
    step = {"low": policy.low_action, "medium": policy.medium_action, "high": policy.high_action}[confidence]
    softer = 0 if has_history else policy.first_night_softer
    return LADDER[max(LADDER.index(step) - softer, 0)]
