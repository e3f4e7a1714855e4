"""What the detect stage costs: everything of a night after its texts, by step, in time and memory.

    python benchmarks/detect_scale.py [--accounts 1000000] [--requests 16000000] [--hostile KIND] [--growth]

Makes once (bench-data/, kept) a warehouse as the text stage leaves it, with three nights before
(detect_world). Then runs, in a process of its own, every later step on it: features, scores, what accounts
share, candidates, what fills their slots, evidence, verdicts, links, histories, the rows of all that,
publication. Prints seconds by step, the largest memory, and how often a fixed query of DuckDB's over the
same requests fits into the whole: a busy machine slows both. `--growth` does a tenth and a third of the
size as well, and prints the cost of an account at each.

Hostile kinds: `everybody` (one address, client, card, system prompt and template for all), `groups` (a
group for every hundred and fifty accounts), `hoarders` (thousands of accounts, each with as many addresses
and settings as it has requests, all of them others' too), `crowd` (one group of a tenth of all accounts).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from detect_world import DAY, Size, after_text, make_world, ordinary
from scan_throughput import machine, versions

from pipelines import campaigns, features, lone, nightly, publish, scores
from pipelines.campaigns import judging, writing
from pipelines.settings import Settings
from pipelines.warehouse.opening import open_warehouse
from pipelines.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent

YARDSTICK = """
SELECT count(*), sum(n_prompts) FROM (
    SELECT account_id, count(DISTINCT prompt_hash) AS n_prompts, max(sent_at), sum(output_tokens)
    FROM core.request WHERE day = $day GROUP BY account_id)
"""

HOSTILE: dict[str, Callable[[Size], Size]] = {
    "everybody": lambda size: replace(size, one_object=1),
    "groups": lambda size: replace(size, n_campaigns=size.n_accounts // 150),
    "hoarders": lambda size: replace(
        size, n_hoarders=size.n_accounts // 50, n_hoarded=max(size.n_accounts // 200, 2)
    ),
    "crowd": lambda size: replace(size, largest_group=size.n_accounts // 10),
}

INSIDE: tuple[tuple[Any, str], ...] = (
    (campaigns, "fetch_night"),
    (campaigns.detect, "shared_objects"),
    (campaigns.detect, "candidates"),
    (campaigns.detect, "group_of"),
    (judging, "with_samples"),
    (campaigns.detect, "weigh"),
    (campaigns.detect, "standing"),
    (campaigns, "held_together"),
    (campaigns, "write_candidates"),
    (writing, "identities"),
    (campaigns, "write_campaigns"),
    (lone, "measure_busy"),
    (lone, "judge_alone"),
)
"""Parts of the step `campaigns` that are timed apart: where the step looks each one up, and its name."""


@dataclass(frozen=True, slots=True)
class Run:
    """One detect stage as it went: seconds by step, in order; indented names are parts of the step before."""

    steps: dict[str, tuple[float, int]]
    """seconds of each, and the most bytes in memory while it ran"""
    seconds: float
    yardstick_s: float
    peak_bytes: int
    found: str


class Steps:
    """Seconds and memory of named steps, which may lie in one another; one that comes again adds up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peak_bytes: dict[str, int] = {}
        self._running: list[str] = []

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Time a step while the block runs."""
        began = time.perf_counter()
        self._running.append(name)
        self._look()
        try:
            yield
        finally:
            self._look()
            self._running.remove(name)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
            if not name.startswith(" "):
                print(f"{name} {self.seconds[name]:.2f} s", file=sys.stderr)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at the memory of the steps that run, twenty times a second while the block does."""
        done = threading.Event()

        def look_on() -> None:
            while not done.wait(0.05):
                self._look()

        watcher = threading.Thread(target=look_on)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _look(self) -> None:
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        for name in tuple(self._running):
            self.peak_bytes[name] = max(self.peak_bytes.get(name, 0), resident)


