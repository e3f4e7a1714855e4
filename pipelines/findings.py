"""Findings: what the scans flagged, read from the published snapshot, before any human decision.

Here: small typed reads, each opening the snapshot for as long as it takes, and the writing of findings
for other programs. Not here: how the snapshot comes about (publish), what people decided (cases).
"""

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

import duckdb
import polars as pl

from detector.campaigns import PLAIN_CAPABILITY, PLAIN_TECHNIQUE, event_in_words, without_link
from detector.models import drift as drifting
from detector.models import rerank
from detector.models.rerank import Standing
from pipelines.errors import UsageError
from pipelines.rows import csv_lines, json_lines
from pipelines.terminal import show_table
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace

Format = Literal["table", "jsonl", "csv", "parquet"]

ACCOUNT_COLUMNS = (
    "account_id",
    "campaign_id",
    "score",
    "p_value",
    "confidence",
    "recommended_action",
    "reasons",
    "first_seen",
    "last_seen",
    "n_requests",
    "output_tokens",
    "day",
)
CAMPAIGN_COLUMNS = (
    "campaign_id",
    "score",
    "p_value",
    "confidence",
    "n_accounts",
    "n_requests",
    "output_tokens",
    "first_seen",
    "last_seen",
    "capabilities",
    "techniques",
    "profile",
    "links",
    "summary",
    "status",
    "day",
)

REMEDY_FOR_DRIFT = drifting.WHAT_TO_DO
"""What a person should do about a warning of `drift`."""

WHO_IS_ORDERED = {"campaign": "Campaigns", "account": "Lone accounts"}

_one_reader = threading.Lock()
# DuckDB keeps one instance per path and process: a second connection, opened while the first still
# reads a snapshot that has since been replaced, would be handed the old one.


def campaigns(workspace: Workspace, day: date | None = None) -> pl.DataFrame:
    """Flagged campaigns, most suspicious first, ties by campaign_id; columns CAMPAIGN_COLUMNS.

    Parameters
    ----------
    day : one night; without it all nights so far, each campaign once, at its latest state.

    Raises
    ------
    UsageError : nothing was published here, the snapshot is of another version, or `day` was never
        scanned.
    """
    _check_scanned(workspace, day)
    return _read(workspace, "campaigns", day=day)


def accounts(workspace: Workspace, day: date | None = None) -> pl.DataFrame:
    """Flagged accounts, most suspicious first, ties by account_id; columns ACCOUNT_COLUMNS.

    Parameters
    ----------
    day : one night; without it all nights so far, each account once per campaign (and once alone), at
        its latest state.

    Raises
    ------
    UsageError : as for `campaigns`.
    """
    _check_scanned(workspace, day)
    return _read(workspace, "accounts", day=day)


def campaign_nights(workspace: Workspace, campaign_id: str) -> pl.DataFrame:
    """Every night of one campaign, latest first, with evidence and recommended action; maybe empty."""
    return _read(workspace, "campaign_nights", campaign_id=campaign_id)


def recommendations(workspace: Workspace, day: date | None = None) -> pl.DataFrame:
    """`campaign_id, recommended_action, families` of each campaign, on one night or at its latest state."""
    return _read(workspace, "recommendations", day=day)


def harvest(workspace: Workspace, campaign_id: str) -> pl.DataFrame:
    """What one campaign asked for on its latest night by capability and technique, most requests first.

    Columns: `day, capability, technique, n_requests, output_tokens`, and `capability_said`, `technique_said`:
    the two in plain words.
    """
    frame = _read(workspace, "harvest", campaign_id=campaign_id)
    return frame.with_columns(
        capability_said=pl.col("capability").replace_strict(PLAIN_CAPABILITY, return_dtype=pl.String),
        technique_said=pl.col("technique").replace_strict(PLAIN_TECHNIQUE, return_dtype=pl.String),
    )


def links(workspace: Workspace, campaign_id: str) -> pl.DataFrame:
    """What held one campaign together on its latest night, strongest first.

    Columns: `day, kind, strength, reach, log_odds` (the evidence as it was), `log_odds_without` (what would
    be left without this kind of link; null where the accounts would fall apart), `stands_without`, and
    `said`: in plain words.
    """
    frame = _read(workspace, "links", campaign_id=campaign_id)
    said = [
        without_link(row["kind"], row["log_odds"], row["log_odds_without"], stands=row["stands_without"])
        for row in rows_of(frame)
    ]
    return frame.with_columns(said=pl.Series(said, dtype=pl.String))


