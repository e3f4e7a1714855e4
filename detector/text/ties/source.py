"""Ties by source: slots are filled from one list.

Here: from a sample of what fills the slots of families to ties. Not here: which shingles are in the sample
(pipelines.families), whether a list is dealt out (text.queues).
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from detector.text.ties.holdings import Floats, Ints, distinct, numbered, products
from detector.text.ties.table import Ties, excess_over_chance, kept_ties

MOST_SOURCES = 12
"""A slot shingle of more families than this is a phrase, no item."""

MOST_SLOTS = 1_024
"""Slot shingles of one family that count: those with the smallest hashes, the same in every family."""

MOST_SENDERS = 16
"""More accounts of one family than this send no item, but a branch of its fixed text or a fashion."""

PARTNERS = 8
"""Two families of one field share some slot text, too: a source tie must exceed what either shares with its
eighth-best partner. An operator's families with one list are seldom more."""


def source_ties(
    family: Ints, shingle: npt.NDArray[np.unsignedinteger], n_accounts: Ints, n_families: int
) -> Ties:
    """Tie families whose slots are filled from one list.

    Parameters
    ----------
    family, shingle, n_accounts : shape (n_rows,); a sample of the shingles in each family's requests that are
        not its own fixed text, and how many of its accounts sent them. A shingle is in the sample of every
        family or of none (its hash decides), else samples could not be compared.
    n_families : families are numbered 0 to n_families - 1

    Returns
    -------
    Ties of kind source. A shingle of k families points from each to the k - 1 others, and counts with the
    square of 1/(k - 1): an item is two families', a phrase everybody's. One that more than MOST_SENDERS of
    a family's accounts send is branching fixed text, no item of a queue, and does not count. What two
    families share is compared with the most that either shares with its eighth-best partner, or by chance
    given how much each shares at all; the strength is the log ratio of two Poisson laws, one with the mean
    seen, one with that by chance.

    Raises
    ------
    ValueError : arrays of different lengths, or a family out of range.
    """
    if not len(family) == len(shingle) == len(n_accounts):
        raise ValueError("family, shingle and n_accounts must have one entry per row each")
    if len(family) == 0:
        return Ties.none()
    if family.min() < 0 or family.max() >= n_families:
        raise ValueError(f"families must be numbered from 0 to {n_families - 1}")
    is_item = n_accounts <= MOST_SENDERS
    family, shingle = distinct(family[is_item], shingle[is_item], MOST_SLOTS)
    item, n_holders = numbered(shingle)
    joins = ((n_holders >= 2) & (n_holders <= MOST_SOURCES))[item]
    weight = 1.0 / np.maximum(n_holders[item[joins]] - 1, 1)
    shape = (n_families, len(n_holders))
    first, second, shared = products(csr_matrix((weight, (family[joins], item[joins])), shape=shape))
    if len(first) == 0:
        return Ties.none()
    usual = _eighth_best(first, second, shared, n_families)
    in_all = np.bincount(np.concatenate([first, second]), np.concatenate([shared, shared]), n_families)
    others = (in_all[first] - shared) * (in_all[second] - shared) / in_all.sum()
    by_chance = np.maximum(np.maximum(usual[first], usual[second]), others) + 0.5
    return kept_ties("source", first, second, excess_over_chance(shared, by_chance))


def _eighth_best(first: Ints, second: Ints, shared: Floats, n_families: int) -> Floats:
    """What each family shares with its PARTNERS-th best partner; 0 with fewer."""
    family = np.concatenate([first, second])
    value = np.concatenate([shared, shared])
    order = np.lexsort((-value, family))
    family, value = family[order], value[order]
    starts = np.searchsorted(family, np.arange(n_families + 1))
    place = starts[:-1] + PARTNERS - 1
    usual = np.zeros(n_families)
    enough = place < starts[1:]
    usual[enough] = value[place[enough]]
    return usual
