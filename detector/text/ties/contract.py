"""Ties by contract: the same unusual form is demanded of the answer.

Here: from the contract marks of families to ties. Not here: reading marks off a template (text.contract),
hashing them under a key (pipelines.templates).
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from detector.text.ties.holdings import Ints, distinct, n_segments, numbered, products
from detector.text.ties.table import Ties, evidence_of, kept_ties

MOST_HOLDERS = 32
"""A mark held by more families than this (or than a tenth of them) is a fashion, and joins nobody."""

MOST_MARKS = 64
"""Marks of one family that count: those with the smallest hashes."""


def contract_ties(marks: npt.NDArray[np.unsignedinteger], starts: Ints) -> Ties:
    """Tie families that demand the same unusual form of the answer.

    Parameters
    ----------
    marks : uint32 or uint64, flat: hashes of demanded tags, keys, headings and labels
    starts : int64, shape (n_families + 1,); family f owns marks[starts[f]:starts[f + 1]], a set

    Returns
    -------
    Ties of kind contract. A mark weighs the log of the families that do not hold it over those that do, the
    pair itself left out and one added. Marks come in bundles (a tag closes what it opened), so n shared ones
    are worth the square root of n; what only one of the two demands takes away its share. One mark alone is
    never enough for a group by itself: among 400 families it is worth three.

    Raises
    ------
    ValueError : `starts` does not partition the marks.
    """
    n = n_segments(starts, len(marks))
    family = np.repeat(np.arange(n), np.diff(starts))
    family, marks = distinct(family, marks, MOST_MARKS)
    mark, n_holders = numbered(marks)
    most = min(MOST_HOLDERS, max(2, n // 10))
    joins = (n_holders >= 2) & (n_holders <= most)
    weight = np.log((n - 1) / np.maximum(n_holders - 1, 1)) if n > 1 else np.zeros(len(n_holders))
    total = np.bincount(family, weights=weight[mark], minlength=n)
    rare = joins[mark]
    shape = (n, len(n_holders))
    holds = csr_matrix((np.sqrt(weight[mark[rare]]), (family[rare], mark[rare])), shape=shape)
    first, second, shared = products(holds)
    if len(first) == 0:
        return Ties.none()
    holds.data[:] = 1.0
    _, _, n_shared = products(holds)
    overlap = shared / (total[first] + total[second] - shared)
    return kept_ties("contract", first, second, evidence_of(overlap * shared / np.sqrt(n_shared)))
