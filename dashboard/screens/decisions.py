"""Decisions and export: what was approved, what would leave now, and the lists that left."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from dashboard import reading
from dashboard.deciding import ACTION_TONES, decisions_table
from dashboard.drawing import (
    badge,
    complaint,
    count,
    empty,
    errors_on_screen,
    facts,
    good_news,
    moment,
    mono,
    paragraph,
    plural,
    section,
    table,
    title,
)
from pipelines.errors import StillwatchError
from pipelines.export import FORMATS, EnforcementList, ExportSummary, export_decisions

SHOWN = 200  # rows of the preview; the list itself holds all


def draw() -> None:
    """The page."""
    title("Decisions & export")
    made = reading.cases().history()
    actions = reading.would_leave(made[0].decision_id if made else 0)
    _preview(actions)
    _export(actions)
    section("Everything decided", "Newest first. Nothing here can be changed or removed.")
    if made:
        decisions_table(made[:SHOWN], with_subject=True)
    else:
        empty("Nothing is decided yet.", "Open a case from the Queue and record a decision.")


def _preview(actions: EnforcementList) -> None:
    by_action = Counter(row["action"] for row in actions.rows)
    section("What would leave now", "Accounts that approved decisions reach, one action each.")
    facts(
        [
            ("accounts", count(len(actions.rows))),
            *((name, count(number)) for name, number in sorted(by_action.items())),
            ("held back by a contract", count(len(actions.withheld))),
        ]
    )
    if not actions.rows:
        empty("Nothing is approved, so nothing would leave.", "Approve a case in the Queue first.")
        return
    rows = [
        [
            mono(row["subject_id"]),
            badge(row["action"], ACTION_TONES[row["action"]]),
            row["case_id"],
            ", ".join(row["reason_codes"]).replace("_", " ").lower(),
            f"{row['approved_by']}, {moment(row['approved_at'])}",
            f"{row['expires_at']:%Y-%m-%d}" if row["expires_at"] is not None else "-",
        ]
        for row in actions.rows[:SHOWN]
    ]
    with st.expander(f"The {plural(len(actions.rows), 'account')} of the list"):
        table(["Account", "Action", "Case", "Ground", "Approved", "Ends"], rows)
        if len(actions.rows) > SHOWN:
            paragraph(f"and {count(len(actions.rows) - SHOWN)} more", "sw-hint")
    if actions.withheld:
        with st.expander(f"Held back: {plural(len(actions.withheld), 'account')}"):
            table(
                ["Account", "Why"], [[mono(held.account_id), held.why] for held in actions.withheld[:SHOWN]]
            )


def _export(actions: EnforcementList) -> None:
    section("Export", "Written into the workspace with a manifest; an existing list is never overwritten.")
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    with left:
        chosen = st.selectbox("Format", list(FORMATS), key="format")
    with right:
        st.button(
            f"Export {plural(len(actions.rows), 'action')}",
            type="primary",
            disabled=not actions.rows,
            key="export",
            on_click=_write,
            args=(chosen,),
        )
    outcome = st.session_state.get("exported")
    if isinstance(outcome, StillwatchError):
        complaint(outcome)
    elif isinstance(outcome, ExportSummary) and outcome.path.is_file():
        _exported(outcome)


def _write(chosen: str) -> None:
    folder = reading.workspace().root / "exports"
    name = f"enforcement-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.{chosen}"
    try:
        folder.mkdir(exist_ok=True)
        st.session_state["exported"] = export_decisions(
            reading.workspace(), reading.cases(), chosen, folder / name
        )
    except StillwatchError as error:
        st.session_state["exported"] = error


def _exported(summary: ExportSummary) -> None:
    good_news(
        f"{plural(summary.n_actions, 'action')} written to exports/{summary.path.name} "
        f"(sha256 {summary.sha256[:16]}…)."
    )
    left, right, _ = st.columns([1, 1, 2])
    with left:
        _download("Download the list", summary.path)
    with right:
        _download("Download its manifest", summary.manifest)


def _download(label: str, path: Path) -> None:
    st.download_button(label, path.read_bytes(), file_name=path.name, on_click="ignore", width="stretch")


with errors_on_screen():
    draw()
