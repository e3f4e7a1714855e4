"""What the use of a group's templates says against membership: how often, how many of them, since when.

Here: three log-odds, each at most zero: using a text as its operator's accounts do makes nobody one of them.
Not here: which texts are a group's, and what carrying them says (refining).
"""

import numpy as np

from detector.campaigns.population import Bool, Float64, Int64

MOST_SCARCITY = 6.0
"""Cap of what few uses say against membership, one to 400; a group of fifty says one to a hundred."""

ONE_MORE_BY_CHANCE = 0.3
"""Chance that an account which hit a stranger's text once by accident does so once more the same night."""


def scarcity(n_uses: Float64, is_member: Bool) -> Float64:
    """Log-odds against accounts that use the group's texts more rarely than its members do.

    Over a large night somebody always sends one request that reads like the template, and hardly anybody two;
    an operator's accounts work. The share of members with as few uses (smoothed) against the chance that a
    bystander comes to so many; at most 0, and 0 without members to compare with.

    Parameters
    ----------
    n_uses : float64, shape (n,): requests of each account that carried the group's texts
    is_member : bool, shape (n,): accounts whose numbers are the measure
    """
    usual = np.sort(n_uses[is_member])
    if len(usual) == 0:
        return np.zeros(len(n_uses))
    as_few = np.log((np.searchsorted(usual, n_uses, "right") + 0.5) / (len(usual) + 0.5))
    by_chance = np.log(ONE_MORE_BY_CHANCE) * np.maximum(n_uses - 1, 0)
    return np.asarray(np.clip(as_few - by_chance, -MOST_SCARCITY, 0.0))


MOST_TEXTS = 8
"""Texts from which more say no more: who uses eight of a group's uses them all, for all one knows."""

LIKE_ALL = 10.0
"""Accounts' weight of the assumption that members use as many texts as others do, against what is seen."""

MOST_NARROWNESS = 3.0
"""Cap of what few texts say against membership, one to twenty: lanes deal each account its own."""


def breadth(n_texts: Int64, is_member: Bool, of_strangers: Int64) -> Float64:
    """Log-odds against accounts that use fewer of a group's texts, or more, than its members do.

    An operator's accounts work off what he has, and who met one of his texts by chance or by fashion has that
    one. The share of members with as many texts against that of strangers who use any (both smoothed). At
    most 0: that a stranger uses as many makes him no member; and 0 without members and strangers to compare.

    Parameters
    ----------
    n_texts : int64, shape (n,): different texts of the group that each account used tonight; 0 says nothing
    is_member : bool, shape (n,): accounts whose numbers are the measure
    of_strangers : int64, shape (n_strangers,): the same number of everybody else who used any
    """
    some, n = n_texts > 0, np.minimum(n_texts, MOST_TEXTS)
    inside = np.bincount(n[some & is_member], minlength=MOST_TEXTS + 1)
    outside = np.bincount(np.minimum(of_strangers, MOST_TEXTS), minlength=MOST_TEXTS + 1)
    if inside.sum() == 0 or outside.sum() == 0:
        return np.zeros(len(n_texts))
    usual = LIKE_ALL * (inside + outside + 1e-9) / (inside + outside + 1e-9).sum()
    ratio = np.log((inside + usual) / (inside.sum() + LIKE_ALL)) - np.log(
        (outside + usual) / (outside.sum() + LIKE_ALL)
    )
    return np.where(some, np.clip(ratio, -MOST_NARROWNESS, 0.0)[n], 0.0)


MOST_NOVELTY = 3.0
"""Cap of what a first use says against membership, one to twenty: pools are renewed, and with accounts that
were kept warm before."""


def novelty(used_before: Bool, seen_before: Bool, is_member: Bool) -> Float64:
    """Log-odds against accounts that were here on earlier nights, and use the group's texts for the first
    time tonight.

    Who works with a text did so before; who tries it, or hits upon it by accident, mostly did not. The share
    of the members of earlier nights that are as new to it (smoothed); at most 0, and 0 for newcomers, of whom
    nothing could be known.

    Parameters
    ----------
    used_before : bool, shape (n,): accounts that used one of the texts on an earlier night
    seen_before : bool, shape (n,): accounts that sent anything on an earlier night
    is_member : bool, shape (n,): accounts whose share is the measure
    """
    is_new = seen_before & ~used_before
    share = ((is_new & is_member).sum() + 0.5) / ((seen_before & is_member).sum() + 0.5)
    return np.where(is_new, max(float(np.log(share)), -MOST_NOVELTY), 0.0)
