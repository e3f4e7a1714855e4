"""Arrow tables that SQL may read by name for the length of a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa


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
