"""The tables of one world, only those that say something.

Here: which columns, in which words. Not here: what tables have in common (tables).
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import polars as pl

from pipelines.evaluation.tables import (
    Row,
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
    from pipelines.evaluation.outcome import Evaluation


def tables_of_world(scored: "Evaluation", *, full: bool) -> Iterator[Table]:
    """Campaigns, recall by sort, pools made anew, whom it wronged, accounts, and the last lines.

    `full` leaves out nothing that a terminal has no room for.
    """
    yield _campaigns(scored.campaigns)
    for title, part in recall_tables(scored.recall):
        yield recall_table(title, part)
    if not scored.re_emergence.is_empty():
        yield _re_emergence(scored.re_emergence)
    yield wronged_table("benign kind", scored.benign_kinds, ("kind",), "The labels name no benign account.")
    yield from attribute_tables(scored, full=full)
    yield _accounts(scored.total.row(0, named=True))
    if not scored.against.is_empty():
        yield _against(scored.against)
    yield Table("In short", (), [], (), "\n".join(_last_lines(scored)))


def _campaigns(frame: pl.DataFrame) -> Table:
    columns: dict[str, Callable[[Row], str]] = {
        "campaign": lambda row: row["campaign"],
        "kind": lambda row: row["kind"],
        "accounts": lambda row: f"{row['n_accounts']:,}",
        "found": lambda row: "yes" if row["detected"] else "no",
        "finding": lambda row: row["campaign_id"] or row["matched"] or "-",
        "coverage": lambda row: percent(row["coverage"]),
        "at first": lambda row: percent(row["coverage_at_first"]),
        "exchanges": lambda row: percent(row["share_of_exchanges"]),
        "purity": lambda row: percent(row["purity"]),
        "nights": lambda row: or_dash(row["nights_to_detection"]),
        "sent before": lambda row: percent(row["share_to_detection"]),
        "findings": lambda row: f"{row['n_findings']}",
    }
    rows = [tuple(cell(row) for cell in columns.values()) for row in frame.iter_rows(named=True)]
    note = "" if rows else "The labels name no campaign."
    return Table("Campaigns", tuple(columns), rows, (0, 1, 3, 4), note)


def _re_emergence(frame: pl.DataFrame) -> Table:
    rows = [
        (
            row["campaign"],
            f"{row['n_joined']:,}",
            f"{row['n_tied']:,}",
            percent(row["share_tied_within_one_night"]),
            or_dash(row["nights_median"], "{:.0f}"),
            f"{row['n_elsewhere']:,}",
        )
        for row in frame.iter_rows(named=True)
    ]
    heads = ("joined after it was found", "accounts", "tied", "within a night", "nights", "elsewhere")
    return Table("Pools made anew", heads, rows, (0,))


def _accounts(total: Row) -> Table:
    rows = [
        (
            words,
            f"{total[count]:,}",
            percent(total[f"precision{suffix}"]),
            between(total[f"precision{suffix}_low"], total[f"precision{suffix}_high"]),
            percent(total[f"recall{suffix}"]),
            between(total[f"recall{suffix}_low"], total[f"recall{suffix}_high"]),
        )
        for words, count, suffix in (
            ("at watch and above", "n_flagged", ""),
            ("above watch", "n_above_watch", "_above_watch"),
        )
    ]
    heads = ("flagged accounts", "number", "precision", "95 % interval", "recall", "95 % interval")
    return Table("Flagged accounts", heads, rows, (0,))


def _against(frame: pl.DataFrame) -> Table:
    rows = [
        (
            row["day"].isoformat(),
            f"{row['n_flagged']:,}",
            f"{row['n_flagged_other']:,}",
            f"{row['jaccard_accounts']:.3f}",
            f"{row['jaccard_memberships']:.3f}",
        )
        for row in frame.iter_rows(named=True)
    ]
    heads = ("against the other scan", "flagged", "there", "same accounts", "same memberships")
    return Table("Against the other scan", heads, rows, (0,))


def _last_lines(scored: "Evaluation") -> Iterator[str]:
    total = scored.total.row(0, named=True)
    overall = scored.recall.filter(pl.col("by") == "all")
    interval = ""
    if not overall.is_empty():
        interval = f" ({between(overall['low'][0], overall['high'][0])} at 95 %)"
    yield (
        f"{total['n_detected']} of {total['n_campaigns']} campaigns found{interval} "
        f"in {plural(total['n_findings'], 'finding')} and {plural(total['n_lone'], 'lone flag')} "
        f"over {plural(total['n_nights'], 'night')}; {total['n_accounts']:,} labelled accounts"
    )
    if total["n_campaigns"]:
        yield delay_in_words(scored.delays.row(0, named=True))
        yield (
            f"split {total['n_split']}, merging findings {total['n_merging_findings']}; B-cubed precision "
            f"{decimal(total['b_cubed_precision'])}, recall {decimal(total['b_cubed_recall'])}, "
            f"F1 {decimal(total['b_cubed_f1'])}"
        )
    if total["n_benign_accounts"]:
        yield (
            f"false flags per million benign accounts: {per_million(total, 'per_million_flagged')}; "
            f"above watch: {per_million(total, 'per_million_above_watch')}"
        )
    if total["precision_one_in_thousand"] is not None:
        words = precision_in_words(total)
        if total["precision_one_in_thousand_above_watch"] is not None:
            words += f"; above watch: {precision_in_words(total, '_above_watch')}"
        yield f"precision if one account in a thousand were of a campaign: {words}"
    steady = scored.nights["jaccard_standing"].drop_nulls().to_numpy()
    if len(steady):
        yield f"standing findings keep their accounts from night to night: Jaccard {steady.mean():.3f}"
    if total["n_unlabelled"]:
        yield f"flagged accounts without a label, left out above: {total['n_unlabelled']:,}"
