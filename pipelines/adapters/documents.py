"""JSON that is not one object a line: an array of objects, or objects spread over several lines.

Here: cutting such text at its outermost objects, without a Python object per character. Not here: JSON Lines
(`lines`), parsing, mending of what is cut out (`reader`, as for lines).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.adapters.block import Block
from pipelines.adapters.blocks import MAX_RECORD_BYTES, repaired
from pipelines.adapters.lines import first_objects
from pipelines.errors import UnreadableInput

_QUOTE, _BACKSLASH, _SPACE = 0x22, 0x5C, 0x20
_OPENS, _CLOSES = b"{[", b"}]"
_BLANK = b" \t\r\n\0,"
_KEY = re.compile(rb'"([A-Za-z_][A-Za-z0-9_.]{0,60})"\s*:')
_SEAM = re.compile(rb"\}[ \t]*\{")
_LOOKED_AT = 20
"""Lines after the first that may tell whether each is an object."""
_STEP = np.zeros(256, np.int8)
_STEP[[*_OPENS]] = 1
_STEP[[*_CLOSES]] = -1
_MARKS = _STEP != 0
_MARKS[[_QUOTE, _BACKSLASH]] = True


def document_blocks(
    pieces: Iterator[bytes], name: str, max_record_bytes: int = MAX_RECORD_BYTES
) -> Iterator[Block]:
    """Blocks with columns `row_number` (1-based place among the objects) and `line` (one object's text).

    Of an array its elements come that are objects or arrays, and of an array in or after it its own; other
    values in it hold no request. What is cut off at the end comes as it is, to be refused. When `pieces`
    raises, what stood before has been yielded.

    Raises
    ------
    UnreadableInput : one object is longer than `max_record_bytes`; `name` is the file's.
    """
    cutter = _DocumentCutter()
    try:
        for piece in pieces:
            yield from cutter.take(piece)
            if cutter.n_held > max_record_bytes:
                raise UnreadableInput(
                    f"{name}: a JSON object longer than 256 MB, or brackets that never close",
                    remedy="write one JSON object per line; objects before it were read",
                )
    except Exception:
        yield from cutter.finish()
        raise
    yield from cutter.finish()


def is_spread_out(head: bytes) -> bool:
    """Whether a text that begins with an object has it over several lines, as pretty printers write."""
    text = head.lstrip(_BLANK)
    first, _, rest = text.partition(b"\n")
    first = first.rstrip()
    if not first.endswith((b"{", b"[", b",")) or len(outermost(first + b"\n")[0]):
        return False
    # A line that was cut off may end like that too: then others are objects, and with them this is none.
    nearest = b"\n".join(rest.split(b"\n", _LOOKED_AT)[:_LOOKED_AT])
    return first == b"{" or not first_objects(nearest, 1) or _begins_whole(text)


def is_glued(head: bytes) -> bool:
    """Whether the first line is several objects, one right behind the other, as Kinesis Firehose delivers."""
    first = head.lstrip(_BLANK).split(b"\n", maxsplit=1)[0]
    return _SEAM.search(first) is not None and len(first_documents(first, 2)) > 1


def _begins_whole(text: bytes) -> bool:
    """Whether the object that a text begins with is there to its end."""
    starts, ends = outermost(text)
    if len(starts) == 0 or starts[0] > 0:
        return False
    try:
        json.loads(text[: ends[0]].decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def first_documents(head: bytes, limit: int) -> list[dict[str, Any]]:
    """The first objects of a file's beginning, those passed over that Python does not read."""
    text = head.lstrip(_BLANK)
    starts, ends = outermost(text[text.startswith(b"[") :])
    found: list[dict[str, Any]] = []
    for start, end in zip(starts, ends, strict=True):
        if len(found) == limit:
            break
        one = text[text.startswith(b"[") :][start:end]
        try:
            value = json.loads(one.decode("utf-8", "replace"), strict=False)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def top_names(head: bytes) -> frozenset[str]:
    """What seem to be the keys of a file's first objects, of which none is whole in its beginning."""
    text = head.lstrip(_BLANK)
    in_list = int(text.startswith(b"["))
    raw = np.frombuffer(text, np.uint8)
    marks = np.flatnonzero(_MARKS[raw])
    is_quote, is_bracket = _quotes_and_brackets(marks, raw[marks])
    quotes, brackets = marks[is_quote], marks[is_bracket]
    depth = np.cumsum(_STEP[raw[brackets]].astype(np.int64))
    found = list(_KEY.finditer(text))
    starts = np.array([key.start() for key in found], np.int64)
    is_text = np.searchsorted(quotes, starts) % 2 == 1
    below = np.append(0, depth)[np.searchsorted(brackets, starts)]
    is_top = ~is_text & (below == 1 + in_list)
    return frozenset(key.group(1).decode() for key, top in zip(found, is_top, strict=True) if top)


class _DocumentCutter:
    """Holds the text from the last whole object on."""

    def __init__(self) -> None:
        self._held = b""
        self._next_row = 1
        self._depth: int | None = None  # of the objects: 1 in an array, else 0; None before the first byte

    @property
    def n_held(self) -> int:
        return len(self._held)

    def take(self, piece: bytes) -> Iterator[Block]:
        text = self._held + piece if self._held else piece
        if self._depth is None:
            text = text.lstrip(_BLANK)
            if not text:
                return
            self._depth = int(text.startswith(b"["))
            text = text[self._depth :]
        text, self._held = self._whole_utf8(text)
        starts, ends = outermost(text)
        if len(ends):
            rest = int(ends[-1])
            self._held = text[rest:] + self._held
            yield self._block(text[:rest], *_unpacked(text, starts, ends))
        else:
            self._held = text + self._held

    def finish(self) -> Iterator[Block]:
        left, self._held = self._held.lstrip(_BLANK), b""
        if left.startswith((b"{", b"[")):
            end = np.array([len(left)])
            yield self._block(left, np.array([0]), end)

    @staticmethod
    def _whole_utf8(text: bytes) -> tuple[bytes, bytes]:
        """Text up to a place where no character is torn, and the rest."""
        cut = max(text.rfind(b"}"), text.rfind(b"]")) + 1
        whole = text[:cut]
        fixed = repaired(whole, len(whole))
        return (whole if fixed is None else fixed), text[cut:]

    def _block(self, text: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Block:
        fixed = repaired(text, len(text))
        if fixed is not None:  # only what is left over at the end can still be torn
            text, ends = fixed, np.array([len(fixed)])
        raw = np.frombuffer(text, np.uint8).copy()
        is_inside = np.zeros(len(raw) + 1, np.int8)
        is_inside[starts] += 1
        is_inside[ends] -= 1
        raw[np.cumsum(is_inside[:-1], dtype=np.int8) == 0] = _SPACE  # commas between objects become blanks
        offsets = np.append(starts, len(raw)).astype(np.int64)
        lines = pa.Array.from_buffers(
            pa.large_string(), len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(raw)]
        )
        numbers = pa.array(np.arange(self._next_row, self._next_row + len(starts)))
        self._next_row += len(starts)
        return Block(pa.table({"row_number": numbers, "line": lines}))


def _unpacked(
    text: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The same places, those within an array in its stead where it holds objects: who sends records in
    batches writes one array after the other."""
    arrays = np.flatnonzero(np.frombuffer(text, np.uint8)[starts] == _OPENS[1])
    if not len(arrays):
        return starts, ends
    all_starts, all_ends, done = [], [], 0
    for at in arrays.tolist():
        first, last = int(starts[at]) + 1, int(ends[at]) - 1
        inner_starts, inner_ends = outermost(text[first:last])
        keep = at + (len(inner_starts) == 0)
        all_starts += [starts[done:keep], inner_starts + first]
        all_ends += [ends[done:keep], inner_ends + first]
        done = at + 1
    return np.concatenate([*all_starts, starts[done:]]), np.concatenate([*all_ends, ends[done:]])


def outermost(text: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where the outermost objects and arrays of a text begin, and end (exclusive); whole ones only.

    The text begins outside of any string. A bracket that closes nothing is passed over.
    """
    raw = np.frombuffer(text, np.uint8)
    marks = np.flatnonzero(_MARKS[raw])
    _, is_bracket = _quotes_and_brackets(marks, raw[marks])
    at = marks[is_bracket]
    steps = _STEP[raw[at]].astype(np.int64)
    depth = np.cumsum(steps)
    # Below the lowest depth so far nothing is open: there a stray bracket closed.
    depth -= np.minimum(np.minimum.accumulate(depth), 0) if len(depth) else 0
    is_start = (steps > 0) & (depth == 1)
    is_end = (steps < 0) & (depth == 0)
    starts, ends = at[is_start], at[is_end] + 1
    # A stray closing bracket is an end without a start: keep, of the ends, the first after each start.
    first_end = np.searchsorted(ends, starts, "right")
    is_whole = first_end < len(ends)
    return starts[is_whole], ends[first_end[is_whole]]


def _quotes_and_brackets(
    marks: npt.NDArray[np.int64], bytes_at: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which marks are quotes that begin or end a string, and which are brackets outside of any."""
    is_quote = (bytes_at == _QUOTE) & ~_escaped(marks, bytes_at)
    return is_quote, (_STEP[bytes_at] != 0) & (np.cumsum(is_quote) % 2 == 0)


def _escaped(marks: npt.NDArray[np.int64], bytes_at: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which marks stand behind an odd number of backslashes."""
    places = np.arange(len(marks))
    follows = np.zeros(len(marks), bool)
    follows[1:] = (bytes_at[:-1] == _BACKSLASH) & (np.diff(marks) == 1)
    run_starts = np.maximum.accumulate(np.where(follows, 0, places)) if len(marks) else places
    escaped: npt.NDArray[np.bool_] = (places - run_starts) % 2 == 1
    return escaped
