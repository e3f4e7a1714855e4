"""Pairs of accounts worth comparing, drawn without comparing everybody with everybody.

Here: MinHash bands over sets of actions, and the exact Jaccard of the pairs they propose. Not here: what
the actions are, what a similar pair means (synchrotrap).

Quadratic work is what these methods cost when an object is popular. Accounts that fall into the same band
are compared with a fixed number of neighbours there, so the work is bands x neighbours per account, however
many share the object. Single linkage needs a path between two members, not the edge itself.
"""

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Ints = npt.NDArray[np.int64]

N_BANDS = 32
ROWS_PER_BAND = 2
"""A pair of Jaccard 0.5 meets in one of 32 bands of 2 with probability 0.9999, one of 0.1 with 0.28."""

NEIGHBOURS = 8
"""Members of a band that each account is compared with."""


def similar_pairs(
    items: npt.NDArray[np.uint64], starts: Ints, *, least_common: int
) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """Pairs of sets with their Jaccard similarity.

    Parameters
    ----------
    items : uint64, sorted and distinct within a set; set i is items[starts[i]:starts[i + 1]]
    starts : int64, shape (n_sets + 1,)
    least_common : pairs with fewer common items are left out

    Returns
    -------
    first, second : int64, first < second, each pair once
    similarity : float64, 0 to 1
    """
    n_sets = len(starts) - 1
    signature = np.empty((n_sets, N_BANDS * ROWS_PER_BAND), np.uint64)
    _minhash_kernel(items, starts, signature)
    filled = np.flatnonzero(np.diff(starts) >= least_common)
    codes = [np.zeros(0, np.int64)]
    for band in range(N_BANDS):
        rows = signature[filled, band * ROWS_PER_BAND : (band + 1) * ROWS_PER_BAND]
        order = np.lexsort((filled, rows[:, 1], rows[:, 0]))
        ordered, members = rows[order], filled[order]
        for step in range(1, NEIGHBOURS + 1):
            same = (ordered[step:] == ordered[:-step]).all(axis=1)
            codes.append(members[:-step][same] * n_sets + members[step:][same])
    pairs = np.unique(np.concatenate(codes))
    first, second = pairs // max(n_sets, 1), pairs % max(n_sets, 1)
    common = np.empty(len(pairs), np.int64)
    _common_kernel(items, starts, first, second, common)
    sizes = np.diff(starts)
    similarity = common / np.maximum(sizes[first] + sizes[second] - common, 1)
    kept = common >= least_common
    return first[kept], second[kept], similarity[kept]


@njit(parallel=True, cache=True)
def _minhash_kernel(items, starts, signature):
    """Smallest hash of each set under each of so many hash functions; an empty set keeps the largest."""
    for i in prange(len(starts) - 1):
        for j in range(signature.shape[1]):
            signature[i, j] = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
        for at in range(starts[i], starts[i + 1]):
            for j in range(signature.shape[1]):
                value = items[at] ^ (np.uint64(j + 1) * np.uint64(0xD6E8_FEB8_6659_FD93))
                value = (value ^ (value >> np.uint64(32))) * np.uint64(0x9E37_79B9_7F4A_7C15)
                value = (value ^ (value >> np.uint64(29))) * np.uint64(0xBF58_476D_1CE4_E5B9)
                value ^= value >> np.uint64(32)
                signature[i, j] = min(signature[i, j], value)


@njit(parallel=True, cache=True)
def _common_kernel(items, starts, first, second, common):
    """Items that two sorted sets share."""
    for pair in prange(len(first)):
        a, a_end = starts[first[pair]], starts[first[pair] + 1]
        b, b_end = starts[second[pair]], starts[second[pair] + 1]
        n = 0
        while a < a_end and b < b_end:
            if items[a] == items[b]:
                n += 1
                a += 1
                b += 1
            elif items[a] < items[b]:
                a += 1
            else:
                b += 1
        common[pair] = n
