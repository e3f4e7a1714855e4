"""From features to suspicion: one matrix in which 0 is usual or unknown and more is more suspicious.

Here: the one-sided transformation every model reads. Not here: the features and their suspicious
direction (detector.features), the models.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from detector.features import Feature
from detector.models.base import Float64


def suspicion_matrix(columns: Mapping[str, Float64], features: Sequence[Feature]) -> Float64:
    """How far each account lies beyond its peers' median, in each feature's suspicious direction.

    Parameters
    ----------
    columns : one float64 array of shape (n_accounts,) per feature name; NaN where unknown

    Returns
    -------
    float64, shape (n_accounts, n_features), 0 up: counts as logarithms, the rest as they are; turned so
        that up is suspicious; minus the median of the known values; negative parts and unknown values
        are 0. A quiet account is not suspicious, nor is one about which the log says nothing.

    Raises
    ------
    KeyError : a feature has no column.
    """
    n_accounts = len(next(iter(columns.values()))) if columns else 0
    out = np.zeros((n_accounts, len(features)))
    for place, feature in enumerate(features):
        out[:, place] = _beyond_median(_directed(columns[feature.name], feature))
    return out


def _directed(values: Float64, feature: Feature) -> Float64:
    scaled = np.log1p(np.maximum(values, 0.0)) if feature.scale == "count" else values
    return -scaled if feature.suspicious == "low" else scaled


def _beyond_median(values: Float64) -> Float64:
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    return np.where(known, np.maximum(np.where(known, values, 0.0) - np.median(values[known]), 0.0), 0.0)
