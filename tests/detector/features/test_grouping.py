"""Grouping rows by account and counting values within each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from detector.features import group_rows, median, tally
from tests.reference.tally import median_slow, tally_slow

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6) | st.integers(0, 2**64 - 1)), max_size=80)


def of_account(rows: list[tuple[int, int]], account: int) -> list[int]:
    return [value for owner, value in rows if owner == account]


@given(ROWS)
@settings(deadline=None, max_examples=80)
def test_the_tally_agrees_with_the_definition(rows):
    groups = group_rows(np.array([account for account, _ in rows], np.int32), 5)
    result = tally(np.array([value for _, value in rows], np.uint64), groups)
    wanted = [tally_slow(of_account(rows, account)) for account in range(5)]
    assert_array_equal(result.n_known, [w[0] for w in wanted])
    assert_array_equal(result.n_distinct, [w[1] for w in wanted])
    assert_array_equal(result.n_top, [w[2] for w in wanted])
    assert result.top_value.tolist() == [w[3] for w in wanted]
    assert_allclose(result.concentration, [w[4] for w in wanted])
    assert_array_equal(result.n_repeated, [w[5] for w in wanted])


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-9, 9) | st.just(float("nan"))), max_size=60))
@settings(deadline=None, max_examples=60)
def test_the_median_agrees_with_the_definition(rows):
    groups = group_rows(np.array([account for account, _ in rows], np.int32), 4)
    fast = median(np.array([value for _, value in rows]), groups)
    assert_allclose(fast, [median_slow(of_account(rows, account)) for account in range(4)])


def test_an_account_number_without_a_place_is_refused():
    with pytest.raises(ValueError, match="account numbers"):
        group_rows(np.array([0, 3], np.int32), 3)


def test_a_column_of_another_length_is_refused():
    groups = group_rows(np.array([0, 0], np.int32), 1)
    with pytest.raises(ValueError, match="one value per grouped row"):
        tally(np.array([1], np.uint64), groups)
