"""Taking turns, sitting down, and any order: told apart, whatever the hours and the loads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.campaigns.turns import NEAR, NEITHER, PRIOR_PAIRS, Turns, clumping, turns_of

HOUR_US = 3_600_000_000


def slow(group: list[int], account: list[int], at: list[int], n_groups: int) -> list[Turns]:
    """The definition, pair by pair."""
    out = []
    for number in range(n_groups):
        rows = sorted((t, i) for i, (g, t) in enumerate(zip(group, at, strict=True)) if g == number)
        line = [account[i] for _, i in rows]
        n = len(line)
        places = max(round(NEAR * len(set(line))), 1)
        pairs = [(i, j) for i in range(n) for j in range(i + 1, min(n, i + places + 1))]
        near = sum(line[i] == line[j] for i, j in pairs)
        same = sum(line.count(one) * (line.count(one) - 1) for one in set(line))
        chance = len(pairs) * same / (n * (n - 1)) if n > 1 else 0.0
        out.append(Turns(near, pytest.approx(chance)))
    return out


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(0, 40)), max_size=80),
    st.integers(4, 6),
)
@settings(max_examples=200, deadline=None)
def test_the_fast_way_counts_what_the_definition_says(
    rows: list[tuple[int, int, int]], n_groups: int
) -> None:
    group, account, at = ([row[k] for row in rows] for k in range(3))
    got = turns_of(np.array(group, np.int64), np.array(account, np.int32), np.array(at, np.int64), n_groups)
    assert got == slow(group, account, at, n_groups)


def of_one_group(account: np.ndarray, at: np.ndarray) -> float:
    (turns,) = turns_of(np.zeros(len(account), np.int64), account.astype(np.int32), at.astype(np.int64), 1)
    return clumping(turns)


def test_a_scheduler_gives_everybody_a_turn_before_anybody_has_a_second() -> None:
    account = np.tile(np.arange(60), 20)
    assert of_one_group(account, np.arange(len(account))) < 0.3


def test_work_dealt_at_random_comes_as_often_as_chance_has_it() -> None:
    rng = np.random.default_rng(1)
    account = rng.integers(0, 60, 2_000)
    assert of_one_group(account, np.arange(2_000)) == pytest.approx(1.0, abs=0.15)


def test_people_sit_down_and_ask_several_times() -> None:
    rng = np.random.default_rng(2)
    sits = rng.integers(0, 24 * HOUR_US, 400)
    at = (sits[:, None] + np.cumsum(rng.integers(10_000_000, 90_000_000, (400, 5)), axis=1)).ravel()
    account = np.repeat(rng.integers(0, 200, 400), 5)
    assert of_one_group(account, at) > 4


def test_the_hours_at_which_everybody_works_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    account = rng.integers(0, 60, 2_000)
    at = np.sort(rng.integers(9 * HOUR_US, 11 * HOUR_US, 2_000))
    assert of_one_group(account, at) == pytest.approx(1.0, abs=0.15)


def test_little_is_said_of_few_requests() -> None:
    assert clumping(Turns(0, 0.0)) == NEITHER
    assert clumping(Turns(0, PRIOR_PAIRS)) == pytest.approx(NEITHER / 2)
