"""Shared shingles joined to pieces, and pieces to templates, by how often they stand in the same texts.

Here: which pairs are joined, in rounds. Not here: counting them (sample), what is kept in the end (finding).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from detector.kernels import families as kernels
from detector.text.families.sample import Sample

CONFIDENCE = 0.6
"""All-confidence from which two pieces are one: their common texts over the texts of the more frequent one.
Above one half, so that what is common to two templates of like size joins neither or one, never ties them
together."""

CONFIDENCES = (0.9, 0.75, CONFIDENCE)
"""Demands of the rounds of joining, falling: what belongs together most is joined first and from then on
judged as one. At once, any row of variants, each like the next, would tie two templates."""

WORN = 0.9
"""A piece is worn when its shingles stand beside their neighbours less often than this. Two neighbours
differ by one word, so more than one word in ten comes and goes: somebody exchanges words."""

MENDING_ROUNDS = 6
"""Rounds in which worn pieces are joined, each with what it goes with best, until there is nothing left to
join: pieces grow severalfold with each."""

WITH_EACH_OTHER, AT_ALL = 0.65, 0.35
"""Two worn pieces are one when the rarer stands beside the other in so large a share of its own texts, and
in so large a share of the other's. One word in five exchanged leaves four tenths of the shingles, and of a
piece of several more, so that pieces of one template pass. Of two templates with a piece in common, one
has at most half of its texts, and worn pieces of it stand in still fewer; but templates that have most of
their words in common may become one family when they are worn."""

NEAR, NEAR_WORN = 6, 3
"""How many shared pieces further on a partner may stand: a slot may hold phrases that others share, too. A
piece that comes several times running is one step. Worn pieces are larger and fewer."""


def joined_pieces(
    sample: Sample, n_texts: npt.NDArray[np.int64], halvings: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Join shared shingles to pieces, and pieces to larger ones; (the piece of each shingle, texts of each
    piece). A piece goes by the number of its smallest shingle.

    A text holds a piece when it would belong to a family of these shingles: where words are exchanged, single
    shingles come and go, and pieces of several stay.
    """
    n = len(n_texts)
    pairs = Pairs.counted(sample, halvings, n_texts, near=NEAR, least=CONFIDENCE)
    firmness = pairs.best_of_each(n)
    piece_of = pairs.joined(pairs.together >= CONFIDENCES[0], n)
    for confidence in CONFIDENCES[1:]:
        size = np.bincount(piece_of, minlength=n)
        may_join = (size[piece_of] > 1) | (firmness >= CONFIDENCE)
        pieces = np.where(may_join, piece_of, kernels.NO_PIECE).astype(np.uint32)
        sample.narrow(kernels.drop_pieceless, pieces)  # what goes with nothing will not go with more
        held, n_texts = sample.pieces_held(pieces, size)
        pairs = Pairs.counted(held, halvings, n_texts, near=NEAR, least=CONFIDENCE)
        piece_of = pairs.joined(pairs.together >= confidence, n)[piece_of]
    for _ in range(MENDING_ROUNDS):
        size = np.bincount(piece_of, minlength=n)
        pieces = np.where(size[piece_of] > 1, piece_of, kernels.NO_PIECE).astype(np.uint32)
        held, n_texts = sample.pieces_held(pieces, size)
        pairs = Pairs.counted(held, halvings, n_texts, near=NEAR_WORN, least=AT_ALL)
        is_worn = np.bincount(piece_of, weights=firmness, minlength=n) <= WORN * size
        mends = (pairs.best_partners(n) & is_worn[pairs.low] & is_worn[pairs.high]
                 & (pairs.of_rarer >= WITH_EACH_OTHER) & (pairs.together >= AT_ALL))  # fmt: skip
        joins = mends | (pairs.together >= CONFIDENCE)
        if not joins.any():
            break
        piece_of = pairs.joined(joins, n)[piece_of]
    else:  # the last round joined some that have not been counted since
        size = np.bincount(piece_of, minlength=n)
        _, n_texts = sample.pieces_held(np.where(size[piece_of] > 1, piece_of, kernels.NO_PIECE), size)
    return piece_of, n_texts


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of pieces that stand near each other.

    low, high : int64, the two pieces
    together : float64, 0 to 1: their common texts over those of the more frequent one
    of_rarer : float64, 0 to 1: the same over those of the rarer one
    """

    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    together: npt.NDArray[np.float64]
    of_rarer: npt.NDArray[np.float64]

    @classmethod
    def counted(
        cls,
        sample: Sample,
        halvings: npt.NDArray[np.uint8],
        n_texts: npt.NDArray[np.int64],
        *,
        near: int,
        least: float,
    ) -> Self:
        """Count the pairs of a sample; those whose `together` cannot reach `least` are never counted."""
        keys, counts = sample.counted_pairs(halvings, n_texts, near, least)
        key = keys - np.uint64(1)
        low = (key >> np.uint64(32)).astype(np.int64)
        high = (key & np.uint64(0xFFFFFFFF)).astype(np.int64)
        fewer, more = np.minimum(n_texts[low], n_texts[high]), np.maximum(n_texts[low], n_texts[high])
        common = counts * 2.0 ** kernels.pair_levels(more)
        return cls(low, high, common / more, common / fewer)

    def best_of_each(self, n: int) -> npt.NDArray[np.float64]:
        """How far each of n pieces goes with its best partner, 0 for none."""
        best = np.zeros(n)
        np.maximum.at(best, self.low, self.together)
        np.maximum.at(best, self.high, self.together)
        return best

    def best_partners(self, n: int) -> npt.NDArray[np.bool_]:
        """Pairs in which one is the other's best partner."""
        best = self.best_of_each(n)
        return np.asarray(self.together >= np.minimum(best[self.low], best[self.high]))

    def joined(self, joins: npt.NDArray[np.bool_], n: int) -> npt.NDArray[np.int64]:
        """For each of n pieces the smallest of those it is joined with, directly or by way of others."""
        graph = coo_matrix((np.ones(joins.sum()), (self.low[joins], self.high[joins])), shape=(n, n))
        _, component = connected_components(graph, directed=False)
        first = np.full(n, n, dtype=np.int64)
        np.minimum.at(first, component, np.arange(n))
        return np.asarray(first[component])
