"""CSV: pieces of a file cut into records, quoted line breaks and all, and records into columns.

Here: where records begin and end, what the header says, which fields are missing. Not here:
decompression (`blocks`), casts (`canonical`).

A regular piece, one whose quotes all stand where CSV puts them, is cut by counting quotes in numpy and
parsed by Arrow. Any other is cut and parsed record by record with the patterns below: slower, but a
stray quote then costs its own record, not those after it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from pipelines.adapters import refusals
from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.blocks import MAX_RECORD_BYTES, positions, repaired

_QUOTE, _COMMA, _LF, _CR = b'",\n\r'
_FIELD = rb'(?:"[^"]*+(?:""[^"]*+)*+"[^,\n]*+|(?!")[^,\n]*+)'
_RECORD = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+(?:\n|\Z)")
_NEXT_FIELD = re.compile(rb"(" + _FIELD + rb")(,|\Z)")


@dataclass(frozen=True, slots=True)
class _Records:
    """Records of one piece: where they are, which lines they start on, what could not be cut."""

    text: bytes
    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    malformed: Sequence[Malformed]
    is_regular: bool


def header_names(head: bytes) -> list[str]:
    """The names in the first non-blank record of a file's beginning; empty when there is none."""
    at = 0
    while found := _RECORD.match(head, at):
        if found.end() == at:
            return []
        if record := found.group().strip(b"\r\n"):
            return [(value or b"").decode("utf-8", "replace").strip() for value in _values(record)]
        at = found.end()
    return []


def csv_blocks(
    pieces: Iterator[bytes], fields: Sequence[str], max_record_bytes: int = MAX_RECORD_BYTES
) -> Iterator[Block]:
    """Blocks with `row_number` and those of `fields` that the header names, as text.

    An unquoted empty field is null. Of columns with the same name the first counts. A record longer than
    `max_record_bytes` is refused; so is a line whose quote never closes within as much, and the reading
    goes on with the line after it.
    """
    cutter = _Cutter(max_record_bytes)
    table: _Table | None = None
    for records in cutter.cut(pieces):
        if table is None:
            table, records = _Table.from_header(records, fields)  # noqa: PLW2901
            if table is None:
                continue
        yield table.block(records)


