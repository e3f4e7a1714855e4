"""What a campaign harvests: capability and technique together, with requests and output tokens.

Here: counting a group's requests, and the shares that a finding shows. Not here: how a request gets its
capability and technique (detector.text), who is in the group (judging).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import duckdb

from detector.text import CAPABILITIES, TECHNIQUES
from pipelines.campaigns.asked import pairs
from pipelines.campaigns.judging import Flagged
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Harvested:
    """Requests that ask for one capability by one technique; a row of night.campaign_harvest."""

    capability: str
    technique: str
    n_requests: int
    output_tokens: int


def harvests_of(
    con: duckdb.DuckDBPyConnection, day: date, groups: Sequence[Flagged]
) -> list[list[Harvested]]:
    """What the requests in each group's templates ask for; without templates, all requests of its members.

    For each group one entry for each capability and technique seen together, in the order of their codes;
    none without prompts in the log. All groups are asked about at once: the night's requests are read once.
    """
    members = pairs([found.account_ids for found in groups], "account_id")
    families = pairs([sorted(found.family_requests) for found in groups], "family_id")
    with registered(con, "member", members), registered(con, "core_family", families):
        rows = con.execute(statement("campaigns/harvest"), {"day": day}).fetchall()
    found: list[list[Harvested]] = [[] for _ in groups]
    for number, capability, technique, n_requests, output_tokens in rows:
        found[number].append(
            Harvested(CAPABILITIES[capability], TECHNIQUES[technique], n_requests, output_tokens)
        )
    return found


def shares(harvest: Sequence[Harvested], by: Literal["capability", "technique"]) -> list[tuple[str, float]]:
    """Share of the requests by capability or by technique, 0 to 1, largest first, ties by name."""
    total = max(sum(line.n_requests for line in harvest), 1)
    counted: dict[str, int] = {}
    for line in harvest:
        name = getattr(line, by)
        counted[name] = counted.get(name, 0) + line.n_requests
    rounded = ((name, round(n / total, 4)) for name, n in counted.items())
    return sorted(rounded, key=lambda item: (-item[1], item[0]))
