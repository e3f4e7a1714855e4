"""How much an account behaves like a group rather than like the night.

Here: behaviours in coarse bins, habits in steps, and their say in membership. Not here: what accounts share
(refining), classes of accounts by their habits (habits).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from detector.campaigns.population import Float64, Int64, Population
from detector.campaigns.shares import lower_share

Bins = npt.NDArray[np.int8]

SENT_AGAIN = ((0.1, 0.0), (0.5, -6.0))
"""Share of an account's requests whose item it surely sent on an earlier night, and what that says against
its being a harvest's: that pays for each answer once, and for half of them twice in one of 400 accounts at
most. Who sends the same items every night measures a model, with whosever text."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much an account behaves like a group rather than like the night, in log-odds.

    bins, habits : int8, shape (n_behaviours, n_accounts): coarse bin of each behaviour, and step of each
        habit (habits.in_steps); -1 when not known
    bin_shares, habit_shares : float64, shape (n_behaviours, N_BINS): smoothed share of the night's accounts
        in each bin
    repeats : float64, shape (n_accounts,), -6 to 0: log-odds against a harvest of what the account sent again
    """

    bins: Bins
    habits: Bins
    bin_shares: Float64
    habit_shares: Float64
    repeats: Float64

    MOST: ClassVar[float] = 1.0
    """Cap of each behaviour's say in membership: behaviour alone neither lets in nor keeps out."""

    N_BINS: ClassVar[int] = 9

    @classmethod
    def of(cls, population: Population) -> "Likeness":
        """Bin the night's behaviours once."""
        behaviours = (
            (population.single_turn_share, (0.2, 0.5, 0.8, 0.95)),
            (population.account_age_days, (7, 30, 90, 365)),
            (population.training_share, (0.05, 0.2, 0.5, 0.8)),
            (np.log2(population.n_requests + 1), (2, 3, 4, 5, 6, 8, 10)),
        )
        bins = np.array(
            [np.where(np.isfinite(values), np.digitize(values, edges), -1) for values, edges in behaviours],
            np.int8,
        )
        sent_again = lower_share(np.nan_to_num(population.repeat_share), population.n_requests)
        shares, log_odds = zip(*SENT_AGAIN, strict=True)
        repeats = np.interp(sent_again, shares, log_odds)
        habits = population.habits
        return cls(bins, habits, cls._shares(bins), cls._shares(habits), repeats)

    @classmethod
    def _shares(cls, bins: Bins) -> Float64:
        counts = _counts(bins, cls.N_BINS) + 1.0
        return np.asarray(counts / counts.sum(axis=1, keepdims=True))

    def log_odds(self, accounts: Int64, group: Int64) -> Float64:
        """For each of `accounts`: log-ratio of its behaviours inside the group against the whole night; less
        what it sends again, night after night, where the group does not. float64, shape of `accounts`.

        accounts, group : positions, none twice
        """
        again = np.minimum(self.repeats[accounts] - np.median(self.repeats[group]), 0.0)
        return self._alike(accounts, group) + again

    def against(self, members: Int64) -> Float64:
        """What speaks against each member of a group, in log-odds, at most 0; float64, shape of `members`.

        Two things: what it gained in `log_odds` by being there itself, for nobody vouches for himself; and
        its habits, where they say that it is none of the others. Habits are many, and only all of them
        together speak, and only against: an operator's accounts differ in one or two, who differs in most is
        somebody else. As evidence for membership they would let in whom a mixed group resembles.
        """
        by_itself = self._alike(members, members) - self._alike(members, members, apart=True)
        prior = PRIOR_ACCOUNTS * self.habit_shares
        unlike = _log_ratios(self.habits, self.habit_shares, prior, members, members, apart=True)
        return np.asarray(np.minimum(unlike.sum(axis=0), 0.0) - by_itself, np.float64)

    def _alike(self, accounts: Int64, group: Int64, *, apart: bool = False) -> Float64:
        prior = np.ones_like(self.bin_shares)
        ratio = _log_ratios(self.bins, self.bin_shares, prior, accounts, group, apart=apart)
        return np.asarray(np.clip(ratio, -self.MOST, self.MOST).sum(axis=0), np.float64)


PRIOR_ACCOUNTS = 2.0
"""Accounts like the night's that count beside a group's members when habits are compared. Where four members
do the same, which an eighth of the night does, the fifth is taken to do otherwise with a chance of 0.3."""


def _log_ratios(
    bins: Bins, everyone: Float64, prior: Float64, accounts: Int64, group: Int64, *, apart: bool
) -> Float64:
    """log of how much more common each account's bins are in the group than in the night; float64, shape
    (n_behaviours, len(accounts)), 0 where a bin is not known.

    everyone : float64, shape (n_behaviours, n_bins): share of the night's accounts in each bin
    prior : of that shape: accounts that count beside the members
    apart : compared with the others of the group, of which every account is one
    """
    counts, itself = _counts(bins[:, group], everyone.shape[1]), float(apart)
    inside = np.maximum(counts - itself, 0.0) + prior
    n = counts.sum(axis=1, keepdims=True) - itself + prior.sum(axis=1, keepdims=True)
    # One bin more, the last, for what is not known: -1 finds it.
    ratio = np.pad(np.log(inside / n / everyone), ((0, 0), (0, 1)))
    return np.asarray(ratio[np.arange(len(bins))[:, None], bins[:, accounts]], np.float64)


def _counts(bins: Bins, n_bins: int) -> Float64:
    """How many accounts are in each bin: float64, shape (n_behaviours, n_bins)."""
    counts = [np.bincount(row[row >= 0], minlength=n_bins) for row in bins]
    return np.array(counts, np.float64).reshape(len(bins), n_bins)
