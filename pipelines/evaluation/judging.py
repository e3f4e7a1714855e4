"""The judge: labels and flags in, every figure out. No file, no database.

Here: which figures there are, and the totals. Not here: their definitions (the modules it calls), reading a
workspace (workspace), how figures look (tables, page).
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from pipelines.evaluation import churn, emergence, wronged
from pipelines.evaluation.accounts import precision_and_recall
from pipelines.evaluation.bcubed import b_cubed
from pipelines.evaluation.discoveries import discoveries
from pipelines.evaluation.matching import Matches, match
from pipelines.evaluation.material import Material, gather
from pipelines.evaluation.outcome import Evaluation
from pipelines.evaluation.recall import delays, recall_by_sort


def judge(
    truth: pl.DataFrame,
    flags: pl.DataFrame,
    activity: pl.DataFrame | None = None,
    *,
    nights: Sequence[date] | pl.Series | None = None,
    stated: pl.DataFrame | None = None,
    accounts: pl.DataFrame | None = None,
    whole_activity: bool = True,
    stated_rate: float | None = None,
) -> Evaluation:
    """Compare what any detector flagged with what is true.

    Parameters
    ----------
    truth : labels, one row per account and campaign: account_id, label (`campaign` or `benign`), campaign,
        kind; optional generator, regime, evasions, joined, language (see `labels.OPTIONAL`)
    flags : what was flagged, one row per night, account and finding: day (date), account_id, campaign_id
        (null when alone); optional recommended_action (`watch` where absent), score, p_value, confidence
    activity : `account_id, day, n_requests`, one row per account and night with requests; without it what
        needs it is null
    nights : the scanned nights; without them every day of activity and flags
    stated : `day, campaign_id, p_value, score, confidence` of findings as a whole; without it the smallest
        p-value and the highest score of a finding's accounts stand in
    accounts : optional `account_id` with any of org_id, country, script
    whole_activity : false when `activity` tells of flagged accounts alone
    stated_rate : the false-discovery rate the detector promises, 0 to 1; it is only passed on, to `total`

    Returns
    -------
    All figures; equal for equal input, in whatever order its rows come.
    """
    material = gather(truth, flags, activity, nights=nights, accounts=accounts, whole=whole_activity)
    matches = match(material)
    return Evaluation(
        campaigns=matches.campaigns,
        recall=recall_by_sort(matches.campaigns),
        delays=delays(matches.campaigns),
        re_emergence=emergence.re_emergence(material),
        benign_kinds=wronged.by_kind(material),
        benign_generators=wronged.by_generator(material),
        benign_countries=wronged.by_attribute(material, "country"),
        benign_languages=wronged.by_attribute(material, "language"),
        benign_scripts=wronged.by_attribute(material, "script"),
        findings=discoveries(material, stated, matches.merges),
        nights=churn.night_to_night(material),
        against=pl.DataFrame(schema=churn.AGAINST_SCHEMA),
        total=_total(material, matches, stated_rate),
    )


def _total(material: Material, matches: Matches, stated_rate: float | None) -> pl.DataFrame:
    campaigns = matches.campaigns
    found = int(campaigns["detected"].sum())
    labelled = material.held.filter("is_labelled")
    agreement = b_cubed(labelled, material.members)
    figures = {
        "n_nights": len(material.nights),
        **precision_and_recall(material),
        "n_findings": material.held.filter(~pl.col("is_lone"))["finding"].n_unique(),
        "n_lone": material.held.filter("is_lone")["finding"].n_unique(),
        "n_campaigns": campaigns.height,
        "n_detected": found,
        "campaign_recall": found / campaigns.height if campaigns.height else None,
        "n_split": campaigns.filter(pl.col("n_naming") > 1).height,
        "n_merging_findings": len(matches.merges),
        "b_cubed_precision": agreement.precision,
        "b_cubed_recall": agreement.recall,
        "b_cubed_f1": agreement.f1,
        **wronged.altogether(material),
        "stated_rate": stated_rate,
    }
    return pl.DataFrame(
        {
            name: pl.Series(name, [value], pl.Int64 if _is_count(name) else pl.Float64)
            for name, value in figures.items()
        }
    )


def _is_count(name: str) -> bool:
    return name.startswith("n_") or name in ("at_watch", "above_watch")
