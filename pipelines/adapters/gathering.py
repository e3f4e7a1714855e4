"""Requests of which a log tells in several records: each is parsed once, and what is read of them gathered.

Here: what was parsed of records with the same key becomes one row, with a list of each part, block by block.
Not here: which records belong together (each source declares its `Gathering`), what the parts mean.
"""

from collections.abc import Iterator, Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.connection import as_block, ask
from pipelines.adapters.lines import LINES, mended
from pipelines.adapters.source import Gathering, Source


def gathered(con: duckdb.DuckDBPyConnection, blocks: Iterator[Block], source: Source) -> Iterator[Block]:
    """Blocks with one row for each key: `row_number`, that of its first record, and a list of each part.

    A key is complete when a block holds no record of it, so that no more than two blocks and the keys that go
    on and on are held. Where a key comes back later, its later part is a request of its own.
    """
    gathering = _gathering(source)
    records = _Records(con, source)
    held: pa.Table | None = None
    for block in blocks:
        rows, malformed = records.keyed(block.rows)
        done, held = _done(held, rows)
        yield Block(_together(done, gathering), [*block.malformed, *malformed])
    if held is not None:
        yield Block(_together(held, gathering))


def gathered_whole(con: duckdb.DuckDBPyConnection, block: Block, source: Source) -> Block:
    """The same of a block that is a whole file."""
    rows, malformed = _Records(con, source).keyed(block.rows)
    return Block(_together(rows, _gathering(source)), [*block.malformed, *malformed])


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


def _done(held: pa.Table | None, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Of what is held that which no record of `rows` goes on, and what is to be held now."""
    if held is None:
        return rows.slice(0, 0), rows
    goes_on = pc.is_in(held["key"], rows["key"].combine_chunks())
    if not pc.any(goes_on, min_count=0).as_py():
        return held, rows
    return held.filter(pc.invert(goes_on)), pa.concat_tables([held.filter(goes_on), rows])


def _gathering(source: Source) -> Gathering:
    if source.gathering is None:
        raise ValueError(f"{source.name} gathers nothing")
    return source.gathering


class _Records:
    """A file's records, each parsed once."""

    def __init__(self, con: duckdb.DuckDBPyConnection, source: Source) -> None:
        gathering = _gathering(source)
        self._con = con
        self._statement = source.parts_of(LINES, gathering)
        self._trusting = source.parts_of(LINES, gathering, trusting=True)
        self._is_trusted = True

    def keyed(self, rows: pa.Table) -> tuple[pa.Table, Sequence[Malformed]]:
        """The parts of all records with `key` and `place`; what is no strict JSON is mended, or malformed."""
        keyed, malformed = self._parsed(rows), list[Malformed]()
        is_read = keyed["is_read"]
        if not pc.all(is_read, min_count=0).as_py():
            unread = rows.filter(
                pc.is_in(rows["row_number"], keyed["row_number"].filter(pc.invert(is_read)).combine_chunks())
            )
            better, malformed = mended(unread)
            again = self._ask(self._statement, better)
            keyed = pa.concat_tables([keyed.filter(is_read), again.filter(again["is_read"])])
        return _with_lone_keys(keyed.drop_columns("is_read")), malformed

    def _parsed(self, rows: pa.Table) -> pa.Table:
        """Trusting that no line is broken until one was: then never again in this file."""
        if self._is_trusted:
            try:
                return self._ask(self._trusting, rows)
            except duckdb.InvalidInputException:
                self._is_trusted = False
        return self._ask(self._statement, rows)

    def _ask(self, statement: str, rows: pa.Table) -> pa.Table:
        """In no order: they are put in order when they are gathered."""
        return ask(self._con, statement, rows, is_ordered=False)


def _with_lone_keys(keyed: pa.Table) -> pa.Table:
    """A record that names no request stands alone, by a key of its own."""
    keys = keyed["key"]
    if keys.null_count == 0:
        return keyed
    of_line = pc.cast(keyed["row_number"], keys.type)
    of_record = pa.array(range(len(keyed)), pa.int64()).cast(keys.type)
    lone = pc.binary_join_element_wise("row", of_line, of_record, " ")
    return keyed.set_column(keyed.schema.get_field_index("key"), "key", pc.coalesce(keys, lone))


def _together(rows: pa.Table, gathering: Gathering) -> pa.Table:
    """The parts of each key as lists, by place, at most `most`; in the order of their first lines."""
    if pc.count_distinct(rows["key"]).as_py() == len(rows):
        return _each_alone(rows, gathering)
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
    offsets = pa.array(np.append(ends[starts] - 1, is_taken.sum()).astype(np.int32))
    taken = rows.select(list(gathering.parts)).take(pa.array(order[is_taken]))
    lists = {
        name: pa.ListArray.from_arrays(offsets, taken[name].combine_chunks()) for name in gathering.parts
    }
    return pa.table({"row_number": first[keys][order][starts]} | lists)


def _each_alone(rows: pa.Table, gathering: Gathering) -> pa.Table:
    """The same where every request has one record: lists of one, without copying, as the records come.

    Putting them in order is left to whoever asks of them: the answer is shorter than the texts.
    """
    return pa.table(
        {"row_number": rows["row_number"]}
        | {
            name: pa.chunked_array(
                [_lists_of_one(chunk) for chunk in rows[name].chunks], pa.list_(rows[name].type)
            )
            for name in gathering.parts
        }
    )


def _lists_of_one(values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1, dtype=np.int32)), values)
