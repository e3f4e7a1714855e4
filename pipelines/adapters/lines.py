"""JSON Lines: pieces of a file cut into lines, and lines into the fields an adapter asks for.

Here: cutting without a Python object per line, and mending of lines that strict JSON rejects but whose
content is plain. Not here: decompression (`blocks`), casts (`canonical`). DuckDB parses the JSON.
"""

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.adapters import refusals
from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.blocks import MAX_RECORD_BYTES, repaired

_NEWLINE = 0x0A
_BLANK = b" \t\r\n\0"
_ROWS_PER_TASK = 4_096
"""Rows DuckDB gives one thread at a time: two vectors, so that a piece keeps all threads busy."""


def line_blocks(pieces: Iterator[bytes], max_line_bytes: int = MAX_RECORD_BYTES) -> Iterator[Block]:
    """Blocks with columns `row_number` and `line`, blank lines included.

    A line longer than `max_line_bytes` is passed over without being held, and reported. When `pieces`
    raises, the lines before the break have been yielded, the unfinished one among them.
    """
    cutter = _Cutter(max_line_bytes)
    try:
        for piece in pieces:
            yield from cutter.take(piece)
    except Exception:
        yield from cutter.finish()
        raise
    yield from cutter.finish()


class JsonFields:
    """Turns blocks of lines into blocks of fields: one text column per field, null where absent."""

    def __init__(self, con: duckdb.DuckDBPyConnection, fields: Sequence[str]) -> None:
        self._con = con
        self._structure = json.dumps(dict.fromkeys(fields, "VARCHAR"))
        self._sql = files("pipelines.adapters").joinpath("sql/json_fields.sql").read_text(encoding="utf-8")

    def read(self, block: Block) -> Block:
        """The block's records; lines that hold none are reported, blank ones are not."""
        rows = self._parse(block.rows)
        unread = _unread(rows)
        if unread.size == 0:
            return Block(rows.drop_columns(["is_read"]), block.malformed)
        lines, mended, malformed = _mend(block.rows, unread)
        if mended:
            rows = self._parse(lines)
        kept = rows.filter(rows["is_read"]).drop_columns(["is_read"])
        in_order = sorted([*block.malformed, *malformed], key=lambda one: one.row_number)
        return Block(kept, in_order)

    def _parse(self, lines: pa.Table) -> pa.Table:
        chunked = pa.Table.from_batches(lines.to_batches(max_chunksize=_ROWS_PER_TASK), lines.schema)
        self._con.register("block", chunked)
        try:
            return self._con.sql(self._sql, params={"structure": self._structure}).to_arrow_table()
        finally:
            self._con.unregister("block")


def mended_line(line: bytes) -> bytes | None:
    """The line as strict JSON, when Python's more lenient reader understands it; else None.

    Lone surrogate escapes, raw control characters and NUL bytes are things a client can put into its own
    prompt: refusing the row would let it hide from the scan.
    """
    try:
        value = json.loads(line.strip(_BLANK).decode("utf-8", "replace"), strict=False)
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return None


def first_objects(head: bytes, limit: int) -> list[dict[str, Any]]:
    """The first JSON objects among complete lines of a file's beginning, malformed lines passed over."""
    found: list[dict[str, Any]] = []
    for line in head.split(b"\n"):
        if len(found) == limit:
            break
        if not line.strip(_BLANK).startswith(b"{"):
            continue
        try:
            value = json.loads(line.strip(_BLANK).decode("utf-8", "replace"), strict=False)
        except (ValueError, RecursionError):
            continue
        found.append(value)
    return found


class _Cutter:
    """Cuts pieces at line ends, counting physical lines."""

    def __init__(self, max_line_bytes: int) -> None:
        self._max_line_bytes = max_line_bytes
        self._held = b""
        self._line = 1  # number of the line that `_held` begins
        self._is_skipping = False
        self._too_long: list[Malformed] = []

    def take(self, piece: bytes) -> Iterator[Block]:
        if self._is_skipping:
            end = piece.find(b"\n")
            if end < 0:
                return
            piece, self._is_skipping = piece[end + 1 :], False
            self._line += 1
        text = self._held + piece if self._held else piece
        cut = text.rfind(b"\n") + 1
        self._held = text[cut:]
        if cut:
            yield self._block(text, cut)
        if len(self._held) > self._max_line_bytes:
            self._too_long.append(Malformed(self._line, refusals.TOO_LONG))
            self._held, self._is_skipping = b"", True

    def finish(self) -> Iterator[Block]:
        if self._held or self._too_long:
            text, self._held = self._held, b""
            yield self._block(text + b"\n" if text else b"", len(text) + 1 if text else 0)

    def _block(self, text: bytes, n_bytes: int) -> Block:
        text = repaired(text if n_bytes == len(text) else text[:n_bytes])
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE)
        offsets = np.zeros(len(ends) + 1, np.int64)
        offsets[1:] = ends + 1
        lines = pa.Array.from_buffers(
            pa.large_string(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(text)]
        )
        numbers = pa.array(np.arange(self._line, self._line + len(ends)))
        self._line += len(ends)
        too_long, self._too_long = self._too_long, []
        return Block(pa.table({"row_number": numbers, "line": lines}), too_long)


def _unread(rows: pa.Table) -> np.ndarray:
    is_read = rows["is_read"].combine_chunks().to_numpy(zero_copy_only=False)
    return np.flatnonzero(~is_read)


def _mend(lines: pa.Table, unread: np.ndarray) -> tuple[pa.Table, bool, list[Malformed]]:
    """Lines with the mendable ones replaced, whether there were any, and the faults of the others."""
    text = lines["line"].combine_chunks()
    numbers = lines["row_number"]
    mended: list[bytes] = []
    malformed: list[Malformed] = []
    is_mended = np.zeros(len(text), bool)
    for at in unread.tolist():
        line = text[at].as_buffer().to_pybytes()
        if not line.strip(_BLANK):
            continue
        better = mended_line(line)
        if better is not None and better.startswith(b"{"):
            is_mended[at] = True
            mended.append(better)
        else:
            fault = refusals.NOT_JSON if better is None else refusals.NOT_OBJECT
            malformed.append(Malformed(numbers[at].as_py(), fault))
    if mended:
        replaced = pc.replace_with_mask(
            text, pa.array(is_mended), pa.array(mended, pa.large_binary()).cast(pa.large_string())
        )
        lines = lines.set_column(1, "line", replaced)
    return lines, bool(mended), malformed
