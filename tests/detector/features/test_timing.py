"""The rhythm of accounts: the loops agree with the definitions, and the numbers mean what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from detector.features import group_rows, timing
from tests.reference.timing import burstiness_slow, gaps_slow, hour_counts_slow, hour_entropy_slow

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NIGHTS = st.lists(st.lists(st.integers(0, DAY_US - 1), max_size=60).map(sorted), max_size=8)


def packed(nights: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """One night a list of ascending times, as the arrays the features read."""
    times = np.array([time for night in nights for time in night], np.int64)
    return times, np.cumsum([0, *(len(night) for night in nights)], dtype=np.int64)


@given(NIGHTS)
@settings(deadline=None, max_examples=60)
def test_the_loops_agree_with_the_definitions(nights):
    times, starts = packed(nights)
    assert_allclose(timing.burstiness(times, starts), [burstiness_slow(night) for night in nights], atol=1e-9)
    for fast, slow in zip(
        timing.gaps(times, starts), np.array([gaps_slow(n) for n in nights]).reshape(-1, 3).T, strict=True
    ):
        assert_allclose(fast, slow, rtol=1e-12)
    counts = timing.hour_counts(times, starts)
    assert_array_equal(counts, np.array([hour_counts_slow(night) for night in nights]).reshape(-1, 24))
    assert_allclose(
        timing.hour_entropy_bits(counts), [hour_entropy_slow(night) for night in nights], atol=1e-9
    )


@given(NIGHTS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_sorting_undoes_any_shuffle_of_the_rows(nights, random):
    times, starts = packed(nights)
    rows = [(account, time) for account, night in enumerate(nights) for time in night]
    random.shuffle(rows)
    groups = group_rows(np.array([account for account, _ in rows], np.int32), len(nights))
    assert_array_equal(timing.sort_times(np.array([time for _, time in rows], np.int64), groups), times)
    assert_array_equal(groups.starts, starts)


def test_a_metronome_a_person_and_a_single_shot_sound_different():
    metronome = [i * 1_000_000 for i in range(100)]
    person = [0, 20_000_000, 45_000_000, 9 * HOUR_US, 9 * HOUR_US + 30_000_000]
    times, starts = packed([metronome, person, [5]])
    steady, bursts, alone = timing.burstiness(times, starts)
    assert steady == pytest.approx(-1)
    assert bursts > 0.2
    assert np.isnan(alone)
    floor_s, median_s, longest_h = timing.gaps(times, starts)
    assert (floor_s[0], median_s[0]) == (1, 1)
    assert longest_h[1] == pytest.approx(9, abs=0.02)


@pytest.mark.parametrize(
    ("times", "starts"),
    [([1, 2], [0, 1]), ([1, 2], [1, 2]), ([1, 2], [0, 2, 1, 2]), ([2, 1], [0, 2]), ([1], [])],
    ids=["rows left over", "a first row lost", "segments run back", "the clock runs back", "no segments"],
)
def test_segments_that_make_no_sense_are_refused(times, starts):
    with pytest.raises(ValueError, match=r"starts must|times must"):
        timing.burstiness(np.array(times, np.int64), np.array(starts, np.int64))


def test_a_clock_may_start_anew_with_the_next_account():
    assert len(timing.burstiness(np.array([5, 9, 1, 2], np.int64), np.array([0, 2, 4], np.int64))) == 2
