"""Loops over what accounts carry of a group's objects, and over the groups that they are in.

Here: numba loops and nothing else. Meaning: detector.campaigns.refining. Slow twins:
tests/reference/membership.py.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def who_could_join(indptr, indices, objects, members, n_accounts):
    """The members and every account that carries one of some objects; int64, ascending.

    indptr, indices : the accounts of each object, as in a csc matrix
    """
    met = np.zeros(n_accounts, np.bool_)
    found = np.empty(len(members) + _n_entries(indptr, objects), np.int64)
    n = 0
    for account in members:
        met[account] = True
        found[n] = account
        n += 1
    for column in objects:
        for at in range(indptr[column], indptr[column + 1]):
            account = indices[at]
            if not met[account]:
                met[account] = True
                found[n] = account
                n += 1
    return np.sort(found[:n])


@njit(cache=True, nogil=True)
def n_of_others(indptr, indices, objects, members, n_accounts):
    """Who carries any of some objects and is no member, int64, in no order, and how many of them each, int32.

    indptr, indices : the accounts of each object, as in a csc matrix
    """
    counts = np.zeros(n_accounts, np.int32)
    for account in members:
        counts[account] = -len(objects)  # so that it is never one
    others = np.empty(_n_entries(indptr, objects), np.int64)
    n = 0
    for column in objects:
        for at in range(indptr[column], indptr[column + 1]):
            account = indices[at]
            counts[account] += 1
            if counts[account] == 1:
                others[n] = account
                n += 1
    return others[:n], counts[others[:n]]


@njit(cache=True, nogil=True, inline="always")
def _n_entries(indptr, chosen):
    n = 0
    for one in chosen:
        n += indptr[one + 1] - indptr[one]
    return n


@njit(cache=True, nogil=True)
def n_carrying(indptr, indices, accounts, objects, n_objects):
    """How many of some accounts carry each of some objects: int64, shape of `objects`.

    indptr, indices : the objects of each account, as in a csr matrix
    """
    place = _places(objects, n_objects)
    counts = np.zeros(len(objects), np.int64)
    for account in accounts:
        for at in range(indptr[account], indptr[account + 1]):
            if place[indices[at]]:
                counts[place[indices[at]] - 1] += 1
    return counts


@njit(cache=True, nogil=True, inline="always")
def _places(objects, n_objects):
    """For every object one more than its place among `objects`, 0 for those that are not there. A table of
    the whole night costs each group less than looking for its objects among few."""
    place = np.zeros(n_objects, np.int32)
    for at in range(len(objects)):
        place[objects[at]] = at + 1
    return place


@njit(cache=True, nogil=True)
def weigh_carried(indptr, indices, shares, accounts, objects, log_ratio, layer, against, n_objects, n_layers):
    """What accounts carry of some objects, added up by layer.

    indptr, indices, shares : what each account carries, as in a csr matrix
    log_ratio, layer, against : of each of `objects`: what carrying it tells, its layer, and what lacking it
        tells, 0 where that is nothing

    Returns five float64 arrays of shape (n_accounts, n_layers): the shares; shares times ratio; shares times
    ratio squared; the most that lacking an object tells against the account, at most 0; and how many of the
    objects it carries.
    """
    place = _places(objects, n_objects)
    expected = np.flatnonzero(against)
    seen = np.full(len(objects), -1, np.int64)
    n = len(accounts)
    share, worth = np.zeros((n, n_layers)), np.zeros((n, n_layers))
    points, lacking = np.zeros((n, n_layers)), np.zeros((n, n_layers))
    n_of = np.zeros((n, n_layers))
    for row in range(n):
        account = accounts[row]
        for at in range(indptr[account], indptr[account + 1]):
            one = place[indices[at]] - 1
            if one >= 0:
                seen[one] = row
                here = layer[one]
                told = shares[at] * log_ratio[one]
                share[row, here] += shares[at]
                worth[row, here] += told
                points[row, here] += told * log_ratio[one]
                n_of[row, here] += 1
        for one in expected:
            if seen[one] != row:
                lacking[row, layer[one]] = min(lacking[row, layer[one]], against[one])
    return share, worth, points, lacking, n_of


@njit(cache=True, nogil=True)
def are_a_group(members, latest, entries, groups, asked, is_member, same):
    """Whether some accounts and one of the groups have a Jaccard index of `same` or more.

    latest : for each account the last entry of a group that it is in, -1 without any
    entries : shape (3, n_entries): the group and the account of each, and the account's entry before it, -1
        at the first; the entries of a group lie side by side
    groups : shape (2, n_groups): where the entries of each begin, and how many there are
    asked, is_member : bool, for each group and for each account, all false; false again afterwards, so that a
        call costs what these accounts are in, however many groups and accounts there are

    Only groups of the first members are compared: whoever shares the share `same` of them has one of so many
    (prefix filter; Bayardo, Ma, Srikant, WWW 2007, section 4).
    """
    group_of, account_of, before = entries
    starts, sizes = groups
    found, n = False, len(members)
    first = members[: int(n - same * n + 1e-9) + 1]
    for account in members:
        is_member[account] = True
    for account in first:
        entry = latest[account]
        while entry >= 0 and not found:
            group = group_of[entry]
            if not asked[group]:
                asked[group] = True
                others = account_of[starts[group] : starts[group] + sizes[group]]
                found = _is_nearly(others, is_member, n, same)
            entry = before[entry]
    for account in members:
        is_member[account] = False
    for account in first:
        entry = latest[account]
        while entry >= 0:
            asked[group_of[entry]] = False
            entry = before[entry]
    return found


@njit(cache=True, nogil=True)
def _is_nearly(others, is_member, n_members, same):
    """Whether the members and some others have that Jaccard index; no more are looked at than it takes to see
    that they have not."""
    n_others = len(others)
    if min(n_members, n_others) < same * max(n_members, n_others):
        return False
    may_lack = n_others - same * (n_members + n_others) / (1 + same) + 1e-9
    n_lacking = 0
    for account in others:
        if not is_member[account]:
            n_lacking += 1
            if n_lacking > may_lack:
                return False
    n_common = n_others - n_lacking
    return n_common >= same * (n_members + n_others - n_common)
