"""From the requests of the night's families to measures and a verdict per family.

Here: what fills the table in one call. Not here: each measure (sharing, evenness, likeness, known, order),
what they say together (verdict), what the table holds (table).
"""

import numpy as np
import numpy.typing as npt

from detector.text.queues.evenness import measure_evenness
from detector.text.queues.known import known_sets, locate, measure_known
from detector.text.queues.likeness import measure_likeness
from detector.text.queues.order import measure_order
from detector.text.queues.sharing import measure_repeats, measure_sharing
from detector.text.queues.table import Queues
from detector.text.queues.traits import Traits, project_slots, slot_traits
from detector.text.queues.uses import Int32, Int64, Measures, UInt64, uses_of
from detector.text.queues.verdict import verdict_of


def judge(
    family: Int32,
    account: Int32,
    item: UInt64,
    sent_at_us: Int64,
    traits: Traits,
    n_families: int,
    *,
    known_set: Int32 | None = None,
    set_position: Int64 | None = None,
    set_sizes: Int64 | None = None,
    nights_before: npt.NDArray[np.int8] | None = None,
    earlier_position: Int64 | None = None,
    n_holders: Int32 | None = None,
    usual_icc: float = float("nan"),
) -> Queues:
    """Measure what fills the slots of each family, and say what it looks like.

    Parameters
    ----------
    family : int32, shape (n,), 0 to n_families - 1; one row per request, in any order
    account : int32, shape (n,), 0 and up
    item : uint64, shape (n,); equal for equal prompts. All below depends on the prompt alone, but for
        sent_at_us
    sent_at_us : int64, shape (n,); microseconds
    traits : of the same rows
    known_set, set_position : int32, int64, shape (n,): as `locate` gives them; -1 where none
    set_sizes : int64: items of each known set
    nights_before : int8, shape (n,): earlier nights on which the prompt was seen; absent when none were
        looked at
    earlier_position : int64, shape (n,): anything that grows with when it was first seen then; -1 where
        unknown
    n_holders : int32, shape (n,): accounts that sent the prompt in the whole night, where the rows are only
        those of some accounts: what looks exclusive among a few may be shared with the rest
    usual_icc : likeness that people's own texts show in this log (`own_text_icc` of requests outside
        families); NaN when that is not known

    Returns
    -------
    Queues; the same for the same rows in any order.

    Raises
    ------
    ValueError : the arrays do not fit together, or a trait is not finite.
    """
    n = len(family)
    columns = (
        account,
        item,
        sent_at_us,
        traits.values,
        known_set,
        set_position,
        nights_before,
        earlier_position,
        n_holders,
    )
    if any(column is not None and len(column) != n for column in columns):
        raise ValueError("every column must have one value per request")
    if n and (family.min() < 0 or family.max() >= n_families):
        raise ValueError("family numbers must lie between 0 and n_families - 1")
    if not np.isfinite(traits.values).all():
        raise ValueError("traits must be finite: leave out requests whose prompt is absent")
    uses = uses_of(family, account, item, sent_at_us)
    measured: Measures = {}
    measured |= measure_sharing(uses, n_families, n_holders)
    measured |= measure_evenness(uses, n_families)
    measured |= measure_likeness(uses, traits, n_families)
    measured |= measure_known(uses, n_families, known_set, set_position, set_sizes)
    largest_set = measured["known_set"]
    measured |= measure_order(uses, n_families, largest_set, known_set, set_position, earlier_position)
    measured |= measure_repeats(uses, n_families, nights_before)
    return Queues(**measured, verdict=verdict_of(measured, usual_icc))


def warm_up() -> None:
    """Compile the loops of queues, or read them from the cache, on a night of one text."""
    shingles, starts = np.arange(4, dtype=np.uint32), np.array([0, 4], np.int64)
    family = np.zeros(1, np.int32)
    projection, n_slot = project_slots(shingles, starts, family, shingles[:1], np.array([0, 1], np.int64))
    code = np.zeros(1, np.int64)
    known_set, position = locate(shingles, starts, known_sets(["one"], [(shingles, starts)]))
    judge(
        family, family, np.zeros(1, np.uint64), code, slot_traits(code, code, code, code, projection, n_slot),
        1, known_set=known_set, set_position=position, set_sizes=np.ones(1, np.int64),
    )  # fmt: skip
