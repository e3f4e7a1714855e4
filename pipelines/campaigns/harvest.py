"""What a campaign harvests: capability and technique together, with requests and output tokens.

Here: counting a group's requests, and the shares that a finding shows. Not here: how a request gets its
capability and technique (detector.text), who is in the group (judging).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import duckdb
import pyarrow as pa

from detector.text import CAPABILITIES, TECHNIQUES
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


def harvest_of(con: duckdb.DuckDBPyConnection, day: date, found: Flagged) -> list[Harvested]:
    """What the requests in the group's templates ask for; without templates, all requests of its members.

    One entry for each capability and technique seen together, in the order of their codes; none without
    prompts in the log.
    """
    members = pa.table({"account_id": pa.array(found.account_ids, pa.string())})
    families = pa.table({"family_id": pa.array(sorted(found.family_requests), pa.string())})
    with registered(con, "member", members), registered(con, "core_family", families):
        rows = con.execute(statement("campaigns/harvest"), {"day": day}).fetchall()
    return [Harvested(CAPABILITIES[row[0]], TECHNIQUES[row[1]], row[2], row[3]) for row in rows]


def shares(harvest: Sequence[Harvested], by: Literal["capability", "technique"]) -> list[tuple[str, float]]:
    """Share of the requests by capability or by technique, 0 to 1, largest first, ties by name."""
    total = max(sum(line.n_requests for line in harvest), 1)
    counted: dict[str, int] = {}
    for line in harvest:
        name = getattr(line, by)
        counted[name] = counted.get(name, 0) + line.n_requests
    rounded = ((name, round(n / total, 4)) for name, n in counted.items())
    return sorted(rounded, key=lambda item: (-item[1], item[0]))
