"""Enforcement inside a world: who is shut sends nothing more, and everything else stays as it was."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from worlds import HAMLET, bytes_of, requests_of

from pipelines.errors import UsageError
from pipelines.simulate import simulate
from pipelines.simulate.bans import Bans, convicted

NIGHTS = [date(2026, 3, day) for day in (2, 3, 4)]


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "hamlet.toml"
    path.write_text(HAMLET)
    return path


def findings_file(path: Path, actions: dict[str, str]) -> Path:
    rows = [{"account_id": name, "recommended_action": action} for name, action in actions.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_nights_made_one_by_one_are_the_world_made_at_once(
    world: Path, scenario: Path, tmp_path: Path
) -> None:
    out = tmp_path / "by_night"
    for night in (1, 2, 3):
        simulate(out, scenario=scenario, night=night)
    made, whole = bytes_of(out), bytes_of(world)
    assert {name: made[name] for name in whole} == whole
    assert set(made) - set(whole) == {"bans.parquet"}


def test_the_last_night_can_be_made_without_those_before(world: Path, scenario: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "last", scenario=scenario, night=3)
    (last,) = (tmp_path / "last").glob("logs/*/*")
    assert last.read_bytes() == (world / last.relative_to(tmp_path / "last")).read_bytes()


def test_a_shut_account_sends_nothing_more_and_nobody_else_notices(
    requests: pl.DataFrame, scenario: Path, tmp_path: Path
) -> None:
    busy = requests.filter(kind="person_chat").group_by("account_id").agg(pl.col("ts").dt.date().n_unique())
    innocent = busy.filter(pl.col("ts") == 3)["account_id"].sort()[0]
    flagged = findings_file(tmp_path / "night-1.jsonl", {innocent: "suspend"})
    out = tmp_path / "world"
    simulate(out, scenario=scenario, night=1)
    made = simulate(out, scenario=scenario, night=2, findings=[flagged])
    simulate(out, scenario=scenario, night=3)
    rows = requests_of(out)
    assert made.n_banned == 1
    assert rows.filter(account_id=innocent)["ts"].dt.date().unique().to_list() == NIGHTS[:1]
    is_theirs = (pl.col("account_id") == innocent) & (pl.col("ts").dt.date() > NIGHTS[0])
    rest = [frame.drop("place", "file") for frame in (requests.filter(~is_theirs), rows)]
    assert rest[0].equals(rest[1])


def test_only_accounts_recommended_for_enough_are_shut(tmp_path: Path) -> None:
    flagged = findings_file(tmp_path / "f.jsonl", {"mild": "watch", "grave": "suspend", "half": "limit"})
    assert convicted([flagged], "limit").to_list() == ["grave", "half"]
    assert convicted([flagged], "watch").to_list() == ["grave", "half", "mild"]
    assert convicted([flagged], "suspend").to_list() == ["grave"]


def test_a_night_repeated_forgets_what_was_decided_after_it(scenario: Path, tmp_path: Path) -> None:
    out = tmp_path / "world"
    simulate(out, scenario=scenario, night=1)
    ids = pl.read_parquet(out / "accounts.parquet")["account_id"]
    for night, account in ((2, ids[0]), (3, ids[1])):
        flagged = findings_file(tmp_path / f"{night}.jsonl", {account: "verify"})
        simulate(out, scenario=scenario, night=night, findings=[flagged])
    assert pl.read_parquet(out / "bans.parquet").rows() == [(ids[0], NIGHTS[1]), (ids[1], NIGHTS[2])]
    simulate(out, scenario=scenario, night=2)
    assert pl.read_parquet(out / "bans.parquet").is_empty()


def test_who_was_shut_once_stays_shut_since_then() -> None:
    bans = Bans.none().with_more(pl.Series(["a", "b"]), NIGHTS[0]).with_more(pl.Series(["b", "c"]), NIGHTS[2])
    assert sorted(bans.rows.rows()) == [("a", NIGHTS[0]), ("b", NIGHTS[0]), ("c", NIGHTS[2])]


@pytest.mark.parametrize("text", ["", '{"campaign_id": "C-1"}\n', "not json\n"])
def test_a_file_that_lists_no_accounts_is_refused_unless_it_is_empty(text: str, tmp_path: Path) -> None:
    path = tmp_path / "findings.jsonl"
    path.write_text(text)
    if not text:
        assert convicted([path], "watch").is_empty()
        return
    with pytest.raises(UsageError, match=r"findings\.jsonl") as refused:
        convicted([path], "watch")
    assert "stillwatch findings" in refused.value.remedy


def test_findings_need_a_night_and_nights_need_the_same_world(scenario: Path, tmp_path: Path) -> None:
    flagged = findings_file(tmp_path / "f.jsonl", {})
    with pytest.raises(UsageError, match="night by night"):
        simulate(tmp_path / "out", scenario=scenario, findings=[flagged])
    simulate(tmp_path / "out", scenario=scenario, night=1)
    with pytest.raises(UsageError, match="another world"):
        simulate(tmp_path / "out", scenario=scenario, night=2, seed=9)
    with pytest.raises(UsageError, match="night 4"):
        simulate(tmp_path / "out", scenario=scenario, night=4)
