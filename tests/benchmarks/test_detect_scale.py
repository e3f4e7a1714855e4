"""The benchmark of the detect stage runs on a small world. Never how fast: only that it fits and finds."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from pipelines.settings import Settings
from pipelines.warehouse.opening import open_warehouse

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scale(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("detect_scale")


@pytest.fixture
def small(scale: ModuleType):
    return replace(scale.ordinary(1_200, 20_000), n_campaigns=10)


def test_a_run_measures_every_part_and_finds_campaigns(scale: ModuleType, small, tmp_path: Path) -> None:
    run = scale.run_apart(scale.make_world(small, tmp_path))
    parts = {f"  {name}" for _, name in scale.INSIDE}
    assert parts <= run.steps.keys()
    assert run.seconds >= sum(seconds for name, (seconds, _) in run.steps.items() if name[0] != " ") * 0.99
    assert all(1e8 < peak_bytes <= run.peak_bytes for _, peak_bytes in run.steps.values())
    assert not run.found.startswith("0 candidates, 0 campaigns")


def test_a_world_has_the_size_and_skew_it_was_asked_for(scale: ModuleType, small, tmp_path: Path) -> None:
    workspace = scale.make_world(small, tmp_path)
    with open_warehouse(workspace, Settings()) as con:
        nights = con.execute(
            "SELECT count(*), count(DISTINCT account_id) FROM core.request GROUP BY day ORDER BY day DESC"
        ).fetchall()
        loads = con.execute(
            "SELECT count(*) AS n FROM core.request WHERE day = (SELECT max(day) FROM core.request) "
            "GROUP BY account_id ORDER BY n DESC"
        ).fetchnumpy()["n"]
        known = con.execute("SELECT count(DISTINCT campaign_id) FROM night.campaign").fetchall()[0][0]
    n_requests, n_accounts = nights[0]
    assert n_accounts == 1_200
    assert abs(n_requests / 20_000 - 1) < 0.15
    assert loads[:12].sum() > 0.05 * loads.sum()  # the busiest hundredth
    assert [0.8 < sent / n_requests < 1 for sent, _ in nights[1:]] == [True] * 3
    assert known == 5


@pytest.mark.parametrize("kind", ["crowd", "everybody", "groups", "hoarders"])
def test_a_hostile_night_is_scanned_to_its_end(scale: ModuleType, small, tmp_path: Path, kind: str) -> None:
    size = scale.HOSTILE[kind](small)
    assert size.name != small.name
    assert scale.run_apart(scale.make_world(size, tmp_path)).seconds > 0
