"""Labels: what is true of each account, read from a file.

Here: reading and checking. Not here: the traffic that simulation labels (simulate), any comparison.
"""

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import UsageError
from pipelines.record import LABEL_SCHEMA

OPTIONAL = {
    "generator": pl.String,
    "regime": pl.String,
    "evasions": pl.String,
    "joined": pl.Datetime("us", "UTC"),
    "language": pl.String,
}
"""Columns that make the report finer where a labels file has them: which of a kind's generators made the
account; a campaign's volume regime and its evasions, joined by `+`; when an account signed up, if that was
while the world was watched; the account's language."""


def read_labels(path: Path) -> pl.DataFrame:
    """Labels, one row per account (and per campaign, where an account serves several).

    Parquet, CSV or JSON Lines, told apart by the file's ending. Columns: those of the labels contract,
    then those of OPTIONAL; an absent one is null, an unknown one is ignored.

    Raises
    ------
    UsageError : the file is missing or unreadable, lacks a column, or holds a label other than
        `campaign` and `benign`, a campaign without a name, an account with both labels, or a time in
        `joined` that is none.
    """
    frame = _read_table(path)
    missing = [name for name in ("account_id", "label") if name not in frame.columns]
    if missing:
        raise UsageError(
            f"{path}: no column {' and no column '.join(missing)}",
            remedy="labels have the columns account_id, label, campaign and kind",
        )
    frame = as_truth(_with_joined(frame, path))
    problems = (
        ("an account_id is missing", pl.col("account_id").is_null()),
        (
            "a label is neither campaign nor benign",
            ~pl.col("label").is_in(["campaign", "benign"]).fill_null(False),
        ),
        ("a campaign has no name", (pl.col("label") == "campaign") & pl.col("campaign").is_null()),
        ("an account is both campaign and benign", pl.col("label").n_unique().over("account_id") > 1),
    )
    for what, is_wrong in problems:
        rows = frame.with_row_index("row", offset=1).filter(is_wrong)
        if not rows.is_empty():
            raise UsageError(f"{path}, row {rows['row'][0]}: {what}", remedy="correct the labels file")
    return frame.unique(["account_id", "campaign"], keep="first", maintain_order=True).sort(
        "account_id", "campaign"
    )


def as_truth(frame: pl.DataFrame) -> pl.DataFrame:
    """The same rows with every column of the labels contract and of OPTIONAL, of the right type."""
    columns: dict[str, Any] = {**dict.fromkeys(LABEL_SCHEMA.names, pl.String), **OPTIONAL}
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in columns.items()
    ).with_columns(pl.col("kind").fill_null("unnamed"))


def _with_joined(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Times of CSV and JSON Lines are text; those without an offset are UTC."""
    if "joined" not in frame.columns or frame.schema["joined"].is_temporal():
        return frame
    text = pl.col("joined").cast(pl.String)
    text = pl.when(text != "").then(text)
    try:
        return frame.with_columns(text.str.to_datetime(time_unit="us", time_zone="UTC").alias("joined"))
    except pl.exceptions.PolarsError:
        raise UsageError(
            f"{path}: a time in the column joined cannot be read",
            remedy="write times in ISO 8601, as 2026-03-04T09:30:00Z",
        ) from None


def _read_table(path: Path) -> pl.DataFrame:
    readers = {
        ".parquet": pl.read_parquet,
        ".csv": lambda source: pl.read_csv(source, infer_schema=False),
        ".jsonl": pl.read_ndjson,
    }
    if not path.is_file():
        raise UsageError(f"{path}: no such labels file", remedy="check --labels")
    if path.suffix not in readers:
        raise UsageError(f"{path}: not a labels file", remedy="labels are .parquet, .csv or .jsonl")
    try:
        return readers[path.suffix](path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UsageError(
            f"{path}: cannot be read ({type(error).__name__})", remedy="write the labels file again"
        ) from None