def history(workspace: Workspace, campaign_id: str) -> pl.DataFrame:
    """What became of one campaign from night to night, latest first.

    Columns: `day, event, of_the_other` (the event is of `other_id`, which took this one in or lost it),
    `other_id, n_accounts, n_stopped`, and `said`: in plain words.
    """
    frame = _read(workspace, "history", campaign_id=campaign_id)
    named = ("event", "other_id", "n_accounts", "n_stopped", "of_the_other")
    said = [event_in_words(**{name: row[name] for name in named}) for row in rows_of(frame)]
    return frame.with_columns(said=pl.Series(said, dtype=pl.String))


def members(workspace: Workspace, campaign_id: str) -> pl.DataFrame:
    """Accounts that were ever part of one campaign, most suspicious first, at their latest state in it."""
    return _read(workspace, "members", campaign_id=campaign_id)


def families(workspace: Workspace, campaign_id: str) -> pl.DataFrame:
    """Templates one campaign lives on, most used first, each with up to five redacted examples."""
    return _read(workspace, "families", campaign_id=campaign_id)


def activity(workspace: Workspace, campaign_id: str) -> pl.DataFrame:
    """`hour, n_requests, n_accounts` of one campaign's accounts, in order of time."""
    return _read(workspace, "activity", campaign_id=campaign_id)


def account_nights(workspace: Workspace, account_id: str) -> pl.DataFrame:
    """Every night on which one account was flagged, latest first."""
    return _read(workspace, "account_nights", account_id=account_id)


def account_activity(workspace: Workspace, account_id: str) -> pl.DataFrame:
    """Every night of one account that was ever flagged, in order, with what is known of the account."""
    return _read(workspace, "account_activity", account_id=account_id)


def account_exemplars(workspace: Workspace, account_id: str) -> pl.DataFrame:
    """Up to five redacted texts one account sent on its latest flagged night; empty when none are kept."""
    return _read(workspace, "account_exemplars", account_id=account_id)


def account_refusals(workspace: Workspace, *accounts: str) -> pl.DataFrame:
    """What the provider refused to these accounts, most requests first: `category, n_accounts, n_requests,
    first_at, last_at`. Weak evidence at most: honest work is refused as well."""
    return _read(workspace, "account_refusals", accounts=list(accounts))


def terms(workspace: Workspace) -> pl.DataFrame:
    """`account_id, use_case, verified, approved_use, approved_until` of flagged accounts."""
    return _read(workspace, "terms")


def nights(workspace: Workspace) -> pl.DataFrame:
    """Every scanned night, latest first, with its counts."""
    return _read(workspace, "nights")


def drift(workspace: Workspace) -> pl.DataFrame:
    """How calibration held, every night and lane, latest first, warnings before the rest.

    Columns: those of night.drift but `factor`, `low_share`, and `said`: a warning in plain words, else null.
    """
    frame = _read(workspace, "drift")
    named = ("lane", "low_share", "tolerated_share", "since", "moved")
    said = [
        drifting.in_words(**{name: row[name] for name in named}) if row["warned"] else None
        for row in rows_of(frame)
    ]
    return frame.with_columns(said=pl.Series(said, dtype=pl.String))


def learned_order(workspace: Workspace) -> pl.DataFrame:
    """What past decisions taught about the order of the queue, campaigns first, then lone accounts.

    Columns: those of night.learned_order, `used`, and `said`: in plain words. No rows before the first scan
    that looked.
    """
    frame = _read(workspace, "learned_order")
    said = [
        rerank.in_words(
            WHO_IS_ORDERED[row["level"]],
            rerank.Lesson(
                standing=Standing(row["standing"]),
                **{name: row[name] for name in frame.columns if name not in ("level", "day", "standing")},
            ),
        )
        for row in rows_of(frame)
    ]
    used = pl.col("standing") == Standing.USED.value
    return frame.with_columns(used=used, said=pl.Series(said, dtype=pl.String))


def learned_cases(workspace: Workspace) -> pl.DataFrame:
    """`level, subject_id, day, log_odds` of all cases of levels that past decisions order."""
    return _read(workspace, "learned_cases")


def flags(workspace: Workspace) -> pl.DataFrame:
    """Every flag of every night without its reasons, by day, account and campaign.

    Columns: `day, account_id, campaign_id, recommended_action, score, p_value, confidence`.
    """
    return _read(workspace, "flags")


def stated(workspace: Workspace) -> pl.DataFrame:
    """`day, campaign_id, p_value, score, confidence`: how sure each campaign was said to be, every night."""
    return _read(workspace, "stated")


