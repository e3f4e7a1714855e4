"""How far a night lies from the nights before it: one question for hours of the day and for capabilities.

Here: one distance between two tables of counts. Not here: which counts (pipelines.features), what a large
distance means (timing.FEATURES, targeting.FEATURES).
"""

import numpy as np
import numpy.typing as npt

from detector.features.grouping import Float64

LEAST_COUNTED = 20
"""Fewer counts than this, on either side, show no habit: their shares move by 5 points with a single one."""

Counts = npt.NDArray[np.integer] | Float64


def shift_bits(tonight: Counts, earlier: Counts) -> Float64:
    """Jensen-Shannon divergence of each account's counts from those of earlier nights, less what chance
    gives.

    Parameters
    ----------
    tonight, earlier : shape (n_accounts, n_kinds), counts, 0 up; earlier nights added up

    Returns
    -------
    float64, shape (n_accounts,), bits, 0 to 1: 0 is the same mix, or no more apart than two samples of one
        mix would be on average; 1 is nothing in common. NaN where either side holds fewer than 20 counts.

    Raises
    ------
    ValueError : the two differ in shape.

    The correction is the expectation for two samples of one mix, to second order: with k kinds in use and
    samples of n and m, (k - 1) (1/n + 1/m) / (8 ln 2) bits. It takes counts for independent: an account whose
    requests come in bursts keeps some distance from itself, which is why the number has no suspicious
    direction.

    Source: Lin, IEEE Trans. Inf. Theory 37 (1991) 145, with equal weights.
    """
    if tonight.shape != earlier.shape:
        raise ValueError("tonight and earlier nights must count the same kinds of the same accounts")
    n, m = tonight.sum(axis=1, dtype=np.float64), earlier.sum(axis=1, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q = tonight / n[:, None], earlier / m[:, None]
        apart = _entropy_bits((p + q) / 2) - (_entropy_bits(p) + _entropy_bits(q)) / 2
        n_kinds = np.count_nonzero((tonight > 0) | (earlier > 0), axis=1)
        by_chance = (n_kinds - 1) * (1 / n + 1 / m) / (8 * np.log(2))
        bits = np.clip(apart - by_chance, 0.0, 1.0)
    return np.where(np.minimum(n, m) >= LEAST_COUNTED, bits, np.nan)


def _entropy_bits(shares: Float64) -> Float64:
    with np.errstate(divide="ignore", invalid="ignore"):
        # an empty kind adds nothing: x log x goes to 0 with x
        return np.asarray(np.where(shares > 0, -shares * np.log2(shares), 0.0).sum(axis=1), np.float64)
