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
import pyarrow as pa
import pyarrow.compute as pc

from detector import campaigns as detect
from pipelines.campaigns.asked import Asked
from pipelines.campaigns.night import Night
from pipelines.campaigns.samples import gather_samples
from pipelines.campaigns.slots import measure_slots
from pipelines.campaigns.turns import measure_turns
from pipelines.warehouse.arrow import array_of, fetch, registered
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


@dataclass(frozen=True, slots=True)
class Innocent:
    """What earlier nights' innocent communities showed.

    log_odds : float64, one for each
    means : float64, of those that were judged on several nights: the mean of these
    n_nights : how many nights they are from
    """

    log_odds: npt.NDArray[np.float64]
    means: npt.NDArray[np.float64]
    n_nights: int


def reference(con: duckdb.DuckDBPyConnection, day: date, policy: detect.Policy) -> Innocent:
    """Earlier nights' innocent communities; none of a policy that leaves history out."""
    if "history" in policy.leave_out:
        return Innocent(np.empty(0), np.empty(0), 0)
    values = {"day": day, "least": policy.least_log_odds, "tainted": detect.TAINTED}
    rows = fetch(con, statement("campaigns/reference"), values)
    lasted = array_of(rows, "nights") >= policy.several_nights
    return Innocent(
        array_of(rows, "evidence"),
        array_of(rows, "mean_evidence")[lasted],
        pc.count_distinct(rows["day"]).as_py(),
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """The night's candidates with their evidence and verdicts, and which of them are to be published."""

    candidates: list[detect.Candidate]
    groups: list[detect.Group]
    evidence: list[list[detect.Evidence]]
    verdicts: list[detect.Verdict]
    members: detect.Memberships
    nights: detect.Nights
    guilty: list[int]
    came_along: dict[int, npt.NDArray[np.int64]]
    """of these, the positions of accounts that belong to them by nothing but a use of their texts"""


def judge(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    objects: detect.SharedObjects,
    innocent: Innocent,
    policy: detect.Policy,
) -> Judged:
    """Everything that may be a campaign tonight. What one client holds of what would be published is judged
    as one as well, beside its parts.

    innocent : earlier nights' innocent communities (`reference`)
    """
    found = detect.candidates(night.population, objects)
    groups, evidence = _weighed(con, night, found, objects, policy)
    apart = _decided(con, night, found, groups, evidence, innocent, policy)
    joined = detect.unions([found[at] for at in apart.guilty], night.population)
    if not joined:
        return apart
    more_groups, more_evidence = _weighed(con, night, joined, objects, policy)
    return _decided(
        con, night, [*found, *joined], [*groups, *more_groups], [*evidence, *more_evidence], innocent, policy
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
    groups = with_samples(con, night, [detect.group_of(one, night.population, objects) for one in candidates])
    return groups, [detect.weighed(detect.weigh(group), policy) for group in groups]


def _decided(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    candidates: list[detect.Candidate],
    groups: list[detect.Group],
    evidence: list[list[detect.Evidence]],
    innocent: Innocent,
    policy: detect.Policy,
) -> Judged:
    members = detect.Memberships.of([group.members for group in groups], len(night.population))
    nights = earlier_nights(con, night, members, innocent, policy)
    verdicts = detect.decide(
        evidence,
        innocent.log_odds,
        has_content=[group.has_content for group in groups],
        policy=policy,
        members=members,
        nights=nights,
    )
    log_odds = [verdict.log_odds for verdict in verdicts]
    flagged = np.array([verdict.flagged for verdict in verdicts], np.bool_)
    rests = detect.rests(groups, log_odds, flagged.tolist())
    for rest, group in zip(rests, with_samples(con, night, [rest.group for rest in rests]), strict=True):
        # What is said of the whole was said of its heart.
        if detect.is_company(detect.weighed(detect.weigh(group), policy), evidence[rest.whole]):
            flagged[rest.whole] = False
    guilty = detect.standing(groups, log_odds, flagged.tolist())
    came_along = _came_along(con, night, groups, evidence, guilty, policy)
    return Judged(candidates, groups, evidence, verdicts, members, nights, guilty, came_along)


def _came_along(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    groups: Sequence[detect.Group],
    evidence: Sequence[list[detect.Evidence]],
    guilty: Sequence[int],
    policy: detect.Policy,
) -> dict[int, npt.NDArray[np.int64]]:
    """Of each group that is to be published the idle members, unless as much is said of them as of a group:
    then they are another operator's, whose heavy accounts came along. Of too few to measure, nothing is."""
    idle = {at: members for at in guilty if len(members := detect.idle(groups[at]))}
    many = [at for at, members in idle.items() if len(members) >= detect.LEAST_MEMBERS]
    measured = with_samples(con, night, [groups[at].of(idle[at]) for at in many])
    for at, group in zip(many, measured, strict=True):
        if not detect.is_company(detect.weighed(detect.weigh(group), policy), evidence[at]):
            del idle[at]
    return idle


ALIKE = 1 / 3
"""Groups of two nights are one when they share this part of all their accounts: of two as large, half."""

REMEMBERED_NIGHTS = 7
"""A group that is not seen for a week begins anew."""


def earlier_nights(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    members: detect.Memberships,
    innocent: Innocent,
    policy: detect.Policy,
) -> detect.Nights:
    """What earlier nights said of the same groups."""
    n = len(members.sizes)
    total, n_nights = np.zeros(n), np.zeros(n, np.int64)
    if "history" not in policy.leave_out:
        asked = {"day": night.day, "nights": REMEMBERED_NIGHTS, "alike": ALIKE}
        with registered(con, "who", who_is_in(night, members)):
            known = fetch(con, statement("campaigns/earlier"), asked)
        at = array_of(known, "candidate")
        total[at], n_nights[at] = array_of(known, "log_odds"), array_of(known, "n_nights")
    return detect.Nights(total, n_nights, innocent.means)


def who_is_in(night: Night, members: detect.Memberships) -> pa.Table:
    """The accounts of each candidate: candidate, account_id."""
    candidate, account = members.matrix.nonzero()
    return pa.table(
        {
            "candidate": pa.array(candidate, pa.int32()),
            "account_id": night.accounts["account_id"].gather(account).to_arrow(),
        }
    )


def with_samples(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    groups: Sequence[detect.Group],
) -> list[detect.Group]:
    """The groups with what fills the slots of their templates, and how their requests follow one another."""
    asked = [
        Asked(night.account_ids(group.members), sorted(night.family_requests(group))) for group in groups
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
    """A candidate that is to be published, without those whose habits are strange to it or who hardly work
    for it: what convicts a group convicts nobody who merely looks like a member by a text."""
    whole = judged.candidates[at].without(judged.came_along.get(at, np.empty(0, np.int64)))
    candidate = detect.without_strangers(whole, likeness)
    group = judged.groups[at].of(candidate.members)
    account_ids, family_requests = night.account_ids(candidate.members), night.family_requests(group)
    loosely = detect.loosely_tied(candidate, group, objects)
    return Flagged(
        group, candidate, judged.verdicts[at], judged.evidence[at], account_ids, family_requests, loosely
    )
