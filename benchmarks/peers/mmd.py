"""Maximum mean discrepancy: does an account ask what a reference asks?

Source: Liu, Guo, Dong, "An Embarrassingly Simple Detector for Model Extraction Attacks in LLM API Traffic",
arXiv 2606.05725 (code: LabRAI/mmd-llm-mea-detection). Two uses of one statistic:

- `MmdPooled`, the published one: an account's window against windows of everybody's earlier traffic.
- `MmdOwn`: an account's window of tonight against its own earlier nights, which the paper does not have
  but which an operator would try next, since every customer with one job differs from everybody.

Flags: accounts, each alone.

As published: bandwidth sigma = median distance of 2,000 reference prompts; kernel = mean of RBFs at 0.5, 1,
2 and 4 sigma; unbiased MMD^2; null of 1,000 draws of two disjoint windows; the statistic is the mean over
20 reference draws; threshold = 95th percentile of the null.
Chosen: vectors (see embedding); windows of 10, 25, 50 or 100 prompts, the largest that an account can fill,
each with its own null, because the published 1,500 is more than almost any account sends in a week; the
reference is a sample of 4,000 prompts of all earlier nights. `MmdOwn` takes its null from 199 permutations
of the two windows (Gretton et al., JMLR 2012), because a history seldom holds two further windows. Quieter
accounts are not tested, and counted in the notes.

Needs of a log: prompts. The first night only teaches.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit, prange

from benchmarks.peers.embedding import Embedding, embed
from benchmarks.peers.peer import Found, cut
from benchmarks.peers.world import World

Ints = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

WINDOWS = (10, 25, 50, 100)
N_POOL = 4_000
N_BANDWIDTH = 2_000
N_NULL = 1_000
N_REFERENCES = 20
N_PERMUTATIONS = 199
NULL_PERCENTILE = 95.0


@dataclass(frozen=True, slots=True)
class MmdPooled:
    """Every account against everybody's earlier traffic."""

    name: str = "MMD, pooled reference"

    def find(self, world: World) -> Found:
        """Judge every night but the first."""
        embedding = embed(world)
        tested, n_quiet = [], 0
        for night in range(1, len(world.days)):
            pool = _pool(embedding, night)
            windows, quiet = _windows(embedding, night)
            n_quiet += quiet
            for size, (accounts, last) in windows.items():
                score = pooled_scores(embedding.vectors, last, size, pool) if len(pool) >= 2 * size else None
                tested.append(_scored(world, night, accounts, score))
        return cut(
            pl.concat(tested) if tested else _nothing(),
            0.0,
            "95th percentile of the null",
            strictly=True,
            notes=(_quiet_note(tested, n_quiet),),
        )


@dataclass(frozen=True, slots=True)
class MmdOwn:
    """Every account against its own earlier nights."""

    name: str = "MMD, own history"

    def find(self, world: World) -> Found:
        """Judge every night but the first."""
        embedding = embed(world)
        gamma = _gamma(_pool(embedding, 1)) if len(world.days) > 1 else 1.0
        tested, n_quiet = [], 0
        for night in range(1, len(world.days)):
            windows, quiet = _two_windows(embedding, night)
            n_quiet += quiet
            for size, (accounts, tonight, before) in windows.items():
                score = own_scores(embedding.vectors, tonight, before, size, gamma)
                tested.append(_scored(world, night, accounts, score))
        return cut(
            pl.concat(tested) if tested else _nothing(),
            0.0,
            "95th percentile of the null",
            strictly=True,
            notes=(_quiet_note(tested, n_quiet),),
        )


def _quiet_note(tested: list[pl.DataFrame], n_quiet: int) -> str:
    return f"{sum(map(len, tested)):,} account-nights tested, {n_quiet:,} too quiet"


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={"day": pl.Date, "account_id": pl.String, "score": pl.Float64})


def _scored(world: World, night: int, accounts: pl.Series, score: Floats | None) -> pl.DataFrame:
    if score is None:
        return _nothing()
    day = pl.lit(world.days[night]).alias("day")
    return pl.DataFrame({"account_id": accounts, "score": score}).select(day, "account_id", "score")


# -- windows ---------------------------------------------------------------------------------------


