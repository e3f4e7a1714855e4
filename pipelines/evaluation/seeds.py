"""Many worlds as one: what an evaluation says when it is repeated over seeds.

Here: rows of earlier evaluations pooled, with intervals. Not here: making or scanning worlds (benchmarks).

- Campaigns, benign accounts and findings of all worlds are put together; recall has Wilson intervals, false
  flags exact ones. Worlds are independent of one another; within one they are as dependent as they are, and
  the least and the most over worlds (`figures`) show how much that matters.
- The realised *false-discovery proportion* of a set of findings is the share that is false; findings without
  a labelled account are left out. `share_false` pools all findings, with exact bounds. `fdr` is what a stated
  rate speaks of: the mean over worlds of each world's proportion, which is 0 in a world that found nothing;
  its bounds draw whole worlds. `fdr_per_night` is the same over worlds and nights, for the findings that were
  first reported on that night.
- Coverage and its like are quantiles over detected campaigns, from the bottom: a tenth of the campaigns
  lies at or below `p10`, half at or below `median`.
- Calibration puts findings into tenths of the score they were first reported with.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from math import fsum
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import UsageError
from pipelines.evaluation.accounts import one_in_a_thousand
from pipelines.evaluation.discoveries import SCHEMA as DISCOVERIES
from pipelines.evaluation.emergence import SCHEMA as EMERGENCE
from pipelines.evaluation.intervals import exact, mean_of_units, wilson
from pipelines.evaluation.outcome import Pooled
from pipelines.evaluation.recall import delays, quantile, recall_by_sort
from pipelines.evaluation.wronged import with_rates

Row = Mapping[str, Any]

_CAMPAIGNS = {
    "campaign": pl.String,
    "kind": pl.String,
    "regime": pl.String,
    "evasions": pl.String,
    "detected": pl.Boolean,
    "coverage": pl.Float64,
    "coverage_at_first": pl.Float64,
    "coverage_by_third_night": pl.Float64,
    "share_of_exchanges": pl.Float64,
    "purity": pl.Float64,
    "nights_to_detection": pl.Int64,
    "exchanges_to_detection": pl.Int64,
    "share_to_detection": pl.Float64,
}
_COUNTS = {"n_accounts": pl.Int64, "at_watch": pl.Int64, "above_watch": pl.Int64}
_TOTALS = (
    "n_nights",
    "n_accounts",
    "n_campaign_accounts",
    "n_flagged",
    "n_benign_accounts",
    "n_findings",
    "n_lone",
    "n_split",
    "n_merging_findings",
)
_FIGURES = (
    "campaign_recall",
    "precision",
    "recall",
    "precision_above_watch",
    "recall_above_watch",
    "b_cubed_precision",
    "b_cubed_recall",
    "b_cubed_f1",
    "per_million_flagged",
    "per_million_above_watch",
    "per_million_account_nights",
)
_SHARES = ("coverage", "coverage_at_first", "coverage_by_third_night", "share_of_exchanges", "purity")
_SCORE_EDGES = tuple(tenth / 10 for tenth in range(11))


def over_seeds(worlds: Iterable[Iterable[Row]]) -> Pooled:
    """Pool the evaluations of several worlds.

    Parameters
    ----------
    worlds : per world the rows of its evaluation, as `Evaluation.rows` gives them or JSON Lines hold them

    Raises
    ------
    ValueError : there is no world, or one has no row `total` or more than one.
    """
    rows = [{**row, "world": number} for number, world in enumerate(worlds, start=1) for row in world]
    totals = _frame(rows, "total", dict.fromkeys(_TOTALS, pl.Int64) | dict.fromkeys(_FIGURES, pl.Float64))
    stated = {
        row["stated_rate"] for row in rows if row["row"] == "total" and row.get("stated_rate") is not None
    }
    if not rows or totals["world"].to_list() != sorted({row["world"] for row in rows}):
        raise ValueError("each world needs exactly one row named total")
    campaigns = _frame(rows, "campaign", _CAMPAIGNS)
    findings = _frame(rows, "finding", DISCOVERIES).filter(pl.col("is_true").is_not_null())
    return Pooled(
        campaigns=campaigns.sort("world", "campaign"),
        recall=recall_by_sort(campaigns),
        coverage=_coverage(campaigns),
        delays=delays(campaigns),
        re_emergence=_re_emergence(_frame(rows, "re_emergence", EMERGENCE)),
        benign_kinds=_wronged(rows, "benign_kind", "kind"),
        benign_generators=_wronged(rows, "benign_generator", "kind", "generator"),
        benign_countries=_wronged(rows, "benign_country", "country"),
        benign_languages=_wronged(rows, "benign_language", "language"),
        benign_scripts=_wronged(rows, "benign_script", "script"),
        discoveries=_discoveries(findings, totals, stated.pop() if len(stated) == 1 else None),
        calibration=_calibration(findings),
        figures=_figures(totals),
        total=_total(totals, campaigns, rows),
    )


def read_evaluations(paths: Sequence[Path]) -> list[list[dict[str, Any]]]:
    """The rows of earlier evaluations, written with `--format jsonl`: one file a world.

    Raises
    ------
    UsageError : a file is missing, is no JSON Lines, or is no evaluation of one world; it names the line.
    """
    worlds = []
    for path in paths:
        rows = list(_read_rows(path))
        if sum(row["row"] == "total" for row in rows) != 1 or any(row["row"] == "figure" for row in rows):
            raise UsageError(
                f"{path}: not the evaluation of one world", remedy="make it with `evaluate --format jsonl`"
            )
        worlds.append(rows)
    return worlds


def _read_rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise UsageError(f"{path}: no such evaluation", remedy="make it with `evaluate --format jsonl --out`")
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict) or not isinstance(row.get("row"), str):
                raise UsageError(
                    f"{path}, line {number}: not a row of an evaluation",
                    remedy="make the file with `evaluate --format jsonl`",
                )
            yield row


def _frame(rows: Sequence[Row], name: str, columns: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of one sort as a frame with `world`; absent columns are null, days may be text."""
    schema = {"world": pl.Int64, **columns}
    read = {key: pl.String if dtype == pl.Date else dtype for key, dtype in schema.items()}
    picked = [{key: _plain(row.get(key)) for key in read} for row in rows if row["row"] == name]
    frame = pl.DataFrame(picked, read, strict=False)
    days = [pl.col(key).str.to_date() for key, dtype in schema.items() if dtype == pl.Date]
    return frame.with_columns(days)


