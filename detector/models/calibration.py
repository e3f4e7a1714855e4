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


LEAST_TAIL = 50
"""Accounts that the tail is judged by at least: a scale from 50 distances is known to about a seventh."""

MOST_NATS = 300.0
"""Beyond this, further is no rarer; it also keeps a division by next to nothing finite."""


def surprise(raw: Float64) -> Float64:
    """A model's scores as surprise, in nats, float64, 0 to 300: minus the logarithm of the share of accounts
    that score at least as high.

    The one scale on which peer groups compare. A distance does not do: among quiet accounts, of which
    little is known, the highest scores lie far further beyond the 99th percentile than among
    applications, and would always come first. Beyond the highest hundredth (50 accounts at least, half at
    most), where shares get coarse, the tail goes on as an exponential one whose scale is the median
    distance beyond it: a campaign among the highest must not widen the scale it is judged by (peaks over
    a threshold; Coles, An Introduction to Statistical Modeling of Extreme Values, 2001, chapter 4).
    """
    n = len(raw)
    if not n:
        return np.zeros(0)
    ordered = np.sort(raw)
    out = np.log(n / (n - np.searchsorted(ordered, raw, side="left")))
    start = ordered[n - 1 - min(max(n // 100, LEAST_TAIL), n // 2)]
    beyond = ordered[ordered > start] - start
    if len(beyond):
        unit = max(float(np.median(beyond)) / np.log(2.0), np.finfo(float).tiny)
        in_tail = raw > start
        with np.errstate(over="ignore"):
            out[in_tail] = np.log(n / len(beyond)) + (raw[in_tail] - start) / unit
    return np.asarray(np.minimum(out, MOST_NATS), np.float64)


ONE_IN_A_HUNDRED = np.log(100.0)


def unit_score(nats: Float64) -> Float64:
    """float64, 0 to 1: near 0 is usual, 0.5 as rare as one in a hundred peers, near 1 far rarer."""
    return np.asarray(nats / (nats + ONE_IN_A_HUNDRED), np.float64)


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
