"""Requests of one size, read from a drawn table: whose, in which band, and what spoils it."""

from datetime import timedelta

import pytest

from pipelines.campaigns.sizes import sizes
from tests.drawn import JUNE_1, insert_requests, warehouse


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def send(con, account: str, *tokens: int | None, prompt: str | None = None, nights_ago: int = 0) -> None:
    rows = [
        {"account": account, "sent_at": f"12:00:{at:02}", "input_tokens": one, "prompt": prompt}
        for at, one in enumerate(tokens)
    ]
    insert_requests(con, rows, JUNE_1 - timedelta(days=nights_ago))


def bands(con) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for account, band, _ in sizes(con, JUNE_1).iter_rows():
        found.setdefault(account, set()).add(band)
    return found


def test_requests_around_one_size_are_of_it_and_requests_of_any_size_are_not(con):
    send(con, "harvest", 96, 99, 104, 101, 110)
    send(con, "person", 12, 80, 700, 2_400, 9_000)
    assert set(bands(con)) == {"harvest"}


def test_the_share_is_that_of_the_requests_within_the_band(con):
    send(con, "harvest", 100, 101, 102, 103, 104, 105, 9_000, 12)
    assert sizes(con, JUNE_1)["share"].unique().to_list() == [0.75]


@pytest.mark.parametrize("tokens", range(90, 125, 2))
def test_two_accounts_a_few_hundredths_apart_share_a_band_wherever_its_edges_lie(con, tokens):
    send(con, "a", *[tokens] * 5)
    send(con, "b", *[round(tokens * 1.05)] * 5)
    found = bands(con)
    assert found["a"] & found["b"]
    assert len(found["a"]) == 2


def test_twice_the_size_is_another_size(con):
    send(con, "a", *[100] * 5)
    send(con, "b", *[200] * 5)
    found = bands(con)
    assert not found["a"] & found["b"]


def test_four_requests_are_too_few_and_the_nights_before_count_with_tonight(con):
    send(con, "new", 100, 101, 102, 103)
    send(con, "slow", 100, 101)
    send(con, "slow", 99, 103, 104, nights_ago=2)
    send(con, "long ago", 100, 101)
    send(con, "long ago", 99, 103, 104, nights_ago=4)
    send(con, "gone", 100, 101, 102, 103, 104, nights_ago=1)
    assert set(bands(con)) == {"slow"}


def test_whose_prompts_are_known_is_told_by_them(con):
    send(con, "read", *[100] * 6, prompt="count the apples")
    send(con, "partly", *[100] * 6)
    send(con, "partly", 100, prompt="count the pears")
    assert bands(con) == {}


def test_counts_that_are_missing_or_none_are_no_size(con):
    send(con, "a", *[None] * 9, *[0] * 9, 100, 101, 102, 103)
    send(con, "b", *[None] * 9, *[0] * 9, 100, 101, 102, 103, 104)
    assert set(bands(con)) == {"b"}


def test_the_largest_count_that_a_log_may_hold_is_a_size_like_any_other(con):
    send(con, "a", *[2**63 - 1] * 5)
    send(con, "b", *[1] * 5)
    assert set(bands(con)) == {"a", "b"}
    rows = sizes(con, JUNE_1)
    assert rows.select("account_id", "object").is_unique().all()
