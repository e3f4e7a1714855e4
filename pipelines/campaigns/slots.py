"""What fills the slots of a group's templates: one list dealt out among its members, or texts of their own?

Here: fetching a bounded sample of each group's requests and having it measured. Not here: the measures
(detector.text.queues), what they are evidence of (detector.campaigns). A family's own row in
night.family_queue counts everybody who uses it; of a group only its members are asked, since a few strangers
with texts of their own hide a list.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from detector import campaigns as detect
from detector import text
from detector.text import Traits
from pipelines.campaigns.asked import ACCOUNT_ROWS, GROUP_ROWS, Asked, pairs
from pipelines.queues import account_numbers, traits_of
from pipelines.warehouse.arrow import fetch, lists_of, registered
from pipelines.warehouse.statements import statement

GROUPS_AT_ONCE = 32
"""Groups whose shingles are in memory at a time: about 50 MB."""


def measure_slots(con: duckdb.DuckDBPyConnection, day: date, groups: Sequence[Asked]) -> list[detect.Slots]:
    """What is known of each group's slots, in the order of the groups.

    Needs the temporary table `tonight_family_request` that `find_night_families` leaves.
    """
    found: list[detect.Slots] = []
    for first in range(0, len(groups), GROUPS_AT_ONCE):
        found.extend(_measured(con, day, groups[first : first + GROUPS_AT_ONCE]))
    return found


def _measured(con: duckdb.DuckDBPyConnection, day: date, groups: Sequence[Asked]) -> list[detect.Slots]:
    ids = sorted({family_id for group in groups for family_id in group.family_ids})
    number = {family_id: position for position, family_id in enumerate(ids)}
    members = pairs([group.account_ids for group in groups], "account_id")
    used = pairs([group.family_ids for group in groups], "family_id")
    used = used.append_column(
        "family", pa.array([number[name] for name in used.column("family_id").to_pylist()], pa.int32())
    )
    with registered(con, "group_member", members), registered(con, "group_family", used):
        uses = fetch(
            con,
            statement("campaigns/slots"),
            {"day": day, "group_rows": GROUP_ROWS, "account_rows": ACCOUNT_ROWS},
        )
    with registered(con, "asked", pa.table({"family_id": pa.array(ids, pa.string())})):
        shingles = fetch(
            con,
            """SELECT shingles FROM asked JOIN night.family AS family USING (family_id)
               WHERE day = $day ORDER BY family_id""",
            {"day": day},
        )
    judged = text.judge(
        np.array(uses.column("number")),
        account_numbers(uses.column("account_id")),
        np.array(uses.column("item")),
        np.array(uses.column("sent_at_us")),
        _beside_their_template(uses, traits_of(uses, *lists_of(shingles.column("shingles")))),
        len(groups),
    )
    return [
        detect.Slots(
            n_items=int(judged.n_items[at]),
            n_compared=int(judged.n_compared[at]),
            likeness=float(judged.own_text_icc[at]),
            likeness_error=float(judged.own_text_error[at]),
            shared=float(judged.shared_use_ratio[at]),
            top_item=float(judged.top_item_share[at]),
            geometric_z=float(judged.geometric_z[at]),
        )
        for at in range(len(groups))
    ]


def _beside_their_template(uses: pa.Table, traits: Traits) -> Traits:
    """Traits as differences from the mean of their group's requests from the same template: who is given
    another template than the next member is not unlike him in what fills it."""
    number, family = np.array(uses.column("number")), np.array(uses.column("family"))
    _, template = np.unique(number * (family.max(initial=0) + 1) + family, return_inverse=True)
    n_of_template = np.bincount(template)
    values = traits.values.copy()
    for column in range(values.shape[1]):
        mean = np.bincount(template, values[:, column]) / n_of_template
        values[:, column] -= mean[template]
    return replace(traits, values=values)
