"""Every detector on the same worlds, one table.

    python benchmarks/peers --world DIR [--world DIR ...]
    python benchmarks/peers [--scale small] [--scenario FILE] [--seed N ...] [--prompts DIR]

A world is a folder that `stillwatch simulate` wrote; without one, it is simulated into a temporary folder,
once per seed. Each detector runs in a process of its own and sees logs and accounts; labels are read by the
judge alone, after all have finished.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from benchmarks.peers.one import EMBEDDING, Run, run_apart
from benchmarks.peers.peer import no_flags
from benchmarks.peers.registry import PEERS
from benchmarks.peers.scorecard import Truth, best_with_labels, score
from benchmarks.peers.table import FIXED, ORACLE, SPARING_ORACLE, SPARING_PER_MILLION, Row, as_table
from benchmarks.peers.world import World
from pipelines.errors import StillwatchError, UsageError
from pipelines.evaluation import read_labels
from pipelines.simulate import simulate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison and print it; 0 when all went well."""
    options = _options(arguments)
    names = [peer.name for peer in PEERS]
    for only in options.only:
        if not any(name.lower().startswith(only.lower()) for name in names):
            print(f"error: no detector begins with {only!r}; there are {', '.join(names)}", file=sys.stderr)
            return 2
    try:
        with _worlds(options) as worlds:
            rows = [row for world in worlds for row in compare(world, options.only, label=world.root.name)]
    except StillwatchError as error:
        print(f"error: {error}\n  remedy: {error.remedy}", file=sys.stderr)
        return 2
    print("\n".join(row.as_json() for row in rows) if options.format == "jsonl" else as_table(rows))
    return 0


def compare(world: World, only: Sequence[str] = (), *, label: str) -> list[Row]:
    """The rows of all detectors, or of those whose names begin as `only` says, on one world."""
    starts = tuple(name.lower() for name in only)
    chosen = [peer for peer in PEERS if not only or peer.name.lower().startswith(starts)]
    labels = world.root / "labels.parquet"
    if not labels.is_file():
        raise UsageError(f"{labels}: no such file", remedy="name a folder that `stillwatch simulate` wrote")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        prepared = None
        runs: dict[str, Run] = {}
        for peer in chosen:
            if prepared is None and peer.name.startswith(("MMD", "PRADA")):
                prepared = _told(EMBEDDING, world, scratch)
            runs[peer.name] = _told(peer.name, world, scratch)
    truth = _truth(world)
    rows = [row for name, run in runs.items() for row in _rows(label, name, run, truth)]
    if prepared is not None:
        print(f"{label}: vectors for MMD and PRADA took {prepared.seconds:.1f} s", file=sys.stderr)
    return rows


def _told(name: str, world: World, scratch: Path) -> Run:
    run = run_apart(name, world, scratch)
    print(f"  {name:<24}{run.seconds:8.1f} s  {run.peak_bytes / 1e6:6,.0f} MB", file=sys.stderr)
    return run


def _truth(world: World) -> Truth:
    activity = [
        world.night(day)
        .group_by("account_id")
        .agg(pl.len().alias("n_requests"))
        .with_columns(pl.lit(day).alias("day"))
        for day in world.days
    ]
    return Truth(read_labels(world.root / "labels.parquet"), pl.concat(activity), world.days)


def _rows(label: str, name: str, run: Run, truth: Truth) -> Iterator[Row]:
    fixed = ((run.found.point, run.found.flags), *run.found.stated)
    for number, (point, flags) in enumerate(fixed):
        notes = run.found.notes if number == 0 else ()
        yield Row(label, name, point, FIXED, score(flags, truth), run.seconds, run.peak_bytes, notes)
    if not run.found.others:
        return
    points = (*fixed, *run.found.others)
    for chosen, most in ((ORACLE, math.inf), (SPARING_ORACLE, SPARING_PER_MILLION)):
        best = best_with_labels(points, truth, most) or (
            "no threshold is as sparing",
            score(no_flags(), truth),
        )
        yield Row(label, name, best[0], chosen, best[1], run.seconds, run.peak_bytes)


@contextmanager
def _worlds(options: argparse.Namespace) -> Iterator[Iterator[World]]:
    """The worlds named, or simulated ones, one at a time and gone afterwards."""
    if options.world:
        yield (World(folder) for folder in options.world)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _simulated(options, Path(folder))


def _simulated(options: argparse.Namespace, folder: Path) -> Iterator[World]:
    for seed in options.seed or [1]:
        name = options.scenario.stem if options.scenario else options.scale
        out = folder / f"{name}, seed {seed}, split {options.split}"
        made = simulate(
            out,
            scale=options.scale,
            scenario=options.scenario,
            days=options.days,
            seed=seed,
            prompts=options.prompts,
            split=options.split,
        )
        print(f"{out.name}: {made.as_line()}", file=sys.stderr)
        yield World(out)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/peers",
        description="Other published detectors on the very logs Stillwatch is judged on.",
    )
    parser.add_argument("--world", type=Path, action="append", help="a simulated world; may be repeated")
    parser.add_argument("--scale", default="small", help="preset to simulate when no world is named")
    parser.add_argument("--scenario", type=Path, help="scenario file to simulate instead of a preset")
    parser.add_argument("--days", type=int, help="nights to simulate instead of the scenario's")
    parser.add_argument("--seed", type=int, action="append", help="seed to simulate; may be repeated")
    parser.add_argument("--prompts", type=Path, help="folder of pools of real prompts")
    parser.add_argument(
        "--split", default="all", help="sources and streams to simulate from: tune, report or all"
    )
    parser.add_argument("--only", action="append", default=[], help="detectors whose names begin so")
    parser.add_argument("--format", choices=("table", "jsonl"), default="table")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
