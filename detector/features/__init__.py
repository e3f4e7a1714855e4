"""What one account did on one day, as numbers: one module a family, listed here in table order.

Here: names, units, ranges and the functions of sorted rows. Not here: sums and joins, which SQL does
(pipelines/warehouse/sql/account_day*.sql), and what is unusual (detector.models).
"""

import numpy as np

from detector.features import (
    conversation,
    economy,
    fan_in,
    identity,
    lifecycle,
    parameters,
    targeting,
    templating,
    timing,
    volume,
)
from detector.features.feature import Feature
from detector.features.grouping import Grouping, Tally, add_lists, group_rows, median, tally
from detector.features.sources import SOURCES

FAMILIES: dict[str, tuple[Feature, ...]] = {
    "volume": volume.FEATURES,
    "timing": timing.FEATURES,
    "templating": templating.FEATURES,
    "targeting": targeting.FEATURES,
    "parameters": parameters.FEATURES,
    "conversation": conversation.FEATURES,
    "economy": economy.FEATURES,
    "fan-in": fan_in.FEATURES,
    "identity": identity.FEATURES,
    "lifecycle": lifecycle.FEATURES,
}
"""Every feature by family, in the order of the columns of night.account_day."""

FEATURES: tuple[Feature, ...] = tuple(feature for family in FAMILIES.values() for feature in family)

SCORED: tuple[Feature, ...] = tuple(feature for feature in FEATURES if feature.suspicious)
"""Those whose suspicious direction may raise an account's score."""


def warm_up() -> None:
    """Compile the loops of this room, or read them from the cache, on a night of nobody."""
    groups = group_rows(np.empty(0, np.int32), 0)
    tally(np.empty(0, np.uint64), groups)
    median(np.empty(0), groups)
    times = timing.sort_times(np.empty(0, np.int64), groups)
    timing.burstiness(times, groups.starts)
    timing.gaps(times, groups.starts)
    timing.hour_counts(times, groups.starts)
    add_lists(np.empty(0, np.int32), np.empty(0, np.int32), np.zeros(1, np.int64), np.zeros((0, 1), np.int64))


__all__ = [
    "FAMILIES",
    "FEATURES",
    "SCORED",
    "SOURCES",
    "Feature",
    "Grouping",
    "Tally",
    "add_lists",
    "group_rows",
    "median",
    "tally",
    "warm_up",
]
