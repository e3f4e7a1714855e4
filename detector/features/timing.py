"""Features of an account's rhythm: pace, pauses and hours of the day.

Here: functions from request times to one number per account.
Not here: what was asked (features.templating), reading tables (pipelines.features), loops (kernels.timing).
"""

import numpy as np
import numpy.typing as npt

from detector.features.feature import NEVER, Feature
from detector.features.grouping import Float64, Grouping, Int64, check_rows
from detector.kernels import tally as tally_kernels
from detector.kernels import timing as kernels

Int32Table = npt.NDArray[np.int32]

HOURS = kernels.HOURS
US_PER_S = 1e6
US_PER_H = 3.6e9

SLEEP_H = 8
"""A night's sleep, and the quietest stretch of anybody who sleeps."""

FEATURES = (
    Feature(
        "first_sent_at",
        "UTC time",
        "within the day",
        "first request",
        NEVER,
        why="when its night began",
        source="Ours",
    ),
    Feature(
        "last_sent_at",
        "UTC time",
        "within the day",
        "last request",
        NEVER,
        why="when its night ended",
        source="Ours",
    ),
    Feature(
        "hour_mask",
        "bits",
        "0 to 2^24 - 1",
        "UTC hours with a request, hour h as bit h",
        NEVER,
        why="masks of nights and of accounts combine with `|` and `&`",
        source="Ours",
    ),
    Feature(
        "active_hours",
        "hours",
        "1 to 24",
        "hours of the day with at least one request",
        NEVER,
        "high",
        why="round-the-clock use with no human variation",
        source="AA26-251A, indicator 1",
    ),
    Feature(
        "hour_counts",
        "requests",
        "24 counts",
        "requests in each UTC hour",
        NEVER,
        why="rhythms add up over accounts: a campaign's sum is smoother than its parts",
        source="Anthropic 2026-02 (load balancing)",
    ),
    Feature(
        "hour_entropy_bits",
        "bits",
        "0 to 4.58",
        "evenness over the hours of the day; 4.58 is the same in every hour",
        NEVER,
        "high",
        why="round-the-clock use with no human variation",
        source="AA26-251A, indicator 1; Shannon 1948",
    ),
    Feature(
        "busiest_hour_share",
        "share",
        "0.04 to 1",
        "requests that fall into the busiest hour",
        NEVER,
        why="a batch, a class or a hackathon is one hour; a harvest is spread",
        source="Ours",
    ),
    Feature(
        "peak_requests_per_h",
        "requests per hour",
        "above 0",
        "requests in the busiest hour",
        NEVER,
        why="the pace at its fastest; scored as `n_requests` and `median_gap_s`",
        source="AA26-251A, indicator 2 (maximum use)",
    ),
    Feature(
        "longest_pause_h",
        "hours",
        "0 to 24",
        "longest silence between two requests",
        "fewer than two requests",
        why="people sleep and eat",
        source="AA26-251A, indicator 1",
    ),
    Feature(
        "sleepless_hours",
        "hours",
        "0 to 8",
        "hours with a request within its eight quietest hours in a row (round the clock, midnight passed "
        "over)",
        NEVER,
        why="0 for whoever sleeps, in whichever time zone; scored as `active_hours`",
        source="AA26-251A, indicator 1",
    ),
    Feature(
        "week_sleepless_hours",
        "hours",
        "0 to 8",
        "the same of its last seven nights laid over one another",
        "no other night in the last seven",
        why="five requests a night show no sleep and no sleeplessness, a week of them does; no score: "
        "applications never sleep either",
        source="AA26-251A, indicator 1",
        needs=("past",),
    ),
    Feature(
        "hour_shift_bits",
        "bits",
        "0 to 1",
        "change of its hours of the day against the seven nights before: 0 is the usual rhythm",
        "fewer than 20 requests tonight, or in the seven nights before",
        why="a stolen key works a second shift in other hours; weekends and journeys move people, so it is "
        "not scored",
        source="Lin 1991",
        needs=("past",),
    ),
    Feature(
        "median_gap_s",
        "seconds",
        "0 to 86,400",
        "median time between requests",
        "fewer than two requests",
        "low",
        "count",
        why="code written for programmatic harvesting does not stop to read",
        source="OpenAI 2026-02",
    ),
    Feature(
        "floor_gap_s",
        "seconds",
        "0 to 86,400",
        "5th percentile of the time between requests",
        "fewer than two requests",
        why="a queue's fixed delay between requests of one account (200 ms in one gateway) is a floor",
        source="Relay gateways",
    ),
    Feature(
        "burstiness",
        "none",
        "-1 to 1",
        "evenness of the pace: -1 is a metronome, 0 random, near 1 long silences between bursts",
        "fewer than three requests, or no time passes",
        "low",
        why="schedulers tick, people come in bursts",
        source="Goh 2008; AA26-251A, indicator 1",
    ),
)


