"""What people dismissed, brought into the warehouse: whoever was cleared is ordinary again.

Here: from the case store to core.cleared. Not here: which decision counts (cases), what the reference is
made of (warehouse/sql/account_reference.sql, campaigns/reference.sql).
"""

from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from pipelines.cases import decided_so_far
from pipelines.cases.decision import Level, Subject, Verdict
from pipelines.settings import Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.transaction import transaction
from pipelines.workspace import Workspace


def note_dismissals(con: duckdb.DuckDBPyConnection, workspace: Workspace, settings: Settings) -> int:
    """Replace core.cleared by what the case store says now; returns the number of cleared accounts.

    An account is cleared when each of its flags belongs to a dismissed case: itself, or a campaign whose
    dismissal was made about it. Undecided, watched and approved cases, and accounts that joined a campaign
    after its dismissal, keep an account out of the reference. A workspace without a case store has cleared
    nobody.

    Raises
    ------
    UsageError : the case store cannot be opened; nobody is cleared by silence.
    """
    cleared = _dismissed(workspace, settings)
    accounts = pa.array([subject.id for subject in cleared if subject.level is Level.ACCOUNT], pa.string())
    members = [
        (subject.id, account_id)
        for subject, of_it in cleared.items()
        if subject.level is Level.CAMPAIGN
        for account_id in of_it
    ]
    of_campaigns = pa.table(
        {
            "campaign_id": pa.array([campaign_id for campaign_id, _ in members], pa.string()),
            "account_id": pa.array([account_id for _, account_id in members], pa.string()),
        }
    )
    with (
        registered(con, "dismissed_account", pa.table({"account_id": accounts})),
        registered(con, "dismissed_member", of_campaigns),
        transaction(con),
    ):
        con.execute("DELETE FROM core.cleared")
        con.execute(
            """INSERT INTO core.cleared
               SELECT account_id FROM night.flagged_account AS f
               LEFT JOIN dismissed_account AS a USING (account_id)
               LEFT JOIN dismissed_member AS m USING (account_id, campaign_id)
               GROUP BY account_id
               HAVING bool_and(a.account_id IS NOT NULL OR m.account_id IS NOT NULL)
               ORDER BY account_id"""
        )
    (n_cleared,) = con.execute("SELECT count(*) FROM core.cleared").fetchall()[0]
    return int(n_cleared)


def _dismissed(workspace: Workspace, settings: Settings) -> dict[Subject, tuple[str, ...]]:
    latest, now = decided_so_far(workspace, settings.cases_url), datetime.now(UTC)
    return {
        subject: decision.members
        for subject, decision in latest.items()
        if decision.verdict is Verdict.DISMISS and decision.in_force(now)
    }
