"""Arithmetic of evidence: ramps, bounds, ranks, the shape of a day.

Here: small functions of numbers and arrays. Not here: what they measure, and how much it says (evidence).
"""

import math
from typing import Literal

import numpy as np

from detector.campaigns.group import LEAST_KNOWN, Group
from detector.campaigns.population import Float64


def ramp(value: float, *points: tuple[float, float]) -> float:
    """Piecewise linear through (value, log-odds) points, flat beyond the ends."""
    xs, ys = zip(*points, strict=True)
    return float(np.interp(value, xs, ys))


def any_known(values: Float64) -> bool:
    return bool(np.isfinite(values).any())


def requests_weighted(values: Float64, n_requests: Float64) -> float:
    """Mean over requests rather than accounts; NaN when nothing is known."""
    total, weight = _weighted_sums(values, n_requests)
    return total / weight if weight > 0 else float("nan")


def weighted_of_others(group: Group, values: Float64) -> float:
    """The same over all accounts of the night but the group's, given the night's values."""
    n_requests, members = group.population.n_requests, group.members
    total, weight = group.population.once.of("weighted sums", _weighted_sums, values, n_requests)
    less, lighter = _weighted_sums(values[members], n_requests[members])
    return (total - less) / (weight - lighter) if weight > lighter else float("nan")


def _weighted_sums(values: Float64, n_requests: Float64) -> tuple[float, float]:
    known = np.isfinite(values)
    return float((values[known] * n_requests[known]).sum()), float(n_requests[known].sum())


def trough(hours: Float64) -> float:
    """Mean of the quietest six hours over the mean hour: 1 is a machine's day, near 0 one time zone's."""
    return float(np.sort(hours)[:6].mean() / max(hours.mean(), 1e-9))


_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")

LEAST_RANKED = 5
"""Members below which nothing is said of how they rank among the others."""


def rank_probability(group: Group, values: Float64) -> float | None:
    """P(a member's value exceeds another account's), ties half (Mann-Whitney), as far above one half as so
    few members surely show (two standard errors); None if little is known."""
    mine = values[group.members]
    mine = np.sort(mine[np.isfinite(mine)])
    everyone = group.population.once.of("ranked", _ranked, values)
    n_rest = len(everyone) - len(mine)
    if len(mine) < max(LEAST_RANKED, LEAST_KNOWN * len(group.members)) or n_rest < 8:
        return None
    # The whole night is sorted once; what lies below among the others is that less what does among members.
    below, at_most = (
        np.searchsorted(everyone, mine, side) - np.searchsorted(mine, mine, side) for side in _SIDES
    )
    seen = float((below + at_most).sum() / (2 * n_rest * len(mine)))
    error = math.sqrt((1 / len(mine) + 1 / n_rest) / 12)
    return min(seen, max(seen - 2 * error, 0.5))


def _ranked(values: Float64) -> Float64:
    return np.sort(values[np.isfinite(values)])
