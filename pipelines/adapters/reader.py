"""Reading one file: container, format, casts and refusals come together here.

Here: tables read batch by batch with what was refused on the way. `LogReader` reads request logs,
`TableReader` any table with a target schema (the accounts file). Not here: SQL (`canonical`), bytes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.blocks import pieces
from pipelines.adapters.canonical import (
    PASSED_OVER,
    UNREAD,
    Problem,
    Query,
    Target,
    canonical_query,
    connect,
    with_canonical_types,
)
from pipelines.adapters.containers import Container, Kind
from pipelines.adapters.csvfile import csv_blocks
from pipelines.adapters.documents import document_blocks
from pipelines.adapters.lines import json_source, json_values, line_blocks, mended
from pipelines.adapters.parquet import ParquetFile
from pipelines.adapters.refusals import NOT_JSON
from pipelines.adapters.source import Source
from pipelines.adapters.sources.bodies import STRUCTURES

REFUSED_SCHEMA = pa.schema(
    [
        ("row_number", pa.int64()),
        ("column_name", pa.string()),
        ("reason", pa.string()),
        ("remedy", pa.string()),
    ]
)

Select = Callable[[Mapping[str, str]], Mapping[str, str]]


class TableReader:
    """Reads one file into batches of a target schema, refusing the rows that do not fit it.

    A context manager. `batches` may be run through once; `refused`, `problems` and `n_rows` are complete
    after that.
    """

    def __init__(
        self,
        path: Path,
        container: Container,
        *,
        target: Target,
        fields: Sequence[str],
        select: Select,
        batch_rows: int,
        threads: int,
        rows: Sequence[int] | None = None,
        source: Source | None = None,
        answered: "Answered | None" = None,
    ) -> None:
        """Open the file.

        Parameters
        ----------
        source : the foreign format the file is in; None: its columns are `fields`
        answered : what was read of it already, together with others (`together`); None: it is read now
        rows : the row numbers that are wanted, ascending; None: all.

        Raises
        ------
        UnreadableInput : the file cannot be read at all.
        """
        self.path = path
        self.size_bytes: int = path.stat().st_size
        self.n_passed_over = 0
        self._n_parsed = 0
        self._target = target
        self._refusals = Refusals()
        self._batch_rows = batch_rows
        self._rows = None if rows is None else np.asarray(rows, dtype=np.int64)
        self._select = select
        self._con: duckdb.DuckDBPyConnection | None = None
        if answered is not None:
            self._source: _Source = answered
            return
        self._con = connected(threads, source)
        self._source = _open_source(path, container, fields, self._con, self._rows, source)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._con is not None:
            self._con.close()

    @property
    def schema(self) -> pa.Schema:
        """The target schema and `row_number`."""
        return self._target.schema.append(pa.field("row_number", pa.int64()))

    @property
    def n_rows(self) -> int:
        """Rows seen so far: good, refused, no request at all (`n_passed_over`) and not wanted."""
        return self._n_parsed + self._refusals.n_malformed

    @property
    def n_refused(self) -> int:
        """Rows refused so far."""
        return self._refusals.n_rows

    @property
    def refused(self) -> pa.Table:
        """One row per refused row, with the first of its faults, by row number."""
        return self._refusals.table(every_fault=False)

    @property
    def problems(self) -> pa.Table:
        """One row per fault of each refused row, by row number and column order."""
        return self._refusals.table(every_fault=True)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The good rows in the file's order, at most `batch_rows` at a time, `row_number` last.

        `row_number` is 1-based: the physical line a record begins on in text files, the row in Parquet.

        Raises
        ------
        UnreadableInput : the file is damaged somewhere; the batches yielded by then stand.
        """
        for batch in self._source.answers(self._select, self._target, self._batch_rows, self._refusals):
            good = self._wanted(self._without_refused(batch))
            if good.num_rows:
                yield with_canonical_types(good, self.schema)
            if self._is_past_wanted(batch):
                return

    def _without_refused(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self._n_parsed += batch.num_rows
        faults = batch.column("problems").to_numpy(zero_copy_only=False)
        if not faults.any():
            return batch
        if (faults == PASSED_OVER).any():
            is_request = faults != PASSED_OVER
            self.n_passed_over += int((~is_request).sum())
            batch, faults = batch.filter(pa.array(is_request)), faults[is_request]
        self._refusals.add_rows(batch.column("row_number").to_numpy(), faults)
        return batch.filter(pa.array(faults == 0))

    def _wanted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._rows is None:
            return batch
        return batch.filter(pa.array(np.isin(batch.column("row_number").to_numpy(), self._rows)))

    def _is_past_wanted(self, batch: pa.RecordBatch) -> bool:
        if self._rows is None or batch.num_rows == 0:
            return False
        return len(self._rows) == 0 or bool(batch.column("row_number")[-1].as_py() >= self._rows[-1])


class LogReader(TableReader):
    """Reads one log file into canonical batches (`record.REQUEST_SCHEMA` and `row_number`)."""

    format: str
    """Name of the log format, for example `stillwatch`."""

    not_understood: tuple[str, ...] = ()
    """Fields of the first records that the format does not know, or knows of another type."""

    not_found: tuple[str, ...] = ()
    """Paths that a user's mapping reads and that the first records do not have."""


class Refusals:
    """What was refused, kept as numbers until somebody asks: a wholly bad file must fit in memory."""

    def __init__(self) -> None:
        self.meanings: tuple[Problem, ...] = ()
        self._rows: list[np.ndarray] = []
        self._faults: list[np.ndarray] = []
        self._malformed: list[Malformed] = []

    @property
    def malformed(self) -> Sequence[Malformed]:
        return self._malformed

    @property
    def n_malformed(self) -> int:
        return len(self._malformed)

    @property
    def n_rows(self) -> int:
        return sum(map(len, self._rows)) + len(self._malformed)

    def add_rows(self, row_numbers: np.ndarray, faults: np.ndarray) -> None:
        is_bad = faults != 0
        self._rows.append(row_numbers[is_bad])
        self._faults.append(faults[is_bad])

    def add_malformed(self, malformed: Sequence[Malformed]) -> None:
        self._malformed.extend(malformed)

    def table(self, *, every_fault: bool) -> pa.Table:
        """Columns of `REFUSED_SCHEMA`, by row number, then by the order of the columns."""
        row_numbers, which = [], []
        meanings = [*self.meanings]
        if self._rows:
            rows, faults = np.concatenate(self._rows), np.concatenate(self._faults)
            left = np.ones(len(rows), bool)
            for bit in range(len(self.meanings)):
                has = left & ((faults >> bit) & 1).astype(bool)
                row_numbers.append(rows[has])
                which.append(np.full(int(has.sum()), bit))
                if not every_fault:
                    left &= ~has
        for malformed in self._malformed:
            problem = Problem(None, malformed.fault)
            if problem not in meanings:
                meanings.append(problem)
            row_numbers.append(np.array([malformed.row_number]))
            which.append(np.array([meanings.index(problem)]))
        if not row_numbers:
            return REFUSED_SCHEMA.empty_table()
        rows, kinds = np.concatenate(row_numbers), np.concatenate(which)
        order = np.lexsort((kinds, rows))
        picked = pa.array(kinds[order])
        columns = {
            "column_name": [one.column for one in meanings],
            "reason": [one.fault.reason for one in meanings],
            "remedy": [one.fault.remedy for one in meanings],
        }
        texts = {name: pa.array(values, pa.string()).take(picked) for name, values in columns.items()}
        return pa.table({"row_number": pa.array(rows[order], pa.int64()), **texts}, REFUSED_SCHEMA)


class _Source(Protocol):
    """A file as the canonical query sees it."""

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        """The canonical query's answer, in the file's order, refused rows still among it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A file that was read together with others: its part of the answer."""

    rows: pa.Table
    malformed: Sequence[Malformed]
    meanings: tuple[Problem, ...]

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: "Refusals"
    ) -> Iterator[pa.RecordBatch]:
        refusals.meanings = self.meanings
        refusals.add_malformed(self.malformed)
        return _in_batches(self.rows, batch_rows)


