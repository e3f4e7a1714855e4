"""One detector on one world, in a process of its own, so that its seconds and its memory are its own.

    python -m benchmarks.peers.one NAME WORLD SCRATCH

Here: running, and leaving the flags in SCRATCH. Not here: the other detectors, the labels (run). NAME may
be `embedding`, which only makes the vectors that several peers share.
"""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.peers.embedding import embed
from benchmarks.peers.peer import FLAG_SCHEMA, Found
from benchmarks.peers.registry import named
from benchmarks.peers.world import World

ROOT = Path(__file__).resolve().parents[2]
EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a detector on a world; `seconds` without imports, `peak_bytes` with them."""

    found: Found
    seconds: float
    peak_bytes: int


def run_apart(name: str, world: World, scratch: Path) -> Run:
    """Run a detector in a new process.

    Raises
    ------
    SystemExit : it failed; its own words are on stderr.
    """
    command = [sys.executable, "-m", "benchmarks.peers.one", name, str(world.root.resolve()), str(scratch)]
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL
    )
    if process.wait() != 0:
        raise SystemExit(f"{name} failed on {world.root}")
    told = json.loads((scratch / "told.json").read_text(encoding="utf-8"))
    flags = pl.read_parquet(scratch / "flags.parquet")

    def of(sort: str) -> tuple[tuple[str, pl.DataFrame], ...]:
        return tuple(
            (
                words,
                flags.filter((pl.col("sort") == sort) & (pl.col("number") == number)).select(*FLAG_SCHEMA),
            )
            for number, words in enumerate(told[sort])
        )

    ((point, at_point),) = of("point")
    found = Found(at_point, point, of("stated"), of("others"), tuple(told["notes"]))
    return Run(found, told["seconds"], told["peak_bytes"])


def _run_here(name: str, world: World, scratch: Path) -> None:
    began = time.perf_counter()
    if name == EMBEDDING:
        embed(world)
        found = Found(pl.DataFrame(schema=FLAG_SCHEMA), "none")
    else:
        found = named(name).find(world)
    seconds = time.perf_counter() - began
    sorts = {"point": ((found.point, found.flags),), "stated": found.stated, "others": found.others}
    frames = [
        flags.with_columns(pl.lit(sort).alias("sort"), pl.lit(number).alias("number"))
        for sort, points in sorts.items()
        for number, (_, flags) in enumerate(points)
    ]
    pl.concat(frames).write_parquet(scratch / "flags.parquet")
    words = {sort: [words for words, _ in points] for sort, points in sorts.items()}
    told = {"seconds": seconds, "peak_bytes": _peak_bytes(), "notes": found.notes, **words}
    (scratch / "told.json").write_text(json.dumps(told), encoding="utf-8")


def _peak_bytes() -> int:
    """The most memory this process had. What the system accounts to a child begins with its parent's size,
    so the process asks for its own; elsewhere than on Linux the account has to do."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    _run_here(sys.argv[1], World(Path(sys.argv[2]), scratch=Path(sys.argv[3])), Path(sys.argv[3]))