def _pool(embedding: Embedding, night: int) -> Vectors:
    earlier = np.flatnonzero((embedding.rows["night"] < night).to_numpy())
    rng = np.random.default_rng(night)
    return np.asarray(embedding.vectors[rng.permutation(earlier)[:N_POOL]], np.float32)


def _sized(ends: pl.DataFrame, room: pl.Expr) -> pl.DataFrame:
    """The largest window that fits into `room`; null where none does."""
    size = pl.lit(None, pl.Int64)
    for window in WINDOWS:
        size = pl.when(room >= window).then(pl.lit(window)).otherwise(size)
    return ends.with_columns(size.alias("size"))


def _windows(embedding: Embedding, night: int) -> tuple[dict[int, tuple[pl.Series, Ints]], int]:
    """By size: accounts active tonight and the row after their latest prompt; and how many are too quiet."""
    ends = _sized(_spans(embedding, night), pl.col("end") - pl.col("start"))
    by_size = {
        size: (part["account_id"], part["end"].to_numpy())
        for (size,), part in ends.drop_nulls("size").group_by("size", maintain_order=True)
    }
    return by_size, ends["size"].null_count()


def _two_windows(embedding: Embedding, night: int) -> tuple[dict[int, tuple[pl.Series, Ints, Ints]], int]:
    """The same for a window of tonight and one that ends before tonight."""
    tonight, before = pl.col("end") - pl.col("begun"), pl.col("begun") - pl.col("start")
    ends = _sized(_spans(embedding, night), pl.min_horizontal(tonight, before))
    by_size = {
        size: (part["account_id"], part["end"].to_numpy(), part["begun"].to_numpy())
        for (size,), part in ends.drop_nulls("size").group_by("size", maintain_order=True)
    }
    return by_size, ends["size"].null_count()


def _spans(embedding: Embedding, night: int) -> pl.DataFrame:
    """`account_id, start, begun, end` of tonight's accounts: rows so far, tonight's from `begun` on."""
    rows = embedding.rows.with_row_index("row").filter(pl.col("night") <= night)
    return (
        rows.group_by("account_id", maintain_order=True)
        .agg(
            pl.col("row").first().cast(pl.Int64).alias("start"),
            (pl.col("row").last().cast(pl.Int64) + 1).alias("end"),
            (pl.col("night") == night).sum().cast(pl.Int64).alias("n_tonight"),
        )
        .filter(pl.col("n_tonight") > 0)
        .with_columns((pl.col("end") - pl.col("n_tonight")).alias("begun"))
    )


# -- the statistic ---------------------------------------------------------------------------------


def pooled_scores(vectors: Vectors, ends: Ints, size: int, pool: Vectors, seed: int = 0) -> Floats:
    """How far each window lies beyond the 95th percentile of the null, in its standard deviations.

    Parameters
    ----------
    vectors : float32, shape (n, d); window i is vectors[ends[i] - size:ends[i]]
    pool : float32, shape (m, d), m at least 2 * size: reference prompts
    """
    gamma = _gamma(pool)
    rng = np.random.default_rng(seed)
    draws = np.stack([rng.permutation(len(pool))[: 2 * size] for _ in range(N_NULL)])
    null = np.empty(N_NULL)
    _null_kernel(pool, draws, size, gamma, null)
    references = np.stack([rng.permutation(len(pool))[:size] for _ in range(N_REFERENCES)])
    within = np.empty(N_REFERENCES)
    _within_kernel(pool, references, gamma, within)
    statistic = np.empty(len(ends))
    _against_kernel(vectors, ends, size, pool, references, float(within.mean()), gamma, statistic)
    beyond = statistic - np.percentile(null, NULL_PERCENTILE)
    return np.asarray(beyond / max(null.std(), 1e-12), np.float64)


def own_scores(
    vectors: Vectors, tonight: Ints, before: Ints, size: int, gamma: float, seed: int = 0
) -> Floats:
    """The same for two windows of one account, ending at `tonight` and at `before`, by permutation."""
    rng = np.random.default_rng(seed)
    permutations = np.stack(
        [np.arange(2 * size)] + [rng.permutation(2 * size) for _ in range(N_PERMUTATIONS)]
    )
    statistics = np.empty((len(tonight), 1 + N_PERMUTATIONS))
    _permuted_kernel(vectors, tonight, before, size, permutations, gamma, statistics)
    null = statistics[:, 1:]
    beyond = statistics[:, 0] - np.percentile(null, NULL_PERCENTILE, axis=1)
    return np.asarray(beyond / np.maximum(null.std(axis=1), 1e-12), np.float64)


