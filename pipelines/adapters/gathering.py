"""Requests of which a log tells in several records: the records are gathered before they are parsed.

Here: records with the same key become one JSON document, `{"parts": [...]}`, block by block. Not here: which
records belong together (each source declares its `Gathering`), what the parts mean.
"""

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.lines import mended
from pipelines.adapters.records import as_block
from pipelines.adapters.source import Gathering, Source


def gathered(
    con: duckdb.DuckDBPyConnection, blocks: Iterator[Block], gathering: Gathering
) -> Iterator[Block]:
    """Blocks with one document for each key; its row number is that of its first record.

    A key is complete when a block holds no record of it, so that no more than two blocks and the keys that go
    on and on are held. Where a key comes back later, its later part is a document of its own.
    """
    held: pa.Table | None = None
    for block in blocks:
        rows, malformed = _keyed(con, block.rows, gathering)
        if held is None:
            held, done = rows, rows.slice(0, 0)
        else:
            goes_on = pc.is_in(held["key"], rows["key"].combine_chunks())
            done = held.filter(pc.invert(goes_on))
            held = pa.concat_tables([held.filter(goes_on), rows])
        yield Block(_documents(con, done, gathering), [*block.malformed, *malformed])
    if held is not None:
        yield Block(_documents(con, held, gathering))


def gathered_whole(con: duckdb.DuckDBPyConnection, block: Block, gathering: Gathering) -> Block:
    """The same of a block that is a whole file."""
    rows, malformed = _keyed(con, block.rows, gathering)
    return Block(_documents(con, rows, gathering), [*block.malformed, *malformed])


def line_blocks_of(
    con: duckdb.DuckDBPyConnection, blocks: Iterator[Block], source: Source
) -> Iterator[Block]:
    """The rows of tables as the JSON lines they stand for."""
    for block in blocks:
        with as_block(con, block.rows):
            described = con.execute("DESCRIBE block").fetchall()
            types = {row[0]: row[1] for row in described if row[0] != "row_number"}
            rows = con.sql(source.as_lines(types, "FROM block")).to_arrow_table()
        yield Block(rows, block.malformed)


def _keyed(
    con: duckdb.DuckDBPyConnection, rows: pa.Table, gathering: Gathering
) -> tuple[pa.Table, Sequence[Malformed]]:
    """The lines with `key` and `place`; what JSON readers reject is mended, or malformed."""
    rows = _unpacked(con, rows, gathering)
    keyed = _ask(con, rows, _keys_sql(gathering), gathering)
    is_unread = np.asarray(pc.is_null(keyed["key"]))
    if not is_unread.any():
        return keyed, []
    # By place, not by number: a line may hold several records, and DuckDB keeps their order.
    better, malformed = mended(rows.filter(pa.array(is_unread)))
    again = _ask(con, _unpacked(con, better, gathering), _keys_sql(gathering), gathering)
    both = pa.concat_tables([keyed.filter(pa.array(~is_unread)), again])
    return both.filter(pc.is_valid(both["key"])), malformed


def _unpacked(con: duckdb.DuckDBPyConnection, rows: pa.Table, gathering: Gathering) -> pa.Table:
    """A line for each record, where lines hold several; one that cannot be read stays as it is."""
    if gathering.unpacked is None:
        return rows
    with as_block(con, rows):
        return con.sql(
            f"SELECT row_number, unnest(coalesce({gathering.unpacked}, [line])) AS line FROM block"
        ).to_arrow_table()


def _documents(con: duckdb.DuckDBPyConnection, rows: pa.Table, gathering: Gathering) -> pa.Table:
    statement = files("pipelines.adapters").joinpath("sql/gathered.sql").read_text(encoding="utf-8")
    with as_block(con, rows):
        return con.sql(statement, params={"most": gathering.most}).to_arrow_table()


def _keys_sql(gathering: Gathering) -> str:
    statement = files("pipelines.adapters").joinpath("sql/gathering_keys.sql").read_text(encoding="utf-8")
    return statement.replace("doc_key", gathering.key).replace("doc_place", gathering.place)


def _ask(con: duckdb.DuckDBPyConnection, rows: pa.Table, statement: str, gathering: Gathering) -> pa.Table:
    with as_block(con, rows):
        structure = json.dumps(gathering.structure, default=dict)
        return con.sql(statement, params={"structure": structure}).to_arrow_table()
