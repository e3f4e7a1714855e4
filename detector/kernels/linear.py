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

N_COUNTED = 2
"""How often a feature counts in one part: the tenth number in a table says no more than the second."""

N_SLOTS = 1024
"""Places for the features met in a part: more than twice the N_FEATURE_HEAD tokens, and all in the cache."""


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
def _counts(slots, stamp, bucket):
    """Whether a feature still counts in the part that `stamp` names; remembers that it has occurred.

    slots : int64, N_SLOTS of them, an open-addressed table; entries of other stamps are empty places, so
    nothing is ever cleared. An entry holds stamp, bucket and count.
    """
    wanted = (stamp << 20) | bucket
    at = bucket & (N_SLOTS - 1)
    while True:
        entry = slots[at]
        if entry >> 2 == wanted:
            if entry & 3 == N_COUNTED:
                return False
            slots[at] = entry + 1
            return True
        if entry >> 22 != stamp:
            slots[at] = (wanted << 2) | 1
            return True
        at = (at + 1) & (N_SLOTS - 1)


@njit(cache=True, nogil=True, inline="always")
def _add(tokens, first, last, lone, weights, sums, slots, stamp):
    """Add the weights of tokens first..last and of the pairs they end into `sums`; return how many.
    `lone`: the first token has no neighbour before it."""
    n_buckets = weights.shape[0]
    n_outputs = weights.shape[1]
    n_added = 0
    for index in range(first, last):
        alone = feature_bucket(tokens[index], np.uint64(0), n_buckets)
        adds_alone = _counts(slots, stamp, alone)
        adds_pair = False
        pair = alone
        if not (lone and index == first):
            pair = feature_bucket(tokens[index - 1], tokens[index], n_buckets)
            adds_pair = _counts(slots, stamp, pair)
        if adds_alone and adds_pair:
            for output in range(n_outputs):  # both at once: half as many trips to `sums`
                sums[output] += np.int32(weights[alone, output]) + np.int32(weights[pair, output])
            n_added += 2
        elif adds_alone or adds_pair:
            bucket = alone if adds_alone else pair
            for output in range(n_outputs):
                sums[output] += weights[bucket, output]
            n_added += 1
    return n_added


@njit(cache=True, nogil=True)
def score(tokens, n_tokens, weights, sums, n_added, slots, row):
    """Add the weights of a text's tokens and pairs of neighbours into `sums`, one row a part.

    weights : int8, shape (n_buckets, n_outputs), n_buckets a power of two up to 2**20. sums : int32, shape
    (N_PARTS, n_outputs). n_added : int32, shape (N_PARTS,), how many weights each row holds. slots : int64,
    N_SLOTS long, room to work in, zeros before the first text; row : at least 0, another one for each text.

    Integer sums: the same in any order and on any machine. A feature counts at most N_COUNTED times in a
    part. A pair belongs to the part of its second token; the pair across what is not looked at is not
    counted.
    """
    sums[:] = 0
    stamp = np.int64(row) * N_PARTS + 1
    head_end = min(n_tokens, N_EDGE)
    tail_start = max(head_end, n_tokens - N_EDGE)
    before_gap = min(tail_start, N_FEATURE_HEAD)
    after_gap = max(before_gap, n_tokens - N_FEATURE_TAIL)
    gap = after_gap > before_gap
    n_added[HEAD] = _add(tokens, 0, head_end, True, weights, sums[HEAD], slots, stamp + HEAD)
    middle, at = sums[MIDDLE], stamp + MIDDLE
    n_added[MIDDLE] = _add(tokens, head_end, before_gap, False, weights, middle, slots, at)
    n_added[MIDDLE] += _add(tokens, after_gap, tail_start, gap, weights, middle, slots, at)
    n_added[TAIL] = _add(tokens, tail_start, n_tokens, False, weights, sums[TAIL], slots, stamp + TAIL)


@njit(cache=True, nogil=True)
def features_of(tokens, n_tokens, n_buckets, columns, n_of_part, slots, row):
    """Write the features that `score` adds up, part by part, into `columns`, for training; return how many.

    An empty `columns` only counts. n_of_part : int64, shape (N_PARTS,), is filled. slots, row : as for
    `score`.
    """
    n_written = 0
    counting = len(columns) == 0
    n_of_part[:] = 0
    for part in range(N_PARTS):
        stamp = np.int64(row) * N_PARTS + 1 + part
        for index in range(n_tokens):
            if part_of(index, n_tokens) != part:
                continue
            for is_pair in range(2):
                if is_pair and (index == 0 or part_of(index - 1, n_tokens) < 0):
                    continue
                before = tokens[index - 1] if is_pair else tokens[index]
                second = tokens[index] if is_pair else np.uint64(0)
                bucket = feature_bucket(before, second, n_buckets)
                if not _counts(slots, stamp, bucket):
                    continue
                if not counting:
                    columns[n_written] = bucket
                n_written += 1
                n_of_part[part] += 1
    return n_written
