"""Evidence that lasts: what is judged on several nights, judged by their mean.

Here: what earlier nights said, and who stands out by the mean. Not here: what one night's evidence is worth
(evidence), how its own p-values are made and what follows (decision).

What an ordinary group or customer shows on its most unusual night it seldom shows on the next ones; a
campaign works every night. Nights of one group are no independent observations, so their log-odds are
averaged and never added: the mean of an innocent one has the same centre and a shorter tail, and may be
asked for less.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Nights:
    """What earlier nights said of n groups or accounts, and of innocent ones.

    total : float64, shape (n,): sum of the log-odds of the earlier nights on which each was judged
    n : int64, shape (n,): how many these were
    usual_means : float64: mean log-odds of innocent ones over as many nights as are asked for, or more
    """

    total: Float64
    n: Int64
    usual_means: Float64

    @classmethod
    def unknown(cls, n: int) -> "Nights":
        """For n that were never seen before."""
        return cls(np.zeros(n), np.zeros(n, np.int64), np.empty(0))

    def with_tonight(self, log_odds: Float64) -> tuple[Int64, Float64]:
        """Number of nights and their mean log-odds, int64 and float64, shape (n,), tonight's among them."""
        return self.n + 1, np.asarray((self.total + log_odds) / (self.n + 1), np.float64)

    def had_one_been(self, at: int, change: float) -> "Nights":
        """Had the evidence on one of them differed by so much, tonight and on every night before."""
        total = self.total.copy()
        total[at] += change * self.n[at]
        return Nights(total, self.n, self.usual_means)
