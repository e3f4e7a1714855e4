"""Bytes of a log file: compression, pieces of bounded size, repair of invalid UTF-8.

Here: everything below lines and records. Not here: JSON Lines (`lines`), CSV (`csvfile`), Parquet.
Memory is bounded by the piece size, whatever the file's size or its compression ratio.
"""

import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from pipelines.errors import UnreadableInput

PIECE_BYTES = 64 << 20
"""Large enough that planning a query per piece costs little, small enough to hold several."""

MAX_RECORD_BYTES = 256 << 20
"""A longer line or CSV record is refused: far beyond any request a public API accepts."""

_READ_BYTES = 1 << 20
_SCAN_BYTES = 1 << 20
_ZSTD_READ_BYTES = 1 << 18

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"


class Compression(StrEnum):
    """How the bytes are packed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


def compression_of(head: bytes) -> Compression:
    """Told by the first bytes, never by the name."""
    if head.startswith(GZIP_MAGIC):
        return Compression.GZIP
    if head.startswith(ZSTD_MAGIC):
        return Compression.ZSTD
    return Compression.NONE


def pieces(path: Path, compression: Compression, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """The unpacked file in pieces of about `piece_bytes`, without a leading byte order mark.

    Raises
    ------
    UnreadableInput : the file cannot be opened, or its packed data breaks off or is damaged; every
        byte before the break has been yielded by then.
    """
    held: list[bytes] = []
    n_held = 0
    broken: UnreadableInput | None = None
    is_first = True
    parts = _parts(path, compression, piece_bytes)
    while True:
        try:
            part = next(parts, None)
        except UnreadableInput as error:
            part, broken = None, error
        if part is not None:
            held.append(part)
            n_held += len(part)
        if held and (n_held >= piece_bytes or part is None):
            piece = held[0] if len(held) == 1 else b"".join(held)
            held, n_held = [], 0
            yield piece.removeprefix(BOM) if is_first else piece
            is_first = False
        if broken is not None:
            raise broken
        if part is None:
            return


def positions(text: pa.Buffer | bytes, byte: int) -> np.ndarray:
    """Where a byte occurs: int64, ascending."""
    raw = np.frombuffer(text, np.uint8)
    # A megabyte at a time, so that the comparison's result stays in the processor's cache.
    found = [
        np.flatnonzero(raw[start : start + _SCAN_BYTES] == byte) + start
        for start in range(0, len(raw), _SCAN_BYTES)
    ]
    return np.concatenate(found) if found else np.array([], np.int64)


def repaired(text: bytes, end: int, start: int = 0) -> bytes | None:
    """This part of the text with U+FFFD in place of each invalid UTF-8 sequence; None when there is none.

    Latin-1 or torn characters in one prompt must neither stop a scan nor hide the row from it.
    """
    if text.isascii():
        return None
    offsets = pa.array([start, end], pa.int64()).buffers()[1]
    array = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(text)])
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return text[start:end].decode("utf-8", "replace").encode("utf-8")
    return None


def _parts(path: Path, compression: Compression, piece_bytes: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            if compression is Compression.GZIP:
                yield from _gzip_parts(path, file)
            elif compression is Compression.ZSTD:
                yield from _zstd_parts(path, file)
            else:
                while part := file.read(piece_bytes):
                    yield part
    except OSError as error:
        raise UnreadableInput(
            f"{path}: cannot be read ({error.strerror or 'input/output error'})",
            remedy="check the file and its permissions",
        ) from None


def _broken(path: Path, packing: str) -> UnreadableInput:
    return UnreadableInput(
        f"{path}: the {packing} data breaks off or is damaged",
        remedy="fetch the file again; records before the break were read",
    )


def _gzip_parts(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """Members one after the other, as log rotation appends them; padding of zero bytes is passed over.

    zlib by hand, because the gzip module drops what it had already unpacked when the data breaks off.
    """
    read = file.read
    member = zlib.decompressobj(wbits=31)
    begun = False
    packed = b""
    while True:
        packed = packed or read(_READ_BYTES)
        if not begun:
            packed = packed.lstrip(b"\0")
            if not packed:
                packed = read(_READ_BYTES).lstrip(b"\0")
                if not packed:
                    return
        if not packed:
            raise _broken(path, "gzip")
        begun = True
        try:
            part = member.decompress(packed, PIECE_BYTES)
        except zlib.error:
            raise _broken(path, "gzip") from None
        if part:
            yield part
        if member.eof:
            packed = member.unused_data
            member, begun = zlib.decompressobj(wbits=31), False
        else:
            packed = member.unconsumed_tail


def _zstd_parts(path: Path, file: BinaryIO) -> Iterator[bytes]:
    try:
        with pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd") as stream:
            while part := stream.read(_ZSTD_READ_BYTES):
                yield part
    except (OSError, pa.ArrowException):
        raise _broken(path, "zstd") from None
