"""Ties as a table, and how strong evidence is.

Here: the kinds, what a strength means, what it takes to be kept. Not here: what makes a tie of one kind
(contract, source, wording, fragments), groups of tied families (groups).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from detector.text.ties.holdings import Floats, Ints

KINDS = ("contract", "source", "wording", "fragments")
"""Codes of `Ties.kind` are positions in this tuple."""

MOST_STRENGTH = 8.0
"""No kind alone says more than three thousand to one: what would have to be wrong is our model of chance."""

LEAST_STRENGTH = 1.0
"""Weaker ties are not kept."""


@dataclass(frozen=True, slots=True)
class Ties:
    """Ties between n families, each pair once a kind, ordered by pair and kind.

    first, second : int64; first < second
    kind : int8; a position in KINDS
    strength : float64; natural log of how much likelier this is between two families of one operator than
        between unrelated ones; LEAST_STRENGTH to MOST_STRENGTH
    """

    first: Ints
    second: Ints
    kind: npt.NDArray[np.int8]
    strength: Floats

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def none(cls) -> Self:
        """No ties."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0))

    @classmethod
    def together(cls, parts: Sequence["Ties"]) -> Self:
        """Ties of several kinds in one table."""
        if not parts:
            return cls.none()
        first, second = (
            np.concatenate([getattr(part, side) for part in parts]) for side in ("first", "second")
        )
        kind = np.concatenate([part.kind for part in parts])
        order = np.lexsort((kind, second, first))
        strength = np.concatenate([part.strength for part in parts])
        return cls(first[order], second[order], kind[order], strength[order])

    def touching(self, wanted: npt.NDArray[np.bool_]) -> Self:
        """Those with an end among the wanted families: tonight's, when earlier ones are given too."""
        kept = wanted[self.first] | wanted[self.second]
        return type(self)(self.first[kept], self.second[kept], self.kind[kept], self.strength[kept])

    def added(self) -> tuple[Ints, Ints, Floats, Ints]:
        """One row per pair: (first, second, sum of strengths, number of kinds)."""
        if len(self) == 0:
            return self.first, self.second, self.strength, np.empty(0, np.int64)
        begins = np.flatnonzero(
            (np.diff(self.first, prepend=-1) != 0) | (np.diff(self.second, prepend=-1) != 0)
        )
        n_kinds = np.diff(begins, append=len(self))
        return self.first[begins], self.second[begins], np.add.reduceat(self.strength, begins), n_kinds


def kept_ties(kind: str, first: npt.ArrayLike, second: npt.ArrayLike, strength: Floats) -> Ties:
    """Keep what is strong enough, capped and in order."""
    kept = strength >= LEAST_STRENGTH
    low, high = np.asarray(first, np.int64)[kept], np.asarray(second, np.int64)[kept]
    order = np.lexsort((high, low))
    code = np.full(len(order), KINDS.index(kind), np.int8)
    return Ties(low[order], high[order], code, np.minimum(strength[kept], MOST_STRENGTH)[order])


def evidence_of(minus_log_p: Floats) -> Floats:
    """What a p-value is worth as a log-likelihood ratio, at most: -ln(e p ln(1/p)), 0 for p above 1/e.

    Taking the p-value itself would count "this or anything stranger" as if it were this.

    Source: Sellke, Bayarri, Berger, The American Statistician 55 (2001) 62.
    """
    logs = np.maximum(minus_log_p, 1.0)
    worth: Floats = logs - 1.0 - np.log(logs)
    return worth


def excess_over_chance(seen: Floats, by_chance: Floats) -> Floats:
    """Log ratio of two Poisson laws, one with the mean seen and one with that by chance (above 0); 0 where no
    more is seen than chance gives."""
    ratio = np.maximum(seen / by_chance, 1.0)
    excess: Floats = seen * np.log(ratio) - np.maximum(seen - by_chance, 0.0)
    return excess
