"""Work queues, read aloud: sets, pairs, every possible dealing. Slow, and the authority in a dispute."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations, pairwise, permutations
from statistics import fmean, pstdev

from detector.kernels.queues import ITEM_SHINGLES, MOST_HOLDERS

Row = Sequence[float]


def inner(one: Row, other: Row) -> float:
    return math.fsum(x * y for x, y in zip(one, other, strict=True))


def scaled(rows: Sequence[Row], blocks: Sequence[int]) -> list[list[float]]:
    """Each block centred and scaled to one unit of variance; blocks that do not vary are left out."""
    columns: list[list[float]] = []
    for first, last in pairwise(blocks):
        centred = []
        for column in range(first, last):
            mean = fmean(row[column] for row in rows)
            centred.append([row[column] - mean for row in rows])
        variance = math.fsum(x * x for column in centred for x in column) / len(rows)
        if variance > 1e-9:
            columns += [[x / math.sqrt(variance) for x in column] for column in centred]
    return [list(row) for row in zip(*columns, strict=True)]


def likeness(accounts: Sequence[int], x: Sequence[Row]) -> float:
    """Inner products of pairs of rows of one account; those of an account with n rows weigh 2 / (n - 1)."""
    sizes = Counter(accounts)
    return math.fsum(
        2 * inner(x[one], x[other]) / (sizes[accounts[one]] - 1)
        for one, other in combinations(range(len(x)), 2)
        if accounts[one] == accounts[other]
    )


def icc_slow(accounts: Sequence[int], x: Sequence[Row]) -> float:
    """Mean inner product within accounts against that of all pairs, as a share of the rows' variance."""
    n = len(x)
    paired = sum(size for size in Counter(accounts).values() if size > 1)
    by_chance = fmean(inner(x[one], x[other]) for one, other in combinations(range(n), 2))
    variance = math.fsum(inner(row, row) for row in x) / (n - 1)
    return (likeness(accounts, x) / paired - by_chance) / variance


def z_slow(accounts: Sequence[int], x: Sequence[Row]) -> float:
    """Standard score of the likeness among all dealings of the rows."""
    dealt = [likeness(order, x) for order in permutations(accounts)]
    spread = pstdev(dealt)
    return (likeness(accounts, x) - fmean(dealt)) / spread if spread > 1e-7 else math.nan


def kendall_slow(points: Sequence[tuple[int, int]]) -> float:
    """Concordant less discordant pairs."""
    return sum(
        ((one[0] > other[0]) - (one[0] < other[0])) * ((one[1] > other[1]) - (one[1] < other[1]))
        for one, other in combinations(points, 2)
    )


def sampled_slow(items: Sequence[set[int]]) -> list[list[int]]:
    """Shingles by which each item is known, as far as rarity decides: (rare ones, how many are kept)."""
    holders = Counter(shingle for item in items for shingle in item)
    return [
        sorted((s for s in item if holders[s] <= MOST_HOLDERS), key=lambda s: holders[s]) for item in items
    ]


def located_slow(text: Sequence[int], known: Sequence[Sequence[int]]) -> int:
    """The item of whose shingles the text holds half, and two: the one that ends last, -1 for none."""
    last_place = {shingle: place for place, shingle in enumerate(text)}
    fitting = []
    for number, sampled in enumerate(known):
        assert len(sampled) <= ITEM_SHINGLES
        held = [last_place[shingle] for shingle in sampled if shingle in last_place]
        if len(held) >= max(2, len(sampled) / 2):
            fitting.append((max(held), len(held) / len(sampled), -number))
    return -max(fitting)[2] if fitting else -1


def shared_slow(uses: Sequence[tuple[int, int]]) -> tuple[float, float, int]:
    """Of (account, item): share of items that two accounts sent, of distinct uses of such, pairs of those."""
    holders: dict[int, set[int]] = defaultdict(set)
    for account, item in uses:
        holders[item].add(account)
    shared = [len(accounts) for accounts in holders.values() if len(accounts) > 1]
    n_uses = sum(len(accounts) for accounts in holders.values())
    return len(shared) / len(holders), sum(shared) / n_uses, sum(n * (n - 1) // 2 for n in shared)
