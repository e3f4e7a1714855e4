"""How much better one order of decided cases is than another, and how sure that is.

Here: pairs in the right order, and the interval around their difference. Not here: the orders (rerank,
reorder).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.models.base import Float64

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

N_RESAMPLES = 1_000
LEVEL = 0.95
"""Of the interval around the gain: twenty-five of so many resamples lie beyond either of its ends."""


@dataclass(frozen=True, slots=True)
class Later:
    """The decided cases of one night, in two orders.

    approved : bool, shape (n,): else dismissed; some of both
    present, learned : int64, shape (n,): places, smaller first; equal ones say nothing of their order
    """

    approved: Bool
    present: Int64
    learned: Int64


def gain(later: Sequence[Later]) -> tuple[float, float, float, float]:
    """Shares of pairs in the right order, present and learned, and the interval of their difference.

    Nights are drawn anew, and then the cases of each: decisions of one night resemble one another, and
    taken as independent they would promise too much (Davison, Hinkley, Bootstrap Methods, 1997, section
    3.8).
    """
    rng = np.random.default_rng(0)
    present, learned, pairs = np.zeros((3, 1 + N_RESAMPLES))  # first the night as it was
    n_drawn = rng.multinomial(len(later), np.full(len(later), 1 / len(later)), N_RESAMPLES)
    for night, times in zip(later, n_drawn.T, strict=True):
        n = len(night.approved)
        drawn = rng.multinomial(n, np.full(n, 1 / n), N_RESAMPLES)
        counts = np.vstack([np.ones((1, n), np.int64), drawn * times[:, None]])
        often = np.maximum([1, *times], 1)  # a night drawn twice has twice its pairs, not four times
        present += _in_order(night.approved, night.present, counts) / often
        learned += _in_order(night.approved, night.learned, counts) / often
        pairs += counts[:, night.approved].sum(axis=1) * counts[:, ~night.approved].sum(axis=1) / often
    gains = (learned - present)[1:] / np.maximum(pairs[1:], 1)
    low, high = np.quantile(gains, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)).tolist()
    return float(present[0] / pairs[0]), float(learned[0] / pairs[0]), low, high


def _in_order(approved: Bool, place: Int64, counts: Int64) -> Float64:
    """float64, shape (n_resamples,): pairs with the approved case first, one of equal places counting half.

    counts : int64, shape (n_resamples, n): how often each case was drawn
    """
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    of_each = [
        np.add.reduceat(counts[:, order] * (approved[order] == sort), starts, axis=1) for sort in (1, 0)
    ]
    ahead, behind = of_each
    beyond = behind.sum(axis=1, keepdims=True) - np.cumsum(behind, axis=1)
    return np.asarray((ahead * (beyond + behind / 2)).sum(axis=1), np.float64)
