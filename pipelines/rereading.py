"""Reading a few requests' texts once more from the log files they came from.

Here: from a temporary table of wanted requests to their texts. Not here: which requests (templates,
evidence), what is done with the texts. Only for the few that a person may look at.
"""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

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
    read_again = pa.Table.from_batches(chain(*found), schema=_READ)
    apart = _texts_apart(con, read_again, {file[2] for file in files}, settings)
    with registered(con, "read_again", read_again), registered(con, "apart", apart):
        return fetch(
            con,
            """SELECT account_id, family_id, request_key::VARCHAR AS request_key, request_id,
                      CASE kind WHEN 'system' THEN coalesce(read_again.system_prompt, apart.system_prompt)
                           ELSE coalesce(read_again.prompt, apart.prompt) END AS text
               FROM wanted JOIN read_again USING (file_id, row_number) LEFT JOIN apart USING (request_id)
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


def _texts_apart(
    con: duckdb.DuckDBPyConnection, rows: pa.Table, found_in: Collection[str], settings: Settings
) -> pa.Table:
    """Texts of the rows that have none, from records of another kind: request_id, prompt, system_prompt.

    Logs lie near each other in time as a rule, so files are read from the nearest on, until all is found.
    """
    formats = adapters.with_mappings(settings.input.formats)
    apart = {
        name: source.texts_in.format
        for name in found_in
        if isinstance(source := formats.get(name), adapters.Source) and source.texts_in is not None
    }
    missing = rows.filter(pc.is_null(rows["prompt"]))["request_id"].unique()
    found = pa.table({name: pa.array([], pa.string()) for name in _APART})
    if not apart or not len(missing):
        return found
    files = con.execute(
        """WITH asked AS (SELECT DISTINCT file_id, modified_ns FROM wanted JOIN raw.file USING (file_id)),
           usual AS (SELECT median(modified_ns) AS modified_ns FROM asked)
           SELECT path, format FROM raw.file, usual
           WHERE format IN (SELECT unnest($apart))
              OR file_id IN (SELECT file_id FROM asked) AND format IN (SELECT unnest($mixed))
           ORDER BY abs(file.modified_ns - usual.modified_ns), path""",
        {"apart": list(apart.values()), "mixed": list(apart)},
    ).fetchall()
    for path, log_format in files:
        if not len(missing):
            break
        more = _texts_of(Path(path), apart.get(log_format, log_format), missing, settings, formats)
        found = pa.concat_tables([found, more])
        missing = missing.filter(pc.invert(pc.is_in(missing, more["request_id"].combine_chunks())))
    return found


_APART = ("request_id", "prompt", "system_prompt")


def _texts_of(
    path: Path, log_format: str, wanted: pa.Array, settings: Settings, formats: adapters.Formats
) -> pa.Table:
    """What one file of such records says of these requests; nothing where it cannot be read."""
    pieces = []
    try:
        with adapters.open_log(
            path,
            format=log_format,
            batch_rows=settings.input.batch_rows,
            threads=n_threads(settings),
            columns=_APART,
            formats=formats,
        ) as reader:
            for batch in reader.batches():
                pieces.append(batch.filter(pc.is_in(batch["request_id"], wanted)).select(_APART))
    except (UnreadableInput, UsageError, OSError):
        pass
    found = pa.Table.from_batches(pieces, pa.schema([(name, pa.string()) for name in _APART]))
    return (
        found.group_by("request_id", use_threads=False)
        .aggregate([("prompt", "first"), ("system_prompt", "first")])
        .rename_columns(_APART)
    )
