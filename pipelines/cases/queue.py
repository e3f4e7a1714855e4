"""The review queue: campaigns and lone accounts in one list, and what people made of each so far.

Here: which findings form a case, the state of a case, and their order. Not here: how a case is drawn
(dashboard), what is enforced (standing).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from math import nan

import numpy as np
import polars as pl

from detector.models import reorder
from pipelines import findings
from pipelines.cases.decision import Decision, Level, Subject, Verdict
from pipelines.cases.store import CaseStore
from pipelines.workspace import Workspace


class State(StrEnum):
    """Where a case stands."""

    UNDECIDED = "undecided"
    GREW = "grew since"
    """Approved, but accounts have joined since that the approval does not reach."""
    WATCHED = "watched"
    APPROVED = "approved"
    DISMISSED = "dismissed"

    @property
    def is_open(self) -> bool:
        """Whether a person should look at it (again)."""
        return self in (State.UNDECIDED, State.GREW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line of the queue."""

    subject: Subject
    score: float
    confidence: str
    recommended_action: str
    status: str | None
    """New, growing, steady, dormant or resumed; null for a lone account."""
    n_accounts: int
    n_new_accounts: int
    """Accounts that joined since the decision in force."""
    n_requests: int
    output_tokens: int
    harvests: tuple[str, ...]
    """What it is after, in words: the largest techniques and capabilities, or an account's reasons."""
    first_seen: datetime
    last_seen: datetime
    day: date
    state: State
    decision: Decision | None
    """The decision in force, if any."""


def review_queue(
    workspace: Workspace,
    store: CaseStore,
    *,
    day: date | None = None,
    at: datetime | None = None,
    learned: bool = True,
) -> list[Case]:
    """Every case, most suspicious first, ties by level and id.

    Parameters
    ----------
    day : only what was flagged on that night, as it was then; without it each case at its latest state.
    at : decisions that have expired by then no longer count; now, unless told.
    learned : where past decisions were found to help, let them order open cases of like confidence; an
        earlier night keeps its plain order, for later decisions are not to be read into it.
    """
    accounts = findings.accounts(workspace, day)
    members = _members_by_campaign(accounts if day is None else findings.accounts(workspace))
    recommended = findings.recommendations(workspace, day).select("campaign_id", "recommended_action")
    actions: dict[str, str] = dict(recommended.iter_rows())
    moment = at or datetime.now(UTC)
    in_force = {subject: d for subject, d in store.latest().items() if d.in_force(moment)}
    cases = [
        *_campaign_cases(findings.campaigns(workspace, day), actions, members, in_force),
        *_account_cases(accounts, in_force),
    ]
    plain = sorted(cases, key=lambda case: (-case.score, case.subject.level, case.subject.id))
    return _by_decisions(workspace, plain, day) if learned else plain


def _by_decisions(workspace: Workspace, plain: list[Case], day: date | None) -> list[Case]:
    """The same cases, the open ones in another order: each within its stretch of like confidence, and on a
    place of its level. Decided ones stay where they are: what nobody reads any more must not make those who
    wait seem to wait less."""
    known = findings.learned_cases(workspace)
    if known.is_empty() or day not in (None, *findings.learned_order(workspace)["day"].to_list()):
        return plain
    learned = {(level, one, of): odds for level, one, of, odds in known.iter_rows()}
    places = [at for at, case in enumerate(plain) if case.state.is_open]
    waiting = [plain[at] for at in places]
    log_odds = [learned.get((case.subject.level.value, case.subject.id, case.day), nan) for case in waiting]
    levels = [case.subject.level is Level.CAMPAIGN for case in waiting]
    group = 2 * reorder.runs([case.confidence for case in waiting]) + np.array(levels, np.int64)
    cases = list(plain)
    for place, at in zip(
        places, reorder.reordered(group, np.array(log_odds, np.float64)).tolist(), strict=True
    ):
        cases[place] = waiting[at]
    return cases


