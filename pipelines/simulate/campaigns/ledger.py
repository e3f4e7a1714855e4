"""How much a campaign does each night, and where in its work queue it stands.

Here: the amount of every night, settled when the campaign is made. So the position in the queue is a
function of the night alone: nothing is dealt twice before the queue wraps, whoever is banned meanwhile.
Not here: the items themselves (texts), who takes which (dispatch).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ledger:
    """A block of the queue for every night."""

    starts: Ints
    """shape (n_nights + 1,); night i owns the places starts[i] up to starts[i + 1]."""

    def block(self, number: int) -> tuple[int, int]:
        """First place of a night and how many there are; none after the last planned night."""
        if number + 1 >= len(self.starts):
            return int(self.starts[-1]), 0
        return int(self.starts[number]), int(self.starts[number + 1] - self.starts[number])


def planned(amount: Floats) -> Ledger:
    """The ledger of nightly amounts: float64, shape (n_nights,), rounded so that no share is lost."""
    return Ledger(np.concatenate(([0], np.rint(np.cumsum(amount)))).astype(np.int64))
