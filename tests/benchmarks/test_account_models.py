"""The choice of account models: operating points as defined, and the whole command on a world of our own."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

SCENARIO = """
nights = 4
[benign]
person_chat = 400
single_purpose_app = 60
gateway = 2
[[campaign]]
name = "hermit"
kind = "lone_extractor"
accounts = 1
requests_per_day = 900
begins = 3
[[campaign]]
name = "tallow"
kind = "synchronised"
accounts = 12
requests_per_day = 30
begins = 3
"""


@pytest.fixture
def points(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("account_operating_points")


def test_every_campaign_counts_alike_and_ties_flag_nobody(points):
    benign, large, small = 1_000, 30, 2
    crowd = points.Crowd(
        is_campaign=np.arange(benign + large + small) >= benign,
        campaign=np.array([""] * benign + ["large"] * large + ["small"] * small, object),
        kind=np.array(
            ["person_chat"] * 900 + ["gateway"] * 100 + ["relay"] * large + ["lone_extractor"] * small
        ),
    )
    score = np.r_[np.zeros(900), np.full(100, 5.0), np.full(large, 5.0), np.full(small, 9.0)]
    strict = points.figures("x", score, crowd, "own", 1, explained=0.0, seconds=0.0, peak_mb=0.0).points[0]
    assert (strict.per_campaign, strict.lone, strict.relay) == (0.5, 1.0, 0.0)
    assert strict.accounts == pytest.approx(2 / 32)
    assert strict.worst_share == 0.0
    score[895:900] = 6.0
    wronged = points.figures("x", score, crowd, "own", 1, explained=0.0, seconds=0.0, peak_mb=0.0).points[0]
    assert (wronged.worst_kind, wronged.worst_share) == ("person_chat", pytest.approx(5 / 900))


def test_the_command_makes_worlds_scans_them_and_writes_the_page(tmp_path):
    scenario, out = tmp_path / "tiny.toml", tmp_path / "page.md"
    scenario.write_text(SCENARIO)
    command = [sys.executable, "benchmarks/account_models.py", "--seeds", "1", "--scenario", str(scenario)]
    command += [
        "--kept",
        str(tmp_path / "kept"),
        "--out",
        str(out),
        "--detectors",
        "tails",
        "isolation",
        "KNN",
    ]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = out.read_text("utf-8")
    assert "Worlds: own 1." in page
    for name in ("| tails |", "| isolation |", "| KNN |", "| **mean of tails and isolation** |"):
        assert name in page
