"""The DuckDB behind all readers: one database in memory with the casts loaded, and statements planned once.

Here: connections, and asking a statement of one block of rows after the other. Not here: the statements
(`canonical`, `source`), the blocks (`lines`, `csvfile`, `documents`).

Planning the statement that reads a log takes up to some tenths of a second, as long as reading some thousand
records. A prepared statement over a table of Arrow's keeps its plan as long as nothing in it may change from
one execution to the next: no parameter, no variable, and the same columns. So a file costs its records, and a
plan is made once for all files of a format.
"""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib.resources import files
from threading import Lock

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.adapters.adapter import literal
from pipelines.adapters.body_structures import STRUCTURES
from pipelines.adapters.numbered_keys import NUMBERED_KEYS

_ROWS_PER_TASK = 2_048
"""Rows DuckDB gives one thread at a time: one vector, so that a block keeps all threads busy to its end."""

_LONG_ROWS_PER_TASK, _LONG_ROW_BYTES = 1_024, 1_000
"""Of long rows half as many: what is parsed of them then stays in the processor's cache for the next step."""

_PLANS = 96
"""Statements whose plans are kept: three for each format there is."""

_BLANK = (
    "\0\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""Characters that show nothing: ASCII blanks and NUL, no-break, narrow and ideographic spaces, zero-width
characters, byte order mark."""


def connect(threads: int) -> duckdb.DuckDBPyConnection:
    """A connection of its own to DuckDB in memory, the casts loaded: ordered output, UTC, no files."""
    return _cursor(_database(threads, is_ordered=True))


@contextmanager
def as_block(con: duckdb.DuckDBPyConnection, rows: pa.Table) -> Iterator[None]:
    """Let SQL see these rows as `block`."""
    con.register("block", in_tasks(rows))
    try:
        yield
    finally:
        con.unregister("block")


def ask(
    con: duckdb.DuckDBPyConnection, statement: str, rows: pa.Table, *, is_ordered: bool = True
) -> pa.Table:
    """The answer to a SELECT over `block`, these rows, by row number; rows of one number in their order.

    Parameters
    ----------
    con : a reader's connection, whose database and number of threads are used
    statement : without parameters and variables, which would have it planned anew each time; it hands on
        `row_number`, which is the row's place where several rows have one number
    is_ordered : false for an answer as it comes, which spares copying it: what came of one row still stands
        in order
    """
    (threads,) = con.execute("SELECT current_setting('threads')").fetchall()[0]
    answer = _planned(threads, statement, rows.schema).ask(rows)
    return _in_order(answer) if is_ordered else answer


def in_tasks(rows: pa.Table) -> pa.Table:
    """The same rows in the portions that DuckDB's threads take."""
    is_long = rows.nbytes > _LONG_ROW_BYTES * len(rows)
    n_rows = _LONG_ROWS_PER_TASK if is_long else _ROWS_PER_TASK
    return pa.Table.from_batches(rows.to_batches(max_chunksize=n_rows), rows.schema)


class _Plan:
    """One statement on a connection of its own."""

    def __init__(self, threads: int, statement: str, schema: pa.Schema) -> None:
        self._con = _cursor(_database(threads, is_ordered=False))
        self._block = _Block(schema)
        self._con.register("block", self._block)
        self._con.execute(f"PREPARE statement AS {statement}")
        self._lock = Lock()

    def ask(self, rows: pa.Table) -> pa.Table:
        """The answer, by nobody's order but that of what came of rows of one number."""
        with self._lock:
            numbers = np.asarray(rows["row_number"])
            has_own = (numbers[1:] > numbers[:-1]).all() or len(np.unique(numbers)) == len(numbers)
            self._block.rows = in_tasks(rows if has_own else _with_numbers(rows, np.arange(len(rows))))
            try:
                answer = self._con.sql("EXECUTE statement").to_arrow_table()
                if has_own:
                    return answer
                answer = _in_order(answer)
                return _with_numbers(answer, numbers[np.asarray(answer["row_number"])])
            finally:
                self._block.rows = rows.schema.empty_table()


class _Block:
    """The rows that a plan reads at present, by Arrow's own protocol."""

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = schema.empty_table()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)


@lru_cache(maxsize=_PLANS)
def _planned(threads: int, statement: str, schema: pa.Schema) -> _Plan:
    return _Plan(threads, statement, schema)


def _in_order(answer: pa.Table) -> pa.Table:
    """The answer by row number; what came of one row stays as it is, for one thread made it in order."""
    numbers = np.asarray(answer["row_number"])
    if (numbers[1:] >= numbers[:-1]).all():
        return answer
    return answer.take(pa.array(np.argsort(numbers, kind="stable")))


def _with_numbers(rows: pa.Table, numbers: npt.NDArray[np.int64]) -> pa.Table:
    return rows.set_column(
        rows.schema.get_field_index("row_number"), "row_number", pa.array(numbers, pa.int64())
    )


def _cursor(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con = database.cursor()
    con.execute(_sql("session"))
    return con


@cache
def _database(threads: int, *, is_ordered: bool) -> duckdb.DuckDBPyConnection:
    """A database behind all readers: loading the casts takes longer than reading a small file.

    `is_ordered` : answers keep the order of the rows; a prepared statement is then executed by one thread.
    """
    con = duckdb.connect()
    con.execute(f"SET threads = {int(threads)}")
    con.execute(f"SET preserve_insertion_order = {is_ordered}")
    con.execute("SET enable_progress_bar = false")
    con.execute("SET parquet_metadata_cache = true")
    con.execute("SET enable_external_file_cache = false")  # a log is read once: caching it is memory lost
    # Of a list of words DuckDB would make a table to join with: that costs more than comparing five words.
    con.execute("SET disabled_optimizers = 'in_clause'")
    con.execute(_sql("session"))
    # Macros, not variables: a statement that reads a variable is planned anew each time it is asked.
    for name, text in {"blank_characters": _BLANK, **STRUCTURES, **NUMBERED_KEYS}.items():
        con.execute(f"CREATE MACRO {name}() AS {literal(text)}")
    for name in ("casts", "bodies", "services", "telemetry", "gemini", "text_lines"):
        con.execute(_sql(name))
    return con


@atexit.register
def _let_go() -> None:
    """Before the interpreter goes, as DuckDB's objects need it to go well: plans, then databases."""
    _planned.cache_clear()
    _database.cache_clear()


def _sql(name: str) -> str:
    return files("pipelines.adapters").joinpath(f"sql/{name}.sql").read_text(encoding="utf-8")
