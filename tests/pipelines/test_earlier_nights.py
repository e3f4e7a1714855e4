"""Which groups of earlier nights a group of tonight is, and what these nights said of it."""

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from detector.campaigns import Memberships, Policy
from pipelines.campaigns.judging import Innocent, earlier_nights
from tests.drawn import JUNE_1, rows_of, warehouse

ACCOUNTS = list("abcdefghijklmnop")
USUAL = Innocent(np.zeros(30), np.full(25, -1.0), 4)


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def given(con, table: str) -> None:
    """Candidates as they were judged: `before` is how many nights ago, `sum` the evidence of nights before
    it."""
    for at, row in enumerate(rows_of(table)):
        told = {"day": JUNE_1 - timedelta(int(row["before"])), "id": at, "n": len(row["accounts"])}
        con.execute(
            """INSERT INTO night.candidate BY NAME
               SELECT $day AS day, $id AS candidate_id, $n AS n_accounts, $evidence::DOUBLE AS evidence,
                      false AS flagged, $n_nights::INTEGER AS n_nights, $sum::DOUBLE AS earlier_evidence""",
            told | {name: row[name] for name in ("evidence", "n_nights", "sum")},
        )
        members = [(told["day"], at, name) for name in row["accounts"]]
        con.executemany("INSERT INTO night.candidate_account VALUES (?, ?, ?)", members)


def known(con, *groups: str, policy: Policy | None = None) -> list[tuple[int, float]]:
    """Number of earlier nights and the sum of their evidence, of each group of tonight."""
    night = SimpleNamespace(day=JUNE_1, accounts=pl.DataFrame({"account_id": ACCOUNTS}))
    who = [np.array([ACCOUNTS.index(name) for name in group]) for group in groups]
    members = Memberships.of(who, len(ACCOUNTS))
    nights = earlier_nights(con, night, members, USUAL, policy or Policy())
    return list(zip(nights.n.tolist(), nights.total.tolist(), strict=True))


def test_a_group_is_the_one_of_an_earlier_night_that_shares_a_third_of_both(con):
    given(
        con,
        """
        before | accounts | evidence | n_nights | sum
        1      | abcdef   | 4.0      | 1        | 0
        1      | klmnop   | 3.0      | 1        | 0
        """,
    )
    assert known(con, "abcdef", "abcghi", "abghij", "nop", "op") == [
        (1, 4.0),
        (1, 4.0),
        (0, 0.0),
        (1, 3.0),
        (1, 3.0),
    ]


def test_its_last_night_knows_the_nights_before(con):
    given(
        con,
        """
        before | accounts | evidence | n_nights | sum
        4      | abcdef   | 9.0      | 1        | 0
        2      | abcdef   | 4.0      | 3        | 11.5
        """,
    )
    assert known(con, "abcdef") == [(3, 15.5)]


def test_of_two_groups_of_one_night_it_is_the_more_alike(con):
    given(
        con,
        """
        before | accounts | evidence | n_nights | sum
        1      | abcdefgh | 1.0      | 1        | 0
        1      | abcde    | 2.0      | 1        | 0
        1      | abcdefg  | 4.0      | 1        | 0
        """,
    )
    assert known(con, "abcdef") == [(1, 4.0)]  # six of seven; five of six are fewer


def test_a_group_not_seen_for_a_week_begins_anew_and_tonight_is_no_earlier_night(con):
    given(
        con,
        """
        before | accounts | evidence | n_nights | sum
        8      | abc      | 4.0      | 1        | 0
        0      | abc      | 4.0      | 1        | 0
        -1     | abc      | 4.0      | 1        | 0
        7      | def      | 4.0      | 1        | 0
        """,
    )
    assert known(con, "abc", "def") == [(0, 0.0), (1, 4.0)]


def test_nights_scanned_before_their_number_was_kept_count_as_one(con):
    given(
        con,
        """
        before | accounts | evidence | n_nights | sum
        1      | abc      | 4.0      | -        | -
        """,
    )
    assert known(con, "abc") == [(1, 4.0)]


def test_a_policy_without_history_remembers_nothing(con):
    given(
        con,
        """
        before | accounts | evidence | n_nights | sum
        1      | abc      | 4.0      | 1        | 0
        """,
    )
    assert known(con, "abc", policy=Policy(leave_out=("history",))) == [(0, 0.0)]


def test_a_night_without_groups(con):
    assert known(con) == []