def _plain(value: Any) -> Any:
    """Days as JSON Lines hold them."""
    return value.isoformat() if isinstance(value, date) else value


def _wronged(rows: Sequence[Row], name: str, *sort: str) -> pl.DataFrame:
    counts = _frame(rows, name, dict.fromkeys(sort, pl.String) | _COUNTS)
    return with_rates(counts.group_by(*sort).agg(pl.col(list(_COUNTS)).sum()).sort(*sort))


def _coverage(campaigns: pl.DataFrame) -> pl.DataFrame:
    """`what, n_campaigns, worst, p10, median, p90` over detected campaigns."""
    found = campaigns.filter("detected")
    rows = []
    for what in _SHARES:
        values = sorted(found[what].drop_nulls())
        quantiles = {"worst": 0.0, "p10": 0.1, "median": 0.5, "p90": 0.9}
        shares = {name: quantile(values, share, len(values)) for name, share in quantiles.items()}
        rows.append({"what": what, "n_campaigns": len(values), **shares})
    numbers = dict.fromkeys(("worst", "p10", "median", "p90"), pl.Float64)
    return pl.DataFrame(rows, {"what": pl.String, "n_campaigns": pl.Int64, **numbers})


def _re_emergence(frame: pl.DataFrame) -> pl.DataFrame:
    """One row: counts over all campaigns, shares with Wilson bounds; none where nobody re-emerged."""
    counts = ("n_joined", "n_tied", "n_tied_within_one_night", "n_elsewhere")
    sums = {name: int(frame[name].sum()) for name in counts}
    if not sums["n_joined"]:
        return pl.DataFrame(schema={name: EMERGENCE[name] for name in counts})
    low, high = wilson(sums["n_tied_within_one_night"], sums["n_joined"])
    return pl.DataFrame(
        [
            {
                "n_campaigns": frame.height,
                **sums,
                "share_tied": sums["n_tied"] / sums["n_joined"],
                "share_tied_within_one_night": sums["n_tied_within_one_night"] / sums["n_joined"],
                "low": low,
                "high": high,
            }
        ]
    )


def _discoveries(findings: pl.DataFrame, totals: pl.DataFrame, stated: float | None) -> pl.DataFrame:
    """Realised proportions: of all findings, with company and alone, above watch, by confidence."""
    confidences = sorted(findings["confidence"].drop_nulls().unique())
    parts = {
        ("all", "all"): findings,
        ("company", "campaigns"): findings.filter(pl.col("campaign_id").is_not_null()),
        ("company", "lone"): findings.filter(pl.col("campaign_id").is_null()),
        ("action", "watch"): findings.filter(pl.col("action") == "watch"),
        ("action", "above watch"): findings.filter(pl.col("action") != "watch"),
        **{("confidence", name): findings.filter(confidence=name) for name in confidences},
    }
    rows = [
        {"by": by, "value": value, **_proportion(part, totals), "stated_rate": stated}
        for (by, value), part in parts.items()
    ]
    numbers = ("share_false", "low", "high", "fdr", "fdr_low", "fdr_high", "fdr_per_night", "stated_rate")
    schema = {"by": pl.String, "value": pl.String, "n_findings": pl.Int64, "n_false": pl.Int64}
    return pl.DataFrame(rows, schema | dict.fromkeys(numbers, pl.Float64))


