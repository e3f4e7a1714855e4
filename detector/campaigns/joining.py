"""Findings that one client holds: groups with texts of their own whose refused requests go on at each
other's accounts.

Here: which groups belong together, and their union. Not here: what a fail-over is (fail_over), whether the
union is a campaign (evidence, decision) and takes its parts' place (standing).

An operator whose accounts speak twelve languages, or do five kinds of work, shows as so many groups: no text
is common to them. But a client that is refused sends the request again with the next key it holds, whatever
the language.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from detector.campaigns.memberships import Memberships
from detector.campaigns.population import Int64, Population
from detector.campaigns.refining import Candidate

LEAST_PAIRS = 2
"""Pairs of accounts, no account in two of them, by which a client's keys tie two groups: one wrong link, or
one account that two operators rent, joins nobody. A pair has odds of twenty (fail_over.LEAST_LOG_RATIO)."""

LEAST_SHARE = 0.1
"""Share of the fail-overs of the group with fewer that must lead to the other one: keys of one client are
tried in any order."""


def unions(candidates: Sequence[Candidate], population: Population) -> list[Candidate]:
    """Unions of candidates that one client holds, in the order of their first parts; of as many as hang
    together.

    An account that is in two of the candidates ties nobody: it may be rented to both operators.
    """
    group_of = _only_group(candidates, len(population))
    known = population.fail_overs
    both = (known.account >= 0) & (known.heir >= 0)
    pairs = np.unique(np.sort(np.stack([known.account[both], known.heir[both]], axis=1), axis=1), axis=0)
    one, other = group_of[pairs[:, 0]], group_of[pairs[:, 1]]
    within = (one >= 0) & (other >= 0)
    pairs, one, other = pairs[within], one[within], other[within]
    first, second = np.minimum(one, other), np.maximum(one, other)
    n_of = np.bincount(one, minlength=len(candidates)) + np.bincount(other, minlength=len(candidates))
    tied = []
    for a, b in np.unique(np.stack([first, second], axis=1)[first != second], axis=0).tolist():
        across = pairs[(first == a) & (second == b)]
        # Sides are told by the group, not by who was refused: either may take over from the other.
        left = np.where(group_of[across] == a, across, -1).max(axis=1)
        right = np.where(group_of[across] == b, across, -1).max(axis=1)
        n_distinct = min(len(np.unique(left)), len(np.unique(right)))
        if n_distinct >= LEAST_PAIRS and len(across) >= LEAST_SHARE * min(n_of[a], n_of[b]):
            tied.append((a, b))
    if not tied:
        return []
    row, column = np.array(tied).T
    ties = coo_matrix((np.ones(len(row)), (row, column)), shape=(len(candidates), len(candidates)))
    n_parts, part_of = connected_components(ties, directed=False)
    sizes = np.bincount(part_of, minlength=n_parts)
    return [
        _union([candidates[at] for at in np.flatnonzero(part_of == part).tolist()])
        for part in np.flatnonzero(sizes > 1)
    ]


def _only_group(candidates: Sequence[Candidate], n_accounts: int) -> Int64:
    """The one candidate that each account is in; -1 for accounts in none or several."""
    matrix = Memberships.of([candidate.members for candidate in candidates], n_accounts).matrix.tocsc()
    found = np.full(n_accounts, -1, np.int64)
    single = np.flatnonzero(np.diff(matrix.indptr) == 1)
    found[single] = matrix.indices[matrix.indptr[single]]
    return found


def _union(parts: Sequence[Candidate]) -> Candidate:
    """All members of the parts, each as sure as in the part it is surest of, and all that holds a part
    together."""
    members, strength = _largest([part.members for part in parts], [part.strength for part in parts])
    core, log_ratio = _largest([part.core for part in parts], [part.core_log_ratio for part in parts])
    return Candidate(members, strength, core, log_ratio)


def _largest(keys: Sequence[Int64], values: Sequence[np.ndarray]) -> tuple[Int64, np.ndarray]:
    """Keys without repeats, ascending, and the largest value of each."""
    found, at = np.unique(np.concatenate(keys), return_inverse=True)
    most = np.full(len(found), -np.inf)
    np.maximum.at(most, at, np.concatenate(values))
    return found, most
