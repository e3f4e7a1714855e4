"""One scheduler or several? Who deals out work gives all accounts like loads.

Here: the loads of groups, whether a group is several operators', and which of overlapping groups stand. Not
here: parts by their texts (parts),
what even loads are evidence of (evidence).

Operators share texts, published ones above all, and one operator's teams have texts of their own. What tells
these apart is the load: one scheduler gives all its accounts about the same, and two do not agree by chance.
"""

from collections.abc import Sequence

import numpy as np
from scipy import special
from scipy.sparse import csr_matrix

from detector.campaigns.group import Group
from detector.campaigns.population import Float64, Int64

ALIKE = 1e-4
"""Level at which the loads of two parts are found to differ: there are many pairs, and a part of a team would
be taken for another operator."""

NEARLY_EQUAL = 0.15
"""Loads that differ by less, relative to the smaller, are the same load dealt on a busier or slower day."""

EVEN = 3.0
"""Variance of requests per account over their mean, up to which somebody seems to deal the load out: a
scheduler that counts has less than 1, dealing at random 1, people 5 and more."""

MOSTLY = 0.6
"""Share of a group that its parts must make up between them to take its place."""


def loads(group: Group) -> Float64:
    """Requests of each member from the texts that the group shares; all its requests where it shares none.
    float64, shape (n_members,), in the order of the members."""
    templated = group.templated_requests
    return templated if templated.any() else group.population.n_requests[group.members]


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


def _trimmed(n: Float64) -> Float64:
    """Without the twentieth at either end."""
    cut = len(n) // 20
    return np.sort(n)[cut : len(n) - cut]


def is_mixture(whole: Group, inner: Sequence[Group]) -> bool:
    """Whether a group is several operators', given the groups within it that would stand without it.

    Those make up most of it, and either the accounts of one are dealt another load than the rest, or the
    accounts that two of them share are: they work for both.
    """
    if not inner:
        return False
    n_holding = np.zeros(len(whole.population), dtype=np.int64)
    for group in inner:
        n_holding[group.members] += 1
    holding = n_holding[whole.members]
    if (holding > 0).mean() < MOSTLY:
        return False
    templated, requests = loads(whole), whole.population.n_requests[whole.members]
    by_part = ((templated, np.isin(whole.members, group.members)) for group in inner)
    return any(
        _are_two(n[mine], n[~mine])
        for n, mine in (*by_part, (requests, holding > 1), (requests[holding > 0], holding[holding > 0] > 1))
    )


def _are_two(one: Float64, other: Float64) -> bool:
    return is_dealt(one) and is_dealt(other) and not same_load(one, other)


WITHIN = 0.9
"""Share of a group's accounts that another one holds when the first is a part of it."""

OVERLAP = 0.5
"""Of two groups that share so much of the smaller one, one is enough."""


def standing(groups: Sequence[Group], log_odds: Sequence[float]) -> list[int]:
    """Which of some groups stand, where they overlap: positions, the largest group first.

    A group half of whose accounts are in a larger one is a part of it, not one more; and a group of several
    operators (`is_mixture`) gives way to those.
    """
    sizes = np.array([len(group.members) for group in groups], dtype=np.int64)
    first = [group.members[:1].tolist() for group in groups]
    order = sorted(range(len(groups)), key=lambda at: (-sizes[at], -log_odds[at], first[at], at))
    in_common = _n_common(groups)
    kept: list[int] = []
    taken = np.zeros(len(groups), dtype=np.bool_)
    for at in order:
        touched, n = in_common.indices[_row(in_common, at)], in_common.data[_row(in_common, at)]
        if (taken[touched] & (n >= OVERLAP * sizes[at])).any():
            continue
        is_part = (n >= WITHIN * sizes[touched]) & (sizes[touched] < WITHIN * sizes[at])
        if not is_mixture(groups[at], [groups[other] for other in np.sort(touched[is_part])]):
            kept.append(at)
            taken[at] = True
    return kept


def _row(matrix: csr_matrix, at: int) -> slice:
    return slice(matrix.indptr[at], matrix.indptr[at + 1])


def _n_common(groups: Sequence[Group]) -> csr_matrix:
    """How many accounts each two groups share, shape (n_groups, n_groups); only those that share any."""
    belongs = membership([group.members for group in groups], len(groups[0].population) if groups else 0)
    return csr_matrix(belongs @ belongs.T)


def membership(members: Sequence[Int64], n_accounts: int) -> csr_matrix:
    """Who belongs to which group: int64, shape (n_groups, n_accounts), 1 for each member."""
    row = np.repeat(np.arange(len(members)), [len(group) for group in members])
    account = np.concatenate([np.empty(0, np.int64), *members])
    return csr_matrix((np.ones(len(row), np.int64), (row, account)), shape=(len(members), n_accounts))