class _NoRecords:
    """An empty file is an empty log."""

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        return iter(())


class JsonSource:
    """JSON Lines: blocks of lines, each parsed, cast and checked by one query.

    Lines that DuckDB does not parse are mended where that is possible, and their block asked again.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        fields: Sequence[str],
        blocks: Iterator[Block],
        source: Source | None,
    ) -> None:
        self._con = con
        self._source = json_source() if source is None else source.over(_LINES)
        self._usual = source.over(_LINES, usual_only=True) if source and source.has_odd_shapes else None
        self._values = json_values(fields) if source is None else source.values()
        self._types = dict.fromkeys(fields, "VARCHAR")
        self._blocks = blocks

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        query: Query | None = None
        for block in self._blocks:
            refusals.add_malformed(block.malformed)
            if query is None:
                query = self._query(select, target, block.rows)
                refusals.meanings = query.problems
            answer = self._usual_answer(query, block.rows)
            unread = _unread(answer, block.rows)
            if len(unread):
                lines, malformed = mended(unread)
                refusals.add_malformed(malformed)
                again = self._ask(query, lines) if lines.num_rows else answer.slice(0, 0)
                still = _unread(again, lines)["row_number"].to_pylist() if lines.num_rows else []
                refusals.add_malformed([Malformed(number, NOT_JSON) for number in still])
                answer = _merged(answer, _read(again))
            yield from _in_batches(answer, batch_rows)

    def _query(self, select: Select, target: Target, rows: pa.Table) -> Query:
        """The query, made once for all files: of lines of text its types follow from what it asks alone."""
        expressions = select(self._types)
        wanted = (tuple(target.schema), target.required, target.kept_as_written, target.times_within)
        asked = (self._source, tuple(expressions.items()), tuple(target.defaults.items()), wanted)
        if asked not in _QUERIES:
            with _block(self._con, rows):
                _QUERIES[asked] = canonical_query(self._con, target, expressions, self._source, self._values)
        return _QUERIES[asked]

    def _usual_answer(self, query: Query, rows: pa.Table) -> pa.Table:
        """The answer, by way of the usual shapes as long as most records have them."""
        if self._usual is None:
            return self._ask(query, rows)
        answer = _ask(self._con, query, rows, self._usual, self._values)
        odd = _unread(answer, rows)
        if len(odd) > len(rows) // 2:
            self._usual = None
        return _merged(answer, self._ask(query, odd)) if len(odd) else answer

    def _ask(self, query: Query, lines: pa.Table) -> pa.Table:
        return _ask(self._con, query, lines, self._source, self._values)


_QUERIES: dict[tuple[object, ...], Query] = {}
"""Queries over lines, by what they ask: finding their types costs as much as reading some thousand lines."""


class _TableSource:
    """Blocks that are columns already: CSV, and Parquet that pyarrow had to read."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, blocks: Iterator[Block], source: Source | None
    ) -> None:
        self._con = con
        self._blocks = blocks
        self._foreign = source
        self._source = _ROWS
        self._values: Mapping[str, Any] = {} if source is None else source.values()

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        query: Query | None = None
        for block in self._blocks:
            refusals.add_malformed(block.malformed)
            if query is None:
                query = self._query(select, target, block.rows)
                refusals.meanings = query.problems
            answer = _ask(self._con, query, block.rows, self._source, self._values)
            yield from _in_batches(answer, batch_rows)

    def _query(self, select: Select, target: Target, rows: pa.Table) -> Query:
        with _block(self._con, rows):
            described = self._con.execute(f"DESCRIBE {_ROWS}").fetchall()
            types = {row[0]: row[1] for row in described if row[0] not in _OWN_COLUMNS}
            if self._foreign is not None:
                self._source = self._foreign.over(self._foreign.as_lines(types, _ROWS))
            return canonical_query(self._con, target, select(types), self._source, self._values)


