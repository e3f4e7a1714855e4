"""Loops over UTF-8 bytes: tokens, shingles, winnowed fingerprints, linear scores.

Here: numba loops and nothing else. Meaning, tables and checks: detector.text. Slow twins:
tests/reference/text.py. Every loop is linear in the bytes it reads, whatever the text says.
"""

import numpy as np
from numba import njit

SHINGLE_TOKENS = 4
"""Tokens per shingle: three are everyday phrases, five lose a template at the first changed word."""

WINDOW = 8
"""Winnowing window in shingles: any shared run of SHINGLE_TOKENS + WINDOW - 1 = 11 tokens leaves at least
one common fingerprint (Schleimer, Wilkerson, Aiken, SIGMOD 2003, section 3)."""

N_HEAD, N_TAIL = 64, 64
"""Fingerprints kept from either end of a text: about 290 tokens each. Instructions stand at the ends of a
prompt; what lies between them in a long one is payload."""

N_KEPT = N_HEAD + N_TAIL

# How the fold table (tools/make_fold_table.py) marks what is not simply a letter.
SEPARATOR, VANISH = 0, 1
ALONE = np.uint32(1 << 31)
EXPANDS = np.uint32(1 << 30)
DIGIT = np.uint32(1 << 29)
LOW_BITS = np.uint32((1 << 29) - 1)
N_SCRIPTS = 12
LATIN = 1
HAN = 7  # script code of letters above the table
FIRST_LETTER, N_LETTERS = np.uint32(ord("a")), np.uint32(26)  # what an ASCII letter folds to

SEED = np.uint64(0x9E3779B97F4A7C15)
PRIME = np.uint64(0xD6E8FEB86659FD93)
DIGIT_SYMBOL = np.uint64(0x30)


@njit(cache=True, nogil=True, inline="always")
def _mix(value):
    """Spread a 64-bit value over all its bits (a xor-shift-multiply finaliser)."""
    value ^= value >> np.uint64(32)
    value *= PRIME
    value ^= value >> np.uint64(29)
    value *= SEED
    value ^= value >> np.uint64(32)
    return value


@njit(cache=True, nogil=True)
def _composed(data, position, end, lead):
    """Join a leading Hangul letter and what follows into its syllable: decomposed text (as macOS writes
    file names) reads the same. Returns (code point, position after it)."""
    if position + 3 > end or data[position] != 0xE1 or data[position + 1] != 0x85:
        return lead, position
    vowel = np.int64(data[position + 2]) - 0xA1
    if not 0 <= vowel < 21:
        return lead, position
    position += 3
    final = np.int64(0)
    if position + 3 <= end and data[position] == 0xE1:
        second, third = data[position + 1], data[position + 2]
        if second == 0x86 and 0xA8 <= third <= 0xBF:
            final = np.int64(third) - 0xA7
        elif second == 0x87 and 0x80 <= third <= 0x82:
            final = np.int64(third) - 0x80 + 25
        if final > 0:
            position += 3
    code = 0xAC00 + ((np.int64(lead) - 0x1100) * 21 + vowel) * 28 + final
    return np.uint64(code), position


