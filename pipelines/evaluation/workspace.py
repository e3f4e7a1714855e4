"""A workspace before the judge: what its scans flagged, and what every account sent.

Here: reading one workspace, and comparing it with another. Not here: the figures (judging).

Flags come from the published snapshot. What accounts sent that were never flagged is only in the warehouse,
which is read under a shared lock: while a scan holds the workspace there is nothing consistent to judge, and
the command ends with exit code 3. A snapshot without its warehouse (one that was sent elsewhere) is judged
too, without exchanges and without knowing who never came.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from detector.text import SCRIPTS
from pipelines import findings
from pipelines.errors import UsageError
from pipelines.evaluation import churn
from pipelines.evaluation.judging import judge
from pipelines.evaluation.labels import read_labels
from pipelines.evaluation.outcome import Evaluation
from pipelines.settings import Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.opening import read_warehouse
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one workspace holds of labelled and of flagged accounts, all of one state."""

    nights: pl.Series
    flags: pl.DataFrame
    stated: pl.DataFrame
    activity: pl.DataFrame
    accounts: pl.DataFrame | None
    is_whole: bool


def evaluate(
    workspace: Workspace,
    labels: Path,
    *,
    against: Workspace | None = None,
    settings: Settings | None = None,
) -> Evaluation:
    """Compare what the scans of a workspace found with what is true.

    Parameters
    ----------
    against : another workspace whose scans should have found the same
    settings : of the scans; they name the false-discovery rate that findings are held to

    Raises
    ------
    UsageError : nothing was scanned here, the labels cannot be read (see `read_labels`), or the other
        workspace shares no night with this one.
    WorkspaceBusy : a scan holds the workspace.
    """
    truth = read_labels(labels)
    scanned = read(workspace, truth["account_id"])
    scored = judge(
        truth,
        scanned.flags,
        scanned.activity,
        nights=scanned.nights,
        stated=scanned.stated,
        accounts=scanned.accounts,
        whole_activity=scanned.is_whole,
        stated_rate=(settings or Settings()).detection.false_discovery_rate,
    )
    return scored if against is None else replace(scored, against=_compared(scanned, workspace, against))


def read(workspace: Workspace, labelled: pl.Series) -> Scanned:
    """Snapshot and warehouse of a workspace, of one state.

    Parameters
    ----------
    labelled : ids of the accounts that labels speak of; of others only what was flagged is read

    Raises
    ------
    UsageError : nothing was scanned here, or it was with another version.
    WorkspaceBusy : a scan holds the workspace.
    """
    workspace.require_published()
    with workspace.reading():
        nights = findings.nights(workspace)["day"].sort()
        flags, stated = findings.flags(workspace), findings.stated(workspace)
        if not workspace.warehouse.exists():
            activity = findings.flagged_activity(workspace)
            return Scanned(nights, flags, stated, activity, None, is_whole=False)
        wanted = pl.DataFrame({"account_id": pl.concat([labelled, flags["account_id"]]).unique().sort()})
        with read_warehouse(workspace) as con, registered(con, "wanted", wanted.to_arrow()):
            activity, accounts = (
                pl.DataFrame(con.sql(statement(f"evaluation/{name}")).to_arrow_table())
                for name in ("activity", "accounts")
            )
    names = dict(enumerate(SCRIPTS))
    script = pl.col("script").replace_strict(names, default=None, return_dtype=pl.String)
    return Scanned(nights, flags, stated, activity, accounts.with_columns(script), is_whole=True)


def _compared(scanned: Scanned, workspace: Workspace, other: Workspace) -> pl.DataFrame:
    """Nights that both scanned; of the other one the snapshot is enough, so nobody needs to wait for it."""
    theirs = findings.nights(other)["day"]
    shared = scanned.nights.filter(scanned.nights.is_in(theirs.implode()))
    if shared.is_empty():
        raise UsageError(
            f"{other.root}: shares no night with {workspace.root}",
            remedy="scan the same logs into both, then compare",
        )
    return churn.against(scanned.flags, findings.flags(other), shared)
