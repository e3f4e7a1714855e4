"""One spelling of rows as JSON Lines and CSV, for findings and enforcement lists alike.

Here: how times, missing numbers and nested values are written, and the guard against spreadsheets.
Not here: which rows (findings, export), nor files (whoever writes them).
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""A spreadsheet runs a cell that begins so as a formula; the full-width forms count in some."""


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One line per row, keys in the rows' own order, each ending in a line feed; equal rows, equal bytes.

    Times are UTC in ISO 8601 with microseconds and a Z, days YYYY-MM-DD, numbers that JSON cannot hold
    (NaN, infinities) null.
    """
    for row in rows:
        yield as_json(row) + "\n"


def as_json(value: Any) -> str:
    """One value as compact JSON text, by the rules of `json_lines`."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A heading and one record per row: nested values as JSON text, absent ones empty.

    Text that a spreadsheet would run as a formula is preceded by an apostrophe.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for cells in ([*columns], *([_cell(row[column]) for column in columns] for row in rows)):
        writer.writerow(cells)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str):
        return _guarded(value)
    plain = _plain(value)
    if isinstance(plain, list | dict):
        return as_json(plain)
    return "" if plain is None else str(plain).lower() if isinstance(plain, bool) else plain


def _guarded(text: str) -> str:
    # Leading blanks and control characters are skipped by spreadsheets, so they hide nothing from us.
    seen = text.lstrip("\t\r\n\x00\ufeff ")
    risky = seen.startswith(FORMULA_STARTS) or text[:1] in ("\t", "\r", "\n", "\x00")
    return f"'{text}" if risky else text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    match value:
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return None
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate has no UTF-8
    return value


def instant(moment: datetime) -> str:
    """A time as `2025-06-01T00:00:00.000000Z`; one without a zone is UTC already."""
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
