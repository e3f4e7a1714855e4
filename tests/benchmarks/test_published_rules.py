"""Static rules fire at their published limits, one below does not."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_worlds import alone_in, groups_of, world_of

from benchmarks.peers.aegisgate import AegisGate
from benchmarks.peers.glasswally import MEDIUM, WEIGHTS, Glasswally
from benchmarks.peers.glasswally_signals import Night, cot, session_gap, velocity
from benchmarks.peers.huntbase import Huntbase

COT = "Explain step by step, with a chain of thought, how to "


def _on_one_address(n: int) -> list[dict[str, Any]]:
    return [
        {
            "account": f"a{k}",
            "hour": 9 + k / 60,
            "ip": "192.0.2.7",
            "user_agent": f"client {k}",
            "prompt": "hi",
        }
        for k in range(n)
    ]


@pytest.mark.parametrize(("n_accounts", "is_flagged"), [(19, False), (20, True)])
def test_huntbase_wants_twenty_accounts_on_an_address(tmp_path: Path, n_accounts: int, is_flagged: bool):
    rows = _on_one_address(n_accounts)
    expected = {frozenset(row["account"] for row in rows)} if is_flagged else set()
    assert groups_of(Huntbase().find(world_of(tmp_path, rows)).flags) == expected


@pytest.mark.parametrize(("n_accounts", "is_flagged"), [(5, False), (6, True)])
def test_huntbase_wants_more_than_five_with_one_client_there(
    tmp_path: Path, n_accounts: int, is_flagged: bool
):
    rows = [{**row, "user_agent": "sdk"} for row in _on_one_address(n_accounts)]
    assert bool(groups_of(Huntbase().find(world_of(tmp_path, rows)).flags)) is is_flagged


def test_huntbase_scales_its_fortnight_to_the_nights_at_hand(tmp_path: Path):
    """10,000 requests in 14 days are 714.3 in one night."""
    rows = [
        {"account": account, "hour": k / 100, "ip": f"192.0.2.{number}", "user_agent": "x"}
        for number, (account, n) in enumerate({"busy": 715, "less": 714}.items())
        for k in range(n)
    ]
    assert alone_in(Huntbase().find(world_of(tmp_path, rows)).flags) == {"busy"}


def test_aegisgate_counts_phrases_pace_and_addresses(tmp_path: Path):
    rows = [
        *(
            {"account": "phrases", "hour": k, "ip": "a", "prompt": (COT if k < 7 else "") + f"bake {k}"}
            for k in range(10)
        ),
        *(
            {"account": "fewer", "hour": k, "ip": "b", "prompt": (COT if k < 6 else "") + f"bake {k}"}
            for k in range(10)
        ),
        *({"account": "fast", "hour": 8 + k / 101, "ip": "c", "prompt": f"cell {k}"} for k in range(101)),
        *({"account": "steady", "hour": 8 + k / 50, "ip": "d", "prompt": f"cell {k}"} for k in range(101)),
        *({"account": "roaming", "hour": k, "ip": f"r{k}", "prompt": "where am I"} for k in range(6)),
        *({"account": "at home", "hour": k, "ip": f"h{k}", "prompt": "where am I"} for k in range(5)),
    ]
    assert alone_in(AegisGate().find(world_of(tmp_path, rows)).flags) == {"phrases", "fast", "roaming"}


def test_aegisgate_clusters_accounts_with_one_address_and_one_template(tmp_path: Path):
    pool = [
        {
            "account": f"p{k}",
            "hour": 3 + step,
            "ip": "proxy",
            "prompt": f"Grade answer {step}: the rest differs {k}",
        }
        for k in range(5)
        for step in range(3)
    ]
    office = [
        {
            "account": f"o{k}",
            "hour": 9 + step,
            "ip": "office",
            "prompt": f"{'abcde'[k]} asks for {'xyz'[step]}",
        }
        for k in range(5)
        for step in range(3)
    ]
    found = AegisGate().find(world_of(tmp_path, pool + office))
    assert groups_of(found.flags) == {frozenset(f"p{k}" for k in range(5))}


def test_glasswally_gives_no_more_than_the_weights_it_publishes():
    """0.29 of the published 1.00 belongs to signals that a canonical record does not carry."""
    assert sum(WEIGHTS.values()) == pytest.approx(0.71)


def _night(tmp_path: Path, rows: list[dict[str, Any]]) -> Night:
    world = world_of(tmp_path, rows)
    events = world.night(
        world.days[0],
        "prompt",
        "system_prompt",
        "ip",
        "client_fingerprint",
        "model",
        "input_tokens",
        "max_tokens",
    )
    alone = events.select(
        "account_id", pl.col("account_id").alias("cluster"), pl.lit(1).alias("size")
    ).unique()
    return Night(events, alone, world.payments())


def _scores(signal: pl.DataFrame) -> dict[str, float]:
    return dict(signal.select("account_id", "score").iter_rows())


def test_a_metronome_is_fast_regular_and_even(tmp_path: Path):
    """100 requests, one every 20 s, all alike: 180 an hour, no variation, full confidence."""
    rows = [{"account": "bot", "hour": 8 + k / 180, "input_tokens": 50} for k in range(100)]
    assert _scores(velocity(_night(tmp_path, rows)))["bot"] == pytest.approx(0.25 + 0.30 + 0.15)


def test_phrases_their_share_and_one_capability_add_up(tmp_path: Path):
    rows = [{"account": "harvester", "hour": 8 + k / 60, "prompt": COT + "sort"} for k in range(6)]
    rows += [
        {"account": "once", "hour": 8, "prompt": COT + "sort"},
        {"account": "never", "hour": 8, "prompt": "hello"},
    ]
    scores = _scores(cot(_night(tmp_path, rows)))
    assert scores == pytest.approx({"harvester": 0.40 + 0.35 + 0.25, "once": 0.40, "never": 0.0})


def test_sessions_on_the_hour_are_a_scheduler_s(tmp_path: Path):
    rows = [{"account": "cron", "hour": hour + k / 3600} for hour in range(6) for k in range(3)]
    assert _scores(session_gap(_night(tmp_path, rows)))["cron"] == pytest.approx(0.55 + 0.25)


def test_a_person_stays_below_every_tier(tmp_path: Path):
    rows = [
        {"account": "ana", "hour": hour, "prompt": f"what about {hour}?", "ip": "192.0.2.1"}
        for hour in (9, 13.2, 20)
    ]
    found = Glasswally().find(world_of(tmp_path, rows))
    assert found.flags.is_empty()
    assert MEDIUM == 0.35
