"""One account: what it did, why it was flagged on which nights, and a decision about it alone."""

from typing import Any

import polars as pl
import streamlit as st

from dashboard import charts, reading
from dashboard.deciding import ACTION_TONES, TONES, decision_form, history
from dashboard.drawing import (
    Html,
    badge,
    count,
    empty,
    errors_on_screen,
    exemplar,
    facts,
    inert,
    moment,
    paragraph,
    score,
    section,
    short,
    table,
    title,
    value,
    words,
)
from dashboard.said import said_about_account
from pipelines.cases import Level, Subject, state_of


def draw() -> None:
    """The page."""
    account_id = st.query_params.get("account", "")
    flagged = reading.account_nights(account_id) if account_id else pl.DataFrame()
    if flagged.is_empty():
        title("Account")
        _choose(account_id)
        return
    latest = flagged.row(0, named=True)
    activity = reading.account_activity(account_id)
    subject = Subject(Level.ACCOUNT, account_id)
    _head(latest, activity, subject)
    _campaigns(flagged)
    _reasons(latest)
    said_about_account(account_id)
    _nights(flagged, activity)
    _texts(account_id)
    decision_form(subject, recommended=latest["recommended_action"])
    history(subject)


def _choose(asked: str) -> None:
    if asked:
        empty(f"No account {asked} was ever flagged here.", "Only flagged accounts can be opened.")
    typed = st.text_input("Open an account", placeholder="The account's exact id")
    if typed:
        st.query_params["account"] = typed
        st.rerun()


def _head(latest: dict[str, Any], activity: pl.DataFrame, subject: Subject) -> None:
    state = state_of(reading.cases(), subject)
    title(subject.id, above="Account", beside=badge(state.value, TONES[state]))
    action = latest["recommended_action"]
    facts(
        [
            ("recommended", badge(action, ACTION_TONES.get(action, "plain"))),
            ("score", score(latest["score"])),
            ("confidence", latest["confidence"]),
            ("latest flagged night", latest["day"]),
            ("requests that night", count(latest["n_requests"])),
            ("output tokens", short(latest["output_tokens"])),
        ]
    )
    known = activity.row(activity.height - 1, named=True) if activity.height else {}
    terms = reading.account_terms(latest["account_id"]) or {}
    created = known.get("created_at")
    models = sorted({model for models in activity["models"] for model in models})
    about = [
        ("Organisation", known.get("org_id")),
        ("Created", moment(created) if created is not None else None),
        ("Plan", known.get("plan")),
        ("Country", known.get("country")),
        ("Use case", terms.get("use_case")),
        ("Approved use", _approval(terms)),
        ("Models", ", ".join(models) or None),
    ]
    table(["About", ""], [[name, said if said is not None else "not known"] for name, said in about])


def _approval(terms: dict[str, Any]) -> str | None:
    if not terms.get("approved_use"):
        return None
    until = terms["approved_until"]
    return f"{terms['approved_use']}, {f'until {until}' if until is not None else 'without end'}"


def _campaigns(flagged: pl.DataFrame) -> None:
    belongs = flagged["campaign_id"].drop_nulls().unique(maintain_order=True).to_list()
    if not belongs:
        paragraph("It was flagged alone: no campaign holds it.", "sw-hint")
    for campaign_id in belongs[:10]:
        st.page_link(
            "screens/campaign.py",
            label=f"Campaign {_plain_label(campaign_id)}",
            query_params={"campaign": campaign_id},
        )


def _plain_label(campaign_id: str) -> str:
    """Campaign ids are our own; whatever is not a letter, digit or dash would be read as Markdown."""
    return "".join(char if char.isalnum() or char == "-" else "_" for char in campaign_id)


def _reasons(latest: dict[str, Any]) -> None:
    section("Why it was flagged", f"On {latest['day']}, beside what its peers show.")
    rows = [
        [
            Html(f"<b>{inert(words(reason['code']))}</b>"),
            reason["detail"],
            value(reason["value"]),
            reason["usual_range"],
        ]
        for reason in latest["reasons"]
    ]
    if rows:
        table(["Reason", "What", "Here", "Usual"], rows, numbers=[2])
    else:
        paragraph("It belongs to its campaign; nothing about it alone stands out.", "sw-hint")


def _nights(flagged: pl.DataFrame, activity: pl.DataFrame) -> None:
    section("Nights", "Every night that is still kept, flagged or not.")
    if activity.height:
        charts.requests_by_night(activity, height=140)
    table(
        ["Flagged on", "Campaign", "Score", "Recommended", "Requests", "Output tokens"],
        [
            [
                row["day"],
                row["campaign_id"] or "alone",
                score(row["score"]),
                badge(row["recommended_action"], ACTION_TONES.get(row["recommended_action"], "plain")),
                count(row["n_requests"]),
                count(row["output_tokens"]),
            ]
            for row in flagged.iter_rows(named=True)
        ],
        numbers=[2, 4, 5],
    )


def _texts(account_id: str) -> None:
    section("What it sent", "Redacted and shortened; the only text that is kept.")
    texts = reading.account_exemplars(account_id)
    if texts.is_empty():
        paragraph("No examples are kept for this account.", "sw-hint")
    for text in texts["text"]:
        exemplar(text)


with errors_on_screen():
    draw()
