"""Which of overlapping groups stand, where each would be flagged by itself.

Here: a group against its parts and against the larger one that holds it. Not here: whether a group is several
operators' (schedule), what a group's evidence is (evidence).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import csr_matrix

from detector.campaigns.group import Group
from detector.campaigns.habits import own_classes
from detector.campaigns.memberships import Memberships
from detector.campaigns.population import Bool, Int64
from detector.campaigns.refining import LEAST_MEMBERS
from detector.campaigns.rests import HARDLY
from detector.campaigns.schedule import (
    MOSTLY,
    WITHIN,
    apart_by_text,
    are_two,
    has_quotas,
    is_mixture,
    loads,
    works_for_both,
)

WEAKENED = 1.0
"""Log-odds, odds of e, that a group has less than most of it has: what the policy counts as a say."""

OVERLAP = 0.5
"""Of two groups that share so much of the smaller one, one is enough."""


def standing(
    groups: Sequence[Group], log_odds: Sequence[float], convicted: Sequence[bool] | None = None
) -> list[int]:
    """Which of some groups stand, where they overlap: positions, the largest group first.

    A group half of whose accounts are in a larger one is a part of it, not one more, unless it is another
    operator's that a text they have in common swept in: then both stand. A group gives way to its parts

    - when it is several operators', by their loads and cards (`is_mixture`), quotas (`has_quotas`) or habits
      (`_of_other_hands`);
    - when one that makes up most of it has by far the stronger evidence: whose company weakens a case does
      not belong to it;
    - when one that makes up most of it is without strangers that are in it (`_strangers`);
    - when a few accounts do nearly all of its work (`_does_the_work`).

    Parameters
    ----------
    groups, log_odds : candidates of a night, and the evidence on each
    convicted : who of them may stand at all; the others only tell what parts of a group are worth. All when
        not given
    """
    sizes = np.array([len(group.members) for group in groups], dtype=np.int64)
    first = [group.members[:1].tolist() for group in groups]
    may_stand = np.ones(len(groups), np.bool_) if convicted is None else np.asarray(convicted, np.bool_)
    order = sorted(
        np.flatnonzero(may_stand).tolist(), key=lambda at: (-sizes[at], -log_odds[at], first[at], at)
    )
    n_accounts = len(groups[0].population) if groups else 0
    in_common = Memberships.of([group.members for group in groups], n_accounts).common
    kept: list[int] = []
    rented: dict[int, Bool] = {}
    taken = np.zeros(len(groups), dtype=np.bool_)
    for at in order:
        touched, n = in_common.indices[_row(in_common, at)], in_common.data[_row(in_common, at)]
        wholes = touched[taken[touched] & (n >= OVERLAP * sizes[at])]
        if any(not _is_guest(groups[at], groups[whole], rented[whole]) for whole in wholes):
            continue
        within = np.sort(touched[(n >= WITHIN * sizes[touched]) & (sizes[touched] < sizes[at])])
        inner = [_Inner(groups[one], log_odds[one], bool(may_stand[one])) for one in within]
        beside = touched[may_stand[touched] & (n < WITHIN * np.minimum(sizes[touched], sizes[at]))]
        neighbours = [groups[one] for one in np.sort(beside)]
        both = _rented(groups[at], neighbours)
        if not _gives_way(groups[at], log_odds[at], inner, neighbours, both):
            kept.append(at)
            taken[at] = True
            rented[at] = both
    return kept


@dataclass(frozen=True, slots=True)
class _Inner:
    """A group within a larger one; `may_stand` tells whether it would be flagged."""

    group: Group
    log_odds: float
    may_stand: bool

    @property
    def members(self) -> Int64:
        return self.group.members


def _gives_way(
    whole: Group, log_odds: float, inner: Sequence[_Inner], beside: Sequence[Group], rented: Bool
) -> bool:
    """Whether a group is better published as what is within it.

    beside : groups that would stand and have some accounts in common with it; rented : who works for one of
        these as well, bool, shape (n_members,)
    """
    convicted = [one for one in inner if one.may_stand]
    parts = [one for one in convicted if len(one.members) < WITHIN * len(whole.members)]
    least = MOSTLY * len(whole.members)
    hearts = [one for one in convicted if len(one.members) >= least]
    return (
        any(one.log_odds >= log_odds + WEAKENED for one in parts if len(one.members) >= least)
        or is_mixture(whole, [one.group for one in parts if not one.group.by_habits], rented)
        or has_quotas(whole, [*(one.group for one in parts), *beside], rented)
        or _of_other_hands(whole, [one.group for one in parts if one.group.by_habits])
        or any(_does_the_work(one.group, whole, [other.group for other in parts], rented) for one in parts)
        or any(_is_without(heart.group, them) for heart in hearts for them in _strangers(whole, inner))
    )


def _of_other_hands(whole: Group, classes: Sequence[Group]) -> bool:
    """Whether two classes of a group's accounts, which differ in habits and share no card, differ in what
    they are told to ask as well. Their loads say nothing: who has joined during the day has another load, and
    other habits, too."""
    masks = [np.isin(whole.members, group.members) for group in classes]
    return any(
        not (one & other).any() and apart_by_text(whole, one, other) for one, other in combinations(masks, 2)
    )


def _strangers(whole: Group, inner: Sequence[_Inner]) -> list[Int64]:
    """Classes of a group's accounts with habits of their own, of which hardly anything would be said if they
    were looked at by themselves, and whom no card ties to the others: users of the same text, it seems."""
    strangers = []
    for members in own_classes(whole.population, whole.members, LEAST_MEMBERS):
        said = [one.log_odds for one in inner if _jaccard(one.members, members) >= MOSTLY]
        if said and max(said) < HARDLY:
            strangers.append(members)
    return strangers


def _jaccard(one: Int64, other: Int64) -> float:
    n = len(np.intersect1d(one, other, assume_unique=True))
    return n / (len(one) + len(other) - n)


def _is_without(heart: Group, strangers: Int64) -> bool:
    """Whether hardly any of the strangers are in a group."""
    return bool(np.isin(strangers, heart.members).mean() <= 1 - WITHIN)


def _rented(whole: Group, beside: Sequence[Group]) -> Bool:
    """Members who work for one of the groups beside as well; bool, shape (n_members,)."""
    rented = np.zeros(len(whole.members), np.bool_)
    for other in beside:
        rented |= works_for_both(whole, other)
    return rented


def _is_guest(part: Group, whole: Group, rented: Bool) -> bool:
    """Whether the accounts of a part that are in the whole are dealt another load than its others, and not
    because they work for another group as well."""
    mine = np.isin(whole.members, part.members)
    if (mine & rented).sum() >= WITHIN * len(part.members):
        return False
    requests = whole.population.n_requests[whole.members]
    return bool(mine.any() and (~mine).any() and are_two(loads(whole), requests, mine, ~mine))


FEW = 0.5
"""Share of a group's accounts up to which they are few."""


def _does_the_work(part: Group, whole: Group, inner: Sequence[Group], rented: Bool) -> bool:
    """Whether a few accounts are dealt another load than the rest and send most of what the whole sends,
    while no group would stand for the rest: what is said of the whole was said of the part.

    inner : groups within the whole that would stand
    rented : members who work for another group as well: they do more, and for that reason
    """
    mine = np.isin(whole.members, part.members)
    n = loads(whole)
    if mine.mean() > FEW or n[mine].sum() < MOSTLY * n.sum() or not _is_guest(part, whole, rented):
        return False
    rest = whole.members[~mine]
    return not any(np.isin(rest, group.members).mean() >= MOSTLY for group in inner)


def _row(matrix: csr_matrix, at: int) -> slice:
    return slice(matrix.indptr[at], matrix.indptr[at + 1])
