"""How fast the text stage is, in how much memory, and against MinHash on the same text.

    python benchmarks/text_speed.py [--rows 1000000] [--runs 3]

On the night of scan_throughput (about 800 bytes a request, in Parquet; made once), in processes of their own:

(a) the stage: prompts and account ids are read batch by batch, fingerprinted and classified, and what the
    warehouse keeps of a text goes into a DuckDB file; then families are learnt from a sample and looked up
    for every stored text. Peak memory is measured for growing nights, the largest of which reads the files
    twice under other account ids;
(b) MinHash of the same texts, on one thread: text_minhash.py.

What size and kind of text cost: text_sizes.py. Kernels are compiled beforehand: that happens once per
machine. Where processor time is well below wall time times threads, the machine was busy or waited.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, repeat, takewhile
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scan_throughput import DATA, ROOT, machine, make_logs, versions
from text_minhash import print_ratios, run_peer

from detector import text

THREADS = len(os.sched_getaffinity(0))
BATCH_ROWS = 16_384
AHEAD = 3

ROWS_PER_WRITE = 122_880
"""As pipelines.load writes: a row group of DuckDB's."""

WAREHOUSE_MB = 128
"""DuckDB's memory. It keeps what it has written, 280 bytes a request, until this is full: so little that the
smallest night compared fills it, or memory would seem to grow with the night."""

MEMORY_NIGHTS = (0.25, 0.5, 1.0, 2.0)
"""Nights whose memory is compared, as shares of --rows."""

PEER_TEXTS = 16_384


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="requests of the night")
    parser.add_argument("--runs", type=int, default=3, help="measurements to take the best of")
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "LOGS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is None:
        report(make_logs(options.rows), options.rows, options.runs)
        return
    what, logs = options.child
    if what == "stage":
        with tempfile.TemporaryDirectory(dir=DATA, prefix="text-") as folder:
            print(json.dumps(run_stage(Path(logs), options.rows, Path(folder) / "text.duckdb")))
    else:
        print(json.dumps(run_peer(next(batches(Path(logs), PEER_TEXTS))[0], options.runs)))


def report(logs: Path, n_rows: int, runs: int) -> None:
    """Measure and print everything."""
    text.warm_up()
    print(f"machine   {machine()}; load {os.getloadavg()[0]:.1f}\nversions  {versions()}\n")
    nights = {n: [in_own_process("stage", logs, n, 1)] for n in (round(n_rows * by) for by in MEMORY_NIGHTS)}
    nights[n_rows] += [in_own_process("stage", logs, n_rows, 1) for _ in range(runs - 1)]
    print_parts(min(nights[n_rows], key=seconds_of))
    print("\nnights      peak memory   requests/s   a request's account and hash, narrow")
    for n, measured in nights.items():
        best = min(measured, key=seconds_of)
        print(
            f"{n:>9,}   {best['peak_bytes'] / 1e6:8.0f} MB   {n / seconds_of(best):>10,.0f}   "
            f"{best['column_bytes'] / n:.0f} bytes"
        )
    print_ratios(in_own_process("peer", logs, n_rows, runs))


