"""The words of a decision: subjects, verdicts, actions, and what makes a decision complete.

Here: values and their rules. Not here: where they are kept (store), which of several counts (standing).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from pipelines.errors import UsageError

_Word = TypeVar("_Word", bound=StrEnum)


class Level(StrEnum):
    """What a decision is about."""

    CAMPAIGN = "campaign"
    ACCOUNT = "account"


class Verdict(StrEnum):
    """What a person concluded. `ocsf_id` is the same verdict in the Open Cybersecurity Schema."""

    APPROVE = "approve"
    """It is harvesting: the action may be enforced."""
    DISMISS = "dismiss"
    """It is legitimate: nothing is enforced."""
    WATCH = "watch"
    """Not sure yet: nothing is enforced, and the case stays in sight."""
    REOPEN = "reopen"
    """Whatever was decided before no longer counts; the case is undecided again."""

    @property
    def ocsf_id(self) -> int:
        """OCSF incident `verdict_id`: 2 true positive, 5 benign, 4 suspicious, 0 unknown."""
        return {"approve": 2, "dismiss": 5, "watch": 4, "reopen": 0}[self.value]


class Action(StrEnum):
    """The ladder of actions, softest first."""

    WATCH = "watch"
    LIMIT = "limit"
    VERIFY = "verify"
    SUSPEND = "suspend"

    @property
    def rung(self) -> int:
        """Place on the ladder, 0 softest."""
        return list(Action).index(self)


ENFORCEMENT_LASTS = timedelta(days=90)
"""An approval ends by itself unless it names a day: nothing is enforced for ever because it was
forgotten. A quarter is long against the days a harvesting pool lives, short against an audit."""

MOST_REASON_CHARS = 4_000
MOST_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """One campaign or one account."""

    level: Level
    id: str

    @classmethod
    def of(cls, level: str, id: str) -> "Subject":  # noqa: A002
        """A subject from text that a person or a program wrote.

        Raises
        ------
        UsageError : the level is neither campaign nor account, or the id is empty.
        """
        return cls(_choice(Level, level, "level"), id).checked()

    def checked(self) -> "Subject":
        """The same subject, with its level as a `Level`."""
        if not self.id.strip():
            raise UsageError("a decision needs the id of a campaign or account", remedy="name one")
        return Subject(_choice(Level, self.level, "level"), self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One recorded decision; later ones follow it, none changes it."""

    decision_id: int
    subject: Subject
    verdict: Verdict
    action: Action | None
    reason: str
    by: str
    decided_at: datetime
    expires_at: datetime | None
    members: tuple[str, ...] = ()
    """Accounts the decision was made about, when it is about a campaign; in order of their ids."""

    def in_force(self, at: datetime) -> bool:
        """Whether it counts at that time: not reopened, not expired."""
        return self.verdict is not Verdict.REOPEN and (self.expires_at is None or at < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """One account that an approved decision reaches, and the decision that decides its action."""

    account_id: str
    action: Action
    decision: Decision

    @property
    def campaign_id(self) -> str | None:
        """The campaign it is enforced with; null when the decision is about the account alone."""
        return self.decision.subject.id if self.decision.subject.level is Level.CAMPAIGN else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A decision as it was asked for, checked and completed, before it has a number."""

    subject: Subject
    verdict: Verdict
    action: Action | None
    reason: str
    by: str
    decided_at: datetime
    expires_at: datetime | None
    members: tuple[str, ...]


def draft(
    subject: Subject,
    verdict: str,
    *,
    reason: str,
    by: str,
    action: str | None,
    expires_at: datetime | None,
    members: Sequence[str],
    at: datetime | None,
) -> Draft:
    """Check what was asked for and fill in what follows from it.

    Raises
    ------
    UsageError : no reason, no name, an unknown verdict or action, an approval without action, an action
        without approval, or an expiry that has passed.
    """
    chosen = _choice(Verdict, verdict, "verdict")
    now = _utc(at or datetime.now(UTC))
    return Draft(
        subject=subject.checked(),
        verdict=chosen,
        action=_action(chosen, action),
        reason=_required(reason, "say why: a decision needs a reason", MOST_REASON_CHARS),
        by=_required(by, "say who decides: a decision needs a name", MOST_NAME_CHARS),
        decided_at=now,
        expires_at=_expiry(chosen, expires_at, now),
        members=tuple(sorted(set(members))),
    )


def _action(verdict: Verdict, action: str | None) -> Action | None:
    if verdict is not Verdict.APPROVE:
        if action is not None:
            raise UsageError(
                f"{verdict}: only an approval carries an action", remedy="leave the action out, or approve"
            )
        return None
    if action is None:
        raise UsageError(
            "an approval needs an action", remedy=f"choose one of {', '.join(Action)}, softest first"
        )
    return _choice(Action, action, "action")


def _expiry(verdict: Verdict, expires_at: datetime | None, now: datetime) -> datetime | None:
    if expires_at is None:
        return now + ENFORCEMENT_LASTS if verdict is Verdict.APPROVE else None
    if _utc(expires_at) <= now:
        raise UsageError("the decision would expire before it begins", remedy="choose a later expiry")
    return _utc(expires_at)


def _required(text: str, complaint: str, most_chars: int) -> str:
    # Databases cannot keep NUL or lone surrogates; neither carries meaning in a sentence.
    kept = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()
    if not kept:
        raise UsageError(complaint, remedy="a few words are enough")
    if len(kept) > most_chars:
        raise UsageError(f"too long: {len(kept):,} characters", remedy=f"at most {most_chars:,} are kept")
    return kept


def _choice(kind: type[_Word], value: str, name: str) -> _Word:
    try:
        return kind(value)
    except ValueError:
        raise UsageError(f"{value!r}: no such {name}", remedy=f"choose one of {', '.join(kind)}") from None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
