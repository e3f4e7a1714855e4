"""Recording a decision about what a person saw: the same path for the console and the terminal.

Here: that the subject is a finding, and which accounts it holds at this moment. Not here: rules of a
complete decision (decision), storage (store).
"""

from datetime import datetime

from pipelines import findings
from pipelines.cases.decision import Decision, Level, Subject
from pipelines.cases.store import CaseStore
from pipelines.errors import UsageError
from pipelines.workspace import Workspace


def decide(
    workspace: Workspace,
    store: CaseStore,
    subject: Subject,
    verdict: str,
    *,
    reason: str,
    by: str,
    action: str | None = None,
    expires_at: datetime | None = None,
) -> Decision:
    """Record a decision; one about a campaign freezes the accounts that the findings show in it now.

    Raises
    ------
    UsageError : no such campaign or account was ever flagged, or the decision is not complete.
    """
    subject = subject.checked()
    return store.record(
        subject,
        verdict,
        reason=reason,
        by=by,
        action=action,
        expires_at=expires_at,
        members=_members(workspace, subject),
    )


def _members(workspace: Workspace, subject: Subject) -> list[str]:
    if subject.level is Level.CAMPAIGN:
        accounts: list[str] = findings.members(workspace, subject.id)["account_id"].to_list()
        if accounts or findings.campaign_nights(workspace, subject.id).height:
            return accounts
    elif findings.account_nights(workspace, subject.id).height:
        return []
    raise UsageError(
        f"{subject.level} {subject.id}: never flagged in this workspace",
        remedy="`stillwatch findings` lists campaigns and, with --what accounts, accounts",
    )
