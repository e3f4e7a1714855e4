"""The demo: it runs again to the same findings, and never touches a folder that is not its own."""

import subprocess
from pathlib import Path

import pytest
from running import SCENARIO, stillwatch

from pipelines import demo as demo_module
from pipelines.errors import UsageError, WorkspaceBusy
from pipelines.workspace import Workspace


def test_the_demo_never_touches_a_folder_it_did_not_make(tmp_path):
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "dear.txt").write_text("keep me")
    with pytest.raises(UsageError, match="not made by the demo"):
        demo_module.clear_earlier_demo(Workspace(letters))
    assert (letters / "dear.txt").read_text() == "keep me"
    assert len(list(letters.iterdir())) == 1


def test_the_demo_replaces_what_an_earlier_demo_made_and_nothing_else(tmp_path):
    workspace = Workspace(tmp_path / "demo")
    demo_module.clear_earlier_demo(workspace)
    (workspace.root / "world" / "logs").mkdir(parents=True)
    (workspace.root / "world" / "labels.parquet").touch()
    for name in ("warehouse.duckdb", "published.duckdb", "cases.sqlite", "notes.txt"):
        (workspace.root / name).touch()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (workspace.root / "logs").symlink_to(outside)
    demo_module.clear_earlier_demo(workspace)
    left = {path.name for path in workspace.root.iterdir()}
    assert left == {demo_module.MARKER, "notes.txt", "scan.lock"}
    assert (outside / "precious").exists()


def test_the_demo_waits_for_no_scan_that_is_running_in_it(tmp_path):
    workspace = Workspace(tmp_path / "demo")
    demo_module.clear_earlier_demo(workspace)
    with workspace.lock(), pytest.raises(WorkspaceBusy):
        demo_module.clear_earlier_demo(workspace)


def test_the_demo_shows_the_whole_way_and_runs_again_to_the_same_findings(tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO)
    place = tmp_path / "my demo"
    first, found = _demo(place, scenario), _findings(place)
    assert "night 2026-03-02 (1 of 2)" in first.stderr
    assert "kiln" in first.stdout  # the evaluation names the planted campaign
    assert first.stdout.splitlines()[-1].strip() == f"stillwatch console --workspace '{place}'"
    _demo(place, scenario)
    assert _findings(place) == found


def _demo(place: Path, scenario: Path) -> subprocess.CompletedProcess[str]:
    done = stillwatch("demo", "--workspace", place, "--scenario", scenario)
    assert done.returncode == 0, done.stderr
    return done


def _findings(place: Path) -> list[str]:
    return [
        stillwatch("findings", "-w", place, "--what", what, "--format", "jsonl").stdout
        for what in ("campaigns", "accounts")
    ]
