"""One call that two systems logged counts once; nobody can make another account's requests disappear."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from test_load import Desk, desk  # noqa: F401  the fixture

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def gateway(at, provider_id, account="ana", prompt="count the apples", minutes=0.0, tokens=12):
    """A line of a gateway's capture."""
    return {
        "id": f"gw-{at}",
        "ts": (NOON + timedelta(minutes=minutes)).isoformat(),
        "account_id": account,
        "request": {"model": "lark-2", "messages": [{"role": "user", "content": prompt}]},
        "response": {
            "id": provider_id,
            "choices": [],
            "usage": {"prompt_tokens": 3, "completion_tokens": tokens},
        },
    }


def own(at, provider_id, account="ana", minutes=0.0, **fields):
    """A line of another system's, without bodies."""
    ts = (NOON + timedelta(minutes=minutes)).isoformat()
    return {
        "request_id": f"own-{at}",
        "ts": ts,
        "account_id": account,
        "provider_request_id": provider_id,
        **fields,
    }


@pytest.fixture
def logs(desk: Desk):  # noqa: F811
    def write(name, *records):
        path = desk.folder / name
        path.write_text("".join(json.dumps(one) + "\n" for one in records))
        return path

    return write


def stored(desk):  # noqa: F811
    rows = desk.asked("SELECT account_id, prompt_hash IS NOT NULL FROM core.request ORDER BY ALL")
    return [(account, "with text" if has_text else "bare") for account, has_text in rows]


def test_a_call_in_two_logs_counts_once_and_the_log_that_tells_more_stays(desk, logs):  # noqa: F811
    paths = logs("own.jsonl", own(1, "cc-1"), own(2, "cc-2")), logs("gw.jsonl", gateway(1, "cc-1"))
    loaded = desk.load(*paths)
    assert (loaded.n_loaded, loaded.n_told_elsewhere, loaded.n_repeated) == (2, 1, 0)
    assert stored(desk) == [("ana", "bare"), ("ana", "with text")]
    counts = desk.asked("SELECT format, n_loaded, n_told_elsewhere FROM raw.file ORDER BY format")
    assert counts == [("gateway", 1, 0), ("stillwatch", 1, 1)]


@pytest.mark.parametrize("order", ["own first", "gateway first", "both, then own again"])
def test_it_does_not_matter_which_log_comes_when(order, desk, logs):  # noqa: F811
    bare, full = logs("own.jsonl", own(1, "cc-1")), logs("gw.jsonl", gateway(1, "cc-1"))
    scans = {
        "own first": [(bare,), (full,)],
        "gateway first": [(full,), (bare,)],
        "both, then own again": [(bare, full), (bare,)],
    }
    for paths in scans[order]:
        loaded = desk.load(*paths)
    assert loaded.n_told_elsewhere == 1
    assert [day.isoformat() for day in loaded.days] == ["2025-06-01"]
    assert stored(desk) == [("ana", "with text")]


DIFFERENT = {
    "another account": own(1, "cc-1", account="eve"),
    "another hour": own(1, "cc-1", minutes=61),
    "another number of tokens": own(1, "cc-1", output_tokens=13),
    "another id": own(1, "cc-2"),
    "no id": own(1, None),
    "an empty id": own(1, ""),
}


@pytest.mark.parametrize("why", DIFFERENT)
def test_what_differs_in_this_is_another_call(why, desk, logs):  # noqa: F811
    loaded = desk.load(logs("own.jsonl", DIFFERENT[why]), logs("gw.jsonl", gateway(1, "cc-1")))
    assert (loaded.n_loaded, loaded.n_told_elsewhere) == (2, 0)


def test_calls_without_an_id_of_the_provider_are_no_calls_of_one_id(desk, logs):  # noqa: F811
    nameless = [gateway(at, None, minutes=at / 10) for at in range(3)]
    loaded = desk.load(logs("gw.jsonl", *nameless), logs("own.jsonl", *(own(at, None) for at in range(3))))
    assert (loaded.n_loaded, loaded.n_told_elsewhere) == (6, 0)
    assert desk.asked(
        "SELECT count(call_key), count(end_user_hash), count(session_hash) FROM core.request"
    ) == [(0, 0, 0)]


@pytest.mark.parametrize("account", ["ana", "ana's key"])
@pytest.mark.parametrize("minutes", [-1, 0, 1])
def test_of_two_logs_with_one_id_for_a_call_the_one_with_its_prompt_stays(account, minutes, desk, logs):  # noqa: F811
    """An edge log beside a log of bodies may stamp a call sooner or later, and name its account otherwise."""
    edge = [own(at, None, account=account, minutes=minutes) | {"request_id": f"gw-{at}"} for at in range(5)]
    full = [gateway(at, f"cc-{at}") for at in range(5)]
    loaded = desk.load(logs("edge.jsonl", *edge), logs("gw.jsonl", *full))
    assert (loaded.n_loaded, loaded.n_repeated) == (5, 5)
    assert stored(desk) == [("ana", "with text")] * 5


def test_within_one_log_a_longer_prompt_takes_no_id_from_whoever_was_first(desk, logs):  # noqa: F811
    first, second = gateway(1, "cc-1"), gateway(1, "cc-2", account="eve", prompt="x" * 90, minutes=1)
    desk.load(logs("gw.jsonl", second, first), logs("own.jsonl", own(7, None)))
    assert stored(desk) == [("ana", "bare"), ("ana", "with text")]


def test_an_id_that_a_server_gives_out_again_costs_nothing_within_one_log(desk, logs):  # noqa: F811
    lines = [gateway(at, "cc-1", minutes=at / 10) for at in range(5)]
    loaded = desk.load(logs("a.jsonl", *lines[:3]), logs("b.jsonl", *lines[3:]), logs("o.jsonl", own(9, "x")))
    assert (loaded.n_loaded, loaded.n_told_elsewhere) == (6, 0)


def test_whoever_writes_ids_hides_no_more_calls_than_he_makes_elsewhere(desk, logs):  # noqa: F811
    """Ten calls through one system under one id, and two through another: two pairs."""
    many = [gateway(at, "cc-1", minutes=at / 10) for at in range(10)]
    few = [own(at, "cc-1", minutes=at / 10) for at in range(2)]
    loaded = desk.load(logs("gw.jsonl", *many), logs("own.jsonl", *few))
    assert (loaded.n_loaded, loaded.n_told_elsewhere) == (10, 2)


def test_many_rows_of_one_id_take_time_in_proportion(desk, logs):  # noqa: F811
    loaded = desk.load(
        logs("gw.jsonl", *(gateway(at, "cc-1") for at in range(20_000))),
        logs("own.jsonl", *(own(at, "cc-1") for at in range(20_000))),
    )
    assert (loaded.n_loaded, loaded.n_told_elsewhere) == (20_000, 20_000)
    assert all(a <= b for a, b in pairwise(desk.stored("sent_at")))
