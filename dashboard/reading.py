"""What the pages read: the workspace, its findings (cached until a new snapshot appears), its cases.

Here: where things are, and the caches. Not here: how anything is drawn.
"""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from pipelines import findings
from pipelines.cases import Case, CaseStore, review_queue
from pipelines.errors import UsageError
from pipelines.export import EnforcementList, enforcement_list
from pipelines.settings import load_settings
from pipelines.workspace import Workspace


def workspace() -> Workspace:
    """The workspace this console was started on.

    Raises
    ------
    UsageError : STILLWATCH_WORKSPACE is not set.
    """
    root = os.environ.get("STILLWATCH_WORKSPACE", "")
    if not root:
        raise UsageError(
            "no workspace is open", remedy="start the console with `stillwatch console --workspace DIR`"
        )
    return Workspace(Path(root))


def workspace_name() -> str:
    """Its folder's name, for the corner of every page."""
    return Path(os.environ.get("STILLWATCH_WORKSPACE", "no workspace")).name


def cases() -> CaseStore:
    """The case store, opened once.

    Raises
    ------
    UsageError : it cannot be opened.
    """
    here = workspace()
    here.require_published()  # before the store makes a file in a folder that is no workspace
    config = os.environ.get("STILLWATCH_CONFIG") or (str(here.settings) if here.settings.is_file() else None)
    settings = load_settings(Path(config) if config else None)
    return _open_store(settings.cases_url or here.cases_url)


def queue(day: date | None, *, learned: bool = True) -> list[Case]:
    """Every case, most suspicious first; `learned`: by past decisions, where they were found to help."""
    return review_queue(workspace(), cases(), day=day, learned=learned)


def learned_order() -> pl.DataFrame:
    """What past decisions taught about the order of the queue."""
    return _cached(_version(), "learned_order")


def would_leave(last_decision: int) -> EnforcementList:
    """What an export would write now.

    Parameters
    ----------
    last_decision : number of the newest decision; with the snapshot and the minute it decides the answer.
    """
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    return _would_leave(_version(), last_decision, minute, cases())


def nights() -> pl.DataFrame:
    """Every scanned night, latest first."""
    return _cached(_version(), "nights")


def drift() -> pl.DataFrame:
    """How calibration held, every night and lane, latest first."""
    return _cached(_version(), "drift")


def refused() -> pl.DataFrame:
    """Refused rows by file, column and reason."""
    return _cached(_version(), "refused")


def campaign_nights(campaign_id: str) -> pl.DataFrame:
    """Every night of one campaign, latest first."""
    return _cached(_version(), "campaign_nights", campaign_id)


def harvest(campaign_id: str) -> pl.DataFrame:
    """What one campaign asked for on its latest night, with counts."""
    return _cached(_version(), "harvest", campaign_id)


def links(campaign_id: str) -> pl.DataFrame:
    """What held one campaign together on its latest night, and what it would be without each."""
    return _cached(_version(), "links", campaign_id)


def history(campaign_id: str) -> pl.DataFrame:
    """What became of one campaign from night to night, latest first."""
    return _cached(_version(), "history", campaign_id)


def members(campaign_id: str) -> pl.DataFrame:
    """Every account that was ever part of one campaign."""
    return _cached(_version(), "members", campaign_id)


def families(campaign_id: str) -> pl.DataFrame:
    """Templates of one campaign with their examples."""
    return _cached(_version(), "families", campaign_id)


def activity(campaign_id: str) -> pl.DataFrame:
    """Requests of one campaign's accounts by the hour."""
    return _cached(_version(), "activity", campaign_id)


def account_nights(account_id: str) -> pl.DataFrame:
    """Every night on which one account was flagged."""
    return _cached(_version(), "account_nights", account_id)


def account_activity(account_id: str) -> pl.DataFrame:
    """Every night of one account."""
    return _cached(_version(), "account_activity", account_id)


def account_exemplars(account_id: str) -> pl.DataFrame:
    """Redacted texts of one account."""
    return _cached(_version(), "account_exemplars", account_id)


def account_refusals(*accounts: str) -> pl.DataFrame:
    """What the provider refused to these accounts, by category."""
    return _cached(_version(), "account_refusals", *accounts)


def account_terms(account_id: str) -> dict[str, Any] | None:
    """Use case and approval of one account, where the accounts file names it."""
    known = _cached(_version(), "terms").filter(pl.col("account_id") == account_id)
    return known.row(0, named=True) if known.height else None


@st.cache_resource(show_spinner=False)
def _open_store(url: str) -> CaseStore:
    return CaseStore.open(url)


def _version() -> tuple[str, int, int]:
    """Changes when a scan has published: the snapshot is replaced, never written to."""
    path = workspace().require_published()
    stat = path.stat()
    return str(path), stat.st_mtime_ns, stat.st_ino


@st.cache_data(show_spinner=False, max_entries=4)
def _would_leave(
    version: tuple[str, int, int], last_decision: int, minute: datetime, _store: CaseStore
) -> EnforcementList:
    # From the minute's end: what was decided within it counts, what ends within it does not.
    return enforcement_list(Workspace(Path(version[0]).parent), _store, at=minute + timedelta(minutes=1))


@st.cache_data(show_spinner=False, max_entries=256)
def _cached(version: tuple[str, int, int], name: str, *values: str) -> pl.DataFrame:
    read: pl.DataFrame = getattr(findings, name)(Workspace(Path(version[0]).parent), *values)
    return read
