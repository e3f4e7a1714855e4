"""From the night's candidates to those that are to be published.

Here: judging candidates against earlier nights' innocent ones, dropping parts of one another. Not here: what
counts as evidence (detector.campaigns), what is written (writing).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt

from detector import campaigns as detect
from pipelines.campaigns.asked import Asked
from pipelines.campaigns.night import Night
from pipelines.campaigns.samples import gather_samples
from pipelines.campaigns.slots import measure_slots
from pipelines.campaigns.turns import measure_turns
from pipelines.warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Flagged:
    """A candidate that is to be published."""

    group: detect.Group
    candidate: detect.Candidate
    verdict: detect.Verdict
    evidence: list[detect.Evidence]
    account_ids: list[str]
    family_requests: dict[str, float]
    loosely_tied: npt.NDArray[np.bool_]
    """shape (n_members,): who may be a bystander (`detect.loosely_tied`)"""


def reference(
    con: duckdb.DuckDBPyConnection, day: date, policy: detect.Policy
) -> tuple[npt.NDArray[np.float64], int]:
    """Evidence of earlier nights' innocent communities, and the number of those nights; none of a policy that
    leaves history out."""
    if "history" in policy.leave_out:
        return np.empty(0), 0
    values = {"day": day, "least": policy.least_log_odds, "tainted": detect.TAINTED}
    rows = con.execute(statement("campaigns/reference"), values).fetchall()
    return np.array([row[0] for row in rows], dtype=np.float64), len({row[1] for row in rows})


def with_samples(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    candidates: Sequence[detect.Candidate],
    groups: Sequence[detect.Group],
) -> list[detect.Group]:
    """The groups with what fills the slots of their templates, and how their requests follow one another."""
    asked = [
        Asked(night.account_ids(candidate.members), sorted(night.family_requests(group)))
        for candidate, group in zip(candidates, groups, strict=True)
    ]
    samples = gather_samples(con, night.day, asked)
    slots, turns = measure_slots(con, night.day, samples), measure_turns(con, night.day, samples)
    return [
        replace(group, slots=filled, turns=taken)
        for group, filled, taken in zip(groups, slots, turns, strict=True)
    ]


def as_flagged(
    night: Night,
    group: detect.Group,
    candidate: detect.Candidate,
    verdict: detect.Verdict,
    evidence: list[detect.Evidence],
    objects: detect.SharedObjects,
) -> Flagged:
    account_ids, family_requests = night.account_ids(candidate.members), night.family_requests(group)
    loosely = detect.loosely_tied(candidate, group, objects)
    return Flagged(group, candidate, verdict, evidence, account_ids, family_requests, loosely)