class _ParquetSource:
    """Parquet: windows of row groups through DuckDB, and the rescue through pyarrow where that fails.

    With `rows` (row numbers, ascending) only these come, or, once rescued, all from where DuckDB stopped.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        file: ParquetFile,
        rows: npt.NDArray[np.int64] | None,
        source: Source | None,
    ) -> None:
        self._con = con
        self._file = file
        self._rows = rows
        self._foreign = source
        self._values: Mapping[str, Any] = {} if source is None else source.values()

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        source = self._file.source(self._con, only_wanted=self._rows is not None)
        values = self._file.values(0, 0, None if self._rows is None else [])
        types = self._file.types(self._con, source, values)
        if self._foreign is not None:
            source = self._foreign.over(self._foreign.as_lines(types, source))
        query = canonical_query(self._con, target, select(types), source, values | dict(self._values))
        refusals.meanings = query.problems
        n_done = 0
        try:
            for batch in self._through_duckdb(query.over(source), batch_rows):
                if batch.num_rows:
                    n_done = batch.column("row_number")[-1].as_py()
                yield batch
        except (duckdb.Error, pa.ArrowException, OSError):
            # Rows come in order, so the rescue begins where DuckDB stopped, whatever the reason.
            rescued = _TableSource(self._con, map(Block, self._file.rescued(n_done)), self._foreign)
            yield from rescued.answers(select, target, batch_rows, refusals)

    def _through_duckdb(self, query: str, batch_rows: int) -> Iterator[pa.RecordBatch]:
        n_rows = self._file.rows_per_batch(batch_rows)
        for first, end in self._file.windows():
            if self._rows is None:
                answer = self._con.sql(query, params=self._file.values(first, end) | dict(self._values))
            else:
                wanted = self._rows[slice(*np.searchsorted(self._rows, (first, end), "right"))] - 1
                if len(wanted) == 0:
                    continue
                # A join, of which DuckDB promises no order.
                values = self._file.values(first, end, wanted.tolist()) | dict(self._values)
                answer = self._con.sql(f"{query} ORDER BY row_number", params=values)
            yield from answer.to_arrow_reader(n_rows)


def connected(threads: int, source: Source | None) -> duckdb.DuckDBPyConnection:
    """A connection with what the macros over a source's bodies need."""
    con = connect(threads)
    if source is not None:
        for name, structure in STRUCTURES.items():
            con.execute(f"SET VARIABLE {name} = $structure", {"structure": structure})
    return con