@njit(cache=True, nogil=True)
def tokenise(data, start, end, fold, expansions, script, tokens, n_of_script):
    """Write the token hashes of data[start:end] into `tokens`; count letters by script.

    Returns (number of tokens, hash of the text). The text hash keeps digits, the tokens mask a run of
    them to one symbol: `item 17` and `item 18` share a template but are two items. An invalid byte is a
    separator, so text that is not UTF-8 still has tokens.

    `tokens` must hold end - start entries at least (a byte cannot make two tokens, but a Hangul syllable
    of three bytes is one and an expansion of three bytes is one).
    """
    n_tokens = 0
    token = SEED
    digits = np.uint64(0)
    in_token = False
    in_digits = False
    item = SEED
    n_ascii_letters = 0
    position = start
    while position < end:
        byte = data[position]
        position += 1
        if byte < 0x80:
            folded = fold[byte]
            if folded - FIRST_LETTER < N_LETTERS:  # most bytes of most texts: a loop of their own
                if not in_token:
                    in_token = True
                    token = SEED
                    digits = np.uint64(0)
                in_digits = False
                first = position
                while True:
                    token = (token ^ np.uint64(folded)) * PRIME
                    if position >= end:
                        break
                    byte = data[position]
                    if byte >= 0x80:
                        break
                    folded = fold[byte]
                    if folded - FIRST_LETTER >= N_LETTERS:
                        break
                    position += 1
                n_ascii_letters += position - first + 1
                continue
            code = np.uint64(byte)
        elif byte < 0xC2 or byte > 0xF4:
            code = np.uint64(0)
            folded = np.uint32(SEPARATOR)
        else:
            n_more = 1 if byte < 0xE0 else (2 if byte < 0xF0 else 3)
            code = np.uint64(byte) & np.uint64(0x3F >> n_more)
            valid = position + n_more <= end
            if valid:
                for step in range(n_more):
                    following = data[position + step]
                    if following & 0xC0 != 0x80:
                        valid = False
                        break
                    code = (code << np.uint64(6)) | np.uint64(following & 0x3F)
            if valid and n_more == 2:
                valid = code >= 0x800 and not 0xD800 <= code <= 0xDFFF
            elif valid and n_more == 3:
                valid = 0x10000 <= code <= 0x10FFFF
            if valid:
                position += n_more
            else:
                code = np.uint64(0)
            if 0x1100 <= code <= 0x1112:
                code, position = _composed(data, position, end, code)
            if code < len(fold):
                folded = fold[code]
                n_of_script[script[code]] += 1
            elif code < 0x40000:
                folded = ALONE | np.uint32(code)
                n_of_script[HAN] += 1
            else:
                folded = np.uint32(VANISH) if 0xE0000 <= code <= 0xE0FFF else np.uint32(SEPARATOR)

        if folded == VANISH:
            continue
        if folded & DIGIT:
            if not in_token:
                in_token = True
                token = SEED
                digits = np.uint64(0)
            if not in_digits:
                token = (token ^ DIGIT_SYMBOL) * PRIME
                in_digits = True
            digits = (digits ^ np.uint64(folded)) * PRIME
            continue
        in_digits = False
        if folded == SEPARATOR or folded & ALONE:
            if in_token:
                hashed = _mix(token)
                tokens[n_tokens] = hashed
                n_tokens += 1
                item = _mix(item ^ hashed ^ digits)
                in_token = False
            if folded == SEPARATOR:
                continue
        if not in_token:
            in_token = True
            token = SEED
            digits = np.uint64(0)
        if folded & EXPANDS:
            row = folded & LOW_BITS
            for column in range(expansions.shape[1]):
                letter = expansions[row, column]
                if letter == 0:
                    break
                token = (token ^ np.uint64(letter)) * PRIME
        else:
            token = (token ^ np.uint64(folded & LOW_BITS)) * PRIME
        if folded & ALONE:
            hashed = _mix(token)
            tokens[n_tokens] = hashed
            n_tokens += 1
            item = _mix(item ^ hashed)
            in_token = False
    if in_token:
        hashed = _mix(token)
        tokens[n_tokens] = hashed
        n_tokens += 1
        item = _mix(item ^ hashed ^ digits)
    n_of_script[LATIN] += n_ascii_letters
    return n_tokens, _mix(item)


@njit(cache=True, nogil=True, inline="always")
def _shingle(tokens, first, n):
    value = SEED
    for index in range(first, first + n):
        value = (value ^ tokens[index]) * PRIME
        value ^= value >> np.uint64(31)
    return np.uint32(_mix(value) >> np.uint64(32))


@njit(cache=True, nogil=True)
def winnow(tokens, n_tokens, kept):
    """Write the winnowed shingles of a token sequence into `kept` (N_KEPT long); return how many.

    The first shingle, the minimum of every window of WINDOW shingles (the rightmost on a tie, each chosen
    position once), the last shingle: instructions open or close a prompt, and short ones would slip
    between two minima. A value equal to the one before it is left out. Of more than N_KEPT the first
    N_HEAD and the last N_TAIL remain. A text of up to SHINGLE_TOKENS tokens is one shingle of all of
    them; an empty text has none.
    """
    if n_tokens == 0:
        return 0
    if n_tokens <= SHINGLE_TOKENS:
        kept[0] = _shingle(tokens, 0, n_tokens)
        return 1
    n_shingles = n_tokens - SHINGLE_TOKENS + 1
    window = min(WINDOW, n_shingles)  # a text shorter than the window is one window
    ring = np.empty(WINDOW, dtype=np.uint32)
    n_kept = 0
    n_tail = 0  # fingerprints written round the tail ring
    best = np.uint32(0)
    best_at = -1
    last = np.uint32(0)
    for at in range(-1, n_shingles + 1):
        if at == -1:
            pick = _shingle(tokens, 0, SHINGLE_TOKENS)
        elif at == n_shingles:
            pick = ring[(n_shingles - 1) % WINDOW]
        else:
            value = _shingle(tokens, at, SHINGLE_TOKENS)
            ring[at % WINDOW] = value
            moved = at == window - 1
            if best_at < 0 or value <= best:
                best, best_at = value, at
                moved = True
            elif best_at <= at - WINDOW:
                best_at = at - WINDOW + 1
                best = ring[best_at % WINDOW]
                for candidate in range(best_at + 1, at + 1):
                    if ring[candidate % WINDOW] <= best:
                        best, best_at = ring[candidate % WINDOW], candidate
                moved = True
            if not moved or at < window - 1:
                continue
            pick = best
        if n_kept > 0 and pick == last:
            continue
        last = pick
        if n_kept < N_HEAD:
            kept[n_kept] = pick
            n_kept += 1
        else:
            kept[N_HEAD + n_tail % N_TAIL] = pick
            n_tail += 1
    if n_tail <= N_TAIL:
        return n_kept + n_tail
    # The ring starts somewhere in its middle: turn it so that the tail reads in order.
    turned = np.empty(N_TAIL, dtype=np.uint32)
    for index in range(N_TAIL):
        turned[index] = kept[N_HEAD + (n_tail + index) % N_TAIL]
    kept[N_HEAD:N_KEPT] = turned
    return N_KEPT


