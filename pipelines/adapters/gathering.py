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

from pipelines.adapters.adapter import literal
from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.connection import as_block, ask
from pipelines.adapters.lines import mended
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
        yield Block(_documents(done, gathering), [*block.malformed, *malformed])
    if held is not None:
        yield Block(_documents(held, gathering))


def gathered_whole(con: duckdb.DuckDBPyConnection, block: Block, gathering: Gathering) -> Block:
    """The same of a block that is a whole file."""
    rows, malformed = _keyed(con, block.rows, gathering)
    return Block(_documents(rows, gathering), [*block.malformed, *malformed])


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
    keyed = ask(con, _keys_sql(gathering), rows)
    is_read, malformed = keyed["is_read"], list[Malformed]()
    if not pc.all(is_read).as_py():
        # By place, not by number: a line may hold several records, and their order is kept.
        better, malformed = mended(rows.filter(pc.invert(is_read)))
        again = ask(con, _keys_sql(gathering), _unpacked(con, better, gathering))
        keyed = pa.concat_tables([keyed.filter(is_read), again.filter(again["is_read"])])
    return _with_lone_keys(keyed.drop_columns("is_read")), malformed


def _with_lone_keys(keyed: pa.Table) -> pa.Table:
    """A record that names no request stands alone, by a key of its own."""
    keys = keyed["key"]
    if keys.null_count == 0:
        return keyed
    of_line = pc.cast(keyed["row_number"], keys.type)
    lone = pc.binary_join_element_wise("row", of_line, pa.array(range(len(keyed)), pa.int64()).cast(keys.type), " ")
    return keyed.set_column(keyed.schema.get_field_index("key"), "key", pc.coalesce(keys, lone))


def _unpacked(con: duckdb.DuckDBPyConnection, rows: pa.Table, gathering: Gathering) -> pa.Table:
    """A line for each record, where lines hold several; one that cannot be read stays as it is."""
    if gathering.unpacked is None:
        return rows
    records = f"SELECT row_number, unnest(coalesce({gathering.unpacked}, [line])) AS line FROM block"
    return ask(con, records, rows)


def _documents(rows: pa.Table, gathering: Gathering) -> pa.Table:
    """The lines of each key as one document, by place, at most `most`; in the order of their first lines."""
    numbers = np.asarray(rows["row_number"])
    keys = np.asarray(rows["key"].combine_chunks().dictionary_encode().indices)
    first = np.full(keys.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, keys, numbers)
    # By key as well: a line that holds several records may be the first of several keys.
    order = np.lexsort((numbers, np.asarray(rows["place"]), keys, first[keys]))
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    nth = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    is_taken = nth < gathering.most
    ends = np.cumsum(is_taken)
    lines = rows["line"].cast(pa.large_string()).combine_chunks().take(pa.array(order[is_taken]))
    offsets = pa.array(np.append(ends[starts] - 1, len(lines)).astype(np.int32))
    comma, begin, end, nothing = (
        pa.scalar(text, pa.large_string()) for text in (",", '{"parts":[', "]}", "")
    )
    parts = pc.binary_join(pa.ListArray.from_arrays(offsets, lines), comma)
    documents = pc.binary_join_element_wise(begin, parts, end, nothing)
    return pa.table({"row_number": first[keys][order][starts], "line": documents})


def _keys_sql(gathering: Gathering) -> str:
    structure = literal(json.dumps(gathering.structure, default=dict))
    parsed = _sql("gathering_documents").replace("$structure", structure)
    for step in gathering.steps:
        values = ", ".join(f"{sql} AS {name}" for name, sql in step.items())
        parsed = f"SELECT *, {values} FROM ({parsed})"
    keys = _sql("gathering_keys").replace("FROM parsed", f"FROM ({parsed})")
    return keys.replace("doc_key", gathering.key).replace("doc_place", gathering.place)


def _sql(name: str) -> str:
    return files("pipelines.adapters").joinpath(f"sql/{name}.sql").read_text(encoding="utf-8")
