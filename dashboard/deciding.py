"""The decision form and the history of decisions, the same for a campaign and an account.

Here: what is asked, and handing it to the case store. Not here: what makes a decision complete, nor whom
it reaches (pipelines.cases).
"""

import getpass
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from dashboard import reading
from dashboard.drawing import (
    Html,
    badge,
    complaint,
    good_news,
    inert,
    moment,
    paragraph,
    plural,
    section,
    table,
)
from pipelines.cases import Action, Decision, Level, State, Subject, Verdict, decide
from pipelines.errors import StillwatchError

VERDICTS = {
    Verdict.APPROVE: "Approve enforcement",
    Verdict.DISMISS: "Dismiss as legitimate",
    Verdict.WATCH: "Keep watching",
    Verdict.REOPEN: "Reopen",
}
PAST = {
    Verdict.APPROVE: "approved",
    Verdict.DISMISS: "dismissed",
    Verdict.WATCH: "watched",
    Verdict.REOPEN: "reopened",
}
TONES = {
    State.UNDECIDED: "warn",
    State.GREW: "warn",
    State.WATCHED: "plain",
    State.APPROVED: "bad",
    State.DISMISSED: "good",
}
ACTION_TONES = {"watch": "quiet", "limit": "plain", "verify": "warn", "suspend": "bad"}


def decision_form(subject: Subject, *, recommended: str, members: Sequence[str] = ()) -> None:
    """Ask for a verdict, its reason and who decides; a click records it.

    Parameters
    ----------
    recommended : the action the scan recommends; offered first, never taken by itself.
    members : accounts this page shows for a campaign: the ones an approval reaches.
    """
    section("Decision", "Recorded for good, with your name and reason. A later decision replaces its effect.")
    _show_outcome(subject)
    verdict = st.segmented_control(
        "Verdict",
        list(VERDICTS),
        format_func=VERDICTS.__getitem__,
        key=f"verdict:{subject.id}",
    )
    if verdict is None:  # nothing is chosen beforehand: an approval must never be a slip of the hand
        paragraph("Choose a verdict to continue.", "sw-hint")
        return
    chosen = Verdict(verdict)
    with st.form(f"decision:{subject.id}", border=True):
        _fields(subject, chosen, recommended, members)
        st.form_submit_button(
            "Record decision",
            type="primary",
            key=f"record:{subject.id}",
            shortcut="ctrl+enter",
            on_click=_record,
            args=(subject, chosen, tuple(members)),
        )


def history(subject: Subject) -> None:
    """Every decision about it, newest first."""
    made = reading.cases().history(subject)
    section("History of decisions")
    if not made:
        paragraph("No one has decided about this yet.", "sw-hint")
        return
    decisions_table(made)


def decisions_table(decisions: Sequence[Decision], *, with_subject: bool = False) -> None:
    """Decisions as rows: when, who, what, why."""
    headings = ["When", *(["Case"] if with_subject else []), "Verdict", "By", "Reason", "Accounts", "Ends"]
    rows = [
        [
            moment(made.decided_at),
            *([subject_in_words(made.subject)] if with_subject else []),
            _verdict_in_words(made),
            made.by,
            made.reason,
            f"{len(made.members):,}" if made.subject.level is Level.CAMPAIGN else "1",
            f"{made.expires_at:%Y-%m-%d}" if made.expires_at is not None else "-",
        ]
        for made in decisions
    ]
    table(headings, rows, numbers=[len(headings) - 2])


def subject_in_words(subject: Subject) -> Html:
    """A campaign or account, by its inert id."""
    return Html(f'{subject.level.value} <span class="sw-mono">{inert(subject.id)}</span>')


def _verdict_in_words(made: Decision) -> Html:
    acted = f" {badge(made.action.value, ACTION_TONES[made.action.value])}" if made.action is not None else ""
    return Html(f"{inert(PAST[made.verdict])}{acted}")


def _fields(subject: Subject, verdict: Verdict, recommended: str, members: Sequence[str]) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.text_area(
            "Reason (required)",
            key=f"reason:{subject.id}",
            height=196,
            max_chars=4_000,
            placeholder="What you saw, and why it is or is not harvesting.",
        )
    with right:
        if verdict is Verdict.APPROVE:
            actions = [action.value for action in Action]
            st.selectbox(
                "Action",
                actions,
                index=actions.index(recommended) if recommended in actions else 0,
                format_func=lambda action: f"{action} (recommended)" if action == recommended else action,
                key=f"action:{subject.id}",
            )
        st.text_input("Your name (required)", value=_analyst(), key=f"by:{subject.id}", max_chars=200)
        if verdict is not Verdict.REOPEN:
            st.date_input(
                "Ends after (UTC, optional)",
                value=None,
                min_value=datetime.now(UTC).date(),
                key=f"until:{subject.id}",
                format="YYYY-MM-DD",
            )
    if verdict is Verdict.APPROVE and subject.level is Level.CAMPAIGN:
        paragraph(
            f"Reaches the {plural(len(members), 'account')} listed under Accounts, except those that were "
            "decided about alone and those with a valid contract.",
            "sw-hint",
        )


def _record(subject: Subject, verdict: Verdict, seen: tuple[str, ...]) -> None:
    """Runs before the page is drawn again, so `seen` is what the person had before their eyes."""
    state = st.session_state
    try:
        made = decide(
            reading.workspace(),
            reading.cases(),
            subject,
            verdict,
            reason=state.get(f"reason:{subject.id}", ""),
            by=state.get(f"by:{subject.id}", ""),
            action=state.get(f"action:{subject.id}") if verdict is Verdict.APPROVE else None,
            expires_at=_end_of(state.get(f"until:{subject.id}")),
            seen=seen,
        )
    except StillwatchError as error:
        state[f"outcome:{subject.id}"] = error
        return
    state["analyst"] = made.by
    state[f"reason:{subject.id}"] = ""
    state[f"outcome:{subject.id}"] = made


def _show_outcome(subject: Subject) -> None:
    outcome = st.session_state.pop(f"outcome:{subject.id}", None)
    if isinstance(outcome, StillwatchError):
        complaint(outcome)
    elif isinstance(outcome, Decision):
        until = f", until {outcome.expires_at:%Y-%m-%d}" if outcome.expires_at is not None else ""
        acted = f" ({outcome.action.value})" if outcome.action is not None else ""
        good_news(f"Recorded: {PAST[outcome.verdict]}{acted} by {outcome.by}{until}.")


def _end_of(day: date | None) -> datetime | None:
    """The midnight that ends that day."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) if day is not None else None


def _analyst() -> str:
    """Who decided last in this window; before that, who runs the console, unless that is nobody's name."""
    if "analyst" in st.session_state:
        return str(st.session_state["analyst"])
    try:
        runner = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return ""
    return "" if runner == "root" else runner
