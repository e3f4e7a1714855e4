"""Recording a decision about what a person saw: the same path for the console and the terminal.

Here: that the subject is a finding, which accounts it holds at this moment, what a scan reads of decisions.
Not here: rules of a complete decision (decision), storage (store).
"""

from collections.abc import Sequence
from datetime import datetime

from pipelines import findings
from pipelines.cases.decision import Decision, Level, Subject
from pipelines.cases.label import Label
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
    seen: Sequence[str] | None = None,
) -> Decision:
    """Record a decision; one about a campaign freezes the accounts it was made about.

    Parameters
    ----------
    seen : those accounts, where a page has shown them: a scan may have published more meanwhile. Without
        it, the accounts that the findings show in the campaign now.

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
        members=_members(workspace, subject, seen),
    )


def decided_so_far(workspace: Workspace, url: str | None) -> dict[Subject, Decision]:
    """The last decision about each subject, in force or not; none where there is no case store yet.

    Parameters
    ----------
    url : of the case store; null is the file in the workspace, which is not made for this.

    Raises
    ------
    UsageError : the case store cannot be opened.
    """
    if url is None and not workspace.cases.exists():
        return {}
    with CaseStore.open(url or workspace.cases_url) as store:
        return store.latest()


def labelled_so_far(workspace: Workspace, url: str | None) -> tuple[Label, ...]:
    """Every label; none where there is no case store yet. Parameters and errors as for `decided_so_far`."""
    if url is None and not workspace.cases.exists():
        return ()
    with CaseStore.open(url or workspace.cases_url) as store:
        return store.labels()


def _members(workspace: Workspace, subject: Subject, seen: Sequence[str] | None) -> Sequence[str]:
    if subject.level is Level.CAMPAIGN:
        if findings.campaign_nights(workspace, subject.id).height:
            accounts: list[str] = findings.members(workspace, subject.id)["account_id"].to_list()
            return accounts if seen is None else sorted(set(seen) & set(accounts))
    elif findings.account_nights(workspace, subject.id).height:
        return []
    raise UsageError(
        f"{subject.level} {subject.id}: never flagged in this workspace",
        remedy="`stillwatch findings` lists campaigns and, with --what accounts, accounts",
    )
