"""Arrow tables that SQL may read by name for the length of a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


@contextmanager
def registered(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """Let SQL read `table` as `name` inside the block."""
    con.register(name, table)
    try:
        yield
    finally:
        con.unregister(name)


def fetch(con: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any] | None = None) -> pa.Table:
    """The rows of a query as one Arrow table, columns of one chunk each where they fit."""
    return con.sql(query, params=values or {}).to_arrow_table()


def in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array, copied only where it came in several."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def array_of(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """A column as a numpy array of its own: Arrow's is read-only, which numba takes for another type."""
    return np.array(table.column(name))


def lists_of(
    column: pa.ChunkedArray, *, copied: bool = True
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """A column of lists as its values, flat, and where each row's begin; a null is an empty list. Not
    `copied`, values are read-only, for loops that are compiled for such, too."""
    lists = in_one_piece(column)
    starts = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum(pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False), out=starts[1:])
    values = lists.flatten()
    return np.array(values) if copied else values.to_numpy(), starts
