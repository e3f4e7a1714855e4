"""Which detector finds whom among an account's peers: every candidate on the same nights, and pairs of them.

    python benchmarks/account_models.py [--seeds 3] [--prompts ../shared/pools]

Worlds of the `tune` split (account_models.toml beside this file) are simulated and scanned; what each night's
accounts were given to the models, their earlier nights' reference and their labels is kept in
bench-data/account-models, and a world that is there is not made again. Then every detector scores the same
matrices: one-sided suspicion within peer groups, fitted on tonight and the reference together. The page says
whom each finds at fixed rates of false positives, whom it wrongs most, what it costs, and whether the reasons
shown with a score are its reasons.
"""

import argparse
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from account_detectors import DETECTORS, Detector
from account_models_page import page
from account_operating_points import Crowd, Figures, figures
from scipy.stats import rankdata

from detector.models import TailModel
from detector.models.calibration import surprise
from detector.models.scoring import REASONS, PeerMatrix, peer_matrices
from pipelines import nightly, scores
from pipelines.settings import load_settings
from pipelines.simulate import simulate
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace

Float64 = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "bench-data" / "account-models"
PAGE = ROOT / "docs" / "reference" / "account-models.md"
SCENARIO = Path(__file__).resolve().with_suffix(".toml")

EARLIER_NIGHTS = 2
"""Nights that only calibrate: the third is the first that is judged."""

MOST_EXPLAINED = 40
"""Accounts per peer group and night whose reasons are put to the test, the highest scores first."""

RULES = ("mean", "max", "rank mean")


@dataclass(frozen=True, slots=True)
class World:
    """One simulated service; its nights once they are kept."""

    texts: str
    seed: int
    prompts: Path | None
    scenario: Path
    kept: Path = KEPT

    @property
    def folder(self) -> Path:
        """Where its nights are kept."""
        return self.kept / f"{self.scenario.stem}-{self.texts}-{self.seed}"


@dataclass(slots=True)
class Measured:
    """What one detector did in one world: rows are accounts of all judged nights, in one order for all."""

    name: str
    surprise: list[Float64] = field(default_factory=list)
    seconds: float = 0.0
    peak_mb: float = 0.0
    explained: list[float] = field(default_factory=list)
    failed: bool = False


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    found: list[Figures] = []
    for world in _worlds(options):
        if not (world.folder / "labels.parquet").exists():
            _make(world)
        found += _judged(world, options.detectors)
        print(f"{world.folder.name}: {len(options.detectors)} detectors", file=sys.stderr)
    options.out.write_text(page(found), encoding="utf-8")
    print(f"wrote {options.out}", file=sys.stderr)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = [detector.name for detector in DETECTORS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--prompts", type=Path, help="pools of real prompts, measured beside our own corpus")
    parser.add_argument("--detectors", nargs="+", choices=names, default=names)
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    parser.add_argument("--kept", type=Path, default=KEPT, help="where the nights of worlds are kept")
    parser.add_argument("--out", type=Path, default=PAGE)
    return parser.parse_args(arguments)


def _worlds(options: argparse.Namespace) -> Iterator[World]:
    for seed in range(1, options.seeds + 1):
        yield World("own", seed, None, options.scenario, options.kept)
        if options.prompts:
            yield World("pools", seed, options.prompts, options.scenario, options.kept)


# -- worlds -----------------------------------------------------------------------------------------


def _make(world: World) -> None:
    """Simulate and scan, then keep what the models were given."""
    world.kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=world.kept, prefix="world-") as folder:
        out, workspace = Path(folder) / "world", Workspace(Path(folder) / "watch")
        workspace.create().key_file.write_text("the key of a benchmark\n")  # the same figures every time
        simulate(
            out,
            scale="medium",
            scenario=world.scenario,
            seed=world.seed,
            prompts=world.prompts,
            split="tune",
        )
        for logs in sorted((out / "logs").glob("day=*")):
            nightly.scan([str(logs)], workspace, accounts=out / "accounts.parquet", settings=load_settings())
        keep(workspace, out / "labels.parquet", world.folder)


