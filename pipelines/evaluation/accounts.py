"""Accounts one by one: precision and recall of what was flagged, with intervals.

Here: labelled accounts flagged at all and above `watch`. Not here: benign accounts by kind (wronged),
accounts as members of findings (bcubed).

- *Precision* is the share of labelled flagged accounts that are labelled `campaign`, *recall* the share
  of accounts labelled `campaign` that are flagged; both for `watch` and above, and above `watch`.
- *Precision, one in a thousand* is what the precision would be if only one account in a thousand were of a
  campaign, at the same recall and the same share of benign accounts flagged: labelled worlds hold far more
  campaign accounts than a real service, and flatter the plain precision. Its low end takes the largest share
  of benign accounts that the exact bounds allow.
- Their intervals draw whole campaigns among campaigns and, of benign accounts, whole organisations (where
  these are known) among the innocent.
"""

from typing import Any

import polars as pl

from pipelines.evaluation.intervals import NOTHING, Interval, by_unit, exact
from pipelines.evaluation.material import Material

Figures = dict[str, Any]

_ONE_IN = 1 / 1_000


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
        n_caught, n_wronged = (people.filter(flagged & who).height for who in (guilty, ~guilty))
        n_guilty = figures["n_campaign_accounts"]
        low, counted = one_in_a_thousand(n_caught, n_guilty, n_wronged, people.height - n_guilty)
        figures |= {
            f"precision_one_in_thousand{suffix}": counted,
            f"precision_one_in_thousand{suffix}_low": low,
        }
    figures["n_unlabelled"] = material.flags.filter(~pl.col("is_labelled"))["account_id"].n_unique()
    return figures


def one_in_a_thousand(n_caught: int, n_guilty: int, n_wronged: int, n_benign: int) -> Interval:
    """The precision at a real base rate: at the most false flags that the exact bounds allow, and as counted.

    Null where nobody is guilty, nobody is benign, or nobody was flagged.
    """
    if not n_guilty or not n_benign or not n_caught + n_wronged:
        return NOTHING
    caught = _ONE_IN * n_caught / n_guilty
    _, most = exact(n_wronged, n_benign)
    wronged = [(1 - _ONE_IN) * share for share in (most or 0.0, n_wronged / n_benign)]
    low, counted = (caught / (caught + share) for share in wronged)
    return Interval(low, counted)


def _share(people: pl.DataFrame, name: str, part: pl.Expr, whole: pl.Expr) -> Figures:
    of_unit = (part.sum().alias("part"), whole.sum().alias("whole"), (pl.col("label") == "campaign").first())
    units = people.group_by("unit").agg(of_unit).sort("unit")
    parts, wholes, guilty = (
        units[column].to_numpy().astype("int64") for column in ("part", "whole", "label")
    )
    interval = by_unit(parts, wholes, guilty)
    share = float(parts.sum() / wholes.sum()) if wholes.sum() else None
    return {name: share, f"{name}_low": interval.low, f"{name}_high": interval.high}
