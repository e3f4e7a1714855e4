"""Groups of which a bounded sample of requests is looked at.

Here: what is asked of a group, and the size of its sample. Not here: what is measured on it (slots, turns).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

GROUP_ROWS, ACCOUNT_ROWS = 2_000, 100
"""Requests of one group, and of one of its accounts, that are looked at: enough for an error of a likeness
of one in a hundred."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A group whose slots are to be measured: ids of its accounts and of the prompt families they share."""

    account_ids: Sequence[str]
    family_ids: Sequence[str]


def pairs(lists: Sequence[Sequence[str]], name: str) -> pa.Table:
    """One row for each group and entry of its list."""
    sizes = [len(entries) for entries in lists]
    return pa.table(
        {
            "number": np.repeat(np.arange(len(lists), dtype=np.int32), sizes),
            name: pa.array([entry for entries in lists for entry in entries], pa.string()),
        }
    )