def sort_times(sent_at_us: Int64, groups: Grouping) -> Int64:
    """Request times grouped by account and ascending within each: the order the functions below need.

    Parameters
    ----------
    sent_at_us : int64, shape (n_rows,); microseconds, in the row order `groups` was made of
    """
    check_rows(sent_at_us, groups)
    out = np.empty(len(sent_at_us), np.int64)
    tally_kernels.sort_times_kernel(sent_at_us, groups.order, groups.starts, out)
    return out


def burstiness(sent_at_us: Int64, starts: Int64) -> Float64:
    """How unevenly each account spaces its requests.

    Parameters
    ----------
    sent_at_us : int64, shape (n_requests,); microseconds, ascending within an account
    starts : int64, shape (n_accounts + 1,); account i owns rows starts[i]:starts[i + 1]

    Returns
    -------
    float64, shape (n_accounts,), no unit, -1 to 1: -1 is a metronome, 0 a Poisson process,
        near 1 long silences between bursts; NaN under three requests or when no time passes.

    Raises
    ------
    ValueError : `starts` does not partition the rows, or an account's clock runs back.

    Source: Goh & Barabasi, EPL 81 (2008) 48002, the parameter B.
    """
    check_segments(sent_at_us, starts)
    out = np.empty(len(starts) - 1)
    kernels.burstiness_kernel(sent_at_us, starts, out)
    return out


def gaps(sent_at_us: Int64, starts: Int64) -> tuple[Float64, Float64, Float64]:
    """Floor (s), median (s) and longest (h) of each account's gaps between requests.

    Parameters: as `burstiness`. Returns three float64 arrays of shape (n_accounts,); NaN under two
    requests. The floor is the 5th percentile, as an observed gap: a client's fixed delay shows in it.

    Raises
    ------
    ValueError : as `burstiness`.
    """
    check_segments(sent_at_us, starts)
    floor_us, median_us, longest_us = (np.empty(len(starts) - 1) for _ in range(3))
    kernels.gaps_kernel(sent_at_us, starts, floor_us, median_us, longest_us)
    return floor_us / US_PER_S, median_us / US_PER_S, longest_us / US_PER_H


def hour_counts(sent_at_us: Int64, starts: Int64) -> Int32Table:
    """Requests of each account in each UTC hour of the day: int32, shape (n_accounts, 24).

    Raises
    ------
    ValueError : as `burstiness`.
    """
    check_segments(sent_at_us, starts)
    counts = np.zeros((len(starts) - 1, HOURS), np.int32)
    kernels.hours_kernel(sent_at_us, starts, counts)
    return counts


def hour_entropy_bits(counts: Int32Table) -> Float64:
    """Shannon entropy of each account's hours: float64, shape (n_accounts,), bits, 0 to log2(24).

    0 when all falls into one hour; NaN for an account without requests.
    """
    total = counts.sum(axis=1, keepdims=True).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = counts / total
        # an empty hour adds nothing: x log x goes to 0 with x
        bits = np.where(share > 0, -share * np.log2(share), 0.0).sum(axis=1)
    return np.where(total[:, 0] > 0, bits, np.nan)


def busiest_hour_share(counts: Int32Table) -> Float64:
    """Share of each account's requests in its busiest hour, 1/24 to 1; NaN without requests."""
    total = counts.sum(axis=1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, counts.max(axis=1, initial=0) / total, np.nan)


def sleepless_hours(hour_mask: npt.NDArray[np.integer]) -> Float64:
    """Hours with a request within the eight consecutive hours that hold the fewest, midnight passed over.

    Parameters
    ----------
    hour_mask : integers, shape (n_accounts,), hour h of the day as bit h; a mask of several nights is their
    union

    Returns
    -------
    float64, shape (n_accounts,), hours, 0 to 8: 0 for whoever rests for eight hours, in any time zone; 8 for
        what never pauses for an hour. Never NaN: without a request nothing is awake.

    Source: AA26-251A, indicator 1 (round-the-clock use with no human variation); the measure is ours.
    """
    twice = hour_mask.astype(np.int64) | hour_mask.astype(np.int64) << HOURS
    stretch = (1 << SLEEP_H) - 1
    least = np.full(len(hour_mask), SLEEP_H, np.uint8)
    for first in range(HOURS):
        np.minimum(least, np.bitwise_count((twice >> first) & stretch), out=least)
    return least.astype(np.float64)


def check_segments(sent_at_us: Int64, starts: Int64) -> None:
    """Raise ValueError unless `starts` partitions the rows and time ascends within every account."""
    if len(starts) == 0 or starts[0] != 0 or starts[-1] != len(sent_at_us) or np.any(np.diff(starts) < 0):
        raise ValueError("starts must partition the rows: 0, ascending, number of rows")
    steps_back = np.flatnonzero(np.diff(sent_at_us) < 0) + 1
    if not np.isin(steps_back, starts).all():
        raise ValueError("times must ascend within an account")
