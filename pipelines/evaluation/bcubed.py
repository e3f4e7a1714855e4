"""B-cubed: how well findings divide accounts as the labelled campaigns do.

Here: precision, recall and F1 with overlapping membership. Not here: which accounts count (judging).

For two accounts, let *together found* be the number of findings that hold both and *together labelled* the
number of campaigns that both belong to; an account is also compared with itself.

- Precision of an account: over all accounts it was found together with, the mean of
  min(together found, together labelled) / together found. The precision is the mean over accounts that
  are in any finding.
- Recall: the same with the two exchanged, over accounts that are in any campaign.
- F1 is the harmonic mean of the two.

A benign account is in no campaign: in a finding it counts 0 for itself and for everybody beside it.

Source: Amigo, Gonzalo, Artiles and Verdejo, Information Retrieval 12 (2009) 461, section 5, extended B-cubed.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

Floats = npt.NDArray[np.float64]


class BCubed(NamedTuple):
    """Each 0 to 1. Precision is null where no account is in any finding, recall where none is in any
    campaign; F1 is 0 when nothing was found of what is there, and null when nothing is there."""

    precision: float | None
    recall: float | None
    f1: float | None


def b_cubed(found: pl.DataFrame, labelled: pl.DataFrame) -> BCubed:
    """Compare two overlapping divisions of the same accounts.

    Accounts with the same findings and the same campaigns are interchangeable, so the work is done on
    groups of them: thousands of accounts are a few dozen groups.

    Parameters
    ----------
    found : `account_id, finding`, one row per membership; accounts without a label are left out by the caller
    labelled : `account_id, campaign`, one row per membership
    """
    groups = (
        _sets(found, "finding")
        .join(_sets(labelled, "campaign"), on="account_id", how="full", coalesce=True)
        .sort("account_id")  # sums of floats depend on their order
        .group_by("finding", "campaign", maintain_order=True)
        .len()
    )
    sizes = groups["len"].to_numpy().astype(np.float64)
    together_found = _shared(groups["finding"])
    together_labelled = _shared(groups["campaign"])
    precision = _mean_agreement(together_found, together_labelled, sizes)
    recall = _mean_agreement(together_labelled, together_found, sizes)
    return BCubed(precision, recall, _harmonic(precision, recall))


def _sets(memberships: pl.DataFrame, of: str) -> pl.DataFrame:
    codes = memberships.select("account_id", pl.col(of).rank("dense").cast(pl.Int64).alias(of)).unique()
    return codes.group_by("account_id").agg(pl.col(of).sort())


def _shared(sets: pl.Series) -> sparse.csr_array:
    """How many clusters each pair of groups shares; shape (n_groups, n_groups)."""
    long = pl.DataFrame({"group": np.arange(len(sets)), "cluster": sets}).explode("cluster").drop_nulls()
    clusters = long["cluster"].to_numpy()
    shape = (len(sets), int(clusters.max()) + 1 if len(clusters) else 1)
    holds = sparse.csr_array((np.ones(len(long)), (long["group"].to_numpy(), clusters)), shape=shape)
    return holds @ holds.T


def _mean_agreement(together: sparse.csr_array, other: sparse.csr_array, sizes: Floats) -> float | None:
    """The mean over accounts that share anything with themselves, that is, are in any cluster at all."""
    agreed = together.minimum(other).multiply(_inverse(together)) @ sizes
    partners = (together > 0).astype(np.float64) @ sizes
    members = partners > 0
    if not members.any():
        return None
    return float(np.average(agreed[members] / partners[members], weights=sizes[members]))


def _inverse(matrix: sparse.csr_array) -> sparse.csr_array:
    inverse = matrix.copy()
    inverse.data = 1 / inverse.data
    return inverse


def _harmonic(precision: float | None, recall: float | None) -> float | None:
    if recall is None:
        return None
    if not precision or not recall:
        return 0.0
    return 2 * precision * recall / (precision + recall)