def main() -> None:
    options = _options()
    if options.inside is not None:
        print(json.dumps(measure(Workspace(Path(options.inside)))))
        return
    shares = (10, 3, 1) if options.growth else (1,)
    print(f"machine   {machine()}; load {os.getloadavg()[0]:.1f}\nversions  {versions()}")
    for share in shares:
        size = ordinary(options.accounts // share, options.requests // share)
        show(size if options.hostile is None else HOSTILE[options.hostile](size))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=16_000_000)
    parser.add_argument("--hostile", choices=sorted(HOSTILE), help="what an adversary makes of the night")
    parser.add_argument("--growth", action="store_true", help="a tenth and a third of the size as well")
    parser.add_argument("--inside", help=argparse.SUPPRESS)  # the workspace to measure, in this process
    return parser.parse_args()


def show(size: Size) -> None:
    """Measure one size and print it."""
    run = run_apart(make_world(size))
    print(f"\nnight     {size.n_accounts:,} accounts, {size.n_requests:,} requests; {run.found}")
    print(f"whole     {run.seconds:.1f} s, {1e6 * run.seconds / size.n_accounts:.0f} us an account")
    print(f"ratio     {run.seconds / run.yardstick_s:.1f} times the yardstick ({run.yardstick_s:.2f} s)")
    print(f"peak      {run.peak_bytes / 1e9:.2f} GB")
    for name, (seconds, peak_bytes) in run.steps.items():
        print(f"  {name:<28}{seconds:8.2f} s{peak_bytes / 1e9:8.2f} GB")


def run_apart(workspace: Workspace) -> Run:
    """The detect stage in a process of its own, so that its largest memory is its own, too."""
    command = [sys.executable, str(Path(__file__)), "--inside", str(workspace.root)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    answer = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return Run(**json.loads(answer.stdout.splitlines()[-1]))


def measure(workspace: Workspace) -> dict[str, Any]:
    """Every step after the text stage, in the order of the night; the fields of `Run`."""
    steps = Steps()
    settings = Settings()
    nightly.warm_up()
    with open_warehouse(workspace, settings) as con, steps.watched():
        yardstick_s = min(_yardstick(con) for _ in range(3))
        after_text(con)
        began = time.perf_counter()
        with ThreadPoolExecutor(1) as meanwhile, con.cursor() as beside:
            with steps.timed("features: requests"):
                gathered = features.gather_features(beside, DAY)
            with steps.timed("features: histories"):
                features.store_features(beside, DAY, gathered)
            objects = meanwhile.submit(campaigns.gather_objects, beside, DAY)
            with steps.timed("scores, objects beside"):
                scores.score_accounts(con, DAY, settings)
                gathered_objects = objects.result()
            with steps.timed("campaigns"), _inside(steps):
                found = campaigns.find_campaigns(con, DAY, settings, gathered_objects)
        with steps.timed("publish"):
            publish.publish(con, workspace)
        seconds = time.perf_counter() - began
    return {
        "steps": {name: (seconds, steps.peak_bytes[name]) for name, seconds in steps.seconds.items()},
        "seconds": seconds,
        "yardstick_s": yardstick_s,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "found": f"{found.n_candidates:,} candidates, {found.n_campaigns:,} campaigns, "
        f"{found.n_flagged:,} flagged",
    }


def _yardstick(con: duckdb.DuckDBPyConnection) -> float:
    began = time.perf_counter()
    con.execute(YARDSTICK, {"day": DAY}).fetchall()
    return time.perf_counter() - began


@contextmanager
def _inside(steps: "Steps") -> Iterator[None]:
    """Time the parts of the step `campaigns` while the block runs."""

    def watched(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            with steps.timed(f"  {name}"):
                return run(*given, **named)

        return timed

    kept = [(where, name, getattr(where, name)) for where, name in INSIDE]
    for where, name, run in kept:
        setattr(where, name, watched(name, run))
    try:
        yield
    finally:
        for where, name, run in kept:
            setattr(where, name, run)


if __name__ == "__main__":
    main()
