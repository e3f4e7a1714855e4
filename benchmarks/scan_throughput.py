"""How fast a whole night is scanned, and in how much memory, against a bare read of the same text.

    python benchmarks/scan_throughput.py [--rows 1000000] [--runs 3]

Makes once (bench-data/, kept) one night of requests of about 800 bytes in Parquet over tens of
thousands of accounts, in the simulator's own words: people's conversations, and templates with fresh
slots. Then measures, on the same files in the same run:

(a) the bare scan: DuckDB reads every prompt and hashes it, and does nothing else;
(b) the night: `stillwatch scan` into an empty workspace, in a process of its own, from its start to its
    end, imports and publication included. Kernels are compiled beforehand: that happens once per
    machine.

Speed is printed, never asserted: a test that fails when a machine is busy teaches people to rerun it.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.record import REQUEST_SCHEMA
from pipelines.simulate.texts import OwnTexts

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "bench-data"

RECIPE = 1
"""Changes when `write_logs` makes other logs, so that old ones are made anew."""

ROWS_PER_FILE = 125_000
PROMPT_BYTES = 800
REQUESTS_PER_ACCOUNT = 16
DAY_US = 86_400_000_000
NIGHT_US = int(np.datetime64("2025-06-01", "us").astype(np.int64))

N_APPLICATIONS = 300
"""The busiest accounts, each with a template of its own."""

N_HARVESTS = 4
"""Templates that a fiftieth of all accounts share out among themselves."""

COVER_SHARE = 0.15
"""Of the requests of templated accounts: ordinary talk."""

Rng = np.random.Generator
Indices = npt.NDArray[np.int64]


def main() -> None:
    options = _options()
    logs = make_logs(options.rows)
    n_bytes = sum(path.stat().st_size for path in logs.iterdir())
    bare_s, text_bytes = bare_scan(logs, runs=5)
    nights = [scan_night(logs) for _ in range(options.runs)]
    best = min(nights, key=lambda night: night.seconds)

    texts = f"{text_bytes / 1e6:,.0f} MB of prompts in {n_bytes / 1e6:,.0f} MB of Parquet"
    print(f"machine         {machine()}")
    print(f"versions        {versions()}")
    print(f"logs            {options.rows:,} requests, {texts}")
    print(f"bare scan       {_pace(options.rows, bare_s)}   (best of 5)")
    print(f"whole night     {_pace(options.rows, best.seconds)}   (best of {len(nights)})")
    print(f"ratio           {best.seconds / bare_s:.1f} times the bare scan")
    print(
        f"processor time  {best.processor_s:.2f} s   (the machine was busy when this is well below the night)"
    )
    print(f"peak memory     {best.peak_bytes / 1e9:.2f} GB")
    print("steps")
    for name, seconds, note in best.steps:
        print(f"  {name:<24}{seconds:8.2f} s  {note}")


def _pace(n_rows: int, seconds: float) -> str:
    return f"{seconds:.2f} s   {n_rows / seconds:,.0f} requests/s"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="requests of the night")
    parser.add_argument("--runs", type=int, default=3, help="scans to take the best of")
    return parser.parse_args()


# -- logs ------------------------------------------------------------------------------------------


def make_logs(n_rows: int) -> Path:
    """The folder with the night's files; made when it is missing or of another recipe."""
    folder = DATA / f"night-{n_rows}-recipe-{RECIPE}"
    if not folder.exists():
        print(f"making {n_rows:,} requests in {folder.relative_to(ROOT)} (once)", file=sys.stderr)
        unfinished = folder.with_name(folder.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        write_logs(unfinished, n_rows)
        unfinished.rename(folder)
    return folder


def write_logs(folder: Path, n_rows: int) -> None:
    """Files of a night, in order of time, the same on every machine."""
    texts = OwnTexts()
    starts = range(0, n_rows, ROWS_PER_FILE)
    for number, first in enumerate(starts):
        size = min(ROWS_PER_FILE, n_rows - first)
        rng = np.random.default_rng([RECIPE, number])
        slice_us = DAY_US // len(starts)
        sent_at_us = NIGHT_US + number * slice_us + np.sort(rng.integers(0, slice_us, size))
        table = requests(texts, sent_at_us, max(n_rows // REQUESTS_PER_ACCOUNT, 1), rng)
        pq.write_table(
            table, folder / f"part-{number:03d}.parquet", compression="zstd", row_group_size=62_500
        )


def requests(texts: OwnTexts, sent_at_us: Indices, n_accounts: int, rng: Rng) -> pa.Table:
    """Rows of the canonical record; a few accounts ask much, most ask little."""
    n = len(sent_at_us)
    account = np.minimum((n_accounts * rng.random(n) ** 2.2).astype(np.int64), n_accounts - 1)
    prompt = prompts(texts, account, rng)
    n_tokens = pc.divide(pc.binary_length(prompt), 4)
    given = {
        "request_id": _ids("req", rng.integers(0, 2**62, n)),
        "ts": pa.array(sent_at_us, pa.timestamp("us", tz="UTC")),
        "account_id": _ids("acct", account),
        "prompt": prompt,
        "org_id": _ids("org", account // 3),
        "api_key_id": _ids("key", account * 2 + rng.integers(0, 2, n)),
        "session_id": _ids("session", account * 64 + sent_at_us % 64),
        "attempt": pa.array(1 + (rng.random(n) < 0.02)),
        "model": _choice(["large-4", "large-5", "small-5"], n, rng),
        "endpoint": _choice(["chat", "responses"], n, rng),
        "system_prompt": systems(texts, account),
        "n_turns": pa.array(rng.integers(1, 9, n)),
        "temperature": pa.array(rng.choice([0.0, 0.2, 0.7, 1.0], n)),
        "max_tokens": pa.array(rng.choice([512, 1024, 4096], n)),
        "stream": pa.array(rng.random(n) < 0.6),
        "input_tokens": n_tokens,
        "output_tokens": pa.array(rng.integers(20, 900, n)),
        "status": pa.array(np.where(rng.random(n) < 0.01, 429, 200)),
        "stop_reason": _choice(["stop", "stop", "length"], n, rng),
        "latency_ms": pa.array(rng.gamma(3.0, 400.0, n).round(1)),
        "ip": _ids("ip", account * 3 + rng.integers(0, 3, n)),
        "country": _choice(["US", "DE", "IN", "BR", "JP"], n, rng),
        "user_agent": _choice(["sdk-python/2.4", "sdk-node/5.1", "browser"], n, rng),
    }
    columns = [
        given[field.name].cast(field.type) if field.name in given else pa.nulls(n, field.type)
        for field in REQUEST_SCHEMA
    ]
    return pa.table(columns, schema=REQUEST_SCHEMA)


def prompts(texts: OwnTexts, account: Indices, rng: Rng) -> pa.Array:
    """Texts of about PROMPT_BYTES: conversations of people, and templates around fresh slots."""
    n = len(account)
    language = np.where(rng.random(n) < 0.7, 0, rng.integers(0, 8, n))
    pieces: list[pa.Array] = []
    n_bytes = np.zeros(n, np.int64)
    while n_bytes.mean() < PROMPT_BYTES:
        theme = ("chat", "work", "coding")[len(pieces) % 3]
        piece = texts.conversation(theme, np.ones(n, np.bool_), language, rng).prompt
        n_bytes += pc.binary_length(piece).to_numpy()
        pieces.append(piece)
    talk = pc.binary_join_element_wise(*pieces, "\n\n")

    template = templates_of(account)
    rows = np.flatnonzero((template >= 0) & (rng.random(n) >= COVER_SHARE))
    framed = _framed(texts, template[rows], rng)
    some_talk = [piece.take(pa.array(rows)) for piece in pieces[: len(pieces) // 2]]
    long_framed = pc.binary_join_element_wise(framed, *some_talk, "\n\n")
    is_framed = np.zeros(n, np.bool_)
    is_framed[rows] = True
    return pc.replace_with_mask(talk, pa.array(is_framed), long_framed)


def templates_of(account: Indices) -> Indices:
    """Which template each account uses: applications first, then the harvests; -1 is a person."""
    harvester = np.where(account % 50 == 7, N_APPLICATIONS + account // 50 % N_HARVESTS, -1)
    return np.where(account < N_APPLICATIONS, account, harvester)


def _framed(texts: OwnTexts, template: Indices, rng: Rng) -> pa.Array:
    """One text per row; the templates themselves are the same in every file of the night."""
    frame_rng = np.random.default_rng(RECIPE)
    applications = texts.templates("app", N_APPLICATIONS, frame_rng)
    harvests = texts.templates("reasoning", N_HARVESTS, frame_rng)
    is_harvest = template >= N_APPLICATIONS
    by_application = applications.prompts(template[~is_harvest], rng).prompt
    by_harvest = harvests.prompts(template[is_harvest] - N_APPLICATIONS, rng).prompt
    place = np.argsort(np.concatenate([np.flatnonzero(~is_harvest), np.flatnonzero(is_harvest)]))
    return pa.concat_arrays([by_application, by_harvest]).take(pa.array(place))


def systems(texts: OwnTexts, account: Indices) -> pa.Array:
    """A fifth of the accounts send one of a few system prompts with every request."""
    known = texts.personas(20, np.random.default_rng(RECIPE))
    which = pa.array(account // 5 % len(known), mask=account % 5 != 0)
    return known.take(which)


def _ids(prefix: str, numbers: Indices) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "-")


def _choice(values: list[str], n: int, rng: Rng) -> pa.Array:
    return pa.array(values).take(pa.array(rng.integers(0, len(values), n)))


# -- measuring -------------------------------------------------------------------------------------


def bare_scan(logs: Path, *, runs: int) -> tuple[float, int]:
    """Best seconds in which DuckDB reads and hashes every prompt, and the bytes it read."""
    files = f"{logs}/*.parquet"
    best = float("inf")
    for _ in range(runs):
        with duckdb.connect() as con:
            began = time.perf_counter()
            con.execute("SELECT bit_xor(hash(prompt)) FROM read_parquet($files)", {"files": files}).fetchall()
            best = min(best, time.perf_counter() - began)
    with duckdb.connect() as con:
        sizes = con.execute(
            "SELECT sum(strlen(prompt)) FROM read_parquet($files)", {"files": files}
        ).fetchall()
    return best, int(sizes[0][0])


@dataclass(frozen=True, slots=True)
class Night:
    """One scan as it went."""

    seconds: float
    processor_s: float
    peak_bytes: int
    steps: tuple[tuple[str, float, str], ...]


def scan_night(logs: Path) -> Night:
    """Scan into an empty workspace in a process of its own; its seconds and its largest memory."""
    DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DATA, prefix="workspace-") as workspace:
        _compile_kernels()
        command = [sys.executable, "-m", "pipelines.cli", "scan", str(logs), "--workspace", workspace]
        began = time.perf_counter()
        scan = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(scan.pid, 0)
        seconds = time.perf_counter() - began
        scan.returncode = os.waitstatus_to_exitcode(status)
        if scan.returncode != 0:
            raise SystemExit(f"the scan ended with {scan.returncode}: run {' '.join(command)}")
        return Night(
            seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, tuple(_steps(Path(workspace)))
        )


def _compile_kernels() -> None:
    warm = "from pipelines import load, nightly; load.warm_up(); nightly.warm_up()"
    subprocess.run([sys.executable, "-c", warm], cwd=ROOT, check=True)


def _steps(workspace: Path) -> Iterator[tuple[str, float, str]]:
    for line in (workspace / "logs" / "scan.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "step":
            yield event["name"], event["seconds"], event["note"]


def machine() -> str:
    """Processor, processors this process may use, memory."""
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = next(
        (line.split(":")[1].strip() for line in facts.splitlines() if line.startswith("model name")), ""
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    processors = len(os.sched_getaffinity(0))
    return (
        f"{model or platform.machine()}, {processors} processors, {memory / 1e9:.0f} GB, {platform.system()}"
    )


def versions() -> str:
    """What the numbers were measured with."""
    names = ("duckdb", "numba", "pyarrow", "polars")
    return f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in names)


if __name__ == "__main__":
    main()
