"""Reading a few requests' texts once more from the log files they came from.

Here: from a temporary table of wanted requests to their texts. Not here: which requests (templates,
evidence), what is done with the texts. Only for the few that a person may look at.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines import adapters
from pipelines.errors import UnreadableInput, UsageError
from pipelines.settings import Settings
from pipelines.warehouse.arrow import fetch, registered
from pipelines.warehouse.opening import n_threads

_READ = pa.schema(
    [
        ("file_id", pa.int32()),
        ("row_number", pa.int64()),
        ("request_id", pa.string()),
        ("prompt", pa.string()),
        ("system_prompt", pa.string()),
    ]
)


def read_wanted(con: duckdb.DuckDBPyConnection, settings: Settings) -> pa.Table:
    """The requests of the temporary table `wanted` (account_id, family_id, kind, request_key, file_id,
    row_number) with `text`, the system prompt where kind is `system` and else the prompt; ordered by request
    key.

    A row counts only when it still is that request: under the same name another night's log may stand by
    now, and nobody may be shown somebody else's words. A file that has gone, or that cannot be read any more,
    costs its texts.
    """
    files = con.execute(
        """SELECT file_id, path, format, list(DISTINCT row_number ORDER BY row_number)
           FROM wanted JOIN raw.file USING (file_id) GROUP BY file_id, path, format ORDER BY file_id"""
    ).fetchall()
    with ThreadPoolExecutor(n_threads(settings)) as pool:  # few rows of a file are read by one thread
        found = list(pool.map(lambda file: _rows_of(file, settings), files))
    with registered(con, "read_again", pa.Table.from_batches(chain(*found), schema=_READ)):
        return fetch(
            con,
            """SELECT account_id, family_id, request_key::VARCHAR AS request_key, request_id,
                      CASE kind WHEN 'system' THEN system_prompt ELSE prompt END AS text
               FROM wanted JOIN read_again USING (file_id, row_number)
               WHERE md5_number(request_id) = request_key AND text IS NOT NULL
               ORDER BY wanted.request_key, family_id""",
        )


def _rows_of(file: tuple[Any, ...], settings: Settings) -> list[pa.RecordBatch]:
    """The wanted rows of one file (file_id, path, format, row numbers), none where it cannot be read."""
    file_id, path, log_format, rows = file
    pieces = []
    try:
        with adapters.open_log(
            Path(path),
            format=log_format,
            batch_rows=settings.input.batch_rows,
            threads=n_threads(settings),
            columns=_READ.names,
            rows=rows,
            formats=adapters.with_mappings(settings.input.formats),
        ) as reader:
            for batch in reader.batches():
                found = {name: batch.column(name) for name in _READ.names if name != "file_id"}
                numbered = {"file_id": pa.array([file_id] * len(batch), pa.int32())} | found
                pieces.append(pa.record_batch(numbered, schema=_READ))
    except (UnreadableInput, UsageError, OSError):  # also where its format's mapping has gone
        return []
    return pieces
