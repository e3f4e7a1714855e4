"""What one account did on one day, as numbers: one module a family, listed here in table order.

Here: names, units, ranges and the functions of sorted rows. Not here: sums and joins, which SQL does
(pipelines/warehouse/sql/account_day*.sql), and what is unusual (detector.models).
"""

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
from detector.features.grouping import Grouping, Tally, group_rows, median, tally

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

__all__ = ["FAMILIES", "FEATURES", "SCORED", "Feature", "Grouping", "Tally", "group_rows", "median", "tally"]
