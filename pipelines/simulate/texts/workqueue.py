"""The queue of a campaign: fixed instructions, and items that are put into them by number.

Here: `Queue`, the `Work` of every source. Not here: who writes the instructions and the items
(own_work, pool_work), who takes which item (campaigns).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.texts.promise import MIN_AREAS, Framed, Indices

N_ITEMS = 20_000
"""Items of a queue that is written, at most; queues of whole real requests are as long as their source."""


@dataclass(frozen=True, slots=True)
class Around:
    """The fixed words of some instructions; number f is in language f modulo the number of languages."""

    befores: pa.Array
    afters: pa.Array
    systems: pa.Array | None = None


NOTHING = Around(pa.array([""], pa.string()), pa.array([""], pa.string()))
"""Around items that are whole requests and have nothing in common."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Instructions and items, written once; a request takes one of each by number."""

    around: Around
    items: pa.Array
    """Items of the first language, then those of the second ..., n_items of each."""
    areas: Indices
    n_languages: int = 1
    item_around: Indices | None = None
    """Where items were rendered by others, each in the instruction of its source: which one that is."""
    item_systems: pa.Array | None = None
    """System prompts that such items bring along."""

    @property
    def n_items(self) -> int:
        return len(self.items) // self.n_languages

    @property
    def n_frames(self) -> int:
        return len(self.around.befores) if self.item_around is None else 1

    def texts(self, frame: Indices, item: Indices, rng: Rng) -> Framed:
        number = item % self.n_items
        chosen = frame % self.n_frames if self.item_around is None else self.item_around[number]
        index = pa.array(chosen)
        row = pa.array(number + frame % self.n_frames % self.n_languages * self.n_items)
        systems = None if self.around.systems is None else self.around.systems.take(index)
        if self.item_systems is not None:
            systems = self.item_systems.take(row)
        return Framed(
            self.around.befores.take(index), self.items.take(row), self.around.afters.take(index), systems
        )


def equal_areas(n_items: int, n_areas: int = MIN_AREAS) -> Indices:
    """First item of each of some pieces of equal length; fewer pieces only where there are fewer items."""
    return np.unique(np.arange(max(n_areas, MIN_AREAS), dtype=np.int64) * n_items // max(n_areas, MIN_AREAS))


def queue_of(around: Around, banks: Sequence[pa.Array], areas: Indices) -> Queue:
    """A queue with the items of each language in a bank of its own; banks are equally long."""
    items = pa.concat_arrays([bank.cast(pa.string()) for bank in banks])
    return Queue(around, items, areas, len(banks))
