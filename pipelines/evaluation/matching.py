"""Campaigns against findings: which were found, by which finding, how wholly, how purely and how soon.

Here: one row per labelled campaign, and which findings name which campaigns. Not here: who counts
(material), accounts one by one (accounts, wronged), shares over many campaigns (recall).

- A finding *names* a campaign, as of a night, when the accounts it holds by then include at least two of the
  campaign's (the one, if it has a single account) and at least half of its labelled accounts are of that
  campaign. A campaign of a single account (a lone extractor, a relay) is named by whatever flags it, alone or
  in company: there is no group to be pure.
- A campaign is *detected* when some finding names it as of the last night: a finding about somebody else that
  swept some of its accounts in is no detection.
- Its *match* is, of the findings that name it (if none does, of those that hold any of its accounts), the one
  that holds most of its accounts; on a tie the purer one, then one with company before a lone flag, then the
  one whose id comes first.
- *Coverage* is the share of the campaign's accounts that the match holds; *purity* the share of the
  match's labelled accounts that are of the campaign.
- It was *found on* the first night as of which any finding names it. *Coverage at first* is that finding's
  share, as of that night, of the campaign's accounts that had sent anything by then.
- *Coverage by the third night* is the share the match held as of the third scanned night since any of the
  campaign's accounts first sent anything, of those that had sent anything by then; null in a shorter world.
- *Exchanges* of a campaign are the requests of its accounts as the scan counts them (no retries, scaled up
  where a source samples), cover traffic included: a log cannot tell it apart. *Share of exchanges* is the
  part sent by accounts that the match holds. *Exchanges to detection* are those sent up to the end of the
  night on which it was found.
- *Nights to detection* counts scanned nights from the first on which any of its accounts sent anything to the
  one on which it was found; 1 is the very night.
- It was *split* when more than one finding names it. A finding *merges* two campaigns when it holds at least
  two accounts of each that are not of the other (one, where a campaign has only one).
"""

from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

import polars as pl

from pipelines.evaluation.material import Material

_LEAST_PURITY = 0.5
_LEAST_ACCOUNTS = 2


@dataclass(frozen=True, slots=True)
class Matches:
    """Who was found by what.

    Attributes
    ----------
    campaigns : one row per campaign of the population, by name
    merges : finding to the pairs of campaigns it merges
    """

    campaigns: pl.DataFrame
    merges: dict[int, list[tuple[str, str]]]


def match(material: Material) -> Matches:
    """Match every campaign of the population with the findings that hold its accounts."""
    described = _described(material)
    over_nights = _pairs_over_nights(material, described)
    final = over_nights.group_by("campaign", "finding", maintain_order=True).last()
    campaigns = (
        described.join(_best(final), on="campaign", how="left")
        .join(_first_reports(over_nights, final, material), on="campaign", how="left")
        .with_columns(
            pl.col("is_named").fill_null(False).alias("detected"),
            pl.col("n_matched").fill_null(0),
            (pl.col("n_matched").fill_null(0) / pl.col("n_accounts")).alias("coverage"),
            pl.when(pl.col("is_lone")).then(pl.lit("alone")).when(pl.col("is_lone").not_())
            .then(pl.lit("finding")).alias("matched"),
        )
    )  # fmt: skip
    campaigns = _with_company(campaigns, final, material)
    campaigns = _with_delays(_with_third_night(campaigns, material), material)
    return Matches(campaigns.select(_COLUMNS).sort("campaign"), _merges(material))


_COLUMNS = (
    "campaign",
    "kind",
    "regime",
    "evasions",
    "n_accounts",
    "n_silent",
    "detected",
    "matched",
    "campaign_id",
    "n_matched",
    "coverage",
    "coverage_at_first",
    "coverage_by_third_night",
    "share_of_exchanges",
    "purity",
    "n_findings",
    "n_naming",
    "n_flagged",
    "found_on",
    "nights_to_detection",
    "n_exchanges",
    "exchanges_to_detection",
    "share_to_detection",
)


