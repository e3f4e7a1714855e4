"""The quality benchmark on a hamlet: played night by night, judged, and written down."""

import json
import sys
from pathlib import Path

import pytest
from running import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import quality

from pipelines.simulate import load_scenario
from pipelines.simulate.spec import EVASIONS

HAMLET = """
nights = 3
[benign]
person_chat = 150
single_purpose_app = 5
[[campaign]]
name = "tallow"
kind = "synchronised"
accounts = 30
requests_per_day = 20
"""


@pytest.fixture
def hamlet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quality, "RESULTS", tmp_path / "results")
    path = tmp_path / "hamlet.toml"
    path.write_text(HAMLET)
    return path


def rows_of(tmp_path: Path) -> list[dict[str, object]]:
    (path,) = (tmp_path / "results").glob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_hamlet_played_night_by_night_is_judged_and_written_down(hamlet: Path, tmp_path: Path) -> None:
    page = tmp_path / "quality.md"
    options = ["--scenario", str(hamlet), "--play", "--seeds", "1", "--split", "tune", "--out", str(page)]
    quality.main(options)
    rows = rows_of(tmp_path)
    [run] = [row for row in rows if row["row"] == "run"]
    [campaign] = [row for row in rows if row["row"] == "campaign"]
    assert run["nights"] == 3
    assert campaign["detected"]
    assert run["n_banned"] > 0  # what was flagged was shut before the next night
    assert campaign["n_accounts"] > 30  # and the operator brought others
    text = page.read_text()
    assert "## `hamlet`, words from own corpus" in text
    assert "| synchronised |" in text or "1 of 1 campaigns found" in text
    assert str(tmp_path) not in text


def test_a_run_whose_results_are_there_is_not_made_again(hamlet: Path, tmp_path: Path) -> None:
    options = ["--scenario", str(hamlet), "--seeds", "1", "--out", str(tmp_path / "quality.md")]
    quality.main(options)
    before = rows_of(tmp_path)
    hamlet.write_text("this is no scenario any more")
    quality.main(options)
    assert rows_of(tmp_path) == before


def test_every_row_of_the_evasion_matrix_is_a_world_of_its_own(hamlet: Path, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    plans = {variant: load_scenario("", path).campaign for variant, path in quality._evasions()}
    assert {len(campaigns) for campaigns in plans.values()} == {2}
    alone = {campaigns[0].evasions for campaigns in plans.values() if len(campaigns[0].evasions) <= 1}
    assert alone == {(), *((evasion,) for evasion in EVASIONS)}
    assert plans["all"][0].evasions == plans["all"][1].evasions == tuple(sorted(EVASIONS))
