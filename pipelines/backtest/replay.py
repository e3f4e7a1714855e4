"""Past nights judged anew, one after the other, by another policy.

Here: which verdicts would have been given, and what they do to the nights that follow. Not here: the rules
themselves (detector.campaigns.decide), what changed (comparison).

A night is judged against the innocent candidates of the nights before it, as in a scan: not flagged, below
the policy's threshold, and holding few accounts that were ever flagged or in anything that reached the
threshold (detector.campaigns.TAINTED, and the statement campaigns/reference). What the other policy would
have flagged on an earlier night counts there, not what was flagged: a policy that flags less leaves more in
its own reference. Nights that are not judged anew count as they were decided.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from detector import campaigns as detect
from detector.campaigns import TAINTED
from pipelines.backtest.history import Bool, History, Int64, Night
from pipelines.campaigns.judging import Innocent

MOSTLY = 0.5
"""Of two groups that share so much of one, that one is the other, or a part of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A candidate that would be published."""

    candidate: int
    verdict: detect.Verdict
    accounts: Int64


@dataclass(frozen=True, slots=True)
class Replayed:
    """One night by the other policy."""

    night: Night
    findings: tuple[Finding, ...]
    n_reference_nights: int
    """0 where the night has no history and is compared with itself"""


def replay(
    history: History, policy: detect.Policy, is_replayed: Callable[[Night], bool]
) -> tuple[Replayed, ...]:
    """The nights that are to be judged anew, oldest first, as this policy would have judged them.

    The false-discovery rate is kept among all of a night's candidates, so all are judged, flagged or not.
    """
    reference = Reference(history, policy)
    replayed = []
    for night in history.nights:
        if is_replayed(night):
            innocent = reference.before(night)
            evidence = [history.pieces.of(candidate) for candidate in night.candidates]
            can_read = history.has_content[_rows(night)]
            verdicts = detect.decide(
                evidence,
                innocent.log_odds,
                has_content=can_read.tolist(),
                policy=policy,
                members=detect.Memberships(history.members[_rows(night)]),
                nights=_nights(history, night, innocent, policy),
            )
            findings = _published(history, night, verdicts)
            has_history = len(innocent.log_odds) >= policy.least_reference
            replayed.append(Replayed(night, findings, innocent.n_nights if has_history else 0))
            reference.learn(
                night,
                np.array([verdict.flagged for verdict in verdicts], dtype=np.bool_),
                [night.alone, *(finding.accounts for finding in findings)],
            )
        else:
            recorded = [campaign.accounts for campaign in night.campaigns]
            reference.learn(night, history.flagged[_rows(night)], [night.alone, *recorded])
    return tuple(replayed)


def _nights(history: History, night: Night, innocent: Innocent, policy: detect.Policy) -> detect.Nights:
    """What the nights before said of a night's candidates, as its scan knew it."""
    if "history" in policy.leave_out:
        return detect.Nights.unknown(len(night.candidates))
    rows = _rows(night)
    return detect.Nights(history.earlier_log_odds[rows], history.n_nights[rows] - 1, innocent.means)


def _rows(night: Night) -> slice:
    return slice(night.candidates.start, night.candidates.stop)


class Reference:
    """What innocence looks like, as it grows night by night."""

    def __init__(self, history: History, policy: detect.Policy) -> None:
        self._log_odds = history.log_odds
        self._means = (history.earlier_log_odds + history.log_odds) / history.n_nights
        self._lasted = history.n_nights >= policy.several_nights
        self._by_row = history.members.tocsr()
        self._members = history.members.tocsc()
        self._n_members = np.asarray(history.members.sum(axis=1)).ravel()
        self._n_suspect = np.zeros(len(history.log_odds), dtype=np.int64)
        self._convicts = history.log_odds >= policy.least_log_odds
        self._quiet = ~self._convicts
        if "history" in policy.leave_out:
            self._quiet[:] = False
        self._night_of = np.zeros(len(history.log_odds), dtype=np.int64)
        for number, night in enumerate(history.nights):
            rows = _rows(night)
            self._night_of[rows] = number
            self._quiet[rows] &= detect.Memberships(history.members[rows]).heads(history.log_odds[rows])
        self._is_suspect = np.zeros(history.members.shape[1], dtype=np.bool_)
        self._suspect(np.setdiff1d(history.labelled, history.cleared))
        self._is_suspect[history.cleared] = True  # as if known already: they never taint a group

    def before(self, night: Night) -> Innocent:
        """Innocent candidates of earlier nights."""
        earlier = slice(0, night.candidates.start)
        tainted = self._n_suspect[earlier] >= TAINTED * self._n_members[earlier]
        innocent = np.flatnonzero(self._quiet[earlier] & ~tainted)
        return Innocent(
            self._log_odds[innocent],
            self._means[innocent[self._lasted[innocent]]],
            len(np.unique(self._night_of[innocent])),
        )

    def learn(self, night: Night, flagged: Bool, accounts: list[Int64]) -> None:
        """Remember what was flagged on a night, those candidates and these accounts, and who was in anything
        that reached the threshold."""
        self._quiet[_rows(night)] &= ~flagged
        convicts = np.zeros(len(self._log_odds), dtype=np.bool_)
        convicts[_rows(night)] = self._convicts[_rows(night)]
        self._suspect(np.unique(np.concatenate([*accounts, self._by_row[convicts].indices])))

    def _suspect(self, accounts: Int64) -> None:
        new = accounts[~self._is_suspect[accounts]]
        self._is_suspect[new] = True
        self._n_suspect += np.asarray(self._members[:, new].sum(axis=1)).ravel()


def _published(history: History, night: Night, verdicts: list[detect.Verdict]) -> tuple[Finding, ...]:
    """Of the candidates that are flagged, those that stand where they overlap.

    What the scan published stands when it is still flagged: the scan knew the loads that tell one
    operator from several, and a backtest does not. Of the others, the larger first, whatever is not for
    half a part of those before it.
    """
    published = {frozenset(campaign.accounts.tolist()) for campaign in night.campaigns}
    flagged = [
        Finding(candidate, verdict, history.accounts(candidate))
        for candidate, verdict in zip(night.candidates, verdicts, strict=True)
        if verdict.flagged
    ]
    stood = [history.flagged[f.candidate] and frozenset(f.accounts.tolist()) in published for f in flagged]
    kept = [finding for finding, stands in zip(flagged, stood, strict=True) if stands]
    others = [finding for finding, stands in zip(flagged, stood, strict=True) if not stands]
    for finding in sorted(others, key=lambda f: (-len(f.accounts), -f.verdict.log_odds, f.candidate)):
        taken = np.unique(np.concatenate([np.empty(0, np.int64), *(one.accounts for one in kept)]))
        if np.isin(finding.accounts, taken).sum() < MOSTLY * len(finding.accounts):
            kept.append(finding)
    return tuple(sorted(kept, key=lambda f: f.candidate))