def _proportion(findings: pl.DataFrame, totals: pl.DataFrame) -> dict[str, Any]:
    n, n_false = findings.height, int((~findings["is_true"]).sum())
    low, high = exact(n_false, n)
    of_worlds = findings.group_by("world").agg(pl.col("is_true").not_().mean().alias("share"))
    by_world = totals.select("world").join(of_worlds, on="world", how="left").sort("world")
    shares = by_world["share"].fill_null(0.0).to_numpy()
    fdr = mean_of_units(shares)
    nights = findings.group_by("world", "first_day").agg(pl.col("is_true").not_().mean())
    nightly = fsum(nights["is_true"])  # exact: a group-by comes in any order
    n_nights = int(totals["n_nights"].sum())
    return {
        "n_findings": n,
        "n_false": n_false,
        "share_false": n_false / n if n else None,
        "low": low,
        "high": high,
        "fdr": float(shares.mean()),
        "fdr_low": fdr.low,
        "fdr_high": fdr.high,
        "fdr_per_night": nightly / n_nights if n_nights else None,
    }


def _calibration(findings: pl.DataFrame) -> pl.DataFrame:
    """`score_from, score_to, n_findings, mean_score, share_true, low, high` of tenths that hold a finding."""
    rows = []
    scored = findings.filter(pl.col("score").is_not_null())
    for start, end in pairwise(_SCORE_EDGES):
        above = (pl.col("score") < end) | (end == _SCORE_EDGES[-1])  # a score of 1 is in the last tenth
        part = scored.filter((pl.col("score") >= start) & above)
        if part.is_empty():
            continue
        n_true = int(part["is_true"].sum())
        low, high = wilson(n_true, part.height)
        rows.append(
            {
                "score_from": start,
                "score_to": end,
                "n_findings": part.height,
                "mean_score": part["score"].mean(),
                "share_true": n_true / part.height,
                "low": low,
                "high": high,
            }
        )
    numbers = ("score_from", "score_to", "mean_score", "share_true", "low", "high")
    return pl.DataFrame(rows, {"n_findings": pl.Int64} | dict.fromkeys(numbers, pl.Float64)).select(
        "score_from", "score_to", "n_findings", "mean_score", "share_true", "low", "high"
    )


def _figures(totals: pl.DataFrame) -> pl.DataFrame:
    """`figure, n_worlds, mean, least, most`; worlds where a figure is null are left out of it."""
    rows = []
    for name in _FIGURES:
        values = totals[name].drop_nulls()
        rows.append(
            {
                "figure": name,
                "n_worlds": len(values),
                "mean": values.mean(),
                "least": values.min(),
                "most": values.max(),
            }
        )
    numbers = dict.fromkeys(("mean", "least", "most"), pl.Float64)
    return pl.DataFrame(rows, {"figure": pl.String, "n_worlds": pl.Int64, **numbers})


def _total(totals: pl.DataFrame, campaigns: pl.DataFrame, rows: Sequence[Row]) -> pl.DataFrame:
    found = int(campaigns["detected"].sum())
    kinds = _frame(rows, "benign_kind", _COUNTS)
    benign = with_rates(kinds.select(pl.col(list(_COUNTS)).sum().cast(pl.Int64)))
    if not benign["n_accounts"][0]:
        benign = benign.with_columns(
            pl.lit(None, pl.Float64).alias(n) for n in benign.columns if "million" in n
        )
    n_wronged = int(benign["at_watch"][0] + benign["above_watch"][0])
    sums = {name: int(totals[name].sum()) for name in _TOTALS}
    low, counted = one_in_a_thousand(
        sums["n_flagged"] - n_wronged, sums["n_campaign_accounts"], n_wronged, sums["n_benign_accounts"]
    )
    return pl.DataFrame(
        {
            "n_worlds": [totals.height],
            **{name: [value] for name, value in sums.items()},
            "n_campaigns": [campaigns.height],
            "n_detected": [found],
            "campaign_recall": [found / campaigns.height if campaigns.height else None],
            "precision_one_in_thousand": [counted],
            "precision_one_in_thousand_low": [low],
        },
        schema_overrides=dict.fromkeys(
            ("campaign_recall", "precision_one_in_thousand", "precision_one_in_thousand_low"), pl.Float64
        ),
    ).hstack(benign.drop("n_accounts"))
