"""JSON Lines: pieces of a file cut into lines, and lines into the fields an adapter asks for.

Here: cutting without a Python object per line, and mending of lines that strict JSON rejects but whose
content is plain. Not here: decompression (`blocks`), casts (`canonical`). DuckDB parses the JSON.
"""

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.adapters import refusals
from pipelines.adapters.adapter import literal
from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.blocks import MAX_RECORD_BYTES, positions, repaired

LINES = "SELECT row_number, line FROM block"
"""Every line of a block, for statements over lines."""

_NEWLINE = 0x0A
_BLANK = b" \t\r\n\0"


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


def json_source(fields: Sequence[str]) -> str:
    """A SELECT over `block` that parses these fields of its lines, each as text."""
    parse = files("pipelines.adapters").joinpath("sql/json_fields.sql").read_text(encoding="utf-8")
    return parse.replace("$structure", literal(json.dumps(dict.fromkeys(fields, "VARCHAR"))))


def mended(rows: pa.Table) -> tuple[pa.Table, list[Malformed]]:
    """Of lines that hold no JSON object the mendable ones, mended, and the others' faults; blank ones pass.

    Parameters
    ----------
    rows : `row_number` and `line`
    """
    numbers: list[int] = []
    replacements: list[bytes] = []
    malformed: list[Malformed] = []
    for number, text in zip(rows["row_number"].to_pylist(), rows["line"].combine_chunks(), strict=True):
        line = text.as_buffer().to_pybytes()
        if not line.strip(_BLANK):
            continue
        better = mended_line(line)
        if better is not None and better.startswith(b"{"):
            numbers.append(number)
            replacements.append(better)
        else:
            malformed.append(Malformed(number, refusals.NOT_JSON if better is None else refusals.NOT_OBJECT))
    lines = pa.array(replacements, pa.large_binary()).cast(pa.large_string())
    return pa.table({"row_number": pa.array(numbers, pa.int64()), "line": lines}), malformed


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
        first, end = piece.find(b"\n") + 1, piece.rfind(b"\n") + 1
        if end:
            begun, self._held = self._held, piece[end:]
            yield self._block(begun, piece, first, end)
        else:
            self._held += piece
        if len(self._held) > self._max_line_bytes:
            self._too_long.append(Malformed(self._line, refusals.TOO_LONG))
            self._held, self._is_skipping = b"", True

    def finish(self) -> Iterator[Block]:
        if self._held or self._too_long:
            begun, self._held = self._held, b""
            end = b"\n" if begun else b""
            yield self._block(begun, end, len(end), len(end))

    def _block(self, begun: bytes, piece: bytes, first: int, end: int) -> Block:
        """The lines of `piece` up to `end`, the first of which, up to `first`, began before it.

        That one stands apart: in one piece with the others it would have all of them copied.
        """
        start = first if begun else 0
        parts = [_cut(begun + piece[:first], 0, len(begun) + first)] if begun else []
        lines = pa.chunked_array([*parts, _cut(piece, start, end)], pa.large_string())
        numbers = pa.array(np.arange(self._line, self._line + len(lines)))
        self._line += len(lines)
        too_long, self._too_long = self._too_long, []
        return Block(pa.table({"row_number": numbers, "line": lines}), too_long)


def _cut(text: bytes, start: int, end: int) -> pa.Array:
    """The lines of this part of a text, each with its end; the part ends with a line."""
    fixed = repaired(text, end, start)
    buffer = pa.py_buffer(text)[start:end] if fixed is None else pa.py_buffer(fixed)
    ends = positions(buffer, _NEWLINE)
    offsets = np.zeros(len(ends) + 1, np.int64)
    offsets[1:] = ends + 1
    return pa.Array.from_buffers(pa.large_string(), len(ends), [None, pa.py_buffer(offsets), buffer])
