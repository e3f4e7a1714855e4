"""Charts, drawn by the browser from data alone: nothing is fetched.

Here: how numbers become pictures. Not here: which numbers (pages), anything of a log but counts and our
own names.
"""

from collections.abc import Sequence

import altair as alt
import polars as pl
import streamlit as st

INK, QUIET = "#1d5c63", "#6b7780"


def activity_by_hour(activity: pl.DataFrame) -> None:
    """Requests and accounts per hour, over all nights that are kept."""
    hour = alt.X(
        "hour:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format="%d %b %H:%M", grid=False)
    )
    tooltip = [
        alt.Tooltip("hour:T", title="hour (UTC)", format="%Y-%m-%d %H:%M", timeUnit="utcyearmonthdatehours"),
        alt.Tooltip("n_requests:Q", title="requests", format=","),
        alt.Tooltip("n_accounts:Q", title="accounts", format=","),
    ]
    requests = (
        alt.Chart(_utc_text(activity, "hour"))
        .mark_bar(color=INK, width=alt.RelativeBandSize(0.8) if activity.height < 2 else 4)
        .encode(x=hour, y=alt.Y("n_requests:Q", title="requests an hour"), tooltip=tooltip)
        .properties(height=200)
    )
    st.altair_chart(requests, width="stretch")


MOST_BARS = 7
LEAST_BAR = 0.01
"""Of a chart of shares; what is rarer is one bar together, for it is mostly the classifier's doubt."""


def bars(entries: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Name and length of the bars for these names and shares: the largest first, the rarer ones together."""
    ordered = sorted(entries, key=lambda entry: -entry[1])
    shown = [entry for entry in ordered[:MOST_BARS] if entry[1] >= LEAST_BAR]
    rest = ordered[len(shown) :]
    return shown + [(f"{len(rest)} rarer", sum(share for _, share in rest))] * bool(rest)


def shares(entries: Sequence[tuple[str, float]], color: str = INK) -> None:
    """Named shares of one whole, largest first."""
    named = {"name": pl.String, "share": pl.Float64}
    frame = pl.DataFrame(bars(entries), schema=named, orient="row").with_row_index("place")
    by_place = alt.EncodingSortField(field="place")
    name = alt.Y(
        "name:N", title=None, sort=by_place, axis=alt.Axis(labelLimit=180, ticks=False, domain=False)
    )
    share = alt.X(
        "share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)
    )
    tooltip = [alt.Tooltip("name:N"), alt.Tooltip("share:Q", format=".1%")]
    drawn = alt.Chart(frame).mark_bar(color=color, height=14, cornerRadiusEnd=3)
    st.altair_chart(
        drawn.encode(x=share, y=name, tooltip=tooltip).properties(height=max(60, 28 * frame.height + 30)),
        width="stretch",
    )


def requests_by_night(nights: pl.DataFrame, *, height: int = 160) -> None:
    """Requests per night."""
    frame = nights.select(pl.col("day").dt.to_string("%Y-%m-%d"), "n_requests")
    st.altair_chart(
        alt.Chart(frame)
        .mark_bar(color=INK, size=22, cornerRadiusEnd=2)
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("n_requests:Q", title="requests"),
            tooltip=[
                alt.Tooltip("day:O", title="night"),
                alt.Tooltip("n_requests:Q", title="requests", format=","),
            ],
        )
        .properties(height=height),
        width="stretch",
    )


def _utc_text(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Times as text with their zone: a browser would read bare ones in its own."""
    return frame.with_columns(pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