def state_of(
    store: CaseStore, subject: Subject, members: Collection[str] = (), *, at: datetime | None = None
) -> State:
    """Where one case stands; `members` are the accounts a campaign holds now."""
    made = next(iter(store.history(subject)), None)
    if made is None or not made.in_force(at or datetime.now(UTC)):
        return State.UNDECIDED
    return _state(made, n_joined=len(set(members).difference(made.members)))


def _members_by_campaign(accounts: pl.DataFrame) -> dict[str, set[str]]:
    members: dict[str, set[str]] = defaultdict(set)
    for account_id, campaign_id in accounts.select("account_id", "campaign_id").drop_nulls().iter_rows():
        members[campaign_id].add(account_id)
    return members


def _campaign_cases(
    campaigns: pl.DataFrame,
    actions: Mapping[str, str],
    members: Mapping[str, set[str]],
    in_force: Mapping[Subject, Decision],
) -> list[Case]:
    cases = []
    for row in campaigns.iter_rows(named=True):
        subject = Subject(Level.CAMPAIGN, row["campaign_id"])
        decision = in_force.get(subject)
        known = members.get(subject.id, set())
        joined = known.difference(decision.members) if decision is not None else set()
        cases.append(
            Case(
                subject=subject,
                score=row["score"],
                confidence=row["confidence"],
                recommended_action=actions.get(subject.id, "watch"),
                status=row["status"],
                n_accounts=row["n_accounts"],
                n_new_accounts=len(joined),
                n_requests=row["n_requests"],
                output_tokens=row["output_tokens"],
                harvests=_largest(row["techniques"]) + _largest(row["capabilities"]),
                first_seen=row["first_seen"],
                last_seen=row["last_seen"],
                day=row["day"],
                state=_state(decision, n_joined=len(joined)),
                decision=decision,
            )
        )
    return cases


def _account_cases(accounts: pl.DataFrame, in_force: Mapping[Subject, Decision]) -> list[Case]:
    cases = []
    for row in _alone(accounts).iter_rows(named=True):
        subject = Subject(Level.ACCOUNT, row["account_id"])
        decision = in_force.get(subject)
        cases.append(
            Case(
                subject=subject,
                score=row["score"],
                confidence=row["confidence"],
                recommended_action=row["recommended_action"],
                status=None,
                n_accounts=1,
                n_new_accounts=0,
                n_requests=row["n_requests"],
                output_tokens=row["output_tokens"],
                harvests=tuple(reason["code"] for reason in row["reasons"][:2]),
                first_seen=row["first_seen"],
                last_seen=row["last_seen"],
                day=row["day"],
                state=_state(decision, n_joined=0),
                decision=decision,
            )
        )
    return cases


def _alone(accounts: pl.DataFrame) -> pl.DataFrame:
    """Rows of accounts whose latest finding is about them alone; the others belong to a campaign's case."""
    latest = pl.col("day") == pl.col("day").max().over("account_id")
    in_campaign = (latest & pl.col("campaign_id").is_not_null()).any().over("account_id")
    return accounts.filter(pl.col("campaign_id").is_null() & ~in_campaign)


def _largest(shares: list[dict[str, object]]) -> tuple[str, ...]:
    """The one or two largest entries, in words; `none` is an answer of the classifier, not a purpose."""
    named = [entry for entry in shares if entry["name"] != "none"]
    ordered = sorted(named, key=lambda entry: (-float(str(entry["share"])), str(entry["name"])))
    return tuple(str(entry["name"]).replace("_", " ") for entry in ordered[:2])


def _state(decision: Decision | None, *, n_joined: int) -> State:
    if decision is None:
        return State.UNDECIDED
    if decision.verdict is Verdict.APPROVE:
        return State.GREW if n_joined else State.APPROVED
    return State.DISMISSED if decision.verdict is Verdict.DISMISS else State.WATCHED
