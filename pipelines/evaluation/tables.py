"""An evaluation as a person reads it in a terminal: a few plain tables, only those that say something.

Here: which columns, in which words. Not here: the figures (judging), pages with plots (page).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from pipelines.terminal import visible

if TYPE_CHECKING:
    from pipelines.evaluation.outcome import Evaluation

Row = dict[str, Any]


class Table(NamedTuple):
    """A table in words: a title, heads, rows of text, which columns hold words rather than numbers, a note."""

    title: str
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]
    words: tuple[int, ...]
    note: str = ""


def as_text(scored: "Evaluation") -> str:
    """All tables, a blank line between two."""
    return "\n\n".join(_as_lines(table) for table in tables_of(scored))


def tables_of(scored: "Evaluation") -> Iterator[Table]:
    """The tables of an evaluation, those without content left out."""
    yield _campaigns(scored.campaigns)
    for title, part in recall_tables(scored.recall):
        yield recall_table(title, part)
    if not scored.re_emergence.is_empty():
        yield _re_emergence(scored.re_emergence)
    yield wronged_table("benign kind", scored.benign_kinds, "kind", "The labels name no benign account.")
    if not scored.benign_generators.is_empty():
        yield wronged_table("generator", scored.benign_generators, "kind", column="generator")
    for column, frame in _attributes(scored):
        yield few_wronged_table(column, frame)
    yield _accounts(scored.total.row(0, named=True))
    if not scored.against.is_empty():
        yield _against(scored.against)
    yield _in_short(scored)


def _attributes(scored: "Evaluation") -> Iterator[tuple[str, pl.DataFrame]]:
    attributes = {
        "country": scored.benign_countries,
        "language": scored.benign_languages,
        "script": scored.benign_scripts,
    }
    for column, frame in attributes.items():
        if frame.height > 1:
            yield column, frame


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
    return Table("", tuple(columns), rows, (0, 1, 3, 4), note)


RECALL_TITLES = {
    "regime": "regime",
    "kind": "campaign kind",
    "evasion": "evasion",
    "with_evasion": "evasion, alone or among others",
}


def recall_tables(recall: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Sorts with more than one value: the overall recall stands in the last lines anyway."""
    for by, title in RECALL_TITLES.items():
        part = recall.filter(pl.col("by") == by)
        if part.height > 1 and (by != "with_evasion" or _several(recall)):
            yield title, part


def _several(recall: pl.DataFrame) -> bool:
    """Without a campaign of several evasions the two tables by evasion say the same."""
    return not recall.filter((pl.col("by") == "evasion") & (pl.col("value") == "several")).is_empty()


def recall_table(title: str, part: pl.DataFrame) -> Table:
    """Campaign recall by one sort."""
    rows = [
        (
            row["value"],
            f"{row['n_campaigns']:,}",
            f"{row['n_detected']:,}",
            percent(row["recall"]),
            between(row["low"], row["high"]),
        )
        for row in part.iter_rows(named=True)
    ]
    return Table("", (title, "campaigns", "found", "recall", "95 % interval"), rows, (0,))


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
    return Table("", heads, rows, (0,))


def wronged_table(
    title: str, frame: pl.DataFrame, sort: str, nothing: str = "", *, column: str | None = None
) -> Table:
    """False flags by one sort of benign account (and a second one, `column`)."""
    rows = []
    for row in frame.iter_rows(named=True):
        name = row[sort] if column is None else f"{row[sort]}, {row[column]}"
        rows.append((name, *_wronged_cells(row)))
    heads = (title, "accounts", "at watch", "above", "flagged per million", "above watch per million")
    return Table("", heads, rows, (0,), "" if rows else nothing)


def few_wronged_table(sort: str, frame: pl.DataFrame) -> Table:
    """The same, those without a false flag summed up in a note: there may be two hundred countries."""
    hit = frame.filter(pl.col("at_watch") + pl.col("above_watch") > 0)
    clean = frame.filter(pl.col("at_watch") + pl.col("above_watch") == 0)
    word = {"country": "countries"}.get(sort, f"{sort}s")
    note = f"no false flag in {clean.height} {'other ' if hit.height else ''}{word}: "
    note += f"{int(clean['n_accounts'].sum()):,} accounts"
    return wronged_table(f"benign, by {sort}", hit, sort)._replace(note=note if clean.height else "")


def _wronged_cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row['n_accounts']:,}",
        f"{row['at_watch']:,}",
        f"{row['above_watch']:,}",
        per_million(row, "per_million_flagged"),
        per_million(row, "per_million_above_watch"),
    )


