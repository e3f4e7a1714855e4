"""Checking logs before a scan: every problem with its file, row and remedy, nothing loaded.

Here: the report behind `stillwatch check`. Not here: how it is printed (the command line).
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.accounts import read_accounts
from pipelines.adapters import (
    REFUSED_SCHEMA,
    Edges,
    Join,
    Joined,
    Level,
    LogReader,
    edges_among,
    log_files,
    named,
    open_edge_logs,
    open_logs,
    require_format,
    with_mappings,
)
from pipelines.adapters.database import fetched, is_database
from pipelines.adapters.overview import seen_in, unseen
from pipelines.adapters.seen_ids import SeenIds
from pipelines.errors import StillwatchError, UnreadableInput
from pipelines.progress import Progress, Silent, Step

_BATCH_ROWS = 65_536
_THREADS = 2
_MEMORY_MB = 1_000
_REPEATED = "request_id seen before"
_REPEATED_REMEDY = "nothing to do if the log repeats deliveries: a scan keeps the first and counts the others"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, as a person would look for it."""

    path: Path
    row_number: int | None
    """1-based line of a text file or row of a Parquet file; None when the file as a whole is meant."""
    column: str | None
    reason: str
    remedy: str

    def __str__(self) -> str:
        parts = [str(self.path)]
        if self.row_number is not None:
            parts.append(f"row {self.row_number}")
        if self.column is not None:
            parts.append(self.column)
        # An unreadable file's reason already begins with its path.
        return self.reason if self.row_number is None else f"{', '.join(parts)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What became of one file."""

    path: Path
    format: str | None
    """Name of the log format; None for the accounts file and for a file that could not be opened."""
    n_rows: int
    n_refused: int
    n_repeated: int
    problems: pa.Table
    """Columns of `REFUSED_SCHEMA`: every fault of every refused row, and repeated rows, by row."""
    error: str | None = None
    """Why the file, or the rest of it, could not be read."""
    remedy: str | None = None
    n_passed_over: int = 0
    """Records that are no requests, for example health checks."""
    n_elsewhere: int = 0
    """Requests whose body lies in a file of its own that is not there."""
    not_understood: tuple[str, ...] = ()
    """Fields that the log's format does not know."""
    not_found: tuple[str, ...] = ()
    """Paths that a user's mapping reads and that the first records do not have."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All files, in the order they would be read."""

    files: tuple[FileCheck, ...]
    joined: tuple[Joined, ...] = ()
    """What becomes of each join of an edge log."""
    unseen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Formats that lack whole groups of columns: group to what detection loses."""
    not_taken: tuple[Path, ...] = ()
    """Files in the logs' folders whose names are none of a log's."""

    @property
    def ok(self) -> bool:
        """No row would be refused and no file is unreadable; repeats are counted, not held against it."""
        return all(file.error is None and file.n_refused == 0 for file in self.files)

    @property
    def n_rows(self) -> int:
        """Rows seen."""
        return sum(file.n_rows for file in self.files)

    @property
    def n_refused(self) -> int:
        """Rows a scan would refuse."""
        return sum(file.n_refused for file in self.files)

    @property
    def n_repeated(self) -> int:
        """Rows a scan would drop because their request_id came before."""
        return sum(file.n_repeated for file in self.files)

    @property
    def n_passed_over(self) -> int:
        """Records that are no requests."""
        return sum(file.n_passed_over for file in self.files)

    @property
    def n_elsewhere(self) -> int:
        """Requests whose body lies in a file of its own that is not there."""
        return sum(file.n_elsewhere for file in self.files)

    @property
    def not_understood(self) -> tuple[str, ...]:
        """Fields that the logs' formats do not know, sorted."""
        return tuple(sorted({field for file in self.files for field in file.not_understood}))

    @property
    def not_found(self) -> tuple[str, ...]:
        """Paths that a user's mapping reads and that some log does not have, sorted."""
        return tuple(sorted({path for file in self.files for path in file.not_found}))

    def findings(self) -> Iterator[Finding]:
        """Every problem, by file and row."""
        for file in self.files:
            for batch in file.problems.to_batches(max_chunksize=1_024):
                for row in batch.to_pylist():
                    yield Finding(
                        file.path, row["row_number"], row["column_name"], row["reason"], row["remedy"]
                    )
            if file.error is not None:
                yield Finding(file.path, None, None, file.error, file.remedy or "")


