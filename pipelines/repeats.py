"""The end of the step `load`: rows that must go because another tells of the same request, and better.

Here: older versions of a record, calls of which a log of another format tells more. Not here: repeats among
new rows (load).
"""

from collections import Counter
from datetime import date

import duckdb

from pipelines.warehouse.statements import statement


def leave_newest_versions(con: duckdb.DuckDBPyConnection, day: date | None) -> set[date]:
    """Delete rows of earlier scans of which a newer version has come in; their days."""
    has_versions = (
        "SELECT 1 FROM core.request WHERE version IS NOT NULL AND file_id IN (FROM reading) LIMIT 1"
    )
    if not con.execute(has_versions).fetchall():
        return set()
    gone = con.execute(
        """DELETE FROM core.request
           WHERE NOT (file_id IN (FROM reading) AND day = coalesce($day, day))
             AND request_key IN (SELECT request_key FROM core.request
                                 WHERE version IS NOT NULL AND file_id IN (FROM reading)
                                   AND day = coalesce($day, day))
           RETURNING abs(file_id), day""",
        {"day": day},
    ).fetchall()
    for file_id, n_gone in Counter(row[0] for row in gone).items():
        con.execute(
            """UPDATE raw.file SET n_loaded = n_loaded - $n, n_repeated = n_repeated + $n
               WHERE file_id = $id""",
            {"n": n_gone, "id": file_id},
        )
    return {row[1] for row in gone}


def leave_out_told_elsewhere(con: duckdb.DuckDBPyConnection, day: date | None) -> tuple[set[date], int]:
    """Of a call that logs of two formats tell of, leave the row that tells most; days and rows that lost."""
    (n_formats,) = con.execute("SELECT count(DISTINCT format) FROM raw.file").fetchall()[0]
    if n_formats < 2:
        return set(), 0
    con.execute(statement("load/logged_twice"), {"day": day})
    con.execute(
        """UPDATE raw.file SET n_told_elsewhere = coalesce(n_told_elsewhere, 0) + n, n_loaded = n_loaded - n
           FROM (SELECT file_id, count(*) AS n FROM logged_twice GROUP BY file_id) AS lost
           WHERE file.file_id = lost.file_id"""
    )
    gone = con.execute(
        "DELETE FROM core.request WHERE rowid IN (SELECT row_of_less FROM logged_twice) RETURNING day"
    ).fetchall()
    con.execute("DROP TABLE logged_twice")
    return {row[0] for row in gone}, len(gone)
