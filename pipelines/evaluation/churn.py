"""How steady findings are: from night to night, and between two scans that should agree.

Here: Jaccard similarities of flagged accounts and of memberships. Not here: whether any of it is true.

- The Jaccard similarity of two sets is the size of what they share over the size of what is in either; two
  empty sets agree wholly, 1.
- From night to night a membership is an account with its campaign_id, which ought to stay the same. Only
  accounts that sent something on both nights are compared, where that is known: who was shut, or stayed away,
  says nothing about how steady the monitor is. A finding stands on both nights when it holds such an account
  on each.
- Between two workspaces ids may differ, so the findings of a night are first paired one to one so that they
  share as many memberships as they can; a membership is shared when its account is in both findings of a
  pair. Lone flags are paired by their account.
"""

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from pipelines.evaluation.material import Material

NIGHT_SCHEMA = {
    "day": pl.Date,
    "n_active": pl.Int64,
    "n_flagged": pl.Int64,
    "n_findings": pl.Int64,
    "n_new_findings": pl.Int64,
    "n_ended_findings": pl.Int64,
    "jaccard_accounts": pl.Float64,
    "jaccard_memberships": pl.Float64,
    "jaccard_standing": pl.Float64,
}
AGAINST_SCHEMA = {
    "day": pl.Date,
    "n_flagged": pl.Int64,
    "n_flagged_other": pl.Int64,
    "n_findings": pl.Int64,
    "n_findings_other": pl.Int64,
    "jaccard_accounts": pl.Float64,
    "jaccard_memberships": pl.Float64,
}

Membership = tuple[str | None, str]


def night_to_night(material: Material) -> pl.DataFrame:
    """One row per scanned night, in order; columns NIGHT_SCHEMA.

    The similarities compare with the night before and are null on the first. `jaccard_standing` is the mean
    over findings that stood on both nights with accounts to compare; null where none did.
    """
    by_night = _by_night(material.flags, material.nights)
    active = _active(material)
    rows = []
    before: set[Membership] | None = None
    for night, earlier in zip(material.nights, [None, *material.nights], strict=False):
        now = by_night[night]
        standing, stood = _pools(now), _pools(before or set())
        rows.append(
            {
                "day": night,
                "n_active": len(active[night]) if active else None,
                "n_flagged": len({account for _, account in now}),
                "n_findings": len(standing),
                "n_new_findings": len(standing.keys() - stood.keys()),
                "n_ended_findings": len(stood.keys() - standing.keys()),
                **(
                    _steadiness(now, before, active[night] & active[earlier] if active else None)
                    if before is not None
                    else {}
                ),
            }
        )
        before = now
    return pl.DataFrame(rows, NIGHT_SCHEMA)


def _steadiness(
    now: set[Membership], before: set[Membership], there: set[str] | None
) -> dict[str, float | None]:
    """How alike two nights are in the accounts that were there on both; of all accounts, where unknown."""
    if there is not None:
        now, before = ({pair for pair in pairs if pair[1] in there} for pairs in (now, before))
    standing, stood = _pools(now), _pools(before)
    compared = [jaccard(standing[name], stood[name]) for name in sorted(standing.keys() & stood.keys())]
    return {
        "jaccard_accounts": _jaccard_accounts(now, before),
        "jaccard_memberships": jaccard(now, before),
        "jaccard_standing": float(np.mean(compared)) if compared else None,
    }


def _active(material: Material) -> dict[object, set[str]]:
    """Who sent something, by night; empty where that is not known of everybody."""
    if not material.whole:
        return {}
    active: dict[object, set[str]] = {night: set() for night in material.nights}
    for (night,), group in material.activity.group_by("day"):
        active[night] = set(group["account_id"])
    return active


def against(flags: pl.DataFrame, other: pl.DataFrame, nights: pl.Series) -> pl.DataFrame:
    """Two scans of the same nights, one row per night; columns AGAINST_SCHEMA.

    Parameters
    ----------
    flags, other : `day, account_id, campaign_id` of either scan
    nights : days to compare; a night that only one of them scanned is for the caller to leave out
    """
    ours, theirs = _by_night(flags, nights), _by_night(other, nights)
    rows = [
        {
            "day": night,
            "n_flagged": len({account for _, account in ours[night]}),
            "n_flagged_other": len({account for _, account in theirs[night]}),
            "n_findings": len(_pools(ours[night])),
            "n_findings_other": len(_pools(theirs[night])),
            "jaccard_accounts": _jaccard_accounts(ours[night], theirs[night]),
            "jaccard_memberships": _jaccard_paired(ours[night], theirs[night]),
        }
        for night in nights
    ]
    return pl.DataFrame(rows, AGAINST_SCHEMA)


def jaccard(one: set[Membership] | set[str], other: set[Membership] | set[str]) -> float:
    """What two sets share over what is in either; 1 for two empty ones."""
    either = len(one | other)
    return len(one & other) / either if either else 1.0


def _by_night(flags: pl.DataFrame, nights: pl.Series) -> dict[object, set[Membership]]:
    by_night: dict[object, set[Membership]] = {night: set() for night in nights}
    for day, campaign, account in flags.select("day", "campaign_id", "account_id").iter_rows():
        if day in by_night:
            by_night[day].add((campaign, account))
    return by_night


def _pools(memberships: set[Membership]) -> dict[str, set[str]]:
    pools: dict[str, set[str]] = {}
    for campaign, account in memberships:
        if campaign is not None:
            pools.setdefault(campaign, set()).add(account)
    return pools


def _jaccard_accounts(one: set[Membership], other: set[Membership]) -> float:
    return jaccard({account for _, account in one}, {account for _, account in other})


def _jaccard_paired(one: set[Membership], other: set[Membership]) -> float:
    ours, theirs = _pools(one), _pools(other)
    shared = np.array([[len(a & b) for b in theirs.values()] for a in ours.values()], dtype=np.int64)
    n_shared = len(_alone(one) & _alone(other))
    if shared.size:
        n_shared += int(shared[linear_sum_assignment(shared, maximize=True)].sum())
    either = len(one) + len(other) - n_shared
    return n_shared / either if either else 1.0


def _alone(memberships: set[Membership]) -> set[str]:
    return {account for campaign, account in memberships if campaign is None}
