"""A backtest: what another policy would have flagged and missed on past nights, before it goes live.

Here: reading, judging again, comparing, in that order. Not here: past nights in memory (history), verdicts
night by night (replay), what changed (comparison), its forms (outcome), the policy (settings).

The warehouse is read and never written. Only the rules of the policy are judged anew: groups and their
evidence are those that the scans found and weighed, and lone accounts stay as they were flagged.
"""

from datetime import date

from pipelines.backtest.comparison import Changed, Decided, NightChange, compare
from pipelines.backtest.history import History, Night, read_history
from pipelines.backtest.outcome import Backtest, write
from pipelines.backtest.replay import replay
from pipelines.cases import CaseStore
from pipelines.errors import UsageError
from pipelines.labels import campaign_accounts, with_labels
from pipelines.settings import Settings
from pipelines.warehouse.opening import read_warehouse
from pipelines.workspace import Workspace


def backtest(
    workspace: Workspace, settings: Settings, *, since: date | None = None, until: date | None = None
) -> Backtest:
    """Judge past nights again by the policy of `settings`, and compare with what was decided.

    Parameters
    ----------
    settings : their section `detection` is the policy, their `cases_url` names the case store
    since, until : first and last night to judge; earlier ones count as they were decided, later ones not

    Raises
    ------
    UsageError : no night of these was scanned, or of none was the evidence kept.
    WorkspaceBusy : a scan holds the workspace.
    """
    first, last = since or date.min, until or date.max
    workspace.require_published()
    with workspace.reading(), read_warehouse(workspace) as con:
        history = read_history(con, first, last)
        accounts = campaign_accounts(con)
    asked = [night for night in history.nights if night.day >= first]
    _require_some(asked, history)
    with CaseStore.open(settings.cases_url or workspace.cases_url) as store:
        decisions = with_labels(store.latest(), store.labels(), accounts)
    policy = settings.detection.policy()
    replayed = replay(history, policy, lambda night: night.day >= first and night.has_pieces)
    campaigns, nights, decided = compare(history, replayed, decisions, policy)
    return Backtest(
        policy=policy,
        campaigns=campaigns,
        nights=nights,
        decided=decided,
        left_out=[night.day for night in asked if not night.has_pieces],
    )


def _require_some(asked: list[Night], history: History) -> None:
    if not asked:
        known = [night.day for night in history.nights]
        raise UsageError(
            "no night of these was scanned",
            remedy=f"the last before them is {known[-1]}"
            if known
            else "`stillwatch status` lists the nights",
        )
    if not any(night.has_pieces for night in asked):
        raise UsageError(
            "these nights were scanned before the evidence of candidates was kept",
            remedy="scan the latest of them again with `stillwatch scan LOGS --day DAY`, oldest first",
        )


__all__ = ["Backtest", "Changed", "Decided", "NightChange", "backtest", "write"]
