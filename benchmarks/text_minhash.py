"""MinHash by rensa, a Rust library, against the fingerprint of the same texts, for text_speed.py.

Here: ways of making signatures from Arrow strings, and their times on one thread: `pip install rensa`. The
headline is the way its users go: 128 permutations over shingles of four words, words made with str.split.
The others are listed beside it, also those that are quicker than anybody would write them. Not here: the
stage (text_speed).
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from detector import text

SIGNATURE = 128
SHINGLE_WORDS = 4
SEED = 42
WORD = re.compile(r"[^\W_]+")
"""Runs of letters and digits, as our tokens are; str.split leaves signs in words, and is quicker."""

MIXER = np.uint64(0x9E3779B97F4A7C15)

OURS, OURS_CLASSIFIED = "fingerprint", "fingerprint, classified"
HEADLINE = "rensa, 4-word shingles of str.split"


def run_peer(texts: pa.Array, runs: int) -> dict[str, Any]:
    """Best processor seconds, and the wall seconds of that run, of each way from Arrow strings to numbers."""
    try:
        from rensa import RMinHash  # noqa: PLC0415
    except ModuleNotFoundError:
        return {"missing": "rensa is not installed: pip install rensa"}
    weights = text.classifier().weights
    ways: dict[str, Callable[[], object]] = {
        OURS: lambda: text.fingerprint(texts),
        OURS_CLASSIFIED: lambda: text.classify(text.fingerprint(texts, weights=weights)),
        HEADLINE: lambda: matrix(RMinHash, shingles_of_words(texts)),
        "rensa, 4-word shingles, words as ours": lambda: matrix(
            RMinHash, shingles_of_words(texts, WORD.findall)
        ),
        "rensa, 4-word shingles, an object a text": lambda: objects(RMinHash, shingles_of_words(texts)),
        "rensa, words": lambda: matrix(RMinHash, map(str.split, texts.to_pylist())),
        "rensa, words, rho sketch": lambda: RMinHash.digest_matrix_from_token_sets_rho(
            map(str.split, texts.to_pylist()), SIGNATURE, SEED
        ),
        "rensa, 4-word shingles hashed by numpy": lambda: RMinHash.digest_matrix_from_flat_token_hashes(
            *hashed_shingles(texts), SIGNATURE, SEED
        ),
        "rensa, the same, rho sketch": lambda: RMinHash.digest_matrix_from_flat_token_hashes_rho(
            *hashed_shingles(texts), SIGNATURE, SEED
        ),
    }
    ready = [list(shingles) for shingles in shingles_of_words(texts)]
    ways["(rensa, 4-word shingles ready made)"] = lambda: matrix(RMinHash, ready)
    hashes = hashed_shingles(texts)
    ways["(rensa, hashes ready made)"] = lambda: RMinHash.digest_matrix_from_flat_token_hashes(
        *hashes, SIGNATURE, SEED
    )
    n_bytes = pc.sum(pc.binary_length(texts)).as_py()
    seconds = {name: best_of(runs, way) for name, way in ways.items()}
    return {"n": len(texts), "n_bytes": n_bytes, "seconds": seconds, "rensa": version("rensa")}


def best_of(runs: int, way: Callable[[], object]) -> tuple[float, float]:
    """Least processor seconds over some runs, and that run's wall seconds; a first run warms up."""
    way()
    measured = []
    for _ in range(runs):
        began, used = time.perf_counter(), time.process_time()
        way()
        measured.append((time.process_time() - used, time.perf_counter() - began))
    return min(measured)


def shingles_of_words(
    texts: pa.Array, words_of: Callable[[str], list[str]] = str.split
) -> Iterator[Iterable[str]]:
    """The runs of four words of each text, as Python makes them quickest."""
    for one in texts.to_pylist():
        words = words_of(one.lower())
        yield map(" ".join, zip(*(words[first:] for first in range(SHINGLE_WORDS)), strict=False))


def hashed_shingles(texts: pa.Array) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """The same as hashes and row offsets without an object a word: polars splits and hashes words, and numpy
    mixes four. Nobody does it so; it is the least that could be done before calling the library."""
    words = pl.Series(texts).str.to_lowercase().str.split(" ")
    n_words = words.list.len().to_numpy().astype(np.int64)
    hashes = words.explode().hash().to_numpy()
    mixed = np.zeros(max(len(hashes) - SHINGLE_WORDS + 1, 0), dtype=np.uint64)
    for place in range(SHINGLE_WORDS):
        mixed = (mixed ^ hashes[place : place + len(mixed)]) * MIXER
    within = np.arange(len(hashes)) - np.repeat(np.cumsum(n_words) - n_words, n_words)
    is_whole = within[: len(mixed)] <= np.repeat(n_words, n_words)[: len(mixed)] - SHINGLE_WORDS
    starts = np.zeros(len(texts) + 1, dtype=np.uint64)
    np.cumsum(np.maximum(n_words - SHINGLE_WORDS + 1, 0), out=starts[1:])
    return mixed[is_whole], starts


def matrix(sketch: Any, token_sets: Iterable[Iterable[str]]) -> object:
    """All signatures by one call."""
    return sketch.digest_matrix_from_token_sets(token_sets, SIGNATURE, SEED)


def objects(sketch: Any, token_sets: Iterable[Iterable[str]]) -> object:
    """One object a text, as the library's first example does it."""
    return sketch.from_token_sets(token_sets, SIGNATURE, SEED)


def print_ratios(peer: dict[str, Any]) -> None:
    """The headline, and beside it each way's pace on one thread and how many times as fast ours is."""
    if "missing" in peer:
        print(f"\nMinHash: {peer['missing']}")
        return
    n, n_bytes, seconds = peer["n"], peer["n_bytes"], peer["seconds"]
    ours, classified, theirs = (seconds[name][0] for name in (OURS, OURS_CLASSIFIED, HEADLINE))
    print(
        f"\nMinHash of {n:,} texts ({n_bytes / 1e6:.0f} MB), rensa {peer['rensa']}, one thread\n"
        f"headline: {SIGNATURE} permutations over {SHINGLE_WORDS}-word shingles made with str.split take "
        f"{theirs / ours:.1f} times as long as a fingerprint, {theirs / classified:.1f} times as long as one "
        f"with classes\n"
        f"{'from Arrow strings to numbers':<42}{'wall s':>7}{'proc. s':>9}{'texts/s':>10}{'MB/s':>6}"
        f"{'times ours':>13}{'classified':>12}"
    )
    for name, (used, wall) in seconds.items():
        pace = f"{name:<42}{wall:7.2f}{used:9.2f}{n / used:10,.0f}{n_bytes / used / 1e6:6,.0f}"
        print(f"{pace}{used / ours:13.1f}{used / classified:12.1f}")
    print("in brackets: what the library alone takes, its input ready made")
