"""Findings against labels: which campaigns were found, how wholly, how purely, and who was wronged.

Here: reading labels, matching campaigns to findings, and the figures of `stillwatch evaluate`.
Not here: making labelled traffic (simulate), reading the snapshot (findings).

The words, exactly:

- An account *belongs to a finding* when a scan listed it there on any night so far; its action is the
  one at its latest state, the strongest one if several findings hold it.
- A campaign's *match* is the finding that holds most of the campaign's accounts; on a tie the purer
  one, then the one whose id comes first.
- *Coverage* is the share of the campaign's labelled accounts that belong to the match; *purity* the
  share of the match's labelled accounts that belong to the campaign. Accounts without a label are
  counted apart and change neither.
- A campaign is *detected* when it has a match that holds at least two of its accounts and is at least
  half pure: a finding about somebody else that swept some in is no detection.
- *Nights to detection* counts scanned nights from the first night on which any of its flagged accounts
  sent a request to the first night on which the match held one of them; 1 is the very night.
- *Precision* is the share of labelled flagged accounts that are labelled `campaign`, *recall* the
  share of accounts labelled `campaign` that are flagged; both for `watch` and above, and above `watch`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import findings
from pipelines.errors import UsageError
from pipelines.record import LABEL_SCHEMA
from pipelines.rows import json_lines
from pipelines.terminal import visible
from pipelines.workspace import Workspace

ACTIONS = ("watch", "limit", "verify", "suspend")
"""Recommended actions, mildest first."""

_LEAST_PURITY = 0.5
_LEAST_ACCOUNTS = 2


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How the findings of a workspace compare with labels.

    Attributes
    ----------
    campaigns : one row per labelled campaign, by name: campaign, kind, n_accounts, detected,
        campaign_id, n_matched, coverage, purity, n_findings, n_flagged, nights_to_detection
    benign_kinds : one row per benign kind, by name: kind, n_accounts, at_watch, above_watch,
        per_million_flagged, per_million_above_watch
    total : one row: nights, accounts, findings, precision, recall and campaign recall
    """

    campaigns: pl.DataFrame
    benign_kinds: pl.DataFrame
    total: pl.DataFrame

    def jsonl(self) -> list[str]:
        """JSON Lines without line feeds; `row` says what each is: campaign, benign_kind or total."""
        return [line.rstrip("\n") for line in json_lines(self._rows())]

    def _rows(self) -> Iterator[dict[str, Any]]:
        parts = (("campaign", self.campaigns), ("benign_kind", self.benign_kinds), ("total", self.total))
        for name, frame in parts:
            for row in frame.iter_rows(named=True):
                yield {"row": name, **row}

    def table(self) -> str:
        """The same for people: campaigns, benign kinds, totals."""
        return "\n\n".join((self._campaign_table(), self._kind_table(), self._totals()))

    def _campaign_table(self) -> str:
        heads = (
            "campaign",
            "kind",
            "accounts",
            "found",
            "finding",
            "coverage",
            "purity",
            "nights",
            "findings",
        )
        rows = [
            (
                row["campaign"],
                row["kind"],
                f"{row['n_accounts']:,}",
                "yes" if row["detected"] else "no",
                row["campaign_id"] or "-",
                _percent(row["coverage"]),
                _percent(row["purity"]),
                _or_dash(row["nights_to_detection"]),
                f"{row['n_findings']}",
            )
            for row in self.campaigns.iter_rows(named=True)
        ]
        return _aligned(heads, rows, words=(0, 1, 3, 4)) if rows else "The labels name no campaign."

    def _kind_table(self) -> str:
        heads = ("benign kind", "accounts", "at watch", "above watch", "flagged per million")
        rows = [
            (
                row["kind"],
                f"{row['n_accounts']:,}",
                f"{row['at_watch']:,}",
                f"{row['above_watch']:,}",
                f"{row['per_million_flagged']:,.0f}",
            )
            for row in self.benign_kinds.iter_rows(named=True)
        ]
        return _aligned(heads, rows, words=(0,)) if rows else "The labels name no benign account."

    def _totals(self) -> str:
        total = self.total.row(0, named=True)
        heads = ("flagged accounts", "number", "precision", "recall")
        rows = [
            (
                "at watch and above",
                f"{total['n_flagged']:,}",
                _percent(total["precision"]),
                _percent(total["recall"]),
            ),
            (
                "above watch",
                f"{total['n_above_watch']:,}",
                _percent(total["precision_above_watch"]),
                _percent(total["recall_above_watch"]),
            ),
        ]
        lines = [
            _aligned(heads, rows, words=(0,)),
            "",
            f"{total['n_detected']} of {total['n_campaigns']} campaigns found "
            f"in {total['n_findings']} findings over {total['n_nights']} nights; "
            f"{total['n_accounts']:,} labelled accounts",
        ]
        if total["n_unlabelled"]:
            lines.append(f"flagged accounts without a label, left out above: {total['n_unlabelled']:,}")
        return "\n".join(lines)


