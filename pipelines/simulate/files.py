"""Files of a simulated world: one writer for each form a log may take.

Here: Parquet, JSON Lines (plain or gzipped) and CSV of the canonical record, and whatever the sources declare
for their own formats. Not here: which rows go into which file (world), what a gateway's record looks like
(`adapters/sql/writing`).
"""

import gzip
import io
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.adapters.sources import WRITINGS
from pipelines.warehouse.arrow import registered

Writer = Callable[[pa.Table, Path], None]


def write_parquet(rows: pa.Table, path: Path) -> None:
    """Parquet, compressed with zstd."""
    pq.write_table(rows, path, compression="zstd")


def write_jsonl(rows: pa.Table, path: Path) -> None:
    """One JSON object per line; times are ISO 8601 with Z."""
    _spelled(rows).write_ndjson(path)


def write_jsonl_gz(rows: pa.Table, path: Path) -> None:
    """The same, gzipped; no name and no time in the header, so that equal rows are equal bytes."""
    plain = io.BytesIO()
    _spelled(rows).write_ndjson(plain)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
        packed.write(plain.getbuffer())


def write_csv(rows: pa.Table, path: Path) -> None:
    """CSV with a heading; the list of tools is a JSON array."""
    as_json = pl.col("tool_names").list.eval('"' + pl.element() + '"').list.join(",")
    _spelled(rows).with_columns(("[" + as_json + "]").alias("tool_names")).write_csv(path)


def write_as(statement: str, rows: pa.Table, path: Path) -> None:
    """JSON Lines of a source's own records, by the SELECT `adapters/sql/writing/STATEMENT.sql`."""
    select = _sql(f"writing/{statement}")
    with duckdb.connect() as con, registered(con, "request", rows):
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET preserve_insertion_order = true")
        con.execute(_sql("writing_macros"))
        con.execute(f"COPY ({select}) TO $path (FORMAT json)", {"path": str(path)})


WRITERS: dict[str, tuple[str, Writer]] = {
    "stillwatch": (".parquet", write_parquet),
    "jsonl": (".jsonl", write_jsonl),
    "jsonl.gz": (".jsonl.gz", write_jsonl_gz),
    "csv": (".csv", write_csv),
    **{name: (one.ending, partial(write_as, one.statement)) for name, (_, one) in WRITINGS.items()},
}
"""Log format to file ending and writer; all hold the same rows."""


def _spelled(rows: pa.Table) -> pl.DataFrame:
    frame = pl.DataFrame(rows)
    return frame.with_columns(pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))


def _sql(name: str) -> str:
    return files("pipelines.adapters").joinpath(f"sql/{name}.sql").read_text(encoding="utf-8")
