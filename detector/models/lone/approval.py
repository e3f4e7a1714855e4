"""Accounts with an approved use that do what it does not cover.

Here: the rule. Not here: who would be flagged without the approval (decision, relay), what a use covers
(pipelines.approved).
"""

from collections.abc import Collection

import numpy as np

from detector.models.lone.findings import (
    TRAINING_TECHNIQUES,
    Columns,
    Groups,
    LoneFinding,
    Mask,
    is_approved,
    reason,
    techniques_of,
)
from detector.models.lone.surprise import Peers

OF_A_RELAY = ("n_scripts", "n_end_users", "n_systems")


def beyond_approval(
    columns: Columns,
    groups: Groups,
    *,
    as_extractors: Collection[int],
    as_relays: Collection[int],
    covered: Mask,
    covers_writers: Mask,
    carriers: Mask,
) -> list[LoneFinding]:
    """Accounts beyond their approved use, in order of rows, at low confidence.

    Parameters
    ----------
    columns : float64 arrays of shape (n_accounts,), one per number column of night.account_day; NaN unknown
    groups : shape (n_accounts,), peer group of each account
    as_extractors, as_relays : positions of accounts that would be flagged so, had they no approval
    covered : bool, shape (n_accounts, n_techniques), columns in the order of TRAINING_TECHNIQUES
    covers_writers : bool, shape (n_accounts,): many writers through it are what was agreed
    carriers : bool, shape (n_accounts,): works with what holds a campaign together that is flagged

    Only those three are judged. Beyond the approval is a technique of 15 % of its requests that is not
    covered, or the relay itself. The answer is `watch`: who knows the contract has to read it.
    """
    approved = is_approved(columns)
    judged = {*as_extractors, *as_relays, *np.flatnonzero(carriers).tolist()}
    peers = Peers(columns, groups)
    found = []
    for row in sorted(row for row in judged if approved[row]):
        beyond = [
            name for name in techniques_of(columns, row) if not covered[row, TRAINING_TECHNIQUES.index(name)]
        ]
        if row in as_relays and not covers_writers[row]:
            beyond += OF_A_RELAY
        if beyond:
            told = [
                reason(name, float(columns[name][row]), peers.of(name, groups[row]))
                for name in (*beyond, "n_requests")
                if np.isfinite(columns[name][row])
            ]
            found.append(LoneFinding(row, "beyond approval", "low", "watch", tuple(told)))
    return found
