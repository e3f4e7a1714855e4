"""Who works for a campaign tonight: places in its pool, and the accounts that hold them one after another.

Here: replacement after bans, rotation without bans, and the sign-ups both bring. Not here: what an account
does once it holds a place (operation). Nothing is remembered: a night is worked out from the bans so far.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.simulate.group import NEVER
from pipelines.simulate.population import DAY_US
from pipelines.simulate.texts.grammar import Rng

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RESERVE_SHARE = 1.0
"""Accounts an operator holds ready for bans: as many again as are at work."""
LEAST_RESERVE = 3
_NOBODY = -1
_BEFORE = -1
"""Sign-up of an account that was there before the world began."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One night's pool; arrays have one entry per place."""

    holder: Ints
    """Account that holds the place, -1 where nobody does."""
    since_s: Floats
    """Second of the night from which on it works; 0 but for newcomers."""
    lost: npt.NDArray[np.bool_]
    """Places whose account was banned for this night."""


@dataclass(frozen=True, slots=True)
class Roster:
    """A pool of places, and everybody who may come to hold one.

    Accounts 0 up to n_places - 1 hold the places first; `waves` and `reserve` are later accounts.
    """

    first_night: int
    last_night: int
    joins: Ints
    """shape (n_places,); night on which each place's first account starts."""
    part: Ints
    """shape (n_places,); which reserve answers for the place."""
    reserve: tuple[Ints, ...]
    """Accounts held ready, in the order in which they are used, per part."""
    waves: dict[int, tuple[Ints, Ints]]
    """Night to the places that get a fresh account then, ban or not, and those accounts."""
    sign_up_us: Ints
    """shape (n_accounts,); time of the night at which an account signs up, should it come to that."""
    delay_nights: int

    def shift(self, number: int, banned_on: Ints) -> Shift:
        """The pool on a night, as the bans up to that night have left it."""
        holder, since_us, lost = self._history(number, banned_on)[:3]
        midnight = number * DAY_US
        here = (holder >= 0) & (since_us < midnight + DAY_US)
        since_s = np.maximum(since_us - midnight, 0) / 1e6
        return Shift(np.where(here, holder, _NOBODY), np.where(here, since_s, 0.0), lost)

    def signups(self, banned_on: Ints) -> Ints:
        """When each account signed up: see `Group.signups`."""
        return self._history(self.last_night, banned_on)[3]

    def _history(self, last: int, banned_on: Ints) -> tuple[Ints, Ints, npt.NDArray[np.bool_], Ints]:
        """Holders and since when after a night, places lost on it, and everybody's sign-up."""
        n_places = len(self.joins)
        holder = np.arange(n_places)
        since_us = self.joins * DAY_US
        signed_up = np.full(len(banned_on), NEVER)
        signed_up[:n_places] = _BEFORE
        used = [0] * len(self.reserve)
        lost = np.zeros(n_places, bool)
        for number in range(self.first_night, min(last, self.last_night) + 1):
            if number in self.waves:
                places, fresh = self.waves[number]
                holder[places] = fresh
                since_us[places] = signed_up[fresh] = number * DAY_US + self.sign_up_us[fresh]
            lost = (holder >= 0) & (banned_on[holder] <= number)
            for part, ready in enumerate(self.reserve):
                gone = np.flatnonzero(lost & (self.part == part))
                fresh = ready[used[part] : used[part] + len(gone)]
                used[part] += len(fresh)
                taken = gone[: len(fresh)]
                holder[gone] = _NOBODY
                holder[taken] = fresh
                since_us[taken] = signed_up[fresh] = (number + self.delay_nights) * DAY_US + self.sign_up_us[
                    fresh
                ]
        return holder, since_us, lost, signed_up


@dataclass(frozen=True, slots=True)
class Rotation:
    """Accounts are retired unasked: every `every` nights one group of places of `groups` gets fresh ones."""

    every: int
    groups: int = 4


def muster(
    places_per_part: tuple[int, ...],
    nights: tuple[int, int],
    rng: Rng,
    *,
    delay_nights: int = 0,
    rotation: Rotation | None = None,
    scattered: bool = False,
) -> tuple[Roster, Ints]:
    """Plan a pool.

    Parameters
    ----------
    places_per_part : places of each part; parts have reserves of their own
    nights : first and last night (0-based) of the campaign
    scattered : newcomers sign up at any hour instead of close to one another

    Returns
    -------
    The roster, and for each account (first holders, waves, reserves) the part it belongs to.
    """
    part = np.repeat(np.arange(len(places_per_part)), places_per_part)
    n_places = len(part)
    # A few accounts are always added a night later: an operator's pool fills up.
    joins = nights[0] + (rng.random(n_places) < 0.08) if n_places > 1 else np.array([nights[0]])
    parts = [part]
    n_accounts = n_places
    waves: dict[int, tuple[Ints, Ints]] = {}
    if rotation is not None:
        for turn, number in enumerate(range(nights[0] + rotation.every, nights[1] + 1, rotation.every)):
            places = np.flatnonzero(np.arange(n_places) % rotation.groups == turn % rotation.groups)
            waves[number] = (places, n_accounts + np.arange(len(places)))
            parts.append(part[places])
            n_accounts += len(places)
    reserve = []
    for at, size in enumerate(places_per_part):
        ready = max(LEAST_RESERVE, round(RESERVE_SHARE * size))
        reserve.append(n_accounts + np.arange(ready))
        parts.append(np.full(ready, at))
        n_accounts += ready
    hour = rng.uniform(0.0, 20.0, n_accounts) if scattered else rng.gamma(4.0, 0.6, n_accounts)
    roster = Roster(
        first_night=nights[0],
        last_night=nights[1],
        joins=joins.astype(np.int64),
        part=part,
        reserve=tuple(reserve),
        waves=waves,
        sign_up_us=(np.minimum(hour + 0.2, 22.0) * 3_600e6).astype(np.int64),
        delay_nights=delay_nights,
    )
    return roster, np.concatenate(parts)
