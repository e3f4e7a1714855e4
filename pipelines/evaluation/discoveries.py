"""Each finding as a claim that can be true or false: what calibration is measured on.

Here: one row per finding of one world. Not here: rates over many worlds (seeds).

- A finding is *true* when at least half of the labelled accounts it holds are labelled `campaign`; null when
  it holds no labelled account. Which campaign, and how many, is a matter of purity and merging.
- Its *purity* is the share of its labelled accounts that are of the one campaign with most of them.
- Its p-value, score and confidence are those of the first night on which it was reported: that is when the
  stated false-discovery rate was promised. Its action is the strongest on any night.
"""

import polars as pl

from pipelines.evaluation.material import ACTIONS, Material

_LEAST_TRUE = 0.5

SCHEMA = {
    "campaign_id": pl.String,
    "account_id": pl.String,
    "first_day": pl.Date,
    "last_day": pl.Date,
    "p_value": pl.Float64,
    "score": pl.Float64,
    "confidence": pl.String,
    "action": pl.String,
    "n_accounts": pl.Int64,
    "n_labelled": pl.Int64,
    "purity": pl.Float64,
    "is_true": pl.Boolean,
    "campaign": pl.String,
    "n_merges": pl.Int64,
}

STATED = {
    "day": pl.Date,
    "campaign_id": pl.String,
    "p_value": pl.Float64,
    "score": pl.Float64,
    "confidence": pl.String,
}
"""What a scan says of a finding as a whole on one night; without it, the most it says of its accounts."""


def discoveries(
    material: Material, stated: pl.DataFrame | None, merges: dict[int, list[tuple[str, str]]]
) -> pl.DataFrame:
    """One row per finding, pooled ones by campaign_id, then lone ones by account; columns SCHEMA.

    `account_id` is null but for lone flags, whose campaign_id is null; `campaign` is the one it holds most
    of; `n_merges` counts pairs of campaigns it throws together.
    """
    first = _as_first_stated(material, stated)
    purest = _purest(material)
    is_guilty = pl.col("account_id").is_in(material.members["account_id"].unique().implode())
    held = material.held.group_by("finding", "is_lone", "campaign_id").agg(
        pl.col("account_id").first(),
        pl.len().alias("n_accounts"),
        pl.col("is_labelled").sum().alias("n_labelled"),
        (is_guilty & pl.col("is_labelled")).sum().alias("n_guilty"),
    )
    said = material.flags.group_by("finding").agg(
        pl.col("day").min().alias("first_day"),
        pl.col("day").max().alias("last_day"),
        pl.col("action").max().replace_strict(range(len(ACTIONS)), ACTIONS, return_dtype=pl.String),
    )
    any_label = pl.col("n_labelled") > 0
    return (
        held.join(said, on="finding")
        .join(first, on="finding", how="left")
        .join(purest, on="finding", how="left")
        .with_columns(
            pl.when("is_lone").then("account_id").alias("account_id"),
            pl.when(any_label).then(pl.col("n_most").fill_null(0) / pl.col("n_labelled")).alias("purity"),
            pl.when(any_label)
            .then(pl.col("n_guilty") / pl.col("n_labelled") >= _LEAST_TRUE)
            .alias("is_true"),
            pl.col("finding")
            .replace_strict({finding: len(pairs) for finding, pairs in merges.items()}, default=0)
            .alias("n_merges"),
        )
        .sort("finding")
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    )


def _as_first_stated(material: Material, stated: pl.DataFrame | None) -> pl.DataFrame:
    """`finding, p_value, score, confidence` on each finding's first night."""
    of_accounts = (
        material.flags.filter(pl.col("day") == pl.col("day").min().over("finding"))
        .group_by("finding", "day", "campaign_id")
        .agg(pl.col("p_value").min(), pl.col("score").max(), pl.col("confidence").drop_nulls().first())
    )
    if stated is None:
        return of_accounts.drop("day", "campaign_id")
    whole = stated.select(pl.col(name).cast(dtype) for name, dtype in STATED.items())
    named = of_accounts.join(whole, on=["day", "campaign_id"], how="left", suffix="_whole")
    return named.select(
        "finding",
        *(pl.coalesce(f"{name}_whole", name).alias(name) for name in ("p_value", "score", "confidence")),
    )


def _purest(material: Material) -> pl.DataFrame:
    """`finding, campaign, n_most`: the campaign each finding holds most of; on a tie the first by name."""
    return (
        material.held.join(material.members.select("account_id", "campaign"), on="account_id")
        .group_by("finding", "campaign")
        .agg(pl.len().alias("n_most"))
        .sort(["finding", "n_most", "campaign"], descending=[False, True, False])
        .group_by("finding", maintain_order=True)
        .first()
    )
