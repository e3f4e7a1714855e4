"""Which container a file is, told by its bytes, and a sample of what is in it.

Here: looking. Not here: reading (`reader`), the containers themselves (`parquet`, `lines`, `csvfile`).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipelines.adapters import parquet
from pipelines.adapters.adapter import Sample
from pipelines.adapters.blocks import MAX_RECORD_BYTES, ZSTD_MAGIC, Compression, compression_of, pieces
from pipelines.adapters.csvfile import header_names
from pipelines.adapters.documents import first_documents, is_glued, is_spread_out, outermost, top_names
from pipelines.adapters.lines import first_objects
from pipelines.adapters.textlines import TEXT_LINE, known_lines
from pipelines.errors import UnreadableInput

_HEAD_BYTES = 1 << 20
_LONG_HEAD_BYTES = 32 << 20
"""Where the first record goes on beyond the head, for one large image is enough, so much is looked at.
Providers take requests of up to 32 MB; of what is longer the names of fields must do."""

_SAMPLE_RECORDS = 20
_BLANK = b" \t\r\n\0"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OTHER_PACKINGS = {
    "bzip2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "zip": re.compile(rb"PK\x03\x04"),
    "lz4": re.compile(rb"\x04\x22M\x18"),
    "snappy": re.compile(rb"\xff\x06\0\0sNaPpY"),
}
"""Compressions that are known by name and not read."""
_AFTER_LENGTH = (b"{", b"\n", ZSTD_MAGIC)
"""How a record of OpenTelemetry's collector begins behind its length: as JSON, in binary, packed."""


class Kind(StrEnum):
    """How records lie in a file."""

    PARQUET = "parquet"
    JSON_LINES = "jsonl"
    JSON_DOCUMENTS = "json"
    CSV = "csv"
    TEXT = "text"
    """Lines for people, of which a pattern is known."""
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Container:
    """What a file turned out to be."""

    kind: Kind
    compression: Compression
    sample: Sample


def look(path: Path) -> Container:
    """Open a file far enough to know what it is. A file without content is an empty log.

    Raises
    ------
    UnreadableInput : not a regular file, may not be read, or none of the containers.
    """
    head = _raw_head(path)
    if head.startswith(parquet.MAGIC):
        names = parquet.ParquetFile(path, ()).names
        return Container(Kind.PARQUET, Compression.NONE, Sample(frozenset(names)))
    _require_readable(path, head)
    compression = compression_of(head)
    text = _text_head(path, compression, _HEAD_BYTES)
    if not text.strip(_BLANK) or _is_empty_list(text):
        return Container(Kind.EMPTY, compression, Sample(frozenset()))
    if text.startswith(parquet.MAGIC):
        raise UnreadableInput(
            f"{path}: a Parquet file inside {compression} compression",
            remedy="unpack it first; Parquet compresses its own pages",
        )
    if text.startswith(_UTF16_MARKS):
        raise UnreadableInput(f"{path}: the text is UTF-16", remedy="write the file as UTF-8")
    return _text_container(path, compression, text)


def _require_readable(path: Path, head: bytes) -> None:
    """Pass what is not one of the packings that are known and not read."""
    packing = next((name for name, magic in _OTHER_PACKINGS.items() if magic.match(head)), None)
    if packing is not None:
        raise UnreadableInput(
            f"{path}: packed with {packing}", remedy="unpack it first, or pack it with gzip or zstd"
        )
    length = int.from_bytes(head[:4])
    if (
        0 < length < MAX_RECORD_BYTES
        and length <= path.stat().st_size - 4
        and head[:4].strip(_BLANK)
        and head[4:].startswith(_AFTER_LENGTH)
    ):
        raise UnreadableInput(
            f"{path}: records with their length before each, as OpenTelemetry's collector writes them with "
            "format proto or with compression",
            remedy="have its file exporter write format json without compression, and pack the files later",
        )


def _is_empty_list(text: bytes) -> bool:
    """An export of no rows; a longer file is not looked at any further."""
    return len(text) < _HEAD_BYTES and text.translate(None, _BLANK) == b"[]"


def _text_container(path: Path, compression: Compression, text: bytes) -> Container:
    start = text.lstrip(_BLANK)[:1]
    if start == b"[" or (start == b"{" and (is_spread_out(text) or is_glued(text))):
        objects = first_documents(text, _SAMPLE_RECORDS)
        lines = [] if objects else known_lines(text)
        if lines:  # loggers put times and levels into brackets
            return Container(Kind.TEXT, compression, Sample(frozenset({TEXT_LINE}), tuple(lines)))
        if not objects and _is_cut_off(text):
            objects = first_documents(_text_head(path, compression, _LONG_HEAD_BYTES), 1)
        names = frozenset(name for one in objects for name in one) or top_names(text)
        return Container(Kind.JSON_DOCUMENTS, compression, Sample(names, tuple(objects)))
    objects = first_objects(text, _SAMPLE_RECORDS)
    if not objects and start == b"{" and b"\n" not in text.strip(_BLANK):
        long = _text_head(path, compression, _LONG_HEAD_BYTES).lstrip(_BLANK)
        objects = first_objects(long.split(b"\n", maxsplit=1)[0], 1)
    if objects:
        names = frozenset(name for one in objects for name in one)
        return Container(Kind.JSON_LINES, compression, Sample(names, tuple(objects)))
    if start == b"{":  # none of the first records is whole
        return Container(Kind.JSON_LINES, compression, Sample(top_names(text)))
    lines = known_lines(text)
    if lines:
        return Container(Kind.TEXT, compression, Sample(frozenset({TEXT_LINE}), tuple(lines)))
    names = frozenset(header_names(text)) - {""}
    if names:
        return Container(Kind.CSV, compression, Sample(names))
    raise UnreadableInput(
        f"{path}: neither Parquet nor JSON Lines nor CSV, nor text lines that are known",
        remedy="give log files only; docs/reference/input.md describes them",
    )


def _is_cut_off(text: bytes) -> bool:
    """Whether not even the first object of a text is whole."""
    inside = text.lstrip(_BLANK)
    starts, _ = outermost(inside[inside.startswith(b"[") :])
    return len(starts) == 0


def _raw_head(path: Path) -> bytes:
    # A named pipe or a device would block or never end, so it is not even opened.
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not a regular file" if path.exists() else "no such file"
        raise UnreadableInput(f"{path}: {what}", remedy="name a log file, a folder of logs or a pattern")
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError as error:
        raise UnreadableInput(
            f"{path}: cannot be read ({error.strerror or 'input/output error'})",
            remedy="check the file and its permissions",
        ) from None


def _text_head(path: Path, compression: Compression, n_bytes: int) -> bytes:
    """The first unpacked bytes; a file that breaks off later is still known by them."""
    found: list[bytes] = []
    n_found = 0
    try:
        for piece in pieces(path, compression, _HEAD_BYTES):
            found.append(piece)
            n_found += len(piece)
            if n_found >= n_bytes:
                break
    except UnreadableInput:
        if not found:
            raise
    return b"".join(found)[:n_bytes]
