"""Plots of an evaluation as SVG text: for a page, and for paper.

Here: what is drawn, and how. Not here: the figures (judging, seeds), the page around them (page).

Two colours of the Okabe-Ito palette that the colour-blind tell apart, and two shapes besides, so that a grey
print says the same. Text stays text, is never read as mathematics, and matplotlib escapes it; names are
shortened and made visible first, for labels are whatever somebody wrote into a file.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipelines.evaluation.outcome import Evaluation, Outcome, Pooled
from pipelines.evaluation.tables import RECALL_TITLES, shortened

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#8C8C8C"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "legend.frameon": False,
}
_WIDTH_IN, _HEAD_IN, _LINE_IN = 7.2, 1.0, 0.24
_MOST_LINES = 40
_LONGEST_NAME = 36


@dataclass(frozen=True, slots=True)
class Plot:
    """A title, what it shows, and the drawing."""

    title: str
    shows: str
    svg: str


def plots_of(scored: Outcome) -> Iterator[Plot]:
    """The plots that have something to show."""
    if isinstance(scored, Evaluation | Pooled) and not scored.campaigns.is_empty():
        yield _coverage(scored.campaigns)
        yield _recall(scored.recall)
        yield _time_to_detection(scored.campaigns)
    if not scored.benign_kinds.is_empty():
        yield _wronged(scored.benign_kinds)
    if isinstance(scored, Pooled):
        if scored.discoveries["n_findings"].sum():
            yield _discoveries(scored.discoveries)
        if not scored.calibration.is_empty():
            yield _calibration(scored.calibration)


# -- one plot each ----------------------------------------------------------------------------------


def _coverage(campaigns: pl.DataFrame) -> Plot:
    shown = campaigns.sort(["coverage", "campaign"], descending=[True, False]).tail(_MOST_LINES)
    left_out = campaigns.height - shown.height

    def draw(axes: Axes) -> None:
        places = np.arange(shown.height)
        total = np.array([np.nan if share is None else share for share in shown["coverage"]])
        first = np.array([np.nan if share is None else share for share in shown["coverage_at_first"]])
        axes.hlines(places, np.fmin(first, total), total, color=_GREY, linewidth=1)
        axes.plot(total, places, "o", color=_BLUE, label="over all nights")
        axes.plot(first, places, "D", color=_ORANGE, fillstyle="none", label="at the first report")
        missed = [name if found else f"{name} (missed)" for name, found in _named(shown)]
        _names_down(axes, missed)
        _shares(axes, "share of the campaign's accounts in its finding")
        _legend(axes, 2)

    note = f"; the {_MOST_LINES} least covered, {left_out} more lie above" if left_out else ""
    return Plot(
        "Coverage of each campaign",
        f"Share of a campaign's accounts that its finding holds{note}.",
        _drawn(draw, shown.height, "coverage"),
    )


def _named(campaigns: pl.DataFrame) -> Iterator[tuple[str, bool]]:
    for row in campaigns.iter_rows(named=True):
        world = f"{row['world']}: " if "world" in row else ""
        yield world + _short(row["campaign"]), row["detected"]


def _recall(recall: pl.DataFrame) -> Plot:
    titles = {"all": "all campaigns", **RECALL_TITLES}
    parts = [recall.filter(pl.col("by") == by) for by in titles if by != "with_evasion"]
    shown = pl.concat(part for part in parts if part.height > 1 or part["by"].to_list() == ["all"])
    names = [
        f"{titles['all']} ({n})" if by == "all" else f"{titles[by]}: {_short(value)} ({n})"
        for by, value, n in shown.select("by", "value", "n_campaigns").iter_rows()
    ]

    def draw(axes: Axes) -> None:
        _intervals(axes, np.arange(shown.height), shown, "recall", "low", "high", _BLUE, "o")
        _names_down(axes, names)
        _shares(axes, "campaigns found, with 95 % intervals")

    return Plot(
        "Campaigns found, by regime, kind and evasion",
        "Share of campaigns that a finding names; in brackets how many there are.",
        _drawn(draw, shown.height, "recall"),
    )


def _time_to_detection(campaigns: pl.DataFrame) -> Plot:
    nights = np.sort(campaigns.filter("detected")["nights_to_detection"].to_numpy())
    n = campaigns.height

    def draw(axes: Axes) -> None:
        most = int(nights.max()) if len(nights) else 1
        found = [int((nights <= night).sum()) / n for night in range(most + 1)]
        axes.step(
            [*range(most + 1), most + 0.5], [*found, found[-1]], where="post", color=_BLUE, linewidth=1.8
        )
        axes.plot(range(1, most + 1), found[1:], "o", color=_BLUE)
        axes.axhline(len(nights) / n, color=_GREY, linewidth=0.8, linestyle="--")
        axes.set(
            xlim=(0, most + 0.5), ylim=(0, 1.03), xlabel="nights since the campaign began", ylabel="found"
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter("{x:.0%}")

    return Plot(
        "Time to detection",
        f"Share of all {n} campaigns found within so many nights, up to those found at all (dashed).",
        _drawn(draw, 7, "delay"),
    )


def _wronged(kinds: pl.DataFrame) -> Plot:
    shown = kinds.sort(["per_million_flagged_high", "kind"], descending=True)
    names = [f"{_short(kind)} ({n:,})" for kind, n in shown.select("kind", "n_accounts").iter_rows()]

    def draw(axes: Axes) -> None:
        places = np.arange(shown.height)
        series = (
            ("flagged", "flagged at all", _BLUE, "o", -0.16),
            ("above_watch", "above watch", _ORANGE, "D", 0.16),
        )
        for name, label, colour, marker, shift in series:
            rate = f"per_million_{name}"
            _intervals(
                axes, places + shift, shown, rate, f"{rate}_low", f"{rate}_high", colour, marker, label
            )
        _names_down(axes, names)
        axes.set_xscale("symlog", linthresh=10)
        axes.set(xlim=(-1, 1_300_000), xlabel="false flags per million accounts, with exact 95 % intervals")
        axes.set_xticks([0, 10, 100, 1_000, 10_000, 100_000, 1_000_000], minor=False)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        _legend(axes, 2)

    return Plot(
        "Whom it wrongs, by benign kind",
        "In brackets how many accounts of the kind there are: few of them leave the rate uncertain. Below 10 "
        "the scale is linear, above it logarithmic.",
        _drawn(draw, shown.height, "wronged"),
    )


def _discoveries(discoveries: pl.DataFrame) -> Plot:
    shown = discoveries.filter(pl.col("n_findings") > 0)
    names = [f"{_short(value)} ({n:,})" for value, n in shown.select("value", "n_findings").iter_rows()]
    stated = shown["stated_rate"].drop_nulls()

    def draw(axes: Axes) -> None:
        _intervals(axes, np.arange(shown.height), shown, "share_false", "low", "high", _BLUE, "o", "realised")
        if len(stated):
            axes.axvline(stated[0], color=_ORANGE, linestyle="--", label="stated")
        _names_down(axes, names)
        _shares(axes, "share of findings that are false, with exact 95 % intervals")
        _legend(axes, 2)

    return Plot(
        "False discoveries",
        "The realised share of false findings; in brackets how many findings.",
        _drawn(draw, shown.height, "discoveries"),
    )


def _calibration(calibration: pl.DataFrame) -> Plot:
    def draw(axes: Axes) -> None:
        score = calibration["mean_score"].to_numpy()
        true, low, high = (calibration[name].to_numpy() for name in ("share_true", "low", "high"))
        axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle="--")
        axes.vlines(score, low, high, color=_BLUE, linewidth=1)
        axes.plot(score, true, "o", color=_BLUE)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.03), xlabel="score when first reported", ylabel="true")
        axes.yaxis.set_major_formatter("{x:.0%}")

    return Plot(
        "Calibration of the score",
        "Findings in tenths of the score: how many of them are true, with 95 % intervals. A score that is "
        "the probability of being true lies on the dashed line.",
        _drawn(draw, 9, "calibration"),
    )


# -- how --------------------------------------------------------------------------------------------


def _intervals(
    axes: Axes,
    places: np.ndarray,
    frame: pl.DataFrame,
    name: str,
    low: str,
    high: str,
    colour: str,
    marker: str,
    label: str = "",
) -> None:
    axes.hlines(places, frame[low].to_numpy(), frame[high].to_numpy(), color=colour, linewidth=1.2)
    fill = "full" if marker == "o" else "none"
    axes.plot(frame[name].to_numpy(), places, marker, color=colour, fillstyle=fill, label=label)


def _names_down(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _shares(axes: Axes, words: str) -> None:
    axes.set(xlim=(-0.02, 1.02), xlabel=words)
    axes.xaxis.set_major_formatter("{x:.0%}")


def _legend(axes: Axes, n_columns: int) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=n_columns, borderaxespad=0.2)


def _short(name: str) -> str:
    return shortened(name, _LONGEST_NAME)


def _drawn(draw: Callable[[Axes], None], n_lines: int, name: str) -> str:
    """SVG text without its XML head, equal for equal figures; `name` keeps ids of one page apart."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # a script that our measuring font lacks: readers have it
        figure = Figure(figsize=(_WIDTH_IN, _HEAD_IN + _LINE_IN * n_lines), layout="constrained")
        draw(figure.subplots())
        drawn = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(drawn, format="svg", metadata=nothing, transparent=True)
    text = drawn.getvalue()
    text = text[text.index("<svg") :]
    # Groups are numbered anew in every figure and nothing refers to them; clips and markers keep theirs.
    return re.sub(r'(<g) id="[^"]*"', r"\1", text)
