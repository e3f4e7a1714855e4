"""Does calibration still hold? A wager, night after night, that too many ordinary accounts look unusual.

Here: what one night's count says, how nights add up, which features moved, and the words of a warning. Not
here: which accounts are ordinary, where nights are kept (pipelines.drift).

A p-value promises that one ordinary account in twenty has 0.05 or less. Accounts of one night share one
reference and one day of the week, so their p-values are no independent draws, and a test that counts
accounts would take any holiday for a discovery. So each night is one bet, on the share of its accounts.

Source: Shin, Ramdas, Rinaldo, E-detectors: a nonparametric framework for sequential change detection, New
England J. Stat. Data Sci. 2 (2024) 229 (e-CUSUM and its average run length); Waudby-Smith, Ramdas, J. R.
Stat. Soc. B 86 (2024) 1 (bets on the mean of a bounded variable).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.models.base import Float64

CANDIDATES = "candidates"
"""The lane of candidates for campaigns; the others are peer groups."""

ALPHA = 0.05
"""The p-value whose promise is checked: rare enough to be a reason, common enough to be counted every
night."""

TOLERATED = 1.5
"""Times the promised share that nobody needs to act on: tonight's customers are never quite those of the
reference, and one account in thirteen for one in twenty changes no decision."""

ERRORS = 3.0
"""Standard errors granted on top. The same accounts come again night after night and meet almost the same
reference: what both have by chance they will have tomorrow, too, which no sequence of nights evens out."""

MOST_FACTOR = 4.0
"""What one night may win. With the threshold of six lanes it takes eight nights at least: a broken log of one
weekend is no drift."""

YEARS_WITHOUT_FALSE_WARNING = 10
NIGHTS_A_YEAR = 365

MOST_MOVED = 3
"""Features named in a warning."""

WHAT_TO_DO = (
    "p-values of this kind are too small at present: weigh them less, and look whether customers have "
    "changed (a new plan, a client that sends differently), the log has (a field filled anew), or a crowd "
    "grows that nobody has flagged"
)
"""The remedy of every warning."""

LEAST_KNOWN = 50
"""Known values on either side before two distributions are compared."""

KS_LEVEL = 1.63
"""A Kolmogorov-Smirnov distance is more than chance at one in a hundred beyond 1.63 sqrt(1/n + 1/m)
(Smirnov, Ann. Math. Stat. 19 (1948) 279)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the bets of all nights so far have come to."""

    evidence: float
    """0 to the threshold: what one unit, staked on the best night to begin on, would be worth now."""
    began: int
    """Position of the night on which that run began."""
    warned: bool
    """The evidence is at the threshold."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A feature whose distribution differs from the reference's."""

    feature: str
    distance: float
    """Kolmogorov-Smirnov, 0 to 1"""


def tolerated_share(n_accounts: int, n_reference: int) -> float:
    """Share of accounts with a p-value of ALPHA or less that is no drift yet, 0 to 1.

    The promised share, half as much again, and what chance can do to so many accounts against so many of
    the reference. Both numbers are 1 at least.
    """
    error = np.sqrt(ALPHA * (1 - ALPHA) * (1 / n_accounts + 1 / n_reference))
    return float(min(TOLERATED * ALPHA + ERRORS * error, 1.0))


def night_factor(n_low: int, n_accounts: int, n_reference: int) -> float:
    """What a stake of one unit is worth after the night, 0 to MOST_FACTOR.

    Parameters
    ----------
    n_low : accounts with a p-value of ALPHA or less, of `n_accounts`
    n_accounts, n_reference : accounts of tonight (none: no bet, 1) and of the reference

    As long as the expected share is at most `tolerated_share`, whatever happened before, the expectation is
    at most 1, which makes it an e-value; accounts need not be independent. How much is staked depends
    on the number of accounts alone: what wins fastest should the share be twice the tolerated one.
    """
    if not n_accounts or not n_reference:
        return 1.0
    edge = tolerated_share(n_accounts, n_reference)
    doubled = min(2 * edge, 1.0)
    # the fraction of Kelly: expected gain over its variance plus its square
    variance = doubled * (1 - doubled) / n_accounts
    gain = doubled - edge
    stake = min(gain / (variance + gain**2), 1 / edge) if gain > 0 else 0.0
    return float(min(max(1.0 + stake * (n_low / n_accounts - edge), 0.0), MOST_FACTOR))


def threshold(n_lanes: int) -> float:
    """Evidence that is a warning: on average the first false one takes ten years, over all lanes together.

    The sum of the lanes' evidence grows by one unit a night and lane at most, in expectation, so to reach n
    lanes times 3,650 it takes 3,650 nights, however the lanes hang together.
    """
    return float(YEARS_WITHOUT_FALSE_WARNING * NIGHTS_A_YEAR * n_lanes)


def standing(factors: Float64, warn_at: float) -> Standing:
    """Page's procedure on e-values: what nights have won is kept, what they have lost is forgotten.

    Parameters
    ----------
    factors : float64, shape (n_nights,), one of `night_factor` per night, oldest first; one night at least
    warn_at : the `threshold`; evidence does not grow beyond it, so that a warning ends with the drift

    Raises
    ------
    ValueError : no night at all.
    """
    if not len(factors):
        raise ValueError("no night to judge by")
    evidence, began = 0.0, 0
    for night, factor in enumerate(factors.tolist()):
        if evidence <= 1.0:
            evidence, began = 1.0, night
        evidence = min(evidence * factor, warn_at)
    return Standing(evidence=evidence, began=began, warned=evidence >= warn_at)


def moved_features(
    tonight: Mapping[str, Float64], reference: Mapping[str, Float64], features: Sequence[str]
) -> list[Moved]:
    """Features that differ most between tonight's accounts and the reference's, at most MOST_MOVED.

    Parameters
    ----------
    tonight, reference : float64 arrays of shape (n_accounts,) by feature, NaN where unknown
    features : which to compare

    Furthest apart first, ties in the order of `features`; those that chance explains are left out.
    """
    from scipy.stats import ks_2samp  # noqa: PLC0415  takes most of a second, and is for nights with a warning

    found = []
    for name in features:
        here, past = _known(tonight[name]), _known(reference[name])
        if min(len(here), len(past)) < LEAST_KNOWN:
            continue
        distance = float(ks_2samp(here, past, method="asymp").statistic)
        if distance > KS_LEVEL * np.sqrt(1 / len(here) + 1 / len(past)):
            found.append(Moved(name, distance))
    return sorted(found, key=lambda moved: -moved.distance)[:MOST_MOVED]


def in_words(
    lane: str, *, low_share: float, tolerated_share: float, since: date, moved: Sequence[Mapping[str, Any]]
) -> str:
    """A warning for a person: what was promised, what is seen, since when, and what moved."""
    who = (
        "ordinary candidates for campaigns"
        if lane == CANDIDATES
        else f"ordinary accounts of the group {lane}"
    )
    said = (
        f"calibration has drifted: {low_share:.1%} of the {who} look as unusual as {ALPHA:.0%} should "
        f"(tolerated tonight: {tolerated_share:.1%}), and more than chance allows since {since}"
    )
    if not moved:
        return said
    names = ", ".join(f"{one['feature']} (distance {one['distance']:.2f})" for one in moved)
    return f"{said}; against the reference moved most: {names}"


def _known(values: Float64) -> npt.NDArray[np.float64]:
    return values[np.isfinite(values)]
