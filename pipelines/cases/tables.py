"""Tables of the case store, as SQLAlchemy sees them.

Here: columns and the two types that every database must keep alike. Not here: how the tables come to
be (migrations/), what is asked of them (store).
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect


class UtcTime(sa.TypeDecorator[datetime]):
    """A time with zone in Python, UTC in the database, also where that keeps no zones (SQLite)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class AnyText(sa.TypeDecorator[str]):
    """An id exactly as a log wrote it: PostgreSQL has no NUL in text, so it is kept as `\\0`."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return value.replace("\\", "\\\\").replace("\x00", "\\0") if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        text: str = value
        return "\\".join(part.replace("\\0", "\x00") for part in text.split("\\\\"))


METADATA = sa.MetaData()

DECISION = sa.Table(
    "decision",
    METADATA,
    sa.Column("decision_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("subject_level", sa.Text, nullable=False),
    sa.Column("subject_id", AnyText, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("action", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime),
    sa.Index("decision_subject", "subject_level", "subject_id"),
    sqlite_autoincrement=True,
)
"""One row per decision, in the order they were made; rows are added and never changed."""

DECISION_MEMBER = sa.Table(
    "decision_member",
    METADATA,
    sa.Column("decision_id", sa.Integer, sa.ForeignKey("decision.decision_id"), primary_key=True),
    sa.Column("account_id", AnyText, primary_key=True),
)
"""The accounts a decision about a campaign was made about."""

LABEL = sa.Table(
    "label",
    METADATA,
    sa.Column("label_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("notice_id", AnyText, nullable=False),
    sa.Column("account_id", AnyText, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("kind", AnyText, nullable=False),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("category", AnyText),
    sa.Column("reason", AnyText),
    sa.Column("said_by", AnyText),
    sa.Column("said_at", UtcTime, nullable=False),
    sa.Column("imported_at", UtcTime, nullable=False),
    sa.UniqueConstraint("notice_id", "account_id"),
    sa.Index("label_account", "account_id"),
    sqlite_autoincrement=True,
)
"""What providers, and oneself elsewhere, said about accounts; rows are added and never changed."""