def json_blocks(path: Path, container: Container) -> Iterator[Block]:
    """The records of a file of JSON Lines or of other JSON."""
    text = pieces(path, container.compression)
    if container.kind is Kind.JSON_LINES:
        return line_blocks(text)
    return document_blocks(text, str(path))


def _open_source(
    path: Path,
    container: Container,
    fields: Sequence[str],
    con: duckdb.DuckDBPyConnection,
    rows: npt.NDArray[np.int64] | None,
    source: Source | None,
) -> _Source:
    if container.kind is Kind.EMPTY:
        return _NoRecords()
    if container.kind is Kind.PARQUET:
        return _ParquetSource(con, ParquetFile(path, fields), rows, source)
    if container.kind is Kind.CSV:
        return _TableSource(con, csv_blocks(pieces(path, container.compression), fields), source)
    return JsonSource(con, fields, json_blocks(path, container), source)


_LINES = "SELECT row_number, line FROM block"
_ROWS = "SELECT *, true AS is_read, true AS is_request FROM block"
_OWN_COLUMNS = {"row_number", "is_read", "is_request"}
_ROWS_PER_TASK = 4_096
"""Rows DuckDB gives one thread at a time: two vectors, so that a block keeps all threads busy."""


@contextmanager
def _block(con: duckdb.DuckDBPyConnection, rows: pa.Table) -> Iterator[None]:
    """Let SQL see these rows as `block`."""
    con.register("block", pa.Table.from_batches(rows.to_batches(max_chunksize=_ROWS_PER_TASK), rows.schema))
    try:
        yield
    finally:
        con.unregister("block")


def _ask(
    con: duckdb.DuckDBPyConnection, query: Query, rows: pa.Table, source: str, values: Mapping[str, Any]
) -> pa.Table:
    with _block(con, rows):
        return con.sql(query.over(source), params=dict(values) or None).to_arrow_table()


def _problems(answer: pa.Table) -> np.ndarray:
    return np.asarray(answer["problems"])


def _unread(answer: pa.Table, rows: pa.Table) -> pa.Table:
    """The lines of `rows` that an answer could not read."""
    is_unread = _problems(answer) == UNREAD
    if not is_unread.any():
        return rows.slice(0, 0)
    # By number, not by place: a line may hold several requests.
    numbers = np.unique(np.asarray(answer["row_number"])[is_unread])
    return rows.take(pa.array(np.searchsorted(np.asarray(rows["row_number"]), numbers)))


def _read(answer: pa.Table) -> pa.Table:
    return answer.filter(pa.array(_problems(answer) != UNREAD))


def _merged(answer: pa.Table, again: pa.Table) -> pa.Table:
    """What was read at first and, for the rest, what came of asking again, by row number."""
    both = pa.concat_tables([_read(answer), again])
    return both.take(pa.array(np.argsort(np.asarray(both["row_number"]), kind="stable")))


def _in_batches(answer: pa.Table, batch_rows: int) -> Iterator[pa.RecordBatch]:
    yield from answer.combine_chunks().to_batches(max_chunksize=batch_rows)
