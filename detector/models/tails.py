"""Tail model: how rare is each value, feature by feature, summed up (PyOD's ECOD).

It sees coordinated accounts that a model of neighbourhoods misses (they are each other's neighbours), and
it explains itself: a feature's part is the negative logarithm of the share of accounts at least as extreme.

Source: Li et al., ECOD, IEEE TKDE 35 (2023) 12181.
"""

from typing import Any, Self

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
        self._ecod: Any = None
        self._fitted: Float64 = np.empty((0, 0))
        self._tails: Float64 = np.empty((0, 0))

    def fit(self, matrix: Float64) -> Self:
        """See AccountModel.fit."""
        matrix = check_matrix(matrix)
        self._n_features = matrix.shape[1]
        self._columns = varying(matrix)
        self._fitted = matrix
        if len(self._columns):
            from pyod.models.ecod import ECOD  # noqa: PLC0415  (takes seconds to import)

            self._ecod = ECOD(n_jobs=1).fit(matrix[:, self._columns])
            self._tails = self._ecod.O
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
        # the night scores the accounts it was fitted on: ECOD has those already, and would take as
        # long again to find them
        if matrix is self._fitted or np.array_equal(matrix, self._fitted):
            return self._tails
        self._ecod.decision_function(matrix[:, self._columns])
        tails: Float64 = self._ecod.O[-len(matrix) :]
        return tails
