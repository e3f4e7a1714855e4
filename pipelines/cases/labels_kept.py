"""Labels in the case store: adding what is new, reading.

Here: their rows. Not here: what a label means (label), the connection (store).
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pipelines.cases.decision import MOST_REASON_CHARS
from pipelines.cases.label import Label, Said
from pipelines.cases.tables import LABEL

_AT_ONCE = 500
"""Rows and ids in one statement: SQLite takes 32,766 values, and a label has ten."""

_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def add(con: sa.Connection, labels: Sequence[Label]) -> tuple[Label, ...]:
    """Add labels; those whose notice the account has already stay as they are. Returns the new ones."""
    once = {(label.notice_id, label.account_id): label for label in reversed(labels)}
    now = datetime.now(UTC)
    new: list[Label] = []
    insert: Any = _INSERT[con.dialect.name]
    for part in _parts(sorted(once.values(), key=lambda label: (label.said_at, label.notice_id))):
        rows = [_row(label, now) for label in part]
        added = insert(LABEL).values(rows).on_conflict_do_nothing()
        keys = con.execute(added.returning(LABEL.c.notice_id, LABEL.c.account_id)).all()
        new += [once[notice_id, account_id] for notice_id, account_id in keys]
    return tuple(new)


def read(con: sa.Connection, accounts: Collection[str] | None) -> tuple[Label, ...]:
    """Labels of these accounts, or of all: by account, newest first."""
    if accounts is None:
        rows = list(con.execute(sa.select(LABEL)))
    else:
        rows = [
            row
            for part in _parts(sorted(accounts))
            for row in con.execute(sa.select(LABEL).where(LABEL.c.account_id.in_(part)))
        ]
    found = sorted(map(_label, rows), key=lambda label: (label.said_at, label.notice_id), reverse=True)
    return tuple(sorted(found, key=lambda label: label.account_id))


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _row(label: Label, now: datetime) -> dict[str, Any]:
    return {
        "notice_id": label.notice_id,
        "account_id": label.account_id,
        "source": label.source,
        "kind": label.kind,
        "said": label.said.value,
        "category": label.category,
        "reason": label.reason[:MOST_REASON_CHARS] if label.reason is not None else None,
        "said_by": label.said_by,
        "said_at": label.said_at,
        "imported_at": now,
    }


def _label(row: sa.Row[Any]) -> Label:
    return Label(
        notice_id=row.notice_id,
        account_id=row.account_id,
        source=row.source,
        kind=row.kind,
        said=Said(row.said),
        category=row.category,
        reason=row.reason,
        said_by=row.said_by,
        said_at=row.said_at,
    )
