"""One campaign: what it does in plain words, the evidence for it, who belongs to it, and a decision."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import polars as pl
import streamlit as st

from dashboard import charts, reading
from dashboard.deciding import ACTION_TONES, TONES, decision_form, history
from dashboard.drawing import (
    Html,
    badge,
    cell,
    count,
    empty,
    errors_on_screen,
    exemplar,
    facts,
    inert,
    moment,
    paragraph,
    plural,
    score,
    section,
    short,
    skeleton,
    table,
    title,
    value,
    weighed,
    words,
)
from dashboard.said import said_about_campaign
from pipelines.cases import Level, Subject, state_of


def draw() -> None:
    """The page."""
    campaign_id = st.query_params.get("campaign", "")
    nights = reading.campaign_nights(campaign_id) if campaign_id else pl.DataFrame()
    if nights.is_empty():
        title("Campaign")
        _choose(campaign_id)
        return
    campaign = nights.row(0, named=True)
    members = reading.members(campaign_id)
    subject = Subject(Level.CAMPAIGN, campaign_id)
    _head(campaign, subject, members)
    evidence, templates, accounts, over_time = st.tabs(["Evidence", "Prompts", "Accounts", "Activity"])
    with evidence:
        _evidence(campaign)
        _links(campaign)
        said_about_campaign(members["account_id"].to_list())
    with templates:
        _templates(campaign_id)
    with accounts:
        _members(members, campaign)
    with over_time:
        _activity(campaign_id, nights)
    decision_form(
        subject, recommended=campaign["recommended_action"], members=members["account_id"].to_list()
    )
    history(subject)


def _choose(asked: str) -> None:
    if asked:
        empty(f"No campaign {asked} was ever flagged here.", "It may be a link to another workspace.")
    known = [case.subject.id for case in reading.queue(None) if case.subject.level is Level.CAMPAIGN]
    if not known:
        empty("No campaign has been found.", "Lone accounts are listed in the Queue.")
        return
    picked = st.selectbox(
        "Open a campaign", known, index=None, placeholder="Choose, or type a part of its id"
    )
    if picked is not None:
        st.query_params["campaign"] = picked
        st.rerun()


def _head(campaign: dict[str, Any], subject: Subject, members: pl.DataFrame) -> None:
    state = state_of(reading.cases(), subject, members["account_id"].to_list())
    beside = badge(state.value, TONES[state])
    title(subject.id, above=f"Campaign · {campaign['profile']}", beside=beside)
    paragraph(campaign["summary"], "sw-lead")
    action = campaign["recommended_action"]
    facts(
        [
            ("recommended", badge(action, ACTION_TONES.get(action, "plain"))),
            ("score", score(campaign["score"])),
            ("confidence", f"{campaign['confidence']} (p = {campaign['p_value']:.2g})"),
            ("accounts that night", count(campaign["n_accounts"])),
            ("accounts over all nights", count(members.height)),
            ("requests", count(campaign["n_requests"])),
            ("output tokens", short(campaign["output_tokens"])),
        ]
    )
    paragraph(
        f"Latest night {campaign['day']}, {_status(campaign)}. Seen from {moment(campaign['first_seen'])} to "
        f"{moment(campaign['last_seen'])}.",
        "sw-hint",
    )
    harvest = reading.harvest(campaign["campaign_id"])
    left, right = st.columns(2, gap="large")
    with left:
        section("What it harvests")
        charts.shares(_in_words(campaign["capabilities"], harvest, "capability"))
    with right:
        section("What it is given")
        charts.shares(_in_words(campaign["techniques"], harvest, "technique"), color="#c4873b")
    _harvest(harvest)


def _in_words(entries: list[dict[str, Any]], harvest: pl.DataFrame, kind: str) -> list[tuple[str, float]]:
    """Shares under the names that the table of the harvest has for them."""
    said = dict(harvest.select(kind, f"{kind}_said").iter_rows())
    return [(said.get(entry["name"], words(entry["name"])), entry["share"]) for entry in entries]


def _status(campaign: dict[str, Any]) -> str:
    """Its status on its latest night, or that nights have passed without it."""
    history = reading.history(campaign["campaign_id"])
    ends = (pl.col("event") == "dormant") | ((pl.col("event") == "merged") & pl.col("of_the_other"))
    passed = history.filter(ends & (pl.col("day") > campaign["day"]))
    return str(campaign["status"]) if passed.is_empty() else "dormant since"


MOST_LINES = 6
"""Lines of the harvest that are shown one by one; what is rarer is mostly the classifier's doubt."""


