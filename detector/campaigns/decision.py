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
from detector.campaigns.lasting import Nights
from detector.campaigns.memberships import Memberships

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

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

    several_nights: int = 3
    """Nights from which on a group is also judged by the mean of its evidence. What brings innocent people
    together for a night or two, a fashion, an hour of sign-ups, an outage, is over by then."""

    mean_log_odds: float = 4.5
    """What that mean must reach: odds of 90, night after night. Less than for one night, for what a night
    adds by chance averages out, for campaigns and for everybody they are compared with."""

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
    n_nights: int
    """nights on which it was judged, with tonight"""
    mean_log_odds: float
    """of these nights"""
    by_nights: bool
    """whether tonight alone does not suffice, and the mean of these nights does"""
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
    nights: Nights | None = None,
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
    nights : what earlier nights said of the same candidates, and of innocent ones; None where that is not
        known

    Returns
    -------
    One verdict per candidate, by the evidence that the policy weighs. p-values come from a tail fitted to the
        reference: benign communities number dozens, and the plain rank of a candidate among them could never
        pass a false-discovery rate over many. Tonight's evidence is tested, and so is its mean over several
        nights (lasting); either suffices.

    Source: Benjamini, Hochberg, J. R. Stat. Soc. B 57 (1995) 289.
    """
    evidence = [weighed(pieces, policy) for pieces in evidence]
    totals = np.array([sum(piece.log_odds for piece in pieces) for pieces in evidence])
    readable = np.asarray(has_content, dtype=np.bool_) & ("content" not in policy.leave_out)
    can_read = np.broadcast_to(readable, len(evidence)).tolist()
    tested = _tested(totals, reference, nights or Nights.unknown(len(evidence)), policy, members)
    return [
        tested.verdict(at, pieces, readable=has_text, policy=policy)
        for at, (pieces, has_text) in enumerate(zip(evidence, can_read, strict=True))
    ]


def decide_again(
    at: int,
    pieces: list[Evidence],
    totals: Float64,
    reference: Float64,
    *,
    has_content: bool,
    policy: Policy,
    members: Memberships | None = None,
    nights: Nights | None = None,
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
    nights : as for `decide`, of the candidates as they are: what the other evidence changes tonight, it would
        have changed on the nights before as well
    """
    pieces = weighed(pieces, policy)
    nights = nights or Nights.unknown(len(totals))
    had = sum(piece.log_odds for piece in pieces)
    nights = nights.had_one_been(at, had - float(totals[at]))
    totals = totals.copy()
    totals[at] = had
    readable = has_content and "content" not in policy.leave_out
    return _tested(totals, reference, nights, policy, members).verdict(
        at, pieces, readable=readable, policy=policy
    )


TAINTED = 0.1
"""A community is no reference when this share of its accounts is suspect: one in ten is more than chance and
bystanders bring together."""


@dataclass(frozen=True, slots=True)
class _Tested:
    """n candidates beside one another; arrays of shape (n,).

    has_history : whether earlier nights serve as the reference; threshold : the log-odds asked for tonight
    totals, p_values, stands_out : tonight; n_nights, means, mean_p_values, lasts : on all nights
    """

    has_history: bool
    threshold: float
    totals: Float64
    p_values: Float64
    stands_out: Bool
    n_nights: Int64
    means: Float64
    mean_p_values: Float64
    lasts: Bool

    def verdict(self, at: int, pieces: list[Evidence], *, readable: bool, policy: Policy) -> Verdict:
        """What follows for one of them, by its evidence."""
        families = supporting_families(pieces, policy)
        enough = len(families) >= 2 and ("content" in families or not readable)
        total, mean = float(self.totals[at]), float(self.means[at])
        confidence = _confidence(total, len(families), policy)
        by_nights = bool(self.lasts[at] and not self.stands_out[at])
        beyond = mean - policy.mean_log_odds if by_nights else total - self.threshold
        return Verdict(
            log_odds=total,
            score=float(1 / (1 + np.exp(-beyond))),
            p_value=float(self.mean_p_values[at] if by_nights else self.p_values[at]),
            n_nights=int(self.n_nights[at]),
            mean_log_odds=mean,
            by_nights=by_nights,
            families=families,
            flagged=bool(self.stands_out[at] or self.lasts[at]) and enough,
            confidence=confidence,
            recommended_action=_action(confidence, policy, self.has_history),
        )


def _tested(
    totals: Float64, reference: Float64, nights: Nights, policy: Policy, members: Memberships | None
) -> _Tested:
    has_history = len(reference) >= policy.least_reference
    threshold = policy.least_log_odds if has_history else policy.first_night_log_odds
    # On a first night what would convict anyway, and parts of it, cannot be what innocence looks like.
    if not has_history:
        innocent = (totals < threshold) & ~_is_tainted(members, totals >= threshold)
        reference = totals[innocent & _heads(totals, members)]
    p_values = tail_p_values(totals, reference)
    line = rejection_line(p_values[_heads(totals, members)], policy.false_discovery_rate)
    n_nights, means = nights.with_tonight(totals)
    mean_p_values, lasts = _lasting(n_nights, means, nights.usual_means, policy, members)
    return _Tested(
        has_history, threshold, totals, p_values, (p_values <= line) & (totals >= threshold),
        n_nights, means, mean_p_values, lasts,
    )  # fmt: skip


def _lasting(
    n_nights: Int64, means: Float64, usual: Float64, policy: Policy, members: Memberships | None
) -> tuple[Float64, Bool]:
    """p-values of the means of several nights, 1 where there are fewer, and which of them stand out: none
    before enough innocent ones have been seen as often."""
    judged = n_nights >= policy.several_nights
    if len(usual) < policy.least_reference or not judged.any():
        return np.ones(len(means)), np.zeros(len(means), np.bool_)
    p_values = np.where(judged, tail_p_values(means, usual), 1.0)
    heads = _heads(np.where(judged, means, -np.inf), members)
    line = rejection_line(p_values[judged & heads], policy.false_discovery_rate)
    return p_values, judged & (p_values <= line) & (means >= policy.mean_log_odds)


def _is_tainted(members: Memberships | None, convicts: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which candidates share a tenth of their accounts with those that would be convicted."""
    if members is None or not convicts.any():
        return np.zeros(len(convicts), dtype=np.bool_)
    suspect = np.asarray(members.matrix[convicts].sum(axis=0)).ravel() > 0
    n_suspect = members.matrix @ suspect.astype(np.int64)
    return np.asarray(n_suspect >= TAINTED * members.sizes)


def _heads(totals: Float64, members: Memberships | None) -> npt.NDArray[np.bool_]:
    return np.ones(len(totals), dtype=np.bool_) if members is None else members.heads(totals)


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
