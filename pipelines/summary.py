"""What a person reads when a command is done, on standard output.

Here: words and small tables about results that others computed. Not here: how text becomes safe for
a terminal (terminal), files of findings (findings), any computation beyond adding up for display.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from shlex import quote
from shutil import which
from typing import TYPE_CHECKING, Any

from pipelines.rows import json_lines
from pipelines.terminal import in_words, show, show_table, size_in_words
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

    from pipelines.adapters import Joined
    from pipelines.adapters.check import CheckReport
    from pipelines.adapters.overview import Row
    from pipelines.cases import Decision
    from pipelines.evaluation import Evaluation
    from pipelines.export import ExportSummary
    from pipelines.nightly import ScanSummary
    from pipelines.simulate import SimulationSummary
    from pipelines.status import Status

MOST_REASONS = 8
"""Kinds of refusals shown after a scan; the rest is counted. `stillwatch check` lists every row."""

MOST_FILES = 3
"""Files shown that were left alone for their names; the rest is counted."""

MOST_CAMPAIGNS = 20
"""Campaigns shown after a scan; `findings` shows all."""


def program() -> str:
    """How this program is started here: `stillwatch` when that is on the path, else as it was now."""
    found, started = which("stillwatch"), Path(sys.argv[0])
    if started.name != "stillwatch" or (found and Path(found).resolve() == started.resolve()):
        return "stillwatch"
    return quote(sys.argv[0])


def console_line(workspace: Workspace) -> str:
    """The exact line that opens the console on this workspace."""
    return f"{program()} console --workspace {quote(str(workspace.root))}"


def count(number: int) -> str:
    """A whole number with thousands set apart: `70,412`."""
    return f"{number:,}"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 night`, `3 nights`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


# -- check ----------------------------------------------------------------------------------------


def show_check(report: "CheckReport") -> None:
    """Every problem in a line of its own, then what a scan would do."""
    for problem in report.findings():
        remedy = f"; remedy: {problem.remedy}" if problem.remedy else ""
        show(f"{problem}{remedy}")
    unreadable = sum(file.error is not None for file in report.files)
    show(
        f"{plural(report.n_rows, 'row')} in {plural(len(report.files), 'file')}: "
        f"{count(report.n_refused)} would be refused, {count(report.n_repeated)} dropped as repeats, "
        f"{plural(unreadable, 'file')} cannot be read",
        style="bold" if report.ok else "bold yellow",
    )
    if report.n_passed_over:
        show(f"Would pass over {plural(report.n_passed_over, 'record')} that are no requests.")
    if report.n_elsewhere:
        show(elsewhere_line(report.n_elsewhere), style="yellow")
    if report.not_understood:
        show(not_understood_line(report.not_understood))
    if report.not_found:
        show(f"Nowhere in the first records, though the mapping reads it: {', '.join(report.not_found)}")
    if report.not_taken:
        show(not_taken_line(report.not_taken))
    _show_joined(report.joined)
    _show_unseen(report.unseen)


# -- sources --------------------------------------------------------------------------------------


def show_sources(rows: Iterable["Row"], output_format: str) -> None:
    """One format a row; as JSON Lines with every column and every loss."""
    if output_format == "jsonl":
        sys.stdout.writelines(json_lines(asdict(row) for row in rows))
        return
    show_table(
        ["format", "what it is", "carries", "without the rest, detection loses"],
        (
            [
                row.name,
                row.title,
                ", ".join(row.carries),
                "; ".join(f"{k}: {v}" for k, v in row.loses.items()),
            ]
            for row in rows
        ),
    )


def elsewhere_line(number: int) -> str:
    """How many bodies were not there, and what to do about it."""
    return (
        f"Bodies of {plural(number, 'request')} lie in files of their own that are not there: content of "
        "long prompts is not looked at; remedy: copy the folders `data` with the logs"
    )


def not_understood_line(fields: Iterable[str]) -> str:
    """What a log has that its format does not know: it may be of another version."""
    return f"Read without these fields, which this version does not know: {', '.join(fields)}"


def not_taken_line(paths: Sequence[Path]) -> str:
    """Files in the logs' folders whose names are none of a log's: logs of another name would be missed."""
    names = ", ".join(map(str, paths[:MOST_FILES])) + (", ..." if len(paths) > MOST_FILES else "")
    return f"Left alone for their names: {plural(len(paths), 'file')} ({names}); name those that are logs"


# -- scan -----------------------------------------------------------------------------------------


def show_scan(summary: "ScanSummary", workspace: Workspace) -> None:
    """Nights, what was left out and why, campaigns, and what to do next."""
    show()
    show(_scan_headline(summary), style="bold")
    show()
    show_nights(asdict(night) for night in summary.nights)
    _show_left_out(summary)
    _show_refused(summary)
    _show_unreadable(summary)
    if summary.nights:
        show_campaigns_of(workspace, summary.nights[-1].day)
        show_drift_of(workspace, summary.nights[-1].day)
        show_order_of(workspace)
        show()
        show(f"Next: {console_line(workspace)}")


def _scan_headline(summary: "ScanSummary") -> str:
    rate = summary.n_rows / summary.seconds if summary.seconds > 0 else 0.0
    return (
        f"{plural(summary.n_rows, 'row')} from {plural(summary.n_files, 'file')}, "
        f"{plural(len(summary.nights), 'night')}, in {in_words(summary.seconds)} "
        f"({count(round(rate))} rows a second)"
    )


_NIGHT_COLUMNS = {
    "day": "night",
    "n_requests": "requests",
    "n_accounts": "accounts",
    "n_families": "families",
    "n_candidates": "candidates",
    "n_campaigns": "campaigns",
    "n_flagged": "flagged",
    "calibration": "calibrated on",
}


def show_nights(nights: Iterable[Mapping[str, Any]]) -> None:
    """One line a night; `flagged` counts accounts."""
    show_table(
        list(_NIGHT_COLUMNS.values()),
        ([_cell(night[name]) for name in _NIGHT_COLUMNS] for night in nights),
        right=[heading for name, heading in _NIGHT_COLUMNS.items() if name.startswith("n_")],
    )


def _cell(value: object) -> str:
    return count(value) if isinstance(value, int) else str(value)


def _show_left_out(summary: "ScanSummary") -> None:
    if summary.n_repeated:
        show()
        show(f"Dropped {plural(summary.n_repeated, 'repeated request_id')}: each request counts once.")
    if summary.n_told_elsewhere:
        show()
        show(
            f"Left out {plural(summary.n_told_elsewhere, 'record')} of calls of which another log tells "
            "more: each call counts once."
        )
    if summary.n_other_day:
        show()
        show(f"Passed over {plural(summary.n_other_day, 'row')} of other days.")
    if summary.n_passed_over:
        show()
        show(f"Passed over {plural(summary.n_passed_over, 'record')} that are no requests.")
    if summary.n_elsewhere:
        show()
        show(elsewhere_line(summary.n_elsewhere), style="yellow")
    if summary.not_understood:
        show()
        show(not_understood_line(summary.not_understood))
    if summary.not_taken:
        show()
        show(not_taken_line(summary.not_taken))
    _show_joined(summary.joined)
    _show_unseen(summary.unseen)


def _show_joined(joined: Iterable["Joined"]) -> None:
    """How far an edge log and the log it adds to fit each other."""
    for one in joined:
        ids = one.by if one.by == one.edge_by else f"{one.by} = {one.edge_by}"
        show()
        show(
            f"{one.content} joined with {one.edge} by {ids}: {plural(one.n_matched, 'request')} found "
            f"their row, {count(one.n_alone)} did not."
        )
        show(
            f"  Rows of {one.edge}: {count(one.n_unused)} without a request, {count(one.n_repeated)} with an "
            f"id seen before (the first counts), {count(one.n_without_id)} without an id."
        )
        if not one.n_matched:
            show(f"    remedy: {_remedy_of(one)}", style="yellow")


def _remedy_of(joined: "Joined") -> str:
    """What to do about a join in which no request found its row."""
    if not joined.n_matched + joined.n_alone:
        return "no file is left to add to; check content_files and edge_files of [[input.join]]"
    if not joined.n_edge:
        return (
            "no row of the edge was read; edge_files of [[input.join]] names files or folders, upper and "
            "lower case apart"
        )
    return "no id fits; check by and edge_by of [[input.join]]"


def _show_unseen(unseen: Mapping[str, Mapping[str, str]]) -> None:
    """What findings cannot rest on, for the logs do not have it: no campaign is not the same as none seen."""
    for name, losses in unseen.items():
        show()
        show(f"{name} logs have no {', '.join(losses)}. Not looked for: {'; '.join(losses.values())}.")


def _show_refused(summary: "ScanSummary") -> None:
    if not summary.n_refused:
        return
    show()
    show(
        f"Refused {plural(summary.n_refused, 'row')}; all other rows of these files were loaded:",
        style="yellow",
    )
    for kind in list(summary.refused)[:MOST_REASONS]:
        place = f"{kind.path}, row {kind.first_row}" + (f", {kind.column}" if kind.column else "")
        more = f" (and {plural(kind.n_rows - 1, 'more row')})" if kind.n_rows > 1 else ""
        show(f"  {place}: {kind.reason}{more}")
        show(f"    remedy: {kind.remedy}")
    if len(summary.refused) > MOST_REASONS:
        show(f"  and {plural(len(summary.refused) - MOST_REASONS, 'more kind')}; `check` lists every row")


def _show_unreadable(summary: "ScanSummary") -> None:
    if not summary.unreadable:
        return
    show()
    show(f"Could not read {plural(len(summary.unreadable), 'input')}; left out of this scan:", style="red")
    for unreadable in summary.unreadable:
        show(f"  {unreadable}")
        if unreadable.remedy:
            show(f"    remedy: {unreadable.remedy}")


# -- findings -------------------------------------------------------------------------------------


def show_campaigns_of(workspace: Workspace, day: date | None = None) -> None:
    """The campaigns of a night, or of all nights, in a line each."""
    from pipelines import findings

    frame = findings.campaigns(workspace, day)
    alone = findings.accounts(workspace, day).filter(_is_alone())
    show()
    if frame.is_empty() and alone.is_empty():
        show("No campaign and no lone account was flagged.")
        return
    show(f"{plural(len(frame), 'campaign')}, {plural(len(alone), 'lone account')} flagged", style="bold")
    show()
    findings.write_findings(frame.head(MOST_CAMPAIGNS), "table", None)
    if len(frame) > MOST_CAMPAIGNS:
        show(f"and {plural(len(frame) - MOST_CAMPAIGNS, 'more')}: `findings` shows all")


def show_drift_of(workspace: Workspace, day: date) -> None:
    """Warnings of a night that p-values do not hold for those who are not flagged; nothing where they do."""
    from pipelines import findings

    _show_drift(findings.drift(workspace), day)


def _show_drift(drift: "pl.DataFrame", day: date) -> None:
    from pipelines.findings import REMEDY_FOR_DRIFT

    warnings = [row["said"] for row in drift.iter_rows(named=True) if row["day"] == day and row["warned"]]
    if not warnings:
        return
    show()
    for said in warnings:
        show(f"Warning: {said}", style="yellow")
    show(f"    remedy: {REMEDY_FOR_DRIFT}")


def show_order_of(workspace: Workspace) -> None:
    """What the review queue is ordered by, and why."""
    from pipelines import findings

    _show_order(findings.learned_order(workspace)["said"])


def _show_order(said: Iterable[str]) -> None:
    for sentence in said:
        show(f"Queue: {sentence}.")


def _is_alone() -> "pl.Expr":
    import polars as pl

    return pl.col("campaign_id").is_null()


# -- simulated worlds -----------------------------------------------------------------------------


def show_simulation(made: "SimulationSummary") -> None:
    """What was simulated, and how to scan it."""
    world = quote(str(made.out))
    show(made.as_line())
    show()
    show(f"Next: {program()} scan {world}/logs --accounts {world}/accounts.parquet --workspace watch")


def show_demo(workspace: Workspace, scored: "Evaluation") -> None:
    """All nights, what they found, how that compares with the truth, and how to look at it."""
    from pipelines import findings
    from pipelines.evaluation.writing import write

    show()
    show_nights(findings.nights(workspace).sort("day").iter_rows(named=True))
    show_campaigns_of(workspace)
    show()
    show("Against the labels of the simulation:", style="bold")
    show()
    write(scored, "table", None)
    show()
    show("Open the console on it:", style="bold")
    show(f"  {console_line(workspace)}")


# -- status ---------------------------------------------------------------------------------------


def show_status(status: "Status") -> None:
    """Nights, refusals, cases and disk use of a workspace."""
    if status.nights is None or status.nights.is_empty():
        show(f"{status.root}: no night was scanned into this workspace yet")
    else:
        _show_published(status.nights, status.refused)
        if status.drift is not None:
            _show_drift(status.drift, status.nights["day"][0])
        show()
        show(f"Open cases: {count(status.n_open)}{_cases_in_words(status)}", style="bold")
        _show_order(status.order)
    show()
    total = sum(size for _, size in status.disk_bytes)
    parts = ", ".join(f"{name} {size_in_words(size)}" for name, size in status.disk_bytes[:4])
    show(f"Disk: {size_in_words(total)}" + (f" ({parts})" if parts else ""))


def _show_published(nights: "pl.DataFrame", refused: "pl.DataFrame | None") -> None:
    show_nights(nights.sort("day").iter_rows(named=True))
    total = int(nights["n_requests"].sum())
    show()
    show(f"{plural(len(nights), 'night')}, {plural(total, 'request')}")
    if refused is None or refused.is_empty():
        return
    show()
    show(f"Refused {plural(int(refused['n_rows'].sum()), 'row')}; most frequent:", style="yellow")
    for row in refused.head(MOST_REASONS).iter_rows(named=True):
        place = f"{row['path']}, row {row['first_row']}" + (
            f", {row['column_name']}" if row["column_name"] else ""
        )
        show(f"  {count(row['n_rows'])} x {row['reason']} ({place})")


def _cases_in_words(status: "Status") -> str:
    settled = {state: number for state, number in status.cases.items() if not state.is_open}
    words = ", ".join(f"{count(number)} {state.value}" for state, number in sorted(settled.items()))
    return f" ({words})" if words else ""


# -- decisions ------------------------------------------------------------------------------------


def show_decision(decision: "Decision") -> None:
    """What was recorded, and until when it counts."""
    what = f"{decision.verdict}" + (f", {decision.action}" if decision.action else "")
    reach = f", reaching {plural(len(decision.members), 'account')}" if decision.members else ""
    until = f", until {decision.expires_at:%Y-%m-%d %H:%M} UTC" if decision.expires_at else ""
    show(f"{decision.subject.level} {decision.subject.id}: {what}{reach}{until}, by {decision.by}")


def show_export(summary: "ExportSummary") -> None:
    """What was written, where, and what stayed behind."""
    kinds = ", ".join(f"{count(number)} {action}" for action, number in summary.n_by_action.items())
    show(f"{plural(summary.n_actions, 'action')}{f' ({kinds})' if kinds else ''}: {summary.path}")
    show(f"manifest: {summary.manifest}")
    if summary.n_withheld:
        show(
            f"{plural(summary.n_withheld, 'approved account')} stayed: their approved use is valid",
            style="yellow",
        )
    if not summary.n_actions:
        show("Nothing is approved: record decisions in the console or with `stillwatch decide`.")
