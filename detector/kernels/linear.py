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


@njit(cache=True, nogil=True, inline="always")
def feature_bucket(first, second, n_buckets):
    """Bucket of a token (second = 0) or of a pair of neighbours."""
    return np.int64((first * _SPREAD + second) >> np.uint64(44)) & (n_buckets - 1)


@njit(cache=True, nogil=True)
def score(tokens, n_tokens, weights, sums):
    """Add the weights of a text's tokens and pairs of neighbours into `sums`; return how many were added.

    weights : int8, shape (n_buckets, n_outputs), n_buckets a power of two. Integer sums: the same in any
    order and on any machine. The pair across the gap between head and tail is not counted.
    """
    n_buckets = weights.shape[0]
    n_outputs = weights.shape[1]
    sums[:] = 0
    n_added = 0
    head_end = min(n_tokens, N_FEATURE_HEAD)
    tail_start = max(head_end, n_tokens - N_FEATURE_TAIL)
    for at in range(n_tokens if n_tokens <= head_end else head_end + n_tokens - tail_start):
        index = at if at < head_end else tail_start + at - head_end
        alone = feature_bucket(tokens[index], np.uint64(0), n_buckets)
        if index > 0 and (index != tail_start or tail_start == head_end):
            pair = feature_bucket(tokens[index - 1], tokens[index], n_buckets)
            for output in range(n_outputs):  # both at once: half as many trips to `sums`
                sums[output] += np.int32(weights[alone, output]) + np.int32(weights[pair, output])
            n_added += 2
        else:
            for output in range(n_outputs):
                sums[output] += weights[alone, output]
            n_added += 1
    return n_added
