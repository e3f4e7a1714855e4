"""Bodies that lie in files of their own beside a log: put into the records that name them.

Here: finding, reading and putting in. Not here: which fields name a body (each source declares them).

Only large bodies lie apart, and each costs a file to open, so these records may be Python objects on the way.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.adapters.block import Block
from pipelines.adapters.blocks import MAX_RECORD_BYTES, compression_of, pieces
from pipelines.adapters.source import Beside
from pipelines.errors import UnreadableInput

_NAME = re.compile(r"[\w][\w.=-]{0,250}")
"""What a file in the folder may be called: never a way out of it."""


def with_bodies(
    blocks: Iterator[Block], log: Path, beside: Beside, rows: npt.NDArray[np.int64] | None
) -> Iterator[Block]:
    """The blocks of a log's records, the bodies of `rows` (None: all) put in that lie beside the log."""
    folder = log.parent / beside.folder
    if not folder.is_dir():
        yield from blocks
        return
    for block in blocks:
        names_one = pc.match_substring(block.rows["line"], beside.mark).to_numpy()
        if rows is not None:
            names_one &= np.isin(np.asarray(block.rows["row_number"]), rows)
        yield Block(_filled(block.rows, np.flatnonzero(names_one), folder, beside), block.malformed)


def _filled(rows: pa.Table, places: npt.NDArray[np.int64], folder: Path, beside: Beside) -> pa.Table:
    better = {int(at): line for at in places if (line := _line(rows["line"][at], folder, beside)) is not None}
    if not better:
        return rows
    is_better = np.zeros(len(rows), bool)
    is_better[list(better)] = True
    lines = rows["line"].combine_chunks()
    new = pa.array([better[at] for at in sorted(better)], pa.large_string())
    filled = pc.replace_with_mask(lines, pa.array(is_better), new)
    return rows.set_column(rows.schema.get_field_index("line"), "line", filled)


def _line(text: pa.Scalar, folder: Path, beside: Beside) -> str | None:
    """A record's line with its bodies in it; None where nothing is to be put in."""
    try:
        record = json.loads(text.as_py())
        found = [_put_in(record, folder, *fields) for fields in beside.fields]
        if not any(found):
            return None
        return json.dumps(record, ensure_ascii=False).encode("utf-8", "replace").decode()
    except (ValueError, RecursionError):
        return None


def _put_in(record: Any, folder: Path, part: str, named_by: str, body: str) -> bool:
    here = record.get(part) if isinstance(record, dict) else None
    if not isinstance(here, dict) or here.get(body) is not None or not isinstance(here.get(named_by), str):
        return False
    name = here[named_by].rsplit("/", maxsplit=1)[-1]
    if not _NAME.fullmatch(name) or not (folder / name).is_file():
        return False
    content = _content(folder / name)
    if content is None:
        return False
    here[body] = json.loads(content)
    return True


def _content(path: Path) -> bytes | None:
    """The whole file, unpacked; None where it cannot be read or is longer than any record may be."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
        found = b""
        for piece in pieces(path, compression_of(head)):
            found += piece
            if len(found) > MAX_RECORD_BYTES:
                return None
    except (OSError, UnreadableInput):
        return None
    return found
