"""Reading one file: container, format, casts and refusals come together here.

Here: tables read batch by batch with what was refused on the way. `LogReader` reads request logs,
`TableReader` any table with a target schema (the accounts file). Not here: records of each kind of file
(`records`, `jsonrecords`), SQL (`canonical`), bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.adapters.ahead import ahead
from pipelines.adapters.block import Block
from pipelines.adapters.blocks import pieces
from pipelines.adapters.canonical import PASSED_OVER, Problem, Target, with_canonical_types
from pipelines.adapters.connection import connect
from pipelines.adapters.containers import Container, Kind
from pipelines.adapters.csvfile import csv_blocks
from pipelines.adapters.gathering import gathered, line_blocks_of
from pipelines.adapters.jsonrecords import JsonRecords, json_blocks
from pipelines.adapters.lines import line_blocks
from pipelines.adapters.parquet import ParquetFile
from pipelines.adapters.records import Answered, NoRecords, ParquetRecords, Records, Select, TableRecords
from pipelines.adapters.refused import Refusals
from pipelines.adapters.source import Source
from pipelines.adapters.textlines import text_blocks, written_on
from pipelines.errors import UnreadableInput

Complete = Callable[[pa.RecordBatch, Sequence[Problem]], pa.RecordBatch]
"""What adds to a batch of answers; given also what the bits of its `problems` mean."""


class TableReader:
    """Reads one file into batches of a target schema, refusing the rows that do not fit it.

    A context manager. `batches` may be run through once; `refused`, `problems`, `n_rows` and `n_elsewhere`
    (good rows whose body lies in a file that was not there) are complete after that.
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
        answered: Answered | None = None,
        complete: Complete | None = None,
    ) -> None:
        """Open the file.

        Parameters
        ----------
        source : the foreign format the file is in; None: its columns are `fields`
        answered : what was read of it already, together with others (`together`); None: it is read now
        rows : the row numbers that are wanted, ascending; None: all.
        complete : what adds to a batch before it is judged, for example an edge log; None: nothing

        Raises
        ------
        UnreadableInput : the file cannot be read at all.
        """
        self.path = path
        self.size_bytes: int = path.stat().st_size
        self.n_passed_over = 0
        self.n_elsewhere = 0
        self._n_parsed = 0
        self._target = target
        self._refusals = Refusals()
        self._batch_rows = batch_rows
        self._rows = None if rows is None else np.asarray(rows, dtype=np.int64)
        self._select = select
        self._is_in_order = source is None or source.gathering is None
        self._has_bodies_beside = source is not None and source.beside is not None
        self._has_versions = source is not None and source.newest_by is not None
        self._complete = complete
        self._con: duckdb.DuckDBPyConnection | None = None
        if answered is not None:
            self._records: Records = answered
            return
        self._con = connect(threads)
        try:
            self._records = _records(path, container, fields, self._con, self._rows, source)
        except UnreadableInput:
            self._con.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._con is not None:
            self._con.close()

    @property
    def schema(self) -> pa.Schema:
        """The target schema, `row_number`, and `version` where the format has versions of one record."""
        schema = self._target.schema.append(pa.field("row_number", pa.int64()))
        return schema.append(pa.field("version", pa.int64())) if self._has_versions else schema

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
        """The good rows in the file's order, at most `batch_rows` at a time, in the columns of `schema`.

        `row_number` is 1-based: the physical line a record begins on in text files, the row in Parquet.

        Raises
        ------
        UnreadableInput : the file is damaged somewhere; the batches yielded by then stand.
        """
        for batch in self._records.answers(self._select, self._target, self._batch_rows, self._refusals):
            whole = batch if self._complete is None else self._complete(batch, self._refusals.meanings)
            good = self._wanted(self._without_refused(self._newest(whole)))
            if self._has_bodies_beside and "body_state" in good.schema.names:
                n_elsewhere = pc.sum(pc.equal(good.column("body_state"), "elsewhere")).as_py()
                self.n_elsewhere += n_elsewhere or 0
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

    def _newest(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Of several versions of one record all but the newest are passed over.

        Not where rows are asked for by number: then it is known which was the newest.
        """
        names = batch.schema.names
        if self._rows is not None or not {"version", "request_id"} <= set(names):
            return batch
        places = np.arange(len(batch))
        known = batch.column("request_id").dictionary_encode().indices
        version = batch.column("version").cast(pa.int64())
        has_both = pc.and_(known.is_valid(), version.is_valid()).to_numpy(zero_copy_only=False)
        ids = np.where(has_both, known.fill_null(0), -1 - places)  # without a version each stands for itself
        versions = version.fill_null(0).to_numpy()
        order = np.lexsort((places, versions, ids))
        is_old = np.zeros(len(batch), bool)
        is_old[order[:-1]] = ids[order[1:]] == ids[order[:-1]]
        if not is_old.any():
            return batch
        at = batch.schema.get_field_index("problems")
        problems = np.where(is_old, PASSED_OVER, batch.column(at).to_numpy())
        return batch.set_column(at, "problems", pa.array(problems, batch.schema.field(at).type))

    def _wanted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._rows is None:
            return batch
        return batch.filter(pa.array(np.isin(batch.column("row_number").to_numpy(), self._rows)))

    def _is_past_wanted(self, batch: pa.RecordBatch) -> bool:
        if self._rows is None or batch.num_rows == 0:
            return False
        return len(self._rows) == 0 or (
            self._is_in_order and bool(batch.column("row_number")[-1].as_py() >= self._rows[-1])
        )


class LogReader(TableReader):
    """Reads one log file into canonical batches (`record.REQUEST_SCHEMA` and `row_number`)."""

    format: str
    """Name of the log format, for example `stillwatch`."""

    not_understood: tuple[str, ...] = ()
    """Fields of the first records that the format does not know, or knows of another type."""

    not_found: tuple[str, ...] = ()
    """Paths that a user's mapping reads and that the first records do not have."""


def _records(
    path: Path,
    container: Container,
    fields: Sequence[str],
    con: duckdb.DuckDBPyConnection,
    rows: npt.NDArray[np.int64] | None,
    source: Source | None,
) -> Records:
    if container.kind is Kind.EMPTY:
        return NoRecords()
    if source is not None and (source.gathering is not None or container.kind is Kind.TEXT):
        lines = _as_lines(path, container, fields, con, source)
        blocks = lines if source.gathering is None else gathered(con, lines, source)
        return JsonRecords(con, fields, blocks, source)
    if container.kind is Kind.PARQUET:
        return ParquetRecords(con, ParquetFile(path, fields), rows, source)
    if container.kind is Kind.CSV:
        return TableRecords(con, ahead(csv_blocks(pieces(path, container.compression), fields)), source)
    blocks = ahead(json_blocks(path, container, source, rows))
    return JsonRecords(con, fields, blocks, source, container.sample.records)


def _as_lines(
    path: Path, container: Container, fields: Sequence[str], con: duckdb.DuckDBPyConnection, source: Source
) -> Iterator[Block]:
    """Blocks of JSON lines, whatever the container: what is gathered is gathered as text."""
    if container.kind is Kind.PARQUET:
        return line_blocks_of(con, map(Block, ParquetFile(path, fields).rescued(0)), source)
    if container.kind is Kind.CSV:
        blocks = ahead(csv_blocks(pieces(path, container.compression), fields))
        return line_blocks_of(con, blocks, source)
    if container.kind is Kind.TEXT:
        return text_blocks(con, ahead(line_blocks(pieces(path, container.compression))), written_on(path))
    return ahead(json_blocks(path, container, source))
