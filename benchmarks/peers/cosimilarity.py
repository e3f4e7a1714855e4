"""Co-similarity network: accounts whose rare traces agree, as communities of a filtered graph.

Source: Pacheco, Hui, Torres-Lugo, Truong, Flammini, Menczer, "Uncovering Coordinated Networks on Social
Media: Methods and Case Studies", ICWSM 2021: account x trace, TF-IDF, cosine, a filter of edges, and the
connected groups that are left; Luceri et al. (WWW 2024) cluster the same network.

Flags: groups. Traces are sampled word shingles of prompts, system prompts and clients (user agent with
fingerprint) over the nights so far (a week at most); communities by Leiden.

As published: TF-IDF of accounts by traces, cosine, keeping the heaviest 0.5 % of edges (the paper's cut
where a trace is free to choose).
Chosen: the cut is the weight that 0.5 % of the edges exceed on the night before, because a night must not
set its own threshold, so the first night has no findings; accounts with fewer than 5 traces are left out
(the paper asks for ten posts); Leiden at resolution 1 in place of bare components, which chain; groups of
at least 5.

Bounds: an account is compared with neighbours through its 8 heaviest traces, at most 8 neighbours a trace in
the order of account ids, and the cosine of those pairs is exact; edges among the 20 strongest of neither end
are dropped. All pairs that share a trace would be quadratic in its popularity.

Needs of a log: prompts, system prompts, user agents; any of them alone will do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit, prange
from scipy.sparse import csr_array, csr_matrix
from sknetwork.clustering import Leiden

from benchmarks.peers.groups import large_groups, named_over_nights
from benchmarks.peers.peer import Found, as_flags
from benchmarks.peers.texts import shingles
from benchmarks.peers.world import World

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

HEAVIEST = 8
NEIGHBOURS = 8
STRONGEST = 20
MAX_TRACES = 128
"""Traces an account keeps of one night, the most used first: more would say nothing new about it."""


@dataclass(frozen=True, slots=True)
class CoSimilarity:
    """See the module."""

    kept_share: float = 0.005
    least_traces: int = 5
    window_nights: int = 7
    name: str = "TF-IDF network"

    def find(self, world: World) -> Found:
        """Judge every night but the first by the network of the week that ends with it."""
        nets = list(self._networks(world))
        cuts = [None, *(_quantile(net.weight, 1.0 - self.kept_share) for net in nets[:-1])]
        levels = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
        return Found(
            flags=_communities(nets, cuts),
            point=f"heaviest {self.kept_share:.1%} of edges on the night before",
            others=tuple((f"cosine {level:g}", _communities(nets, [level] * len(nets))) for level in levels),
        )

    def _networks(self, world: World) -> Iterator["_Network"]:
        names = pl.concat([world.night(day)["account_id"].unique() for day in world.days]).unique().sort()
        numbers = pl.DataFrame({"account_id": names}).with_row_index("account")
        nights: list[pl.DataFrame] = []
        for day in world.days:
            night = world.night(day, "prompt", "system_prompt", "user_agent", "client_fingerprint")
            numbered = night.join(numbers, on="account_id", how="left", maintain_order="left")
            nights = [*nights[-self.window_nights + 1 :], _traces(numbered)]
            used = (
                pl.concat(nights)
                .group_by("account", "trace")
                .agg(pl.col("n").sum())
                .filter(pl.len().over("account") >= self.least_traces)
                .sort("account", "trace")
            )
            accounts = names.gather(used["account"].unique(maintain_order=True))
            first, second, weight = _strongest(*similar_accounts(used))
            yield _Network(day, accounts, night["account_id"].unique(), first, second, weight)


@dataclass(frozen=True, slots=True)
class _Network:
    """Edges of one night by number of account."""

    day: date
    accounts: pl.Series
    active: pl.Series
    first: Ints
    second: Ints
    weight: Floats


def _quantile(values: Floats, q: float) -> float | None:
    return float(np.quantile(values, q)) if len(values) else None


def _traces(night: pl.DataFrame) -> pl.DataFrame:
    """`account, trace, n`: what an account left behind in a night, as hashes."""
    row, shingle = shingles(night["prompt"])
    counted = [
        pl.DataFrame({"account": night["account"].gather(row), "trace": shingle}),
        night.select("account", pl.col("system_prompt").hash(seed=1).alias("trace")).filter(
            night["system_prompt"].is_not_null()
        ),
        night.select(
            "account", pl.struct("user_agent", "client_fingerprint").hash(seed=2).alias("trace")
        ).filter(night["user_agent"].is_not_null()),
    ]
    return (
        pl.concat(counted)
        .group_by("account", "trace")
        .agg(pl.len().cast(pl.Int64).alias("n"))
        .sort("account", "n", "trace", descending=[False, True, False])
        .group_by("account", maintain_order=True)
        .head(MAX_TRACES)
    )


def similar_accounts(used: pl.DataFrame) -> tuple[Ints, Ints, Floats]:
    """Pairs of accounts and the cosine of their TF-IDF vectors.

    Parameters
    ----------
    used : account (a number), trace, n; each pair once, by account

    Returns
    -------
    first, second : int64, numbers of accounts in the order of `used`, first < second, each pair once
    cosine : float64, above 0 and at most 1
    """
    row = used["account"].rank("dense").to_numpy().astype(np.int64) - 1
    column = used["trace"].rank("dense").to_numpy().astype(np.int64) - 1
    if len(row) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    n_accounts, n_traces = int(row.max()) + 1, int(column.max()) + 1
    held_by = np.bincount(column, minlength=n_traces)
    weight = used["n"].to_numpy() * np.log(n_accounts / held_by[column])
    norm = np.sqrt(np.bincount(row, weight**2, minlength=n_accounts))
    vectors = csr_array((weight / np.maximum(norm[row], 1e-12), (row, column)), shape=(n_accounts, n_traces))
    vectors.sort_indices()
    pairs = _neighbours(row, column, weight, held_by, n_accounts)
    first, second = pairs // n_accounts, pairs % n_accounts
    cosine = np.empty(len(pairs))
    _cosine_kernel(vectors.indptr, vectors.indices, vectors.data, first, second, cosine)
    kept = cosine > 0
    return first[kept], second[kept], np.minimum(cosine[kept], 1.0)


def _strongest(first: Ints, second: Ints, weight: Floats) -> tuple[Ints, Ints, Floats]:
    """The edges that are among the STRONGEST of either end."""
    edges = pl.DataFrame({"edge": np.arange(len(first)), "first": first, "second": second, "weight": weight})
    ends = pl.concat(edges.select("edge", "weight", pl.col(end).alias("end")) for end in ("first", "second"))
    ranked = ends.sort("end", "weight", "edge", descending=[False, True, False])
    kept = ranked.group_by("end", maintain_order=True).head(STRONGEST)["edge"].unique().sort().to_numpy()
    return first[kept], second[kept], weight[kept]


def _neighbours(row: Ints, column: Ints, weight: Floats, held_by: Ints, n_accounts: int) -> Ints:
    """Pairs, as first * n_accounts + second, that meet through one of their heaviest traces."""
    heavy = (
        pl.DataFrame({"row": row, "column": column, "weight": weight})
        .filter(pl.Series(held_by[column] > 1))
        .sort("row", "weight", "column", descending=[False, True, False])
        .group_by("row", maintain_order=True)
        .head(HEAVIEST)
        .sort("column", "row")
    )
    who, what = heavy["row"].to_numpy(), heavy["column"].to_numpy()
    found = np.zeros(0, np.int64)
    for step in range(1, NEIGHBOURS + 1):
        same = what[step:] == what[:-step]
        found = np.union1d(found, who[:-step][same] * n_accounts + who[step:][same])
    return found


@njit(parallel=True, cache=True)
def _cosine_kernel(starts, columns, values, first, second, cosine):
    """Inner products of pairs of sparse rows, columns ascending."""
    for pair in prange(len(first)):
        a, a_end = starts[first[pair]], starts[first[pair] + 1]
        b, b_end = starts[second[pair]], starts[second[pair] + 1]
        total = 0.0
        while a < a_end and b < b_end:
            if columns[a] == columns[b]:
                total += values[a] * values[b]
                a += 1
                b += 1
            elif columns[a] < columns[b]:
                a += 1
            else:
                b += 1
        cosine[pair] = total


def _communities(nets: list[_Network], cuts: list[float | None]) -> pl.DataFrame:
    """Flags of all nights, each with its own cut; a night without one has none."""
    parts = [_members(net, cut) for net, cut in zip(nets, cuts, strict=True) if cut is not None]
    return as_flags([named_over_nights(pl.concat(parts), "community")] if parts else [])


def _members(net: _Network, cut: float) -> pl.DataFrame:
    kept = net.weight >= cut
    first, second, weight = net.first[kept], net.second[kept], net.weight[kept]
    joined, number = np.unique(np.concatenate([first, second]), return_inverse=True)
    strongest = np.zeros(len(joined))
    np.maximum.at(strongest, number, np.tile(weight, 2))
    label = _leiden(number[: len(first)], number[len(first) :], weight, len(joined))
    everybody = pl.DataFrame({"account_id": net.accounts.gather(joined), "group": label, "score": strongest})
    return everybody.with_columns(pl.lit(net.day).cast(pl.Date).alias("day")).filter(
        pl.Series(large_groups(label)) & pl.col("account_id").is_in(net.active.implode())
    )


def _leiden(first: Ints, second: Ints, weight: Floats, n_nodes: int) -> Ints:
    if n_nodes == 0:
        return np.zeros(0, np.int64)
    edges = csr_matrix(
        (np.tile(weight, 2), (np.r_[first, second], np.r_[second, first])), shape=(n_nodes, n_nodes)
    )
    return np.asarray(Leiden(resolution=1.0, random_state=0).fit_predict(edges), np.int64)