def _described(material: Material) -> pl.DataFrame:
    def words(name: str) -> pl.Expr:
        # Several values of one campaign are all named; null where nobody said any.
        every = pl.col(name).drop_nulls().unique().sort()
        return pl.when(every.len() > 0).then(every.str.join("+")).alias(name)

    silent = pl.DataFrame(
        {"campaign": list(material.n_silent), "n_silent": list(material.n_silent.values())},
        schema={"campaign": pl.String, "n_silent": pl.Int64},
    )
    return (
        material.members.group_by("campaign")
        .agg(
            words("kind"),
            words("regime"),
            words("evasions"),
            pl.len().cast(pl.Int64).alias("n_accounts"),
            pl.col("since").min().alias("began"),
        )
        .join(silent, on="campaign", how="left")
        .with_columns(pl.coalesce("n_silent", pl.lit(0 if material.whole else None, pl.Int64)))
        .sort("campaign")
    )  # fmt: skip


def _pairs_over_nights(material: Material, described: pl.DataFrame) -> pl.DataFrame:
    """Each campaign and finding that share accounts, as of every night on which the finding took any in."""
    labelled = material.held.filter("is_labelled")
    ours = (
        labelled.join(material.members.select("account_id", "campaign"), on="account_id")
        .group_by("campaign", "finding", "since")
        .agg(pl.len().cast(pl.Int64).alias("n_new"))
    )
    growth = (
        labelled.group_by("finding", "is_lone", "campaign_id", "since")
        .agg(pl.len().cast(pl.Int64).alias("n_labelled"))
        .sort("finding", "since")
        .with_columns(pl.col("n_labelled").cum_sum().over("finding"))
    )
    least = pl.min_horizontal(pl.lit(_LEAST_ACCOUNTS), "n_accounts")
    purity = pl.col("n_ours") / pl.col("n_labelled")
    is_pure = (purity >= _LEAST_PURITY) | (pl.col("n_accounts") == 1)
    return (
        ours.select("campaign", "finding").unique()
        .join(growth, on="finding")
        .join(ours, on=["campaign", "finding", "since"], how="left")
        .sort("campaign", "finding", "since")
        .with_columns(pl.col("n_new").fill_null(0).cum_sum().over("campaign", "finding").alias("n_ours"))
        .join(described.select("campaign", "n_accounts"), on="campaign")
        .with_columns(purity.alias("purity"), (is_pure & (pl.col("n_ours") >= least)).alias("is_named"))
        .sort("campaign", "finding", "since")
    )  # fmt: skip


def _best(final: pl.DataFrame) -> pl.DataFrame:
    """Each campaign's match; a finding's number is in the order of ids, company before lone flags."""
    return (
        final.sort(
            ["campaign", "is_named", "n_ours", "purity", "finding"],
            descending=[False, True, True, True, False],
        )
        .group_by("campaign", maintain_order=True)
        .first()
        .select(
            "campaign", "finding", "is_lone", "campaign_id", "is_named", "purity",
            pl.col("n_ours").alias("n_matched"),
        )
    )  # fmt: skip


def _first_reports(over_nights: pl.DataFrame, final: pl.DataFrame, material: Material) -> pl.DataFrame:
    """`campaign, found_on, coverage_at_first` of detected campaigns."""
    detected = final.filter("is_named").select("campaign").unique()
    first = (
        over_nights.filter("is_named")
        .join(detected, on="campaign", how="semi")
        .sort(["campaign", "since", "n_ours", "finding"], descending=[False, False, True, False])
        .group_by("campaign", maintain_order=True)
        .first()
        .select("campaign", pl.col("since").alias("found_on"), "n_ours")
    )
    # What joined later cannot have been in the first report. Held accounts had sent something, whatever is
    # known of activity, so the share never passes 1.
    at_work = (
        material.members.join(first, on="campaign")
        .filter((pl.col("since") <= pl.col("found_on")) | (pl.col("since").is_null() & (not material.whole)))
        .group_by("campaign")
        .agg(pl.len().alias("n_at_work"))
    )
    share = pl.col("n_ours") / pl.max_horizontal("n_ours", "n_at_work")
    return first.join(at_work, on="campaign", how="left").select(
        "campaign", "found_on", share.alias("coverage_at_first")
    )


def _with_company(campaigns: pl.DataFrame, final: pl.DataFrame, material: Material) -> pl.DataFrame:
    """How many findings share the campaign, and how many of its accounts are flagged anywhere."""
    pooled = final.filter(~pl.col("is_lone"))
    findings = pooled.group_by("campaign").agg(
        pl.len().cast(pl.Int64).alias("n_findings"),
        pl.col("is_named").sum().cast(pl.Int64).alias("n_naming"),
    )
    flagged = (
        material.members.filter(pl.col("account_id").is_in(material.held["account_id"].implode()))
        .group_by("campaign")
        .agg(pl.len().cast(pl.Int64).alias("n_flagged"))
    )
    counts = ("n_findings", "n_naming", "n_flagged")
    return (
        campaigns.join(findings, on="campaign", how="left")
        .join(flagged, on="campaign", how="left")
        .with_columns(pl.col(counts).fill_null(0))
    )


