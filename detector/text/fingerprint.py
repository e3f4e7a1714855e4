"""What is kept of a text when the text itself is dropped.

Here: from Arrow string arrays to hashes, kept shingles, scripts and classifier sums. Not here: what
those sums mean (classify), which texts share a template (families), the loops (kernels.text).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.kernels import text as kernels
from detector.kernels.linear import N_PARTS, REGISTER

SCRIPTS = (
    "none", "latin", "cyrillic", "greek", "arabic", "hebrew", "devanagari",
    "han", "kana", "hangul", "thai", "other",
)  # fmt: skip
"""Codes of `Fingerprints.script` are positions in this tuple."""

VERSION = 3
"""Changes whenever a text's fingerprint changes: fingerprints of two versions are never compared."""

_ROWS_PER_TASK = 8_192

Secret = npt.NDArray[np.uint64]
"""What keys the hashes of texts, uint64, shape (2,), the second odd: see `secret_of`."""


def secret_of(key: bytes) -> Secret:
    """The secret of a workspace's key.

    Whoever does not know it can neither write two texts that hash alike, nor choose which of his texts a
    sample takes. Hashes of two secrets have nothing to do with each other.
    """
    digest = np.frombuffer(blake2b(key, digest_size=16, person=b"stillwatch text").digest(), "<u8")
    return np.array([digest[0], digest[1] | np.uint64(1)])


NO_SECRET: Secret = secret_of(b"")
"""For texts that nobody could have prepared: benchmarks, tests."""


@dataclass(frozen=True, slots=True)
class FoldTable:
    """How each code point counts as text: see tools/make_fold_table.py."""

    fold: npt.NDArray[np.uint32]
    expansions: npt.NDArray[np.uint32]
    script: npt.NDArray[np.uint8]


@cache
def fold_table() -> FoldTable:
    """The shipped table; one Unicode version for every Python version."""
    with (files("detector.text") / "data" / "fold.npz").open("rb") as stream, np.load(stream) as table:
        return FoldTable(table["fold"], table["expansions"], table["script"])


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Fingerprints of n texts. Rows of absent texts are null in every Arrow array."""

    text_hash: pa.UInt64Array
    """Of the folded text under the secret, digits kept: two texts that read the same have the same hash."""
    n_bytes: pa.Int32Array
    n_tokens: pa.Int32Array
    script: pa.UInt8Array
    """Dominant script, a position in SCRIPTS."""
    shingles: pa.ListArray
    """list<uint32>: the shingles kept, under the secret, in order of appearance; at most N_KEPT a text."""
    sums: npt.NDArray[np.int32]
    """shape (n, N_PARTS, n_outputs): classifier sums of each text's head, tail and middle; zeros where the
    text is absent."""
    n_features: npt.NDArray[np.int32]
    """shape (n, N_PARTS): how many features were added into `sums`; zeros without weights."""


NO_WEIGHTS: npt.NDArray[np.int8] = np.zeros((0, 0), dtype=np.int8)
"""Weights for texts nobody classifies (responses): no features are looked for."""


def fingerprint(
    texts: pa.StringArray,
    *,
    weights: npt.NDArray[np.int8] = NO_WEIGHTS,
    secret: Secret = NO_SECRET,
    max_bytes: int = 4_000_000,
    threads: int = 1,
) -> Fingerprints:
    """Fingerprint every text of an array.

    Parameters
    ----------
    texts : string or large_string array of n texts; need not be valid UTF-8; may hold nulls
    weights : int8, shape (n_buckets, n_outputs), n_buckets a power of two, or none at all
    secret : keys all hashes but the features that `weights` are of
    max_bytes : texts are read this far
    threads : how many threads share the rows; the result does not depend on it

    Raises
    ------
    TypeError : `texts` is no string array.
    ValueError : `weights` has a number of buckets that is no power of two.

    Sources: closed syncmers, Edgar, PeerJ 9 (2021) e10805; hashed linear features, Weinberger et al., ICML
    2009.
    """
    n_buckets = weights.shape[0]
    if n_buckets & (n_buckets - 1):
        raise ValueError(f"weights need a power of two of buckets, not {n_buckets}")
    n = len(texts)
    data, offsets, present = string_buffers(texts)
    table = fold_table()
    text_hash = np.zeros(n, dtype=np.uint64)
    n_tokens = np.zeros(n, dtype=np.int32)
    script = np.zeros(n, dtype=np.uint8)
    n_shingles = np.zeros(n, dtype=np.int32)
    # Rows fill whole vector registers: adding ten zeros is quicker than stopping short of them.
    n_outputs = weights.shape[1]
    weights = _in_registers(weights)
    sums = np.zeros((n, N_PARTS, weights.shape[1]), dtype=np.int32)
    n_features = np.zeros((n, N_PARTS), dtype=np.int32)

    def run(first: int) -> npt.NDArray[np.uint32]:
        """Fill rows first and up; their shingles, one behind the other."""
        last = min(first + _ROWS_PER_TASK, n)
        room = np.empty(kernels.most_kept(offsets, present, first, last, max_bytes), dtype=np.uint32)
        n_kept = kernels.fingerprint_rows(
            data, offsets, present, first, last, max_bytes,
            table.fold, table.expansions, table.script, secret, weights,
            text_hash, n_tokens, script, room, n_shingles, sums, n_features,
        )  # fmt: skip
        return room[:n_kept].copy()

    firsts = range(0, n, _ROWS_PER_TASK)
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            pieces = list(pool.map(run, firsts))
    else:
        pieces = [run(first) for first in firsts]

    absent = ~present
    list_offsets = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(n_shingles, out=list_offsets[1:])
    flat = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.uint32)
    return Fingerprints(
        text_hash=pa.array(text_hash, mask=absent),
        n_bytes=pa.array(np.diff(offsets).astype(np.int32), mask=absent),
        n_tokens=pa.array(n_tokens, mask=absent),
        script=pa.array(script, mask=absent),
        shingles=pa.ListArray.from_arrays(pa.array(list_offsets), pa.array(flat), mask=pa.array(absent)),
        sums=sums[:, :, :n_outputs],
        n_features=n_features,
    )


def _in_registers(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The same weights with columns that fill registers; a model that has such already costs nothing."""
    lacking = -weights.shape[1] % REGISTER
    return np.ascontiguousarray(np.pad(weights, ((0, 0), (0, lacking))) if lacking else weights)


