"""Rushes of sign-ups, read from the accounts file."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipelines.campaigns.sign_ups import rushes
from tests.drawn import JUNE_1, warehouse

MAY_31_23H = datetime(2026, 5, 31, 23, tzinfo=UTC)
"""A Sunday evening."""


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def given_accounts(con, rows: list[tuple[str, datetime, str | None, str | None]]) -> None:
    """(account, sign-up, plan, organisation); all of them sent something tonight."""
    con.executemany(
        "INSERT INTO core.account (account_id, created_at, plan, org_id) VALUES (?, ?, ?, ?)", rows
    )
    con.execute(
        """INSERT INTO night.account_day BY NAME
           SELECT $day AS day, account_id, 1 AS n_requests, 0 AS n_retries, $day AS first_sent_at,
                  $day AS last_sent_at, 1 AS hour_mask, 1 AS active_hours, [1] AS hour_counts, 1 AS n_prompts
           FROM core.account ANTI JOIN night.account_day USING (account_id)""",
        {"day": JUNE_1},
    )


def ordinary(n_weeks: int = 20, a_day: int = 24) -> list[tuple[str, datetime, str | None, str | None]]:
    """People sign up one by one, at any hour of the last weeks."""
    rng = np.random.default_rng(5)
    n = 7 * n_weeks * a_day
    ago_h = rng.uniform(0, 7 * 24 * n_weeks, n)
    return [
        (f"person-{at}", datetime(2026, 6, 1, tzinfo=UTC) - timedelta(hours=float(hours)), "pro", None)
        for at, hours in enumerate(ago_h)
    ]


def in_one_hour(name: str, n: int, hour: datetime, plan: str | None = "pro", org: str | None = None):
    return [(f"{name}-{at}", hour + timedelta(minutes=60 * at / n), plan, org) for at in range(n)]


def found(con) -> set[str]:
    return set(rushes(con, JUNE_1)["account_id"].to_list())


def test_people_who_sign_up_one_by_one_are_no_rush(con):
    given_accounts(con, ordinary())
    assert found(con) == set()


def test_thirty_in_an_hour_in_which_one_is_usual_are_a_rush(con):
    given_accounts(con, [*ordinary(), *in_one_hour("bot", 30, MAY_31_23H)])
    rush = found(con)
    assert {f"bot-{at}" for at in range(30)} <= rush
    assert len(rush) <= 34  # with whoever else came in that hour
    assert rushes(con, JUNE_1)["object"].n_unique() == 1


def test_an_hour_of_the_week_that_is_always_busy_is_none(con):
    """Every Monday at nine a new course begins: as many as ever are no surprise."""
    mondays = [datetime(2026, 6, 1, 9, tzinfo=UTC) - timedelta(weeks=week) for week in range(20)]
    courses = [row for at, hour in enumerate(mondays) for row in in_one_hour(f"course-{at}", 30, hour)]
    given_accounts(con, [*ordinary(), *courses])
    assert found(con) == set()


def test_plans_are_compared_with_themselves(con):
    """Thirty students at an hour at which students never come, though others do by the dozen."""
    busy = [
        row
        for week in range(20)
        for row in in_one_hour(f"office-{week}", 60, MAY_31_23H - timedelta(weeks=week), plan="api")
    ]
    given_accounts(con, [*ordinary(), *busy, *in_one_hour("bot", 30, MAY_31_23H, plan="education")])
    assert found(con) == {f"bot-{at}" for at in range(30)}


def test_a_company_that_comes_on_board_counts_once(con):
    given_accounts(con, [*ordinary(), *in_one_hour("seat", 200, MAY_31_23H, org="acme")])
    assert found(con) == set()


def test_a_file_of_a_few_weeks_or_of_none_knows_no_rush(con):
    """With nothing to compare with, the first accounts of a service would all be one."""
    assert found(con) == set()
    given_accounts(con, in_one_hour("first", 50, MAY_31_23H))
    assert found(con) == set()


def test_who_signs_up_after_the_night_is_not_known_yet(con):
    given_accounts(con, [*ordinary(), *in_one_hour("bot", 30, datetime(2026, 6, 2, 4, tzinfo=UTC))])
    assert not any(name.startswith("bot") for name in found(con))
