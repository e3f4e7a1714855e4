"""From model scores to a score between 0 and 1 and to p-values.

Here: the two scales and why they can be believed. Not here: the models; which campaign is significant
(detector.campaigns), for which a single account's p-value is supporting evidence only.
"""

import numpy as np
import numpy.typing as npt

from detector.models.base import Float64

MIN_REFERENCE = 200
"""Accounts of earlier nights needed before they calibrate a peer group: with fewer, no p-value could fall
below 1 / 200, and tonight's own crowd resolves better."""


def excess(raw: Float64) -> Float64:
    """A model's scores on a common scale: 0 at the median, 1 at the 99th percentile, float64, 0 up.

    Where nobody stands out from the median (the two agree) the scale is the largest distance.
    """
    if not len(raw):
        return np.zeros(0)
    middle, high = np.median(raw), np.quantile(raw, 0.99)
    beyond = np.maximum(raw - middle, 0.0)
    unit = high - middle if high > middle else beyond.max()
    return np.asarray(beyond / unit, np.float64) if unit > 0 else np.zeros(len(raw))


def unit_score(excess_mean: Float64) -> Float64:
    """float64, 0 to 1: 0 is usual, 0.5 the 99th percentile of the peers, near 1 far beyond it."""
    return np.asarray(excess_mean / (1.0 + excess_mean), np.float64)


def conformal_p_values(scores: Float64, reference: Float64) -> Float64:
    """Share of reference accounts that score at least as high, float64, 1 / (n + 1) to 1.

    (1 + number of reference scores >= s) / (1 + n): valid, not just estimated, when an ordinary account
    of tonight and the reference accounts are exchangeable. For that the models must be fitted on both
    together, in a way that cannot tell them apart (Marandon et al., arXiv 2208.06685).
    """
    at_least = len(reference) - np.searchsorted(np.sort(reference), scores, side="left")
    return np.asarray((1.0 + at_least) / (1.0 + len(reference)), np.float64)


def rank_p_values(scores: Float64) -> Float64:
    """Plain rank among tonight's own accounts, float64, 1 / n to 1: for nights without a past.

    Stricter than calibration on earlier nights, on purpose: a campaign that fills a tenth of the peer
    group gets no p-value below what its own size allows, since its members outrank each other.
    """
    n = len(scores)
    below: npt.NDArray[np.intp] = np.searchsorted(np.sort(scores), scores, side="left")
    return np.asarray((n - below) / max(n, 1), np.float64)
