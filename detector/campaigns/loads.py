"""Whether loads look dealt out: requests per account of one night.

Here: arithmetic on loads alone. Not here: whose loads they are (schedule), what even loads are
evidence of (evidence).
"""

import numpy as np
from scipy import special

from detector.campaigns.population import Float64, Int64

ALIKE = 1e-4
"""Level at which the loads of two parts are found to differ: there are many pairs, and a part of a team would
be taken for another operator."""

NEARLY_EQUAL = 0.15
"""Loads that differ by less, relative to the smaller, are the same load dealt on a busier or slower day."""

BY_CHOICE = 2.0
"""Requests by which loads may differ since the accounts were chosen by a text: who sends more is likelier to
have sent any one of them. Of loads dealt at random those who sent a text exceed those who did not by
m / (1 - exp(-m)) in the mean, where m is how often it is sent: by 1 where that is seldom, by 2 at m = 1.6."""

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
    least, most = sorted((one.mean(), other.mean()))
    if most - least <= max(NEARLY_EQUAL * least, BY_CHOICE):
        return True
    # Counts that a scheduler makes equal have no variance of their own; chance has that of a Poisson count.
    variance = max(one.var(), one.mean()) / len(one) + max(other.var(), other.mean()) / len(other)
    return bool(2 * special.ndtr(-abs(one.mean() - other.mean()) / np.sqrt(variance)) > ALIKE)


def is_counted(n: Float64) -> bool:
    """Whether a scheduler counts these loads out: they vary less than dealing at random would make them. As
    many accounts as could show it by chance are too few to say so."""
    trimmed = _trimmed(n)
    if len(trimmed) < LEAST_COUNTED or trimmed.mean() < 2:
        return False
    dispersion = (len(trimmed) - 1) * trimmed.var(ddof=1) / trimmed.mean()
    return bool(special.chdtr(len(trimmed) - 1, dispersion) <= ALIKE)


LEAST_COUNTED = 10
"""Accounts from which the spread of their loads is known."""


def is_sum(both: Float64, one: Float64, other: Float64) -> bool:
    """Whether one set of loads may be those of two others together, none of them empty."""
    both, one, other = _trimmed(both), _trimmed(one), _trimmed(other)
    total = one.mean() + other.mean()
    if abs(both.mean() - total) <= NEARLY_EQUAL * min(one.mean(), other.mean()):
        return True
    variance = sum(max(n.var(), n.mean()) / len(n) for n in (both, one, other))
    return bool(2 * special.ndtr(-abs(both.mean() - total) / np.sqrt(variance)) > ALIKE)


STEP = 2.0
"""Standard deviations, of dealing at random, between one load and the next larger from which two quotas lie
between, if they differ by more than busy and slow days make of one."""


def quotas(n: Float64, least: int) -> Int64:
    """Which of several quotas each account was given, by number; -1 for none, and for all where there is one.

    A quota is a set of `least` accounts or more whose loads vary no more than dealing at random would make
    them, with nobody near: people's loads have no such steps.

    n : float64, shape (n,): requests per account
    """
    order = np.argsort(n, kind="stable")
    ascending = n[order]
    below = ascending[:-1]
    is_step = ascending[1:] - below > np.maximum(NEARLY_EQUAL * below, STEP * np.sqrt(below))
    step = np.concatenate([[0], np.cumsum(is_step)])[: len(n)]
    found = np.full(len(n), -1, np.int64)
    for number in np.unique(step):
        mine = order[step == number]
        if len(mine) >= least and n[mine].var() <= n[mine].mean():
            found[mine] = number
    return found if len(np.unique(found[found >= 0])) > 1 else np.full(len(n), -1, np.int64)


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