def _harvest(harvest: pl.DataFrame) -> None:
    if harvest.is_empty():
        return
    total = max(int(harvest["n_requests"].sum()), 1)
    shown, rest = harvest.head(MOST_LINES), harvest.slice(MOST_LINES)
    rows = [
        [
            row["capability_said"],
            row["technique_said"],
            *_counted(row["n_requests"], row["output_tokens"], total),
        ]
        for row in shown.iter_rows(named=True)
    ]
    if rest.height:
        sums = int(rest["n_requests"].sum()), int(rest["output_tokens"].sum())
        rows.append([f"{rest.height} rarer pairs", "", *_counted(*sums, total)])
    section(
        "What it takes, and how much",
        "Requests of its templates on the latest night, by what they are about and what they yield.",
    )
    table(["About", "Yields", "Requests", "Share", "Output tokens"], rows, numbers=[2, 3, 4])


def _counted(n_requests: int, output_tokens: int, total: int) -> list[str]:
    return [count(n_requests), f"{n_requests / total:.0%}", short(output_tokens)]


def _evidence(campaign: dict[str, Any]) -> None:
    section(
        "Why it was flagged",
        "Each line is measured on the campaign, beside what benign groups show. Weight is in log-odds: how "
        "much the line alone speaks for a campaign. Lines of one kind depend on each other.",
    )
    evidence = sorted(
        campaign["evidence"], key=lambda line: (line["family"], -line["log_odds"], line["code"])
    )
    strongest = max((abs(line["log_odds"]) for line in evidence), default=1.0) or 1.0
    saying = [line for line in evidence if abs(line["log_odds"]) >= LEAST_SHOWN]
    silent = [line for line in evidence if abs(line["log_odds"]) < LEAST_SHOWN]
    if saying:
        _measured(saying, strongest)
    elif not silent:
        paragraph("No evidence was kept for this night.", "sw-hint")
    if silent:
        with st.expander(f"Neither for it nor against it: {plural(len(silent), 'measurement')}"):
            _measured(silent, strongest)


LEAST_SHOWN = 0.05
"""Log-odds that read 0.0 when they are rounded."""


def _measured(evidence: Sequence[dict[str, Any]], strongest: float) -> None:
    """Lines of evidence, which are sorted by kind."""
    rows: list[list[object]] = []
    for family, lines in groupby(evidence, key=lambda line: line["family"]):
        for place, line in enumerate(lines):
            rows.append(
                [
                    Html(f"<b>{inert(words(family))}</b>") if place == 0 else "",
                    line["detail"],
                    value(line["value"]),
                    line["usual_range"],
                    weighed(line["log_odds"], strongest, sign="+"),
                ]
            )
    table(["Kind", "What", "Here", "Usual", "Weight"], rows, numbers=[2])


def _links(campaign: dict[str, Any]) -> None:
    section(
        "What ties the accounts together",
        "Strength is a log-likelihood ratio against chance. The last column weighs all evidence again as if "
        "nobody knew of that link.",
    )
    said = {row["kind"]: row["said"] for row in reading.links(campaign["campaign_id"]).iter_rows(named=True)}
    links = sorted(campaign["links"], key=lambda link: (-link["strength"], link["kind"]))
    strongest = max((link["strength"] for link in links), default=1.0) or 1.0
    rows = [
        [
            words(link["kind"]),
            link["detail"],
            weighed(link["strength"], strongest),
            said.get(link["kind"], "-"),
        ]
        for link in links
    ]
    if rows:
        table(["Link", "What is shared", "Strength", "Without it"], rows)
    else:
        paragraph("No links were kept for this night.", "sw-hint")


def _templates(campaign_id: str) -> None:
    families = reading.families(campaign_id)
    section(
        "What its prompts look like",
        "Shared text, with its changing parts as slots; then examples, redacted.",
    )
    if families.is_empty():
        paragraph(
            "No template: the logs held no prompts, or the campaign was found by other evidence.", "sw-hint"
        )
    for family in families.iter_rows(named=True):
        used = f"{plural(family['n_requests'], 'request')} of {plural(family['n_accounts'], 'account')}"
        paragraph(f"{family['kind']} template · {family['share']:.0%} of its requests · {used}", "sw-hint")
        skeleton(family["skeleton"])
        paragraph(_prevalence(family), "sw-hint")
        if not family["exemplars"]:
            paragraph("No examples are kept (setting evidence.exemplars).", "sw-hint")
            continue
        with st.expander(
            f"Examples ({len(family['exemplars'])})", expanded=family["share"] >= families["share"].max()
        ):
            paragraph("Words between ⟦ and ⟧ are the template's.", "sw-hint")
            for text in family["exemplars"]:
                exemplar(text)


