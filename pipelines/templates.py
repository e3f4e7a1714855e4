"""The step `templates`: what a person reads of the night's families -> night.family, night.exemplar.

Here: choosing a few prompts of each family that is new, reading them once more, storing skeleton, contract
and exemplars. Not here: how these are read off (detector.text), the texts of flagged accounts (evidence).
"""

from collections import defaultdict
from datetime import date
from hashlib import blake2b

import duckdb
import pyarrow as pa

from detector import text
from pipelines.progress import Progress
from pipelines.rereading import read_wanted
from pipelines.settings import EvidenceSettings, Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

EXAMPLES_PER_FAMILY = 8
"""Of different accounts: what three fifths of eight share is the template."""

EXAMPLE_CHARS = 3_000
"""How much of an example is read: longer templates are recognised by their ends."""

SKELETON_CHARS = 4_000
"""Of a skeleton: most templates whole, so that a reworded one is known by all its words (ties)."""

MOST_READ = 1_000
"""Families read in one night, those of most accounts: each takes ten milliseconds, and one that was read
before is not read again."""


def read_templates(
    con: duckdb.DuckDBPyConnection, day: date, *, key: bytes, settings: Settings, progress: Progress
) -> None:
    """Give the families of `day` their skeletons, contracts and exemplars.

    A family that was read on an earlier night keeps what was read then. Where the setting
    `evidence.exemplars` is off nothing is read, and what earlier scans kept is forgotten.
    """
    con.execute("DELETE FROM night.exemplar WHERE day = $day", {"day": day})
    if not settings.evidence.exemplars:
        _forget(con)
        return
    with progress.step("templates") as step:
        con.execute(statement("templates/known"), {"day": day})
        con.execute(
            statement("templates/wanted"),
            {
                "day": day,
                "salt": key.decode("latin-1"),
                "most": MOST_READ,
                "per_family": EXAMPLES_PER_FAMILY,
            },
        )
        found = read_wanted(con, settings)
        with transaction(con):
            n_families = _write(con, day, found, key, settings.evidence)
        step.note(f"{n_families:,} new templates read")
    con.execute("DROP TABLE wanted")


def _forget(con: duckdb.DuckDBPyConnection) -> None:
    with transaction(con):
        con.execute("DELETE FROM night.exemplar")
        con.execute("UPDATE night.family SET skeleton = '', contract = '' WHERE skeleton <> ''")


def _write(
    con: duckdb.DuckDBPyConnection, day: date, found: pa.Table, key: bytes, settings: EvidenceSettings
) -> int:
    examples: dict[str, list[int]] = defaultdict(list)
    for row, family_id in enumerate(found.column("family_id").to_pylist()):
        examples[family_id].append(row)
    texts = found.column("text").to_pylist()
    read, shown = [], []
    for family_id, rows in sorted(examples.items()):
        template = text.Template.of([text.presentable(texts[row], EXAMPLE_CHARS) for row in rows])
        form = text.contract(template)
        read.append(
            {
                "family_id": family_id,
                "skeleton": text.skeleton(template, SKELETON_CHARS),
                "contract": form.as_text(),
                "marks": mark_hashes(form, key),
            }
        )
        for row in rows[: settings.exemplars_per_account]:
            marked = text.marked(texts[row], template, settings.exemplar_chars)
            shown.append((row, text.as_plain_text(marked)))
    write_exemplars(con, day, found, shown)
    with registered(con, "read_off", pa.Table.from_pylist(read, schema=_READ_OFF)):
        con.execute(
            """UPDATE night.family
               SET skeleton = read_off.skeleton, contract = read_off.contract, marks = read_off.marks
               FROM read_off WHERE family.day = $day AND family.family_id = read_off.family_id""",
            {"day": day},
        )
    return len(read)


_READ_OFF = pa.schema(
    [
        ("family_id", pa.string()),
        ("skeleton", pa.string()),
        ("contract", pa.string()),
        ("marks", pa.list_(pa.uint32())),
    ]
)


def write_exemplars(
    con: duckdb.DuckDBPyConnection, day: date, found: pa.Table, shown: list[tuple[int, str]]
) -> None:
    """Store the texts made for some rows of what `read_wanted` gave."""
    rows = found.drop(["text"]).take(pa.array([row for row, _ in shown], pa.int64()))
    with registered(
        con, "shown", rows.append_column("text", pa.array([words for _, words in shown], pa.string()))
    ):
        con.execute(
            """INSERT INTO night.exemplar BY NAME
               SELECT $day AS day, account_id, family_id, request_key::UHUGEINT AS request_key,
                      request_id, text
               FROM shown
               WHERE NOT EXISTS (FROM night.exemplar AS kept
                                 WHERE kept.day = $day AND kept.request_key = shown.request_key::UHUGEINT
                                   AND kept.family_id IS NOT DISTINCT FROM shown.family_id)
               ORDER BY request_key, family_id""",
            {"day": day},
        )


def mark_hashes(form: text.Contract, key: bytes) -> list[int]:
    """The parts of a contract as numbers, ascending, under the workspace's key: equal parts are equal."""
    parts = [(kind, name) for kind in ("tags", "keys", "headings", "labels") for name in getattr(form, kind)]
    digests = (
        blake2b(f"{kind}\x1f{name.casefold()}".encode(), digest_size=4, key=key[:64]).digest()
        for kind, name in parts
    )
    return sorted({int.from_bytes(digest, "little") for digest in digests})
