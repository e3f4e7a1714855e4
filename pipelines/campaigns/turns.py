"""How the requests of a group's accounts follow one another.

Here: choosing a bounded sample of each group's requests: those that follow its texts, or all where there are
none. Not here: the measure and what it is evidence of (detector.campaigns).
"""

from collections.abc import Sequence
from datetime import date

import duckdb
import numpy as np

from detector import campaigns as detect
from pipelines.campaigns.samples import Int64, Requests, Samples, whatever_they_sent

GROUPS_AT_ONCE = 256
"""Groups whose requests are sorted at a time: half a million of the sample, whatever the night has."""


def measure_turns(con: duckdb.DuckDBPyConnection, day: date, samples: Samples) -> list[detect.Turns]:
    """How each group's requests follow one another, in the order of the groups."""
    templated = samples.templated.first_attempts()
    rows = [
        templated.chosen(members, families)
        for members, families in zip(samples.members, samples.families, strict=True)
    ]
    found = _measured(templated, rows)
    without = np.flatnonzero([len(chosen) == 0 for chosen in rows])
    if len(without):
        sent = whatever_they_sent(con, day, samples, without)
        of_these = _measured(sent, [sent.chosen(samples.members[at]) for at in without])
        for at, turns in zip(without, of_these, strict=True):
            found[at] = turns
    return found


def _measured(requests: Requests, rows: Sequence[Int64]) -> list[detect.Turns]:
    """Turns of samples, given by their rows."""
    found: list[detect.Turns] = []
    for first in range(0, len(rows), GROUPS_AT_ONCE):
        some = rows[first : first + GROUPS_AT_ONCE]
        chosen = np.concatenate(some)
        group = np.repeat(np.arange(len(some)), [len(one) for one in some])
        found += detect.turns_of(group, requests.account[chosen], requests.sent_at_us[chosen], len(some))
    return found
