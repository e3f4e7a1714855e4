"""The detectors that could score accounts, each as a function from one peer group's matrix to its scores.

Here: PyOD's detectors that read a table of numbers without a deep-learning library, and our own two models.
Not here: worlds and figures (account_models), the page (account_models_page).

Left out: what takes more than a quarter of a minute for one night of 44,000 rows, against 0.2 s of the
tail model and 1.2 s of the forest (INNE 18 s, GMM 23 s, MCD 16 s; OCSVM more, on 2,000 rows of them), and
KDE and QMCD, kernel sums over the same rows; what needs PyTorch (DIF, auto-encoders and their like: two
gigabytes for a night's minute), what is quadratic or worse in accounts and no better on a sub-sample than
its cheaper kin (ABOD, COF, SOD, LOCI, SOS), and ensembles of the neighbour methods that are here (feature
bagging, LSCP, SUOD).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.models import IsolationModel, TailModel
from detector.models.base import AccountModel

Float64 = npt.NDArray[np.float64]
Score = Callable[[Float64], Float64]

SEED = 20_260_601


@dataclass(frozen=True, slots=True)
class Detector:
    """One candidate."""

    name: str
    make: Callable[[], Any]
    fits_on: int = 0
    """Most accounts it learns from; 0 is all. Neighbour and kernel methods are quadratic in them."""

    def fitted(self, matrix: Float64) -> tuple[Float64, Score]:
        """Scores of the rows it was fitted on (or on a part of), and how it scores any others.

        Raises
        ------
        ValueError : the detector cannot be fitted on this matrix.
        """
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model = self.make()
            if isinstance(model, TailModel | IsolationModel):
                return _ours(model, matrix)
            spread = matrix.std(axis=0)
            told = np.flatnonzero(spread)  # a column without differences makes a covariance singular
            scale = spread[told]  # distances mean nothing across units
            model.fit(self._part(matrix[:, told] / scale))

            def score(rows: Float64) -> Float64:
                found = model.decision_function(rows[:, told] / scale)
                return np.nan_to_num(np.asarray(found, np.float64), posinf=1e300, neginf=-1e300)

            return score(matrix), score

    def _part(self, matrix: Float64) -> Float64:
        if not self.fits_on or len(matrix) <= self.fits_on:
            return matrix
        return matrix[np.random.default_rng(SEED).permutation(len(matrix))[: self.fits_on]]


def _ours(model: AccountModel, matrix: Float64) -> tuple[Float64, Score]:
    model.fit(matrix)
    return model.score(matrix), model.score


def _pyod(module: str, name: str, **settings: object) -> Callable[[], Any]:
    def make() -> Any:
        return getattr(import_module(f"pyod.models.{module}"), name)(**settings)

    return make


DETECTORS = (
    Detector("tails", TailModel),
    Detector("isolation", IsolationModel),
    Detector("ECOD", _pyod("ecod", "ECOD")),
    Detector("COPOD", _pyod("copod", "COPOD")),
    Detector("HBOS", _pyod("hbos", "HBOS", n_bins="auto")),
    Detector("LODA", _pyod("loda", "LODA", random_state=SEED)),
    Detector("PCA", _pyod("pca", "PCA", n_components=0.95, random_state=SEED)),
    Detector("CBLOF", _pyod("cblof", "CBLOF", random_state=SEED)),
    Detector("KNN", _pyod("knn", "KNN", n_neighbors=20), fits_on=4_000),
    Detector("LOF", _pyod("lof", "LOF", n_neighbors=20), fits_on=4_000),
)
"""`tails` and `isolation` are the product's: ECOD and the isolation forest, one-sided and seeded."""
