"""When requests arrive: sittings of people, machines in bursts, runs, and one queue dealt over accounts.

Here: arrival times within one UTC day. Not here: who sends and what, nor the fitted laws behind the times
(shapes). All times are seconds from midnight UTC. Sittings and runs that reach beyond midnight are cut
there, as the next day draws its own; all other arrivals keep their number and go round the clock.

Nothing here loops over accounts or requests.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.simulate import shapes
from pipelines.simulate.texts.grammar import Rng

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86_400.0

# Share of requests by local hour, in per cent, as ServeGen's clients show it (shapes.mean_curve).
AWAKE = shapes.mean_curve("people") * (100 / 24)
"""People at home and at work: least at four, a dip at noon, a peak at eight in the evening."""
OFFICE = shapes.mean_curve("office") * (100 / 24)
"""Working hours with a lunch break and a thin evening."""
ROUND_THE_CLOCK = np.ones(24)

_PAUSE_LOG_SD = 0.9
"""Spread of pauses within a sitting. An assumption: no trace at hand follows one person. A reader takes
seconds for a line and minutes for a page, which two thirds within a factor of 2.5 allows for."""

_DISPATCH_S = 0.03
"""Least mean gap of a bursty sender: a client library does not send two requests at the very instant."""

_ROUND = 1.0 - 1e-9
"""All but the whole of a circle: a round must not overtake its own beginning by a rounding error."""


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
    """Times of day that follow a local daily curve.

    Parameters
    ----------
    weights : float64, shape (bins,), at least 0: traffic by local time, bins of equal length from midnight,
        in any unit; 24 bins are hours
    utc_offset_h : local time minus UTC, one for all or int64, shape (n,)

    Returns
    -------
    float64, shape (n,), seconds UTC, 0 up to DAY_S; in no order.
    """
    return _clock(_warped(rng.random(n), weights), utc_offset_h)


def sittings(
    expected: Floats, turns: float, pause_s: float, utc_offset_h: Ints, rng: Rng, weights: Floats = AWAKE
) -> Arrivals:
    """People: some sittings a day, each with a few turns and pauses in between.

    The length of a sitting is heavy-tailed around its mean (shapes.turns); pauses are lognormal, which is
    an assumption (`_PAUSE_LOG_SD`).

    Parameters
    ----------
    expected : float64, shape (n_accounts,); mean number of sittings today
    turns : mean number of messages in a sitting, at least 1
    pause_s : median pause between messages
    weights : float64, shape (bins,) for all, or (n_accounts, bins) for a day of its own for each account
        (shapes.daily_curves); by local time, any unit
    """
    per_account = rng.poisson(expected)
    owner = np.repeat(np.arange(len(expected)), per_account)
    start = _clock(_warped(rng.random(len(owner)), weights, owner), utc_offset_h[owner])
    length = shapes.turns(turns, len(owner), rng)
    session = np.repeat(np.arange(len(owner)), length)
    first = np.cumsum(length) - length
    turn = np.arange(len(session)) - first[session]
    pause = rng.lognormal(np.log(pause_s), _PAUSE_LOG_SD, len(session))
    pause[turn == 0] = 0.0
    elapsed = np.cumsum(pause)
    second = start[session] + elapsed - elapsed[first[session]] if len(session) else start[session]
    return _within_the_day(Arrivals(owner[session], second, session, turn))


def scattered(
    counts: Ints, weights: Floats, utc_offset_h: Ints, rng: Rng, cv: Floats | float | None = None
) -> Arrivals:
    """Machines: single requests over the day, in bursts around a daily curve, as clients of a real API send.

    Parameters
    ----------
    weights : float64, shape (bins,) for all, or (n_accounts, bins) for a day of its own for each account
    cv : as in `renewal`; None draws each account's anew (shapes.burstiness), 1 is a Poisson process. An
        account that shall be as bursty tomorrow keeps its own.
    """
    if cv is None:
        cv = shapes.burstiness(len(counts), rng)
    return renewal(counts, weights, cv, utc_offset_h, rng)


def renewal(counts: Ints, curve: Floats, cv: Floats | float, utc_offset_h: Ints | int, rng: Rng) -> Arrivals:
    """Accounts that send in bursts: a renewal process each, slowed and hurried by its daily curve.

    Gaps are Gamma with the wanted coefficient of variation while the curve is flat; the curve then warps
    the clock. The day is a circle that begins anywhere, so no account starts at midnight.

    Parameters
    ----------
    counts : int64, shape (n_accounts,); requests of each account, kept exactly
    curve : float64, shape (bins,) for all, or (n_accounts, bins); traffic by local time, any unit
    cv : coefficient of variation of gaps, one for all or float64, shape (n_accounts,), above 0: 1 is a
        Poisson process, 0.1 a metronome, 5 long silences between bursts (shapes.burstiness)
    utc_offset_h : local time minus UTC, one for all or int64, shape (n_accounts,)

    Returns
    -------
    Arrivals, ordered by account and time, each request a sitting of its own. With few requests the
    measured variation falls short of `cv`: n gaps of a fixed sum vary by sqrt((n - 1) / (n / cv**2 + 1)).

    Source of the law: ServeGen, whose windows fit Gamma gaps in 71 of 100 cases, Weibull in the others.
    """
    n = len(counts)
    owner, first = np.repeat(np.arange(n), counts), np.cumsum(counts) - counts
    shape = np.broadcast_to(1.0 / np.square(np.asarray(cv, np.float64)), (n,))[owner]
    bursts = _shares(rng.standard_gamma(shape), owner, n)
    gaps = _shares(bursts + rng.exponential(_DISPATCH_S / DAY_S, len(owner)), owner, n)
    elapsed = np.cumsum(gaps)
    part = np.minimum(elapsed - (elapsed - gaps)[first[owner]], _ROUND) + rng.random(n)[owner]
    turned = part >= 1.0
    local = _warped(part - turned, curve, owner) + turned
    day = local - np.broadcast_to(np.asarray(utc_offset_h) / 24.0, (n,))[owner]
    return _stand_alone(owner, _round_the_clock(day, counts, first, owner))


def run(counts: Ints, start_s: Floats, length_s: Floats, rng: Rng) -> Arrivals:
    """Batches: as many requests as wanted between a start and an end, evenly with jitter."""
    owner = np.repeat(np.arange(len(counts)), counts)
    second = start_s[owner] + rng.random(len(owner)) * length_s[owner]
    return _within_the_day(singles(owner, second))


def dealt(n: int, curve: Floats, accounts: Ints, rng: Rng) -> Arrivals:
    """One stream of work dealt over accounts, the one that rested longest first.

    Parameters
    ----------
    curve : float64, shape (bins,), at least 0: load of the stream over the UTC day, any unit; `pulse` draws
        that of jobs that start and end
    accounts : int64, at least one: the accounts at work, in the order in which they are dealt to

    Returns
    -------
    Arrivals of `n` requests, ordered by account and time; the loads of any two of `accounts` differ by one
    at most, and between two requests of one account every other account had its turn.
    """
    second = np.sort(hours(n, curve, 0, rng))
    return singles(np.resize(accounts, n), second)


def mimicked(n: int, curve: Floats, accounts: Ints, utc_offset_h: Ints, rng: Rng) -> Arrivals:
    """One stream over accounts that keep day and night where each claims to live.

    Parameters
    ----------
    curve : float64, shape (bins,): the day to mimic, by local time, any unit; AWAKE is that of people
    accounts : int64, at least one: the accounts at work, in the order in which they are dealt to
    utc_offset_h : int64, shape (len(accounts),): local time minus UTC of each of `accounts`

    Returns
    -------
    Arrivals of `n` requests, ordered by account and time. Accounts of one clock take turns as in `dealt`;
    the loads of any two accounts, of whatever clock, differ by one at most.
    """
    load = n // len(accounts) + (np.arange(len(accounts)) < n % len(accounts))
    clocks, clock = np.unique(utc_offset_h, return_inverse=True)
    of_clock = np.bincount(clock, weights=load, minlength=len(clocks)).astype(np.int64)
    owners = [np.resize(accounts[clock == at], size) for at, size in enumerate(of_clock.tolist())]
    seconds = [
        np.sort(hours(size, curve, offset, rng))
        for offset, size in zip(clocks.tolist(), of_clock.tolist(), strict=True)
    ]
    return singles(np.concatenate(owners), np.concatenate(seconds))


def pulse(rng: Rng, bins: int = 144) -> Floats:
    """Load of jobs that start and end by no clock: float64, shape (bins,), mean 1, for `dealt`."""
    load = rng.gamma(4.0, 1.0, bins)
    return np.asarray(load / load.mean())


def singles(owner: Ints, second: Floats) -> Arrivals:
    """Requests that stand alone, in order of account and time."""
    order = np.lexsort((second, owner))
    return _stand_alone(owner[order], second[order])


def together(a: Arrivals, b: Arrivals) -> Arrivals:
    """Two kinds of activity of the same crowd."""
    shift = int(a.session.max()) + 1 if len(a) else 0
    return Arrivals(
        np.concatenate((a.account, b.account)),
        np.concatenate((a.second, b.second)),
        np.concatenate((a.session, b.session + shift)),
        np.concatenate((a.turn, b.turn)),
    )


def so_far(arrivals: Arrivals, tokens: Ints) -> Ints:
    """What the earlier turns of each request's sitting add up to: the conversation that is sent along.

    Parameters
    ----------
    tokens : int64, shape (n_requests,): prompt and answer of each request together

    Returns
    -------
    int64, shape (n_requests,): 0 at the start of a sitting.
    """
    before = np.cumsum(tokens) - tokens
    first = np.flatnonzero(arrivals.starts)
    sitting = np.cumsum(arrivals.starts) - 1
    return np.asarray(before - before[first][sitting])


def _stand_alone(owner: Ints, second: Floats) -> Arrivals:
    return Arrivals(owner, second, np.arange(len(owner)), np.zeros(len(owner), np.int64))


def _within_the_day(arrivals: Arrivals) -> Arrivals:
    keep = arrivals.second < DAY_S
    return Arrivals(
        arrivals.account[keep], arrivals.second[keep], arrivals.session[keep], arrivals.turn[keep]
    )


def _shares(values: Floats, owner: Ints, n: int) -> Floats:
    """Values as shares of their owner's sum; where all are too small for a number, the first has it all."""
    whole = np.bincount(owner, values, minlength=n)[owner]
    is_first = np.diff(owner, prepend=-1) > 0
    return np.where(whole > 0, values / np.where(whole > 0, whole, 1.0), is_first)


