"""Reading a log file in a test, and the record every test begins with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.adapters import open_log
from pipelines.errors import UnreadableInput

NOON = "2025-06-01T12:00:00Z"


class Read(NamedTuple):
    """What came out of one file."""

    rows: list[dict[str, Any]]
    refused: list[tuple[int, str | None, str]]
    n_rows: int
    format: str
    error: UnreadableInput | None

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def read(path: Path, *, batch_rows: int = 1_000, threads: int = 2, log_format: str = "auto") -> Read:
    """Read a whole file; damage half-way is part of the answer."""
    rows: list[dict[str, Any]] = []
    error = None
    with open_log(path, format=log_format, batch_rows=batch_rows, threads=threads) as reader:
        try:
            for batch in reader.batches():
                assert batch.schema == reader.schema
                assert 0 < batch.num_rows <= batch_rows
                rows += batch.to_pylist()
        except UnreadableInput as broken:
            error = broken
        refused = [
            (row["row_number"], row["column_name"], row["reason"]) for row in reader.refused.to_pylist()
        ]
        assert all(row["remedy"] for row in reader.refused.to_pylist())
        return Read(rows, refused, reader.n_rows, reader.format, error)


def record(request_id: str = "r1", **columns: Any) -> dict[str, Any]:
    """A record with what every record needs."""
    return {"request_id": request_id, "ts": NOON, "account_id": "ana", **columns}


def as_line(one: Mapping[str, Any]) -> bytes:
    return json.dumps(one).encode() + b"\n"
