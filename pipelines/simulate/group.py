"""What a kind is made of: a crowd of accounts and what they do on a day.

Here: the seam between kinds, campaigns and the world. Not here: any particular behaviour.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from zlib import crc32

import numpy as np

from pipelines.simulate.grammar import Rng
from pipelines.simulate.population import Crowd, Profile, enrol
from pipelines.simulate.texts import Texts
from pipelines.simulate.traffic import Traffic

Day = Callable[[int, Rng], list[Traffic]]
"""Number of the night (0-based) and its random stream, to that night's requests."""


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts of one kind and their habits."""

    crowd: Crowd
    day: Day


@dataclass(frozen=True, slots=True)
class World:
    """What all kinds share."""

    seed: int
    first_day: date
    n_days: int
    release_day: int
    """Night (0-based) on which a new model comes out; everybody may move to it in part."""
    texts: Texts

    def rng(self, *purpose: str | int) -> Rng:
        """A random stream of its own for each purpose: adding one kind leaves all others as they were."""
        words = [part if isinstance(part, int) else crc32(part.encode()) for part in purpose]
        return np.random.default_rng(np.random.SeedSequence([self.seed, *words]))

    def bustle(self, number: int, weekend: float) -> float:
        """How busy a night is: 1 from Monday to Friday, `weekend` on the other days."""
        return 1.0 if (self.first_day + timedelta(days=number)).weekday() < 5 else weekend

    def enrol(self, profile: Profile, n: int, rng: Rng) -> Crowd:
        """Draw accounts of this world."""
        return enrol(profile, n, rng, first_day=self.first_day, release_day=self.release_day)
