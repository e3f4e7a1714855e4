"""The step `evidence`: a few prompts of what was flagged, redacted, and the readable form of its templates.

Here: choosing requests, finding their texts in the logs again, writing night.exemplar and skeletons. Texts
are read a second time for the flagged few so that none of anybody else is ever written down. Not here:
redaction and skeletons themselves (detector.text).
"""

from collections import defaultdict
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from detector import text
from pipelines import adapters
from pipelines.errors import UnreadableInput
from pipelines.progress import Progress
from pipelines.settings import Settings
from pipelines.warehouse.arrow import fetch, registered
from pipelines.warehouse.opening import n_threads
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

EXAMPLES_PER_FAMILY = 12
"""Enough for a skeleton: what three fifths of a dozen accounts share is the template."""

EXAMPLE_CHARS = 6_000
"""How much of an example the skeleton is read off: longer templates are recognised by their head."""


def keep_evidence(
    con: duckdb.DuckDBPyConnection, day: date, *, settings: Settings, progress: Progress
) -> None:
    """Replace the exemplars of `day` and write the skeletons of its campaigns' templates.

    Reads the log files that hold a wanted request once more; a file that has gone or changed in the meantime
    only costs its examples. When the setting `evidence.exemplars` is off, what earlier scans kept goes too.
    """
    if not settings.evidence.exemplars:
        _forget_texts(con)
        return
    con.execute("DELETE FROM night.exemplar WHERE day = $day", {"day": day})
    con.execute(
        statement("evidence/wanted"),
        {
            "day": day,
            "per_account": settings.evidence.exemplars_per_account,
            "per_family": EXAMPLES_PER_FAMILY,
        },
    )
    with progress.step("evidence") as step:
        found = _texts(con, settings)
        with transaction(con):
            _write_exemplars(con, day, found, settings.evidence.exemplar_chars)
            n_families = _write_skeletons(con, day, found)
        step.note(f"{n_families:,} templates read, {len(found):,} exemplars kept")
    con.execute("DROP TABLE wanted")


def _forget_texts(con: duckdb.DuckDBPyConnection) -> None:
    with transaction(con):
        con.execute("DELETE FROM night.exemplar")
        con.execute("UPDATE night.family SET skeleton = '' WHERE skeleton <> ''")


def _texts(con: duckdb.DuckDBPyConnection, settings: Settings) -> pa.Table:
    """The wanted requests with their texts, ordered by request key.

    A row counts only when it still is that request: under the same name another night's log may stand by
    now, and nobody may be shown somebody else's words.
    """
    files = con.execute(
        """SELECT file_id, path, format, list(row_number ORDER BY row_number)
           FROM wanted JOIN raw.file USING (file_id) GROUP BY file_id, path, format ORDER BY file_id"""
    ).fetchall()
    pieces = []
    for file_id, path, log_format, rows in files:
        try:
            pieces.extend(_rows_of(Path(path), log_format, rows, file_id, settings))
        except (UnreadableInput, OSError):
            continue
    columns = pa.schema(
        [
            ("file_id", pa.int32()),
            ("row_number", pa.int64()),
            ("request_id", pa.string()),
            ("prompt", pa.string()),
        ]
    )
    with registered(con, "read_again", pa.Table.from_batches(pieces, schema=columns)):
        return fetch(
            con,
            """SELECT account_id, family_id, request_key::VARCHAR AS request_key, request_id, prompt
               FROM wanted JOIN read_again USING (file_id, row_number)
               WHERE md5_number(request_id) = request_key AND prompt IS NOT NULL
               ORDER BY wanted.request_key""",
        )


def _rows_of(
    path: Path, log_format: str, rows: list[int], file_id: int, settings: Settings
) -> list[pa.RecordBatch]:
    """The wanted rows of one file; reading stops at the last of them."""
    wanted = pa.array(rows, pa.int64())
    pieces = []
    with adapters.open_log(
        path, format=log_format, batch_rows=settings.input.batch_rows, threads=n_threads(settings)
    ) as reader:
        for batch in reader.batches():
            here = batch.filter(pc.is_in(batch.column("row_number"), value_set=wanted))
            if len(here):
                pieces.append(
                    pa.record_batch(
                        {
                            "file_id": pa.array([file_id] * len(here), pa.int32()),
                            "row_number": here.column("row_number"),
                            "request_id": here.column("request_id"),
                            "prompt": here.column("prompt"),
                        }
                    )
                )
            if len(batch) and batch.column("row_number")[-1].as_py() >= rows[-1]:
                break
    return pieces


def _write_exemplars(con: duckdb.DuckDBPyConnection, day: date, found: pa.Table, most_chars: int) -> None:
    shown = found.drop(["prompt"]).append_column(
        "text",
        pa.array(
            [text.presentable(prompt, most_chars) for prompt in found.column("prompt").to_pylist()],
            pa.string(),
        ),
    )
    with registered(con, "shown", shown):
        con.execute(
            """INSERT INTO night.exemplar BY NAME
               SELECT $day AS day, account_id, family_id, request_key::UHUGEINT AS request_key,
                      request_id, text
               FROM shown ORDER BY request_key""",
            {"day": day},
        )


def _write_skeletons(con: duckdb.DuckDBPyConnection, day: date, found: pa.Table) -> int:
    examples: dict[str, list[str]] = defaultdict(list)
    for family_id, prompt in zip(
        found.column("family_id").to_pylist(), found.column("prompt").to_pylist(), strict=True
    ):
        if family_id is not None and len(examples[family_id]) < EXAMPLES_PER_FAMILY:
            examples[family_id].append(text.presentable(prompt, EXAMPLE_CHARS))
    table = pa.table(
        {
            "family_id": pa.array(sorted(examples), pa.string()),
            "skeleton": pa.array([text.skeleton(examples[name]) for name in sorted(examples)], pa.string()),
        }
    )
    with registered(con, "read_off", table):
        con.execute(
            """UPDATE night.family SET skeleton = read_off.skeleton
               FROM read_off WHERE family.day = $day AND family.family_id = read_off.family_id""",
            {"day": day},
        )
    return len(table)
