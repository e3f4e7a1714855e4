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


@dataclass(frozen=True, slots=True)
class Judged:
    """The night's candidates with their evidence and verdicts, and which of them are to be published."""

    candidates: list[detect.Candidate]
    groups: list[detect.Group]
    evidence: list[list[detect.Evidence]]
    verdicts: list[detect.Verdict]
    members: detect.Memberships
    guilty: list[int]


def judge(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    objects: detect.SharedObjects,
    innocent: npt.NDArray[np.float64],
    policy: detect.Policy,
) -> Judged:
    """Everything that may be a campaign tonight. What one client holds of what would be published is judged
    as one as well, beside its parts.

    innocent : evidence of earlier nights' innocent communities (`reference`)
    """
    found = detect.candidates(night.population, objects)
    groups, evidence = _weighed(con, night, found, objects, policy)
    apart = _decided(night, found, groups, evidence, innocent, policy)
    joined = detect.unions([found[at] for at in apart.guilty], night.population)
    if not joined:
        return apart
    more_groups, more_evidence = _weighed(con, night, joined, objects, policy)
    return _decided(
        night, [*found, *joined], [*groups, *more_groups], [*evidence, *more_evidence], innocent, policy
    )


def _weighed(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    candidates: Sequence[detect.Candidate],
    objects: detect.SharedObjects,
    policy: detect.Policy,
) -> tuple[list[detect.Group], list[list[detect.Evidence]]]:
    """The candidates as groups, with what is measured on samples of their requests, and the evidence on
    each."""
    groups = with_samples(
        con, night, candidates, [detect.group_of(one, night.population, objects) for one in candidates]
    )
    return groups, [detect.weighed(detect.weigh(group), policy) for group in groups]


def _decided(
    night: Night,
    candidates: list[detect.Candidate],
    groups: list[detect.Group],
    evidence: list[list[detect.Evidence]],
    innocent: npt.NDArray[np.float64],
    policy: detect.Policy,
) -> Judged:
    members = detect.Memberships.of([group.members for group in groups], len(night.population))
    verdicts = detect.decide(
        evidence,
        innocent,
        has_content=[group.has_content for group in groups],
        policy=policy,
        members=members,
    )
    guilty = detect.standing(
        groups, [verdict.log_odds for verdict in verdicts], [verdict.flagged for verdict in verdicts]
    )
    return Judged(candidates, groups, evidence, verdicts, members, guilty)


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
    night: Night, judged: Judged, at: int, objects: detect.SharedObjects, likeness: detect.Likeness
) -> Flagged:
    """A candidate that is to be published, without those whose habits are strange to it: what convicts a
    group convicts nobody who merely looks like a member by a text."""
    candidate = detect.without_strangers(judged.candidates[at], likeness)
    group = judged.groups[at].of(candidate.members)
    account_ids, family_requests = night.account_ids(candidate.members), night.family_requests(group)
    loosely = detect.loosely_tied(candidate, group, objects)
    return Flagged(
        group, candidate, judged.verdicts[at], judged.evidence[at], account_ids, family_requests, loosely
    )
