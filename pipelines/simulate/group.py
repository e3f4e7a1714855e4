"""What a kind is made of: a crowd of accounts and what they do on a night.

Here: the seam between kinds, campaigns and the world. Not here: any particular behaviour.

A world is a pure function of its scenario, seed, split, pools and bans: any night can be made without the
nights before it. So a kind keeps nothing that changes from night to night; what it decides for good it
draws when it is made, what belongs to one night it draws from that night's own stream.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from zlib import crc32

import numpy as np
import numpy.typing as npt

from pipelines.simulate.population import Crowd, Profile, enrol
from pipelines.simulate.texts import Texts, Work
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

Ints = npt.NDArray[np.int64]

NEVER = 1 << 62
"""A night, or a time in microseconds, that does not come."""


@dataclass(frozen=True, slots=True)
class Night:
    """One night of one group.

    Attributes
    ----------
    number : 0 is the first night of the world
    rng : the group's stream of this night
    banned_on : int64, shape (n_accounts,): the night from which on each account is shut, NEVER when it is not
    """

    number: int
    rng: Rng
    banned_on: Ints

    @property
    def is_shut(self) -> npt.NDArray[np.bool_]:
        """Accounts that were banned before this night; what they would send is dropped by the world."""
        return self.banned_on <= self.number


Day = Callable[[Night], list[Traffic]]
"""One night to its requests."""

SignUps = Callable[[Ints], Ints]
"""`banned_on` to microseconds from the first midnight at which each account signs up: negative before the
world began, NEVER when it does not exist (an operator's replacement nobody needed)."""


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts of one kind and their habits."""

    crowd: Crowd
    day: Day
    signups: SignUps | None = None
    """Without it every account was there before the world began."""
    works: tuple[Work, ...] = ()
    """Of a campaign: its instructions and queues, of which a bystander may know one."""


@dataclass(frozen=True, slots=True)
class World:
    """What all kinds share."""

    seed: int
    first_day: date
    n_days: int
    """Nights of the whole scenario, however many of them are written."""
    release_day: int
    """Night (0-based) on which a new model comes out; everybody may move to it in part."""
    texts: Texts
    split: str = "all"
    """`tune`, `report` or `all`: which half of sources, texts and random streams this world is made of."""

    def rng(self, *purpose: str | int) -> Rng:
        """A random stream of its own for each purpose: adding one kind leaves all others as they were."""
        words = [part if isinstance(part, int) else crc32(part.encode()) for part in (self.split, *purpose)]
        return np.random.default_rng(np.random.SeedSequence([self.seed, *words]))

    def bustle(self, number: int, weekend: float) -> float:
        """How busy a night is: 1 from Monday to Friday, `weekend` on the other days."""
        return 1.0 if (self.first_day + timedelta(days=number)).weekday() < 5 else weekend

    def enrol(self, profile: Profile, n: int, rng: Rng) -> Crowd:
        """Draw accounts of this world."""
        return enrol(profile, n, rng, first_day=self.first_day, release_day=self.release_day)
