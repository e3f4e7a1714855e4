"""Ties of fragments: the same accounts hold both families, and wording or contract agree.

Here: from the accounts of families that are tied already to further evidence. Not here: those ties (wording,
contract).
"""

import numpy as np

from detector.text.ties.holdings import (
    MOST_ACCOUNTS,
    MOST_HELD,
    Ints,
    distinct,
    n_common,
    n_segments,
    numbered,
)
from detector.text.ties.table import KINDS, Ties, excess_over_chance, kept_ties

_BUSY = 2.0
"""Accounts that use one template use another more often than by chance: some are busier than others."""

_LEAST_COMMON = 3
"""Two accounts with the same two families are a chance or a household."""


def fragment_ties(accounts: Ints, account_starts: Ints, support: Ties) -> Ties:
    """Tie families that the same accounts hold, where wording or contract agree: a rewriter's fragments.

    Parameters
    ----------
    accounts, account_starts : as for `wording_ties`
    support : ties of kind contract and wording; only pairs tied so are looked at, so that a busy account, or
        a thousand of them, adds no pair

    Returns
    -------
    Ties of kind fragments: how far the number of common accounts exceeds twice what two families of these
    sizes share when accounts choose freely, as the log ratio of two Poisson laws.
    """
    n = n_segments(account_starts, len(accounts))
    agreeing = np.isin(support.kind, (KINDS.index("contract"), KINDS.index("wording")))
    pairs = np.unique(support.first[agreeing] * n + support.second[agreeing])
    if len(pairs) == 0:
        return Ties.none()
    family = np.repeat(np.arange(n), np.diff(account_starts))
    account, n_held = numbered(accounts)
    telling = n_held[account] <= MOST_HELD
    family, account = distinct(family[telling], account[telling], MOST_ACCOUNTS)
    starts = np.searchsorted(family, np.arange(n + 1))
    size = np.diff(starts)
    held = np.bincount(account)
    first, second = pairs // n, pairs % n
    common = n_common(account, starts, first, second).astype(np.float64)
    by_chance = np.maximum(_BUSY * size[first] * size[second] / max(len(held), 1), 0.5)
    strength = np.where(common >= _LEAST_COMMON, excess_over_chance(common, by_chance), 0.0)
    return kept_ties("fragments", first, second, strength)
