"""Groups of families that are tied among each other.

Here: from ties to disjoint groups. Not here: what a tie is worth (table and the kinds).
"""

from dataclasses import dataclass

import numpy as np

from detector.text.ties.holdings import Floats, Ints
from detector.text.ties.table import Ties

GROUP_STRENGTH = 8.0
"""Added strength from which a pair counts for groups: one kind at its utmost, or several together. Under one
in 10,000 unrelated pairs reaches it; many of those that were read are two wordings of one author (0061)."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of tied families, the strongest first.

    family : int64, flat; group g holds family[starts[g]:starts[g + 1]], ascending
    starts : int64, shape (n_groups + 1,)
    strength : float64, shape (n_groups,); mean of the added ties inside
    n_ties : int64, shape (n_groups,); pairs inside that are tied
    """

    family: Ints
    starts: Ints
    strength: Floats
    n_ties: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1

    def members(self, group: int) -> Ints:
        """Families of one group, ascending."""
        return self.family[self.starts[group] : self.starts[group + 1]]


def tie_groups(ties: Ties, n_families: int, least_strength: float) -> Groups:
    """Groups of families that are tied among each other, not merely along a chain.

    Parameters
    ----------
    least_strength : ties of a pair, added up, that count

    Two families are joined by their tie. A group is joined to a family or another group only by support that
    a single mistaken tie cannot give: two ties, or one of two kinds, and ties for more than half of the
    smaller side's members. Strongest pairs first, until nothing moves.
    """
    first, second, strength, n_kinds = ties.added()
    kept = strength >= least_strength
    first, second, strength, n_kinds = first[kept], second[kept], strength[kept], n_kinds[kept]
    order = np.lexsort((second, first, -strength))
    group = _Union(n_families)
    for a, b, kinds in zip(
        first[order].tolist(), second[order].tolist(), n_kinds[order].tolist(), strict=True
    ):
        group.support(a, b, kinds)
    for a, b in zip(first[order].tolist(), second[order].tolist(), strict=True):
        group.join(a, b)
    return _grouped(group, first, second, strength)


class _Union:
    """Disjoint sets of families that know how much supports joining any two of them."""

    def __init__(self, n: int) -> None:
        self.parent = list(range(n))
        self.members: dict[int, list[int]] = {}
        self.tied: dict[int, list[int]] = {}
        """Of each family: those it is tied to."""
        self.links: dict[int, dict[int, int]] = {}
        """Of each set: the sets it is tied to, and by how many kinds of ties."""

    def find(self, one: int) -> int:
        while self.parent[one] != one:
            self.parent[one] = self.parent[self.parent[one]]
            one = self.parent[one]
        return one

    def support(self, a: int, b: int, kinds: int) -> None:
        for one, other in ((a, b), (b, a)):
            self.members[one] = [one]
            self.tied.setdefault(one, []).append(other)
            self.links.setdefault(one, {})[other] = kinds

    def join(self, a: int, b: int) -> None:
        """Join the sets of a and b when they may be, then whatever that makes possible."""
        waiting = [(a, b)]
        while waiting:
            one, other = (self.find(end) for end in waiting.pop())
            if one == other or not self._may_join(one, other):
                continue
            if len(self.members[one]) < len(self.members[other]):
                one, other = other, one
            self.parent[other] = one
            self.members[one] += self.members.pop(other)
            for there, kinds in self.links.pop(other).items():
                del self.links[there][other]
                if there != one:
                    self.links[one][there] = self.links[there][one] = self.links[one].get(there, 0) + kinds
            waiting += [(one, there) for there in sorted(self.links[one], reverse=True)]

    def _may_join(self, one: int, other: int) -> bool:
        if len(self.members[one]) > len(self.members[other]):
            one, other = other, one
        alone = len(self.members[other]) == 1
        if self.links[one].get(other, 0) < (1 if alone else 2):
            return False
        equal = len(self.members[one]) == len(self.members[other])
        return self._mostly_tied(one, other) and (not equal or self._mostly_tied(other, one))

    def _mostly_tied(self, one: int, other: int) -> bool:
        mine = self.members[one]
        n_tied = sum(any(self.find(there) == other for there in self.tied[member]) for member in mine)
        return 2 * n_tied > len(mine)


def _grouped(group: _Union, first: Ints, second: Ints, strength: Floats) -> Groups:
    families = np.unique(np.concatenate([first, second]))
    root = np.array([group.find(one) for one in families.tolist()], np.int64)
    roots, place, size = np.unique(root, return_inverse=True, return_counts=True)
    number_of = np.full(len(group.parent), -1, np.int64)
    number_of[families] = place
    inside = number_of[first] == number_of[second]
    at = number_of[first[inside]]
    n_ties = np.bincount(at, minlength=len(roots))
    mean = np.bincount(at, strength[inside], len(roots)) / np.maximum(n_ties, 1)
    wanted = np.flatnonzero(size > 1)
    earliest = np.full(len(roots), len(group.parent))
    np.minimum.at(earliest, place, families)
    wanted = wanted[np.lexsort((earliest[wanted], -mean[wanted]))]
    members = [families[place == one] for one in wanted]
    starts = np.cumsum([0, *map(len, members)], dtype=np.int64)
    flat = np.concatenate(members) if members else np.empty(0, np.int64)
    return Groups(flat, starts, mean[wanted], n_ties[wanted].astype(np.int64))
