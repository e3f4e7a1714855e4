"""The realism report: it says what it sees, sees the same twice, and tells a true copy from a bad one."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from tests.pools import POOLS, with_pools

ROOT = Path(__file__).parents[2]


@pytest.fixture
def realism(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("realism")


def report(world: Path, out: Path) -> str:
    """Run the command as it is typed; the page it wrote."""
    command = [sys.executable, "benchmarks/realism.py", "--world", str(world), "--out", str(out), str(POOLS)]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (out / "realism.md").read_text("utf-8")


@pytest.fixture(scope="module")
def page(small_world: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return report(small_world, tmp_path_factory.mktemp("report"))


def row(page: str, name: str) -> list[str]:
    """Cells of the table row that begins with a name."""
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {name} |")][:1]
    return [cell.strip() for cell in line.strip("|").split("|")]


@with_pools
def test_every_benign_kind_has_its_rows_and_no_campaign_has(page: str, small_world: Path) -> None:
    labels = pl.read_parquet(small_world / "labels.parquet")
    for label, kind in labels.select("label", "kind").unique().iter_rows():
        assert page.count(f"| {kind} |") == (2 if label == "benign" else 0)
    sizes = labels.filter(pl.col("label") == "benign").group_by("kind").len()
    assert {row(page, kind)[2] for kind in sizes["kind"]} == {f"{n:,}" for n in sizes["len"]}
    assert not any(account in page for account in labels["account_id"])


@with_pools
def test_the_same_world_gives_the_same_bytes(small_world: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        report(small_world, tmp_path / name)
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    assert {str(path) for path in files} == {
        "realism.md",
        *(f"realism/{name}.svg" for name in ("accounts", "days", "lengths")),
    }
    for path in files:
        written = (tmp_path / "one" / path).read_bytes()
        assert written == (tmp_path / "two" / path).read_bytes()
        assert len(written) < 150_000
        if path.suffix == ".svg":
            assert ElementTree.fromstring(written).tag.endswith("svg")


@with_pools
def test_a_copy_of_the_trace_is_as_close_as_the_trace_and_a_distortion_is_not(
    small_world: Path, tmp_path: Path
) -> None:
    trace = pl.read_parquet(POOLS / "trace_azure_llm_2023.parquet").filter(pl.col("type") == "conv")
    answered = trace["output_tokens"].to_numpy()
    rng = np.random.default_rng(1)
    for name, times in (("copy", 1), ("long", 4)):
        shutil.copytree(small_world, tmp_path / name)
        for path in (tmp_path / name).glob("logs/*/*.parquet"):
            rows = pl.read_parquet(path)
            drawn = rng.choice(answered, len(rows)) * times
            rows.with_columns(pl.Series("output_tokens", drawn, rows["output_tokens"].dtype)).write_parquet(
                path
            )
    copy = row(report(tmp_path / "copy", tmp_path / "of-copy"), "conversation: answer tokens")
    long = row(report(tmp_path / "long", tmp_path / "of-long"), "conversation: answer tokens")
    assert copy[-1] == "as close as the trace to itself"
    assert long[-1] == "apart"
    assert float(long[4]) > 5 * float(copy[4])
    assert float(long[6]) < 0.1  # its shape is the trace's still: only the level is off


@with_pools
def test_labels_may_name_generators(small_world: Path, tmp_path: Path) -> None:
    shutil.copytree(small_world, tmp_path / "world")
    labels = pl.read_parquet(small_world / "labels.parquet")
    named = labels.with_columns(generator=pl.col("kind") + (pl.int_range(pl.len()) % 2).cast(pl.String))
    named.write_parquet(tmp_path / "world" / "labels.parquet")
    assert row(report(tmp_path / "world", tmp_path / "out"), "person_chat")[1] == "2"


def test_a_folder_that_is_no_world_is_named(realism: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no logs/day=\*/\*\.parquet"):
        realism.read_world(tmp_path)


def test_distances_are_those_of_small_examples(realism: ModuleType) -> None:
    a = np.array([10.0, 20.0, 30.0, 40.0])
    assert realism.gap(a, a) == 0
    assert realism.gap(a, a + 100) == 1
    assert realism.factor(a, a * 3) == pytest.approx(3)
    day, other = np.eye(24)[3], np.eye(24)[4]
    assert realism.moved(day, day) == 0
    assert realism.moved(day, other) == 1
    assert realism.moved(day + other, other) == 0.5
    assert realism.verdict(0.05, 0.05) == "as close as the trace to itself"
    assert realism.verdict(0.09, 0.01) == "close"
    assert realism.verdict(0.3, 0.1) == "apart"


def test_gini_is_nought_for_equals_and_near_one_for_a_monopoly(realism: ModuleType) -> None:
    gini = importlib.import_module("realism_world").gini
    assert gini(np.full(10, 7.0)) == pytest.approx(0)
    assert gini(np.array([0.0] * 9 + [5.0])) == pytest.approx(0.9)
    assert np.isnan(gini(np.zeros(4)))
