"""Prompts as hashes: prefixes, and sampled shingles of words.

Here: what several peers read from a prompt, without a Python object per request. Not here: prompts as
vectors (embedding).
"""

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from numba import njit

PREFIX_CHARS = 50
"""AegisGate's structural hash looks at so many characters; the other peers take the same, having none."""

SHINGLE_WORDS = 4
SAMPLE_SHINGLES = 8
"""One shingle in eight is kept, chosen by its hash: the same ones in every prompt, an eighth of the work."""

_BASE = np.uint64(1_099_511_628_211)
_SEED = np.uint64(14_695_981_039_346_656_037)
_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)


def prefix_hash(column: str = "prompt") -> pl.Expr:
    """uint64 hash of the first characters, lower-cased, digits and runs of blanks alike; null stays null."""
    text = pl.col(column).str.slice(0, PREFIX_CHARS).str.to_lowercase()
    alike = text.str.replace_all(r"\d", "0").str.replace_all(r"\s+", " ")
    return pl.when(pl.col(column).is_not_null()).then(alike.hash(seed=0))


def shingles(
    prompts: pl.Series, n_words: int = SHINGLE_WORDS, one_in: int = SAMPLE_SHINGLES
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Row numbers and hashes of runs of `n_words` words, in the order of the text; null has none.

    Of all runs, those whose hash divides by `one_in` are kept. A word is a run of ASCII letters or digits, or
    any other code unit above ASCII by itself; letters count lower-cased and digits alike.
    """
    text = prompts.fill_null("").to_arrow().cast(pa.large_string())
    n = len(text)
    offsets = np.frombuffer(text.buffers()[1], np.int64)[text.offset : text.offset + n + 1]
    data = text.buffers()[2]
    units = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    counts = np.zeros(n + 1, np.int64)
    nothing = np.zeros(0, np.uint64)
    _shingles_kernel(units, offsets, n_words, one_in, counts, nothing, False)
    starts = np.cumsum(counts)
    hashes = np.empty(starts[-1], np.uint64)
    _shingles_kernel(units, offsets, n_words, one_in, starts.copy(), hashes, True)
    return np.repeat(np.arange(n), np.diff(starts)), hashes


@njit(cache=True)
def _mixed(value):
    """A hash whose low bits depend on all of `value`."""
    value = (value ^ (value >> np.uint64(33))) * _MIX
    return value ^ (value >> np.uint64(29))


@njit(cache=True)
def _shingles_kernel(units, offsets, n_in_run, one_in, places, hashes, is_writing):  # noqa: PLR0912, one loop
    """Count into places[row + 1], or write from places[row] on: twice, for a list of unknown length."""
    window = np.zeros(n_in_run, np.uint64)
    for row in range(len(offsets) - 1):
        n_words, word, in_word = 0, _SEED, False
        place = places[row]
        for at in range(offsets[row], offsets[row + 1] + 1):
            unit = units[at] if at < offsets[row + 1] else np.uint8(32)
            if 65 <= unit <= 90:
                unit += np.uint8(32)
            is_digit = 48 <= unit <= 57
            if is_digit:
                unit = np.uint8(48)
            is_letter = is_digit or 97 <= unit <= 122
            if is_letter:
                word = (word ^ np.uint64(unit)) * _BASE
                in_word = True
                if at + 1 <= offsets[row + 1]:
                    continue
            ends = in_word
            if unit >= 128:
                ends = True
                word = (word ^ np.uint64(unit)) * _BASE
            if not ends:
                continue
            window[n_words % n_in_run] = word
            n_words += 1
            word, in_word = _SEED, False
            if n_words >= n_in_run:
                shingle = _SEED
                for back in range(n_in_run):
                    shingle = _mixed(shingle ^ window[(n_words + back) % n_in_run])
                if shingle % np.uint64(one_in) == 0:
                    if is_writing:
                        hashes[place] = shingle
                    place += 1
        if not is_writing:
            places[row + 1] = place - places[row]
