"""What only shows over nights: pools made anew, steady findings, scans that should agree."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from drawn_world import FRI, MON, SAT, THU, TUE, WED, benign, campaign, flags, labels, sent

from pipelines.evaluation import judge
from pipelines.evaluation.churn import against


def joined_at(night, hour: int = 9) -> datetime:
    return datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(hours=hour)


OLD = campaign("tallow", "t1 t2 t3", joined=None)
WEEK = (MON, TUE, WED, THU, FRI, SAT)


def test_a_new_pool_is_tied_when_the_same_finding_holds_it():
    truth = labels(*OLD, *campaign("tallow", "n1 n2 n3 n4", joined=joined_at(WED)), *benign("person", "ana"))
    said = flags(
        (MON, "C-1", "t1 t2 t3"),
        (WED, "C-1", "n1 n2"),
        (FRI, "C-1", "n3"),
        (THU, "C-2", "n4 ana"),
    )
    activity = sent(((MON, TUE), "t1 t2 t3 ana", 1), ((WED, THU, FRI), "n1 n2 n3 n4", 1))
    [row] = judge(truth, said, activity).re_emergence.iter_rows(named=True)
    assert row == {
        "campaign": "tallow",
        "n_joined": 4,
        "n_tied": 3,
        "n_tied_within_one_night": 2,
        "n_elsewhere": 1,
        "share_tied": 0.75,
        "share_tied_within_one_night": 0.5,
        "nights_median": 1.0,
        "nights_worst": 3,
    }


def test_the_clock_starts_with_the_first_request_after_joining():
    truth = labels(*OLD, *campaign("tallow", "n1 n2", joined=joined_at(TUE, 23)))
    said = flags((MON, "C-1", "t1 t2 t3"), (THU, "C-1", "n1"))
    activity = sent(((MON,), "t1 t2 t3", 1), ((THU,), "n1", 1))  # n2 never comes
    [row] = judge(truth, said, activity, nights=WEEK).re_emergence.iter_rows(named=True)
    assert (row["n_joined"], row["n_tied_within_one_night"]) == (1, 1)


def test_who_joins_before_anything_was_flagged_does_not_re_emerge():
    truth = labels(*OLD, *campaign("tallow", "n1", joined=joined_at(TUE)))
    said = flags((TUE, "C-1", "t1 t2 n1"))
    activity = sent(((MON, TUE), "t1 t2 t3", 1), ((TUE,), "n1", 1))
    assert judge(truth, said, activity).re_emergence.is_empty()


def test_a_pool_made_anew_twice_is_held_against_the_finding_that_held_most_before():
    second = campaign("tallow", "n1 n2 n3 n4", joined=joined_at(TUE))
    third = campaign("tallow", "m1 m2", joined=joined_at(THU))
    said = flags(
        (MON, "C-1", "t1 t2 t3"), (TUE, "C-2", "n1 n2 n3 n4"), (THU, "C-2", "m1"), (THU, "C-1", "m2")
    )
    activity = sent(((MON,), "t1 t2 t3", 1), ((TUE, WED), "n1 n2 n3 n4", 1), ((THU,), "m1 m2", 1))
    [row] = judge(labels(*OLD, *second, *third), said, activity).re_emergence.iter_rows(named=True)
    # The second pool is lost to C-2; by Thursday C-2 holds four of the seven, so m1 is tied and m2 is not.
    assert (row["n_joined"], row["n_tied"], row["n_elsewhere"]) == (6, 1, 5)


def test_steady_findings_and_those_that_come_and_go():
    truth = labels(*campaign("tallow", "t1 t2 t3 t4"))
    said = flags(
        (MON, "C-1", "t1 t2"),
        (MON, "C-2", "t4"),
        (TUE, "C-1", "t2 t3"),
        (TUE, None, "t1"),
        (WED, "C-1", "t2 t3"),
    )
    nights = judge(truth, said, sent(((MON, TUE, WED), "t1 t2 t3 t4", 1))).nights.to_dicts()
    assert [night["n_active"] for night in nights] == [4, 4, 4]
    assert [night["n_findings"] for night in nights] == [2, 1, 1]
    assert [night["n_new_findings"] for night in nights] == [2, 0, 0]
    assert [night["n_ended_findings"] for night in nights] == [0, 1, 0]
    assert [night["jaccard_accounts"] for night in nights] == [None, 2 / 4, 2 / 3]
    assert [night["jaccard_memberships"] for night in nights] == [None, 1 / 5, 2 / 3]
    assert [night["jaccard_standing"] for night in nights] == [None, 1 / 3, 1.0]


def test_who_was_shut_is_no_churn():
    """t1 and t2 are banned after Monday, n1 and n2 replace them: what can be compared agrees wholly."""
    truth = labels(*campaign("tallow", "t1 t2 t3 n1 n2"))
    said = flags((MON, "C-1", "t1 t2 t3"), (TUE, "C-1", "t3 n1 n2"))
    activity = sent(((MON,), "t1 t2 t3", 1), ((TUE,), "t3 n1 n2", 1))
    tuesday = judge(truth, said, activity).nights.row(1, named=True)
    assert (tuesday["jaccard_accounts"], tuesday["jaccard_standing"]) == (1, 1)
    unknown = judge(truth, said).nights.row(1, named=True)
    assert (unknown["jaccard_accounts"], unknown["jaccard_standing"]) == (1 / 5, 1 / 5)


def test_a_quiet_night_agrees_with_a_quiet_night():
    nights = judge(labels(*campaign("x", "t1")), flags(), sent(((MON, TUE), "t1", 1))).nights
    assert nights["jaccard_accounts"].to_list() == [None, 1.0]
    assert nights["jaccard_standing"].to_list() == [None, None]


def test_two_scans_agree_when_only_the_ids_differ():
    one = flags((MON, "C-1", "t1 t2 t3"), (MON, "C-2", "u1 u2"), (MON, None, "v1"))
    other = flags((MON, "X-9", "u1 u2"), (MON, "X-3", "t1 t2 t3"), (MON, None, "v1"))
    [row] = against(one, other, pl.Series([MON])).iter_rows(named=True)
    assert (row["jaccard_accounts"], row["jaccard_memberships"]) == (1, 1)


def test_the_same_accounts_divided_otherwise_are_not_the_same():
    one = flags((MON, "C-1", "t1 t2 t3 t4"))
    other = flags((MON, "C-1", "t1 t2"), (MON, "C-2", "t3"), (MON, None, "t4"))
    [row] = against(one, other, pl.Series([MON])).iter_rows(named=True)
    assert row["jaccard_accounts"] == 1
    assert row["jaccard_memberships"] == pytest.approx(2 / 6)  # t1 and t2 in both; 4 + 4 - 2 in either


def test_findings_are_paired_as_a_whole_not_greedily():
    """Taking the largest overlap first would pair C-1 with X-1 and leave C-2 and X-2, who share nothing."""
    one = flags((MON, "C-1", "a b c d e f"), (MON, "C-2", "g h"))
    other = flags((MON, "X-1", "a b c g h"), (MON, "X-2", "d e f"))
    [row] = against(one, other, pl.Series([MON])).iter_rows(named=True)
    assert row["jaccard_memberships"] == pytest.approx(5 / 11)  # C-1 with X-2, C-2 with X-1: 3 + 2