N_FEATURE_HEAD, N_FEATURE_TAIL = 256, 128
"""Tokens a classifier looks at, from either end: what is asked stands there, and a megabyte of payload
must not drown it."""


@njit(cache=True, nogil=True, inline="always")
def feature_bucket(first, second, n_buckets):
    """Bucket of a token (second = 0) or of a pair of neighbours."""
    return np.int64(_mix(first * SEED + second) >> np.uint64(20)) & (n_buckets - 1)


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
        row = feature_bucket(tokens[index], np.uint64(0), n_buckets)
        for output in range(n_outputs):
            sums[output] += weights[row, output]
        n_added += 1
        if index > 0 and (index != tail_start or tail_start == head_end):
            row = feature_bucket(tokens[index - 1], tokens[index], n_buckets)
            for output in range(n_outputs):
                sums[output] += weights[row, output]
            n_added += 1
    return n_added


@njit(cache=True, nogil=True)
def fingerprint_rows(
    data, offsets, present, first, last, max_bytes, fold, expansions, script, weights,
    text_hash, n_tokens_of, script_of, shingles, n_shingles, sums, n_added,
):  # fmt: skip
    """Fill the rows first..last of the outputs from the texts data[offsets[i]:offsets[i + 1]].

    `shingles` holds those rows alone.

    A row that is not `present` keeps zeros. Texts are read to max_bytes. Trusts its caller: shapes are
    checked in detector.text.fingerprint.
    """
    longest = 0
    for row in range(first, last):
        longest = max(longest, offsets[row + 1] - offsets[row])
    tokens = np.empty(min(longest, max_bytes) + 1, dtype=np.uint64)
    n_of_script = np.zeros(N_SCRIPTS, dtype=np.int64)
    for row in range(first, last):
        if not present[row]:
            continue
        start = offsets[row]
        end = min(offsets[row + 1], start + max_bytes)
        n_of_script[:] = 0
        n_tokens, hashed = tokenise(data, start, end, fold, expansions, script, tokens, n_of_script)
        text_hash[row] = hashed
        n_tokens_of[row] = n_tokens
        n_of_script[0] = 0  # code points of no script: digits, signs, blanks
        script_of[row] = np.argmax(n_of_script)
        n_shingles[row] = winnow(tokens, n_tokens, shingles[row - first])
        n_added[row] = score(tokens, n_tokens, weights, sums[row])


@njit(cache=True, nogil=True)
def feature_rows(data, offsets, first, last, max_bytes, fold, expansions, script, n_buckets, columns, starts):
    """Write the feature buckets of each text, for training: columns[starts[i]:starts[i + 1]].

    Called twice: with an empty `columns` it only fills starts[i + 1] with counts. The very features
    that `score` adds up.
    """
    longest = 0
    for row in range(first, last):
        longest = max(longest, offsets[row + 1] - offsets[row])
    tokens = np.empty(min(longest, max_bytes) + 1, dtype=np.uint64)
    n_of_script = np.zeros(N_SCRIPTS, dtype=np.int64)
    counting = len(columns) == 0
    for row in range(first, last):
        end = min(offsets[row + 1], offsets[row] + max_bytes)
        n_tokens, _ = tokenise(data, offsets[row], end, fold, expansions, script, tokens, n_of_script)
        head_end = min(n_tokens, N_FEATURE_HEAD)
        tail_start = max(head_end, n_tokens - N_FEATURE_TAIL)
        at_output = 0 if counting else starts[row]
        for index in range(n_tokens):
            if head_end <= index < tail_start:
                continue
            if not counting:
                columns[at_output] = feature_bucket(tokens[index], np.uint64(0), n_buckets)
            at_output += 1
            if index > 0 and (index != tail_start or tail_start == head_end):
                if not counting:
                    columns[at_output] = feature_bucket(tokens[index - 1], tokens[index], n_buckets)
                at_output += 1
        if counting:
            starts[row + 1] = at_output


@njit(cache=True, nogil=True)
def pack_rows(rows, n_of_row, starts, flat):
    """Copy the first n_of_row[i] entries of rows[i] to flat[starts[i]:starts[i + 1]]."""
    for row in range(len(n_of_row)):
        for index in range(n_of_row[row]):
            flat[starts[row] + index] = rows[row, index]
