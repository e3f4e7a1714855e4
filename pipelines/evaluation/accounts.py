"""Accounts one by one: precision and recall of what was flagged, with intervals.

Here: labelled accounts flagged at all and above `watch`. Not here: benign accounts by kind (wronged),
accounts as members of findings (bcubed).

- *Precision* is the share of labelled flagged accounts that are labelled `campaign`, *recall* the share
  of accounts labelled `campaign` that are flagged; both for `watch` and above, and above `watch`.
- Their intervals draw whole campaigns among campaigns and, of benign accounts, whole organisations (where
  these are known) among the innocent.
"""

import polars as pl

from pipelines.evaluation.intervals import by_unit
from pipelines.evaluation.material import Material

Figures = dict[str, float | int | None]


def precision_and_recall(material: Material) -> Figures:
    """Counts, shares and bounds; the names of figures above `watch` end in `_above_watch`."""
    people = material.people
    guilty = pl.col("label") == "campaign"
    figures: Figures = {
        "n_accounts": people.height,
        "n_campaign_accounts": people.filter(guilty).height,
    }
    for suffix, least in (("", 0), ("_above_watch", 1)):
        flagged = pl.col("action").fill_null(-1) >= least
        figures |= {
            ("n_above_watch" if suffix else "n_flagged"): people.filter(flagged).height,
            **_share(people, f"precision{suffix}", guilty & flagged, flagged),
            **_share(people, f"recall{suffix}", guilty & flagged, guilty),
        }
    figures["n_unlabelled"] = material.flags.filter(~pl.col("is_labelled"))["account_id"].n_unique()
    return figures


def _share(people: pl.DataFrame, name: str, part: pl.Expr, whole: pl.Expr) -> Figures:
    of_unit = (part.sum().alias("part"), whole.sum().alias("whole"), (pl.col("label") == "campaign").first())
    units = people.group_by("unit").agg(of_unit).sort("unit")
    parts, wholes, guilty = (
        units[column].to_numpy().astype("int64") for column in ("part", "whole", "label")
    )
    interval = by_unit(parts, wholes, guilty)
    share = float(parts.sum() / wholes.sum()) if wholes.sum() else None
    return {name: share, f"{name}_low": interval.low, f"{name}_high": interval.high}
