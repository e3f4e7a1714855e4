"""Arrival times: people keep their clock, machines their pace, and nobody leaves the day."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.simulate.rhythm import (
    AWAKE,
    DAY_S,
    OFFICE,
    Arrivals,
    hours,
    run,
    scattered,
    sittings,
    together,
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_an_office_in_tokyo_works_while_london_sleeps() -> None:
    def busiest_hour(utc_offset_h: int) -> int:
        return int(np.bincount((hours(20_000, OFFICE, utc_offset_h, rng()) // 3_600).astype(int)).argmax())

    assert busiest_hour(0) in {9, 10, 14}
    assert busiest_hour(9) in {0, 1, 5}


def test_a_sitting_is_one_person_going_on_in_order() -> None:
    a = sittings(np.full(200, 2.0), 4.0, 60.0, np.zeros(200, np.int64), rng())
    for session in range(0, int(a.session.max()), 17):
        mine = a.session == session
        assert len(set(a.account[mine].tolist())) <= 1
        assert a.turn[mine].tolist() == list(range(int(mine.sum())))
        assert (np.diff(a.second[mine]) >= 0).all()
    assert 600 < len(a) < 2_200  # 200 people, about two sittings of about four messages
    assert a.starts.sum() == len(np.unique(a.session))


def test_a_run_stays_between_its_start_and_its_end() -> None:
    a = run(np.array([0, 500]), np.array([0.0, 3_600.0]), np.array([0.0, 1_800.0]), rng())
    assert set(a.account.tolist()) == {1}
    assert a.second.min() >= 3_600
    assert a.second.max() < 5_400


def test_two_activities_of_a_crowd_keep_their_sittings_apart() -> None:
    a = scattered(np.array([2, 1]), AWAKE, np.zeros(2, np.int64), rng())
    both = together(a, a)
    assert len(both) == 6
    assert len(np.unique(both.session)) == 6


@settings(max_examples=40, deadline=None)
@given(
    expected=st.lists(st.floats(0, 6), max_size=20),
    offset=st.integers(-11, 13),
    pause_s=st.floats(1, 5_000),
    seed=st.integers(0, 1_000),
)
def test_everything_happens_within_the_day(
    expected: list[float], offset: int, pause_s: float, seed: int
) -> None:
    n = len(expected)
    offsets = np.full(n, offset, np.int64)
    for a in (
        sittings(np.array(expected), 3.0, pause_s, offsets, rng(seed)),
        scattered(np.array(expected).astype(np.int64), AWAKE, offsets, rng(seed)),
        Arrivals(*(np.empty(0, kind) for kind in (np.int64, np.float64, np.int64, np.int64))),
    ):
        assert ((a.second >= 0) & (a.second < DAY_S)).all()
        assert len(a.starts) == len(a)
