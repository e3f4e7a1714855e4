"""How one account's values are spread, read aloud: the authority in a dispute."""

import math
from collections import Counter
from statistics import median


def tally_slow(values: list[int]) -> tuple[int, int, int, int, float, int]:
    """(known, distinct, rows of the most frequent, that value, Herfindahl index, rows of what occurs four
    times or more); 0 is absent."""
    counts = Counter(value for value in values if value)
    known = sum(counts.values())
    if not known:
        return 0, 0, 0, 0, math.nan, 0
    top, rows = min(counts.items(), key=lambda item: (-item[1], item[0]))
    concentration = math.fsum((count / known) ** 2 for count in counts.values())
    repeated = sum(count for count in counts.values() if count >= 4)
    return known, len(counts), rows, top, concentration, repeated


def median_slow(values: list[float]) -> float:
    """Median of the values that are not NaN."""
    known = [value for value in values if not math.isnan(value)]
    return median(known) if known else math.nan
