"""The rhythm of one account, read aloud: slow on purpose, and the authority in a dispute."""

import math
from collections import Counter
from itertools import pairwise
from statistics import fmean, median, pstdev

HOUR_US = 3_600_000_000


def burstiness_slow(times_us: list[int]) -> float:
    """Goh and Barabasi's B: (spread - mean) / (spread + mean) of the gaps."""
    gaps = [later - earlier for earlier, later in pairwise(times_us)]
    if len(gaps) < 2 or sum(gaps) == 0:
        return math.nan
    return (pstdev(gaps) - fmean(gaps)) / (pstdev(gaps) + fmean(gaps))


def gaps_slow(times_us: list[int]) -> tuple[float, float, float]:
    """Floor (s), median (s) and longest (h) of the gaps."""
    gaps = sorted(later - earlier for earlier, later in pairwise(times_us))
    if not gaps:
        return math.nan, math.nan, math.nan
    floor = gaps[(len(gaps) - 1) * 5 // 100]
    return floor / 1e6, median(gaps) / 1e6, gaps[-1] / HOUR_US


def hour_counts_slow(times_us: list[int]) -> list[int]:
    """Requests in each hour of the day."""
    counts = Counter(time // HOUR_US % 24 for time in times_us)
    return [counts[hour] for hour in range(24)]


def hour_entropy_slow(times_us: list[int]) -> float:
    """Shannon entropy of the hours, in bits."""
    if not times_us:
        return math.nan
    shares = [count / len(times_us) for count in hour_counts_slow(times_us) if count]
    return -math.fsum(share * math.log2(share) for share in shares)
