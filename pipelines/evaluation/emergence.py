"""After a ban: how soon a pool that was made anew is tied to the finding that held the old one.

Here: accounts that joined a campaign which had already been found. Not here: first detection (matching).

- An account *re-emerges* when its label says it joined during the world, and some account of its campaign
  that was there before it (joined earlier, or before the world) was flagged on an earlier night.
- The *earlier finding* is the one that by then held most of those earlier accounts; on a tie the one whose
  id comes first. Lone flags do not count: nothing can be tied to them.
- The account is *tied* when the earlier finding, under the same campaign_id, holds it. Nights are counted
  from the first scanned night on which it sent anything after joining (from the night of joining, where
  activity is not known); 1 is the very night, and is what *tied within one night* means. An account that
  sent nothing after joining is left out.
"""

from datetime import date

import polars as pl

from pipelines.evaluation.material import Material

SCHEMA = {
    "campaign": pl.String,
    "n_joined": pl.Int64,
    "n_tied": pl.Int64,
    "n_tied_within_one_night": pl.Int64,
    "n_elsewhere": pl.Int64,
    "share_tied": pl.Float64,
    "share_tied_within_one_night": pl.Float64,
    "nights_median": pl.Float64,
    "nights_worst": pl.Int64,
}


def re_emergence(material: Material) -> pl.DataFrame:
    """One row per campaign with accounts that re-emerged, by name; columns SCHEMA.

    `n_elsewhere` counts accounts that some other finding, or a lone flag, holds instead. Nights are of tied
    accounts.
    """
    newcomers = _newcomers(material)
    if newcomers.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    earlier = _earlier_findings(material, newcomers)
    held = material.held.select("account_id", "finding", pl.col("since").alias("held_since"))
    newcomers = (
        newcomers.join(earlier, on=["campaign", "joined_on"])
        .join(held, on=["account_id", "finding"], how="left")
        .with_columns(
            pl.col("account_id").is_in(held["account_id"].implode()).alias("is_flagged"),
            _nights_between(material.nights, "begins", "held_since").alias("nights"),
        )
    )
    tied = pl.col("held_since").is_not_null()
    soon = (pl.col("nights") <= 1).fill_null(False)
    return (
        newcomers.group_by("campaign")
        .agg(
            pl.len().alias("n_joined"),
            tied.sum().alias("n_tied"),
            soon.sum().alias("n_tied_within_one_night"),
            (~tied & pl.col("is_flagged")).sum().alias("n_elsewhere"),
            tied.mean().alias("share_tied"),
            soon.mean().alias("share_tied_within_one_night"),
            pl.col("nights").median().alias("nights_median"),
            pl.col("nights").max().alias("nights_worst"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        .sort("campaign")
    )


def _newcomers(material: Material) -> pl.DataFrame:
    """`account_id, campaign, joined_on, begins` of accounts that joined on a scanned night or between two."""
    joined = material.members.filter(pl.col("joined").is_not_null()).select(
        "account_id", "campaign", pl.col("joined").dt.date().alias("joined_on")
    )
    if not material.whole:
        return joined.with_columns(pl.col("joined_on").alias("begins"))
    return (
        joined.join(material.activity.select("account_id", "day"), on="account_id")
        .filter(pl.col("day") >= pl.col("joined_on"))
        .group_by("account_id", "campaign", "joined_on")
        .agg(pl.col("day").min().alias("begins"))
        .sort("campaign", "account_id")
    )


def _earlier_findings(material: Material, newcomers: pl.DataFrame) -> pl.DataFrame:
    """`campaign, joined_on, finding`: which finding held most of those who were there before that day."""
    when = newcomers.select("campaign", "joined_on").unique()
    pool = material.members.select("account_id", "campaign", pl.col("joined").dt.date().alias("came_on"))
    held = material.held.filter(~pl.col("is_lone")).select("account_id", "finding", "since")
    before = pl.col("came_on").is_null() | (pl.col("came_on") < pl.col("joined_on"))
    return (
        when.join(pool, on="campaign")
        .filter(before)
        .join(held, on="account_id")
        .filter(pl.col("since") < pl.col("joined_on"))
        .group_by("campaign", "joined_on", "finding")
        .len()
        .sort(["campaign", "joined_on", "len", "finding"], descending=[False, False, True, False])
        .group_by("campaign", "joined_on", maintain_order=True)
        .first()
        .select("campaign", "joined_on", "finding")
    )


def _nights_between(nights: pl.Series, first: str, last: str) -> pl.Expr:
    """Scanned nights from one day to another, both counted; never below 1, null where the last is null."""
    numbers: dict[date, int] = {night: place for place, night in enumerate(nights)}
    place = [
        pl.col(name).replace_strict(numbers, default=None, return_dtype=pl.Int64) for name in (first, last)
    ]
    apart = pl.max_horizontal(place[1] - place[0].fill_null(place[1]) + 1, pl.lit(1))
    return pl.when(pl.col(last).is_not_null()).then(apart)
