"""Who gets which request at which second: dealing, newcomers, customers of a relay, fail-over.

Here: accounts and times of one night. Not here: what is asked (plan, operation), general arrival times
(rhythm). Times are seconds from midnight UTC.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.simulate.campaigns.plan import Style
from pipelines.simulate.rhythm import (
    AWAKE,
    DAY_S,
    ROUND_THE_CLOCK,
    Arrivals,
    dealt,
    mimicked,
    pulse,
    renewal,
    singles,
    sittings,
)
from pipelines.simulate.texts.grammar import Rng

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STICKY_S = 3_600.0
"""A conversation stays with one account so long; then the relay deals anew."""
_BURST_S = 40.0
"""After the first refusal for load, an account's requests fail for so long before the client gives up."""
_RETRY_S = 4.0
"""Median wait until a failed item is sent again, by a sibling."""

_SHIFTS = np.array([1, 5, 6, 6, 5, 3, 5, 6, 6, 6, 5, 3, 2, 4, 5, 4, 2, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
"""Two long shifts of one team, whatever country the accounts claim; UTC."""


def spread(style: Style, n: int, staff: Ints, utc_offset_h: Ints, rng: Rng) -> Arrivals:
    """Deal `n` requests over a staff.

    Parameters
    ----------
    staff : int64, at least one account, in the order in which they are dealt to
    utc_offset_h : int64, shape (len(staff),)
    """
    if style.even and style.clock == "local":
        return mimicked(n, AWAKE, staff, utc_offset_h, rng)
    curve = {"pulse": pulse(rng), "shifts": _SHIFTS, "flat": ROUND_THE_CLOCK, "local": AWAKE}[style.clock]
    if style.even:
        return dealt(n, curve, staff, rng)
    weights = rng.uniform(0.8, 1.2, len(staff))
    counts = rng.multinomial(n, weights / weights.sum()).astype(np.int64)
    offset = utc_offset_h if style.clock == "local" else np.zeros(len(staff), np.int64)
    arrivals = renewal(counts, curve, 1.3, offset, rng)
    return singles(staff[arrivals.account], arrivals.second)


def squeezed(second: Floats, since_s: Floats) -> Floats:
    """A newcomer does its night's share in the hours that are left after it signed up."""
    return np.asarray(since_s + second * (DAY_S - since_s) / DAY_S)


@dataclass(frozen=True, slots=True)
class Customers:
    """Conversations of a relay's customers, in order of conversation and turn.

    `arrivals.session` counts sessions as the log sees them: a conversation that outlives the sticky hour
    goes on in a new one, on another account.
    """

    arrivals: Arrivals
    conversation: Ints
    """Number of the conversation, from 0."""

    @property
    def starts(self) -> npt.NDArray[np.bool_]:
        """Where a conversation begins."""
        fresh = np.ones(len(self.conversation), bool)
        fresh[1:] = self.conversation[1:] != self.conversation[:-1]
        return fresh


def customers(n: int, staff: Ints, turns: float, rng: Rng) -> Customers:
    """About `n` messages of ordinary people, dealt to the account that rested longest, for an hour each."""
    people = max(1, round(n / turns))
    # A relay's customers live everywhere, wherever its accounts claim to be.
    offsets = rng.integers(-8, 11, people)
    talk = sittings(np.ones(people), turns, 75.0, offsets, rng)
    if len(talk) == 0:
        return Customers(talk, talk.session)
    first = np.flatnonzero(talk.starts)
    length = np.diff(np.append(first, len(talk)))
    conversation = np.repeat(np.arange(len(first)), length)
    elapsed = talk.second - talk.second[first][conversation]
    hop = (elapsed // STICKY_S).astype(np.int64)
    fresh = np.ones(len(talk), bool)
    fresh[1:] = (conversation[1:] != conversation[:-1]) | (hop[1:] != hop[:-1])
    session = np.cumsum(fresh) - 1
    begins = talk.second[fresh]
    place = np.empty(len(begins), np.int64)
    place[np.argsort(begins, kind="stable")] = np.arange(len(begins))
    account = staff[place % len(staff)][session]
    return Customers(Arrivals(account, talk.second, session, talk.turn), conversation)


def conversations(n: int, staff: Ints, utc_offset_h: Ints, turns: float, rng: Rng) -> Customers:
    """About `n` messages in which each account plays a person of its own, awake by its own clock."""
    talk = sittings(np.full(len(staff), n / turns / len(staff)), turns, 75.0, utc_offset_h, rng)
    return Customers(Arrivals(staff[talk.account], talk.second, talk.session, talk.turn), talk.session)


@dataclass(frozen=True, slots=True)
class Sent:
    """What went over the wire in the end: each request once, those that failed once more."""

    row: Ints
    """The request, as it was planned."""
    account: Ints
    second: Floats
    failed: npt.NDArray[np.bool_]
    retried: npt.NDArray[np.bool_]
    """Sent before, in vain."""


def fail_over(arrivals: Arrivals, staff: Ints, since_s: Floats, style: Style, rng: Rng) -> Sent:
    """Accounts run into limits; a sibling takes over what failed, and what falls in the cool-down.

    A staff of one has no sibling: it tries again itself.

    Parameters
    ----------
    since_s : float64, one entry per account of the crowd; nobody takes over before it signed up
    """
    n, owner, second = len(arrivals), arrivals.account, arrivals.second
    order = np.lexsort((second, owner))
    tripped = rng.random(n) < style.trips
    at = np.where(tripped[order], second[order], -np.inf)
    since_trip = np.full(n, np.inf)
    since_trip[order] = second[order] - _latest(at, owner[order])
    failed = since_trip < _BURST_S
    alone = len(np.unique(staff)) < 2
    moved = (since_trip < style.cool_down_s) & ~failed & (not alone)
    account = np.where(moved, _siblings(owner, staff, rng), owner)
    account = np.where(since_s[account] <= second, account, owner)
    again = np.flatnonzero(failed)
    later = (
        second[again]
        + (style.cool_down_s if alone else 0.0)
        + rng.lognormal(np.log(_RETRY_S), 0.5, len(again))
    )
    heirs = owner[again] if alone else _siblings(owner[again], staff, rng)
    heirs = np.where(since_s[heirs] <= later, heirs, owner[again])
    return Sent(
        row=np.concatenate((np.arange(n), again)),
        account=np.concatenate((account, heirs)),
        second=np.minimum(np.concatenate((second, later)), DAY_S - 0.001),
        failed=np.concatenate((failed, np.zeros(len(again), bool))),
        retried=np.concatenate((np.zeros(n, bool), np.ones(len(again), bool))),
    )


def _latest(at: Floats, owner: Ints) -> Floats:
    """The last finite value so far within each owner's stretch of rows; -inf before the first."""
    if len(at) == 0:
        return at
    rows = np.arange(len(at))
    seen = np.maximum.accumulate(np.where(np.isfinite(at), rows, -1))
    first = np.maximum.accumulate(np.where(np.append(True, owner[1:] != owner[:-1]), rows, 0))
    return np.asarray(np.where(seen >= first, at[np.maximum(seen, 0)], -np.inf))


def _siblings(account: Ints, staff: Ints, rng: Rng) -> Ints:
    """Another account of the staff for each."""
    ordered = np.unique(staff)
    step = rng.integers(1, max(2, len(ordered)), len(account))
    return np.asarray(ordered[(np.searchsorted(ordered, account) + step) % len(ordered)])
