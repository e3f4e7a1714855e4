"""Logs that are lines for people: each known line becomes a JSON record of its text.

Here: which lines are known at all, and the day before which a file's lines were written, for some have no
year. Not here: what a line says (each source), cutting a file into lines (`lines`).
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import duckdb

from pipelines.adapters.block import Block
from pipelines.adapters.connection import as_block

TEXT_LINE = "text line"
"""Field of a line's record; a name that no program gives to a field of its own."""

KNOWN_AS = "known as"
"""Field of a sample's record: whose line it is."""

_KNOWN = {
    "vllm": re.compile(rb"^[^'\"]*Received request [^\s:]+: "),
    "uvicorn": re.compile(rb"^[^'\"]*:\d+ - \"[A-Z]+ /\S* HTTP/\d(?:\.\d)?\" \d{3}"),
}


def known_lines(head: bytes) -> list[dict[str, str]]:
    """Records for a sample: of each kind of line that a file's beginning has, the first."""
    found = []
    for name, pattern in _KNOWN.items():
        line = next((line for line in head.split(b"\n") if pattern.search(line)), None)
        if line is not None:
            found.append({TEXT_LINE: line.decode("utf-8", "replace"), KNOWN_AS: name})
    return found


def written_on(path: Path) -> date:
    """The day after the UTC day on which a file was last written: none of its lines is younger, however far
    the clock of who wrote them is ahead of UTC."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date() + timedelta(days=1)


def text_blocks(con: duckdb.DuckDBPyConnection, blocks: Iterator[Block], written: date) -> Iterator[Block]:
    """Blocks of lines as blocks of JSON records, with the fields `TEXT_LINE` and `written`."""
    statement = files("pipelines.adapters").joinpath("sql/text_records.sql").read_text(encoding="utf-8")
    for block in blocks:
        with as_block(con, block.rows):
            rows = con.sql(statement, params={"written": written.isoformat()}).to_arrow_table()
        yield Block(rows, block.malformed)
