"""How fast worlds are written, and whether memory grows with their nights.

    python benchmarks/simulation_speed.py [--scale medium] [--prompts ../shared/pools]

Runs `stillwatch simulate` in a process of its own, from its start to its end, for one night and for all
nights of the scale: requests a second, peak memory, and the ratio of the two memories.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Made:
    """One simulation as it went."""

    n_requests: int
    n_nights: int
    seconds: float
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", default="medium", help="the world to make")
    parser.add_argument("--prompts", type=Path, help="pools of real prompts; without, our own corpus")
    options = parser.parse_args()
    words = [] if options.prompts is None else ["--prompts", str(options.prompts.resolve())]
    one, whole = (simulated(["--scale", options.scale, *words, *days]) for days in (["--days", "1"], []))
    for made in (one, whole):
        print(
            f"{made.n_nights} night{'s' if made.n_nights > 1 else ''}:  {made.n_requests:,} requests in "
            f"{made.seconds:.1f} s   {made.n_requests / made.seconds:,.0f} requests/s   "
            f"peak memory {made.peak_bytes / 1e9:.2f} GB"
        )
    print(f"memory of {whole.n_nights} nights to that of one: {whole.peak_bytes / one.peak_bytes:.2f}")


def simulated(options: list[str]) -> Made:
    """Run the command with these options into a folder that is removed again."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "world"
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "simulate", "--out", str(out), *options],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"simulate {' '.join(options)} ended with {process.returncode}")
        nights = sorted((out / "logs").glob("day=*"))
        n_requests = sum(pq.read_metadata(path).num_rows for night in nights for path in night.iterdir())
        return Made(n_requests, len(nights), seconds, used.ru_maxrss * 1024)


if __name__ == "__main__":
    main()
