"""How much a value says that peers of earlier nights hardly ever show.

Here: the probability of a value among ordinary peers, and what it is worth as evidence. Not here: which
values are looked at (evidence).
"""

from dataclasses import dataclass, field

import numpy as np

from detector.models.base import Float64
from detector.models.lone.findings import Columns, Groups
from detector.models.scoring import MIN_PEERS

TAIL = 0.1
"""The highest tenth of the peers shows how fast the tail falls off, twenty of them at least."""

LEAST_TAIL = 20


@dataclass(frozen=True)
class Peers:
    """What is usual: values of ordinary accounts of earlier nights, or of tonight's on a first night.

    columns : float64 arrays of shape (n_reference,), NaN where unknown
    groups : shape (n_reference,), the peer group of each
    """

    columns: Columns
    groups: Groups
    _known: dict[tuple[str, object], Float64] = field(default_factory=dict)

    def of(self, name: str, group: object) -> Float64:
        """The known values of a group, ascending; of all groups where it has fewer than 50."""
        if (name, group) not in self._known:
            values = self.columns[name]
            known = np.isfinite(values)
            own = known & (self.groups == group)
            self._known[name, group] = np.sort(values[own if own.sum() >= MIN_PEERS else known])
        return self._known[name, group]


def tail_probability(values: Float64, reference: Float64, *, has_tail: bool) -> Float64:
    """Probability that an ordinary peer shows as much: float64, shape (n,), above 0 to 1; NaN for unknown.

    Parameters
    ----------
    values : float64, shape (n,)
    reference : float64, ascending, finite
    has_tail : whether values may lie ever further out, on a scale on which a tail falls off exponentially

    Up to the highest tenth of the reference it is the share that is at least as high, counting the account
    itself, which is valid whatever the distribution (a conformal p-value). Beyond, where shares get coarse,
    the tail goes on as an exponential one, with the median excess over its start as the scale: neither what
    was missed on earlier nights nor one odd customer may widen what everybody is judged by (peaks over a
    threshold; Coles, An Introduction to Statistical Modeling of Extreme Values, 2001, chapter 4). Whether
    evidence from such tails can be believed is checked on the totals of ordinary accounts (decision).
    """
    n = len(reference)
    at_least = n - np.searchsorted(reference, values, side="left")
    out = (1.0 + at_least) / (1.0 + n)
    n_tail = max(int(TAIL * n), LEAST_TAIL)
    if has_tail and n >= 2 * n_tail:
        start = reference[n - n_tail - 1]
        scale = float(np.median(reference[n - n_tail :] - start)) / np.log(2.0)
        if scale > 0:
            beyond = (1.0 + n_tail) / (1.0 + n) * np.exp(-np.maximum(values - start, 0.0) / scale)
            out = np.where(values > start, beyond, out)
    return np.asarray(np.where(np.isfinite(values), np.maximum(out, 1e-12), np.nan))


KEENNESS = 0.2
"""How far extractors stand out: half of them are among the most unusual 3 % of their peers (0.5 to the
power of 1 / 0.2). Massive volume in few areas is what marks them in every public report; one who is like
half of the customers in what he asks and in how much is not to be found by himself."""


def evidence_of(p_value: Float64) -> Float64:
    """Evidence against an ordinary account, as a factor: float64, shape (n,), 0.2 and up; NaN for unknown.

    k p^(k - 1), the density that p-values would have of whoever stands out as far as KEENNESS says, over
    the uniform one of ordinary accounts: a likelihood ratio. Whatever k is, its mean over ordinary accounts
    is 1 at most; so factors of independent observations multiply, and the mean of dependent ones is one
    again.

    Source: Vovk, Wang, E-values: calibration, combination and applications, Annals of Statistics 49 (2021)
    1736.
    """
    return np.asarray(KEENNESS * p_value ** (KEENNESS - 1.0), np.float64)


def log_odds_of_share(share: Float64) -> Float64:
    """A share on the scale on which tails fall off alike: ln(s / (1 - s)), kept finite by one request in 400,
    which is half of what the smallest account that is judged can show."""
    return np.asarray(np.log((share + 0.0025) / (1.0 - share + 0.0025)), np.float64)
