"""Ties by contract and by source, read aloud: the authority in a dispute. Keep samples small: no caps."""

import math
from itertools import combinations


def worth(minus_log_p: float) -> float:
    """The largest likelihood ratio that a p-value supports, as a logarithm."""
    return minus_log_p - 1 - math.log(minus_log_p) if minus_log_p > 1 else 0.0


def contract_slow(families: list[set[int]], most_holders: int) -> dict[tuple[int, int], float]:
    """Evidence of each pair of families that shares a mark which few have."""
    n = len(families)
    holders = {mark: sum(mark in marks for marks in families) for marks in families for mark in marks}
    weight = {mark: math.log((n - 1) / max(held - 1, 1)) if n > 1 else 0.0 for mark, held in holders.items()}
    found = {}
    for (a, one), (b, other) in combinations(enumerate(families), 2):
        both = {mark for mark in one & other if holders[mark] <= min(most_holders, max(2, n // 10))}
        if not both:
            continue
        shared = sum(weight[mark] for mark in both)
        all_marks = sum(weight[mark] for mark in one) + sum(weight[mark] for mark in other) - shared
        overlap = shared / all_marks if all_marks else 0.0
        found[a, b] = worth(overlap * shared / math.sqrt(len(both)))
    return found


def source_slow(families: list[set[int]], most_sources: int, partners: int) -> dict[tuple[int, int], float]:
    """Log ratio of each pair of families with slot text in common: what they share against what is usual."""
    holders = {item: sum(item in items for items in families) for items in families for item in items}
    shares = {
        (a, b): sum((holders[item] - 1) ** -2 for item in one & other if holders[item] <= most_sources)
        for (a, one), (b, other) in combinations(enumerate(families), 2)
    }
    shares = {pair: share for pair, share in shares.items() if share > 0}
    of_family = [
        sorted((s for pair, s in shares.items() if f in pair), reverse=True) for f in range(len(families))
    ]
    usual = [mine[partners - 1] if len(mine) >= partners else 0.0 for mine in of_family]
    total = sum(map(sum, of_family))
    found = {}
    for (a, b), share in shares.items():
        others = (sum(of_family[a]) - share) * (sum(of_family[b]) - share) / total
        by_chance = max(usual[a], usual[b], others) + 0.5
        found[a, b] = share * math.log(share / by_chance) - (share - by_chance) if share > by_chance else 0.0
    return found
