"""The loops behind template families agree with their definitions, also where their tables are crowded."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from detector.kernels import families as kernels
from detector.text.families import LEAST_SHARE, LEAST_SHINGLES, MOST_FAMILIES
from tests.reference.families import (
    Text,
    accounts_of_shingles,
    families_of,
    sampled,
    shared_shingles,
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
    return np.stack([kernels.sketch_line(*packed_texts, least, line) for line in range(2)])


def in_parts(count: Callable[..., tuple[np.ndarray, np.ndarray]], n_parts: int) -> dict[int, int]:
    """What a loop counts in so many parts, by key: no key is in two of them."""
    found: dict[int, int] = {}
    for part in range(n_parts):
        keys, n_texts = count(part, n_parts)
        mine = dict(zip((keys - np.uint64(1)).tolist(), n_texts.tolist(), strict=True))
        assert not mine.keys() & found.keys()
        found |= mine
    return found


def counted(texts: Sequence[Text], least: int, n_parts: int) -> dict[int, int]:
    """What `count_shingles` says of what `drop_rare` left."""
    shingles, starts, ends, account = packed(texts)
    sketch = sketch_of((shingles, starts, ends, account), least)
    kernels.drop_rare(shingles, starts, ends, 0, len(account), *sketch, least)
    return in_parts(
        lambda *part: kernels.count_shingles(shingles, starts, ends, account, least, *part), n_parts
    )


def estimate(sketch: np.ndarray, shingles: np.ndarray) -> np.ndarray:
    """Accounts of each shingle according to the sketch: the smaller of its two counters."""
    lines = []
    for line, multiplier in enumerate(kernels._MULTIPLIERS):
        slot = (shingles.astype(np.uint64) * multiplier) >> np.uint64(64 - kernels.SKETCH_BITS)
        lines.append(sketch[line, slot.astype(np.int64)] & np.uint64(0xFFFFFFFF))
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


@given(TEXTS, st.sampled_from([1, 2, 3]))
@settings(deadline=None, max_examples=25)
def test_pairs_of_neighbours_are_counted_exactly_in_any_number_of_parts(
    texts: list[Text], n_parts: int
) -> None:
    shared = shared_shingles(texts, LEAST)
    keys = np.array(sorted(shared), np.uint32)
    n_texts = np.array([shared[key] for key in sorted(shared)], np.int64)
    positions, starts, ends, account = packed(texts)
    kernels.positions(positions, starts, ends, 0, len(account), *kernels.index_of(keys))
    depth = np.full(len(account), 20, np.uint8)
    found = in_parts(
        lambda *part: kernels.count_pairs(
            positions, starts, ends, account, depth, n_texts, LEAST, 0.6, *part
        ),
        n_parts,
    )
    by_shingles = {(int(keys[pair >> 32]), int(keys[pair & 0xFFFFFFFF])): n for pair, n in found.items()}
    assert by_shingles == travelling_pairs(texts, shared, LEAST, 0.6)


@given(
    TEXTS,
    st.lists(st.sets(st.sampled_from([0, 1, 2, 3, 5, 8, 13, 2**31, 2**32 - 1]), min_size=2), max_size=4),
)
@settings(deadline=None, max_examples=60)
def test_a_text_goes_to_the_family_it_holds_most_of(texts: list[Text], drawn: list[set[int]]) -> None:
    families: list[list[int]] = []
    for family in drawn:  # families do not overlap
        mine = sorted(family.difference(*families))
        if len(mine) >= LEAST_SHINGLES:
            families.append(mine)
    keys = np.array(sorted(shingle for family in families for shingle in family), np.uint32)
    number = {shingle: at for at, family in enumerate(families) for shingle in family}
    shingles = np.array([shingle for text in texts for shingle in text.shingles], np.uint32)
    starts = np.cumsum([0, *(len(text.shingles) for text in texts)], dtype=np.int64)
    bitmap, index = kernels.index_of(keys)
    out = np.full((len(texts), MOST_FAMILIES), -9, np.int32)
    held = np.full((len(texts), MOST_FAMILIES), -9, np.int32)
    kernels.assign_families(
        shingles, starts, 0, len(texts), bitmap, index,
        np.array([number[key] for key in keys.tolist()], np.int32),
        np.array([len(family) for family in families], np.int32),
        LEAST_SHINGLES, LEAST_SHARE, out, held,
    )  # fmt: skip
    wanted = [families_of(text, families) for text in texts]
    padded = [of + [(-1, 0)] * (MOST_FAMILIES - len(of)) for of in wanted]
    assert np.stack([out, held], axis=2).tolist() == [[list(one) for one in of] for of in padded]


def test_of_a_long_template_a_third_of_sixty_four_shingles_is_enough() -> None:
    """A template of a thousand shingles, and texts that hold 19 and 20 of them."""
    keys = np.arange(1_000, dtype=np.uint32)
    bitmap, index = kernels.index_of(keys)
    starts = np.array([0, 19, 39], np.int64)
    out, held = np.empty((2, 2), np.int32), np.empty((2, 2), np.int32)
    kernels.assign_families(
        np.arange(39, dtype=np.uint32), starts, 0, 2, bitmap, index,
        np.zeros(1_000, np.int32), np.array([1_000], np.int32), LEAST_SHINGLES, LEAST_SHARE, out, held,
    )  # fmt: skip
    assert_array_equal(out, [[-1, -1], [0, -1]])
    assert_array_equal(held, [[0, 0], [20, 0]])


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
    """Five accounts hold the same 60,000 shingles: twice what a first table takes, six times the pairs."""
    n_accounts, n_shingles = 5, 60_000
    held = np.random.default_rng(1).permutation(n_shingles).astype(np.uint32)
    shingles = np.tile(held, n_accounts)
    bounds = np.arange(n_accounts + 1, dtype=np.int64) * n_shingles
    texts = (shingles, bounds[:-1], bounds[1:].copy(), np.arange(n_accounts, dtype=np.int32))
    keys, n_texts = kernels.count_shingles(*texts, 5)
    assert_array_equal(np.sort(keys), np.arange(1, n_shingles + 1))
    assert (n_texts == n_accounts).all()
    depth = np.full(n_accounts, 20, np.uint8)
    pairs, n_pair_texts = kernels.count_pairs(*texts, depth, n_texts, 5, 0.6)
    neighbours = {
        (min(one, other), max(one, other))
        for apart in range(1, kernels.SKIP + 1)
        for one, other in zip(held[:-apart].tolist(), held[apart:].tolist(), strict=True)
    }
    assert {((key - 1) >> 32, (key - 1) & 0xFFFFFFFF) for key in pairs.tolist()} == neighbours
    assert (n_pair_texts == n_accounts).all()
