"""Parquet: DuckDB reads it, a few row groups at a time; pyarrow takes over where DuckDB will not.

Here: which rows to ask for at once, and the way round values that are not UTF-8, which DuckDB rejects
with the whole file. Not here: casts (`canonical`).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.adapters.adapter import quoted
from pipelines.errors import UnreadableInput

MAGIC = b"PAR1"

WINDOW_BYTES = 256 << 20
"""Row groups asked for at once, unpacked: DuckDB buffers a whole ordered answer, so ask for a bounded one."""

BATCH_BYTES = 128 << 20
"""A batch of very long prompts gets fewer rows than asked for; Arrow's strings end at 2 GB."""

_PROBE_ROWS = 512
_RESCUE_ROWS = 2_048


class ParquetFile:
    """One Parquet file: its columns, its windows, its rescue."""

    def __init__(self, path: Path, fields: Sequence[str]) -> None:
        """Open the file and read its footer.

        Raises
        ------
        UnreadableInput : not a Parquet file, or one whose footer is damaged or encrypted.
        """
        self.path = path
        try:
            self._file = pq.ParquetFile(path)
            self.names = tuple(self._file.schema_arrow.names)
        except (OSError, pa.ArrowException, ValueError):
            raise UnreadableInput(
                f"{path}: the Parquet footer is damaged, encrypted or cut off",
                remedy="write or fetch the file again, without encryption",
            ) from None
        # The first column with exactly this name counts; DuckDB alone would not tell `ID` from `id`.
        self._position = {name: self.names.index(name) for name in fields if name in self.names}
        self.n_rows: int = self._file.metadata.num_rows

    def source(self, con: duckdb.DuckDBPyConnection, *, only_wanted: bool) -> str:
        """A SELECT of the wanted columns and `row_number`, over rows $first (from 0) to before $end; if
        `only_wanted`, of these the ones in $wanted, for which DuckDB skips the pages that hold none.

        Raises
        ------
        UnreadableInput : DuckDB does not read this file.
        """
        read = (
            "read_parquet($path, file_row_number = true, hive_partitioning = false, binary_as_string = true)"
        )
        try:
            described = con.execute(f"DESCRIBE SELECT * FROM {read}", {"path": self._literal()}).fetchall()
        except duckdb.Error:
            raise self._damaged() from None
        columns = "".join(
            f", {quoted(described[at][0])} AS {quoted(name)}" for name, at in self._position.items()
        )
        return (
            f"SELECT file_row_number + 1 AS row_number, true AS is_read, true AS is_request{columns} "
            f"FROM {read} WHERE file_row_number >= $first AND file_row_number < $end"
            + (" AND file_row_number IN (SELECT unnest($wanted::BIGINT[]))" if only_wanted else "")
        )

    def values(self, first: int, end: int, wanted: Sequence[int] | None = None) -> dict[str, Any]:
        """Parameters of `source` for rows `first` (from 0) to before `end`, and the wanted ones (from 0)."""
        values: dict[str, Any] = {"path": self._literal(), "first": first, "end": end}
        return values if wanted is None else values | {"wanted": wanted}

    def types(self, con: duckdb.DuckDBPyConnection, source: str, values: Mapping[str, Any]) -> dict[str, str]:
        """DuckDB's type of each wanted column."""
        described = con.execute(f"DESCRIBE {source}", dict(values)).fetchall()
        return {row[0]: row[1] for row in described if row[0] in self._position}

    def windows(self) -> Iterator[tuple[int, int]]:
        """Row ranges that begin and end with a row group and unpack to about `WINDOW_BYTES`."""
        first = end = n_bytes = 0
        for at in range(self._file.metadata.num_row_groups):
            group = self._file.metadata.row_group(at)
            if n_bytes and n_bytes + group.total_byte_size > WINDOW_BYTES:
                yield first, end
                first, n_bytes = end, 0
            end += group.num_rows
            n_bytes += group.total_byte_size
        if end > first:
            yield first, end

    def rows_per_batch(self, asked: int) -> int:
        """Rows that keep a batch near `BATCH_BYTES`, judged by the footer and by the first rows.

        The footer alone would mislead: a shared system prompt of 30 KB is stored once a row group.
        """
        if self.n_rows == 0:
            return asked
        metadata = self._file.metadata
        groups = (metadata.row_group(at) for at in range(metadata.num_row_groups))
        row_bytes = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=0.0)
        try:
            probe = next(self._file.iter_batches(_PROBE_ROWS, columns=self._columns(), use_threads=False))
            row_bytes = max(row_bytes, probe.nbytes / max(probe.num_rows, 1))
        except (StopIteration, OSError, pa.ArrowException):
            pass  # damaged pages show when they are read
        return max(min(asked, int(BATCH_BYTES / max(row_bytes, 1.0))), 1)

    def rescued(self, first: int) -> Iterator[pa.Table]:
        """Rows from `first` (from 0) on through pyarrow, invalid UTF-8 repaired, `row_number` added.

        Raises
        ------
        UnreadableInput : the data is damaged; rows before the damage have been yielded.
        """
        start = 0
        for at in range(self._file.metadata.num_row_groups):
            n_rows = self._file.metadata.row_group(at).num_rows
            if start + n_rows > first:
                yield from self._rescued_group(at, start, first)
            start += n_rows

    def _rescued_group(self, at: int, start: int, first: int) -> Iterator[pa.Table]:
        columns = self._columns()
        batches = self._file.iter_batches(_RESCUE_ROWS, row_groups=[at], columns=columns, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
                if batch is None:
                    return
                skipped = max(first - start, 0)
                rows = {name: repaired_values(batch.column(name_at)) for name, name_at in self._places(batch)}
            except (OSError, pa.ArrowException):
                raise self._damaged() from None
            numbers = pa.array(range(start + 1, start + batch.num_rows + 1), pa.int64())
            start += batch.num_rows
            if skipped < batch.num_rows:
                yield pa.table({"row_number": numbers, **rows}).slice(skipped)

    def _columns(self) -> list[str]:
        return list(self._position)

    def _places(self, batch: pa.RecordBatch) -> list[tuple[str, int]]:
        return [(name, batch.schema.names.index(name)) for name in self._position]

    def _literal(self) -> str:
        """The path with DuckDB's wildcards quoted: a file may be called `a[1].parquet`."""
        return "".join(f"[{char}]" if char in "[*?" else char for char in str(self.path))

    def _damaged(self) -> UnreadableInput:
        return UnreadableInput(
            f"{self.path}: the Parquet data is damaged",
            remedy="write or fetch the file again; rows before the damage were read",
        )


def repaired_values(array: pa.Array) -> pa.Array:
    """The same values, each invalid UTF-8 sequence in a text replaced by U+FFFD, at any depth."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return repaired_values(array.dictionary_decode())
    if pa.types.is_struct(kind):
        fields = [repaired_values(array.field(at)) for at in range(kind.num_fields)]
        names = [kind.field(at).name for at in range(kind.num_fields)]
        return pa.StructArray.from_arrays(fields, names, mask=array.is_null())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        values = repaired_values(array.values)
        return type(array).from_arrays(array.offsets, values, mask=array.is_null())
    if pa.types.is_binary(kind) or pa.types.is_string(kind):
        return _repaired_texts(array.cast(pa.binary()))
    if pa.types.is_large_binary(kind) or pa.types.is_large_string(kind):
        return _repaired_texts(array.cast(pa.large_binary()))
    return array


def _repaired_texts(array: pa.Array) -> pa.Array:
    kind = pa.string() if pa.types.is_binary(array.type) else pa.large_string()
    try:
        return array.cast(kind)  # the cast checks every value
    except pa.ArrowInvalid:
        pass
    if len(array) > 64:  # halves: most values are whole, and only the bad ones shall become objects
        half = len(array) // 2
        return pa.concat_arrays([_repaired_texts(array[:half]), _repaired_texts(array[half:])])
    texts = [None if value is None else value.decode("utf-8", "replace") for value in array.to_pylist()]
    return pa.array(texts, kind)
