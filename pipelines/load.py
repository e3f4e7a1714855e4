"""The step `load`: log files -> core.request, one narrow row per accepted request.

Here: the way of a batch from a reader through the fingerprint kernel into the warehouse, and what is done
with repeats. Not here: log formats (adapters), the kernel (detector.text), later steps (nightly).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector import text
from pipelines import adapters
from pipelines.errors import UnreadableInput
from pipelines.progress import Progress, Step
from pipelines.settings import Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.opening import n_threads
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction


@dataclass(frozen=True, slots=True)
class Refusals:
    """Rows of one file refused for one reason."""

    path: str
    column: str | None
    reason: str
    remedy: str
    n_rows: int
    first_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load did."""

    days: tuple[date, ...]
    """Nights that have new rows, or that lost rows of a file read again."""
    n_files: int
    n_rows: int
    n_loaded: int
    n_refused: int
    n_repeated: int
    n_other_day: int
    n_passed_over: int
    """Records that are no requests."""
    not_understood: tuple[str, ...]
    """Fields that the logs' formats do not know, sorted."""
    formats: tuple[str, ...]
    """Formats that the logs were in, sorted."""
    refused: tuple[Refusals, ...]
    """Most frequent first."""
    unreadable: tuple[UnreadableInput, ...]


def load_requests(
    con: duckdb.DuckDBPyConnection,
    logs: Sequence[str],
    *,
    day: date | None,
    log_format: str,
    settings: Settings,
    key: bytes,
    progress: Progress,
) -> Loaded:
    """Read every log file into core.request; all of them or, on an error, none.

    A file that was read before is read again, and its rows of the days it now holds are replaced, so a scan
    may be repeated. A file that cannot be read is kept out and named in the result. `key` is the workspace's.

    Raises
    ------
    UsageError : an argument names no file.
    """
    paths = adapters.find_logs(logs)
    unreadable: list[UnreadableInput] = []
    with progress.step("load", total=sum(path.stat().st_size for path in paths)) as step, transaction(con):
        con.execute("CREATE OR REPLACE TEMP TABLE new_system AS FROM core.system_text LIMIT 0")
        con.execute("CREATE OR REPLACE TEMP TABLE new_toolset AS FROM core.toolset LIMIT 0")
        con.execute("CREATE OR REPLACE TEMP TABLE reading (file_id INTEGER)")
        _set_aside_earlier_readings(con, paths, day)
        file_ids: dict[Path, int] = {}
        for path in paths:
            try:
                file_ids[path] = _file_id(con, path)
            except OSError as error:  # rotated away since it was listed
                unreadable.append(_gone(path, error))
            else:
                con.execute("INSERT INTO reading VALUES ($id)", {"id": file_ids[path]})
        with _Intake(con, settings, key) as intake:
            for path, opened in adapters.open_logs(
                list(file_ids),
                format=log_format,
                batch_rows=settings.input.batch_rows,
                threads=n_threads(settings),
                account=settings.input.account,
                formats=adapters.with_mappings(settings.input.formats),
            ):
                try:
                    if isinstance(opened, UnreadableInput):
                        raise opened
                    _load_file(intake, opened, file_ids[path], day=day, step=step)
                except UnreadableInput as error:  # what stood before the break is kept
                    unreadable.append(error)
                    intake.later(_note_error, file_ids[path], str(error))
            intake.finish()
        loaded = _settle(con, day, _replace_earlier_readings(con), unreadable)
        step.note(
            f"{loaded.n_loaded:,} requests from {loaded.n_files:,} file{'s' if loaded.n_files != 1 else ''}"
        )
    return loaded


def _gone(path: Path, error: OSError) -> UnreadableInput:
    return UnreadableInput(
        f"{path}: gone before it could be read ({type(error).__name__})",
        remedy="scan again, naming it where it is now; what was loaded already does not count twice",
    )


def _set_aside_earlier_readings(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], day: date | None
) -> None:
    """Mark the rows that earlier readings of these files brought (of `day` only, if given): file_id < 0."""
    with registered(con, "asked_for", pa.table({"path": [str(path.resolve()) for path in paths]})):
        con.execute(
            """UPDATE core.request SET file_id = -file_id
               WHERE file_id IN (SELECT file_id FROM raw.file JOIN asked_for USING (path))
                 AND day = coalesce($day, day)""",
            {"day": day},
        )


