"""The journal of scans: what happened, step by step, and no words of a prompt."""

import json

import pytest

from pipelines import journal
from pipelines.progress import Silent
from pipelines.workspace import Workspace


def test_the_journal_has_a_line_per_step_under_one_run(tmp_path):
    workspace = Workspace(tmp_path / "w")
    with (
        journal.journaled(workspace, Silent(), logs=["a.parquet"]) as progress,
        progress.step("load") as step,
    ):
        step.note("3 requests")
    with (
        pytest.raises(RuntimeError),
        journal.journaled(workspace, Silent(), logs=[]) as progress,
        progress.step("features"),
    ):
        raise RuntimeError("the planted prompt")
    text = (workspace.root / "logs" / "scan.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines] == ["began", "step", "began", "step", "failed"]
    assert lines[1] | {"name": "load", "outcome": "done", "note": "3 requests"} == lines[1]
    assert lines[3]["outcome"] == "failed"
    assert len({line["run"] for line in lines}) == 2
    assert all(line["at"].endswith("Z") for line in lines)
    assert "planted" not in text
