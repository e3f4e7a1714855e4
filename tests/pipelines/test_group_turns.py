"""How the requests of a group follow one another, read from the night's requests."""

import pytest

from detector.campaigns.turns import clumping
from pipelines.campaigns import turns
from pipelines.campaigns.asked import Asked
from pipelines.campaigns.samples import gather_samples
from tests.dealt import given_families, request
from tests.drawn import JUNE_1, insert_requests, warehouse


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def measure_turns(con, day, groups):
    return turns.measure_turns(con, day, gather_samples(con, day, groups))


def in_turn(name: str, n_accounts: int, rounds: int) -> list[dict[str, object]]:
    """One scheduler: everybody once a round."""
    return [
        request(f"{name}-{n % n_accounts:03}", 30 * n, f"{name} item {n}") for n in range(n_accounts * rounds)
    ]


def in_sittings(name: str, n_accounts: int, each: int) -> list[dict[str, object]]:
    """One after the other they sit down and ask everything they have to ask."""
    return [request(f"{name}-{n // each:03}", 30 * n, f"{name} text {n}") for n in range(n_accounts * each)]


def members(name: str, n: int) -> list[str]:
    return [f"{name}-{k:03}" for k in range(n)]


def test_a_scheduler_and_people_are_told_apart_with_and_without_texts(con):
    insert_requests(con, [*in_turn("bot", 40, 12), *in_sittings("user", 40, 12)], JUNE_1)
    given_families(con, list="bot")
    bots, people, unread = measure_turns(
        con, JUNE_1, [Asked(members("bot", 40), ["list"]), Asked(members("user", 40), []),
                      Asked(members("bot", 40), [])]
    )  # fmt: skip
    assert clumping(bots) < 0.5
    assert clumping(people) > 4
    assert unread == bots


def test_small_talk_between_does_not_hide_what_is_dealt(con):
    """Where a group shares templates, only what is made from them is looked at."""
    dealt = in_turn("bot", 40, 12)
    talk = [row | {"account": row["account"].replace("chat", "bot")} for row in in_sittings("chat", 40, 30)]
    insert_requests(con, [*dealt, *talk], JUNE_1)
    given_families(con, list="nobody")
    con.execute(
        "INSERT INTO tonight_family_request SELECT rowid, 'list', 0 FROM core.request WHERE request_key < $n",
        {"n": len(dealt)},
    )
    from_list, everything = measure_turns(
        con, JUNE_1, [Asked(members("bot", 40), ["list"]), Asked(members("bot", 40), [])]
    )
    assert clumping(from_list) < 0.5
    assert clumping(everything) > 2


def test_a_huge_group_and_a_huge_account_are_sampled(con, monkeypatch):
    monkeypatch.setattr("pipelines.campaigns.samples.GROUP_ROWS", 100)
    monkeypatch.setattr("pipelines.campaigns.samples.ACCOUNT_ROWS", 10)
    insert_requests(con, in_turn("bot", 40, 30), JUNE_1)
    given_families(con, list="bot")
    [sampled] = measure_turns(con, JUNE_1, [Asked(members("bot", 40), ["list"])])
    # Ten requests of each of ten accounts, in which an account's next one is its neighbour one time in ten.
    assert 5 < sampled.n_by_chance < 15


def test_retries_are_no_turns(con):
    again = [row | {"attempt": 2} for row in in_sittings("bot", 40, 9)]
    insert_requests(con, [*in_turn("bot", 40, 12), *again], JUNE_1)
    given_families(con, list="bot")
    [turns] = measure_turns(con, JUNE_1, [Asked(members("bot", 40), ["list"])])
    assert clumping(turns) < 0.5


def test_a_few_groups_at_a_time_measure_the_same_as_all_at_once(con, monkeypatch):
    """A night of thousands of groups is sorted in pieces, or it would not fit into memory."""
    insert_requests(con, [*in_turn("bot", 40, 12), *in_sittings("user", 40, 12)], JUNE_1)
    given_families(con, list="bot")
    groups = [Asked(members("bot", n), ["list"]) for n in (10, 20, 40)] + [Asked(members("user", 40), [])]
    at_once = measure_turns(con, JUNE_1, groups)
    monkeypatch.setattr("pipelines.campaigns.turns.GROUPS_AT_ONCE", 3)
    assert measure_turns(con, JUNE_1, groups) == at_once
    assert len(set(map(clumping, at_once))) > 1


def test_nobody_asked_nothing_measured(con):
    given_families(con, list="bot")
    assert measure_turns(con, JUNE_1, []) == []