class _Table:
    """The header, and what of each record is wanted."""

    def __init__(self, names: Sequence[str], fields: Sequence[str]) -> None:
        self._n_columns = len(names)
        self._wanted = {name: names.index(name) for name in fields if name in names}

    @classmethod
    def from_header(cls, records: _Records, fields: Sequence[str]) -> "tuple[_Table | None, _Records]":
        """The table its first record describes, and the records after it."""
        if len(records.starts) == 0:
            return None, records
        names = header_names(records.text[records.starts[0] : records.ends[0]])
        rest = _Records(
            records.text,
            records.starts[1:],
            records.ends[1:],
            records.lines[1:],
            records.malformed,
            records.is_regular,
        )
        return cls(names, fields), rest

    def block(self, records: _Records) -> Block:
        if len(records.starts) == 0:
            columns = {name: pa.array([], pa.string()) for name in self._wanted}
            return Block(pa.table({"row_number": pa.array([], pa.int64()), **columns}), records.malformed)
        return (self._regular(records) if records.is_regular else None) or self._irregular(records)

    def _regular(self, records: _Records) -> Block | None:
        """Arrow's parse; None when it does not see the very records that were cut."""
        body = pa.py_buffer(records.text)[int(records.starts[0]) : int(records.ends[-1])]
        names = [str(at) for at in range(self._n_columns)]
        try:
            parsed = pcsv.read_csv(
                pa.BufferReader(body),
                pcsv.ReadOptions(column_names=names, use_threads=False, block_size=max(body.size, 1)),
                pcsv.ParseOptions(newlines_in_values=True),
                pcsv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=[str(at) for at in self._wanted.values()],
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if parsed.num_rows != len(records.lines) or not self._wanted:
            return None
        rows = parsed.rename_columns(list(self._wanted))
        return Block(rows.add_column(0, "row_number", pa.array(records.lines)), records.malformed)

    def _irregular(self, records: _Records) -> Block:
        numbers: list[int] = []
        columns: dict[str, list[bytes | None]] = {name: [] for name in self._wanted}
        malformed = list(records.malformed)
        for start, end, line in zip(records.starts, records.ends, records.lines, strict=True):
            values = _values(records.text[start:end].removesuffix(b"\n").removesuffix(b"\r"))
            if len(values) != self._n_columns:
                is_short = len(values) < self._n_columns
                fault = refusals.TOO_FEW_FIELDS if is_short else refusals.TOO_MANY_FIELDS
                malformed.append(Malformed(int(line), fault))
                continue
            numbers.append(int(line))
            for name, at in self._wanted.items():
                columns[name].append(values[at])
        texts = {name: pa.array(values, pa.binary()).cast(pa.string()) for name, values in columns.items()}
        malformed.sort(key=lambda one: one.row_number)
        return Block(pa.table({"row_number": pa.array(numbers, pa.int64()), **texts}), malformed)


class _Cutter:
    """Cuts pieces at record ends, counting physical lines."""

    def __init__(self, max_record_bytes: int) -> None:
        self._max_record_bytes = max_record_bytes
        self._held = b""
        self._line = 1  # number of the line that `_held` begins
        self._is_skipping = False

    def cut(self, pieces: Iterator[bytes]) -> Iterator[_Records]:
        broken: Exception | None = None
        try:
            for piece in pieces:
                self._held += self._after_skipped(piece)
                yield self._records(is_last=False)
                if len(self._held) > self._max_record_bytes:
                    yield self._give_up()
        except Exception as error:  # whatever broke, the records before it stand
            broken = error
        if self._held:
            yield self._records(is_last=True)
        if broken is not None:
            raise broken

    def _after_skipped(self, piece: bytes) -> bytes:
        if not self._is_skipping:
            return piece
        end = piece.find(b"\n")
        if end < 0:
            return b""
        self._is_skipping = False
        self._line += 1
        return piece[end + 1 :]

    def _give_up(self) -> _Records:
        """Refuse the first line of a record that does not end, and go on with the line after it."""
        nothing = np.array([], np.int64)
        end = self._held.find(b"\n") + 1
        fault = refusals.UNCLOSED_QUOTE if end else refusals.TOO_LONG
        malformed = [Malformed(self._line, fault)]
        if end:
            self._held = self._held[end:]
            self._line += 1
        else:
            self._held, self._is_skipping = b"", True
        return _Records(b"", nothing, nothing, nothing, malformed, is_regular=True)

    def _records(self, *, is_last: bool) -> _Records:
        text = self._held
        spans = _regular_spans(text, is_last=is_last)
        is_regular = spans is not None
        starts, ends, n_done, unclosed = spans or _irregular_spans(text, is_last=is_last)
        done = text[:n_done]
        fixed = repaired(done, n_done)
        if fixed is not None:  # repair moved the offsets
            return self._after_repair(fixed, n_done)
        self._held = text[n_done:]
        breaks = positions(done, _LF)
        lines = self._line + np.searchsorted(breaks, starts)
        malformed = [
            Malformed(self._line + int(np.searchsorted(breaks, at)), refusals.UNCLOSED_QUOTE)
            for at in unclosed
        ]
        self._line += len(breaks)
        return self._without_blanks(done, starts, ends, lines, malformed, is_regular=is_regular)

    def _after_repair(self, fixed: bytes, n_done: int) -> _Records:
        rest, self._held = self._held[n_done:], fixed
        records = self._records(is_last=True)
        self._held = rest
        return records

    def _without_blanks(
        self,
        text: bytes,
        starts: np.ndarray,
        ends: np.ndarray,
        lines: np.ndarray,
        malformed: list[Malformed],
        *,
        is_regular: bool,
    ) -> _Records:
        """Leave out blank lines: they hold nothing, and Arrow passes over them as well."""
        first = np.frombuffer(text, np.uint8)[starts]
        is_blank = (first == _LF) | ((first == _CR) & (ends - starts <= 2))
        kept = ~is_blank
        return _Records(text, starts[kept], ends[kept], lines[kept], malformed, is_regular)


_Spans = tuple[np.ndarray, np.ndarray, int, Sequence[int]]


def _regular_spans(text: bytes, *, is_last: bool) -> _Spans | None:
    """Starts and ends of records by the parity of quotes; None when a quote stands out of place."""
    raw = np.frombuffer(text, np.uint8)
    breaks = positions(text, _LF)
    quotes = positions(text, _QUOTE)
    ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0] + 1 if quotes.size else breaks + 1
    n_done = int(ends[-1]) if ends.size else 0
    if is_last and n_done < len(text):
        ends, n_done = np.append(ends, len(text)), len(text)
    quotes = quotes[quotes < n_done]
    returns = positions(text, _CR)
    returns = returns[returns + 1 < n_done]
    # To Arrow a bare carriage return ends a record; to us it is a character of its field.
    if quotes.size % 2 or (raw[returns + 1] != _LF).any():
        return None
    opening, closing = quotes[0::2], quotes[1::2]
    before = raw[opening - 1]
    is_open = (opening == 0) | (before == _COMMA) | (before == _LF) | (before == _QUOTE)
    after = raw[np.minimum(closing + 1, len(raw) - 1)]
    is_closed = (
        (closing + 1 == len(raw)) | (after == _COMMA) | (after == _LF) | (after == _CR) | (after == _QUOTE)
    )
    if not (is_open.all() and is_closed.all()):
        return None
    starts = np.zeros(len(ends), np.int64)
    starts[1:] = ends[:-1]
    return starts, ends, n_done, ()


def _irregular_spans(text: bytes, *, is_last: bool) -> _Spans:
    starts, ends, unclosed = [], [], []
    at = 0
    while at < len(text):
        found = _RECORD.match(text, at)
        if found and (is_last or text[found.end() - 1] == _LF):
            starts.append(at)
            ends.append(found.end())
            at = found.end()
        elif not is_last:
            break
        else:
            unclosed.append(at)
            at = text.find(b"\n", at) + 1 or len(text)
    return np.array(starts, np.int64), np.array(ends, np.int64), at, unclosed


def _values(record: bytes) -> list[bytes | None]:
    values: list[bytes | None] = []
    at = 0
    while found := _NEXT_FIELD.match(record, at):
        values.append(_unquoted(found.group(1)))
        at = found.end()
        if not found.group(2):
            break
    return values


def _unquoted(field: bytes) -> bytes | None:
    if not field.startswith(b'"'):
        return field or None
    end = field.rfind(b'"')
    return field[1:end].replace(b'""', b'"') + field[end + 1 :]