def _with_third_night(campaigns: pl.DataFrame, material: Material) -> pl.DataFrame:
    """How wholly each campaign was held when a monitor has had three nights to look."""
    nights: list[date] = material.nights.to_list()
    thirds = dict(zip(nights, nights[2:], strict=False))
    third = pl.col("began").replace_strict(thirds, default=None, return_dtype=pl.Date)
    held = material.held.select("finding", "account_id", pl.col("since").alias("held_since"))
    shares = (
        material.members.select("campaign", "account_id", "since")
        .join(campaigns.select("campaign", "finding", third.alias("third")), on="campaign")
        .filter(pl.col("since") <= pl.col("third"))
        .join(held, on=["finding", "account_id"], how="left")
        .group_by("campaign")
        .agg(
            (pl.col("held_since") <= pl.col("third")).fill_null(False).mean().alias("coverage_by_third_night")
        )
    )
    return campaigns.join(shares, on="campaign", how="left")


def _with_delays(campaigns: pl.DataFrame, material: Material) -> pl.DataFrame:
    """Nights and exchanges until each campaign was found."""
    nights: list[date] = material.nights.to_list()

    def n_nights(row: dict[str, Any]) -> int | None:
        found: date | None = row["found_on"]
        began: date | None = row["began"] or found
        if found is None or began is None:
            return None
        return sum(began <= night <= found for night in nights)

    delays = pl.Series("nights_to_detection", map(n_nights, campaigns.iter_rows(named=True)), pl.Int64)
    campaigns = campaigns.with_columns(delays)
    if not material.whole:
        unknown = [
            pl.lit(None, pl.Float64).alias(name) for name in ("share_of_exchanges", "share_to_detection")
        ]
        counts = [pl.lit(None, pl.Int64).alias(name) for name in ("n_exchanges", "exchanges_to_detection")]
        return campaigns.with_columns(*unknown, *counts)
    in_match = material.held.select("finding", "account_id", pl.lit(True).alias("in_match"))
    sent = (
        material.members.select("campaign", "account_id")
        .join(material.activity, on="account_id")
        .join(campaigns.select("campaign", "finding", "found_on"), on="campaign")
        .join(in_match, on=["finding", "account_id"], how="left")
        .group_by("campaign")
        .agg(
            pl.col("n_requests").sum().alias("n_exchanges"),
            pl.col("n_requests").filter(pl.col("in_match")).sum().alias("n_held"),
            pl.col("n_requests").filter(pl.col("day") <= pl.col("found_on")).sum().alias("until"),
        )
    )
    until = pl.when(pl.col("found_on").is_not_null()).then(pl.col("until")).alias("exchanges_to_detection")
    return (
        campaigns.join(sent, on="campaign", how="left")
        .with_columns(until, (pl.col("n_held") / pl.col("n_exchanges")).alias("share_of_exchanges"))
        .with_columns(
            (pl.col("exchanges_to_detection") / pl.col("n_exchanges")).alias("share_to_detection")
        )
    )  # fmt: skip


def _merges(material: Material) -> dict[int, list[tuple[str, str]]]:
    """Pairs of campaigns that one finding throws together."""
    campaigns = material.members.group_by("account_id").agg(pl.col("campaign").sort().alias("campaigns"))
    groups = material.held.join(campaigns, on="account_id").group_by("finding", "campaigns").len()
    sizes = dict(material.members.group_by("campaign").len().iter_rows())
    merges: dict[int, list[tuple[str, str]]] = {}
    for (finding,), rows in groups.sort("finding").group_by("finding", maintain_order=True):
        sets = [(frozenset(names), n) for names, n in rows.select("campaigns", "len").iter_rows()]
        present = sorted(frozenset().union(*(names for names, _ in sets)))
        for one, other in combinations(present, 2):
            apart = [
                sum(n for names, n in sets if ours in names and theirs not in names)
                >= min(_LEAST_ACCOUNTS, sizes[ours])
                for ours, theirs in ((one, other), (other, one))
            ]
            if all(apart):
                merges.setdefault(int(finding), []).append((one, other))
    return merges
