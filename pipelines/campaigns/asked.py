"""Groups as lists of ids, for SQL that is asked about many at once.

Here: what is asked of a group, and its rows. Not here: what is measured on it (samples, slots, turns,
harvest).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Asked:
    """A group of which a sample is asked for: ids of its accounts and of the families of texts they share,
    prompts or system prompts."""

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