def check_logs(
    logs: Sequence[str],
    *,
    format: str = "auto",  # noqa: A002  the command's own word
    accounts: Path | None = None,
    account: Sequence[Level] = (),
    mappings: Sequence[Path] = (),
    joins: Sequence[Join] = (),
    day: date | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Read logs, and the accounts file where there is one, as a scan would, and report every problem.

    Parameters
    ----------
    format : `auto`, a format's name or a mapping file
    account : identity levels that stand for the account, as the setting `input.account` has them
    mappings : further mapping files, as the setting `input.formats` has them
    joins : edge logs that add to others, as the setting `input.join` has them
    day : of databases among the logs, this UTC day alone; None: every day they have

    Raises
    ------
    UsageError : an argument matches no file, there is no such format, a mapping file or a join cannot be
        followed, or the accounts file lacks a column.
    UnreadableInput : a database among the logs cannot be reached.
    """
    if any(map(is_database, logs)):
        with tempfile.TemporaryDirectory(prefix="stillwatch-check-") as folder:
            copies = fetched(logs, Path(folder), day)
            report = check_logs(
                copies,
                format=format,
                accounts=accounts,
                account=account,
                mappings=mappings,
                joins=joins,
                progress=progress,
            )
            return replace(report, files=tuple(_named_as_kept(one, Path(folder)) for one in report.files))
    name, mappings = named(format, mappings)
    formats = with_mappings(mappings)
    require_format(name, formats)
    paths, not_taken = log_files(logs)
    files: list[FileCheck] = []
    columns: defaultdict[str, set[str]] = defaultdict(set)
    seen = SeenIds(_THREADS)
    total = float(sum(path.stat().st_size for path in paths))
    how: dict[str, Any] = {
        "batch_rows": _BATCH_ROWS,
        "threads": _THREADS,
        "account": account,
        "formats": formats,
    }
    logs_alone, edges = edges_among(
        paths, joins, format=name, formats=formats, memory_mb=_MEMORY_MB, threads=_THREADS
    )
    with edges, (progress or Silent()).step("check", total=total) as step:
        of_edges = [_check_edge(path, opened, edges, step) for path, opened in open_edge_logs(edges, **how)]
        # A file that holds both is reported as the log it is.
        of_edges = [one for one in of_edges if one.path not in logs_alone]
        edges.seal()
        for path, opened in open_logs(logs_alone, format=name, edges=edges, **how):
            files.append(_check_file(path, opened, seen, columns, step))
        step.note(f"{sum(file.n_rows for file in files):,} rows")
        joined = edges.joined()
        not_seen = unseen(columns, formats)
    files = [_with_repeats(file, seen.repeats(at)) for at, file in enumerate(files)]
    if accounts is not None:
        files.append(_check_accounts(accounts))
    return CheckReport((*of_edges, *files), joined, not_seen, not_taken)


def _named_as_kept(file: FileCheck, folder: Path) -> FileCheck:
    """Rows of a database by table and day: the file they were fetched into goes."""
    return replace(file, path=Path(file.path.stem)) if file.path.parent == folder else file


def _check_file(
    path: Path,
    opened: LogReader | UnreadableInput,
    seen: SeenIds,
    columns: defaultdict[str, set[str]],
    step: Step,
) -> FileCheck:
    seen.begin_file()
    if isinstance(opened, UnreadableInput):
        return _unreadable(path, opened)
    with opened as reader:
        broken = _read_through(reader, seen, columns)
        step.advance(reader.size_bytes)
        return _checked(path, reader, broken)


def _check_edge(path: Path, opened: LogReader | UnreadableInput, edges: Edges, step: Step) -> FileCheck:
    if isinstance(opened, UnreadableInput):
        return _unreadable(path, opened)
    broken: StillwatchError | None = None
    with opened as reader:
        try:
            for _ in edges.read(reader):
                pass
        except UnreadableInput as error:
            broken = error
        step.advance(reader.size_bytes)
        return _checked(path, reader, broken)


def _unreadable(path: Path, error: UnreadableInput) -> FileCheck:
    return FileCheck(path, None, 0, 0, 0, REFUSED_SCHEMA.empty_table(), str(error), error.remedy)


def _checked(path: Path, reader: LogReader, broken: StillwatchError | None) -> FileCheck:
    return FileCheck(
        path,
        reader.format,
        reader.n_rows,
        reader.n_refused,
        0,
        reader.problems,
        None if broken is None else str(broken),
        None if broken is None else broken.remedy,
        reader.n_passed_over,
        reader.n_elsewhere,
        reader.not_understood,
        reader.not_found,
    )


def _read_through(
    reader: LogReader, seen: SeenIds, columns: defaultdict[str, set[str]]
) -> StillwatchError | None:
    try:
        for batch in reader.batches():
            seen.add(batch)
            columns[reader.format] |= seen_in(batch)
    except UnreadableInput as error:
        return error
    return None


def _with_repeats(file: FileCheck, repeats: pa.Table) -> FileCheck:
    if repeats.num_rows == 0:
        return file
    n_rows = repeats.num_rows
    rows = pa.table(
        {
            "row_number": repeats["row_number"],
            "column_name": pa.array(["request_id"] * n_rows, pa.string()),
            "reason": pa.array([_REPEATED] * n_rows, pa.string()),
            "remedy": pa.array([_REPEATED_REMEDY] * n_rows, pa.string()),
        },
        REFUSED_SCHEMA,
    )
    problems = pa.concat_tables([file.problems, rows]).sort_by("row_number")
    return replace(file, n_repeated=n_rows, problems=problems)


def _check_accounts(path: Path) -> FileCheck:
    try:
        rows, refused = read_accounts(path)
    except UnreadableInput as error:
        return _unreadable(path, error)
    n_refused = len(set(refused["row_number"].to_pylist()))
    return FileCheck(path, None, rows.num_rows + n_refused, n_refused, 0, refused)
