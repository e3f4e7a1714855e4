"""What of a campaign could not be seen, for the logs do not have it: said with each finding.

Here: which kinds of columns a group's requests lack. Not here: what a whole format lacks
(adapters.overview), the sentence (detector.campaigns.wording).
"""

from collections.abc import Sequence
from datetime import date

import duckdb

from detector.campaigns import LEAST_KNOWN
from pipelines.campaigns.asked import pairs
from pipelines.campaigns.judging import Flagged
from pipelines.warehouse.arrow import fetch, registered
from pipelines.warehouse.statements import statement


def unseen_of(con: duckdb.DuckDBPyConnection, day: date, groups: Sequence[Flagged]) -> list[tuple[str, ...]]:
    """Of each group the kinds (`prompts`, `addresses`, `clients`, `tokens`, `accounts`) of which the logs
    have something for less than half of its accounts: nothing is said of the group by them."""
    members = pairs([found.account_ids for found in groups], "account_id")
    with registered(con, "member", members):
        known = fetch(con, statement("campaigns/unseen"), {"day": day})
    unseen: list[tuple[str, ...]] = [()] * len(groups)
    for row in known.to_pylist():
        number = row.pop("number")
        unseen[number] = tuple(kind for kind, share in row.items() if share < LEAST_KNOWN)
    return unseen
