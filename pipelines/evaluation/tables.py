"""Tables of words: how figures look to a person in a terminal.

Here: what a table is, its plain form, and tables that one world and many have in common. Not here: which
tables (world_tables, pool_tables), the figures (judging, seeds), pages with plots (page).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from pipelines.terminal import visible

if TYPE_CHECKING:
    from pipelines.evaluation.outcome import Outcome

Row = dict[str, Any]

_LONGEST_CELL = 60


class Table(NamedTuple):
    """A table in words: title, heads, rows of text, which columns hold words and not numbers, a note."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: tuple[int, ...]
    note: str = ""


def as_text(tables: Iterable[Table]) -> str:
    """All tables, a blank line between two; names cannot steer the terminal."""
    return "\n\n".join(_as_lines(table) for table in tables)


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
    return Table(f"Recall by {title}", (title, "campaigns", "found", "recall", "95 % interval"), rows, (0,))


def wronged_table(title: str, frame: pl.DataFrame, sort: Sequence[str], nothing: str = "") -> Table:
    """False flags by one sort of benign account; `sort` names its columns."""
    rows = [
        (", ".join(row[name] for name in sort), *_wronged_cells(row)) for row in frame.iter_rows(named=True)
    ]
    heads = (title, "accounts", "at watch", "above", "flagged per million", "above watch per million")
    title = f"False flags by {title.removeprefix('benign, by ')}"
    return Table(title, heads, rows, (0,), "" if rows else nothing)


def _few_wronged(title: str, frame: pl.DataFrame, sort: Sequence[str]) -> Table:
    """The same, those without a false flag summed up in a note: there may be two hundred countries."""
    is_hit = pl.col("at_watch") + pl.col("above_watch") > 0
    hit, clean = frame.filter(is_hit), frame.filter(~is_hit)
    if clean.is_empty():
        return wronged_table(title, hit, sort)
    words = plural(clean.height, f"{'other ' if hit.height else ''}{sort[-1]}").replace(
        "countrys", "countries"
    )
    note = f"no false flag in {words}: {plural(int(clean['n_accounts'].sum()), 'account')}"
    return wronged_table(title, hit, sort)._replace(note=note)


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


def attribute_tables(scored: "Outcome", *, full: bool) -> Iterator[Table]:
    """False flags by what else is known of the accounts, where it differs between them.

    `full` shows every line; otherwise only those with a false flag, for there may be dozens.
    """
    attributes = {
        "generator": (scored.benign_generators, ("kind", "generator")),
        "country": (scored.benign_countries, ("country",)),
        "language": (scored.benign_languages, ("language",)),
        "script": (scored.benign_scripts, ("script",)),
    }
    for name, (frame, sort) in attributes.items():
        if frame.height > 1:
            yield (wronged_table if full else _few_wronged)(f"benign, by {name}", frame, sort)


def delay_in_words(delay: Row) -> str:
    """Nights to detection, and exchanges sent by then where these are known."""

    def three(what: str, form: Callable[[Any], str]) -> str:
        names = ("median", "p90", "worst")
        return ", ".join(f"{name} {form(delay[f'{what}_{name}'])}" for name in names)

    nights = three("nights", lambda value: or_dash(value, nothing="never"))
    words = f"nights to detection: {nights}"
    if delay["share_median"] is not None:
        shares = three("share", lambda value: "never" if value is None else percent(value))
        words += f"; exchanges sent by then: {shares}"
    return words


def precision_in_words(total: Row, suffix: str = "") -> str:
    """The precision at a real base rate: as counted, and at the most false flags that can be excluded."""
    name = f"precision_one_in_thousand{suffix}"
    return f"{percent(total[name])} (at least {percent(total[f'{name}_low'])})"


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


def shortened(text: str, longest: int) -> str:
    """What steers a terminal made visible, and cut where one hostile name would push all columns away."""
    seen = visible(text)
    return seen if len(seen) <= longest else seen[: longest - 1] + "…"


def plural(number: int, one: str) -> str:
    """`1 night`, `3 nights`."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def or_dash(value: float | None, form: str = "{}", *, nothing: str = "-") -> str:
    """The value in a form, or a dash."""
    return nothing if value is None else form.format(value)


def _as_lines(table: Table) -> str:
    """A plain table; columns in `words` to the left, numbers to the right."""
    lines = []
    if table.rows:
        cells = [[shortened(cell, _LONGEST_CELL) for cell in row] for row in (table.heads, *table.rows)]
        widths = [max(len(line[at]) for line in cells) for at in range(len(table.heads))]
        lines = [_line(row, widths, table.words) for row in cells]
    return "\n".join([*lines, *([table.note] if table.note else [])])


def _line(cells: Sequence[str], widths: Sequence[int], words: Sequence[int]) -> str:
    return "  ".join(
        cell.ljust(width) if at in words else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()
