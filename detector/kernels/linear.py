"""Loops over a text's tokens for linear classifiers: hashed features, and the sums of their weights.

Here: numba loops and nothing else. Meaning: detector.text.classify. Tokens: kernels.text. Slow twins:
tests/reference/text.py.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

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

REGISTER = 16
"""Weights that are added in one vector register."""

MOST_FEATURES = 2 * (N_FEATURE_HEAD + N_FEATURE_TAIL)
"""Room for the features of any part: a token and a pair for each token that is looked at."""


@njit(cache=True, nogil=True, inline="always")
def feature_bucket(first, second, n_buckets):
    """Bucket of a token (second = 0) or of a pair of neighbours."""
    return np.int64((first * _SPREAD + second) >> np.uint64(44)) & (n_buckets - 1)


@njit(cache=True, nogil=True, inline="always")
def _meet(tokens, first, last, lone, n_buckets, counts, features, n):
    """Write to features[n:] the buckets of tokens first..last and of the pairs they end, as often as they
    count; return where the next goes. `lone`: the first token has no neighbour before it.

    counts : uint8, one for each bucket. No branch asks it: the processor would guess wrong at every word
    that occurs a second time.
    """
    for index in range(first, last):
        alone = feature_bucket(tokens[index], np.uint64(0), n_buckets)
        features[n] = alone
        adds = counts[alone] < N_COUNTED
        counts[alone] += adds
        n += adds
        if not (lone and index == first):
            pair = feature_bucket(tokens[index - 1], tokens[index], n_buckets)
            features[n] = pair
            adds = counts[pair] < N_COUNTED
            counts[pair] += adds
            n += adds
    return n


@njit(cache=True, nogil=True, inline="always")
def _part(tokens, n_tokens, part, n_buckets, counts, features):
    """Write the features of one part of a text to `features`; return how many. `counts` is zeros before and
    after."""
    head_end = min(n_tokens, N_EDGE)
    tail_start = max(head_end, n_tokens - N_EDGE)
    if part == HEAD:
        n = _meet(tokens, 0, head_end, True, n_buckets, counts, features, 0)
    elif part == TAIL:
        n = _meet(tokens, tail_start, n_tokens, False, n_buckets, counts, features, 0)
    else:
        before_gap = min(tail_start, N_FEATURE_HEAD)
        after_gap = max(before_gap, n_tokens - N_FEATURE_TAIL)
        gap = after_gap > before_gap
        n = _meet(tokens, head_end, before_gap, False, n_buckets, counts, features, 0)
        n = _meet(tokens, after_gap, tail_start, gap, n_buckets, counts, features, n)
    for at in range(n):
        counts[features[at]] = 0
    return n


@intrinsic
def _add_rows(typing_context, sums, weights, first, one, two, three, four):
    """sums[first:first + REGISTER] += the same columns of four rows of the weights, in one register: left to
    itself the compiler looks at every four rows anew whether the arrays overlap."""

    def generate(context, builder, signature, arguments):
        bytes_, halves, words = (ir.VectorType(ir.IntType(bits), REGISTER) for bits in (8, 16, 32))
        table = context.make_array(weights)(context, builder, arguments[1])
        row_bytes = cgutils.unpack_tuple(builder, table.strides)[0]
        added = ir.Constant(halves, [0] * REGISTER)  # four int8 fit 16 bits
        for row in arguments[3:]:
            place = builder.gep(table.data, [builder.add(builder.mul(row, row_bytes), arguments[2])])
            loaded = builder.load(builder.bitcast(place, bytes_.as_pointer()), align=1)
            added = builder.add(added, builder.sext(loaded, halves))
        total = context.make_array(sums)(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(total.data, [arguments[2]]), words.as_pointer())
        so_far = builder.load(place, align=4)
        builder.store(builder.add(so_far, builder.sext(added, words)), place, align=4)
        return context.get_dummy_value()

    return types.void(sums, weights, *[types.int64] * 5), generate


@njit(cache=True, nogil=True)
def score(tokens, n_tokens, weights, sums, n_added, counts, features):
    """Add the weights of a text's tokens and pairs of neighbours into `sums`, one row a part.

    weights : int8, shape (n_buckets, n_outputs), n_buckets a power of two up to 2**20, n_outputs a multiple
    of REGISTER. sums : int32, shape (N_PARTS, n_outputs). n_added : int32, shape (N_PARTS,), how many weights
    each row holds. counts : uint8, shape (n_buckets,), zeros; features : int64, MOST_FEATURES of them: room
    to work in.

    Of a short text everything is head, then tail. Integer sums: the same in any order and on any machine. A
    feature counts at most N_COUNTED times in a part. A pair belongs to the part of its second token; the pair
    across what is not looked at is not counted.
    """
    n_buckets, n_outputs = weights.shape
    sums[:] = 0
    for part in range(N_PARTS):
        n = _part(tokens, n_tokens, part, n_buckets, counts, features)
        n_added[part] = n
        mine = sums[part]
        n_by_four = n - n % 4
        for first in range(0, n_outputs, REGISTER):
            for at in range(0, n_by_four, 4):  # four at once: a quarter of the trips to the sums
                one, two, three, four = features[at], features[at + 1], features[at + 2], features[at + 3]
                _add_rows(mine, weights, first, one, two, three, four)
        for at in range(n_by_four, n):
            for output in range(n_outputs):
                mine[output] += weights[features[at], output]


@njit(cache=True, nogil=True)
def features_of(tokens, n_tokens, n_buckets, columns, n_of_part, counts, features):
    """Write the features that `score` adds up, part by part, into `columns`, for training; return how many.

    An empty `columns` only counts. n_of_part : int64, shape (N_PARTS,), is filled. counts, features : as for
    `score`.
    """
    n_written = 0
    for part in range(N_PARTS):
        n = _part(tokens, n_tokens, part, n_buckets, counts, features)
        if len(columns):
            columns[n_written : n_written + n] = features[:n]
        n_written += n
        n_of_part[part] = n
    return n_written