def string_buffers(
    texts: pa.StringArray,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The bytes, the n + 1 offsets and the presence of a string array, without copying the bytes."""
    if pa.types.is_large_string(texts.type):
        width = 8
    elif pa.types.is_string(texts.type):
        width = 4
    else:
        raise TypeError(f"expected a string array, not {texts.type}")
    n = len(texts)
    _, offset_buffer, data_buffer = texts.buffers()
    if n == 0 or offset_buffer is None:
        return np.zeros(1, dtype=np.uint8), np.zeros(n + 1, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    offsets = np.frombuffer(offset_buffer, dtype=f"i{width}", count=n + 1, offset=texts.offset * width)
    data = (
        np.frombuffer(data_buffer, dtype=np.uint8)
        if data_buffer is not None and data_buffer.size
        else np.zeros(1, dtype=np.uint8)
    )
    present = texts.is_valid().to_numpy(zero_copy_only=False)
    return data, offsets.astype(np.int64), present


def feature_matrix_parts(
    texts: pa.StringArray, *, n_buckets: int, max_bytes: int = 4_000_000
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The feature buckets of each text's parts, as (columns, starts) of a sparse matrix: for training only.

    Returns
    -------
    columns : int64, shape (n_features,), 0 to n_buckets - 1; a bucket is repeated as often as it occurs
    starts : int64, shape (N_PARTS * n + 1,); part p of text i is row N_PARTS * i + p and owns
        columns[starts[row]:starts[row + 1]]
    """
    data, offsets, _ = string_buffers(texts)
    table = fold_table()
    starts = np.zeros(N_PARTS * len(texts) + 1, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64)
    folds = (table.fold, table.expansions, table.script)
    arguments = (data, offsets, 0, len(texts), max_bytes, *folds, n_buckets)
    kernels.feature_rows(*arguments, nothing, starts)
    np.cumsum(starts, out=starts)
    columns = np.empty(starts[-1], dtype=np.int64)
    if len(columns):
        kernels.feature_rows(*arguments, columns, starts)
    return columns, starts
