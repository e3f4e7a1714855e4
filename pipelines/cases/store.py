"""The case store: decisions in SQLite, or in PostgreSQL for a team.

Here: opening it (with its migrations), adding a decision, reading decisions; the door to labels. Not here:
what makes a decision complete (decision), which of several counts (standing), rows of labels (labels_kept).
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from pipelines.cases import labels_kept
from pipelines.cases.decision import Action, Decision, Enforcement, Level, Subject, Verdict, draft
from pipelines.cases.label import Label
from pipelines.cases.standing import enforced
from pipelines.cases.tables import DECISION, DECISION_MEMBER
from pipelines.errors import UsageError

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another one. A decision takes milliseconds: half a minute is a disk in
trouble, and then a person should hear of it."""

MIGRATION_LOCK = 0x5711_3A7C
"""Number of the PostgreSQL advisory lock that keeps two consoles from migrating at the same time."""


class CaseStore:
    """Every decision ever made, oldest first. Safe for several threads and processes."""

    def __init__(self, engine: sa.Engine) -> None:
        """For `open`, which also brings the tables up to date."""
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> "CaseStore":
        """Open the store at that SQLAlchemy URL; make or migrate its tables when they are not current.

        Raises
        ------
        UsageError : the URL is not understood, the database cannot be reached, or a later version of
            Stillwatch has already migrated it.
        """
        with _clear_errors("open the case store"):
            engine = _engine(sa.make_url(url))
            _migrate(engine)
        return cls(engine)

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def __enter__(self) -> "CaseStore":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def record(
        self,
        subject: Subject,
        verdict: str,
        *,
        reason: str,
        by: str,
        action: str | None = None,
        expires_at: datetime | None = None,
        members: Sequence[str] = (),
        at: datetime | None = None,
    ) -> Decision:
        """Add a decision; nothing that was decided before is changed.

        Parameters
        ----------
        verdict : approve, dismiss, watch or reopen; an approval needs an `action`.
        expires_at : when it stops counting; an approval without one ends by itself
            (decision.ENFORCEMENT_LASTS).
        members : accounts of the campaign as the person saw it: whom an approval reaches.
        at : when it was decided; now, unless told.

        Raises
        ------
        UsageError : the decision is not complete (see decision.draft), or cannot be stored.
        """
        new = draft(
            subject,
            verdict,
            reason=reason,
            by=by,
            action=action,
            expires_at=expires_at,
            members=members,
            at=at,
        )
        with _clear_errors("record the decision"), self._writing() as con:
            decision_id = con.execute(
                sa.insert(DECISION)
                .values(
                    subject_level=new.subject.level.value,
                    subject_id=new.subject.id,
                    verdict=new.verdict.value,
                    action=new.action.value if new.action is not None else None,
                    reason=new.reason,
                    decided_by=new.by,
                    decided_at=new.decided_at,
                    expires_at=new.expires_at,
                )
                .returning(DECISION.c.decision_id)
            ).scalar_one()
            if new.members:
                rows = [{"decision_id": decision_id, "account_id": member} for member in new.members]
                con.execute(sa.insert(DECISION_MEMBER), rows)
        return Decision(
            decision_id=decision_id,
            subject=new.subject,
            verdict=new.verdict,
            action=new.action,
            reason=new.reason,
            by=new.by,
            decided_at=new.decided_at,
            expires_at=new.expires_at,
            members=new.members,
        )

    def latest(self) -> dict[Subject, Decision]:
        """The last decision about each subject, in force or not (`Decision.in_force` tells)."""
        last = sa.select(sa.func.max(DECISION.c.decision_id)).group_by(
            DECISION.c.subject_level, DECISION.c.subject_id
        )
        found = self._read(DECISION.c.decision_id.in_(last))
        return {decision.subject: decision for decision in found}

    def history(self, subject: Subject | None = None) -> tuple[Decision, ...]:
        """Every decision, about one subject or about all, newest first."""
        if subject is None:
            found = self._read(sa.true())
        else:
            same_level = DECISION.c.subject_level == subject.level.value
            found = self._read(sa.and_(same_level, DECISION.c.subject_id == subject.id))
        return tuple(reversed(found))

    def approved(self, *, at: datetime | None = None) -> tuple[Enforcement, ...]:
        """Accounts that approved decisions reach now (or at that time), one each; see standing.enforced."""
        return enforced(self.latest(), at or datetime.now(UTC))

    def add_labels(self, labels: Sequence[Label]) -> tuple[Label, ...]:
        """Add what others said about accounts; returns those that were not there before.

        Raises
        ------
        UsageError : they cannot be stored.
        """
        with _clear_errors("store the labels"), self._writing() as con:
            return labels_kept.add(con, labels)

    def labels(self, accounts: Collection[str] | None = None) -> tuple[Label, ...]:
        """Labels of these accounts, or of all, by account, newest first."""
        with _clear_errors("read the case store"), self._engine.connect() as con:
            return labels_kept.read(con, accounts)

    def _read(self, which: sa.ColumnElement[bool]) -> list[Decision]:
        chosen = sa.select(DECISION.c.decision_id).where(which)
        with _clear_errors("read the case store"), self._engine.connect() as con:
            rows = con.execute(sa.select(DECISION).where(which).order_by(DECISION.c.decision_id)).all()
            members: dict[int, list[str]] = {}
            for decision_id, account_id in con.execute(
                sa.select(DECISION_MEMBER.c.decision_id, DECISION_MEMBER.c.account_id).where(
                    DECISION_MEMBER.c.decision_id.in_(chosen)
                )
            ):
                members.setdefault(decision_id, []).append(account_id)
        return [_decision(row, members.get(row.decision_id, [])) for row in rows]

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._engine.execution_options(sqlite_begin="IMMEDIATE").begin() as con:
            yield con