def evaluate(workspace: Workspace, labels: Path) -> Evaluation:
    """Compare what the scans of a workspace found with what is true.

    Raises
    ------
    UsageError : nothing was scanned here, or the labels cannot be read (see `read_labels`).
    """
    truth = read_labels(labels)
    flags = findings.flags(workspace)
    nights = findings.nights(workspace).get_column("day").sort()
    held = flags.select("account_id", "campaign_id").unique().drop_nulls("campaign_id")
    campaigns = _campaigns(truth, flags, held, findings.first_nights(workspace), nights)
    actions = _latest_actions(flags)
    return Evaluation(
        campaigns=campaigns,
        benign_kinds=_benign_kinds(truth, actions),
        total=_total(
            truth, actions, campaigns, n_findings=held["campaign_id"].n_unique(), n_nights=len(nights)
        ),
    )


def read_labels(path: Path) -> pl.DataFrame:
    """Labels, one row per account (and per campaign, where an account serves several).

    Parquet, CSV or JSON Lines, told apart by the file's ending; other columns are ignored.

    Raises
    ------
    UsageError : the file is missing or unreadable, lacks a column, or holds a label other than
        `campaign` and `benign`, a campaign without a name, or an account with both labels.
    """
    frame = _read_table(path)
    missing = [name for name in ("account_id", "label") if name not in frame.columns]
    if missing:
        raise UsageError(
            f"{path}: no column {' and no column '.join(missing)}",
            remedy="labels have the columns account_id, label, campaign and kind",
        )
    frame = frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(pl.String).alias(name)
        for name in LABEL_SCHEMA.names
    ).with_columns(pl.col("kind").fill_null("unnamed"))
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
    return frame.unique(["account_id", "campaign"]).sort("account_id", "campaign")


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


def _campaigns(
    truth: pl.DataFrame, flags: pl.DataFrame, held: pl.DataFrame, first: pl.DataFrame, nights: pl.Series
) -> pl.DataFrame:
    """One row per labelled campaign, with its match."""
    labelled = held.filter(pl.col("account_id").is_in(truth["account_id"].implode()))
    sizes = dict(labelled.group_by("campaign_id").len().iter_rows())
    flagged = set(flags["account_id"])
    rows = []
    for (name,), group in truth.filter(pl.col("label") == "campaign").group_by(
        "campaign", maintain_order=True
    ):
        accounts = group["account_id"]
        inside = held.filter(pl.col("account_id").is_in(accounts.implode()))
        shares = [
            (n, n / sizes[finding], finding)
            for finding, n in inside.group_by("campaign_id").len().iter_rows()
        ]
        n, purity, finding = min(shares, key=lambda s: (-s[0], -s[1], s[2]), default=(0, None, None))
        rows.append(
            {
                "campaign": name,
                "kind": "+".join(group["kind"].unique().sort()),
                "n_accounts": len(accounts),
                "detected": n >= _LEAST_ACCOUNTS and purity is not None and purity >= _LEAST_PURITY,
                "campaign_id": finding,
                "n_matched": n,
                "coverage": n / len(accounts),
                "purity": purity,
                "n_findings": len(shares),
                "n_flagged": sum(account in flagged for account in accounts),
                "nights_to_detection": _nights_to_detection(accounts, finding, flags, first, nights),
            }
        )
    schema = {
        "campaign": pl.String,
        "kind": pl.String,
        "n_accounts": pl.Int64,
        "detected": pl.Boolean,
        "campaign_id": pl.String,
        "n_matched": pl.Int64,
        "coverage": pl.Float64,
        "purity": pl.Float64,
        "n_findings": pl.Int64,
        "n_flagged": pl.Int64,
        "nights_to_detection": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema).sort("campaign")


