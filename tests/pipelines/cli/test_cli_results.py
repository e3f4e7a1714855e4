"""What was found and decided, on standard output: streams, pipes, decisions and their export."""

import json
import subprocess
import sys

import pytest
import story
from running import stillwatch

from pipelines.summary import show_drift_of


def test_results_go_to_standard_output_and_nothing_else_does(told):
    done = stillwatch("findings", "--workspace", told.root, "--what", "accounts", "--format", "jsonl")
    assert done.returncode == 0
    assert done.stderr == ""
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"account_id", "campaign_id", "score", "reasons"} <= rows[0].keys()


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
def test_a_reader_that_has_seen_enough_is_no_error(told, form):
    command = [sys.executable, "-m", "pipelines.cli", "findings", "-w", str(told.root), "--format", form]
    findings = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert findings.stdout is not None
    findings.stdout.close()  # what `| head` does, only sooner
    assert findings.stderr is not None
    messages = findings.stderr.read()
    assert findings.wait(timeout=60) == 0
    assert messages == ""


def test_a_decision_from_the_terminal_is_exported_and_counted(told, tmp_path):
    """Ana approves a campaign; the enforcement list holds its accounts; the status tells what is left."""
    before = stillwatch("status", "--workspace", told.root).stdout
    decided = stillwatch(
        *("decide", "cmp-kiln", "--workspace", told.root, "--verdict", "approve", "--action", "suspend"),
        *("--by", "ana", "--reason", "one work queue over all of them"),
    )
    assert decided.returncode == 0, decided.stderr
    assert decided.stdout.startswith("campaign cmp-kiln: approve, suspend, reaching")
    out = tmp_path / "enforce.csv"
    exported = stillwatch("export", "--workspace", told.root, "--format", "csv", "--out", out)
    assert exported.returncode == 0, exported.stderr
    assert "kiln-05" in out.read_text()
    assert "manifest" in exported.stdout
    after = stillwatch("status", "--workspace", told.root).stdout
    assert _open_cases(after) == _open_cases(before) - 1
    assert "1 approved" in after
    again = stillwatch("export", "--workspace", told.root, "--format", "csv", "--out", out)
    assert again.returncode == 2  # a list that may have been acted upon is never replaced


def _open_cases(status: str) -> int:
    return int(status.split("Open cases: ")[1].split(maxsplit=1)[0])


def test_a_file_that_cannot_be_written_is_named(told, tmp_path):
    out = tmp_path / "no such folder" / "findings.jsonl"
    done = stillwatch("findings", "--workspace", told.root, "--format", "jsonl", "--out", out)
    assert done.returncode == 2
    assert "no such folder" in done.stderr
    assert "remedy: " in done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ["cmp-nobody", "--verdict", "dismiss", "--reason", "r"],
        ["cmp-kiln", "--verdict", "approve", "--reason", "no action"],
        ["cmp-kiln", "--verdict", "dismiss", "--reason", " "],
        ["cmp-kiln", "--verdict", "dismiss", "--action", "suspend", "--reason", "r"],
        ["cmp-kiln", "--verdict", "watch", "--reason", "r", "--expires", "2020-01-01"],
    ],
    ids=["unknown", "no action", "no reason", "action without approval", "past"],
)
def test_half_a_decision_is_refused_with_a_remedy(told, wrong):
    done = stillwatch("decide", *wrong, "--workspace", told.root, "--by", "ana")
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "remedy: " in done.stderr


def test_the_status_of_an_empty_workspace_says_so(tmp_path):
    done = stillwatch("status", "--workspace", tmp_path)
    assert done.returncode == 0
    assert "no night was scanned" in done.stdout


def test_the_status_shows_nights_refusals_and_disk(told):
    done = stillwatch("status", "--workspace", told.root)
    assert done.returncode == 0, done.stderr
    for night in story.NIGHTS:
        assert night.isoformat() in done.stdout
    assert "published.duckdb" in done.stdout
    said = " ".join(done.stdout.split())
    assert "Warning: calibration has drifted: 18.0% of the ordinary accounts of the group person" in said
    assert "remedy: p-values of this kind are too small" in said


def test_a_scan_ends_with_the_warnings_of_its_last_night_only(told, capsys):
    show_drift_of(told, story.SECOND)
    assert capsys.readouterr().out == ""
    show_drift_of(told, story.THIRD)
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("Warning: calibration has drifted") == 1
    assert "n_ips (distance 0.41)" in said


def test_findings_of_a_hostile_night_are_shown_harmless(told):
    for what in ("campaigns", "accounts"):
        shown = stillwatch("findings", "--workspace", told.root, "--what", what)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.replace("\n", "").isprintable()
    assert story.HOSTILE["formula"] in shown.stdout
