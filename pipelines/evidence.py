"""The step `evidence`: a few prompts of flagged accounts, redacted, with what they share with others marked.

Here: choosing requests of what was flagged, finding their texts in the logs again, writing night.exemplar.
Texts are read a second time for the flagged few, so that of anybody else only what families show is written
down (templates). Not here: redaction and marking themselves (detector.text).
"""

from collections import defaultdict
from datetime import date

import duckdb
import pyarrow as pa

from detector import text
from pipelines.progress import Progress
from pipelines.rereading import read_wanted
from pipelines.settings import Settings
from pipelines.templates import write_exemplars
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

EXAMPLES = 12
"""Of a family, to tell its words from those of its slots."""

EXAMPLE_CHARS = 6_000
"""How much of an example is read off: longer templates are recognised by their ends."""


def keep_evidence(
    con: duckdb.DuckDBPyConnection, day: date, *, key: bytes, settings: Settings, progress: Progress
) -> None:
    """Add exemplars of the accounts flagged on `day` to those that `read_templates` has kept.

    Reads the log files that hold a wanted request once more; a file that has gone or changed in the meantime
    only costs its examples.
    """
    if not settings.evidence.exemplars:
        return
    with progress.step("evidence") as step:
        con.execute(
            statement("evidence/wanted"),
            {
                "day": day,
                "salt": key.decode("latin-1"),
                "per_account": settings.evidence.exemplars_per_account,
            },
        )
        found = read_wanted(con, settings)
        with transaction(con):
            write_exemplars(con, day, found, _shown(found, settings.evidence.exemplar_chars))
        step.note(f"{len(found):,} exemplars kept")
    con.execute("DROP TABLE wanted")


def _shown(found: pa.Table, most_chars: int) -> list[tuple[int, str]]:
    """The text to show for each row, with the words of its family marked; unmarked where it has none."""
    texts = found.column("text").to_pylist()
    rows_of: dict[str | None, list[int]] = defaultdict(list)
    for row, family_id in enumerate(found.column("family_id").to_pylist()):
        rows_of[family_id].append(row)
    shown = []
    for family_id, rows in rows_of.items():
        examples = (
            []
            if family_id is None
            else [text.presentable(texts[row], EXAMPLE_CHARS) for row in rows[:EXAMPLES]]
        )
        template = text.Template.of(examples)
        shown += [(row, text.as_plain_text(text.marked(texts[row], template, most_chars))) for row in rows]
    return shown
