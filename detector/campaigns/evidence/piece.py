"""One measured reason, and what all reasons have in common."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured reason.

    family : content, timing, identity, lifecycle, or COMMON; code : closed vocabulary, for machines
    value : the measurement, in the unit `detail` names; usual_range : what is usual
    log_odds : natural logarithm of the odds this piece contributes; negative speaks against a campaign
    """

    family: str
    code: str
    detail: str
    value: float
    usual_range: str
    log_odds: float


LEAST_COMPARED = 5
"""Accounts below which nothing is said of how loads and items are spread over them."""
