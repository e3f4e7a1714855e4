"""The quality benchmark on a hamlet: played night by night, judged, and written down."""

import json
import sys
from pathlib import Path

import pytest
from hamlet import HAMLET
from running import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import quality
import quality_runs

from pipelines.simulate import load_scenario
from pipelines.simulate.spec import EVASIONS


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quality_runs, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def hamlet(tmp_path: Path, results: Path) -> Path:
    path = tmp_path / "hamlet.toml"
    path.write_text(HAMLET)
    return path


def rows_of(results: Path) -> list[dict[str, object]]:
    (path,) = results.rglob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_hamlet_played_night_by_night_is_judged_and_written_down(hamlet, results, tmp_path) -> None:
    page = tmp_path / "quality.md"
    options = ["--scenario", str(hamlet), "--play", "--seeds", "1", "--split", "tune", "--out", str(page)]
    quality.main(options)
    rows = rows_of(results)
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


def test_runs_add_up_and_one_that_is_there_is_not_made_again(hamlet, results, tmp_path) -> None:
    page = tmp_path / "quality.md"
    options = ["--scenario", str(hamlet), "--split", "tune", "--out", str(page)]
    quality.main([*options, "--seeds", "1"])
    before = rows_of(results)
    assert "Seeds: 1; worlds: 1;" in page.read_text()
    quality.main([*options, "--seeds", "2"])
    assert "Seeds: 2; worlds: 2;" in page.read_text()
    hamlet.write_text("this is no scenario any more")
    quality.main([*options, "--seeds", "2"])
    first = sorted(results.glob("*.jsonl"))[0]
    assert [json.loads(line) for line in first.read_text().splitlines()] == before


def test_a_result_of_other_code_stays_on_the_page_marked_and_can_be_made_anew(
    hamlet, results, tmp_path
) -> None:
    page = tmp_path / "quality.md"
    options = ["--scenario", str(hamlet), "--split", "tune", "--seeds", "1", "--out", str(page)]
    quality.main(options)
    assert "**Stale:**" not in page.read_text()
    (path,) = results.glob("*.jsonl")
    now = path.read_text()
    path.write_text(now.replace('"code": "', '"code": "x').replace('"commit": "', '"commit": "old'))
    quality.main([*options, "--page"])
    assert "**Stale:** These results are of earlier code" in page.read_text()
    assert "## `hamlet`, words from own corpus" in page.read_text()
    quality.main([*options, "--stale"])
    assert "**Stale:**" not in page.read_text()

    def figures(text: str) -> list[dict[str, object]]:
        return [row for row in map(json.loads, text.splitlines()) if row["row"] != "run"]

    assert figures(path.read_text()) == figures(now)


def test_a_run_that_is_broken_off_leaves_nothing_that_looks_like_a_result(results) -> None:
    def broken_off():
        yield {"row": "campaign"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quality_runs.keep(results / "hamlet-tune-own-1.jsonl", broken_off())
    assert not list(results.glob("*.jsonl"))


def test_what_was_tuned_on_never_becomes_the_page_of_reported_figures(results) -> None:
    assert quality._options(["--split", "tune"]).out.parent == results
    assert quality._options([]).out == ROOT / "docs" / "quality.md"


def test_a_changed_document_makes_no_result_stale_and_a_changed_rule_does(tmp_path: Path) -> None:
    for room in ("detector", "pipelines", "docs"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "thing.py").write_text("one")
    before = quality_runs.made_with(tmp_path)["code"]
    (tmp_path / "docs" / "thing.py").write_text("other")
    assert quality_runs.made_with(tmp_path)["code"] == before
    for somebody_elses in ("sources/theirs.py", "sql/bodies.sql"):
        path = tmp_path / "pipelines" / "adapters" / somebody_elses
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("other")
        assert quality_runs.made_with(tmp_path)["code"] == before
    (tmp_path / "pipelines" / "adapters" / "sql" / "casts.sql").write_text("other")
    assert quality_runs.made_with(tmp_path)["code"] != before
    (tmp_path / "detector" / "thing.py").write_text("other")
    assert quality_runs.made_with(tmp_path)["code"] != before


def test_every_row_of_the_evasion_matrix_is_a_world_of_its_own(tmp_path: Path) -> None:
    plans = {variant: load_scenario("", path).campaign for variant, path in quality_runs.evasions(tmp_path)}
    assert {len(campaigns) for campaigns in plans.values()} == {2}
    alone = {campaigns[0].evasions for campaigns in plans.values() if len(campaigns[0].evasions) <= 1}
    assert alone == {(), *((evasion,) for evasion in EVASIONS)}
    assert plans["all"][0].evasions == plans["all"][1].evasions == tuple(sorted(EVASIONS))
