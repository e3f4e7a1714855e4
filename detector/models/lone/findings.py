"""What is said of an account that is a finding by itself.

Here: the record of a finding, and reasons with the range usual among peers. Not here: what makes one
(evidence, decision, relay, approval).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.features import FEATURES, Feature
from detector.models.base import Float64
from detector.models.scoring import Range, readable_range

Columns = Mapping[str, Float64]
Groups = npt.NDArray[np.generic]
Mask = npt.NDArray[np.bool_]

TRAINING_TECHNIQUES = (
    "reasoning_trace_share",
    "preference_labels_share",
    "instruction_generation_share",
    "trajectory_share",
    "safety_rewrite_share",
    "trace_cleaning_share",
)

USED = 0.15
"""A technique that makes fewer of the requests is not named: that many may be the classifier's noise."""

MEASURED = (
    Feature(
        "technique_share",
        "share",
        "0 to 1",
        "requests that use a technique which makes training data",
        "no prompt of the account is in the log",
    ),
    Feature(
        "own_text_share",
        "share",
        "0 to 1",
        "different prompts made from texts that the account sends again and again",
        "no prompt of the account is in the log",
    ),
    Feature(
        "n_products",
        "products",
        "0 up",
        "different products, by their own system prompts, that have one and the same text added",
        "no system prompt in the log",
    ),
    Feature(
        "added_text_share",
        "share",
        "0 to 1",
        "different prompts that have this text added, by themselves or in the system prompt",
        "no prompt of the account is in the log",
    ),
    Feature(
        "added_text_training",
        "share",
        "0 to 1",
        "mean probability that a request with the added text asks for training material",
        "no request has a text added",
    ),
)
"""What is measured of busy accounts alone, beside the features of every account's day."""

BY_NAME: Mapping[str, Feature] = {feature.name: feature for feature in (*FEATURES, *MEASURED)}


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence: what, how much, and what the account's peers do."""

    code: str
    detail: str
    value: float | None
    usual_range: str | None


@dataclass(frozen=True, slots=True)
class LoneFinding:
    """One account that is a finding by itself."""

    row: int
    """Position of the account in the columns it was judged by."""
    profile: str
    """`lone extractor`, `relay` or `beyond approval`."""
    confidence: str
    """low or medium: high needs what only a campaign can show."""
    recommended_action: str
    """A step of the ladder."""
    reasons: tuple[Reason, ...]


def technique_share(columns: Columns) -> Float64:
    """float64, shape (n_accounts,), 0 to 1: requests with a technique that makes training data; NaN without
    prompts."""
    return np.asarray(np.sum([columns[name] for name in TRAINING_TECHNIQUES], axis=0), np.float64)


def techniques_of(columns: Columns, row: int) -> list[str]:
    """The techniques an account really uses, most used first."""
    used = [name for name in TRAINING_TECHNIQUES if columns[name][row] >= USED]
    return sorted(used, key=lambda name: -float(columns[name][row]))


def reason(name: str, value: float, usual: Float64) -> Reason:
    """A measured value beside the 5th to 95th percentile of its peers' known values, ascending."""
    feature = BY_NAME[name]
    seen = None
    if len(usual):
        low, high = np.quantile(usual, (0.05, 0.95), method="inverted_cdf")
        seen = Range(float(low), float(high))
    return Reason(name, feature.meaning, value, readable_range(seen, feature))


def is_approved(columns: Columns) -> Mask:
    """bool, shape (n_accounts,): has an approved use that is valid on the day, as far as is known."""
    return np.asarray(columns["is_approved"] == 1, np.bool_)
