"""Who is in which candidate, and which candidates are one another's parts.

Here: sets of accounts and how they overlap. Not here: which of overlapping groups is published (standing).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from detector.campaigns.population import Bool, Float64, Int64

PART = 0.5
"""Of two candidates that share so much of one, that one is the other, or a part of it."""


@dataclass(frozen=True)
class Memberships:
    """Candidates as sets of accounts.

    matrix : int64, shape (n_candidates, n_accounts), 1 for each member
    """

    matrix: csr_matrix

    @classmethod
    def of(cls, members: Sequence[Int64], n_accounts: int) -> "Memberships":
        """members : positions of each candidate's accounts"""
        row = np.repeat(np.arange(len(members)), [len(group) for group in members])
        account = np.concatenate([np.empty(0, np.int64), *members])
        return cls(
            csr_matrix((np.ones(len(row), np.int64), (row, account)), shape=(len(members), n_accounts))
        )

    @cached_property
    def sizes(self) -> Int64:
        """Accounts of each candidate."""
        return np.asarray(self.matrix.sum(axis=1), np.int64).ravel()

    @cached_property
    def common(self) -> csr_matrix:
        """int64, shape (n_candidates, n_candidates): accounts that each two share, where any."""
        return csr_matrix(self.matrix @ self.matrix.T)

    @cached_property
    def _halves(self) -> tuple[Int64, Int64]:
        """Pairs of candidates of which the first has half of its accounts in the second."""
        common = self.common.tocoo()
        within = (common.data >= PART * self.sizes[common.row]) & (common.row != common.col)
        return common.row[within].astype(np.int64), common.col[within].astype(np.int64)

    def heads(self, log_odds: Float64) -> Bool:
        """Which candidates are observations of their own: no half of their accounts is in a candidate with
        stronger evidence, or in an earlier one with as strong. bool, shape (n_candidates,).

        A group that is found whole and in four parts shows once what such groups look like, not five times:
        it is one hypothesis, and one entry of the reference, with the strongest evidence it gave.

        log_odds : float64, shape (n_candidates,)
        """
        one, other = self._halves
        stronger = (log_odds[other] > log_odds[one]) | ((log_odds[other] == log_odds[one]) & (other < one))
        is_head = np.ones(len(log_odds), dtype=np.bool_)
        is_head[one[stronger]] = False
        return is_head
