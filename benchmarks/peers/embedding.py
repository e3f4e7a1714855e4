"""Prompts as short vectors: TF-IDF of words and pairs of words, then truncated SVD.

Here: the stand-in for the sentence encoder that MMD and PRADA were published with, fitted on a world's
first night alone, so that no night later judged had a part in it. Not here: what is done with vectors (mmd,
prada).

The paper's encoder (bge-small, 384 dimensions) is a download of its own; the statistic itself also works on
TF-IDF with SVD. Two bounds keep a world of millions in memory: a prompt counts by its first 2,000
characters, which is about what that encoder reads (512 tokens), and an account by its latest 100 prompts of
a night, the largest window tested.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.peers.texts import shingles
from benchmarks.peers.world import World

MOST_CHARS = 2_000
MOST_PER_NIGHT = 100
BUCKET_BITS = 15
N_BUCKETS = 1 << BUCKET_BITS
N_DIMENSIONS = 128
FIT_ROWS = 20_000
"""Prompts the projection is fitted on; the leading directions are settled long before."""
_CHUNK_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Embedding:
    """Vectors of a world's prompts, by account, night and time.

    Attributes
    ----------
    rows : account_id, night (number of the night, from 0)
    vectors : float32, shape (n_rows, N_DIMENSIONS), of length 1, or 0 where no word is known
    """

    rows: pl.DataFrame
    vectors: npt.NDArray[np.float32]


def embed(world: World) -> Embedding:
    """The vectors of all nights; read from the world's scratch folder when another peer left them there."""
    if world.scratch is None:
        return _made(world)
    rows, vectors = world.scratch / "embedding.parquet", world.scratch / "embedding.npy"
    if not rows.exists():
        made = _made(world)
        np.save(vectors, made.vectors)
        made.rows.write_parquet(rows)
    return Embedding(pl.read_parquet(rows), np.load(vectors))


def _made(world: World) -> Embedding:
    nights = [_prompts(world, number) for number in range(len(world.days))]
    if nights[0].is_empty():  # nothing to learn words from, such as in a log of metadata alone
        rows = nights[0].select("account_id", "night")
        return Embedding(rows, np.zeros((0, N_DIMENSIONS), np.float32))
    tfidf, svd = _fitted(nights[0]["prompt"])
    vectors = np.concatenate([_projected(night["prompt"], tfidf, svd) for night in nights])
    rows = pl.concat([night.select("account_id", "night") for night in nights]).with_row_index("row")
    order = rows.sort("account_id", "night", "row")
    return Embedding(order.select("account_id", "night"), vectors[order["row"].to_numpy()])


def _prompts(world: World, number: int) -> pl.DataFrame:
    night = world.night(world.days[number], "prompt").drop_nulls("prompt")
    return (
        night.group_by("account_id", maintain_order=True)
        .tail(MOST_PER_NIGHT)
        .select("account_id", pl.lit(number).alias("night"), pl.col("prompt").str.slice(0, MOST_CHARS))
    )


def _fitted(prompts: pl.Series) -> tuple[TfidfTransformer, TruncatedSVD]:
    sample = prompts if len(prompts) <= FIT_ROWS else prompts.sample(FIT_ROWS, seed=0)
    counts = _counted(sample)
    tfidf = TfidfTransformer(sublinear_tf=True)
    weighted = tfidf.fit_transform(counts)
    n_dimensions = max(1, min(N_DIMENSIONS, min(weighted.shape) - 1))
    # One thread: on a busy machine two that wait for each other take ten times as long.
    with threadpool_limits(1):
        return tfidf, TruncatedSVD(n_dimensions, n_iter=2, random_state=0).fit(weighted)


def _projected(prompts: pl.Series, tfidf: TfidfTransformer, svd: TruncatedSVD) -> npt.NDArray[np.float32]:
    parts = [np.zeros((0, svd.n_components), np.float32)]
    for chunk in _chunks(prompts):
        flat = svd.transform(tfidf.transform(_counted(chunk)))
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        parts.append((flat / np.maximum(length, 1e-9)).astype(np.float32))
    return np.concatenate(parts)


def _chunks(prompts: pl.Series) -> Iterator[pl.Series]:
    return (prompts.slice(start, _CHUNK_ROWS) for start in range(0, len(prompts), _CHUNK_ROWS))


def _counted(prompts: pl.Series) -> csr_matrix:
    """Hashed words and pairs of words of each prompt, as counts."""
    found = [shingles(prompts, n_words, 1) for n_words in (1, 2)]
    row = np.concatenate([rows for rows, _ in found])
    bucket = np.concatenate([hashes for _, hashes in found]) >> np.uint64(64 - BUCKET_BITS)
    counts = csr_matrix(
        (np.ones(len(row), np.float32), (row, bucket.astype(np.int64))), shape=(len(prompts), N_BUCKETS)
    )
    counts.sum_duplicates()
    return counts
