"""When requests arrive: sittings of people, steady machines, runs with a beginning and an end.

Here: arrival times within one UTC day. Not here: who sends and what. All times are seconds from
midnight UTC; whatever would spill over midnight is left out, as the next day draws its own.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.simulate.grammar import Rng

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86_400.0

# Share of a person's sittings by local hour: little at night, a dip at noon, an evening peak.
AWAKE = np.array(
    [2, 1, 0.6, 0.4, 0.4, 0.7, 1.6, 3, 5, 6.4, 6.8, 6.4, 5.2, 5.8, 6.4, 6.4, 6, 5.4, 5, 5.4, 6, 5.8, 4.6, 3.2]
)
OFFICE = np.array(
    [0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.8, 3, 8, 11, 11, 10, 6, 9, 11, 10, 8, 5, 2.5, 1.5, 1, 0.8, 0.5, 0.3]
)
ROUND_THE_CLOCK = np.ones(24)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Requests of one day, ordered by account, sitting and time."""

    account: Ints
    second: Floats
    session: Ints
    """Number of the sitting within the day; starts at 0."""
    turn: Ints
    """Place within the sitting, from 0."""

    def __len__(self) -> int:
        return len(self.account)

    @property
    def starts(self) -> npt.NDArray[np.bool_]:
        """Where a sitting begins (as far as it lies within the day)."""
        if len(self.session) == 0:
            return np.zeros(0, bool)
        return np.concatenate(([True], self.session[1:] != self.session[:-1]))


def hours(n: int, weights: Floats, utc_offset_h: Ints | int, rng: Rng) -> Floats:
    """Times of day that follow a local daily curve."""
    local = rng.choice(24, n, p=weights / weights.sum()) + rng.random(n)
    return ((local - utc_offset_h) % 24) * 3_600.0


def sittings(
    expected: Floats, turns: float, pause_s: float, utc_offset_h: Ints, rng: Rng, weights: Floats = AWAKE
) -> Arrivals:
    """People: some sittings a day, each with a few turns and pauses in between.

    Parameters
    ----------
    expected : float64, shape (n_accounts,); mean number of sittings today
    turns : mean number of messages in a sitting, at least 1
    pause_s : median pause between messages
    """
    per_account = rng.poisson(expected)
    owner = np.repeat(np.arange(len(expected)), per_account)
    start = hours(len(owner), weights, utc_offset_h[owner], rng)
    length = rng.geometric(1.0 / turns, len(owner))
    session = np.repeat(np.arange(len(owner)), length)
    first = np.cumsum(length) - length
    turn = np.arange(len(session)) - first[session]
    pause = rng.lognormal(np.log(pause_s), 0.9, len(session))
    pause[turn == 0] = 0.0
    elapsed = np.cumsum(pause)
    second = start[session] + elapsed - elapsed[first[session]] if len(session) else start[session]
    return _within_the_day(Arrivals(owner[session], second, session, turn))


def scattered(counts: Ints, weights: Floats, utc_offset_h: Ints, rng: Rng) -> Arrivals:
    """Machines: single requests over the day, following a daily curve."""
    owner = np.repeat(np.arange(len(counts)), counts)
    second = hours(len(owner), weights, utc_offset_h[owner], rng)
    return singles(owner, second)


def run(counts: Ints, start_s: Floats, length_s: Floats, rng: Rng) -> Arrivals:
    """Batches: as many requests as wanted between a start and an end, evenly with jitter."""
    owner = np.repeat(np.arange(len(counts)), counts)
    second = start_s[owner] + rng.random(len(owner)) * length_s[owner]
    return _within_the_day(singles(owner, second))


def singles(owner: Ints, second: Floats) -> Arrivals:
    """Requests that stand alone, in order of account and time."""
    order = np.lexsort((second, owner))
    numbers = np.arange(len(owner))
    return Arrivals(owner[order], second[order], numbers, np.zeros(len(owner), np.int64))


def together(a: Arrivals, b: Arrivals) -> Arrivals:
    """Two kinds of activity of the same crowd."""
    shift = int(a.session.max()) + 1 if len(a) else 0
    return Arrivals(
        np.concatenate((a.account, b.account)),
        np.concatenate((a.second, b.second)),
        np.concatenate((a.session, b.session + shift)),
        np.concatenate((a.turn, b.turn)),
    )


def _within_the_day(arrivals: Arrivals) -> Arrivals:
    keep = arrivals.second < DAY_S
    return Arrivals(
        arrivals.account[keep], arrivals.second[keep], arrivals.session[keep], arrivals.turn[keep]
    )
