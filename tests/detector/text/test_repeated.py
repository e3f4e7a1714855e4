"""What an account's own texts share, against sets counted one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.text.repeated import OwnedTexts, owners_of, shingles_of
from tests.reference.repeated import repeated_slow

TEXTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-1, 4), st.lists(st.integers(0, 9), max_size=8)), max_size=25
)


def packed(texts, owners):
    lengths = np.array([len(text) for text in texts], np.int64)
    flat = np.array([shingle for text in texts for shingle in text], np.uint32)
    starts = np.append(0, np.cumsum(lengths)).astype(np.int64)
    return OwnedTexts.of(flat, starts, np.array(owners, np.int64))


@given(TEXTS, st.floats(0, 1), st.integers(1, 4))
def test_repeated_shingles_and_who_holds_them_agree_with_the_definition(drawn, least_share, least_units):
    drawn = sorted(drawn, key=lambda one: one[0])
    owners = [owner for owner, _, _ in drawn]
    units = [10 * owner + unit if unit >= 0 else -1 for owner, unit, _ in drawn]  # of one owner each
    texts = [text for _, _, text in drawn]
    packed_texts = packed(texts, owners)
    keys = packed_texts.repeated(np.array(units, np.int64), least_share=least_share, least_units=least_units)
    slow = repeated_slow([set(text) for text in texts], owners, units, least_share, least_units)
    assert {(int(key) >> 32, int(key) & 0xFFFFFFFF) for key in keys} == slow
    held = [
        sum((owner, shingle) in slow for shingle in set(text))
        for text, owner in zip(texts, owners, strict=True)
    ]
    assert packed_texts.n_held(keys).tolist() == held
    assert packed_texts.n_shingles.tolist() == [len(set(text)) for text in texts]
    assert list(zip(owners_of(keys).tolist(), shingles_of(keys).tolist(), strict=True)) == sorted(slow)


def test_the_highest_shingle_and_an_account_far_on_are_told_apart():
    texts = packed([[0xFFFFFFFF], [0xFFFFFFFF], [0]], [70_000, 70_000, 70_001])
    keys = texts.repeated(np.arange(3), least_share=0.5, least_units=1)
    assert (owners_of(keys).tolist(), shingles_of(keys).tolist()) == ([70_000, 70_001], [0xFFFFFFFF, 0])
