"""The queue: every campaign and lone account, most suspicious first, and where each case stands."""

from collections.abc import Sequence, Set

import polars as pl
import streamlit as st

from dashboard import reading
from dashboard.deciding import ACTION_TONES, TONES
from dashboard.drawing import (
    Html,
    badge,
    count,
    empty,
    errors_on_screen,
    facts,
    inert,
    night,
    paragraph,
    score,
    short,
    show,
    title,
)
from pipelines.cases import Case, Level

PER_PAGE = 25
FILTERS = ("Open", "Decided", "All")
ALL_NIGHTS = "All nights so far"


def draw() -> None:
    """The page."""
    nights = reading.nights()
    title("Review queue")
    if nights.is_empty():
        empty(
            "No night has been scanned yet.",
            "Run `stillwatch scan LOGS --workspace DIR`, then reload this page.",
        )
        return
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with right:
        days = {night(day): day for day in nights["day"]}
        asked = st.selectbox("Night", [ALL_NIGHTS, *days], key="night", bind="query-params")
    with left:
        which = st.segmented_control(
            "Show", FILTERS, default="Open", required=True, key="show", label_visibility="collapsed"
        )
    day = days.get(asked)
    order = reading.learned_order()
    is_latest = day in (None, nights["day"][0])
    learned = is_latest and _by_decisions(order)
    cases = reading.queue(day, learned=learned)
    _say_order(order, {case.subject.level for case in cases}, learned=learned, is_latest=is_latest)
    _totals(cases, nights.row(0, named=True))
    _list(_filtered(cases, which or "Open"), which or "Open", any_case=bool(cases))


def _by_decisions(order: pl.DataFrame) -> bool:
    """Whether past decisions order the queue, which a person may switch off."""
    is_used = bool(order["used"].any())
    return is_used and st.toggle("Order by past decisions", value=True, key="learned", bind="query-params")


def _say_order(order: pl.DataFrame, levels: Set[Level], *, learned: bool, is_latest: bool) -> None:
    """What cases of these levels are ordered by."""
    is_used = bool(order["used"].any())
    if is_used and not is_latest:
        paragraph(
            "An earlier night stands in its plain order: later decisions are not read into it.", "sw-hint"
        )
        return
    for said in order.filter(pl.col("level").is_in([level.value for level in levels]))["said"]:
        paragraph(f"{said}.", "sw-hint")
    if is_used:
        paragraph(
            "Only cases of like confidence change places, none comes later than twice its place among them, "
            "and none is left out."
            if learned
            else "Switched back to plain order.",
            "sw-hint",
        )


def _filtered(cases: Sequence[Case], which: str) -> list[Case]:
    if which == "All":
        return list(cases)
    return [case for case in cases if case.state.is_open == (which == "Open")]


def _totals(cases: Sequence[Case], latest: dict[str, object]) -> None:
    still = [case for case in cases if case.state.is_open]
    facts(
        [
            ("open cases", f"{len(still):,} of {len(cases):,}"),
            ("accounts in open cases", count(sum(case.n_accounts for case in still))),
            ("requests of theirs", short(sum(case.n_requests for case in still))),
            ("output tokens of theirs", short(sum(case.output_tokens for case in still))),
            ("latest night", latest["day"]),
            ("calibrated on", latest["calibration"]),
        ]
    )


def _list(cases: Sequence[Case], which: str, *, any_case: bool) -> None:
    if not cases:
        _nothing(which, any_case=any_case)
        return
    pages = -(-len(cases) // PER_PAGE)
    chosen = min(st.session_state.get("page", 1), pages)
    if pages > 1:
        st.session_state["page"] = chosen  # another filter or night may have fewer pages
    for place, case in enumerate([None, *cases[(chosen - 1) * PER_PAGE : chosen * PER_PAGE]]):
        row, link = st.columns([13, 1], vertical_alignment="center", wrap=False)
        with row:
            show(_HEADS if case is None else _row(case))
        if case is not None:
            with link:
                _open(case, place)
    if pages > 1:
        st.pagination(pages, key="page")


def _nothing(which: str, *, any_case: bool) -> None:
    if not any_case:
        empty("Nothing was flagged.", "Every night is listed under Nights, with what was read and refused.")
    elif which == "Open":
        empty(
            "Nothing is waiting for you: every case is decided.",
            "Approved accounts leave from Decisions & export.",
        )
    else:
        empty("Nothing is decided yet.", "Open a case, read its evidence, and record a decision.")


def _open(case: Case, place: int) -> None:
    page, name = ("campaign", "campaign") if case.subject.level is Level.CAMPAIGN else ("account", "account")
    st.page_link(f"screens/{page}.py", label="Open", query_params={name: case.subject.id})


_HEADS = Html(
    '<div class="sw-case sw-heads"><div>Score</div><div>Case</div><div>Harvests</div>'
    '<div class="sw-right">Accounts</div><div class="sw-right">Requests</div>'
    "<div>Recommended</div><div>State</div></div>"
)


def _row(case: Case) -> Html:
    kind = case.status if case.status is not None else "lone account"
    joined = f'<div class="sw-small">+{case.n_new_accounts} since</div>' if case.n_new_accounts else ""
    last_seen = f"seen {case.last_seen:%Y-%m-%d}"
    harvests = ", ".join(text.replace("_", " ").lower() for text in case.harvests) or "-"
    return Html(
        f'<div class="sw-case"><div><span class="sw-score">{score(case.score)}</span>'
        f'<div class="sw-small">{inert(case.confidence)}</div></div>'
        f'<div><span class="sw-name sw-mono">{inert(case.subject.id)}</span>'
        f'<div class="sw-small">{inert(kind)} · <span class="sw-keep">{last_seen}</span></div></div>'
        f"<div>{inert(harvests)}</div>"
        f'<div class="sw-right">{count(case.n_accounts)}{joined}</div>'
        f'<div class="sw-right">{count(case.n_requests)}'
        f'<div class="sw-small">{inert(short(case.output_tokens))} tokens out</div></div>'
        f"<div>{badge(case.recommended_action, ACTION_TONES.get(case.recommended_action, 'plain'))}</div>"
        f"<div>{badge(case.state.value, TONES[case.state])}</div></div>"
    )


with errors_on_screen():
    draw()
