"""Candidate campaigns: groups of accounts held together by what unrelated accounts do not share by chance.

Here: from shared objects to seeds, and from seeds to candidate groups. Not here: who belongs to a group
(refining), whether a candidate is a campaign (evidence, decision).

Accounts and objects are the two sides of one graph, so an object shared by a hundred thousand accounts costs
a hundred thousand edges, not their square, and its weight, the surprise of sharing it, is near nothing.
"""

import ctypes
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from detector.campaigns.groups import SAME_GROUP, Groups
from detector.campaigns.habits import own_classes
from detector.campaigns.likeness import Likeness
from detector.campaigns.parts import parts_of
from detector.campaigns.population import Bool, Float64, Int64, Population, SharedObjects
from detector.campaigns.refining import (
    LAYER_WEIGHT,
    LEAST_MEMBERS,
    MOST_SURPRISE,
    Candidate,
    narrowed,
    refine,
    split_users,
)

MOST_COMMON = 0.3
"""An object carried by more of the night's accounts than this tells nobody apart and is left out."""

EVERYBODYS = 0.5
"""An object carried by more than half of the night's accounts is evidence of nothing and is never fetched."""

ALL_BUT_THE_SAME = 0.99
"""Jaccard index from which two groups are one where the second is the first without its strangers."""

RESOLUTION = 1.0
SEED = 7


def candidates(population: Population, objects: SharedObjects) -> list[Candidate]:
    """Every group worth testing, in a fixed order; groups may overlap, but no two are nearly the same.

    Two kinds of seeds: Leiden communities of the weighted account-object graph, and the accounts of each
    text, payment or circle of fail-overs that no community has captured. Each seed is then refined:
    members whose own objects do not tie them to the group leave, accounts outside that are tied as strongly
    join. Of which nothing remains, is tried again with all users of its text; who sends that once or twice
    has no more to be told apart by. To every other group come its accounts of other habits (habits).

    Source: Leiden, Traag, Waltman, van Eck, Scientific Reports 9 (2019) 5233, on the bipartite graph.
    """
    likeness = Likeness.of(population)
    graph = _weighted_links(population, objects)
    strong = csr_matrix(graph[:, _of_kind(population, objects, *APART_LAYERS)])
    has_text = np.asarray(graph[:, _of_kind(population, objects, "template")].getnnz(axis=1) > 0)
    # Objects that the same accounts share are one seed.
    seeds = {
        seed.tobytes(): seed for seed in _leiden_seeds(graph) + _object_seeds(population, objects)
    }.values()
    found: list[Candidate] = []
    of_users: list[Candidate] = []
    groups, tried = Groups(len(population)), set[int]()
    for seed in sorted(seeds, key=lambda seed: (-len(seed), seed.tolist())):
        if groups.hold(seed):
            continue
        whole = refine(seed, population, objects, likeness)
        if whole is None:
            wide = _with_other_users(seed, tried, population, objects, likeness)
            kept, made = of_users, [wide]
        else:
            # Without texts only cards are left to tie accounts, and a pool of cards is still one pool.
            apart = _taken_apart(strong, whole.members) if has_text[whole.members].any() else [whole.members]
            kept, made = found, _with_users_of_other_texts(whole, apart, population, objects, likeness)
        for one in made:
            if one is not None and not groups.hold(one.members):
                kept.append(one)
                groups.add(one.members)
    return found + of_users + _classes(found, population, objects, likeness)


def _with_users_of_other_texts(
    whole: Candidate, apart: list[Int64], population: Population, objects: SharedObjects, likeness: Likeness
) -> list[Candidate | None]:
    """What refining makes of the parts of a group, each followed by its users of other texts, who are judged
    by themselves as well; which of the two stands is seen later."""
    parts = [refine(part, population, objects, likeness) for part in apart] if len(apart) > 1 else [whole]
    made: list[Candidate | None] = []
    for part in [one for one in parts if one is not None]:
        others = parts_of(part.members, population, objects, LEAST_MEMBERS)
        made += [part, *(refine(members, population, objects, likeness) for members in others)]
    return made


WIDE = 50
"""Accounts from which on a group is looked for among those who send a text once or twice. Fewer with so few
requests are no harvest: the narrow campaigns of the public record send hundreds a day from each account."""


