"""Many small files read by one query: one object a request is how logging callbacks write to object stores.

Here: which files are read together, and each one's part of the answer. Not here: reading one file (`reader`),
which formats there are (`adapters`).

Planning a query takes a hundred times as long as reading a file of one request. Each file stays a file of its
own for whoever counts and refuses: its rows keep their numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.canonical import Target
from pipelines.adapters.containers import Container, Kind, look
from pipelines.adapters.gathering import gathered_whole
from pipelines.adapters.jsonrecords import JsonRecords, json_blocks
from pipelines.adapters.reader import LogReader
from pipelines.adapters.records import Answered, Select
from pipelines.adapters.refused import Refusals
from pipelines.adapters.source import Source
from pipelines.errors import UnreadableInput

SMALL_BYTES = 1 << 20
"""Up to this size on disk a file is read together with others: of a larger one reading costs more than
planning."""

_GROUP_BYTES = 64 << 20
_GROUP_FILES = 4_096
_JSON = (Kind.JSON_LINES, Kind.JSON_DOCUMENTS)
_PART_BITS = 32
"""A file's place stands above these bits of a row number while it is read together with others."""

Opened = LogReader | UnreadableInput


@dataclass(frozen=True, slots=True)
class Small:
    """A small file, its records cut but not read."""

    path: Path
    container: Container
    format: str
    records: Block


def read_together(
    paths: Sequence[Path],
    *,
    recognise: Callable[[Path, Container], str],
    source: Callable[[str], Source | None],
    answer: Callable[[str, Sequence[Block]], list[Answered]],
    reader: Callable[[Path, Container, str, Answered | None], LogReader],
) -> Iterator[tuple[Path, Opened]]:
    """A reader of each file in turn, or why it cannot be read.

    Parameters
    ----------
    recognise : a file's format
    source : the foreign format of this name
    answer : the answers to several files' records in one format
    reader : a reader of one file; with what was read of it already, if it was
    """
    group: list[Small] = []
    n_bytes = 0

    def let_go() -> Iterator[tuple[Path, Opened]]:
        answers: list[Answered | None] = [None] * len(group)
        if len(group) > 1:
            answers = [*answer(group[0].format, [one.records for one in group])]
        for one, answered in zip(group, answers, strict=True):
            yield one.path, reader(one.path, one.container, one.format, answered)
        group.clear()

    for path in paths:
        try:
            container = look(path)
            name = recognise(path, container)
            small = _small(path, container, name, source(name))
            opened: Opened | None = None if small else reader(path, container, name, None)
        except UnreadableInput as error:
            small, opened = None, error
        except OSError as error:  # gone since it was listed
            small, opened = None, gone(path, error)
        is_full = n_bytes >= _GROUP_BYTES or len(group) >= _GROUP_FILES
        if group and (small is None or small.format != group[0].format or is_full):
            yield from let_go()
            n_bytes = 0
        if small is not None:
            group.append(small)
            n_bytes += small.records.rows.nbytes
        elif opened is not None:
            yield path, opened
    yield from let_go()


def _small(path: Path, container: Container, name: str, source: Source | None) -> Small | None:
    """The file with its records, when it is small, packed and unpacked, and whole."""
    if container.kind not in _JSON or path.stat().st_size > SMALL_BYTES:
        return None
    rows: list[pa.Table] = []
    malformed: list[Malformed] = []
    try:
        for block in json_blocks(path, container, source):
            rows.append(block.rows)
            malformed.extend(block.malformed)
            if sum(table.nbytes for table in rows) > _GROUP_BYTES:
                return None
    except UnreadableInput:  # read by itself, up to where it breaks
        return None
    return Small(path, container, name, Block(pa.concat_tables(rows), malformed)) if rows else None


def gone(path: Path, error: OSError) -> UnreadableInput:
    """What to say of a file that cannot even be looked at."""
    return UnreadableInput(
        f"{path}: cannot be read ({error.strerror or 'input/output error'})",
        remedy="check the file and its permissions",
    )


def answer_together(
    con: duckdb.DuckDBPyConnection,
    parts: Sequence[Block],
    *,
    target: Target,
    fields: Sequence[str],
    select: Select,
    source: Source | None,
) -> list[Answered]:
    """The answers to several files of JSON in one format, by one query, in their order.

    Parameters
    ----------
    parts : each file's records; row numbers below 2**32
    """
    if source is not None and source.gathering is not None:
        parts = [gathered_whole(con, part, source) for part in parts]
    rows = pa.concat_tables(_numbered(part.rows, at) for at, part in enumerate(parts)).combine_chunks()
    refusals = Refusals()
    reading = JsonRecords(con, fields, iter([Block(rows)]), source)
    batches = [*reading.answers(select, target, max(len(rows), 1), refusals)]
    malformed = [list(part.malformed) for part in parts]
    for one in refusals.malformed:
        malformed[one.row_number >> _PART_BITS].append(Malformed(one.row_number & _ROW, one.fault))
    if not batches:  # no line of any of them could be read
        nothing = target.schema.append(pa.field("row_number", pa.int64()))
        empty = nothing.append(pa.field("problems", pa.int64())).empty_table()
        return [Answered(empty, faults, ()) for faults in malformed]
    answer = pa.Table.from_batches(batches)
    numbers = np.asarray(answer["row_number"])
    ends = np.searchsorted(numbers, np.arange(1, len(parts) + 1) << _PART_BITS).tolist()
    column = answer.schema.get_field_index("row_number")
    answer = answer.set_column(column, "row_number", pa.array(numbers & _ROW))
    return [
        Answered(answer.slice(start, end - start), faults, refusals.meanings)
        for start, end, faults in zip([0, *ends], ends, malformed, strict=False)
    ]


_ROW = (1 << _PART_BITS) - 1


def _numbered(rows: pa.Table, at: int) -> pa.Table:
    numbers = np.asarray(rows["row_number"]) + (at << _PART_BITS)
    return rows.set_column(0, "row_number", pa.array(numbers, pa.int64()))
