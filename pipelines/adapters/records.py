"""A file's records as the canonical query sees them: tables of columns, and what was read already.

Here: CSV and Parquet. Not here: JSON (`jsonrecords`), the query itself (`canonical`), bytes (`blocks`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.canonical import Problem, Query, Target, canonical_query
from pipelines.adapters.connection import as_block, ask
from pipelines.adapters.parquet import ParquetFile
from pipelines.adapters.refused import Refusals
from pipelines.adapters.source import Source

Select = Callable[[Mapping[str, str]], Mapping[str, str]]
"""Canonical column to SQL, of a file that has these columns (name to DuckDB type)."""


def newest_by(source: Source | None) -> str | None:
    """SQL of a record's version, where a format has versions."""
    return None if source is None else source.newest_by


class Records(Protocol):
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
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        refusals.meanings = self.meanings
        refusals.add_malformed(self.malformed)
        return in_batches(self.rows, batch_rows)


class NoRecords:
    """An empty file is an empty log."""

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        return iter(())


_ROWS = "SELECT *, true AS is_read, true AS is_request FROM block"
_OWN_COLUMNS = {"row_number", "is_read", "is_request"}


class TableRecords:
    """Blocks that are columns already: CSV, and Parquet that pyarrow had to read."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, blocks: Iterator[Block], source: Source | None
    ) -> None:
        self._con = con
        self._blocks = blocks
        self._foreign = source
        self._source = _ROWS

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        query: Query | None = None
        for block in self._blocks:
            refusals.add_malformed(block.malformed)
            if query is None:
                query = self._query(select, target, block.rows)
                refusals.meanings = query.problems
            answer = ask(self._con, query.over(self._source), block.rows)
            yield from in_batches(answer, batch_rows)

    def _query(self, select: Select, target: Target, rows: pa.Table) -> Query:
        with as_block(self._con, rows):
            described = self._con.execute(f"DESCRIBE {_ROWS}").fetchall()
            types = {row[0]: row[1] for row in described if row[0] not in _OWN_COLUMNS}
            if self._foreign is not None:
                self._source = self._foreign.over(self._foreign.as_lines(types, _ROWS))
            return canonical_query(self._con, target, select(types), self._source, newest_by(self._foreign))


class ParquetRecords:
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

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        source = self._file.source(self._con, only_wanted=self._rows is not None)
        values = self._file.values(0, 0, None if self._rows is None else [])
        types = self._file.types(self._con, source, values)
        if self._foreign is not None:
            source = self._foreign.over(self._foreign.as_lines(types, source))
        query = canonical_query(self._con, target, select(types), source, newest_by(self._foreign), values)
        refusals.meanings = query.problems
        n_done = 0
        try:
            for batch in self._through_duckdb(query.over(source), batch_rows):
                if batch.num_rows:
                    n_done = batch.column("row_number")[-1].as_py()
                yield batch
        except (duckdb.Error, pa.ArrowException, OSError):
            # Rows come in order, so the rescue begins where DuckDB stopped, whatever the reason.
            rescued = TableRecords(self._con, map(Block, self._file.rescued(n_done)), self._foreign)
            yield from rescued.answers(select, target, batch_rows, refusals)

    def _through_duckdb(self, query: str, batch_rows: int) -> Iterator[pa.RecordBatch]:
        n_rows = self._file.rows_per_batch(batch_rows)
        for first, end in self._file.windows():
            if self._rows is None:
                answer = self._con.sql(query, params=self._file.values(first, end))
            else:
                wanted = self._rows[slice(*np.searchsorted(self._rows, (first, end), "right"))] - 1
                if len(wanted) == 0:
                    continue
                # A join, of which DuckDB promises no order.
                values = self._file.values(first, end, wanted.tolist())
                answer = self._con.sql(f"{query} ORDER BY row_number", params=values)
            yield from answer.to_arrow_reader(n_rows)


def in_batches(answer: pa.Table, batch_rows: int) -> Iterator[pa.RecordBatch]:
    yield from answer.combine_chunks().to_batches(max_chunksize=batch_rows)