def in_own_process(what: str, logs: Path, n_rows: int, runs: int) -> dict[str, Any]:
    """What a child measured, with its peak memory; one thread for the peer, which else takes all."""
    options = ["--child", what, str(logs), "--rows", str(n_rows), "--runs", str(runs)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    if what == "peer":
        environment |= {"RAYON_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).resolve()), *options]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment)
    assert child.stdout is not None
    with child.stdout as answer:
        found = answer.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"measuring the {what} ended with {child.returncode}")
    return json.loads(found) | {"peak_bytes": used.ru_maxrss * 1024}


def seconds_of(stage: dict[str, Any]) -> float:
    """Wall seconds of the whole stage."""
    return sum(wall for _, wall, _ in stage["parts"])


def print_parts(stage: dict[str, Any]) -> None:
    """Each part's wall and processor seconds and pace; within a part that overlaps, processor seconds."""
    n, n_bytes = stage["n_rows"], stage["n_bytes"]
    print(f"{n:,} requests, {n_bytes / 1e6:,.0f} MB of prompts, {THREADS} threads; {stage['found']}")
    print(f"{'part':<30}{'wall s':>8}{'proc. s':>9}{'requests/s':>12}{'MB/s':>7}")
    whole = ("the stage", seconds_of(stage), sum(used for _, _, used in stage["parts"]))
    for name, wall, used in [*stage["parts"], whole]:
        print(f"{name:<30}{wall:8.2f}{used:9.2f}{n / wall:12,.0f}{n_bytes / wall / 1e6:7,.0f}")
    print("processor seconds of what overlaps")
    for name, used in stage["within"].items():
        print(f"  {name:<36}{used:9.2f}")


# -- the stage -------------------------------------------------------------------------------------


class Clock:
    """Wall and processor seconds of each part, and processor seconds of what overlaps within parts."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, float, float]] = []
        self.within: dict[str, float] = {}
        self._lock = Lock()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """The block is this part."""
        began, used = time.perf_counter(), time.process_time()
        yield
        self.parts.append((name, time.perf_counter() - began, time.process_time() - used))

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function; processor time of its thread is added up under this name."""

        def run(*arguments: Any) -> Any:
            used = time.thread_time()
            answer = function(*arguments)
            with self._lock:
                self.within[name] = self.within.get(name, 0.0) + time.thread_time() - used
            return answer

        return run


def run_stage(logs: Path, n_rows: int, warehouse: Path) -> dict[str, Any]:
    """The stage from the files to every text's families."""
    text.fingerprint(pa.array(["warm", "up"]), weights=text.classifier().weights)
    text.warm_up()
    clock = Clock()
    with duckdb.connect(str(warehouse)) as con:
        con.execute(f"SET threads = {THREADS}")
        con.execute(f"SET memory_limit = '{WAREHOUSE_MB}MB'")
        con.execute("SET write_buffer_row_group_count = 1")
        con.execute(TABLES)
        with clock.part("read, fingerprint, write"):
            n_bytes = load(con, logs, n_rows, clock)
        with clock.part("account and hash of all"):
            account, text_hash = narrow_columns(con)
        with clock.part("sample"):
            most = text.texts_per_account(np.bincount(account))
            rows = text.sampled(account, text_hash, most)
        with clock.part("shingles of the sample"):
            shingles, starts, place = shingles_of(con, rows)
        with clock.part("learn families"):
            fetched = rows[place]
            families = text.learn_families(
                shingles, starts, account[fetched], text_hash[fetched], np.argsort(place), threads=THREADS
            )
        n_shingles = len(shingles)
        column_bytes = account.nbytes + text_hash.nbytes
        del shingles, starts, account, text_hash
        with clock.part("families of every text"):
            n_held = look_up(con, families, clock)
    found = (
        f"{len(rows):,} texts in the sample (up to {most} an account, {n_shingles / len(rows):.0f} "
        f"shingles each), {len(families):,} families, {n_held / n_rows:.0%} of texts in one"
    )
    return {
        "n_rows": n_rows, "n_bytes": n_bytes, "found": found, "parts": clock.parts, "within": clock.within,
        "column_bytes": column_bytes, "n_families": len(families), "n_held": n_held,
    }  # fmt: skip


TABLES = """
CREATE TABLE request (account_id VARCHAR, prompt_hash UBIGINT, n_prompt_bytes INTEGER,
    n_prompt_tokens INTEGER, script UTINYINT, capability UTINYINT, technique UTINYINT,
    technique_margin FLOAT, training_permille INTEGER, shingles UINTEGER[]);
CREATE TABLE family_request (row_number BIGINT, place TINYINT, family INTEGER, held INTEGER);
"""


def batches(logs: Path, n_rows: int) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Prompts and account ids of so many requests; files read again have other accounts."""
    for again in count():
        for path in sorted(logs.glob("*.parquet")):
            columns = ["prompt", "account_id"]
            for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS, columns=columns, use_threads=False):
                taken = batch.slice(0, n_rows)
                accounts = taken.column("account_id")
                if again:
                    accounts = pc.binary_join_element_wise(accounts, str(again), "-")
                yield taken.column("prompt"), accounts
                n_rows -= len(taken)
                if n_rows == 0:
                    return


def in_order(
    pool: ThreadPoolExecutor, depth: int, function: Callable[..., Any], items: Iterable[Any]
) -> Iterator[Any]:
    """function(item) of each item, in order, `depth` of them under way."""
    under_way: deque[Future[Any]] = deque()
    for item in items:
        under_way.append(pool.submit(function, item))
        if len(under_way) > depth:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def read_ahead(pool: ThreadPoolExecutor, clock: Clock, name: str, items: Iterator[Any]) -> Iterator[Any]:
    """The same items, read while earlier ones are worked on; as pipelines.load does it."""
    read = clock.timed(name, lambda _: next(items, None))
    return takewhile(lambda item: item is not None, in_order(pool, AHEAD, read, repeat(None)))


def load(con: duckdb.DuckDBPyConnection, logs: Path, n_rows: int, clock: Clock) -> int:
    """Every text's fingerprint and classes into `request`; returns the texts' bytes."""
    fingerprint = clock.timed("fingerprint", lambda t: text.fingerprint(t, weights=text.classifier().weights))
    classify = clock.timed("classify", lambda prints: (text.classify(prints), prints))

    def narrow(batch: tuple[pa.Array, pa.Array]) -> pa.Table:
        classes, prints = classify(fingerprint(batch[0]))
        columns = [
            batch[1], prints.text_hash, prints.n_bytes, prints.n_tokens, prints.script, classes.capability,
            classes.technique, classes.technique_margin, text.training_permille(classes), prints.shingles,
        ]  # fmt: skip
        return pa.table(columns, names=[str(place) for place in range(len(columns))])

    def write(tables: Sequence[pa.Table]) -> int:
        insert(con, "request", pa.concat_tables(tables))
        return int(pc.sum(pa.concat_tables(tables).column("2")).as_py())

    con.execute("SET threads = 1")  # the writer's own; the others fingerprint
    with (
        ThreadPoolExecutor(1) as reader,
        ThreadPoolExecutor(THREADS) as workers,
        ThreadPoolExecutor(1) as writer,
    ):
        texts = read_ahead(reader, clock, "read Parquet", batches(logs, n_rows))
        groups = row_groups(in_order(workers, THREADS, narrow, texts))
        n_bytes = sum(in_order(writer, 1, clock.timed("write", write), groups))
    con.execute("CHECKPOINT")
    con.execute(f"SET threads = {THREADS}")
    return n_bytes


def row_groups(tables: Iterable[pa.Table]) -> Iterator[list[pa.Table]]:
    """Tables together that fill a row group."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= ROWS_PER_WRITE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def insert(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    con.register("rows_to_write", rows)
    con.execute(f"INSERT INTO {name} FROM rows_to_write")
    con.unregister("rows_to_write")


def narrow_columns(con: duckdb.DuckDBPyConnection) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
    """Account, as a number, and hash of every text in the order they were stored."""
    con.execute("CREATE TYPE account AS ENUM (SELECT DISTINCT account_id FROM request ORDER BY ALL)")
    columns = con.execute(
        "SELECT enum_code(account_id::account)::INTEGER AS account, prompt_hash FROM request"
    ).fetchnumpy()
    return columns["account"], columns["prompt_hash"]


def flat(shingles: pa.ListArray) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Shingles one behind the other, and where each text's start."""
    starts = np.zeros(len(shingles) + 1, dtype=np.int64)
    np.cumsum(pc.list_value_length(shingles).to_numpy(zero_copy_only=False), out=starts[1:])
    return shingles.flatten().to_numpy(), starts


def stored_shingles(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, pa.ListArray]]:
    """Shingles of every stored text, batch by batch; the number of each batch's first row."""
    first = 0
    for batch in con.sql("SELECT shingles FROM request").to_arrow_reader(BATCH_ROWS):
        yield first, batch.column(0)
        first += len(batch)


