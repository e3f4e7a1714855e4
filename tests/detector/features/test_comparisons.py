"""Distances from others and from one's own past: definitions, and what chance gives."""

import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from detector.features import add_lists, timing
from detector.features.shift import shift_bits
from detector.features.volume import peer_z

COUNTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=15)


def shift_slow(tonight: list[int], earlier: list[int]) -> float:
    n, m = sum(tonight), sum(earlier)
    if min(n, m) < 20:
        return math.nan
    bits = 0.0
    for a, b in zip(tonight, earlier, strict=True):
        p, q = a / n, b / m
        bits += sum(x / 2 * math.log2(2 * x / (p + q)) for x in (p, q) if x > 0)
    in_use = sum(a + b > 0 for a, b in zip(tonight, earlier, strict=True))
    return min(max(bits - (in_use - 1) * (1 / n + 1 / m) / (8 * math.log(2)), 0), 1)


@given(COUNTS)
@settings(max_examples=100)
def test_the_shift_agrees_with_the_definition(counts):
    tonight, earlier = ([pair[i] for pair in counts] for i in range(2))
    assert_allclose(
        shift_bits(np.array([tonight]), np.array([earlier])), [shift_slow(tonight, earlier)], atol=1e-9
    )


def test_two_samples_of_one_mix_are_hardly_apart_and_two_mixes_are():
    rng = np.random.default_rng(1)
    mix = rng.dirichlet(np.ones(15))
    same = shift_bits(rng.multinomial(60, mix, 2_000), rng.multinomial(400, mix, 2_000))
    assert same.mean() < 0.02
    assert shift_bits(np.array([[50, 0]]), np.array([[0, 50]]))[0] == pytest.approx(1, abs=0.01)
    with pytest.raises(ValueError, match="same kinds"):
        shift_bits(np.ones((1, 2)), np.ones((1, 3)))


@given(st.integers(0, 2**24 - 1))
@settings(max_examples=200)
def test_sleep_is_the_quietest_eight_hours_round_the_clock(mask):
    hours = [mask >> h & 1 for h in range(24)] * 2
    least = min(sum(hours[first : first + 8]) for first in range(24))
    assert timing.sleepless_hours(np.array([mask])).tolist() == [least]


@given(st.lists(st.tuples(st.integers(-1, 2), st.floats(0, 1e9)), max_size=40), st.integers(0, 80))
@settings(max_examples=60)
def test_peers_agree_with_the_definition(rows, n_more):
    rows = rows + [(2, float(i)) for i in range(n_more)]
    wanted = []
    for group, requests in rows:
        logs = [math.log1p(other) for kind, other in rows if kind == group]
        if group < 0 or len(logs) < 50:
            wanted.append(math.nan)
            continue
        spread = 1.4826 * median([abs(x - median(logs)) for x in logs])
        wanted.append((math.log1p(requests) - median(logs)) / max(spread, 0.25))
    fast = peer_z(np.array([r for _, r in rows], np.float64), np.array([g for g, _ in rows], np.int64))
    assert_allclose(fast, wanted, atol=1e-9)


def test_lists_are_added_to_their_rows_and_never_to_a_neighbour():
    table = np.zeros((2, 2), np.int64)
    add_lists(
        np.array([1, 1, 0], np.int32), np.array([1, 2, 3, 4, 9], np.int32), np.array([0, 2, 5, 5]), table
    )
    assert table.tolist() == [[0, 0], [4, 6]]
    with pytest.raises(ValueError, match="rows of the table"):
        add_lists(np.array([2], np.int32), np.array([1], np.int32), np.array([0, 1]), table)
