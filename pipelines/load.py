"""The step `load`: log files -> core.request, one narrow row per accepted request.

Here: files, what earlier readings of them brought, repeats and counts. Not here: log formats (adapters), the
way of a batch into the warehouse (intake), later steps (nightly).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import adapters
from pipelines.adapters.overview import seen_in, unseen
from pipelines.edge_logs import read_edge_logs
from pipelines.errors import UnreadableInput
from pipelines.intake import Intake, read_ahead, warm_up
from pipelines.progress import Progress, Step
from pipelines.repeats import leave_newest_versions, leave_out_told_elsewhere
from pipelines.settings import Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.counting import counts_of, note_counts, note_error
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
    n_told_elsewhere: int
    """Rows of calls of which a log of another format tells more."""
    n_other_day: int
    n_passed_over: int
    """Records that are no requests."""
    n_elsewhere: int
    """Requests whose body lies in a file of its own that was not there."""
    not_understood: tuple[str, ...]
    """Fields that the logs' formats do not know, sorted."""
    formats: tuple[str, ...]
    """Formats that the logs were in, sorted."""
    refused: tuple[Refusals, ...]
    """Most frequent first."""
    unreadable: tuple[UnreadableInput, ...]
    joined: tuple[adapters.Joined, ...] = ()
    """What became of each join of an edge log."""
    unseen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Formats that lack whole groups of columns, sorted: group to what detection loses."""
    not_taken: tuple[Path, ...] = ()
    """Files in the logs' folders whose names are none of a log's."""


def load_requests(
    con: duckdb.DuckDBPyConnection,
    logs: Sequence[str],
    *,
    day: date | None,
    log_format: str,
    settings: Settings,
    key: bytes,
    progress: Progress,
    scratch: Path | None = None,
) -> Loaded:
    """Read every log file into core.request; all of them or, on an error, none.

    A file that was read before is read again, and its rows of the days it now holds are replaced, so a scan
    may be repeated. A file that cannot be read is kept out and named in the result. `key` is the workspace's;
    `scratch` a folder for temporary files.

    Raises
    ------
    UsageError : an argument names no file, or the settings name a format that there is not.
    """
    paths, not_taken = adapters.log_files(logs)
    unreadable: list[UnreadableInput] = []
    formats = adapters.with_mappings(settings.input.formats)
    logs_alone, edges = adapters.edges_among(
        paths,
        settings.input.joins(),
        format=log_format,
        formats=formats,
        folder=scratch,
        memory_mb=settings.input.memory_mb,
        threads=n_threads(settings),
    )
    with (
        edges,
        progress.step("load", total=sum(path.stat().st_size for path in paths)) as step,
        transaction(con),
    ):
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
        unreadable += read_edge_logs(con, edges, file_ids, settings, formats, step, set(logs_alone))
        seen: defaultdict[str, set[str]] = defaultdict(set)
        with Intake(con, settings, key) as intake:
            for path, opened in adapters.open_logs(
                [path for path in logs_alone if path in file_ids],
                format=log_format,
                batch_rows=settings.input.batch_rows,
                threads=n_threads(settings),
                account=settings.input.account,
                formats=formats,
                edges=edges,
            ):
                try:
                    if isinstance(opened, UnreadableInput):
                        raise opened
                    _load_file(intake, opened, file_ids[path], seen, day=day, step=step)
                except UnreadableInput as error:  # what stood before the break is kept
                    unreadable.append(error)
                    intake.later(note_error, file_ids[path], str(error))
            intake.finish()
        loaded = _settle(con, day, _replace_earlier_readings(con), unreadable)
        loaded = replace(loaded, joined=edges.joined(), unseen=unseen(seen, formats), not_taken=not_taken)
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
                  n_told_elsewhere = 0, not_understood = NULL, error = NULL
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


def _load_file(
    intake: Intake,
    opened: adapters.LogReader,
    file_id: int,
    seen: defaultdict[str, set[str]],
    *,
    day: date | None,
    step: Step,
) -> None:
    """Read one file into core.request; its counts and refusals are kept also when it breaks half-way.

    Parameters
    ----------
    seen : takes, by the log's format, the columns that some row had something in
    """
    n_other_day = 0
    to_go = float(opened.size_bytes)
    with opened as reader:
        try:
            with read_ahead(reader.batches()) as batches:
                for batch in batches:
                    tonight = batch if day is None else batch.filter(_on(batch, day))
                    n_other_day += len(batch) - len(tonight)
                    if len(tonight):
                        seen[reader.format] |= seen_in(tonight)
                        intake.put(tonight, file_id)
                    # A reader does not say how far it is: a batch's bytes tell, less what compression saved.
                    moved = min(batch.nbytes / 4, 0.5 * to_go)
                    step.advance(moved)
                    to_go -= moved
        finally:
            intake.later(note_counts, reader.refused, counts_of(reader, file_id, n_other_day))
            step.advance(to_go)


def _on(batch: pa.RecordBatch, day: date) -> pa.BooleanArray:
    return pc.equal(pc.cast(batch.column("ts"), pa.date32()), pa.scalar(day, pa.date32()))


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
    lost_days |= leave_newest_versions(con, day)
    # What no new reading replaced is its file's again.
    con.execute("UPDATE core.request SET file_id = -file_id WHERE file_id < 0")
    changed_days, n_told_elsewhere = leave_out_told_elsewhere(con, day)
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
    (n_elsewhere,) = con.execute(
        """SELECT count(*) FROM core.request
           WHERE file_id IN (FROM reading) AND day = coalesce($day, day) AND body_state = 'elsewhere'""",
        {"day": day},
    ).fetchall()[0]
    for name in ("new_system", "new_toolset", "reading", "repeated"):
        con.execute(f"DROP TABLE {name}")
    return Loaded(
        days=tuple(sorted(lost_days | changed_days | {row[0] for row in new_days})),
        n_files=totals[0],
        n_rows=totals[1],
        n_loaded=totals[2],
        n_refused=totals[3],
        n_repeated=totals[4],
        n_told_elsewhere=n_told_elsewhere,
        n_other_day=totals[5],
        n_passed_over=totals[6],
        n_elsewhere=n_elsewhere,
        not_understood=tuple(row[0] for row in strangers),
        formats=tuple(row[0] for row in formats),
        refused=tuple(Refusals(*row) for row in refused),
        unreadable=tuple(unreadable),
    )


__all__ = ["Loaded", "Refusals", "load_requests", "warm_up"]