def shingles_of(
    con: duckdb.DuckDBPyConnection, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Shingles of the texts at these rows as they come; where each text's start; its place in `rows`."""
    con.register("wanted", pa.table({"row_number": rows, "place": np.arange(len(rows))}))
    found = con.sql("SELECT place, shingles FROM request JOIN wanted ON request.rowid = row_number")
    table = found.to_arrow_table()
    con.unregister("wanted")
    return *flat(table.column("shingles").combine_chunks()), table.column("place").to_numpy()


def look_up(con: duckdb.DuckDBPyConnection, families: text.FamilyIndex, clock: Clock) -> int:
    """Families of every stored text into `family_request`; returns how many texts have one."""
    held_by = clock.timed("look families up", lambda batch: families.held_by(*flat(batch)))

    def held(batch: tuple[int, pa.ListArray]) -> pa.Table:
        first, shingles = batch
        of_text, n_held = held_by(shingles)
        row, place = np.nonzero(of_text >= 0)
        columns = [first + row, place.astype(np.int8), of_text[row, place], n_held[row, place]]
        return pa.table(columns, names=["row_number", "place", "family", "held"])

    def write(tables: Sequence[pa.Table]) -> int:
        insert(writing, "family_request", pa.concat_tables(tables))
        return sum(int(pc.sum(pc.equal(table.column("place"), 0)).as_py() or 0) for table in tables)

    con.execute("SET threads = 1")
    with (
        con.cursor() as writing,
        ThreadPoolExecutor(1) as reader,
        ThreadPoolExecutor(THREADS) as workers,
        ThreadPoolExecutor(1) as writer,
    ):
        stored = read_ahead(reader, clock, "read shingles", stored_shingles(con))
        groups = row_groups(in_order(workers, THREADS, held, stored))
        return sum(in_order(writer, 1, clock.timed("write families", write), groups))


if __name__ == "__main__":
    main()
