"""What a person reads when a command is done, on standard output.

Here: words and small tables about results that others computed. Not here: how text becomes safe for
a terminal (terminal), files of findings (findings), any computation beyond adding up for display.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from shlex import quote
from shutil import which
from sys import argv
from typing import TYPE_CHECKING, Any

from pipelines.terminal import in_words, show, show_table
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

    from pipelines.nightly import NightSummary, ScanSummary

MOST_REASONS = 8
"""Kinds of refusals shown after a scan; the rest is counted. `stillwatch check` lists every row."""

MOST_CAMPAIGNS = 20
"""Campaigns shown after a scan; `findings` shows all."""


def program() -> str:
    """How this program is started here: `stillwatch` when that is on the path, else as it was now."""
    found, started = which("stillwatch"), Path(argv[0])
    if started.name != "stillwatch" or (found and Path(found).resolve() == started.resolve()):
        return "stillwatch"
    return quote(argv[0])


def console_line(workspace: Workspace) -> str:
    """The exact line that opens the console on this workspace."""
    return f"{program()} console --workspace {quote(str(workspace.root))}"


def count(number: int) -> str:
    """A whole number with thousands set apart: `70,412`."""
    return f"{number:,}"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 night`, `3 nights`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


# -- scan -----------------------------------------------------------------------------------------


def show_scan(summary: "ScanSummary", workspace: Workspace) -> None:
    """Nights, what was left out and why, campaigns, and what to do next."""
    show()
    show(_scan_headline(summary), style="bold")
    show()
    show_nights(summary.nights)
    _show_left_out(summary)
    _show_refused(summary)
    _show_unreadable(summary)
    if summary.nights:
        show_campaigns_of(workspace, summary.nights[-1].day)
        show()
        show(f"Next: {console_line(workspace)}")


def _scan_headline(summary: "ScanSummary") -> str:
    rate = summary.n_rows / summary.seconds if summary.seconds > 0 else 0.0
    return (
        f"{plural(summary.n_rows, 'row')} from {plural(summary.n_files, 'file')}, "
        f"{plural(len(summary.nights), 'night')}, in {in_words(summary.seconds)} "
        f"({count(round(rate))} rows a second)"
    )


def show_nights(nights: Sequence["NightSummary"]) -> None:
    """One line a night."""
    headings = (
        "night",
        "requests",
        "accounts",
        "families",
        "candidates",
        "campaigns",
        "flagged",
        "calibrated on",
    )
    show_table(
        headings,
        (
            (
                night.day.isoformat(),
                count(night.n_requests),
                count(night.n_accounts),
                count(night.n_families),
                count(night.n_candidates),
                count(night.n_campaigns),
                count(night.n_flagged),
                night.calibration,
            )
            for night in nights
        ),
        right=headings[1:-1],
    )


def _show_left_out(summary: "ScanSummary") -> None:
    if summary.n_repeated:
        show()
        show(f"Dropped {plural(summary.n_repeated, 'repeated request_id')}: each request counts once.")
    if summary.n_other_day:
        show()
        show(f"Passed over {plural(summary.n_other_day, 'row')} of other days.")


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
    show_campaigns(frame)


def _is_alone() -> "pl.Expr":
    import polars as pl

    return pl.col("campaign_id").is_null()


def show_campaigns(frame: "pl.DataFrame") -> None:
    """One line a campaign, most suspicious first as given."""
    if frame.is_empty():
        return
    show()
    headings = ("campaign", "status", "confidence", "accounts", "requests", "harvests", "by")
    show_table(
        headings,
        (
            (
                row["campaign_id"],
                row["status"],
                row["confidence"],
                count(row["n_accounts"]),
                count(row["n_requests"]),
                shares(row["capabilities"]),
                shares(row["techniques"]),
            )
            for row in frame.head(MOST_CAMPAIGNS).iter_rows(named=True)
        ),
        right=("accounts", "requests"),
    )
    if len(frame) > MOST_CAMPAIGNS:
        show(f"and {plural(len(frame) - MOST_CAMPAIGNS, 'more')}: {program()} findings")


def shares(named: Iterable[Mapping[str, Any]] | None, most: int = 2) -> str:
    """The largest shares in words: `coding 71 %, agentic 20 %`; a dash when there are none."""
    shown = [f"{entry['name']} {100 * entry['share']:.0f} %" for entry in list(named or [])[:most]]
    return ", ".join(shown) or "-"