def _with_other_users(
    seed: Int64,
    tried: set[int],
    population: Population,
    objects: SharedObjects,
    likeness: Likeness,
) -> Candidate | None:
    """What refining makes of all users of a seed's foremost text; None of a text that was tried before, and
    where they are not many. Who sends a text once or twice is in no seed of the text itself."""
    split = split_users(seed, population, objects)
    if split is None or split[0] in tried:
        return None
    text, users = split
    tried.add(text)
    if len(users) < WIDE:
        return None
    whole = refine(users, population, objects, likeness)
    return whole if whole is not None and len(whole.members) >= WIDE else None


def _classes(
    found: list[Candidate], population: Population, objects: SharedObjects, likeness: Likeness
) -> list[Candidate]:
    """Of each group the accounts with habits of their own: a few strangers make no other group, but without
    them it is the one to publish."""
    groups = Groups(len(population))
    for candidate in found:
        groups.add(candidate.members)
    classes: list[Candidate] = []
    for whole in found:
        for members in own_classes(population, whole.members, LEAST_MEMBERS):
            own = narrowed(members, whole.members, population, objects, likeness)
            if own is not None and not groups.hold(own.members, ALL_BUT_THE_SAME):
                classes.append(own)
                groups.add(own.members)
    return classes


def _usable(population: Population, objects: SharedObjects) -> Bool:
    """Objects that at least two accounts share and that are not everybody's.

    A template may be: its weight falls with its prevalence anyway, and a campaign can be a third of a small
    log.
    """
    n = objects.n_accounts_of
    few_enough = n <= max(MOST_COMMON * len(population), LEAST_MEMBERS)
    return (n >= 2) & (few_enough | _of_kind(population, objects, "template"))


def _of_kind(population: Population, objects: SharedObjects, *kinds: str) -> Bool:
    """Which objects belong to layers of these kinds."""
    chosen = np.array([layer.kind in kinds for layer in population.layers], dtype=np.bool_)
    return chosen[objects.layer_of]


def surprise(n_accounts_of: Float64, n_accounts: int) -> Float64:
    """Log-likelihood ratio of two accounts sharing an object because they are one operator's, against sharing
    it by chance: -log of the part of the night's accounts that carry it; capped."""
    return np.minimum(np.log(max(n_accounts, 1) / np.maximum(n_accounts_of, 1)), MOST_SURPRISE)


def _weighted_links(population: Population, objects: SharedObjects) -> csr_matrix:
    """The account-object graph: a link weighs how surprising its object is and its part of the night."""
    usable = _usable(population, objects)
    weight = np.array([LAYER_WEIGHT[layer.kind] for layer in population.layers])
    worth = np.where(usable, surprise(objects.n_accounts_of, len(population)) * weight[objects.layer_of], 0.0)
    graph = objects.shares.copy().astype(np.float64)
    graph.data = np.sqrt(graph.data) * worth[graph.indices]
    graph.data[population.approved.repeat(np.diff(graph.indptr))] = 0.0
    graph.eliminate_zeros()
    return graph


@dataclass(frozen=True, slots=True)
class _Partition:
    """Leiden communities of some accounts and the objects they share.

    groups : ascending positions of accounts, one array a group
    between : coo, shape (n_groups, n_groups): weight of the links from accounts of one group to objects of
        another, and back; within a group on the diagonal
    """

    groups: list[Int64]
    between: coo_matrix


def _leiden(graph: csr_matrix, accounts: Int64) -> _Partition:
    """Communities of these accounts; those that share nothing are in none."""
    from sknetwork.clustering import Leiden  # noqa: PLC0415  (half a second to import)

    mine = csr_matrix(graph[accounts])
    linked = np.flatnonzero(np.diff(mine.indptr))
    columns, column = np.unique(mine.indices, return_inverse=True)
    if len(linked) < LEAST_MEMBERS or len(columns) < 2:
        return _Partition([accounts[linked]] if len(linked) else [], coo_matrix((1, 1)))
    # numbered anew by hand: choosing columns would cost as much as the night has objects, for every group
    starts = np.concatenate([mine.indptr[linked], mine.indptr[-1:]])
    mine = csr_matrix((mine.data, column.astype(np.int32), starts), shape=(len(linked), len(columns)))
    # Its refinement draws from the C library's rand(), which random_state does not reach: seeded here, or
    # the groups of a night would depend on how many nights this process has seen before.
    ctypes.CDLL(None).srand(SEED)
    leiden = Leiden(resolution=RESOLUTION, shuffle_nodes=False, random_state=SEED)
    labels = leiden.fit_predict(mine, force_bipartite=True)
    n_groups = int(max(labels.max(), leiden.labels_col_.max())) + 1
    of_account = np.repeat(labels, np.diff(mine.indptr))
    between = coo_matrix(
        (mine.data, (of_account, leiden.labels_col_[mine.indices])), shape=(n_groups, n_groups)
    ).tocsr()
    groups = [accounts[linked[labels == label]].astype(np.int64) for label in range(n_groups)]
    return _Partition(groups, coo_matrix(between + between.T))


