"""Evidence from when it is sent: loads, turns, the hours of the day, who takes over what was refused.

Here: one function per piece. Not here: what is sent (content).
"""

import math

import numpy as np

from detector.campaigns.evidence.piece import LEAST_COMPARED, Evidence
from detector.campaigns.group import Group
from detector.campaigns.measures import ramp, trough
from detector.campaigns.population import Float64
from detector.campaigns.shares import lower_share
from detector.campaigns.turns import clumping


def even_load(group: Group) -> Evidence | None:
    """Whether the accounts carry equal loads, as a scheduler deals them and people never do."""
    n = group.population.n_requests[group.members]
    if len(n) < LEAST_COMPARED or n.mean() < 2:
        return None
    n = np.sort(n)[
        : max(LEAST_COMPARED, int(np.ceil(0.95 * len(n))))
    ]  # a few replaced or banned accounts tell nothing
    # Variance beyond a Poisson count's own, relative to the mean squared: 1/k of a negative binomial. A dozen
    # accounts may be even by chance: what counts is the most it may be, two standard errors up.
    variance = max(float(n.var()), float(n.mean()))
    excess = max(float((n.var() - n.mean()) / n.mean() ** 2), 0.0)
    at_most = max(excess + 2 * np.sqrt(2 / (len(n) - 1)) * variance / n.mean() ** 2, 0.02)
    points = ramp(np.log10(at_most), (-1.0, 2.0), (-0.5, 1.0), (0.0, 0.0), (0.6, -1.5))
    # Whoever does a thing once or twice is as even as a scheduler: evenness speaks from several requests on.
    said = ramp(float(n.mean()), (2.0, 0.0), (5.0, 1.0))
    return Evidence(
        "timing", "EVEN_LOAD", "spread of requests per account beyond chance (0 is a scheduler's)",
        excess, "1 to 5 for people and customers",
        points * said if points > 0 else points,
    )  # fmt: skip


def taking_turns(group: Group) -> Evidence | None:
    """Whether the members' requests take turns, as a scheduler deals them, or come in sittings, as people's
    do."""
    if group.turns is None or group.turns.n_by_chance < LEAST_PAIRS:
        return None
    times = clumping(group.turns)
    # Programs that know nothing of each other send at any time of a common day, and so do accounts to which
    # work is dealt at random: only turns that chance does not explain speak for one scheduler.
    points = ramp(math.log2(max(times, 1 / 16)), (-1.0, 1.5), (0.0, 0.25), (1.6, 0.0), (2.6, -1.5))
    return Evidence(
        "timing", "TAKING_TURNS", "how often an account's requests follow closely, against chance",
        times, "4 to 10 where people sit down and ask, 1 to 3 for programs", points,
    )  # fmt: skip


LEAST_PAIRS = 3.0
"""Near pairs that chance alone brings: with fewer there would be none however work is dealt."""


def taken_over(group: Group) -> Evidence | None:
    """Whether what one member was refused another one sends next: a client that holds the keys of both.

    Counted are refusals that tell something: of prompts that chance hardly brings to another account within
    minutes (fail_over). Whoever gives up, waits or tries again on its own account counts against.
    """
    passed_on, refused = group.passed_on
    if refused < LEAST_REFUSED:
        return None
    share = min(passed_on / refused, 1.0)
    # Somebody asks a friend to try; a client with several accounts does so each time. Small talk that hides
    # the work is not worth a second try, so not all need be passed on. Whoever resells does it, too, as a
    # rule: odds of e, however sure.
    points = ramp(lower_share(share, refused), (0.05, 0.0), (0.4, 1.0))
    return Evidence(
        "timing", "FAIL_OVER", "share of refused requests that another account of the group sent next",
        share, "under 0.02 for people and for one customer's own accounts", points,
    )  # fmt: skip


LEAST_REFUSED = 3.0
"""Refusals below which nothing is said: of two, one friend who helps is a half."""


def sleepless(group: Group) -> Evidence | None:
    """Whether the group's day has a night: trough over mean of its hourly volume."""
    hours = group.population.hour_counts[group.members].sum(axis=0)
    if hours.sum() < 24 * 8:
        return None
    quietest = trough(hours)
    everyones = group.population.once.of("day", _hourly, group.population.hour_counts)
    usual = trough(everyones - hours)
    return Evidence(
        "timing", "ROUND_THE_CLOCK", "quietest six hours of the day against the mean hour",
        quietest, f"{usual:.2f} over the night's other accounts",
        ramp(quietest - usual, (-0.4, -1.0), (-0.1, 0.0), (0.1, 0.25), (0.4, 1.0)),
    )  # fmt: skip


def _hourly(hour_counts: Float64) -> Float64:
    total: Float64 = hour_counts.sum(axis=0)
    return total
