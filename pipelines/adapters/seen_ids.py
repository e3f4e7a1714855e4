"""Request ids that a check has seen, to tell which rows repeat one.

Here: the ids as hashes, by file and row. Not here: what a repeat means (`check`).
"""

import duckdb
import pyarrow as pa

from pipelines.adapters.connection import connect


class SeenIds:
    """Every request id of the check as sixteen bytes, by file and row."""

    def __init__(self, threads: int) -> None:
        """No id was seen yet."""
        self._con: duckdb.DuckDBPyConnection = connect(threads)
        self._con.execute("CREATE TEMP TABLE seen (request_key UHUGEINT, file_at INTEGER, row_number BIGINT)")
        self._file_at = -1

    def begin_file(self) -> None:
        """What is added from now on is of the next file."""
        self._file_at += 1

    def add(self, batch: pa.RecordBatch) -> None:
        """The ids of some rows of this file."""
        self._con.register("batch", batch.select(["request_id", "row_number"]))
        self._con.execute(
            "INSERT INTO seen SELECT md5_number(request_id), $file_at, row_number FROM batch",
            {"file_at": self._file_at},
        )
        self._con.unregister("batch")

    def repeats(self, file_at: int) -> pa.Table:
        """`row_number` of the file's rows whose id came before, in an earlier file or row."""
        return self._con.sql(
            """
            WITH first_seen AS (
                SELECT request_key, min((file_at, row_number)) AS place, count(*) AS n_rows
                FROM seen GROUP BY request_key HAVING count(*) > 1
            )
            SELECT row_number FROM seen JOIN first_seen USING (request_key)
            WHERE file_at = $file_at AND (file_at, row_number) <> place
            ORDER BY row_number
            """,
            params={"file_at": file_at},
        ).to_arrow_table()
