"""FRAUDAR: the densest blocks of accounts and objects, popular objects weighing less.

Source: Hooi, Song, Beutel, Shah, Shin, Faloutsos, "FRAUDAR: Bounding Graph Fraud in the Face of
Camouflage", KDD 2016, section 4 (greedy peeling, column weights 1 / log(degree + 5)); several blocks one
after another as in the authors' released code, which deletes a block's edges and starts again.

Flags: groups, the rows of the densest blocks. Accounts are rows; columns are the prompt prefixes, system
prompts, addresses and payment instruments they used over the nights so far (a week at most).

As published: the weights, the average degree g(S) = weight inside / (rows + columns), peeling the node of
least weight until nothing is left and keeping the best moment on the way.
Chosen: what a column is; five blocks a night (the paper shows the first; a service with several campaigns
has more than one); a column used by one account joins no two accounts and is left out. The paper names no
density below which a block is innocent, so every night has five.

Needs of a log: prompts, system prompts, addresses; payments if there is an accounts file. What is absent
adds no columns.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit

from benchmarks.peers.groups import named_over_nights
from benchmarks.peers.peer import LEAST_GROUP, Found, as_flags
from benchmarks.peers.texts import prefix_hash
from benchmarks.peers.world import World

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MAX_EDGES = 4_000_000
"""Beyond this many edges the columns of fewest accounts are dropped first: a block needs columns that many
accounts share, and the peeling holds all edges twice."""


@dataclass(frozen=True, slots=True)
class Fraudar:
    """See the module."""

    n_blocks: int = 5
    window_nights: int = 7
    most_blocks: int = 20
    name: str = "FRAUDAR"

    def find(self, world: World) -> Found:
        """Judge every night by the graph of the week that ends with it."""
        members = [self._blocks(day, edges, active) for day, edges, active in self._graphs(world)]
        if not members:
            return Found(as_flags([]), "no nights")
        blocks = named_over_nights(pl.concat(members), "block")
        densities = blocks["score"].unique().sort()
        levels = (1, 2, 3, 8, 12, self.most_blocks)
        return Found(
            flags=as_flags([blocks.filter(pl.col("group") < self.n_blocks)]),
            point=f"{self.n_blocks} densest blocks a night",
            others=(
                *((f"{n} densest blocks", as_flags([blocks.filter(pl.col("group") < n)])) for n in levels),
                *(
                    (f"blocks of density {level:.3g}", as_flags([blocks.filter(pl.col("score") >= level)]))
                    for level in densities.gather_every(max(1, len(densities) // 10))
                ),
            ),
        )

    def _graphs(self, world: World) -> Iterator[tuple[date, pl.DataFrame, pl.Series]]:
        payments = world.payments()
        nights: list[pl.DataFrame] = []
        for day in world.days:
            nights = [
                *nights[-self.window_nights + 1 :],
                _edges(world.night(day, "prompt", "system_prompt", "ip"), payments),
            ]
            yield day, pl.concat(nights).unique(), nights[-1]["account_id"].unique()

    def _blocks(self, day: date, edges: pl.DataFrame, active: pl.Series) -> pl.DataFrame:
        """Members of the night's densest blocks; the score is the block's density."""
        shared = edges.filter(pl.len().over("object") > 1).sort("account_id", "object")
        if len(shared) > MAX_EDGES:
            shared = (
                shared.sort(pl.len().over("object"), descending=True)
                .head(MAX_EDGES)
                .sort("account_id", "object")
            )
        accounts = shared["account_id"].unique(maintain_order=True)
        row = shared["account_id"].rank("dense").to_numpy().astype(np.int64) - 1
        column = shared["object"].rank("dense").to_numpy().astype(np.int64) - 1
        parts = []
        for number, (rows, density) in enumerate(dense_blocks(row, column, self.most_blocks)):
            members = accounts.filter(pl.Series(rows))
            parts.append(
                pl.DataFrame({"account_id": members}).select(
                    pl.lit(day).cast(pl.Date).alias("day"),
                    "account_id",
                    pl.lit(number, pl.Int64).alias("group"),
                    pl.lit(density, pl.Float64).alias("score"),
                )
            )
        empty = pl.DataFrame(
            schema={"day": pl.Date, "account_id": pl.String, "group": pl.Int64, "score": pl.Float64}
        )
        return pl.concat([empty, *parts]).filter(pl.col("account_id").is_in(active.implode()))


def _edges(night: pl.DataFrame, payments: pl.DataFrame) -> pl.DataFrame:
    """`account_id, object`, distinct: what each account used in a night, as hashes that tell kinds apart."""
    paid = night.select("account_id").unique().join(payments, on="account_id", how="inner")
    used = [
        night.select("account_id", prefix_hash().alias("object"), pl.lit("prompt").alias("kind")),
        night.select(
            "account_id", pl.col("system_prompt").hash(seed=0).alias("object"), pl.lit("system").alias("kind")
        ).filter(night["system_prompt"].is_not_null()),
        night.select(
            "account_id", pl.col("ip").hash(seed=0).alias("object"), pl.lit("ip").alias("kind")
        ).filter(night["ip"].is_not_null()),
        paid.select(
            "account_id",
            pl.col("payment_fingerprint").hash(seed=0).alias("object"),
            pl.lit("payment").alias("kind"),
        ),
    ]
    return (
        pl.concat(used)
        .drop_nulls("object")
        .select("account_id", pl.struct("kind", "object").hash(seed=0).alias("object"))
        .unique()
    )


def dense_blocks(row: Ints, column: Ints, n_blocks: int) -> Iterator[tuple[Bools, float]]:
    """The densest blocks of a bipartite graph, one after another, each without the edges of those before.

    Parameters
    ----------
    row, column : int64, one entry per edge, each edge once; numbered from 0 without gaps

    Yields
    ------
    rows of the block as a mask, shape (n_rows,), and its density; blocks of fewer than LEAST_GROUP rows
    are passed over, for at most ten times `n_blocks` tries
    """
    if len(row) == 0:
        return
    n_rows, n_columns = int(row.max()) + 1, int(column.max()) + 1
    n_found = 0
    for _ in range(10 * n_blocks):
        if len(row) == 0 or n_found == n_blocks:
            return
        degree = np.bincount(column, minlength=n_columns)
        weight = 1.0 / np.log(degree + 5.0)
        inside, density = _peel(row, column, weight, n_rows)
        if density <= 0:
            return
        in_block = inside[row] & inside[n_rows + column]
        row, column = row[~in_block], column[~in_block]
        if inside[:n_rows].sum() >= LEAST_GROUP:
            n_found += 1
            yield inside[:n_rows], density


def _peel(row: Ints, column: Ints, weight: npt.NDArray[np.float64], n_rows: int) -> tuple[Bools, float]:
    """The densest set met while peeling: mask over rows, then columns, and its density."""
    n_nodes = n_rows + len(weight)
    ends = np.concatenate([row, column + n_rows])
    others = np.concatenate([column + n_rows, row])
    weights = np.concatenate([weight[column], weight[column]])
    order = np.argsort(ends, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=n_nodes))]).astype(np.int64)
    taken_at, best_moment, best = _peel_kernel(starts, others[order], weights[order])
    return (taken_at >= best_moment) & (np.diff(starts) > 0), float(best)


@njit(cache=True)
def _peel_kernel(starts, others, weights):
    """Take away the node of least weight again and again.

    Returns for every node the moment it was taken, the moment before which the rest was densest, and that
    density. Nodes without edges are taken first and count for nothing. The heap holds stale entries, known by
    a weight that is no longer the node's: cheaper than moving entries about.
    """
    n_nodes = len(starts) - 1
    left = np.zeros(n_nodes)
    total, n_left = 0.0, 0
    for node in range(n_nodes):
        for at in range(starts[node], starts[node + 1]):
            left[node] += weights[at]
        total += left[node]
        if starts[node + 1] > starts[node]:
            n_left += 1
    total /= 2.0
    heap = [(left[node], node) for node in range(n_nodes)]
    heapq.heapify(heap)
    taken_at = np.full(n_nodes, -1, np.int64)
    best, best_moment, moment = 0.0, 0, 0
    while heap:
        weight, node = heapq.heappop(heap)
        if taken_at[node] >= 0 or weight != left[node]:
            continue
        if n_left > 0 and total / n_left > best + 1e-12:
            best, best_moment = total / n_left, moment
        taken_at[node] = moment
        moment += 1
        if starts[node + 1] > starts[node]:
            n_left -= 1
        total -= left[node]
        for at in range(starts[node], starts[node + 1]):
            other = others[at]
            if taken_at[other] < 0:
                left[other] -= weights[at]
                heapq.heappush(heap, (left[other], other))
    return taken_at, best_moment, best