def _gamma(pool: Vectors) -> float:
    """1 / (2 sigma^2) with sigma the median distance in a sample of the pool."""
    sample = pool[:N_BANDWIDTH].astype(np.float64)
    squared = (sample**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squared[:, None] + squared[None, :] - 2 * sample @ sample.T, 0.0))
    above = distance[np.triu_indices(len(sample), 1)]
    sigma = float(np.median(above)) if len(above) else 1.0
    return 0.5 / max(sigma, 1e-6) ** 2


@njit(cache=True, fastmath=True)
def _rbf(a, b, gamma):
    """Mean of the RBFs at 0.5, 1, 2 and 4 sigma; three of them are powers of the widest."""
    distance = np.float32(0.0)
    for at in range(len(a)):
        step = a[at] - b[at]
        distance += step * step
    widest = math.exp(-gamma * distance / 16.0)
    wide = widest * widest
    wide *= wide
    middle = wide * wide
    middle *= middle
    narrow = middle * middle
    narrow *= narrow
    return 0.25 * (widest + wide + middle + narrow)


@njit(parallel=True, cache=True)
def _null_kernel(pool, draws, size, gamma, null):
    """MMD^2 of the two halves of every draw."""
    for draw in prange(len(draws)):
        inside, across = 0.0, 0.0
        for i in range(2 * size):
            for j in range(i + 1, 2 * size):
                value = _rbf(pool[draws[draw, i]], pool[draws[draw, j]], gamma)
                if (i < size) == (j < size):
                    inside += value
                else:
                    across += value
        null[draw] = 2.0 * inside / (size * (size - 1)) - 2.0 * across / (size * size)


@njit(parallel=True, cache=True)
def _within_kernel(pool, references, gamma, within):
    """Mean kernel of distinct pairs inside every reference."""
    for draw in prange(len(references)):
        size, total = references.shape[1], 0.0
        for i in range(size):
            for j in range(i + 1, size):
                total += _rbf(pool[references[draw, i]], pool[references[draw, j]], gamma)
        within[draw] = 2.0 * total / (size * (size - 1))


@njit(parallel=True, cache=True)
def _against_kernel(vectors, ends, size, pool, references, within, gamma, statistic):
    """Mean MMD^2 of every window against all references."""
    for window in prange(len(ends)):
        start, inside, across = ends[window] - size, 0.0, 0.0
        for i in range(size):
            for j in range(i + 1, size):
                inside += _rbf(vectors[start + i], vectors[start + j], gamma)
            for draw in range(len(references)):
                for j in range(size):
                    across += _rbf(vectors[start + i], pool[references[draw, j]], gamma)
        statistic[window] = (
            2.0 * inside / (size * (size - 1)) + within - 2.0 * across / (size * size * len(references))
        )


@njit(parallel=True, cache=True)
def _permuted_kernel(vectors, tonight, before, size, permutations, gamma, statistics):
    """MMD^2 of both windows of an account, as they are (row 0 of `permutations`) and dealt anew."""
    for window in prange(len(tonight)):
        kernel = np.empty((2 * size, 2 * size), np.float32)
        for i in range(2 * size):
            a = tonight[window] - size + i if i < size else before[window] - 2 * size + i
            for j in range(i + 1, 2 * size):
                b = tonight[window] - size + j if j < size else before[window] - 2 * size + j
                kernel[i, j] = _rbf(vectors[a], vectors[b], gamma)
                kernel[j, i] = kernel[i, j]
        for deal in range(len(permutations)):
            inside, across = 0.0, 0.0
            for i in range(2 * size):
                for j in range(i + 1, 2 * size):
                    value = kernel[permutations[deal, i], permutations[deal, j]]
                    if (i < size) == (j < size):
                        inside += value
                    else:
                        across += value
            statistics[window, deal] = 2.0 * inside / (size * (size - 1)) - 2.0 * across / (size * size)
