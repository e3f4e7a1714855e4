"""Template families, read aloud: dictionaries and sets, one definition a function, no hash tables of our own.

Here: who is sampled, who shares what, which pieces travel together, whose text belongs where. Not here:
speed. The authority when detector.kernels.families or detector.text.families and this file disagree.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from detector.kernels.families import SKIP
from detector.text.families import (
    CONFIDENCE,
    LEAST_ACCOUNTS,
    LEAST_SHARE,
    LEAST_SHINGLES,
    MOST_FAMILIES,
    SAMPLE_TEXTS,
    TEXTS_PER_ACCOUNT,
)


@dataclass(frozen=True)
class Text:
    """One request: who sent it, the hash of what it says, its shingles in order of appearance."""

    account: int
    text_hash: int
    shingles: tuple[int, ...]


def sampled(texts: Sequence[Text], most: int) -> set[int]:
    """Positions of the texts taken: each account's `most` different texts with the smallest hashes."""
    taken = set()
    for account in {text.account for text in texts}:
        mine = [at for at, text in enumerate(texts) if text.account == account]
        hashes = sorted({texts[at].text_hash for at in mine})[:most]
        taken |= {min(at for at in mine if texts[at].text_hash == text_hash) for text_hash in hashes}
    return taken


def most_texts_per_account(texts: Sequence[Text]) -> int:
    """The most texts of each account that keep the sample within SAMPLE_TEXTS; the least when none does."""
    sizes = [sum(text.account == account for text in texts) for account in {text.account for text in texts}]
    fitting = [most for most in TEXTS_PER_ACCOUNT if sum(min(size, most) for size in sizes) <= SAMPLE_TEXTS]
    return fitting[0] if fitting else TEXTS_PER_ACCOUNT[-1]


def accounts_of_shingles(texts: Iterable[Text]) -> dict[int, set[int]]:
    accounts: dict[int, set[int]] = defaultdict(set)
    for text in texts:
        for shingle in text.shingles:
            accounts[shingle].add(text.account)
    return dict(accounts)


def shared_shingles(texts: Sequence[Text], least: int) -> dict[int, int]:
    """Shingles of at least `least` accounts, each with the number of texts that hold it."""
    return {
        shingle: sum(shingle in text.shingles for text in texts)
        for shingle, accounts in accounts_of_shingles(texts).items()
        if len(accounts) >= least
    }


def neighbours(text: Text, shared: Set[int]) -> set[tuple[int, int]]:
    """Pairs of different shared shingles within SKIP of each other, the others passed over."""
    kept = [shingle for shingle in text.shingles if shingle in shared]
    return {
        (min(one, other), max(one, other))
        for at, one in enumerate(kept)
        for other in kept[at + 1 : at + 1 + SKIP]
        if one != other
    }


def travelling_pairs(
    texts: Sequence[Text], shared: dict[int, int], least: int, confidence: float
) -> dict[tuple[int, int], int]:
    """Neighbouring pairs that `least` accounts hold, with their texts; those too unlike are never counted."""
    holders: dict[tuple[int, int], list[Text]] = defaultdict(list)
    for text in texts:
        for one, other in neighbours(text, shared.keys()):
            if min(shared[one], shared[other]) >= confidence * max(shared[one], shared[other]):
                holders[one, other].append(text)
    return {
        pair: len(holding)
        for pair, holding in holders.items()
        if len({text.account for text in holding}) >= least
    }


def groups(members: Iterable[int], ties: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Members that a chain of ties connects; each group ascending, groups by their smallest member."""
    group_of = {member: {member} for member in members}
    for one, other in ties:
        if group_of[one] is not group_of[other]:
            group_of[one] |= group_of[other]
            for member in group_of[other]:
                group_of[member] = group_of[one]
    return sorted({id(group): sorted(group) for group in group_of.values()}.values())


def families_of(text: Text, families: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """(number, how much of it the text holds) of its families: those it holds enough of, most first."""
    found = []
    for number, family in enumerate(families):
        held = len(set(family) & set(text.shingles))
        enough = max(LEAST_SHINGLES, math.ceil(LEAST_SHARE * min(len(family), 64)))
        if held >= enough:
            found.append((number, held))
    return sorted(found, key=lambda one: (-one[1], one[0]))[:MOST_FAMILIES]


def find_families_slow(texts: Sequence[Text]) -> tuple[list[list[int]], list[list[tuple[int, int]]]]:
    """The families of a night, and for each text its families and how much of each the text holds."""
    taken = sampled(texts, most_texts_per_account(texts))
    sample = [texts[at] for at in sorted(taken)]
    shared = shared_shingles(sample, LEAST_ACCOUNTS)
    pairs = travelling_pairs(sample, shared, LEAST_ACCOUNTS, CONFIDENCE)
    ties = [pair for pair, n in pairs.items() if n >= CONFIDENCE * max(shared[pair[0]], shared[pair[1]])]
    families = [group for group in groups(shared, ties) if len(group) >= LEAST_SHINGLES]
    return families, [families_of(text, families) for text in texts]


def same_family_slow(tonight: Sequence[Set[int]], earlier: Sequence[Set[int]]) -> list[int]:
    """For each of tonight's families the earlier one it shares most with, if half of the smaller; else -1."""
    found = []
    for family in tonight:
        common = [len(family & other) for other in earlier]
        fitting = [
            at
            for at, other in enumerate(earlier)
            if common[at] and 2 * common[at] >= min(len(family), len(other))
        ]
        found.append(max(fitting, key=lambda at: (common[at], -at), default=-1))
    return found
