"""Own-text likeness: how much more an account's items resemble one another than those of others.

Here: the intraclass correlation of the slots by family, and over the families of a group. Not here: what is
compared (traits), what it says (verdict), the loop that compares (kernels.queues).
"""

import numpy as np
from scipy import special

from detector.kernels import queues as kernels
from detector.text.queues.traits import Traits
from detector.text.queues.uses import Float64, Measures, Uses, sums

MOST_ITEMS = 16
"""Different items of one account that are compared: those with the smallest hashes, as good as a random
choice. An account with a million weighs no more than a busy person."""


def measure_likeness(uses: Uses, traits: Traits, n_families: int) -> Measures:
    """The intraclass correlation of the traits of each account's items, its error and its chance."""
    # Of each account the items with the smallest hashes: uses are in that order already.
    n_items = np.diff(uses.account_starts)
    place = np.arange(len(uses.row)) - np.repeat(uses.account_starts[:-1], n_items)
    kept = place < MOST_ITEMS
    account_starts = np.zeros(len(n_items) + 1, np.int64)
    np.cumsum(np.minimum(n_items, MOST_ITEMS), out=account_starts[1:])
    family_starts = np.searchsorted(uses.account_family, np.arange(n_families + 1)).astype(np.int64)
    icc, error, z, skew = (np.empty(n_families) for _ in range(4))
    block_icc = np.empty((n_families, len(traits.block_starts) - 1))
    kernels.likeness(
        traits.values[uses.row[kept]], account_starts, family_starts, traits.block_starts,
        icc, error, z, skew, block_icc,
    )  # fmt: skip
    p = np.full(n_families, np.nan)
    known = np.isfinite(z)
    p[known] = _chance_beyond(z[known], skew[known])
    return {
        "n_compared": sums(uses.account_family, n_families, n_items > 1).astype(np.int64),
        "own_text_icc": icc,
        "own_text_error": error,
        "own_text_z": z,
        "own_text_p": p,
        "block_icc": block_icc,
    }


def pooled_likeness(icc: Float64, error: Float64) -> tuple[float, float]:
    """Likeness over several families of one group, each weighed by its precision; and its error.

    A group that divides its list over many templates shows little in each of them and much in all. NaN, NaN
    when no family tells.
    """
    told = np.isfinite(icc) & np.isfinite(error) & (error > 0)
    if not told.any():
        return float("nan"), float("nan")
    weight = 1 / error[told] ** 2
    return float((icc[told] * weight).sum() / weight.sum()), float(1 / np.sqrt(weight.sum()))


NO_SKEW = 1e-4
"""Below it a Pearson type III distribution is a normal one to every digit that counts."""


def _chance_beyond(z: Float64, skew: Float64) -> Float64:
    """Upper tail of a standardised Pearson type III distribution (a shifted gamma); normal without skew."""
    rate = 2 / np.maximum(skew, NO_SKEW)
    shifted = special.gammaincc(rate**2, np.maximum(rate * (z + rate), 0))
    return np.asarray(np.where(skew < NO_SKEW, special.ndtr(-z), shifted))
