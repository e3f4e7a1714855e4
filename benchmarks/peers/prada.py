"""PRADA: are the distances between an account's successive queries normally distributed?

Source: Juuti, Szyller, Marchal, Asokan, "PRADA: Protecting against DNN Model Stealing Attacks", EuroS&P
2019 (arXiv 1805.02628), section V and algorithm 3; code SSGAalto/prada.

Flags: accounts, each alone. Of every query the distance to its nearest predecessor in a growing set is
noted; distances beyond three standard deviations are dropped; Shapiro-Wilk's W below delta raises the
alarm.

As published: the growing set, which a query joins when its distance exceeds a threshold that is at least
the mean less one standard deviation of the distances that made the set; trimming at three standard
deviations; at least 100 distances; delta 0.95, one of the paper's own settings.
Chosen: vectors (see embedding) where the paper has images or features; one set an account, where the paper
has one a predicted class, since a log of a language model names no class; at most 1,000 latest prompts an
account, because distances to all predecessors are quadratic.

Needs of a log: prompts, at least 100 of an account over the nights so far. The first night only teaches the
projection.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit, prange
from scipy.stats import shapiro

from benchmarks.peers.embedding import embed
from benchmarks.peers.peer import Found, cut
from benchmarks.peers.world import World

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_QUERIES = 1_000


@dataclass(frozen=True, slots=True)
class Prada:
    """See the module."""

    delta: float = 0.95
    least_queries: int = 100
    name: str = "PRADA"

    def find(self, world: World) -> Found:
        """Judge every night but the first by all of an account's nights so far."""
        embedding = embed(world)
        tested, n_quiet = [], 0
        for night in range(1, len(world.days)):
            rows = embedding.rows.with_row_index("row").filter(pl.col("night") <= night)
            streams = (
                rows.group_by("account_id", maintain_order=True)
                .agg(
                    pl.col("row").first().cast(pl.Int64).alias("start"),
                    (pl.col("row").last().cast(pl.Int64) + 1).alias("end"),
                    pl.col("night").last(),
                )
                .filter(pl.col("night") == night)
                .with_columns(pl.max_horizontal("start", pl.col("end") - MOST_QUERIES))
            )
            loud = streams.filter(pl.col("end") - pl.col("start") > self.least_queries)
            n_quiet += len(streams) - len(loud)
            w = normality(embedding.vectors, loud["start"].to_numpy(), loud["end"].to_numpy())
            tested.append(
                loud.select(pl.lit(world.days[night]).alias("day"), "account_id", pl.Series("score", 1.0 - w))
            )
        empty = pl.DataFrame(schema={"day": pl.Date, "account_id": pl.String, "score": pl.Float64})
        return cut(
            pl.concat([empty, *tested]),
            1.0 - self.delta,
            f"W below {self.delta:g}",
            strictly=True,
            notes=(f"{sum(map(len, tested)):,} account-nights tested, {n_quiet:,} too quiet",),
        )


def normality(vectors: npt.NDArray[np.float32], starts: Ints, ends: Ints) -> Floats:
    """Shapiro-Wilk's W of the distances of each stream vectors[starts[i]:ends[i]]; NaN if all are equal."""
    places = np.concatenate([[0], np.cumsum(np.maximum(ends - starts - 1, 0))]).astype(np.int64)
    distances = np.empty(places[-1])
    _nearest_kernel(vectors, starts, ends, places, distances)
    return np.array([_w(distances[places[i] : places[i + 1]]) for i in range(len(starts))], np.float64)


def _w(distances: Floats) -> float:
    mean, spread = distances.mean() if len(distances) else 0.0, distances.std() if len(distances) else 0.0
    kept = distances[np.abs(distances - mean) <= 3 * spread]
    if len(kept) < 3 or np.ptp(kept) == 0:
        return math.nan
    return float(shapiro(kept).statistic)


@njit(parallel=True, cache=True, fastmath=True)
def _nearest_kernel(vectors, starts, ends, places, distances):
    """Distance of every query but the first of its stream to the nearest member of the growing set."""
    for stream in prange(len(starts)):
        start, n = starts[stream], ends[stream] - starts[stream]
        members = np.empty(max(n, 1), np.int64)
        members[0] = start
        n_members, threshold = 1, 0.0
        # The first member joined at distance 0.
        n_joined, total, squares = 1, 0.0, 0.0
        for query in range(1, n):
            nearest = np.float32(np.inf)
            for member in range(n_members):
                distance = np.float32(0.0)
                for at in range(vectors.shape[1]):
                    step = vectors[start + query, at] - vectors[members[member], at]
                    distance += step * step
                nearest = min(nearest, distance)
            gap = math.sqrt(nearest)
            distances[places[stream] + query - 1] = gap
            if gap > threshold:
                members[n_members] = start + query
                n_members += 1
                n_joined += 1
                total += gap
                squares += gap * gap
                mean = total / n_joined
                threshold = max(threshold, mean - math.sqrt(max(squares / n_joined - mean * mean, 0.0)))
