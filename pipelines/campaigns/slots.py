"""What fills the slots of a group's templates, or stands under its system prompts: one list dealt out among
its members, or texts of their own?

Here: choosing a bounded sample of each group's requests and having it measured. Not here: the measures
(detector.text.queues), what they are evidence of (detector.campaigns). A family's own row in
night.family_queue counts everybody who uses it; of a group only its members are asked, since a few strangers
with texts of their own hide a list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector import campaigns as detect
from detector import text
from detector.text import Traits
from detector.text import queues as measures
from pipelines.campaigns.samples import Int64, Requests, Samples, numbered
from pipelines.warehouse.arrow import array_of, fetch, lists_of, registered
from pipelines.warehouse.statements import statement

GROUPS_AT_ONCE = 32
"""Groups whose traits are in memory at a time: about 15 MB."""

READ_AT_ONCE = 50_000
"""Requests whose shingles are in memory at a time: about 50 MB."""

SIZES = ("n_bytes", "n_tokens", "script", "capability")
"""What is compared of a request as it is."""


@dataclass(frozen=True, slots=True)
class Prints:
    """What is compared of n requests, before it is set beside a group's: 100 bytes each.

    sizes : SIZES and the number of shingles in the slots, n_slot; int64, shape (n,)
    projection : float32, shape (n, 16) (detector.text.queues.project_slots)
    """

    sizes: dict[str, npt.NDArray[Any]]
    projection: npt.NDArray[np.float32]

    def traits(self, rows: Int64) -> Traits:
        """Of some of the requests."""
        n_slot = self.sizes["n_slot"][rows]
        n_bytes, n_tokens, script, capability = (self.sizes[name][rows] for name in SIZES)
        return measures.slot_traits(n_bytes, n_tokens, script, capability, self.projection[rows], n_slot)


def measure_slots(con: duckdb.DuckDBPyConnection, day: date, samples: Samples) -> list[detect.Slots]:
    """What is known of each group's slots, in the order of the groups."""
    if len(samples) == 0:
        return []
    requests = samples.templated.by_item()
    rows = [
        requests.chosen(members, families)
        for members, families in zip(samples.members, samples.families, strict=True)
    ]
    used, place = np.unique(np.concatenate(rows), return_inverse=True)
    requests = requests.at(used)
    prints = _prints(con, day, requests, samples.family_ids)
    places = np.split(place.ravel(), np.cumsum([len(chosen) for chosen in rows])[:-1])
    found: list[detect.Slots] = []
    for first in range(0, len(places), GROUPS_AT_ONCE):
        found += _measured(requests, prints, places[first : first + GROUPS_AT_ONCE])
    return found


def _prints(
    con: duckdb.DuckDBPyConnection, day: date, requests: Requests, family_ids: Sequence[str]
) -> Prints:
    """The requests' prints; their shingles are read once and never all at a time."""
    with registered(con, "asked_family", numbered(family_ids)):
        families = fetch(con, statement("campaigns/family_shingles"), {"day": day})
    of_families = lists_of(families.column("shingles"))
    n = len(requests.row_id)
    sizes = {name: np.zeros(n, np.int64) for name in (*SIZES, "n_slot")}
    projection = np.zeros((n, measures.PROJECTED), np.float32)
    chosen = pa.table({"place": np.arange(n), "family": requests.family, "row_id": requests.row_id})
    with registered(con, "chosen", chosen):
        answer = con.sql(statement("campaigns/fingerprints"), params={"day": day})
        for batch in answer.to_arrow_reader(READ_AT_ONCE):
            piece = pa.Table.from_batches([batch])
            at = array_of(piece, "place")
            projection[at], sizes["n_slot"][at] = measures.project_slots(
                *lists_of(piece.column("shingles")), array_of(piece, "family"), *of_families
            )
            for name in SIZES:
                sizes[name][at] = array_of(piece, name)
    return Prints(sizes, projection)


def _measured(requests: Requests, prints: Prints, places: Sequence[Int64]) -> list[detect.Slots]:
    """Slots of some groups, from their requests' places."""
    chosen = np.concatenate(places)
    number = np.repeat(np.arange(len(places), dtype=np.int32), [len(one) for one in places])
    judged = text.judge(
        number,
        requests.account[chosen],
        requests.item[chosen],
        requests.sent_at_us[chosen],
        _beside_their_template(number, requests.family[chosen], prints.traits(chosen)),
        len(places),
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
        for at in range(len(places))
    ]


def _beside_their_template(
    number: npt.NDArray[np.int32], family: npt.NDArray[np.int32], traits: Traits
) -> Traits:
    """Traits as differences from the mean of their group's requests from the same template: who is given
    another template than the next member is not unlike him in what fills it."""
    _, template = np.unique(
        number.astype(np.int64) * (family.max(initial=0) + 1) + family, return_inverse=True
    )
    n_of_template = np.bincount(template)
    values = traits.values.copy()
    for column in range(values.shape[1]):
        mean = np.bincount(template, values[:, column]) / n_of_template
        values[:, column] -= mean[template]
    return replace(traits, values=values)
