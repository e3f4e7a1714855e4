"""Groups of accounts: from links to components, and names that last from night to night.

Here: what every group-finding peer needs and no paper specifies. Not here: which accounts are linked.
"""

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.peers.peer import LEAST_GROUP

Ints = npt.NDArray[np.int64]


def components(first: Ints, second: Ints, n_nodes: int) -> Ints:
    """Component of every node under links `first[i] - second[i]`; single linkage, shape (n_nodes,)."""
    links = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(n_nodes, n_nodes))
    _, label = connected_components(links, directed=False)
    return np.asarray(label, np.int64)


def large_groups(label: Ints, least: int = LEAST_GROUP) -> npt.NDArray[np.bool_]:
    """Which nodes belong to a group of at least `least` nodes."""
    return np.bincount(label)[label] >= least if len(label) else np.zeros(0, np.bool_)


def named_over_nights(members: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Give groups names that survive: `day, account_id, group, ...` gains `campaign_id`.

    A group takes the name of the earlier group with which it shares most accounts, if they are at least
    half of the smaller of the two; each name is handed on once a night, to the larger share. Every
    group-finding peer gets this memory, so that none looks worse for having published none.
    """
    known: dict[str, set[str]] = {}
    n_named = 0
    parts = []
    for (day,), night in sorted(members.group_by("day"), key=lambda part: part[0]):
        groups = {
            group: set(part["account_id"]) for (group,), part in night.group_by("group", maintain_order=True)
        }
        shares = sorted(
            (
                (len(accounts & earlier), name, group)
                for group, accounts in groups.items()
                for name, earlier in known.items()
                if 2 * len(accounts & earlier) >= min(len(accounts), len(earlier))
            ),
            key=lambda share: (-share[0], share[1], share[2]),
        )
        named: dict[object, str] = {}
        taken: set[str] = set()
        for _, name, group in shares:
            if group not in named and name not in taken:
                named[group] = name
                taken.add(name)
        for group in sorted(groups, key=str):
            if group not in named:
                n_named += 1
                named[group] = f"{prefix}-{n_named}"
            known[named[group]] = groups[group]
        parts.append(
            night.with_columns(
                pl.col("group").replace_strict(named, return_dtype=pl.String).alias("campaign_id"),
                pl.lit(day).alias("day"),
            )
        )
    if not parts:
        return members.with_columns(pl.lit(None, pl.String).alias("campaign_id"))
    return pl.concat(parts)