def _replace_earlier_readings(con: duckdb.DuckDBPyConnection) -> set[date]:
    """Delete the rows of earlier readings that the files' new readings replace; the days they were of.

    A row is replaced when its file brought its request, or its day, again. Else it stays: a gateway that
    writes every night to the same name must not take back the nights before, nor a file that cannot be read
    any more.
    """
    if not con.execute("SELECT 1 FROM core.request WHERE file_id < 0 LIMIT 1").fetchall():
        return set()  # nothing was read before: spare the night the two sets below
    gone = con.execute(
        """DELETE FROM core.request
           WHERE file_id < 0 AND (
               (-file_id, day) IN (SELECT DISTINCT file_id, day FROM core.request
                                   WHERE file_id IN (FROM reading))
               OR request_key IN (SELECT request_key FROM core.request WHERE file_id IN (FROM reading)))
           RETURNING day"""
    ).fetchall()
    return {row[0] for row in gone}


def _file_id(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The number of this path, given once; counts of an earlier reading are forgotten."""
    stat = path.stat()
    facts = {"path": str(path.resolve()), "size": stat.st_size, "modified": stat.st_mtime_ns}
    known = con.execute(
        """UPDATE raw.file SET size_bytes = $size, modified_ns = $modified, format = NULL, n_rows = 0,
                  n_loaded = 0, n_refused = 0, n_repeated = 0, n_other_day = 0, n_passed_over = 0,
                  not_understood = NULL, error = NULL
           WHERE path = $path RETURNING file_id""",
        facts,
    ).fetchall()
    if known:
        con.execute("DELETE FROM raw.reject WHERE file_id = $id", {"id": known[0][0]})
        return int(known[0][0])
    created = con.execute(
        """INSERT INTO raw.file (file_id, path, size_bytes, modified_ns)
           SELECT coalesce(max(file_id), 0) + 1, $path, $size, $modified FROM raw.file RETURNING file_id""",
        facts,
    ).fetchall()
    return int(created[0][0])


ROWS_PER_WRITE = 122_880
"""Rows gathered for one insert: a row group of DuckDB's, which is compressed and written at once."""


MOST_WRITES = 2
"""Writes that may wait for the writer: more would only fill memory."""


class _Intake:
    """The way of batches into core.request: fingerprinted on all threads, written while more are read.

    Batches of one file and the next are in work together, as many as there are threads, so that nobody
    waits for anybody. One thread writes: several would leave broken row groups behind, which the next
    checkpoint writes all over again. Until `finish`, that thread alone uses the connection; `later` lends it.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, settings: Settings, key: bytes) -> None:
        self._con = con
        self._key = key
        self._secret = text.secret_of(key)
        self._max_bytes = settings.input.max_prompt_bytes
        self._n_workers = n_threads(settings)
        self._workers = ThreadPoolExecutor(self._n_workers)
        self._in_work: deque[Future[_Narrow]] = deque()
        self._waiting: list[_Narrow] = []
        self._n_waiting = 0
        self._writer = ThreadPoolExecutor(1)
        self._writing: deque[Future[None]] = deque()

    def __enter__(self) -> "_Intake":
        (self._n_threads,) = self._con.execute("SELECT current_setting('threads')").fetchall()[0]
        self._con.execute("SET threads = 1")
        # Each row group is written when it is full. Five together, as DuckDB likes it, would come in bursts
        # for which all others wait, and the last burst at the very end.
        self._con.execute("SET write_buffer_row_group_count = 1")
        return self

    def __exit__(self, *exc: object) -> None:
        self._workers.shutdown(cancel_futures=True)
        self._writer.shutdown()
        self._con.execute(f"SET threads = {int(self._n_threads)}")
        self._con.execute("RESET write_buffer_row_group_count")

    def put(self, batch: pa.RecordBatch, file_id: int) -> None:
        """Take one batch in; returns before it is written."""
        self._in_work.append(self._workers.submit(_narrow, batch, file_id, self._max_bytes, self._secret))
        if len(self._in_work) > self._n_workers:
            self._gather()

    def later(self, write: Callable[..., None], *arguments: object) -> None:
        """Call write(con, *arguments) when the writer comes to it; raises what earlier writes ran into."""
        self._writing.append(self._writer.submit(write, self._con, *arguments))
        while len(self._writing) > MOST_WRITES:
            self._writing.popleft().result()

    def finish(self) -> None:
        """Write everything that was put in, and wait for it."""
        while self._in_work:
            self._gather()
        self._write_out()
        while self._writing:
            self._writing.popleft().result()

    def _gather(self) -> None:
        narrow = self._in_work.popleft().result()
        self._waiting.append(narrow)
        self._n_waiting += len(narrow.requests)
        if self._n_waiting >= ROWS_PER_WRITE:
            self._write_out()

    def _write_out(self) -> None:
        if self._waiting:
            self.later(_write, self._waiting, self._key.decode("latin-1"))
        self._waiting, self._n_waiting = [], 0


def _write(con: duckdb.DuckDBPyConnection, batches: Sequence["_Narrow"], salt: str) -> None:
    with registered(con, "batch", pa.concat_tables(batch.requests for batch in batches)):
        con.execute(statement("load/batch"), {"salt": salt})
        con.execute(statement("load/toolsets"), {"salt": salt})
    with registered(con, "systems", pa.concat_tables(batch.systems for batch in batches)):
        con.execute("INSERT INTO new_system BY NAME FROM systems")


def _note_error(con: duckdb.DuckDBPyConnection, file_id: int, why: str) -> None:
    con.execute("UPDATE raw.file SET error = $why WHERE file_id = $id", {"why": why, "id": file_id})


def _load_file(
    intake: _Intake, opened: adapters.LogReader, file_id: int, *, day: date | None, step: Step
) -> None:
    """Read one file into core.request; its counts and refusals are kept also when it breaks half-way."""
    n_other_day = 0
    to_go = float(opened.size_bytes)
    with opened as reader:
        try:
            with _read_ahead(reader.batches()) as batches:
                for batch in batches:
                    tonight = batch if day is None else batch.filter(_on(batch, day))
                    n_other_day += len(batch) - len(tonight)
                    if len(tonight):
                        intake.put(tonight, file_id)
                    # A reader does not say how far it is: a batch's bytes tell, less what compression saved.
                    moved = min(batch.nbytes / 4, 0.5 * to_go)
                    step.advance(moved)
                    to_go -= moved
        finally:
            counts = {
                "format": reader.format,
                "rows": reader.n_rows,
                "passed_over": reader.n_passed_over,
                "not_understood": list(reader.not_understood),
                "other": n_other_day,
                "id": file_id,
            }
            intake.later(_count_file, reader.refused, counts)
            step.advance(to_go)


def _count_file(con: duckdb.DuckDBPyConnection, refused: pa.Table, counts: dict[str, Any]) -> None:
    with registered(con, "refused", refused):
        con.execute(
            "INSERT INTO raw.reject SELECT $id, row_number, column_name, reason, remedy FROM refused",
            {"id": counts["id"]},
        )
    con.execute(
        """UPDATE raw.file SET format = $format, n_rows = $rows, n_refused = $refused, n_other_day = $other,
                  n_passed_over = $passed_over, not_understood = $not_understood
           WHERE file_id = $id""",
        counts | {"refused": len(refused)},
    )


BATCHES_AHEAD = 3
"""Batches read before they are needed: a reader brings them in bursts, a row group at a time."""


@contextmanager
def _read_ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """Read on while earlier batches are fingerprinted: DuckDB and the kernel both leave Python's lock."""
    with ThreadPoolExecutor(1) as pool:

        def ahead() -> Iterator[pa.RecordBatch]:
            coming = deque(pool.submit(next, batches, None) for _ in range(BATCHES_AHEAD))
            while (batch := coming.popleft().result()) is not None:
                coming.append(pool.submit(next, batches, None))
                yield batch

        yield ahead()


def _on(batch: pa.RecordBatch, day: date) -> pa.BooleanArray:
    return pc.equal(pc.cast(batch.column("ts"), pa.date32()), pa.scalar(day, pa.date32()))


_TEXTS = ("prompt", "system_prompt", "response")
_UNUSED = ("trace_id", "provider_request_id")


@dataclass(frozen=True, slots=True)
class _Narrow:
    """One batch with fingerprints in the place of its texts."""

    requests: pa.Table
    systems: pa.Table
    """Its distinct system prompts, as fingerprints."""


def _narrow(batch: pa.RecordBatch, file_id: int, max_bytes: int, secret: text.Secret) -> _Narrow:
    """Read the texts of one batch into fingerprints; the texts end here."""
    weights = text.classifier().weights
    prints = text.fingerprint(batch.column("prompt"), weights=weights, secret=secret, max_bytes=max_bytes)
    system_prints, system_of, systems = _system_prints(batch.column("system_prompt"), max_bytes, secret)
    classes = text.classify(prints, system_prints, system_of)
    responses = batch.column("response")
    columns = {
        name: batch.column(name) for name in batch.schema.names if name not in _TEXTS and name not in _UNUSED
    } | {
        "file_id": pa.repeat(pa.scalar(file_id, pa.int32()), len(batch)),
        "prompt_hash": prints.text_hash,
        "n_prompt_bytes": prints.n_bytes,
        "n_prompt_tokens": prints.n_tokens,
        "script": prints.script,
        "capability": classes.capability,
        "technique": classes.technique,
        "technique_margin": classes.technique_margin,
        "training_permille": text.training_permille(classes),
        "shingles": prints.shingles,
        "system_hash": system_prints.text_hash.take(pa.array(system_of, mask=system_of < 0)),
        "response_hash": (
            pa.nulls(len(batch), pa.uint64())
            if responses.null_count == len(batch)
            else text.fingerprint(responses, secret=secret, max_bytes=max_bytes).text_hash
        ),
    }
    return _Narrow(pa.table(columns), systems)


def _system_prints(
    systems: pa.StringArray, max_bytes: int, secret: text.Secret
) -> tuple[text.Fingerprints, npt.NDArray[np.int64], pa.Table]:
    """Fingerprints of the distinct system prompts, each row's among them (-1: none), and their table.

    A framework sends the same long system prompt with every request, so each is read once a batch.
    """
    encoded = systems.dictionary_encode()
    weights = text.classifier().weights
    prints = text.fingerprint(encoded.dictionary, weights=weights, secret=secret, max_bytes=max_bytes)
    table = pa.table(
        {
            "system_hash": prints.text_hash,
            "n_bytes": prints.n_bytes,
            "training_permille": text.training_permille(text.classify(prints)),
            "shingles": prints.shingles,
        }
    )
    system_of = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return prints, system_of, table


def _settle(
    con: duckdb.DuckDBPyConnection,
    day: date | None,
    lost_days: set[date],
    unreadable: Sequence[UnreadableInput],
) -> Loaded:
    """Take repeats out again, count, and tell which nights changed."""
    con.execute(statement("load/repeated"), {"day": day})
    con.execute(
        """UPDATE raw.file SET n_repeated = counted.n_repeated, n_loaded = counted.n_loaded
           FROM (SELECT file_id, count(repeated_row) AS n_repeated, count(*) - count(repeated_row) AS n_loaded
                 FROM core.request LEFT JOIN repeated ON repeated_row = core.request.rowid
                 WHERE file_id IN (FROM reading) AND day = coalesce($day, day) GROUP BY file_id) AS counted
           WHERE file.file_id = counted.file_id""",
        {"day": day},
    )
    new_days = con.execute(
        "SELECT DISTINCT day FROM core.request WHERE file_id IN (FROM reading) AND day = coalesce($day, day)",
        {"day": day},
    ).fetchall()
    con.execute("DELETE FROM core.request WHERE rowid IN (FROM repeated)")
    # What no new reading replaced is its file's again.
    con.execute("UPDATE core.request SET file_id = -file_id WHERE file_id < 0")
    con.execute(
        """INSERT INTO core.system_text
           SELECT system_hash, any_value(n_bytes), any_value(training_permille), any_value(shingles)
           FROM new_system ANTI JOIN core.system_text USING (system_hash) GROUP BY system_hash"""
    )
    con.execute(
        """INSERT INTO core.toolset
           SELECT toolset_hash, any_value(tool_names)
           FROM new_toolset ANTI JOIN core.toolset USING (toolset_hash) GROUP BY toolset_hash"""
    )
    totals = con.execute(
        """SELECT count(*), coalesce(sum(n_rows), 0)::BIGINT, coalesce(sum(n_loaded), 0)::BIGINT,
                  coalesce(sum(n_refused), 0)::BIGINT, coalesce(sum(n_repeated), 0)::BIGINT,
                  coalesce(sum(n_other_day), 0)::BIGINT, coalesce(sum(n_passed_over), 0)::BIGINT
           FROM raw.file WHERE file_id IN (FROM reading)"""
    ).fetchall()[0]
    strangers = con.execute(
        """SELECT DISTINCT unnest(not_understood) AS field FROM raw.file WHERE file_id IN (FROM reading)
           ORDER BY field"""
    ).fetchall()
    formats = con.execute(
        """SELECT DISTINCT format FROM raw.file WHERE file_id IN (FROM reading) AND n_loaded > 0
           ORDER BY format"""
    ).fetchall()
    refused = con.execute(
        """SELECT path, column_name, reason, remedy, count(*), min(row_number)
           FROM raw.reject JOIN raw.file USING (file_id) WHERE file_id IN (FROM reading)
           GROUP BY ALL ORDER BY count(*) DESC, path, column_name, reason"""
    ).fetchall()
    for name in ("new_system", "new_toolset", "reading", "repeated"):
        con.execute(f"DROP TABLE {name}")
    return Loaded(
        days=tuple(sorted(lost_days | {row[0] for row in new_days})),
        n_files=totals[0],
        n_rows=totals[1],
        n_loaded=totals[2],
        n_refused=totals[3],
        n_repeated=totals[4],
        n_other_day=totals[5],
        n_passed_over=totals[6],
        not_understood=tuple(row[0] for row in strangers),
        formats=tuple(row[0] for row in formats),
        refused=tuple(Refusals(*row) for row in refused),
        unreadable=tuple(unreadable),
    )


def warm_up() -> None:
    """Compile the text kernel, or fetch it from numba's cache: the first run's time is a step of its own."""
    text.fingerprint(pa.array(["warm", "up"]), weights=text.classifier().weights)
