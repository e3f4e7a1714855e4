"""What is compared: labels, flags and activity, brought to one footing.

Here: who counts, which finding held whom since when, and what each account sent. Not here: any figure.

- The *population* is every labelled account that sent a request on a scanned night or was flagged. A label
  of an account that never came (it joins later than the last night) says nothing about a monitor.
- A *finding* is a campaign the scans flagged, under its id, or a lone flag of one account.
- A finding *holds* an account from the first night on which a scan listed it there, and from then on: an
  operator who replaces accounts does not undo what was found.
- An account's *action* is the strongest one recommended for it on any night: who was once to be suspended
  may have been suspended by then.
- Accounts without a label are counted once, in the total, and left out of everything else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.evaluation.labels import as_truth

ACTIONS = ("watch", "limit", "verify", "suspend")
"""Recommended actions, mildest first."""

_FLAGS = {
    "day": pl.Date,
    "account_id": pl.String,
    "campaign_id": pl.String,
    "recommended_action": pl.String,
    "score": pl.Float64,
    "p_value": pl.Float64,
    "confidence": pl.String,
}
_ACTIVITY = {"account_id": pl.String, "day": pl.Date, "n_requests": pl.Int64}
_ACCOUNTS = {
    "account_id": pl.String,
    "org_id": pl.String,
    "country": pl.String,
    "script": pl.String,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Frames that every figure is computed from.

    Attributes
    ----------
    nights : scanned days, ascending
    people : one row per account of the population, by id: account_id, label, unit, action (0 is watch;
        null when never flagged), country, script, language. `unit` is what is drawn in a bootstrap: the
        campaign (the first by name of several), else the organisation, else the account itself
    benign : `account_id, kind, generator` of the benign ones
    members : one row per account and campaign of the population: account_id, campaign, kind, regime,
        evasions, joined, since (the first night it sent anything)
    flags : every flag, with its finding: finding (an integer), is_lone, day, account_id, campaign_id, action,
        score, p_value, confidence, is_labelled
    held : one row per finding and account: finding, is_lone, campaign_id, account_id, since, is_labelled
    activity : `account_id, day, n_requests`, on scanned nights
    whole : whether `activity` tells of every account; else only of flagged ones, and neither exchanges nor
        who never came is known
    n_silent : campaign to the number of its labelled accounts that never came
    """

    nights: pl.Series
    people: pl.DataFrame
    benign: pl.DataFrame
    members: pl.DataFrame
    flags: pl.DataFrame
    held: pl.DataFrame
    activity: pl.DataFrame
    whole: bool
    n_silent: dict[str, int]


def gather(
    truth: pl.DataFrame,
    flags: pl.DataFrame,
    activity: pl.DataFrame | None,
    *,
    nights: Sequence[date] | pl.Series | None,
    accounts: pl.DataFrame | None,
    whole: bool,
) -> Material:
    """Bring the parts to one footing; absent columns are null. Parameters: see `judging.judge`."""
    truth = as_truth(truth)
    flags = _with_findings(_typed(flags, _FLAGS), truth)
    if activity is None:
        whole = False
        activity = flags.select("account_id", "day", pl.lit(None).alias("n_requests")).unique()
    activity = _typed(activity, _ACTIVITY)
    days = pl.Series("day", [] if nights is None else nights, pl.Date)
    if nights is None:
        days = pl.concat([activity["day"], flags["day"]])
    days = days.unique().sort()
    activity = (
        activity.filter(pl.col("day").is_in(days.implode()))
        .group_by("account_id", "day")
        .agg(pl.col("n_requests").sum())
        .sort("account_id", "day")
    )
    came = activity.group_by("account_id").agg(pl.col("day").min().alias("since"))
    seen = pl.concat([came["account_id"], flags["account_id"]]).unique()
    is_seen = pl.col("account_id").is_in(seen.implode()) if whole else pl.lit(True)
    campaign = truth.filter(pl.col("label") == "campaign")
    silent = campaign.filter(~is_seen).group_by("campaign").len()
    truth = truth.filter(is_seen)
    return Material(
        nights=days,
        people=_people(truth, flags, accounts),
        benign=truth.filter(pl.col("label") == "benign")
        .select("account_id", "kind", "generator")
        .unique("account_id", keep="first", maintain_order=True),
        members=_members(truth, came),
        flags=flags,
        held=_held(flags),
        activity=activity,
        whole=whole,
        n_silent=dict(silent.iter_rows()),
    )


def _typed(frame: pl.DataFrame, columns: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in columns.items()
    )


def _with_findings(flags: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Flags with the number of their finding: those with company by campaign_id, then lone ones."""
    flags = flags.with_columns(
        pl.col("campaign_id").is_null().alias("is_lone"),
        pl.coalesce("campaign_id", "account_id").alias("name"),
        pl.col("recommended_action")
        .fill_null(ACTIONS[0])
        .replace_strict(ACTIONS, range(len(ACTIONS)), return_dtype=pl.Int64)
        .alias("action"),
        pl.col("account_id").is_in(truth["account_id"].implode()).alias("is_labelled"),
    )
    names = flags.select("is_lone", "name").unique().sort("is_lone", "name").with_row_index("finding")
    return (
        flags.join(names, on=["is_lone", "name"])
        .drop("name", "recommended_action")
        .sort("finding", "day", "account_id")
    )


def _held(flags: pl.DataFrame) -> pl.DataFrame:
    return (
        flags.group_by("finding", "is_lone", "campaign_id", "account_id", "is_labelled")
        .agg(pl.col("day").min().alias("since"))
        .sort("finding", "account_id")
    )


def _people(truth: pl.DataFrame, flags: pl.DataFrame, accounts: pl.DataFrame | None) -> pl.DataFrame:
    known = _typed(pl.DataFrame() if accounts is None else accounts, _ACCOUNTS)
    if accounts is None:
        known = known.clear()
    known = known.unique("account_id", keep="first", maintain_order=True)
    action = flags.group_by("account_id").agg(pl.col("action").max())
    unit = pl.coalesce(
        "campaign:" + pl.col("campaign"),
        "organisation:" + pl.col("org_id"),
        "account:" + pl.col("account_id"),
    )
    return (
        truth.sort("account_id", "campaign")
        .group_by("account_id", maintain_order=True)
        .agg(pl.col("label", "campaign", "language").first())
        .join(known, on="account_id", how="left")
        .join(action, on="account_id", how="left")
        .with_columns(unit.alias("unit"))
        .select("account_id", "label", "unit", "action", "country", "script", "language")
        .sort("account_id")
    )


def _members(truth: pl.DataFrame, came: pl.DataFrame) -> pl.DataFrame:
    return (
        truth.filter(pl.col("label") == "campaign")
        .unique(["account_id", "campaign"], keep="first", maintain_order=True)
        .join(came, on="account_id", how="left")
        .select("account_id", "campaign", "kind", "regime", "evasions", "joined", "since")
        .sort("campaign", "account_id")
    )
