"""Another order of the queue that can only reorder: nobody is hidden, nobody is talked far down.

Here: what may change places, and how far. Not here: what the order goes by (rerank).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.models.base import Float64

Int64 = npt.NDArray[np.int64]

MOST_TIMES = 2
"""A case is never pushed further than so many times its own place: for every case that is read because of
past decisions another one is read because of its evidence. So nobody can be talked far down, and people go on
deciding about what the model thinks little of, without which it would only ever confirm itself."""


def runs(bands: Sequence[object] | npt.NDArray[Any]) -> Int64:
    """int64, shape (n,): the number of the stretch of equal bands each case of the present order is in."""
    named = np.unique([str(band) for band in bands], return_inverse=True)[1]
    return np.asarray(np.cumsum(np.diff(named, prepend=named[:1]) != 0), np.int64)


def reordered(group: npt.NDArray[Any], log_odds: Float64) -> Int64:
    """The order that past decisions suggest, as positions in the present one.

    Parameters
    ----------
    group : shape (n,), in the present order: cases change places only with those of their own group
    log_odds : float64, shape (n,): what was learned, higher first; NaN leaves a case where it is

    Returns
    -------
    int64, shape (n,): every position once. The places of a group stay that group's. Within it the case at
        place k by the present order comes at place MOST_TIMES * k at the latest; equal log-odds keep the
        present order.
    """
    out = np.arange(len(log_odds))
    known = np.isfinite(log_odds)
    for one in np.unique(group[known]).tolist():
        rows = np.flatnonzero(known & (group == one))
        out[rows] = rows[_bounded(log_odds[rows])]
    return out


def _bounded(log_odds: Float64) -> list[int]:
    """Highest first, but whoever would come too late at once: one case at most falls due at each place."""
    wanted = iter(np.argsort(-log_odds, kind="stable").tolist())
    placed = np.zeros(len(log_odds), np.bool_)
    order: list[int] = []
    for place in range(1, len(log_odds) + 1):
        own, rest = divmod(place, MOST_TIMES)
        at = own - 1
        if rest or placed[at]:
            at = next(row for row in wanted if not placed[row])
        placed[at] = True
        order.append(at)
    return order