def _decision(row: sa.Row[Any], members: list[str]) -> Decision:
    return Decision(
        decision_id=row.decision_id,
        subject=Subject(Level(row.subject_level), row.subject_id),
        verdict=Verdict(row.verdict),
        action=Action(row.action) if row.action is not None else None,
        reason=row.reason,
        by=row.decided_by,
        decided_at=row.decided_at,
        expires_at=row.expires_at,
        members=tuple(sorted(members)),  # by code point, whatever the database's collation
    )


# -- opening ----------------------------------------------------------------------------------------


def _engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
    if url.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    elif url.get_backend_name() != "postgresql":
        raise UsageError(
            f"{url.get_backend_name()}: the case store cannot live there",
            remedy="use sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE",
        )
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = (
        None  # transactions begin where _begin_sqlite says, not by the driver's guess
    )
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # a recorded decision survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(con: sa.Connection) -> None:
    # A writer takes its lock at once: one that first reads, then writes can find the lock gone for good.
    con.exec_driver_sql(f"BEGIN {con.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


def _migrate(engine: sa.Engine) -> None:
    config = Config()
    folder = str(resources.files("pipelines.cases").joinpath("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    head = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as con:
        if MigrationContext.configure(con).get_current_revision() == head:
            return
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as con:
        if engine.dialect.name == "postgresql":
            con.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        config.attributes["connection"] = con
        command.upgrade(config, "head")


@contextmanager
def _clear_errors(doing: str) -> Iterator[None]:
    """Database errors in words: their own texts quote statements and values."""
    try:
        yield
    except CommandError as error:
        raise UsageError(
            "the case store was made by a later version of Stillwatch",
            remedy="install that version or a later one",
        ) from error
    except ModuleNotFoundError as error:
        raise UsageError(
            f"cannot {doing}: the driver {error.name} is missing", remedy="install stillwatch[postgres]"
        ) from error
    except sa.exc.SQLAlchemyError as error:
        raise UsageError(
            f"cannot {doing}: {type(getattr(error, 'orig', None) or error).__name__}",
            remedy="check cases_url, that the database is reachable, and its permissions and free space",
        ) from error