def _leiden_seeds(graph: csr_matrix) -> list[Int64]:
    """Communities of the whole night that are large enough to say something of."""
    everyone = np.arange(graph.shape[0])
    return [group for group in _leiden(graph, everyone).groups if len(group) >= LEAST_MEMBERS]


APART_LAYERS = ("template", "payment")
"""Layers in which strangers have nothing in common: two groups that share none of these are two. A chain of
fail-overs is no tie here: one wrong link would join two operators."""

SEED_LAYERS = (*APART_LAYERS, "system_prompt", "fail_over", "size")
"""Layers of which every object that enough accounts share is worth a look. A system prompt is, too: who asks
something new each time has no other text in common, and among many accounts with a request or two an hour no
community forms."""

LEAST_TIE = 0.1
"""Two parts of a group are one when this share of the smaller part's strong links runs between them."""


LEAST_PART = 0.1
"""Parts smaller than this share of the group are dust."""

LEAST_KEPT = 0.8
"""Share of a group's members that its parts must keep between them for the group to be taken apart."""


def _taken_apart(strong: csr_matrix, members: Int64) -> list[Int64]:
    """The parts of a group that hardly any shared template or payment ties together, or the group itself.

    Over a large night Leiden joins small groups by a weak link (the resolution limit of modularity;
    Fortunato, Barthelemy, PNAS 104 (2007) 36). Looked at alone, the group falls into small parts, and those
    that are tied to one another, directly or by way of others, belong together.
    """
    partition = _leiden(strong, members)
    if len(partition.groups) < 2:
        return [members]
    between = partition.between
    weight = np.asarray(between.sum(axis=1)).ravel()
    tied = between.data >= LEAST_TIE * np.minimum(weight[between.row], weight[between.col])
    ties = coo_matrix((between.data[tied], (between.row[tied], between.col[tied])), shape=between.shape)
    n_parts, part_of = connected_components(ties, directed=False)
    parts = [
        np.sort(np.concatenate([partition.groups[index] for index in np.flatnonzero(part_of == part)]))
        for part in range(n_parts)
    ]
    parts = [part for part in parts if len(part) >= max(LEAST_MEMBERS, LEAST_PART * len(members))]
    # A group that falls to dust is one loose group, not many small ones.
    is_dust = sum(map(len, parts)) < LEAST_KEPT * len(members)
    return [members] if is_dust or len(parts) == 1 else parts


def _object_seeds(population: Population, objects: SharedObjects) -> list[Int64]:
    """Accounts that work with one text, one payment or one circle of fail-overs: it is a good part of their
    night, or they came back to it, whatever else they sent."""
    seeds: list[Int64] = []
    worth_it = _of_kind(population, objects, *SEED_LAYERS) & (objects.n_accounts_of >= LEAST_MEMBERS)
    for column in np.flatnonzero(worth_it):
        span = slice(objects.by_object.indptr[column], objects.by_object.indptr[column + 1])
        accounts, share = objects.by_object.indices[span], objects.by_object.data[span]
        free = ~population.approved[accounts]
        good = free & (share >= GOOD_PART)
        works = good | (free & (share * population.n_requests[accounts] >= WORKING))
        # Two seeds where they differ: of several operators' text some may cover theirs and some may not.
        chosen = [good, works] if good.sum() < SAME_GROUP * works.sum() else [works]
        seeds += [np.sort(accounts[one]).astype(np.int64) for one in chosen if one.sum() >= LEAST_MEMBERS]
    return seeds


GOOD_PART = 0.2
"""Share of an account's requests from which an object makes the account part of that object's seed."""

WORKING = 3 - 1e-6
"""Requests from which it does so, too, however small a part they are: cover traffic hides a share, not a
number. Less a trifle: they are counted by way of the share."""
