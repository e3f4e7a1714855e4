"""How many campaigns were found, of which sort, and how soon.

Here: recall by regime, kind and evasion, and quantiles of the delay. Not here: what found means (matching).

- By *evasion* a campaign stands once: under `none`, under its only evasion, or under `several`. By
  *with_evasion* it stands under each of its evasions, alone or among others.
- A quantile of the delay is the smallest value that at least that share of the campaigns keeps within.
  Among `all` campaigns one that was never found has no end, and a quantile that falls on it is null; among
  `detected` ones the missed are left out. Worst is the largest.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from pipelines.evaluation.intervals import wilson

SORTS = ("regime", "kind", "evasion", "with_evasion")
"""What recall is reported by, besides overall."""

RECALL_SCHEMA = {
    "by": pl.String,
    "value": pl.String,
    "n_campaigns": pl.Int64,
    "n_detected": pl.Int64,
    "recall": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
_QUANTILES = {"median": 0.5, "p90": 0.9, "worst": 1.0}
_DELAYS = {
    "nights": "nights_to_detection",
    "exchanges": "exchanges_to_detection",
    "share": "share_to_detection",
}


def recall_by_sort(campaigns: pl.DataFrame) -> pl.DataFrame:
    """Campaign recall overall and by every sort that the labels tell; columns RECALL_SCHEMA.

    Parameters
    ----------
    campaigns : `kind, regime, evasions, detected`, one row per campaign; of one world or of many
    """
    sorts = [(sort, sorted_by(campaigns, sort)) for sort in SORTS]
    groups = [("all", campaigns.with_columns(value=pl.lit("all"))), *sorts]
    rows = [
        {"by": by, "value": value, **_recall(group["detected"])}
        for by, frame in groups
        for (value,), group in frame.sort("value").group_by("value", maintain_order=True)
    ]
    return pl.DataFrame(rows, RECALL_SCHEMA)


def sorted_by(campaigns: pl.DataFrame, sort: str) -> pl.DataFrame:
    """The campaigns with the `value` under which each stands; none when the labels do not tell the sort."""
    column = "evasions" if "evasion" in sort else sort
    if campaigns[column].null_count() == len(campaigns):
        return campaigns.clear().with_columns(value=pl.lit(None, pl.String))
    if column != "evasions":
        return campaigns.with_columns(value=pl.col(column).fill_null("unnamed"))
    names = pl.col("evasions").fill_null("").str.split("+").list.eval(pl.element().filter(pl.element() != ""))
    names = names.list.unique(maintain_order=True)
    if sort == "with_evasion":
        return campaigns.with_columns(value=names).explode("value").filter(pl.col("value").is_not_null())
    few = pl.when(names.list.len() == 0).then(pl.lit("none")).otherwise(names.list.first())
    return campaigns.with_columns(value=pl.when(names.list.len() > 1).then(pl.lit("several")).otherwise(few))


def _recall(detected: pl.Series) -> dict[str, Any]:
    n, found = len(detected), int(detected.sum())
    low, high = wilson(found, n)
    return {"n_campaigns": n, "n_detected": found, "recall": found / n, "low": low, "high": high}


def delays(campaigns: pl.DataFrame) -> pl.DataFrame:
    """Two rows, `among` all and among detected campaigns: quantiles of nights, exchanges and their share.

    Parameters
    ----------
    campaigns : `detected` and the columns of delay that `matching.match` makes; of one world or of many
    """
    parts = (("all", campaigns), ("detected", campaigns.filter("detected")))
    rows = [
        {"among": among, "n_campaigns": part.height, **dict(_quantiles_of_delay(part))}
        for among, part in parts
    ]
    names = (f"{what}_{name}" for what in _DELAYS for name in _QUANTILES)
    types = {name: pl.Float64 if name.startswith("share") else pl.Int64 for name in names}
    return pl.DataFrame(rows, {"among": pl.String, "n_campaigns": pl.Int64, **types})


def _quantiles_of_delay(campaigns: pl.DataFrame) -> Iterator[tuple[str, float | None]]:
    for what, column in _DELAYS.items():
        found = campaigns.filter("detected")[column]
        known = found.null_count() == 0  # exchanges are not, where activity is not
        ends = sorted(found) if known else []
        for name, share in _QUANTILES.items():
            yield f"{what}_{name}", quantile(ends, share, campaigns.height) if known else None


def quantile(ends: Sequence[float], share: float, n: int) -> float | None:
    """The smallest of ascending `ends` that at least `share` of `n` keep within; null beyond the last."""
    place = max(int(-(-share * n // 1)), 1) - 1
    return ends[place] if n and place < len(ends) else None
