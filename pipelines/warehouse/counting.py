"""What is noted of each log file that was read: counts, refusals, and why it broke off.

Here: raw.file and raw.reject. Not here: rows that repeat (load), reading.
"""

from typing import Any

import duckdb
import pyarrow as pa

from pipelines.adapters import LogReader
from pipelines.warehouse.arrow import registered


def note_error(con: duckdb.DuckDBPyConnection, file_id: int, why: str) -> None:
    """Say of a file that it could not be read, or not to its end."""
    con.execute("UPDATE raw.file SET error = $why WHERE file_id = $id", {"why": why, "id": file_id})


def count_file(con: duckdb.DuckDBPyConnection, reader: LogReader, file_id: int, n_other_day: int = 0) -> None:
    """Keep the counts and refusals of a reader that is done, or broke off."""
    note_counts(con, reader.refused, counts_of(reader, file_id, n_other_day))


def counts_of(reader: LogReader, file_id: int, n_other_day: int) -> dict[str, Any]:
    """The counts of a reader as values of raw.file."""
    return {
        "format": reader.format,
        "rows": reader.n_rows,
        "passed_over": reader.n_passed_over,
        "not_understood": list(reader.not_understood),
        "other": n_other_day,
        "id": file_id,
    }


def note_counts(con: duckdb.DuckDBPyConnection, refused: pa.Table, counts: dict[str, Any]) -> None:
    """Keep counts, and the rows that were refused, each with its reason."""
    with registered(con, "refused", refused):
        con.execute(
            "INSERT INTO raw.reject SELECT $id, row_number, column_name, reason, remedy FROM refused",
            {"id": counts["id"]},
        )
    con.execute(
        """UPDATE raw.file SET format = $format, n_rows = $rows, n_refused = $refused, n_other_day = $other,
                  n_passed_over = $passed_over, not_understood = $not_understood
           WHERE file_id = $id""",
        counts | {"refused": len(refused)},
    )
