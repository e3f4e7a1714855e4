"""From the night's candidates to those that are to be published.

Here: judging candidates against earlier nights' innocent ones, dropping parts of one another. Not here: what
counts as evidence (detector.campaigns), what is written (writing).
"""

from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt

from detector import campaigns as detect
from pipelines.campaigns.night import Night
from pipelines.warehouse.statements import statement

TAINTED = 0.1
"""A community is no reference when this share of its accounts was ever flagged: one in ten is more than
chance and bystanders bring together."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """A candidate that is to be published."""

    group: detect.Group
    candidate: detect.Candidate
    verdict: detect.Verdict
    evidence: list[detect.Evidence]
    account_ids: list[str]
    family_requests: dict[str, float]


def reference(
    con: duckdb.DuckDBPyConnection, day: date, policy: detect.Policy
) -> tuple[npt.NDArray[np.float64], int]:
    """Evidence of earlier nights' innocent communities, and the number of those nights."""
    values = {"day": day, "least": policy.least_log_odds, "tainted": TAINTED}
    rows = con.execute(statement("campaigns/reference"), values).fetchall()
    return np.array([row[0] for row in rows], dtype=np.float64), len({row[1] for row in rows})


def as_flagged(
    night: Night,
    group: detect.Group,
    candidate: detect.Candidate,
    verdict: detect.Verdict,
    evidence: list[detect.Evidence],
) -> Flagged:
    layer = night.population.layer(group.layer)
    family_requests: dict[str, float] = {}
    if layer is not None:
        for row, n_requests in zip(group.rows, group.uses.n_requests, strict=True):
            name = night.names[group.layer][layer.object[row]]
            family_requests[name] = family_requests.get(name, 0.0) + float(n_requests)
    account_ids = night.accounts["account_id"].gather(candidate.members).to_list()
    return Flagged(group, candidate, verdict, evidence, account_ids, family_requests)


def without_overlap(found: list[Flagged]) -> list[Flagged]:
    """Largest first; a group half of whose accounts are in a larger one is a part of it, not one more."""
    kept: list[Flagged] = []
    largest = sorted(found, key=lambda one: (-len(one.account_ids), -one.verdict.log_odds, one.account_ids))
    for candidate in largest:
        mine = set(candidate.account_ids)
        if all(len(mine & set(other.account_ids)) < 0.5 * len(mine) for other in kept):
            kept.append(candidate)
    return kept