def _nights_to_detection(
    accounts: pl.Series, finding: str | None, flags: pl.DataFrame, first: pl.DataFrame, nights: pl.Series
) -> int | None:
    if finding is None:
        return None
    ours = pl.col("account_id").is_in(accounts.implode())
    found = flags.filter(ours & (pl.col("campaign_id") == finding))["day"].min()
    began = first.filter(ours)["day"].min() or found
    return int(nights.is_between(began, found).sum())


def _latest_actions(flags: pl.DataFrame) -> pl.DataFrame:
    """`account_id, action`: the strongest action at the latest state of each finding; 0 is watch."""
    rank = pl.col("recommended_action").replace_strict(ACTIONS, range(len(ACTIONS)), return_dtype=pl.Int64)
    latest = flags.sort("day").group_by("account_id", "campaign_id", maintain_order=True).last()
    return latest.group_by("account_id").agg(rank.max().alias("action")).sort("account_id")


def _benign_kinds(truth: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
    """One row per benign kind: how many of its accounts were wronged, and how badly."""
    per_million = 1_000_000 / pl.col("n_accounts")
    return (
        truth.filter(pl.col("label") == "benign")
        .join(actions, on="account_id", how="left")
        .group_by("kind")
        .agg(
            pl.len().cast(pl.Int64).alias("n_accounts"),
            (pl.col("action") == 0).sum().cast(pl.Int64).alias("at_watch"),
            (pl.col("action") > 0).sum().cast(pl.Int64).alias("above_watch"),
        )
        .with_columns(
            ((pl.col("at_watch") + pl.col("above_watch")) * per_million).alias("per_million_flagged"),
            (pl.col("above_watch") * per_million).alias("per_million_above_watch"),
        )
        .sort("kind")
    )


def _total(
    truth: pl.DataFrame, actions: pl.DataFrame, campaigns: pl.DataFrame, *, n_findings: int, n_nights: int
) -> pl.DataFrame:
    people = truth.select("account_id", "label").unique()
    judged = people.join(actions, on="account_id", how="left")
    guilty = judged.filter(pl.col("label") == "campaign")
    flagged, above = judged.filter(pl.col("action") >= 0), judged.filter(pl.col("action") > 0)
    caught, caught_above = (part.filter(pl.col("label") == "campaign").height for part in (flagged, above))
    return pl.DataFrame(
        {
            "n_nights": [n_nights],
            "n_accounts": [people.height],
            "n_campaign_accounts": [guilty.height],
            "n_flagged": [flagged.height],
            "n_above_watch": [above.height],
            "n_unlabelled": [actions.height - flagged.height],
            "n_findings": [n_findings],
            "precision": [_share(caught, flagged.height)],
            "precision_above_watch": [_share(caught_above, above.height)],
            "recall": [_share(caught, guilty.height)],
            "recall_above_watch": [_share(caught_above, guilty.height)],
            "n_campaigns": [campaigns.height],
            "n_detected": [int(campaigns["detected"].sum())],
            "campaign_recall": [_share(int(campaigns["detected"].sum()), campaigns.height)],
        },
        schema_overrides=dict.fromkeys(
            ("precision", "precision_above_watch", "recall", "recall_above_watch", "campaign_recall"),
            pl.Float64,
        ),
    )


def _share(part: int, whole: int) -> float | None:
    """Null where there is nothing to be right or wrong about."""
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _or_dash(value: int | None) -> str:
    return "-" if value is None else f"{value}"


def _aligned(heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: Sequence[int]) -> str:
    """A plain table; columns in `words` to the left, numbers to the right."""
    lines = [[visible(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at in words else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
