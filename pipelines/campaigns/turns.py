"""How the requests of a group's accounts follow one another.

Here: fetching a bounded sample of each group's requests: those that follow its templates, or all where there
are none. Not here: the measure and what it is evidence of (detector.campaigns).
"""

from collections.abc import Sequence
from datetime import date

import duckdb
import numpy as np

from detector import campaigns as detect
from pipelines.campaigns.asked import ACCOUNT_ROWS, GROUP_ROWS, Asked, pairs
from pipelines.queues import account_numbers
from pipelines.warehouse.arrow import fetch, registered
from pipelines.warehouse.statements import statement


def measure_turns(con: duckdb.DuckDBPyConnection, day: date, groups: Sequence[Asked]) -> list[detect.Turns]:
    """How each group's requests follow one another, in the order of the groups.

    Needs the temporary table `tonight_family_request` that `find_night_families` leaves.
    """
    found: list[detect.Turns] = []
    for first in range(0, len(groups), GROUPS_AT_ONCE):
        found.extend(_measured(con, day, groups[first : first + GROUPS_AT_ONCE]))
    return found


GROUPS_AT_ONCE = 256
"""Groups whose requests are sorted at a time: half a million of the sample, whatever the night has."""


def _measured(con: duckdb.DuckDBPyConnection, day: date, groups: Sequence[Asked]) -> list[detect.Turns]:
    members = pairs([group.account_ids for group in groups], "account_id")
    used = pairs([group.family_ids for group in groups], "family_id")
    with registered(con, "group_member", members), registered(con, "group_family", used):
        sent = fetch(
            con,
            statement("campaigns/turns"),
            {"day": day, "group_rows": GROUP_ROWS, "account_rows": ACCOUNT_ROWS},
        )
    return detect.turns_of(
        np.array(sent.column("number")).astype(np.int64),
        account_numbers(sent.column("account_id")),
        np.array(sent.column("sent_at_us")),
        len(groups),
    )
