"""The loops behind template families agree with their definitions, also where their tables are crowded."""

from collections.abc import Sequence
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from detector.kernels import families as kernels
from detector.text.families import LEAST_PIECES, LEAST_SHARE, MOST_FAMILIES, NEAR, Sample
from tests.reference.families import (
    Family,
    Line,
    Text,
    accounts_of_shingles,
    families_of,
    held,
    sampled,
    shared_shingles,
    times_halved,
    travelling_pairs,
)

TEXTS = st.lists(
    st.builds(
        Text,
        account=st.integers(0, 6),
        text_hash=st.integers(0, 8),
        shingles=st.lists(
            st.sampled_from([0, 1, 2, 3, 5, 8, 13, 2**31, 2**32 - 2, 2**32 - 1]), max_size=9
        ).map(tuple),
    ),
    min_size=1,
    max_size=25,
)
"""Small worlds: few accounts and few shingles, so that much is shared; the ends of the range among them."""

LEAST = 3


def packed(texts: Sequence[Text]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(shingles, starts, ends, account) of the texts by account, as the loops read them."""
    texts = sorted(texts, key=lambda text: text.account)
    shingles = np.array([shingle for text in texts for shingle in text.shingles], np.uint32)
    bounds = np.cumsum([0, *(len(text.shingles) for text in texts)], dtype=np.int64)
    return shingles, bounds[:-1], bounds[1:].copy(), np.array([text.account for text in texts], np.int32)


def sketch_of(packed_texts: Sequence[np.ndarray], least: int) -> np.ndarray:
    sketch = np.zeros((2, 1 << kernels.SKETCH_BITS), np.uint32)
    for line in range(2):
        kernels.sketch_line(*packed_texts, least, line, sketch[line])
    return sketch


def by_key(keys: np.ndarray, n_texts: np.ndarray) -> dict[int, int]:
    """Keys are one more than what they stand for, and none comes twice."""
    assert len(np.unique(keys)) == len(keys)
    return dict(zip((keys - np.uint64(1)).tolist(), n_texts.tolist(), strict=True))


def counted(texts: Sequence[Text], least: int, n_parts: int) -> dict[int, int]:
    """What the loops count of what is not rare, in so many parts of whole accounts."""
    sample = Sample(*packed(texts), n_parts)
    with patch("detector.text.families.sample.LEAST_ACCOUNTS", least):
        return by_key(*sample.counted_shingles(sample.drop_rare()))


def estimate(sketch: np.ndarray, shingles: np.ndarray) -> np.ndarray:
    """Accounts of each shingle according to the sketch: the smaller of its two counters."""
    lines = []
    for line, multiplier in enumerate(kernels._MULTIPLIERS):
        slot = (shingles.astype(np.uint64) * multiplier) >> np.uint64(64 - kernels.SKETCH_BITS)
        lines.append(sketch[line, slot.astype(np.int64)] & np.uint32((1 << kernels.COUNT_BITS) - 1))
    return np.minimum(*lines).astype(np.int64)


@given(TEXTS, st.integers(1, 5))
@settings(deadline=None, max_examples=80)
def test_each_account_is_sampled_by_the_smallest_hashes_of_different_texts(
    texts: list[Text], most: int
) -> None:
    account = np.array([text.account for text in texts])
    order = np.argsort(account, kind="stable")
    starts = np.searchsorted(account[order], np.arange(account.max() + 2))
    hashes = np.array([text.text_hash for text in texts], np.uint64)
    rows = kernels.sample(hashes, order, starts, most).tolist()
    assert set(rows) == sampled(texts, most)
    assert len(rows) == len(set(rows))
    assert account[rows].tolist() == sorted(account[rows].tolist())


@given(TEXTS)
@settings(deadline=None, max_examples=25)
def test_rows_are_gathered_in_their_new_order(texts: list[Text]) -> None:
    shingles = np.array([shingle for text in texts for shingle in text.shingles], np.uint32)
    starts = np.cumsum([0, *(len(text.shingles) for text in texts)], dtype=np.int64)
    rows = np.argsort([text.text_hash for text in texts], kind="stable")
    out_starts = np.cumsum([0, *(len(texts[row].shingles) for row in rows)], dtype=np.int64)
    out = np.empty(len(shingles), np.uint32)
    kernels.gather(shingles, starts, rows, 0, len(rows), out, out_starts)
    assert out.tolist() == [shingle for row in rows for shingle in texts[row].shingles]


@given(TEXTS, st.sampled_from([1, 2, 3]))
@settings(deadline=None, max_examples=25)
def test_shared_shingles_are_counted_exactly_in_any_number_of_parts(texts: list[Text], n_parts: int) -> None:
    assert counted(texts, LEAST, n_parts) == shared_shingles(texts, LEAST)


@given(TEXTS)
@settings(deadline=None, max_examples=25)
def test_the_sketch_counts_accounts_and_not_their_texts(texts: list[Text]) -> None:
    sketch = sketch_of(packed(texts), LEAST)
    for shingle, accounts in accounts_of_shingles(texts).items():
        # So few shingles do not collide among millions of counters: here the estimate is the truth.
        assert estimate(sketch, np.array([shingle]))[0] == min(len(accounts), LEAST)


def test_a_crowded_sketch_never_counts_one_account_too_few() -> None:
    n_accounts, per_account = 12, 150_000
    rng = np.random.default_rng(3)
    every = rng.integers(0, 2**32, 600_000, dtype=np.uint64).astype(np.uint32)
    held = [np.unique(rng.choice(every, per_account)) for _ in range(n_accounts)]
    bounds = np.cumsum([0, *(len(shingles) for shingles in held)], dtype=np.int64)
    sketch = sketch_of(
        (np.concatenate(held), bounds[:-1], bounds[1:], np.arange(n_accounts, dtype=np.int32)), 5
    )
    values, truth = np.unique(np.concatenate(held), return_counts=True)
    estimated = estimate(sketch, values)
    assert (estimated >= np.minimum(truth, 5)).all()
    assert (estimated > np.minimum(truth, 5)).any()  # there were collisions to survive
    assert (estimated == np.minimum(truth, 5)).mean() > 0.95


SHINGLES = (0, 1, 2, 3, 5, 8, 13, 2**31, 2**32 - 2, 2**32 - 1)

# How many texts hold each shingle may be anything here: as many as there are, or a night's worth of them.
NIGHTS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {shingle: st.sampled_from([3, 5, 400, 512, 513, 700, 1_024, 1_025, 5_000]) for shingle in SHINGLES}
    ),
)


@given(
    TEXTS,
    st.sampled_from([1, 2, 3]),
    NIGHTS,
    st.lists(st.sampled_from([0, 0, 1, 2, 3, 64]), min_size=25, max_size=25),
    st.sampled_from([1, 3, 6]),
    st.sampled_from([0.35, 0.6]),
)
@settings(deadline=None, max_examples=120)
def test_pairs_of_neighbours_are_counted_exactly_in_any_number_of_parts(
    texts: list[Text], n_parts: int, night: dict[int, int] | None, depths: list[int], near: int, least: float
) -> None:
    shared = shared_shingles(texts, LEAST)
    if night is not None:
        shared = {shingle: night[shingle] for shingle in shared}
    texts = sorted(texts, key=lambda text: text.account)
    keys = np.array(sorted(shared), np.uint32)
    n_texts = np.array([shared[key] for key in sorted(shared)], np.int64)
    positions, starts, ends, account = packed(texts)
    kernels.positions(positions, starts, ends, 0, len(account), *kernels.index_of(keys))
    depth = np.array(depths[: len(texts)], np.uint8)
    sample = Sample(positions, starts, ends, account, n_parts)
    with patch("detector.text.families.sample.LEAST_ACCOUNTS", LEAST):
        found = by_key(*sample.counted_pairs(depth, n_texts, near, least))
    by_shingles = {(int(keys[pair >> 32]), int(keys[pair & 0xFFFFFFFF])): n for pair, n in found.items()}
    alone = {shingle: {shingle} for shingle in shared}
    lines = [
        Line(text.account, depth, tuple(held(text.shingles, alone)))
        for text, depth in zip(texts, depths, strict=False)
    ]
    assert by_shingles == travelling_pairs(lines, shared, near, LEAST, least)


@given(st.integers(0, 2**40))
@settings(max_examples=60)
def test_a_frequent_piece_is_halved_until_few_enough_are_left(n_texts: int) -> None:
    assert kernels.pair_level(n_texts) == times_halved(n_texts)


def test_what_stands_in_512_texts_is_counted_in_each() -> None:
    assert kernels.pair_levels(np.array([0, 512, 513, 1_023, 1_024, 1_026])).tolist() == [0, 0, 1, 1, 1, 2]


def drawn_pieces(drawn: Sequence[set[int]], least: int) -> list[list[int]]:
    """The drawn sets without what an earlier one has; those of `least` shingles."""
    pieces: list[list[int]] = []
    for each in drawn:
        mine = sorted(each.difference(*pieces))
        if len(mine) >= least:
            pieces.append(mine)
    return pieces


@given(TEXTS, st.lists(st.sets(st.sampled_from(SHINGLES), min_size=1), max_size=5), st.booleans())
@settings(deadline=None, max_examples=80)
def test_a_text_holds_the_pieces_of_which_it_has_enough(
    texts: list[Text], drawn: list[set[int]], one_by_one: bool
) -> None:
    """Also when the texts are handed over in two calls."""
    pieces = {piece[0]: set(piece) for piece in drawn_pieces(drawn, 1)}
    keys = np.array(SHINGLES, np.uint32)
    name_of = {shingle: name for name, piece in pieces.items() for shingle in piece}
    piece_of = np.array(
        [SHINGLES.index(name_of[each]) if each in name_of else kernels.NO_PIECE for each in SHINGLES],
        np.uint32,
    )
    sizes = np.array([len(pieces.get(each, ())) for each in SHINGLES], np.int64)
    positions, starts, ends, account = packed(texts)
    kernels.positions(positions, starts, ends, 0, len(account), *kernels.index_of(keys))
    out, out_ends = np.empty_like(positions), np.empty_like(ends)
    bounds = [0, len(account) // 2, len(account)] if one_by_one else [0, len(account)]
    for first, last in pairwise(bounds):
        kernels.pieces_held(positions, starts, ends, first, last, piece_of, enough_of(sizes), out, out_ends)
    found = [[SHINGLES[at] for at in out[start:end]] for start, end in zip(starts, out_ends, strict=True)]
    assert found == [held(text.shingles, pieces) for text in sorted(texts, key=lambda text: text.account)]


def enough_of(sizes: np.ndarray) -> np.ndarray:
    """Shingles that a text of the sample needs of pieces of these sizes."""
    shares = np.ceil(LEAST_SHARE * np.minimum(sizes, kernels.MOST_COUNTED)).astype(np.int32)
    return np.maximum(shares, 1)


def assigned(
    texts: Sequence[Sequence[int]], families: Sequence[Family]
) -> tuple[list[list[int]], list[list[int]]]:
    """What `assign_families` says of these texts."""
    keys = np.array(sorted(shingle for family in families for shingle in family.shingles), np.uint32)
    number = {shingle: at for at, family in enumerate(families) for shingle in family.shingles}
    shingles = np.array([shingle for text in texts for shingle in text], np.uint32)
    starts = np.cumsum([0, *(len(text) for text in texts)], dtype=np.int64)
    out = np.full((len(texts), MOST_FAMILIES), -9, np.int32)
    n_held = np.full((len(texts), MOST_FAMILIES), -9, np.int32)
    kernels.assign_families(
        shingles, starts, 0, len(texts), *kernels.index_of(keys),
        np.array([number[key] for key in keys.tolist()], np.int32),
        np.array([family.least_held for family in families], np.int64),
        np.array([family.n_texts for family in families], np.int64),
        out, n_held,
    )  # fmt: skip
    return out.tolist(), n_held.tolist()


@given(
    st.lists(st.lists(st.integers(0, 29), max_size=25), min_size=1, max_size=12),
    st.lists(st.sets(st.integers(0, 29), min_size=3, max_size=6), max_size=9),
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), min_size=9, max_size=9),
)
@settings(deadline=None, max_examples=120)
def test_a_text_goes_to_the_families_it_holds_most_of_and_last_to_the_most_frequent(
    texts: list[list[int]], drawn: list[set[int]], known: list[tuple[int, int]]
) -> None:
    """More families than there are places for, and many that are equal in size or number."""
    families = [
        Family(shingles, n_texts, least_held)
        for shingles, (n_texts, least_held) in zip(drawn_pieces(drawn, LEAST_PIECES), known, strict=False)
    ]
    wanted = [families_of(Text(0, 0, tuple(text)), families) for text in texts]
    padded = [of + [(-1, 0)] * (MOST_FAMILIES - len(of)) for of in wanted]
    out, n_held = assigned(texts, families)
    assert np.stack([out, n_held], axis=2).tolist() == [[list(one) for one in of] for of in padded]


def test_of_a_long_piece_a_fifth_of_256_shingles_is_enough() -> None:
    """A piece of a thousand shingles, and texts that hold 51 and 52 of them."""
    shared = np.array([*range(51), *range(52)], np.uint32)
    starts, ends = np.array([0, 51]), np.array([51, 103])
    out, out_ends = np.empty_like(shared), np.empty_like(ends)
    kernels.pieces_held(
        shared, starts, ends, 0, 2, np.zeros(1_000, np.uint32), enough_of(np.array([1_000])), out, out_ends
    )
    assert (out_ends - starts).tolist() == [0, 1]


@pytest.mark.parametrize("n_keys", [0, 1, 7, 8, 100_000])
def test_the_index_finds_every_key_and_nothing_else(n_keys: int) -> None:
    keys = np.unique(np.random.default_rng(n_keys).integers(0, 2**32, n_keys, dtype=np.uint64)).astype(
        np.uint32
    )
    bitmap, index = kernels.index_of(keys)
    bits = kernels._bits_of(index)
    assert [kernels._position(bitmap, index, bits, key) for key in keys[:500]] == list(
        range(min(len(keys), 500))
    )
    strangers = np.setdiff1d(np.arange(500, dtype=np.uint32), keys)
    assert {kernels._position(bitmap, index, bits, key) for key in strangers} == {-1}


def test_tables_that_outgrow_themselves_lose_nothing() -> None:
    """Five accounts hold the same 60,000 shingles: twice what a first table takes."""
    n_accounts, n_shingles = 5, 60_000
    held = np.random.default_rng(1).permutation(n_shingles).astype(np.uint32)
    shingles = np.tile(held, n_accounts)
    bounds = np.arange(n_accounts + 1, dtype=np.int64) * n_shingles
    texts = (shingles, bounds[:-1], bounds[1:].copy(), np.arange(n_accounts, dtype=np.int32))
    sample = Sample(*texts, 1)
    keys, n_texts = sample.counted_shingles(1)
    assert_array_equal(np.sort(keys), np.arange(1, n_shingles + 1))
    assert (n_texts == n_accounts).all()
    depth = np.full(n_accounts, 20, np.uint8)
    pairs, n_pair_texts = sample.counted_pairs(depth, n_texts, NEAR, 0.6)
    neighbours = {
        (min(one, other), max(one, other))
        for apart in range(1, NEAR + 1)
        for one, other in zip(held[:-apart].tolist(), held[apart:].tolist(), strict=True)
    }
    assert {((key - 1) >> 32, (key - 1) & 0xFFFFFFFF) for key in pairs.tolist()} == neighbours
    assert (n_pair_texts == n_accounts).all()