def keep(workspace: Workspace, labels: Path, folder: Path) -> None:
    """Write a scanned workspace's nights to a folder, the labels last."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(workspace.warehouse, read_only=True) as con:
        days = con.execute("SELECT day FROM night.summary ORDER BY day").fetchall()
        for (day,) in days[EARLIER_NIGHTS:]:
            _keep_night(con, day, folder)
    pq.write_table(pq.read_table(labels), folder / "labels.parquet")


def _keep_night(con: duckdb.DuckDBPyConnection, day: date, folder: Path) -> None:
    tonight = con.sql(statement("account_scored"), params={"day": day}).to_arrow_table()
    reference = scores.read_reference(con, day)
    pq.write_table(tonight, folder / f"tonight-{day}.parquet")
    pq.write_table(reference, folder / f"reference-{day}.parquet")


# -- judging ----------------------------------------------------------------------------------------


def _judged(world: World, names: Sequence[str]) -> Iterator[Figures]:
    """Figures of every detector, and of every pair by every rule."""
    detectors = [detector for detector in DETECTORS if detector.name in names]
    measured = {detector.name: Measured(detector.name) for detector in detectors}
    accounts: list[pa.Array] = []
    for path in sorted(world.folder.glob("tonight-*.parquet")):
        night = pq.read_table(path)
        reference = pq.read_table(path.with_name(path.name.replace("tonight", "reference")))
        groups = list(peer_matrices(scores.columns_of(night), scores.columns_of(reference)))
        accounts.append(night["account_id"].combine_chunks())
        for detector in detectors:
            if not measured[detector.name].failed:
                _score_night(detector, groups, len(night), measured[detector.name])
    crowd = _crowd(world, pa.concat_arrays(accounts))
    n_nights = len(accounts)
    whole = {m.name: np.concatenate(m.surprise) for m in measured.values() if not m.failed}
    for name, values in whole.items():
        one = measured[name]
        cost = {"seconds": one.seconds / n_nights, "peak_mb": one.peak_mb}
        yield figures(
            name, values, crowd, world.texts, world.seed, explained=float(np.mean(one.explained)), **cost
        )
    for one, other in combinations(whole, 2):
        cost = {
            "seconds": (measured[one].seconds + measured[other].seconds) / n_nights,
            "peak_mb": max(measured[one].peak_mb, measured[other].peak_mb),
        }
        for rule in RULES:
            both = _combined(rule, whole[one], whole[other])
            name = f"{rule} of {one} and {other}"
            yield figures(name, both, crowd, world.texts, world.seed, explained=np.nan, **cost)


def _score_night(detector: Detector, groups: Sequence[PeerMatrix], n: int, out: Measured) -> None:
    found = np.zeros(n)
    for peers in groups:
        try:
            began = time.perf_counter()
            raw, score = detector.fitted(peers.matrix)
            out.seconds += time.perf_counter() - began
        except (ValueError, np.linalg.LinAlgError):
            out.failed = True
            return
        found[peers.members] = surprise(raw)[peers.rows]
        out.explained += _explained(peers, raw, score)
    if not out.peak_mb:
        out.peak_mb = _peak_mb(detector, max(groups, key=lambda peers: peers.matrix.size).matrix)
    out.surprise.append(found)


def _explained(peers: PeerMatrix, raw: Float64, score: object) -> list[float]:
    """For the highest scores: the share of the way down to the median that making the reasons usual goes.

    The reasons are those of the product: the features whose values are rarest among the peers.
    """
    assert callable(score)
    rows = np.argsort(-raw[: peers.n_tonight], kind="stable")[:MOST_EXPLAINED]
    parts = TailModel().fit(peers.matrix).contributions(peers.matrix)[rows]
    named = np.argsort(-parts, axis=1, kind="stable")[:, :REASONS]
    usual = peers.matrix[rows].copy()
    np.put_along_axis(usual, named, 0.0, axis=1)
    middle = np.median(raw)
    above = raw[rows] - middle
    far = above > 0
    left = np.maximum(score(usual)[far] - middle, 0.0) / above[far]
    return (1.0 - np.minimum(left, 1.0)).tolist()


def _peak_mb(detector: Detector, matrix: Float64) -> float:
    tracemalloc.start()
    detector.fitted(matrix)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def _combined(rule: str, one: Float64, other: Float64) -> Float64:
    if rule == "mean":
        return (one + other) / 2
    if rule == "max":
        return np.maximum(one, other)
    return np.asarray(rankdata(one) + rankdata(other), np.float64)


def _crowd(world: World, account_ids: pa.Array) -> Crowd:
    labels = pl.read_parquet(world.folder / "labels.parquet").unique("account_id", keep="first")
    rows = pl.DataFrame({"account_id": pl.Series(account_ids)}).join(
        labels, on="account_id", how="left", maintain_order="left"
    )
    return Crowd(
        is_campaign=(rows["label"] == "campaign").to_numpy(),
        campaign=rows["campaign"].fill_null("").to_numpy(),
        kind=rows["kind"].fill_null("").to_numpy(),
    )


if __name__ == "__main__":
    main()
