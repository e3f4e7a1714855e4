"""Who took up whose work, read from nights of accounts and families."""

from datetime import datetime, time, timedelta

import pytest

from pipelines.campaigns.hand_overs import measure_hand_overs
from tests.drawn import JUNE_1, given_requests, warehouse

YESTERDAY = JUNE_1 - timedelta(days=1)
FAMILIES = ["fads", "list"]


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def at_work(con, name: str, n: int, family: str, *, days, first: float, last: float, uses: int = 9) -> None:
    """Accounts that used a family on these days, from one hour of the day to another; a minute apart."""
    for day in days:
        for at in range(n):
            begin, end = (
                datetime.combine(day, time()) + timedelta(hours=hour, minutes=at) for hour in (first, last)
            )
            values = {"day": day, "account": f"{name}-{at}", "family": family, "n": uses}
            values |= {"begin": begin, "end": end}
            con.execute(
                """INSERT INTO night.account_day BY NAME SELECT $day AS day, $account AS account_id,
                   $n AS n_requests, 0 AS n_retries, $begin AS first_sent_at, $end AS last_sent_at,
                   1 AS hour_mask, 1 AS active_hours, [1] AS hour_counts, 1 AS n_prompts
                   WHERE $family IS NOT NULL""",
                values,
            )
            con.execute(
                """INSERT INTO night.family_account BY NAME SELECT $day AS day, $account AS account_id,
                   $family AS family_id, $n AS n_requests, $n AS n_items, 0 AS n_shared_items,
                   0 AS training_permille WHERE $begin <= $end""",
                values,
            )


def measured(con) -> tuple[float, float, float]:
    """Begun, followed and chance of the family `list`."""
    found = measure_hand_overs(con, JUNE_1, 14, FAMILIES)
    return found.n_begun[1], found.n_followed[1], found.chance[1]


def test_those_who_fell_silent_late_are_followed_by_newcomers_after_midnight(con):
    at_work(con, "shut", 12, "list", days=[YESTERDAY], first=1.0, last=23.0)
    at_work(con, "fresh", 12, "list", days=[JUNE_1], first=1.0, last=22.0)
    at_work(con, "stays", 40, "list", days=[YESTERDAY, JUNE_1], first=9.0, last=20.0)
    begun, followed, chance = measured(con)
    assert (begun, followed) == (12, 12)
    assert chance < 0.2


def test_whoever_was_there_within_two_weeks_is_not_new_and_whoever_tried_once_has_not_stopped(con):
    at_work(con, "tried", 12, "list", days=[YESTERDAY], first=23.0, last=23.0, uses=1)
    at_work(con, "back", 12, "list", days=[JUNE_1 - timedelta(6), JUNE_1], first=1.0, last=2.0)
    at_work(con, "stays", 40, "list", days=[YESTERDAY, JUNE_1], first=9.0, last=20.0)
    assert measured(con)[0] == 0


def test_an_account_refused_to_the_end_of_the_night_stopped_with_its_last_answer(con):
    """Shut at two in the afternoon, it knocks until midnight; the next one begins at three."""
    at_work(con, "shut", 5, "list", days=[YESTERDAY, JUNE_1], first=0.17, last=23.83)
    at_work(con, "fresh", 5, "list", days=[JUNE_1], first=15.0, last=22.0)
    at_work(con, "stays", 40, "list", days=[YESTERDAY, JUNE_1], first=6.0, last=20.0)
    assert measured(con)[:2] == (0, 0)  # nobody has stopped as far as anybody knows
    for at in range(5):
        given_requests(con, f"""
            account | sent_at  | prompt | status
            shut-{at} | 14:0{at}:00 | a    | 200
            shut-{at} | 23:5{at}:00 | b    | 403
            stays-{at} | 10:00:00 | c    | 403
            stays-{at} | 11:00:00 | d    | 200
        """)  # fmt: skip
    begun, followed, chance = measured(con)
    assert (begun, followed) == (5, 5)
    assert chance < 0.3


def test_a_first_night_knows_of_nobody_who_came_or_went(con):
    at_work(con, "fresh", 12, "list", days=[JUNE_1], first=1.0, last=22.0)
    assert measured(con) == (0, 0, 0)


def test_families_nobody_asks_about_are_left_out(con):
    at_work(con, "shut", 12, "other", days=[YESTERDAY], first=1.0, last=23.0)
    at_work(con, "fresh", 12, "other", days=[JUNE_1], first=1.0, last=22.0)
    at_work(con, "stays", 40, "other", days=[YESTERDAY, JUNE_1], first=9.0, last=20.0)
    assert measured(con) == (0, 0, 0)
