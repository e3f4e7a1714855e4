"""Arrival times: people keep their clock, machines their pace, and nobody leaves the day."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from pipelines.simulate import shapes
from pipelines.simulate.rhythm import (
    AWAKE,
    DAY_S,
    OFFICE,
    ROUND_THE_CLOCK,
    Arrivals,
    dealt,
    hours,
    mimicked,
    pulse,
    renewal,
    run,
    scattered,
    sittings,
    so_far,
    together,
)
from tests.pools import POOLS, with_pools


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_an_office_in_tokyo_works_while_london_sleeps() -> None:
    def busiest_hour(utc_offset_h: int) -> int:
        return int(np.bincount((hours(20_000, OFFICE, utc_offset_h, rng()) // 3_600).astype(int)).argmax())

    assert busiest_hour(0) in {10, 11, 14, 15, 16}
    assert busiest_hour(9) in {1, 2, 5, 6, 7}


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


def test_a_conversation_drags_its_past_along() -> None:
    talk = Arrivals(
        np.array([0, 0, 0, 2, 2]), np.arange(5.0), np.array([0, 0, 1, 2, 2]), np.array([0, 1, 0, 0, 1])
    )
    assert so_far(talk, np.array([10, 5, 7, 100, 1])).tolist() == [0, 10, 0, 0, 100]
    assert (
        len(
            so_far(
                scattered(np.zeros(3, np.int64), AWAKE, np.zeros(3, np.int64), rng()), np.empty(0, np.int64)
            )
        )
        == 0
    )


def test_bursts_are_as_uneven_as_wanted_and_no_request_is_lost() -> None:
    counts, cv = np.array([40_000, 0, 40_000, 40_000]), np.array([0.3, 1.0, 1.0, 4.0])
    a = renewal(counts, ROUND_THE_CLOCK, cv, 0, rng())
    assert np.bincount(a.account, minlength=4).tolist() == counts.tolist()
    for account in (0, 2, 3):
        gaps = np.diff(a.second[a.account == account])
        assert gaps.min() > 0
        assert gaps.std() / gaps.mean() == pytest.approx(cv[account], rel=0.05)


def test_bursts_follow_each_accounts_own_day_and_clock() -> None:
    morning, evening = np.zeros(24), np.zeros(24)
    morning[8], evening[20] = 1.0, 1.0
    curves = np.array([morning, evening, evening])
    a = renewal(np.array([300, 300, 300]), curves, 2.0, np.array([0, 0, 9]), rng())
    hour = [set((a.second[a.account == account] // 3_600).astype(int).tolist()) for account in range(3)]
    assert hour == [{8}, {20}, {11}]
    assert (np.diff(a.second)[np.diff(a.account) == 0] >= 0).all()


def test_people_may_each_have_their_own_day() -> None:
    lark, owl = np.zeros(24), np.zeros(24)
    lark[6], owl[23] = 1.0, 1.0
    clock = np.array([0, 0])
    for a in (
        sittings(np.full(2, 50.0), 1.0, 10.0, clock, rng(), np.array([lark, owl])),
        scattered(np.full(2, 50), np.array([lark, owl]), clock, rng()),
    ):
        hour = (a.second // 3_600).astype(int)
        assert set(hour[a.account == 0].tolist()) == {6}
        assert set(hour[a.account == 1].tolist()) == {23}


def test_a_crowd_in_bursts_keeps_its_mean_curve() -> None:
    a = renewal(np.full(3_000, 40), AWAKE, 3.0, np.full(3_000, 2), rng())
    local = np.bincount(((a.second / 3_600 + 2) % 24).astype(int), minlength=24) / len(a) * 100
    assert np.abs(local - AWAKE).sum() / 2 < 3  # per cent of the traffic at another hour


@with_pools
def test_a_crowd_of_clients_is_as_bursty_within_ten_minutes_as_the_trace() -> None:
    """Day-long bursts, daily curves and wandering rates together, measured as the trace was."""
    windows = pl.read_parquet(POOLS / "trace_servegen_a_windows.parquet")
    busy = windows.filter(pl.col("rate_rps") * pl.col("window_s") >= 50, pl.col("cv") > 0)
    seen = busy.group_by("client_id").agg(pl.col("cv").median(), pl.len()).filter(pl.col("len") >= 10)["cv"]

    n, r = 300, rng()
    counts = (shapes.client_rates(n, r) * 30_000 + 2_000).astype(np.int64)
    curves = shapes.daily_curves(n, r, "mixed", bins=144) * shapes.wander(n, r)
    a = renewal(counts, curves, shapes.burstiness(n, r), 0, r)
    sent = pl.DataFrame({"account": a.account, "second": a.second, "window": (a.second // 600).astype(int)})
    gaps = sent.with_columns(gap=pl.col("second").diff().over("account", "window")).drop_nulls("gap")
    cells = gaps.group_by("account", "window").agg(pl.len(), cv=pl.col("gap").std() / pl.col("gap").mean())
    found = cells.filter(pl.col("len") >= 49).group_by("account").agg(pl.col("cv").median())["cv"]
    assert len(found) > 250
    assert ks_2samp(found, seen).statistic < 0.17  # halves of the trace are 0.15 apart


def test_an_account_of_extreme_bursts_sends_all_at_once() -> None:
    a = renewal(np.full(200, 50), ROUND_THE_CLOCK, 100.0, 0, rng())
    gaps = np.diff(a.second)[np.diff(a.account) == 0].reshape(200, 49)
    assert (np.sort(gaps)[:, 45] < 5).all()  # all but a few of 49 gaps are seconds at most
    assert len(np.unique(a.second)) == len(a)


def test_one_request_of_a_bursty_account_comes_at_any_time() -> None:
    a = renewal(np.ones(5_000, np.int64), ROUND_THE_CLOCK, 10.0, 0, rng())
    assert np.histogram(a.second, 10, (0, DAY_S))[0].min() > 400


def test_work_is_dealt_in_turns() -> None:
    accounts = np.array([30, 10, 20, 40, 50, 60, 70])
    a = dealt(1_000, pulse(rng()), accounts, rng())
    loads = np.bincount(a.account)[accounts]
    assert loads.sum() == len(a) == 1_000
    assert np.ptp(loads) == 1
    order = np.argsort(a.second, kind="stable")
    assert a.account[order][:7].tolist() == accounts.tolist()
    assert a.account[order][7:14].tolist() == accounts.tolist()


def test_mimicry_gives_each_account_its_own_night_and_the_same_load() -> None:
    accounts, clock = np.arange(100, 160), np.repeat([-8, 0, 9], 20)
    a = mimicked(50_003, OFFICE, accounts, clock, rng())
    loads = np.bincount(a.account)[accounts]
    assert loads.sum() == 50_003
    assert np.ptp(loads) == 1
    for offset in (-8, 0, 9):
        mine = np.isin(a.account, accounts[clock == offset])
        local = np.bincount(((a.second[mine] / 3_600 + offset) % 24).astype(int), minlength=24)
        assert local[1:6].sum() < 0.06 * local.sum()
        assert np.abs(local / local.sum() * 100 - OFFICE).sum() / 2 < 3


def test_the_same_generator_gives_the_same_arrivals() -> None:
    counts, clock = np.arange(20), np.zeros(20, np.int64)
    for made in (
        lambda r: renewal(counts, AWAKE, 2.0, clock, r),
        lambda r: sittings(counts / 5.0, 3.0, 60.0, clock, r),
        lambda r: dealt(50, pulse(r), counts, r),
        lambda r: mimicked(50, AWAKE, counts, clock, r),
    ):
        np.testing.assert_array_equal(made(rng(3)).second, made(rng(3)).second)
        assert not np.array_equal(made(rng(3)).second[:5], made(rng(4)).second[:5])


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(0, 30), max_size=12),
    cv=st.floats(0.05, 20),
    offset=st.integers(-11, 13),
    own=st.booleans(),
    seed=st.integers(0, 1_000),
)
def test_bursts_keep_counts_order_and_the_day(
    counts: list[int], cv: float, offset: int, own: bool, seed: int
) -> None:
    n = np.array(counts, np.int64)
    curve = rng(seed).random((len(n), 24)) + 0.01 if own and len(n) else AWAKE
    a = renewal(n, curve, cv, np.full(len(n), offset), rng(seed))
    assert np.bincount(a.account, minlength=len(n)).tolist() == counts
    assert ((a.second >= 0) & (a.second < DAY_S)).all()
    assert (np.diff(a.account) >= 0).all()
    assert (np.diff(a.second)[np.diff(a.account) == 0] >= 0).all()
    assert a.session.tolist() == list(range(len(a)))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 200), n_accounts=st.integers(1, 30), seed=st.integers(0, 1_000))
def test_dealt_and_mimicked_loads_differ_by_one_at_most(n: int, n_accounts: int, seed: int) -> None:
    accounts = rng(seed).permutation(n_accounts)
    clock = rng(seed).integers(-11, 14, n_accounts)
    for a in (
        dealt(n, pulse(rng(seed)), accounts, rng(seed)),
        mimicked(n, AWAKE, accounts, clock, rng(seed)),
    ):
        loads = np.bincount(a.account, minlength=n_accounts)
        assert loads.sum() == n
        assert np.ptp(loads) <= 1
        assert ((a.second >= 0) & (a.second < DAY_S)).all()


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
