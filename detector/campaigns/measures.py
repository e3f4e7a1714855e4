"""Arithmetic of evidence: ramps, bounds, ranks, the shape of a day.

Here: small functions of numbers and arrays. Not here: what they measure, and how much it says (evidence).
"""

import math

import numpy as np

from detector.campaigns.group import LEAST_KNOWN
from detector.campaigns.population import Bool, Float64, Int64


def ramp(value: float, *points: tuple[float, float]) -> float:
    """Piecewise linear through (value, log-odds) points, flat beyond the ends."""
    xs, ys = zip(*points, strict=True)
    return float(np.interp(value, xs, ys))


def upper_share(share: float, n: float) -> float:
    """The most a share may be that was seen in n cases, two standard errors up (Wilson, JASA 22, 1927)."""
    z = 2.0
    middle = share + z**2 / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle + reach) / (1 + z**2 / n)


def lower_share(share: float, n: float) -> float:
    """The least a share may be that was seen in n cases, two standard errors down (Wilson, JASA 22, 1927)."""
    return 1.0 - upper_share(1.0 - share, n)


def any_known(values: Float64) -> bool:
    return bool(np.isfinite(values).any())


def requests_weighted(values: Float64, n_requests: Float64, chosen: Bool) -> float:
    """Mean over requests rather than accounts; NaN when nothing is known."""
    known = chosen & np.isfinite(values)
    weight = n_requests[known].sum()
    return float((values[known] * n_requests[known]).sum() / weight) if weight > 0 else float("nan")


def trough(hours: Float64) -> float:
    """Mean of the quietest six hours over the mean hour: 1 is a machine's day, near 0 one time zone's."""
    return float(np.sort(hours)[:6].mean() / max(hours.mean(), 1e-9))


LEAST_RANKED = 5
"""Members below which nothing is said of how they rank among the others."""


def rank_probability(values: Float64, members: Int64, others: Bool) -> float | None:
    """P(a member's value exceeds another account's), ties half (Mann-Whitney), as far above one half as so
    few members surely show (two standard errors); None if little is known."""
    mine = values[members]
    mine = mine[np.isfinite(mine)]
    rest = np.sort(values[others & np.isfinite(values)])
    if len(mine) < max(LEAST_RANKED, LEAST_KNOWN * len(members)) or len(rest) < 8:
        return None
    below = np.searchsorted(rest, mine, "left")
    at_most = np.searchsorted(rest, mine, "right")
    seen = float((below + at_most).sum() / (2 * len(rest) * len(mine)))
    error = math.sqrt((1 / len(mine) + 1 / len(rest)) / 12)
    return min(seen, max(seen - 2 * error, 0.5))
