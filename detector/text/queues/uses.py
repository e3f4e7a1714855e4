"""Uses: who sent which item of which family, each once, and sums over them.

Here: the uses of a night's families as sorted segments, and counting by family. Not here: what is measured on
them (sharing, evenness, likeness, known, order).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Measures = dict[str, npt.NDArray[Any]]
"""Some fields of `Queues` by name."""


@dataclass(frozen=True, slots=True)
class Uses:
    """Distinct (family, account, item), in that order; accounts and items are segments of them.

    row : the request that stands for each; n : requests of it; sent_at : the first of them
    account_starts : account a owns uses account_starts[a]:account_starts[a + 1]; account_family : its family
    by_item : uses by (family, item); item_starts : item i owns by_item[item_starts[i]:item_starts[i + 1]]
    """

    row: Int64
    family: Int64
    item: UInt64
    n: Int64
    sent_at: Int64
    account_starts: Int64
    account_family: Int64
    by_item: Int64
    item_starts: Int64
    item_family: Int64

    @property
    def account(self) -> Int64:
        """Of each use, which of the segments of accounts it is in."""
        return np.repeat(np.arange(len(self.account_family)), np.diff(self.account_starts))

    @property
    def sent(self) -> Float64:
        """Requests of each account in a family."""
        if len(self.n) == 0:
            return np.empty(0)
        return np.add.reduceat(self.n, self.account_starts[:-1]).astype(np.float64)

    @property
    def first_of_item(self) -> Int64:
        """The earliest use of each item."""
        return self.by_item[self.item_starts[:-1]]


def segments(*ascending: npt.NDArray[np.generic]) -> Int64:
    """Starts of runs of equal rows, and the end."""
    n = len(ascending[0])
    changes = np.zeros(n + 1, np.bool_)
    changes[0] = changes[-1] = True
    for column in ascending:
        changes[1:-1] |= column[1:] != column[:-1]
    return np.flatnonzero(changes).astype(np.int64) if n else np.zeros(1, np.int64)


def uses_of(family: Int32, account: Int32, item: UInt64, sent_at_us: Int64) -> Uses:
    """The uses among requests in any order; of equal ones the earliest stands for them."""
    order = np.lexsort((sent_at_us, item, account, family))
    starts = segments(family[order], account[order], item[order])
    row = order[starts[:-1]]
    use_family, use_account, use_item = family[row].astype(np.int64), account[row], item[row]
    account_starts = segments(use_family, use_account)
    by_item = np.lexsort((sent_at_us[row], use_item, use_family))
    item_starts = segments(use_family[by_item], use_item[by_item])
    return Uses(
        row, use_family, use_item, np.diff(starts), sent_at_us[row],
        account_starts, use_family[account_starts[:-1]],
        by_item, item_starts, use_family[by_item[item_starts[:-1]]],
    )  # fmt: skip


def sums(family: Int64, n_families: int, weights: npt.NDArray[np.generic] | None = None) -> Float64:
    """Weights by family, or how often each family stands there."""
    added: Float64 = np.bincount(family, weights, minlength=n_families).astype(np.float64)
    return added


def ratio(part: Float64, whole: Float64) -> Float64:
    """Part of whole; NaN where there is no whole."""
    share: Float64 = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return share