def _clock(local: Floats, utc_offset_h: Ints | int) -> Floats:
    """Parts of a local day as seconds of the UTC day, going round at midnight."""
    second = (local - np.asarray(utc_offset_h) / 24.0) % 1.0 * DAY_S
    return np.asarray(np.minimum(second, np.nextafter(DAY_S, 0.0)))


def _warped(level: Floats, curve: Floats, owner: Ints | None = None) -> Floats:
    """Parts of a day at which a share `level` (0 up to 1) of a curve's traffic has passed.

    Curves of several accounts lie end to end on one line, account after account, so that a single
    interpolation serves all.
    """
    rows = np.atleast_2d(curve)
    passed = np.cumsum(rows, axis=1) / rows.sum(axis=1, keepdims=True)
    n_rows, bins = rows.shape
    passed[:, -1] = 1.0
    row = np.zeros(len(level), np.int64) if owner is None or n_rows == 1 else owner
    shares = np.concatenate(([0.0], (passed + np.arange(n_rows)[:, None]).ravel()))
    clock = np.concatenate(([0.0], np.arange(1, n_rows * bins + 1) / bins))
    return np.clip(np.interp(level + row, shares, clock) - row, 0.0, np.nextafter(1.0, 0.0))


def _round_the_clock(day: Floats, counts: Ints, first: Ints, owner: Ints) -> Floats:
    """Seconds of times that ascend from anywhere for less than a day, turned to ascend from midnight."""
    if len(day) == 0:
        return day
    midnight = np.floor(day)
    n_after = np.bincount(owner, midnight > midnight[first[owner]], minlength=len(counts)).astype(np.int64)
    place = np.arange(len(day)) - first[owner] - n_after[owner]
    place = first[owner] + place % counts[owner]
    second: Floats = np.minimum((day - midnight) * DAY_S, np.nextafter(DAY_S, 0.0))[place]
    same = owner[1:] == owner[:-1]
    while (back := np.flatnonzero((second[1:] < second[:-1]) & same)).size:
        second[back + 1] = second[back]  # rounding, some 1e-7 s
    return second
