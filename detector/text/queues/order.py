"""Whether items are sent in the order of a list.

Here: Kendall's tau of the times of items and their places in the known set or on earlier nights. Not here:
which places those are (known, pipelines.queues), the loop that counts pairs (kernels.queues).
"""

import numpy as np

from detector.kernels import queues as kernels
from detector.text.queues.uses import Float64, Int32, Int64, Measures, Uses, segments, sums


def measure_order(
    uses: Uses,
    n_families: int,
    largest_set: Int32,
    known_set: Int32 | None,
    set_position: Int64 | None,
    earlier_position: Int64 | None,
) -> Measures:
    """Against the known set, unless more items have a place on earlier nights."""
    position = np.full(len(uses.row), -1, np.int64)
    if earlier_position is not None:
        position = earlier_position[uses.row].astype(np.int64)
    if known_set is not None and set_position is not None:
        in_set = np.where(
            (known_set[uses.row] >= 0) & (known_set[uses.row] == largest_set[uses.family]),
            set_position[uses.row],
            -1,
        )
        n_in_set = sums(uses.item_family, n_families, in_set[uses.first_of_item] >= 0)
        n_earlier = sums(uses.item_family, n_families, position[uses.first_of_item] >= 0)
        by_set = n_in_set >= np.maximum(n_earlier, 3)
        position = np.where(by_set[uses.family], in_set, position)
    items = uses.first_of_item
    over_all = _tau(uses.sent_at[items], position[items], uses.item_family, uses.item_family, n_families)
    within = _tau(uses.sent_at, position, uses.account, uses.family, n_families)
    return {
        "order": over_all[0],
        "order_z": over_all[1],
        "order_within": within[0],
        "order_within_z": within[1],
    }


def _tau(
    sent_at: Int64, position: Int64, segment: Int64, family: Int64, n_families: int
) -> tuple[Float64, Float64]:
    """Kendall's tau-b summed over the segments of each family, and its standard score."""
    known = np.flatnonzero(position >= 0)
    order = known[np.lexsort((position[known], sent_at[known], segment[known]))]
    starts = segments(segment[order])
    score, variance, pairs = (np.empty(len(starts) - 1) for _ in range(3))
    kernels.concordance(sent_at[order], position[order], starts, score, variance, pairs)
    of = family[order[starts[:-1]]]
    score, variance, pairs = (sums(of, n_families, values) for values in (score, variance, pairs))
    n_known = sums(family[known], n_families)
    said = (n_known >= 3) & (variance > 0) & (pairs > 0)
    nan = np.full(n_families, np.nan)
    return (
        np.divide(score, pairs, out=nan.copy(), where=said),
        np.divide(score, np.sqrt(variance), out=nan.copy(), where=said),
    )
