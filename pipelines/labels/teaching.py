"""What labels do beyond being shown: they keep accounts out of the reference, and stand in for past
decisions.

Here: from labels to core.labelled, and to decisions that nobody recorded here. Not here: the model that
learns (detector.models.rerank), the comparison of policies (backtest).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipelines.cases import Decision, Label, Level, Said, Subject, Verdict, labelled_so_far, standing
from pipelines.settings import Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.transaction import transaction
from pipelines.workspace import Workspace

AS_VERDICT = {Said.ENFORCED: Verdict.APPROVE, Said.CLEARED: Verdict.DISMISS}

HALF = 0.5
"""Of a campaign's accounts, so many must have been judged alike before it counts as decided: one old ban says
little about sixty accounts."""


def note_labels(con: duckdb.DuckDBPyConnection, workspace: Workspace, settings: Settings) -> int:
    """Replace core.labelled by the accounts that a label keeps out of the reference; returns their number.

    Whom a provider acted against or warned, and whom one banned oneself, is no example of the ordinary,
    unless one has cleared it since. Keeping a few too many out costs nothing; letting a harvester in teaches
    that harvesting is usual.

    Raises
    ------
    UsageError : the case store cannot be opened.
    """
    stands = standing(labelled_so_far(workspace, settings.cases_url))
    kept_out = sorted(account for account, label in stands.items() if label.said is not Said.CLEARED)
    with (
        registered(con, "kept_out", pa.table({"account_id": pa.array(kept_out, pa.string())})),
        transaction(con),
    ):
        con.execute("DELETE FROM core.labelled")
        con.execute("INSERT INTO core.labelled SELECT account_id FROM kept_out")
    return len(kept_out)


def with_labels(
    decisions: Mapping[Subject, Decision], labels: Iterable[Label], campaigns: Mapping[str, Sequence[str]]
) -> dict[Subject, Decision]:
    """The decisions, and those that labels come to where nobody decided here.

    Parameters
    ----------
    decisions : the last one about each subject
    campaigns : accounts that each campaign was ever seen with

    Only labels that judge harvesting count (`Label.teaches`). An account's is its own; a campaign's is that
    of its accounts when at least half of them were judged, and all alike.
    """
    judged = standing(label for label in labels if label.teaches)
    found = {
        Subject(Level.ACCOUNT, account_id): _Judged(AS_VERDICT[label.said], label)
        for account_id, label in judged.items()
    }
    for campaign_id, accounts in campaigns.items():
        of_it = [judged[account_id] for account_id in accounts if account_id in judged]
        if len(of_it) >= HALF * len(accounts) and len({label.said for label in of_it}) == 1:
            latest = max(of_it, key=lambda label: (label.said_at, label.notice_id))
            found[Subject(Level.CAMPAIGN, campaign_id)] = _Judged(AS_VERDICT[latest.said], latest)
    return {subject: one.about(subject) for subject, one in found.items()} | dict(decisions)


def campaign_accounts(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Accounts that each campaign was ever seen with."""
    rows = con.execute(
        """SELECT campaign_id, list(DISTINCT account_id ORDER BY account_id) FROM night.flagged_account
           WHERE campaign_id IS NOT NULL GROUP BY campaign_id ORDER BY campaign_id"""
    ).fetchall()
    return dict(rows)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A verdict that a label comes to."""

    verdict: Verdict
    label: Label

    def about(self, subject: Subject) -> Decision:
        return Decision(
            decision_id=0,  # it has no row among decisions
            subject=subject,
            verdict=self.verdict,
            action=None,
            reason=self.label.reason or self.label.kind,
            by=self.label.said_by or self.label.source,
            decided_at=self.label.said_at,
            expires_at=None,
        )
