"""The step `campaigns`: who belongs together tonight, and is it a campaign? -> night.campaign, its members.

Here: the order. Not here: fetching (night), verdicts (judging), rows (writing), what counts as evidence
(detector.campaigns), texts to show (evidence).
"""

from dataclasses import dataclass
from datetime import date
from functools import partial

import duckdb
import numpy as np

from detector import campaigns as detect
from pipelines import lone
from pipelines.approved import flag_beyond_approval, note_ended
from pipelines.campaigns.judging import as_flagged, judge, reference
from pipelines.campaigns.links import held_together
from pipelines.campaigns.night import Objects, fetch_night, gather_objects
from pipelines.campaigns.writing import write_campaigns, write_candidates
from pipelines.settings import Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.transaction import transaction

_REPLACED = (
    "campaign",
    "campaign_harvest",
    "campaign_link",
    "campaign_event",
    "flagged_account",
    "candidate",
    "candidate_account",
    "candidate_evidence",
)
"""Tables of night.* whose rows of the day this step writes anew."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a night's campaign step found."""

    n_candidates: int
    n_campaigns: int
    n_flagged: int
    calibration: str


def find_campaigns(
    con: duckdb.DuckDBPyConnection, day: date, settings: Settings, gathered: Objects | None = None
) -> Found:
    """Replace the campaigns, flagged accounts and candidates of `day`.

    Only nights before `day` serve as reference and memory, whatever else the warehouse holds. `gathered` is
    what `gather_objects` gave, where it was asked beforehand.
    """
    policy = settings.detection.policy()
    night = fetch_night(con, day, gather_objects(con, day) if gathered is None else gathered)
    busy = lone.measure_busy(con, day, settings)
    night = night.with_added_texts(busy.adding_ids).without(policy.leave_out)
    objects = detect.shared_objects(night.population)
    innocent = reference(con, day, policy)
    has_history = len(innocent.log_odds) >= policy.least_reference
    judged = judge(con, night, objects, innocent, policy)
    likeness = detect.Likeness.of(night.population)
    flagged = [as_flagged(night, judged, at, objects, likeness) for at in judged.guilty]
    totals = np.array([verdict.log_odds for verdict in judged.verdicts])

    def judged_again(at: int, pieces: list[detect.Evidence]) -> detect.Verdict:
        return detect.decide_again(
            at,
            pieces,
            totals,
            innocent.log_odds,
            has_content=judged.groups[at].has_content,
            policy=policy,
            members=judged.members,
            nights=judged.nights,
        )

    held = [
        held_together(found, objects, likeness, partial(judged_again, at))
        for at, found in zip(judged.guilty, flagged, strict=True)
    ]
    carriers = {
        account
        for found in (flagged if settings.approved_uses else ())
        for account in night.account_ids(
            detect.approved_carriers(found.candidate, night.population, objects, likeness)
        )
    }
    with transaction(con):
        for table in _REPLACED:
            con.execute(f"DELETE FROM night.{table} WHERE day = $day", {"day": day})
        write_candidates(
            con,
            night,
            judged.groups,
            judged.members,
            judged.verdicts,
            judged.evidence,
            judged.nights.total,
        )
        write_campaigns(con, night, flagged, held)
        in_campaigns = {account for found in flagged for account in found.account_ids}
        judged_alone = lone.judge_alone(con, day, busy, in_campaigns, settings)
        alone = lone.flagged_alone(day, judged_alone)
        beyond = flag_beyond_approval(con, day, settings, carriers, judged_alone)
        for table in (alone, beyond):
            with registered(con, "alone", table):
                con.execute("INSERT INTO night.flagged_account BY NAME FROM alone")
        note_ended(con, day)
    return Found(
        n_candidates=len(judged.candidates),
        n_campaigns=len(flagged),
        n_flagged=len(in_campaigns) + len(alone) + len(beyond),
        calibration=_calibration(innocent.n_nights) if has_history else "this night alone",
    )


def _calibration(n_nights: int) -> str:
    return f"{n_nights} earlier night{'s' if n_nights > 1 else ''}"


__all__ = ["Found", "find_campaigns", "gather_objects"]