_SLOTS = {
    "dealt_list": "its slots look like one list being dealt out",
    "own_texts": "its slots look like many people's own texts",
    "repeated_suite": "the same items fill its slots night after night",
    "one_text": "everybody sends it with the same text",
    "same_items": "many accounts send the same items in it",
}


def _prevalence(family: dict[str, Any]) -> str:
    """Who else uses a template, since when, what it demands and what fills it: rarity gives sharing its
    meaning."""
    organisations = "" if family["n_orgs"] is None else f" of {plural(family['n_orgs'], 'organisation')}"
    parts = [
        f"used by {plural(family['n_users'], 'account')}{organisations} in all",
        f"first seen {family['first_seen']}, on {plural(family['n_nights'], 'night')}",
    ]
    if family["contract"]:
        parts.append(f"demands {family['contract']}")
    if family["queue"] in _SLOTS:
        parts.append(_SLOTS[family["queue"]])
    if family["n_tied"]:
        parts.append(f"{plural(family['n_tied'], 'other template')} may be the same one, reworded")
    return " · ".join(parts)


def _members(members: pl.DataFrame, campaign: dict[str, Any]) -> None:
    section(
        f"{count(members.height)} accounts",
        "Every account that was ever part of it, at its latest state. Select a row to open the account.",
    )
    shown = pl.DataFrame(
        {
            "account": [cell(account_id) for account_id in members["account_id"]],
            "score": members["score"],
            "confidence": members["confidence"],
            "recommended": members["recommended_action"],
            "requests": members["n_requests"],
            "output tokens": members["output_tokens"],
            "last in it": members["day"],
            "this night": members["day"] == campaign["day"],
            "reasons": [
                cell("; ".join(_reason(reason) for reason in reasons)) for reasons in members["reasons"]
            ],
        }
    )
    picked = st.dataframe(
        shown,
        hide_index=True,
        height=min(460, 38 + 35 * max(1, shown.height)),
        on_select="rerun",
        selection_mode="single-row",
        key=f"members:{campaign['campaign_id']}",
        column_config={
            "score": st.column_config.ProgressColumn(
                min_value=0.0, max_value=1.0, format="%.3f", width="small"
            ),
            "account": st.column_config.TextColumn(width="medium"),
            "last in it": st.column_config.DateColumn(format="YYYY-MM-DD"),
            "output tokens": st.column_config.NumberColumn(format="localized"),
            "reasons": st.column_config.TextColumn(width="large"),
        },
    )
    if picked["selection"]["rows"]:
        account_id = members["account_id"][picked["selection"]["rows"][0]]
        st.switch_page("screens/account.py", query_params={"account": account_id})


def _reason(reason: dict[str, Any]) -> str:
    return f"{reason['detail']}: {value(reason['value'])} (usual {reason['usual_range']})"


def _activity(campaign_id: str, nights: pl.DataFrame) -> None:
    section("When it was active", "Requests an hour (UTC) of every account that was ever part of it.")
    activity = reading.activity(campaign_id)
    if activity.is_empty():
        paragraph("Its requests are older than the nights that are kept.", "sw-hint")
    else:
        charts.activity_by_hour(activity)
    _history(campaign_id)
    section("Night by night")
    table(
        ["Night", "Status", "Score", "Accounts", "Requests", "Output tokens"],
        [
            [row["day"], row["status"], score(row["score"])]
            + [count(row[name]) for name in ("n_accounts", "n_requests", "output_tokens")]
            for row in nights.iter_rows(named=True)
        ],
        numbers=[2, 3, 4, 5],
    )


MOST_EVENTS = 20
"""Of its history, the latest."""


def _history(campaign_id: str) -> None:
    events = reading.history(campaign_id).filter(pl.col("event") != "steady").head(MOST_EVENTS)
    if events.is_empty():
        return
    section("What became of it", "Nights on which nothing changed are left out.")
    table(["Night", "What happened"], events.select("day", "said").iter_rows())


with errors_on_screen():
    draw()
