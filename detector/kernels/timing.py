"""Loops over the request times of each account. Meaning: features.timing. Twin: tests/reference/timing.py.

Here: one pass over times that are already sorted within their account. Not here: what the numbers
mean, checks of the input, anything that is not a time.
"""

import math

import numpy as np
from numba import njit

HOUR_US = 3_600_000_000
HOURS = 24


@njit(nogil=True, cache=True)
def burstiness_kernel(sent_at_us, starts, out):
    """Fill out[i] for account i.

    Two passes, not one: a running sum of squares subtracts two nearly equal numbers and loses the
    very digits that expose a metronome.
    """
    for i in range(len(starts) - 1):
        first, last = starts[i], starts[i + 1] - 1
        n_gaps = last - first
        if n_gaps < 2 or sent_at_us[first] == sent_at_us[last]:
            out[i] = np.nan
            continue
        mean = (sent_at_us[last] - sent_at_us[first]) / n_gaps
        squares = 0.0
        for row in range(first, last):
            squares += (sent_at_us[row + 1] - sent_at_us[row] - mean) ** 2
        spread = math.sqrt(squares / n_gaps)
        out[i] = (spread - mean) / (spread + mean)


@njit(nogil=True, cache=True)
def gaps_kernel(sent_at_us, starts, floor_us, median_us, longest_us):
    """Fill the 5th percentile, the median and the largest of each account's gaps, in microseconds.

    The percentile is the lower nearest rank, an observed gap: an interpolated one would blur the
    very constant (a 200 ms queue delay) that it is meant to show.
    """
    for i in range(len(starts) - 1):
        first, n_gaps = starts[i], starts[i + 1] - starts[i] - 1
        if n_gaps < 1:
            floor_us[i] = np.nan
            median_us[i] = np.nan
            longest_us[i] = np.nan
            continue
        gaps = np.empty(n_gaps, np.int64)
        for k in range(n_gaps):
            gaps[k] = sent_at_us[first + k + 1] - sent_at_us[first + k]
        gaps.sort()
        floor_us[i] = gaps[(n_gaps - 1) // 20]
        median_us[i] = (gaps[(n_gaps - 1) // 2] + gaps[n_gaps // 2]) / 2
        longest_us[i] = gaps[n_gaps - 1]


@njit(nogil=True, cache=True)
def hours_kernel(sent_at_us, starts, counts):
    """Fill counts[i, h]: requests of account i in the UTC hour h of the day."""
    for i in range(len(starts) - 1):
        for row in range(starts[i], starts[i + 1]):
            counts[i, (sent_at_us[row] // HOUR_US) % HOURS] += 1