def per_million(row: Row, name: str) -> str:
    """A rate with its exact bounds; of none, only the upper one says anything."""
    rate, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if rate is None:
        return "-"
    return f"0 (at most {high:,.0f})" if rate == 0 else f"{rate:,.0f} ({low:,.0f} to {high:,.0f})"


def _accounts(total: Row) -> Table:
    rows = [
        (
            words,
            f"{total[f'n_flagged{suffix}']:,}",
            percent(total[f"precision{suffix}"]),
            between(total[f"precision{suffix}_low"], total[f"precision{suffix}_high"]),
            percent(total[f"recall{suffix}"]),
            between(total[f"recall{suffix}_low"], total[f"recall{suffix}_high"]),
        )
        for words, suffix in (("at watch and above", ""), ("above watch", "_above_watch"))
    ]
    heads = ("flagged accounts", "number", "precision", "95 % interval", "recall", "95 % interval")
    return Table("", heads, rows, (0,))


def _against(frame: pl.DataFrame) -> Table:
    rows = [
        (
            f"{row['day']}",
            f"{row['n_flagged']:,}",
            f"{row['n_flagged_other']:,}",
            f"{row['jaccard_accounts']:.3f}",
            f"{row['jaccard_memberships']:.3f}",
        )
        for row in frame.iter_rows(named=True)
    ]
    heads = ("against the other scan", "flagged", "there", "same accounts", "same memberships")
    return Table("", heads, rows, (0,))


def _in_short(scored: "Evaluation") -> Table:
    """The last lines: what a person remembers."""
    return Table("", (), [], (), "\n".join(_last_lines(scored)))


def _last_lines(scored: "Evaluation") -> Iterator[str]:
    total = scored.total.row(0, named=True)
    overall = scored.recall.filter(pl.col("by") == "all")
    interval = ""
    if not overall.is_empty():
        interval = f" ({between(overall['low'][0], overall['high'][0])} at 95 %)"
    yield (
        f"{total['n_detected']} of {total['n_campaigns']} campaigns found{interval} "
        f"in {total['n_findings']} findings and {total['n_lone']} lone flags over {total['n_nights']} nights; "
        f"{total['n_accounts']:,} labelled accounts"
    )
    if total["n_campaigns"]:
        yield _delay_in_words(scored.delays.row(0, named=True))
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
    steady = scored.nights["jaccard_standing"].drop_nulls()
    if len(steady):
        yield f"standing findings keep their accounts from night to night: Jaccard {steady.mean():.3f}"
    if total["n_unlabelled"]:
        yield f"flagged accounts without a label, left out above: {total['n_unlabelled']:,}"


def _delay_in_words(delay: Row) -> str:
    def three(what: str, form: Callable[[Any], str]) -> str:
        names = ("median", "p90", "worst")
        return ", ".join(f"{name} {form(delay[f'{what}_{name}'])}" for name in names)

    nights = three("nights", lambda value: or_dash(value, nothing="never"))
    words = f"nights to detection: {nights}"
    if delay["share_median"] is not None:
        shares = three("share", lambda value: "never" if value is None else percent(value))
        words += f"; exchanges sent by then: {shares}"
    return words


# -- words ------------------------------------------------------------------------------------------


def percent(share: float | None) -> str:
    """`81.3%`, or a dash."""
    return "-" if share is None else f"{share:.1%}"


def between(low: float | None, high: float | None) -> str:
    """`71.0% to 88.2%`, or a dash."""
    return "-" if low is None or high is None else f"{low:.1%} to {high:.1%}"


def decimal(value: float | None) -> str:
    """`0.913`, or a dash."""
    return "-" if value is None else f"{value:.3f}"


def or_dash(value: float | None, form: str = "{}", *, nothing: str = "-") -> str:
    """The value in a form, or a dash."""
    return nothing if value is None else form.format(value)


def _as_lines(table: Table) -> str:
    """A plain table; columns in `words` to the left, numbers to the right."""
    lines = []
    if table.rows:
        cells = [[visible(cell) for cell in row] for row in (table.heads, *table.rows)]
        widths = [max(len(line[at]) for line in cells) for at in range(len(table.heads))]
        lines = [_line(row, widths, table.words) for row in cells]
    return "\n".join([*lines, *([table.note] if table.note else [])])


def _line(cells: Sequence[str], widths: Sequence[int], words: Sequence[int]) -> str:
    return "  ".join(
        cell.ljust(width) if at in words else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()
