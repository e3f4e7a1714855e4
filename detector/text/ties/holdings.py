"""What families hold: marks, slot shingles or accounts, as flat arrays.

Here: bounded samples, numbering, and what two families have in common. Not here: what that is worth (table),
the loop that counts (kernels.ties).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, triu

from detector.kernels import ties as kernels

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_ACCOUNTS = 512
"""Accounts of one family that are looked at to see whether two families share any: those with the smallest
mixed numbers, the same in every family."""

MOST_HELD = 32
"""An account with more families than this is a gateway or a test bench: what it holds says nothing."""


def n_segments(starts: Ints, n_rows: int) -> int:
    """How many families `starts` divides the rows among.

    Raises
    ------
    ValueError : it does not partition them.
    """
    if len(starts) == 0 or starts[0] != 0 or starts[-1] != n_rows or (np.diff(starts) < 0).any():
        raise ValueError("starts must begin with 0, never fall, and end where the rows do")
    return len(starts) - 1


def _mixed(values: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
    """Numbers as good as random, the same for the same value."""
    mixed = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    return mixed * np.uint64(0xC2B2AE3D27D4EB4F)


def distinct(family: Ints, value: npt.NDArray[Any], most: int) -> tuple[Ints, npt.NDArray[Any]]:
    """Different values of each family, at most `most` (by a hash that no family chooses), ascending."""
    by_family = np.lexsort((value, family))
    family, value = family[by_family], value[by_family]
    new = np.ones(len(family), np.bool_)
    new[1:] = (family[1:] != family[:-1]) | (value[1:] != value[:-1])
    family, value = family[new], value[new]
    order = np.lexsort((_mixed(value), family))
    place = np.arange(len(family)) - np.searchsorted(family, family)
    kept = np.sort(order[place < most])
    return family[kept], value[kept]


def numbered(values: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Positions of values among the distinct ones, and how many rows each of those has."""
    _, position, n_rows = np.unique(values, return_inverse=True, return_counts=True)
    return position.astype(np.int64), n_rows.astype(np.int64)


def products(holds: csr_matrix) -> tuple[Ints, Ints, Floats]:
    """Pairs of rows with a common column, and the sum of the products there: cost as the squared columns."""
    pairs = triu(holds @ holds.T, 1).tocoo()
    order = np.lexsort((pairs.col, pairs.row))
    return pairs.row[order].astype(np.int64), pairs.col[order].astype(np.int64), pairs.data[order]


def sampled(accounts: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """The accounts of each family that are looked at, ascending."""
    family, account = distinct(
        np.repeat(np.arange(len(starts) - 1), np.diff(starts)), accounts, MOST_ACCOUNTS
    )
    return account, np.searchsorted(family, np.arange(len(starts))).astype(np.int64)


def n_common(members: Ints, starts: Ints, first: Ints, second: Ints) -> Ints:
    """How much the families of each pair have in common; family f holds members[starts[f]:starts[f + 1]],
    ascending."""
    common = np.zeros(len(first), np.int64)
    kernels.count_common(members, starts, first, second, common)
    return common
