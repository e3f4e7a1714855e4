"""Rows of a query as a frame."""

from typing import Any

import duckdb
import polars as pl

from pipelines.warehouse.arrow import fetch
from pipelines.warehouse.statements import statement


def frame_of(con: duckdb.DuckDBPyConnection, name: str, values: dict[str, Any]) -> pl.DataFrame:
    """The rows of `sql/NAME.sql` with these values bound."""
    frame = pl.from_arrow(fetch(con, statement(name), values))
    assert isinstance(frame, pl.DataFrame)
    return frame
