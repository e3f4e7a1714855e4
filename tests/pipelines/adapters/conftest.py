"""Log files for the stories in this folder, written as their writers would write them."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from log_files import NOON, as_line


@pytest.fixture
def lines(tmp_path: Path) -> Callable[..., Path]:
    """Write records, or bytes just as they are, one after the other."""

    def write(*parts: Mapping[str, Any] | bytes, name: str = "log.jsonl") -> Path:
        path = tmp_path / name
        text = b"".join(part if isinstance(part, bytes) else as_line(part) for part in parts)
        packed = {".gz": gzip.compress, ".zst": lambda raw: pa.compress(raw, "zstd", asbytes=True)}
        path.write_bytes(packed.get(path.suffix, bytes)(text))
        return path

    return write


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., Path]:
    """Write CSV text just as it is."""

    def write(text: str | bytes, name: str = "log.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., Path]:
    """Write columns as Parquet; those every record needs are added."""

    def write(columns: Mapping[str, pa.Array | Sequence[Any]], **options: Any) -> Path:
        n_rows = len(next(iter(columns.values())))
        needed = {
            "request_id": [f"r{at}" for at in range(1, n_rows + 1)],
            "ts": [NOON] * n_rows,
            "account_id": ["ana"] * n_rows,
        }
        path = tmp_path / "log.parquet"
        pq.write_table(pa.table({**needed, **columns}), path, **options)
        return path

    return write
