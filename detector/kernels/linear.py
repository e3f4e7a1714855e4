"""Loops over a text's tokens for linear classifiers: hashed features, and the sums of their weights.

Here: numba loops and nothing else. Meaning: detector.text.classify. Tokens: kernels.text. Slow twins:
tests/reference/text.py.
"""

import numpy as np
from numba import njit

_SPREAD = np.uint64(0x9E3779B97F4A7C15)

N_FEATURE_HEAD, N_FEATURE_TAIL = 256, 128
"""Tokens a classifier looks at, from either end: what is asked stands there, and a megabyte of payload
must not drown it."""

N_EDGE = 64
"""Tokens of the first and of the last part of a text. Instructions stand at the ends; summed apart from
what lies between, a short one is not thinned out by its payload."""

HEAD, TAIL, MIDDLE = 0, 1, 2
N_PARTS = 3


@njit(cache=True, nogil=True, inline="always")
def feature_bucket(first, second, n_buckets):
    """Bucket of a token (second = 0) or of a pair of neighbours."""
    return np.int64((first * _SPREAD + second) >> np.uint64(44)) & (n_buckets - 1)


@njit(cache=True, nogil=True, inline="always")
def part_of(index, n_tokens):
    """HEAD, TAIL or MIDDLE of a text; of a short one everything is head, then tail. -1: not looked at."""
    if index < N_EDGE:
        return HEAD
    if index >= n_tokens - N_EDGE:
        return TAIL
    return MIDDLE if index < N_FEATURE_HEAD or index >= n_tokens - N_FEATURE_TAIL else -1


@njit(cache=True, nogil=True, inline="always")
def _add(tokens, first, last, lone, weights, sums):
    """Add the weights of tokens first..last and of the pairs they end into `sums`; return how many.
    `lone`: the first token has no neighbour before it."""
    n_buckets = weights.shape[0]
    n_outputs = weights.shape[1]
    for index in range(first, last):
        alone = feature_bucket(tokens[index], np.uint64(0), n_buckets)
        if lone and index == first:
            for output in range(n_outputs):
                sums[output] += weights[alone, output]
            continue
        pair = feature_bucket(tokens[index - 1], tokens[index], n_buckets)
        for output in range(n_outputs):  # both at once: half as many trips to `sums`
            sums[output] += np.int32(weights[alone, output]) + np.int32(weights[pair, output])
    return 2 * (last - first) - int(lone and last > first)


@njit(cache=True, nogil=True)
def score(tokens, n_tokens, weights, sums, n_added):
    """Add the weights of a text's tokens and pairs of neighbours into `sums`, one row a part.

    weights : int8, shape (n_buckets, n_outputs), n_buckets a power of two. sums : int32, shape (N_PARTS,
    n_outputs). n_added : int32, shape (N_PARTS,), how many weights each row holds. Integer sums: the same in
    any order and on any machine. A pair belongs to the part of its second token; the pair across what is not
    looked at is not counted.
    """
    sums[:] = 0
    head_end = min(n_tokens, N_EDGE)
    tail_start = max(head_end, n_tokens - N_EDGE)
    before_gap = min(tail_start, N_FEATURE_HEAD)
    after_gap = max(before_gap, n_tokens - N_FEATURE_TAIL)
    n_added[HEAD] = _add(tokens, 0, head_end, True, weights, sums[HEAD])
    n_added[MIDDLE] = _add(tokens, head_end, before_gap, False, weights, sums[MIDDLE])
    n_added[MIDDLE] += _add(tokens, after_gap, tail_start, after_gap > before_gap, weights, sums[MIDDLE])
    n_added[TAIL] = _add(tokens, tail_start, n_tokens, False, weights, sums[TAIL])


@njit(cache=True, nogil=True)
def features_of(tokens, n_tokens, n_buckets, columns, n_of_part):
    """Write the features that `score` adds up, part by part, into `columns`, for training; return how many.

    An empty `columns` only counts. n_of_part : int64, shape (N_PARTS,), is filled.
    """
    n_written = 0
    counting = len(columns) == 0
    n_of_part[:] = 0
    for part in range(N_PARTS):
        for index in range(n_tokens):
            if part_of(index, n_tokens) != part:
                continue
            for is_pair in range(2):
                if is_pair and (index == 0 or part_of(index - 1, n_tokens) < 0):
                    continue
                if not counting:
                    columns[n_written] = (
                        feature_bucket(tokens[index - 1], tokens[index], n_buckets)
                        if is_pair
                        else feature_bucket(tokens[index], np.uint64(0), n_buckets)
                    )
                n_written += 1
                n_of_part[part] += 1
    return n_written
