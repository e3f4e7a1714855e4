"""The promise every account model keeps.

Here: what a model takes, gives and may not do. Not here: a model (one module each), the features it reads
(detector.features), how scores become probabilities (calibration).
"""

from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


class AccountModel(Protocol):
    """Finds accounts that are unlike the others, in the suspicious direction only.

    Rows are accounts, columns features as `suspicion.suspicion_matrix` makes them: finite, 0 for usual,
    unsuspicious or unknown, larger for more suspicious. The same rows give the same scores: in another
    order, in another process, after pickling. No rows give no scores; one row or a column without
    differences is no error and nothing to be suspicious of.
    """

    @property
    def name(self) -> str:
        """What the model is called in settings and benchmarks."""

    def fit(self, matrix: Float64) -> Self:
        """Learn what is usual from float64, shape (n_accounts, n_features).

        Raises
        ------
        ValueError : the matrix is not two-dimensional or holds a value that is not finite.
        """

    def score(self, matrix: Float64) -> Float64:
        """float64, shape (n_accounts,), no unit: higher is more unlike the accounts of `fit`.

        Raises
        ------
        ValueError : as `fit`, or another number of features than there.
        """

    def contributions(self, matrix: Float64) -> Float64:
        """float64, shape of `matrix`: how much each feature adds to the score of each account.

        Raises
        ------
        ValueError : as `score`.
        """


def check_matrix(matrix: Float64, n_features: int | None = None) -> Float64:
    """The matrix as float64, or ValueError when a model cannot read it."""
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or (n_features is not None and matrix.shape[1] != n_features):
        raise ValueError("expected one row per account and one column per feature of the fit")
    if not np.isfinite(matrix).all():
        raise ValueError("unknown values must be made usual (0) before a model sees them")
    return matrix


def varying(matrix: Float64) -> npt.NDArray[np.intp]:
    """Columns that tell accounts apart; the others would only add a constant."""
    if len(matrix) < 2:
        return np.empty(0, np.intp)
    return np.flatnonzero(matrix.max(axis=0) > matrix.min(axis=0))
