"""Groups of accounts found so far, and whether another is nearly one of them.

Here: what is kept so that a group is compared with few others. Not here: the comparison (detector.kernels),
which groups there are (communities).
"""

import numpy as np

from detector.campaigns.population import Int64
from detector.kernels import membership as kernels

SAME_GROUP = 0.9
"""Jaccard index from which two groups are one: a tenth of strangers spoils an even load."""


class Groups:
    """Groups of a night, by member: a new one is compared only with those it touches.

    n_accounts : how many accounts the night has; members are their positions, 0 to n_accounts - 1
    """

    def __init__(self, n_accounts: int) -> None:
        self._latest, self._is_member = np.full(n_accounts, -1), np.zeros(n_accounts, np.bool_)
        # For each entry of an account in a group: the group, the account, and its entry before.
        self._entries = np.zeros((3, n_accounts), np.int64)
        # For each group: where its entries begin, and how many they are.
        self._groups, self._asked = np.zeros((2, 64), np.int64), np.zeros(64, np.bool_)
        self._n_groups, self._n_entries = 0, 0

    def add(self, members: Int64) -> None:
        """Another group; who is in it may be in others."""
        after = self._n_entries + len(members)
        while after > self._entries.shape[1]:
            self._entries = np.concatenate([self._entries, np.zeros_like(self._entries)], axis=1)
        if self._n_groups == len(self._asked):
            self._groups = np.concatenate([self._groups, np.zeros_like(self._groups)], axis=1)
            self._asked = np.concatenate([self._asked, np.zeros_like(self._asked)])
        entries = np.arange(self._n_entries, after)
        self._entries[0, entries] = self._n_groups
        self._entries[1, entries], self._entries[2, entries] = members, self._latest[members]
        self._latest[members] = entries
        self._groups[:, self._n_groups] = self._n_entries, len(members)
        self._n_groups, self._n_entries = self._n_groups + 1, after

    def hold(self, members: Int64, same: float = SAME_GROUP) -> bool:
        """Whether an earlier group is nearly this one: a Jaccard index of `same` or more."""
        return bool(
            kernels.are_a_group(
                members, self._latest, self._entries, self._groups, self._asked, self._is_member, same
            )
        )
