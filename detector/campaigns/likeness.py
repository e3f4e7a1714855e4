"""How much an account behaves like a group rather than like the night.

Here: behaviours in coarse bins, and their say in membership. Not here: what accounts share (refining).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detector.campaigns.population import Float64, Int64, Population
from detector.campaigns.shares import lower_share

SENT_AGAIN = ((0.1, 0.0), (0.5, -6.0))
"""Share of an account's requests whose item it surely sent on an earlier night, and what that says against
its being a harvest's: that pays for each answer once, and for half of them twice in one of 400 accounts at
most. Who sends the same items every night measures a model, with whosever text."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much an account behaves like a group rather than like the night, in log-odds.

    bins : int64, shape (n_behaviours, n_accounts): coarse bin of each behaviour, -1 when not known
    frequency : float64, shape (n_behaviours, n_bins): smoothed share of the night's accounts in each bin
    repeats : float64, shape (n_accounts,), -6 to 0: log-odds against a harvest of what the account sent again
    """

    bins: Int64
    frequency: Float64
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
            [np.where(np.isfinite(values), np.digitize(values, edges), -1) for values, edges in behaviours]
        )
        counts = np.array([np.bincount(row[row >= 0], minlength=cls.N_BINS) + 1.0 for row in bins])
        sent_again = lower_share(np.nan_to_num(population.repeat_share), population.n_requests)
        shares, log_odds = zip(*SENT_AGAIN, strict=True)
        repeats = np.interp(sent_again, shares, log_odds)
        return cls(bins, counts / counts.sum(axis=1, keepdims=True), repeats)

    def log_odds(self, accounts: Int64, group: Int64) -> Float64:
        """For each of `accounts`: log-ratio of its behaviours inside the group against the whole night; less
        what it sends again, night after night, where the group does not."""
        total = np.zeros(len(accounts))
        for row, everyone in zip(self.bins, self.frequency, strict=True):
            inside = np.bincount(row[group][row[group] >= 0], minlength=self.N_BINS) + 1.0
            points = np.clip(np.log(inside / inside.sum() / everyone), -self.MOST, self.MOST)
            mine = row[accounts]
            total += np.where(mine >= 0, points[mine], 0.0)
        return total + np.minimum(self.repeats[accounts] - np.median(self.repeats[group]), 0.0)
