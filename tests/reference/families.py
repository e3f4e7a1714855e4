"""Template families, read aloud: dictionaries and sets, one definition a function, no hash tables of our own.

Here: who is sampled, who shares what, which pieces travel together, whose text belongs where. Not here:
speed. The authority when detector.kernels.families or detector.text.families and this file disagree.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median_high

from detector.kernels.families import EXACT_TEXTS, MOST_COUNTED
from detector.text.families.index import LEAST_HELD, LEAST_PIECES, MOST_FAMILIES, OF_TYPICAL
from detector.text.families.pieces import (
    AT_ALL,
    CONFIDENCE,
    CONFIDENCES,
    MENDING_ROUNDS,
    NEAR,
    NEAR_WORN,
    WITH_EACH_OTHER,
    WORN,
)
from detector.text.families.sample import LEAST_ACCOUNTS, LEAST_SHARE, SAMPLE_TEXTS, TEXTS_PER_ACCOUNT

Name = int
"""A piece goes by its smallest shingle; a shingle alone is a piece of one."""

Pieces = dict[Name, set[int]]
"""The shingles of each piece."""

MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Text:
    """One request: who sent it, the hash of what it says, its shingles in order of appearance."""

    account: int
    text_hash: int
    shingles: tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """What is left of a text while pieces are joined: the pieces it holds, in order of appearance."""

    account: int
    halvings: int
    pieces: tuple[Name, ...]


@dataclass(frozen=True)
class Pair:
    """Two pieces that stand near each other: their common texts over those of the one, and of the other."""

    low: Name
    high: Name
    together: float
    of_rarer: float


# -- who takes part --------------------------------------------------------------------------------


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


def halvings(text: Text) -> int:
    """How often a text survives when half of all texts are taken away: the zeros a hash ends in."""
    value = (text.text_hash ^ text.account << 32) * 0x9E3779B97F4A7C15 & MASK
    value = (value ^ value >> 32) * 0xD6E8FEB86659FD93 & MASK
    value ^= value >> 32
    return 64 if value == 0 else (value & -value).bit_length() - 1


def times_halved(n_texts: int) -> int:
    """How often so many texts are halved until EXACT_TEXTS or fewer are left, at most 20 times."""
    return next((times for times in range(20) if n_texts >> times <= EXACT_TEXTS), 20)


# -- what is shared, and what stands beside what ---------------------------------------------------


def accounts_of_shingles(texts: Iterable[Text]) -> dict[int, set[int]]:
    accounts: dict[int, set[int]] = defaultdict(set)
    for text in texts:
        for shingle in text.shingles:
            accounts[shingle].add(text.account)
    return dict(accounts)


def shared_shingles(texts: Sequence[Text], least: int) -> dict[int, int]:
    """Shingles of at least `least` accounts, each with the number of texts that hold it."""
    accounts = accounts_of_shingles(texts)
    n_texts: dict[int, int] = defaultdict(int)
    for text in texts:
        for shingle in set(text.shingles):
            n_texts[shingle] += len(accounts[shingle]) >= least
    return {shingle: n for shingle, n in n_texts.items() if n}


def neighbours(pieces: Sequence[Name], near: int) -> set[tuple[Name, Name]]:
    """Pairs of different pieces of one text, at most `near` further on."""
    return {
        (min(one, other), max(one, other))
        for at, one in enumerate(pieces)
        for other in pieces[at + 1 : at + 1 + near]
        if one != other
    }


def travelling_pairs(
    lines: Sequence[Line], n_texts: Mapping[Name, int], near: int, least: int, confidence: float
) -> dict[tuple[Name, Name], int]:
    """Neighbouring pairs that `least` accounts hold, with their texts; those too unlike are never counted.

    A pair of which one is in very many texts is counted in those alone that survive so many halvings.
    """
    holders: dict[tuple[Name, Name], list[Line]] = defaultdict(list)
    for line in lines:
        frequent = [piece for piece in line.pieces if piece in n_texts]
        times = {piece: times_halved(n_texts[piece]) for piece in frequent}
        for one, other in neighbours(line.pieces, near):
            if one not in n_texts or other not in n_texts or line.halvings < max(times[one], times[other]):
                continue
            if min(n_texts[one], n_texts[other]) >= confidence * max(n_texts[one], n_texts[other]):
                holders[one, other].append(line)
    return {
        pair: len(holding)
        for pair, holding in holders.items()
        if len({line.account for line in holding}) >= least
    }


def pairs_of(lines: Sequence[Line], n_texts: Mapping[Name, int], near: int, least: float) -> list[Pair]:
    """The pairs of LEAST_ACCOUNTS accounts, and how far their pieces go together."""
    pairs = []
    for (low, high), n in travelling_pairs(lines, n_texts, near, LEAST_ACCOUNTS, least).items():
        fewer, more = sorted((n_texts[low], n_texts[high]))
        common = n * 2 ** times_halved(more)
        pairs.append(Pair(low, high, common / more, common / fewer))
    return pairs


# -- joining ---------------------------------------------------------------------------------------


def enough(size: int) -> int:
    """Shingles that a text must hold of a piece of so many: of a long one, no more than of MOST_COUNTED."""
    return max(1, math.ceil(LEAST_SHARE * min(size, MOST_COUNTED)))


def held(text: Sequence[int], pieces: Pieces) -> list[Name]:
    """The pieces a text holds enough of, in order of their shingles, none twice running."""
    name_of = {shingle: name for name, piece in pieces.items() for shingle in piece}
    holds = {name for name, piece in pieces.items() if len(piece & set(text)) >= enough(len(piece))}
    names = [name_of[shingle] for shingle in text if name_of.get(shingle) in holds]
    return [name for name, _ in groupby(names)]


def lines_of(texts: Sequence[Text], pieces: Pieces) -> list[Line]:
    return [Line(text.account, halvings(text), tuple(held(text.shingles, pieces))) for text in texts]


def texts_of_pieces(lines: Sequence[Line]) -> dict[Name, int]:
    """Texts that hold each piece; pieces of fewer than LEAST_ACCOUNTS accounts do not count."""
    as_texts = [Text(line.account, 0, line.pieces) for line in lines]
    return shared_shingles(as_texts, LEAST_ACCOUNTS)


def united(pieces: Pieces, joins: Iterable[Pair]) -> Pieces:
    """The pieces when those of each pair are one, also by way of others."""
    piece_of = {name: set(piece) for name, piece in pieces.items()}
    for pair in joins:
        one, other = piece_of[pair.low], piece_of[pair.high]
        if one is not other:
            one |= other
            piece_of |= dict.fromkeys((name for name in pieces if piece_of[name] is other), one)
    return {min(piece): piece for piece in piece_of.values()}


def best_of_each(pairs: Iterable[Pair]) -> dict[Name, float]:
    """How far each piece goes with its best partner; 0 when it has none."""
    best: dict[Name, float] = defaultdict(float)
    for pair in pairs:
        best[pair.low] = max(best[pair.low], pair.together)
        best[pair.high] = max(best[pair.high], pair.together)
    return best


def joined(texts: Sequence[Text], shared: Mapping[int, int]) -> Pieces:
    """The shared shingles in pieces that travel together.

    First single shingles are joined; then what they have become, twice over, at lower demands each time; and
    at last worn pieces, those whose shingles come and go, each with its best partner.
    """
    pieces: Pieces = {shingle: {shingle} for shingle in shared}
    pairs = pairs_of(lines_of(texts, pieces), shared, NEAR, CONFIDENCE)
    firmness = best_of_each(pairs)
    pieces = united(pieces, [pair for pair in pairs if pair.together >= CONFIDENCES[0]])

    for confidence in CONFIDENCES[1:]:
        # A shingle that goes with nothing will not go with more.
        may_join = {
            name: piece for name, piece in pieces.items() if len(piece) > 1 or firmness[name] >= CONFIDENCE
        }
        lines = lines_of(texts, may_join)
        pairs = pairs_of(lines, texts_of_pieces(lines), NEAR, CONFIDENCE)
        pieces = united(pieces, [pair for pair in pairs if pair.together >= confidence])

    for _ in range(MENDING_ROUNDS):
        larger = {name: piece for name, piece in pieces.items() if len(piece) > 1}
        lines = lines_of(texts, larger)
        pairs = pairs_of(lines, texts_of_pieces(lines), NEAR_WORN, AT_ALL)
        worn = {
            name
            for name, piece in larger.items()
            if sum(firmness[shingle] for shingle in sorted(piece)) <= WORN * len(piece)
        }
        best = best_of_each(pairs)
        joins = [pair for pair in pairs if pair.together >= CONFIDENCE or mends(pair, worn, best)]
        pieces = united(pieces, joins)
    return pieces


def mends(pair: Pair, worn: Set[Name], best: Mapping[Name, float]) -> bool:
    """Two worn pieces, one of them the other's best partner, that go together often enough."""
    return (
        {pair.low, pair.high} <= worn
        and (pair.together == best[pair.low] or pair.together == best[pair.high])
        and pair.of_rarer >= WITH_EACH_OTHER
        and pair.together >= AT_ALL
    )


