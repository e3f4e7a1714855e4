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


def by_unit(parts: Counts, wholes: Counts, strata: Counts | None = None) -> Interval:
    """Bootstrap percentiles of sum(parts) / sum(wholes), drawing whole units with replacement.

    Accounts of one campaign are caught or missed together, seats of one organisation are wronged
    together: drawing accounts one by one would make a handful of campaigns look like thousands of proofs.

    Parameters
    ----------
    parts, wholes : int64, shape (n,); per unit, 0 <= parts <= wholes; a unit with nothing in it is drawn, too
    strata : int64, shape (n,); units are drawn among those of their own stratum, as many as there are: a
        world has as many campaigns as it has, and as many innocent. One stratum where absent.

    Returns
    -------
    The 2.5th and 97.5th percentile. Where every unit is wholly right, or every one wholly wrong, no draw
    differs from another; the exact interval over units stands in, for three campaigns found whole prove
    no more than three of three.
    """
    counted = wholes > 0
    if not counted.any():
        return NOTHING
    if (parts == wholes).all() or not parts.any():
        n = int(counted.sum())
        return exact(n if parts.any() else 0, n)
    rng = np.random.default_rng(_SEED)
    drawn = np.zeros((_REPLICATES, 2))
    strata = np.zeros(len(wholes), np.int64) if strata is None else strata
    for stratum in np.unique(strata):
        ours = strata == stratum
        both = np.column_stack([parts[ours & counted], wholes[ours & counted]])
        drawn += _draws(rng, int(ours.sum()), len(both)) @ both
    shares = drawn[drawn[:, 1] > 0]
    low, high = np.quantile(shares[:, 0] / shares[:, 1], [_ALPHA / 2, 1 - _ALPHA / 2])
    return Interval(float(low), float(high))


def _draws(rng: np.random.Generator, n_units: int, n_counted: int) -> Counts:
    """How often each unit that counts is drawn, the others thrown together; (replicates, n_counted)."""
    chances = np.full(n_counted + 1, 1 / n_units)
    chances[-1] = max(1 - n_counted / n_units, 0)
    return rng.multinomial(n_units, chances, size=_REPLICATES)[:, :-1]


def mean_of_units(values: npt.NDArray[np.float64]) -> Interval:
    """Bootstrap percentiles of a mean over independent units; fewer than two tell no spread: null."""
    if len(values) < 2:
        return NOTHING
    places = np.random.default_rng(_SEED).integers(0, len(values), size=(_REPLICATES, len(values)))
    low, high = np.quantile(values[places].mean(axis=1), [_ALPHA / 2, 1 - _ALPHA / 2])
    return Interval(float(low), float(high))
