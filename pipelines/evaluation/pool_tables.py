"""The tables of many worlds pooled, only those that say something.

Here: which columns, in which words. Not here: what tables have in common (tables).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from pipelines.evaluation.tables import (
    Table,
    attribute_tables,
    between,
    decimal,
    delay_in_words,
    or_dash,
    per_million,
    percent,
    plural,
    precision_in_words,
    recall_table,
    recall_tables,
    wronged_table,
)

if TYPE_CHECKING:
    from pipelines.evaluation.outcome import Pooled

_OF_CAMPAIGNS = {
    "coverage": "share of its accounts",
    "coverage_at_first": "at the first report",
    "coverage_by_third_night": "by the third night",
    "share_of_exchanges": "share of its exchanges",
    "purity": "purity",
}


def tables_of_pool(pooled: "Pooled", *, full: bool) -> Iterator[Table]:
    """Recall by sort, coverage, whom it wronged, false discoveries, spread over worlds, the last lines.

    `full` leaves out nothing that a terminal has no room for.
    """
    for title, part in recall_tables(pooled.recall):
        yield recall_table(title, part)
    if pooled.coverage["n_campaigns"].sum():
        yield _coverage(pooled.coverage)
    yield wronged_table("benign kind", pooled.benign_kinds, ("kind",), "The labels name no benign account.")
    yield from attribute_tables(pooled, full=full)
    yield discovery_table(pooled.discoveries)
    yield _figures(pooled.figures)
    yield Table("In short", (), [], (), "\n".join(_last_lines(pooled)))


def _coverage(frame: pl.DataFrame) -> Table:
    rows = [
        (_OF_CAMPAIGNS[row["what"]], *(percent(row[name]) for name in ("worst", "p10", "median", "p90")))
        for row in frame.iter_rows(named=True)
    ]
    heads = ("of campaigns that were found", "worst", "p10", "median", "p90")
    return Table("Coverage and purity", heads, rows, (0,))


def discovery_table(frame: pl.DataFrame) -> Table:
    """Which share of the findings is false, against the rate that was promised."""
    rows = [
        (
            row["value"],
            f"{row['n_findings']:,}",
            f"{row['n_false']:,}",
            percent(row["share_false"]),
            between(row["low"], row["high"]),
            percent(row["fdr"]),
            percent(row["stated_rate"]),
        )
        for row in frame.iter_rows(named=True)
        if row["n_findings"] or row["by"] == "all"
    ]
    heads = ("findings", "number", "false", "share", "95 % interval", "mean over worlds", "stated")
    return Table("False discoveries", heads, rows, (0,))


def _figures(frame: pl.DataFrame) -> Table:
    rows = []
    for row in frame.iter_rows(named=True):
        is_rate = row["figure"].startswith("per_million")
        words = [
            or_dash(row[name], "{:,.0f}") if is_rate else decimal(row[name])
            for name in ("least", "mean", "most")
        ]
        rows.append((row["figure"].replace("_", " "), *words))
    return Table("From world to world", ("from world to world", "least", "mean", "most"), rows, (0,))


def _last_lines(pooled: "Pooled") -> Iterator[str]:
    total = pooled.total.row(0, named=True)
    overall = pooled.recall.filter(pl.col("by") == "all")
    interval = ""
    if not overall.is_empty():
        interval = f" ({between(overall['low'][0], overall['high'][0])} at 95 %)"
    yield (
        f"{total['n_detected']:,} of {total['n_campaigns']:,} campaigns found{interval} in "
        f"{plural(total['n_worlds'], 'world')} of {plural(total['n_nights'], 'night')}"
    )
    if total["n_campaigns"]:
        yield delay_in_words(pooled.delays.row(0, named=True))
    for row in pooled.re_emergence.iter_rows(named=True):
        yield (
            f"accounts that joined after their campaign was found: {row['n_joined']:,}; tied to it within "
            f"a night: {percent(row['share_tied_within_one_night'])} "
            f"({between(row['low'], row['high'])} at 95 %)"
        )
    if total["n_benign_accounts"]:
        yield (
            f"false flags per million benign accounts: {per_million(total, 'per_million_flagged')}; "
            f"above watch: {per_million(total, 'per_million_above_watch')}"
        )
    if total["precision_one_in_thousand"] is not None:
        yield f"precision if one account in a thousand were of a campaign: {precision_in_words(total)}"
