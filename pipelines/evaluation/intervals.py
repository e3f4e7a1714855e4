"""How sure a share is: intervals for counts, and for ratios whose parts hang together.

Here: Wilson and Clopper-Pearson intervals, and a bootstrap over whole units. Not here: what is counted.

All intervals are two-sided and hold in 95 % of worlds: of 0 wronged among 40,000 the exact upper bound is
92 per million, not 0.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

_ALPHA = 0.05
_Z = 1.959963984540054  # of the normal distribution, at 1 - alpha / 2
_REPLICATES = 2_000
_SEED = 20_260_302  # the same figures from the same findings, whoever asks

Counts = npt.NDArray[np.int64]


class Interval(NamedTuple):
    """Bounds of a share, each 0 to 1; both null where there is nothing to divide by."""

    low: float | None
    high: float | None


NOTHING = Interval(None, None)


def exact(part: int, whole: int) -> Interval:
    """Clopper-Pearson: never covers less often than it says, at any size.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404.
    """
    if whole == 0:
        return NOTHING
    low = beta.ppf(_ALPHA / 2, part, whole - part + 1) if part else 0.0
    high = beta.ppf(1 - _ALPHA / 2, part + 1, whole - part) if part < whole else 1.0
    return Interval(float(low), float(high))


def wilson(part: int, whole: int) -> Interval:
    """The score interval: close to its level also for a handful of campaigns.

    Source: Wilson, Journal of the American Statistical Association 22 (1927) 209.
    """
    if whole == 0:
        return NOTHING
    share, z2 = part / whole, _Z * _Z
    middle = share + z2 / (2 * whole)
    spread = _Z * math.sqrt(share * (1 - share) / whole + z2 / (4 * whole * whole))
    scale = 1 + z2 / whole
    low, high = (middle - spread) / scale, (middle + spread) / scale
    # At the ends the formula is exact but for rounding, and 1e-17 in a report reads like a finding.
    return Interval(0.0 if part == 0 else low, 1.0 if part == whole else high)


def by_unit(parts: Counts, wholes: Counts, n_units: int | None = None) -> Interval:
    """Bootstrap percentiles of sum(parts) / sum(wholes), drawing whole units with replacement.

    Accounts of one campaign are caught or missed together, seats of one organisation are wronged
    together: drawing accounts one by one would make a handful of campaigns look like thousands of proofs.

    Parameters
    ----------
    parts, wholes : int64, shape (n,); per unit, 0 <= parts <= wholes
    n_units : units in all, counting those that have nothing in either; they are drawn too. At least n.

    Returns
    -------
    The 2.5th and 97.5th percentile. Where every unit is wholly right, or every one wholly wrong, no draw
    differs from another; the exact interval over units stands in, for three campaigns found whole prove
    no more than three of three.
    """
    counted = wholes > 0
    parts, wholes = parts[counted], wholes[counted]
    if not len(wholes):
        return NOTHING
    if (parts == wholes).all() or (parts == 0).all():
        return exact(len(wholes) if parts.any() else 0, len(wholes))
    n_units = max(n_units or 0, len(wholes))
    chances = np.full(len(wholes) + 1, 1 / n_units)
    chances[-1] = 1 - len(wholes) / n_units
    draws = np.random.default_rng(_SEED).multinomial(n_units, chances, size=_REPLICATES)[:, :-1]
    totals = draws @ wholes
    shares = (draws @ parts)[totals > 0] / totals[totals > 0]
    low, high = np.quantile(shares, [_ALPHA / 2, 1 - _ALPHA / 2])
    return Interval(float(low), float(high))


def mean_of_units(values: npt.NDArray[np.float64]) -> Interval:
    """Bootstrap percentiles of a mean over independent units; null for fewer than two, which tell no spread."""
    if len(values) < 2:
        return NOTHING
    places = np.random.default_rng(_SEED).integers(0, len(values), size=(_REPLICATES, len(values)))
    low, high = np.quantile(values[places].mean(axis=1), [_ALPHA / 2, 1 - _ALPHA / 2])
    return Interval(float(low), float(high))
