"""Whether loads look dealt out: requests per account of one night.

Here: arithmetic on loads alone. Not here: whose loads they are (schedule), what even loads are
evidence of (evidence).
"""

import numpy as np
from scipy import special

from detector.campaigns.population import Float64

ALIKE = 1e-4
"""Level at which the loads of two parts are found to differ: there are many pairs, and a part of a team would
be taken for another operator."""

NEARLY_EQUAL = 0.15
"""Loads that differ by less, relative to the smaller, are the same load dealt on a busier or slower day."""

EVEN = 3.0
"""Variance of requests per account over their mean, up to which somebody seems to deal the load out: a
scheduler that counts has less than 1, dealing at random 1, people 5 and more."""


def is_dealt(n: Float64) -> bool:
    """Whether these loads, requests per account in any order, look dealt out, trimmed of the few accounts
    that were replaced or shut. Under two requests an account nothing looks dealt."""
    trimmed = _trimmed(n)
    return bool(len(trimmed) >= 2 and trimmed.mean() >= 2 and trimmed.var() <= EVEN * trimmed.mean())


def same_load(one: Float64, other: Float64) -> bool:
    """Whether two sets of accounts may have been dealt the same load, given requests per account in any
    order, one account or more each. Source: Welch, Biometrika 34 (1947) 28; normal in place of Student's."""
    one, other = _trimmed(one), _trimmed(other)
    if max(one.mean(), other.mean()) <= (1 + NEARLY_EQUAL) * min(one.mean(), other.mean()):
        return True
    # Counts that a scheduler makes equal have no variance of their own; chance has that of a Poisson count.
    variance = max(one.var(), one.mean()) / len(one) + max(other.var(), other.mean()) / len(other)
    return bool(2 * special.ndtr(-abs(one.mean() - other.mean()) / np.sqrt(variance)) > ALIKE)


FAR = 3.0
"""Times by which loads lie apart that no scheduler deals side by side, even or not."""


def far_apart(one: Float64, other: Float64) -> bool:
    """Whether every account of one set does several times as much as every account of the other, the few
    that were replaced or shut left aside. False where either set is empty."""
    if len(one) == 0 or len(other) == 0:
        return False
    one, other = _trimmed(one), _trimmed(other)
    return bool(one.min() >= FAR * other.max() or other.min() >= FAR * one.max())


def _trimmed(n: Float64) -> Float64:
    """Without the twentieth at either end."""
    cut = len(n) // 20
    return np.sort(n)[cut : len(n) - cut]