def flagged_activity(workspace: Workspace) -> pl.DataFrame:
    """`account_id, day, n_requests`: what each account that was ever flagged sent on each night."""
    return _read(workspace, "flagged_activity")


def refused(workspace: Workspace) -> pl.DataFrame:
    """Refused rows by file, column and reason, most frequent first; never their content."""
    return _read(workspace, "refused")


def write_findings(frame: pl.DataFrame, format: Format, out: Path | None) -> None:  # noqa: A002
    """Write findings to a file, or to standard output without one.

    JSON Lines and CSV are equal byte for byte when the findings are equal. A file appears whole or not
    at all, and replaces an older one of that name.

    Raises
    ------
    UsageError : Parquet was asked for on standard output, or the format is unknown.
    """
    if format == "parquet":
        _write_parquet(frame, out)
    elif format == "table":
        _write_table(frame, out)
    elif format in ("jsonl", "csv"):
        lines = json_lines(rows_of(frame)) if format == "jsonl" else csv_lines(frame.columns, rows_of(frame))
        with _text_target(out) as target:
            target.writelines(lines)
    else:
        raise UsageError(f"{format}: no such format", remedy="choose table, jsonl, csv or parquet")


def rows_of(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """The frame's rows as dictionaries, keys in column order."""
    return frame.iter_rows(named=True)


def _check_scanned(workspace: Workspace, day: date | None) -> None:
    if day is None:
        return
    known = nights(workspace)["day"].to_list()
    if day not in known:
        shown = f"scanned nights run from {known[-1]} to {known[0]}" if known else "no night is scanned yet"
        raise UsageError(f"{day}: this night was not scanned", remedy=shown)


def _read(workspace: Workspace, name: str, **values: Any) -> pl.DataFrame:
    with _snapshot(workspace) as con:
        rows = con.sql(statement(f"findings/{name}"), params=values or None).to_arrow_table()
    return pl.DataFrame(rows).with_columns(pl.col(pl.Datetime).dt.replace_time_zone("UTC"))


@contextmanager
def _snapshot(workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    path = workspace.require_published()
    try:
        with _one_reader, duckdb.connect(path, read_only=True) as con:
            yield con
    except duckdb.Error as error:
        raise UsageError(
            f"{path}: this snapshot cannot be read ({type(error).__name__})",
            remedy="scan any night again with this version: it publishes a fresh one",
        ) from error


# -- writing ----------------------------------------------------------------------------------------


def _write_parquet(frame: pl.DataFrame, out: Path | None) -> None:
    if out is None:
        raise UsageError("parquet is not for standard output", remedy="name a file with --out")
    with _beside(out) as path:
        frame.write_parquet(path)


@contextmanager
def _text_target(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    with _beside(out) as path, path.open("w", encoding="utf-8", newline="") as handle:
        yield handle


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    path = out.with_name(f".{out.name}.new")
    try:
        yield path
        path.replace(out)
    finally:
        path.unlink(missing_ok=True)


def _write_table(frame: pl.DataFrame, out: Path | None) -> None:
    shown = _TABLE_OF_ACCOUNTS if "account_id" in frame.columns else _TABLE_OF_CAMPAIGNS
    columns = [name for name in shown if name in frame.columns]
    rows = [[_in_a_table(row[name]) for name in columns] for row in rows_of(frame)]
    headings = [name.replace("_", " ") for name in columns]
    if out is None:
        show_table(headings, rows, right={"score", "n accounts", "n requests", "output tokens"})
        return
    with _text_target(out) as target:
        target.writelines("\t".join(_one_line(cell) for cell in row) + "\n" for row in [headings, *rows])


_TABLE_OF_CAMPAIGNS = (
    "campaign_id",
    "score",
    "confidence",
    "status",
    "n_accounts",
    "n_requests",
    "output_tokens",
    "techniques",
    "capabilities",
    "last_seen",
)
_TABLE_OF_ACCOUNTS = (
    "account_id",
    "campaign_id",
    "score",
    "confidence",
    "recommended_action",
    "n_requests",
    "output_tokens",
    "reasons",
    "last_seen",
)


def _in_a_table(value: Any) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:.3f}"
        case int():
            return f"{value:,}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case list():
            return ", ".join(_item_in_words(item) for item in value[:3])
    return str(value)


def _item_in_words(item: Mapping[str, Any]) -> str:
    return f"{item['name']} {item['share']:.0%}" if "share" in item else str(item["code"])


def _one_line(text: str) -> str:
    return " ".join(text.split())
