"""Which decision counts: from all that people decided to the accounts that are enforced.

Here: the rules, on values. Not here: reading decisions (store), contracts of accounts (export).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pipelines.cases.decision import Action, Decision, Enforcement, Level, Subject, Verdict


def enforced(latest: Mapping[Subject, Decision], at: datetime) -> tuple[Enforcement, ...]:
    """The accounts that approved decisions reach at that time, one row each, in order of account_id.

    Parameters
    ----------
    latest : the last decision about each subject.
    at : decisions that have expired by then do not count, nor do reopened ones.

    A campaign's approval reaches the accounts it was made about, not those that joined later. What a
    person decided about one account outranks any campaign: dismissed or watched, it is not enforced;
    approved, its own action counts. Of several campaigns the hardest action counts, then the newest
    decision.
    """
    standing = [decision for decision in latest.values() if decision.in_force(at)]
    personal = {d.subject.id: d for d in standing if d.subject.level is Level.ACCOUNT}
    reached = [
        *_of_campaigns((d for d in standing if d.subject.level is Level.CAMPAIGN), personal.keys()),
        *_of_accounts(personal.values()),
    ]
    return tuple(sorted(reached, key=lambda enforcement: enforcement.account_id))


def _of_accounts(decisions: Iterable[Decision]) -> Iterable[Enforcement]:
    for decision in decisions:
        if decision.verdict is Verdict.APPROVE and decision.action is not None:
            yield Enforcement(account_id=decision.subject.id, action=decision.action, decision=decision)


def _of_campaigns(decisions: Iterable[Decision], decided_alone: Iterable[str]) -> Iterable[Enforcement]:
    alone = set(decided_alone)
    hardest: dict[str, tuple[Action, Decision]] = {}
    for decision in sorted(decisions, key=_weight):
        if decision.verdict is Verdict.APPROVE and decision.action is not None:
            for account_id in decision.members:
                hardest[account_id] = (decision.action, decision)
    for account_id, (action, decision) in hardest.items():
        if account_id not in alone:
            yield Enforcement(account_id=account_id, action=action, decision=decision)


def _weight(decision: Decision) -> tuple[int, int]:
    return (decision.action.rung if decision.action is not None else -1, decision.decision_id)
