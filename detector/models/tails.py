"""Tail model: how rare is each value, feature by feature, summed up (ECOD).

Written out here, as PyOD defines it: PyOD's own loads a plotting library and compiles a loop, every night
anew, which takes longer than the whole model.

It sees coordinated accounts that a model of neighbourhoods misses (they are each other's neighbours), and
it explains itself: a feature's part is the negative logarithm of the share of accounts at least as extreme.

Source: Li et al., ECOD, IEEE TKDE 35 (2023) 12181.
"""

from typing import Self

import numpy as np

from detector.models.base import Float64, check_matrix, varying

USUAL = np.log(2.0)
"""What ECOD gives a value at the median, on either side: subtracted, so that usual adds nothing."""


class TailModel:
    """Sum of one-sided tail scores; see the module."""

    name = "tails"

    def __init__(self) -> None:
        self._columns = np.empty(0, np.intp)
        self._n_features = 0
        self._fitted: Float64 = np.empty((0, 0))
        self._tails: Float64 = np.empty((0, 0))

    def fit(self, matrix: Float64) -> Self:
        """See AccountModel.fit."""
        matrix = check_matrix(matrix)
        self._n_features = matrix.shape[1]
        self._columns = varying(matrix)
        self._fitted = matrix
        if len(self._columns):
            self._tails = tail_parts(matrix[:, self._columns])
        return self

    def score(self, matrix: Float64) -> Float64:
        """See AccountModel.score: the sum of the contributions, in nats."""
        return np.asarray(self.contributions(matrix).sum(axis=1))

    def contributions(self, matrix: Float64) -> Float64:
        """See AccountModel.contributions: surprise of each value beyond the usual half, in nats."""
        matrix = check_matrix(matrix, self._n_features)
        out = np.zeros(matrix.shape)
        if len(matrix) and len(self._columns):
            out[:, self._columns] = np.maximum(self._tails_of(matrix) - USUAL, 0.0)
        # a value at or below the usual is never suspicious, however rare the side it lies on
        return np.where(matrix > 0, out, 0.0)

    def _tails_of(self, matrix: Float64) -> Float64:
        # the night scores the accounts it was fitted on: those are known already
        if matrix is self._fitted or np.array_equal(matrix, self._fitted):
            return self._tails
        both = np.concatenate([self._fitted, matrix])[:, self._columns]
        return tail_parts(both)[-len(matrix) :]


def tail_parts(matrix: Float64) -> Float64:
    """Surprise of each value among its column, in nats: of the rarer side, the side that the column leans to,
    or of both sides where it leans to neither. Shape of `matrix`."""
    parts = np.empty(matrix.shape)
    for column, values in enumerate(matrix.T):
        _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
        n_up_to = np.cumsum(counts)
        left = -np.log(n_up_to / len(values))
        right = -np.log((len(values) - n_up_to + counts) / len(values))
        leans = ((values - values.mean()) ** 3).mean() != 0
        parts[:, column] = (np.maximum(left, right) if leans else left + right)[place]
    return parts