# -- families --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Family:
    """A template: its shingles, ascending, how many texts of the sample hold it, and how many of its shingles
    a text needs."""

    shingles: list[int]
    n_texts: int
    least_held: int


def families_of(text: Text, families: Sequence[Family]) -> list[tuple[int, int]]:
    """(number, how much of it the text holds) of its families, most held first; where there is no room for
    all, the last place is that of the family of most texts."""
    found = []
    for number, family in enumerate(families):
        n_held = len(set(family.shingles) & set(text.shingles))
        if n_held >= family.least_held:
            found.append((number, n_held))
    found.sort(key=lambda one: (-one[1], one[0]))
    first, rest = found[: MOST_FAMILIES - 1], found[MOST_FAMILIES - 1 :]
    return first + sorted(rest, key=lambda one: (-families[one[0]].n_texts, one[0]))[:1]


def with_typical(families: Sequence[Family], sample: Sequence[Text]) -> list[Family]:
    """The families with what a text needs: half of what the typical text of the sample holds."""
    holds: dict[int, list[int]] = defaultdict(list)
    for text in sample:
        for number, n_held in families_of(text, families):
            holds[number].append(n_held)
    return [
        replace(family, least_held=max(LEAST_HELD, math.ceil(OF_TYPICAL * median_high(holds[number]))))
        if number in holds
        else family
        for number, family in enumerate(families)
    ]


def find_families_slow(texts: Sequence[Text]) -> tuple[list[Family], list[list[tuple[int, int]]]]:
    """The families of a night, and for each text its families and how much of each the text holds."""
    taken = sampled(texts, most_texts_per_account(texts))
    sample = [texts[at] for at in sorted(taken)]
    pieces = joined(sample, shared_shingles(sample, LEAST_ACCOUNTS))
    n_texts = texts_of_pieces(lines_of(sample, pieces))
    families = [
        Family(sorted(piece), n_texts.get(name, 0), max(LEAST_HELD, enough(len(piece))))
        for name, piece in sorted(pieces.items())
        if len(piece) >= LEAST_PIECES
    ]
    families = with_typical(families, sample)
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
