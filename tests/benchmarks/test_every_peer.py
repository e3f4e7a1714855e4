"""What every peer promises, on one small simulated world; and the command over it from end to end."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from running import ROOT

from benchmarks.peers.peer import FLAG_SCHEMA, Peer, flags
from benchmarks.peers.registry import PEERS, named
from benchmarks.peers.run import main
from benchmarks.peers.table import FIXED, ORACLE, SPARING_ORACLE
from benchmarks.peers.world import World
from pipelines.simulate import simulate

SCENARIO = """
nights = 3

[benign]
person_chat = 120
coding_agent = 25
single_purpose_app = 5
evaluation_harness = 2

[[campaign]]
name = "kiln"
kind = "synchronised"
accounts = 30
requests_per_day = 22
"""


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights of a village."""
    folder = tmp_path_factory.mktemp("labelled")
    scenario = folder / "village.toml"
    scenario.write_text(SCENARIO)
    simulate(folder / "world", scenario=scenario)
    return folder / "world"


def _without_labels(world: Path, folder: Path, n_nights: int) -> World:
    """Its first nights, with a scratch folder: what several peers need is made once."""
    for night in sorted((world / "logs").iterdir())[:n_nights]:
        shutil.copytree(night, folder / "logs" / night.name)
    shutil.copy(world / "accounts.parquet", folder)
    (folder / "scratch").mkdir()
    return World(folder, scratch=folder / "scratch")


@pytest.fixture(scope="module")
def unlabelled(labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The village without its labels: nobody can have read them."""
    return _without_labels(labelled, tmp_path_factory.mktemp("unlabelled"), 3)


@pytest.fixture(scope="module")
def day_before(labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same when its last night had not come yet."""
    return _without_labels(labelled, tmp_path_factory.mktemp("before"), 2)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_what_a_peer_flags_was_there_and_no_later_night_had_a_say(
    peer: Peer, unlabelled: World, day_before: World
):
    whole, before = flags(peer, unlabelled), flags(peer, day_before)
    assert whole.schema == FLAG_SCHEMA
    assert whole["score"].is_finite().all()
    sent = {
        (day, account) for day in unlabelled.days for account in unlabelled.night(day)["account_id"].unique()
    }
    assert set(whole.select("day", "account_id").iter_rows()) <= sent
    # Equal also means that a second run flags alike.
    assert_frame_equal(whole.filter(pl.col("day") < unlabelled.days[-1]), before)


NEED_PROMPTS = (
    "MMD, pooled reference",
    "PRADA",
    "SynchroTrap",
    "FRAUDAR",
    "TF-IDF network",
    "Glasswally fusion",
)


@pytest.mark.parametrize("name", NEED_PROMPTS)
def test_a_log_without_prompts_or_accounts_is_no_crash(name: str, unlabelled: World, tmp_path: Path):
    for day in unlabelled.days:
        (tmp_path / "logs" / f"day={day}").mkdir(parents=True)
        for path in (unlabelled.root / "logs" / f"day={day}").glob("*.parquet"):
            bare = (
                pl.read_parquet(path)
                .drop("prompt")
                .with_columns(pl.lit(None, pl.String).alias("system_prompt"))
            )
            bare.write_parquet(tmp_path / "logs" / f"day={day}" / path.name)
    assert flags(named(name), World(tmp_path)).schema == FLAG_SCHEMA


def test_the_command_prints_a_row_for_every_detector_and_point(labelled: Path):
    chosen = ("Stillwatch", "Huntbase", "PRADA", "SynchroTrap")
    options = [option for name in chosen for option in ("--only", name)]
    ran = subprocess.run(
        [
            sys.executable,
            ROOT / "benchmarks" / "peers",
            "--world",
            labelled,
            "--format",
            "jsonl",
            *options,
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    fixed = [row["detector"] for row in rows if row["chosen"] == FIXED]
    assert fixed == ["Stillwatch", "Stillwatch", "Huntbase AA26-251A", "PRADA", "SynchroTrap"]
    oracles = {row["detector"] for row in rows if row["chosen"] in (ORACLE, SPARING_ORACLE)}
    assert oracles == {"Huntbase AA26-251A", "PRADA", "SynchroTrap"}
    assert all(row["n_campaigns"] == 1 and row["seconds"] > 0 and row["peak_bytes"] > 0 for row in rows)
    assert {row["n_benign_accounts"] for row in rows} == {rows[0]["n_benign_accounts"]}


def test_a_mistaken_name_or_folder_is_named_in_the_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--world", str(tmp_path), "--only", "nobody"]) == 2
    assert "'nobody'" in capsys.readouterr().err
    assert main(["--world", str(tmp_path)]) == 2
    assert "labels.parquet: no such file" in capsys.readouterr().err
