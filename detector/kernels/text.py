"""Loops over UTF-8 bytes: tokens, shingles, winnowed fingerprints.

Here: numba loops and nothing else. Meaning, tables and checks: detector.text. Linear scores: linear. Slow
twins: tests/reference/text.py. Every loop is linear in the bytes it reads, whatever the text says.
"""

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from detector.kernels.linear import N_PARTS, N_SLOTS, features_of, score

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
SHINGLE_PRIME = np.uint64(0xC2B2AE3D27D4EB4F)
DIGIT_SYMBOL = np.uint64(0x30)
WIDE = np.uint64(1 << 63)
"""Marks a letter beyond ASCII in a token's hash: eight ASCII letters, one a byte, leave this bit free."""

_EVERY_BYTE = np.uint64(0x0101010101010101)
_TOP_BITS = np.uint64(0x80) * _EVERY_BYTE
_SMALL = np.uint64(0x20) * _EVERY_BYTE  # the bit that tells a small letter from its capital
_FROM_A = np.uint64(0x80 - ord("a")) * _EVERY_BYTE  # added, sets the top bit of every byte from `a` on
_AFTER_Z = np.uint64(0x80 - ord("z") - 1) * _EVERY_BYTE


@njit(cache=True, nogil=True, inline="always")
def _mix(value):
    """Spread a 64-bit value over all its bits (a xor-shift-multiply finaliser)."""
    value ^= value >> np.uint64(32)
    value *= PRIME
    value ^= value >> np.uint64(29)
    value *= SEED
    value ^= value >> np.uint64(32)
    return value


@njit(cache=True, nogil=True, inline="always")
def _chained(value, word):
    return (value ^ word) * PRIME


@njit(cache=True, nogil=True, inline="always")
def _token_hash(token, packed):
    value = _chained(token, packed)
    value ^= value >> np.uint64(32)
    value *= SEED
    return value ^ (value >> np.uint64(29))


@njit(cache=True, nogil=True, inline="always")
def _next_item(item, token_hash):
    item = _chained(item, token_hash)
    return item ^ (item >> np.uint64(32))


@njit(cache=True, nogil=True, inline="always")
def _with_letter(token, packed, n_packed, letter):
    """Add a folded letter to a token: ASCII letters are packed eight to a word, the first in the lowest
    byte, others are words of their own. Returns (hash of the full words, word begun, letters in it)."""
    if letter >= np.uint64(0x80):
        if n_packed > 0:
            token = _chained(token, packed)
        return _chained(token, letter | WIDE), np.uint64(0), 0
    packed |= letter << np.uint64(8 * n_packed)
    if n_packed == 7:
        return _chained(token, packed), np.uint64(0), 0
    return token, packed, n_packed + 1


@intrinsic
def _eight_bytes(typing_context, data, position):
    """data[position:position + 8] as one number, the first byte the lowest: one load, wherever it stands."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        words = context.get_value_type(types.uint64).as_pointer()
        address = builder.bitcast(builder.gep(array.data, [arguments[1]]), words)
        return builder.load(address, align=1)

    return types.uint64(data, position), generate


@njit(cache=True, nogil=True, inline="always")
def _ascii_letters(data, position):
    """The ASCII letters that data[position:position + 8] begins with, in small, the first in the lowest
    byte; and how many they are, 0 to 8. All eight bytes at once: a branch for each letter, mispredicted at
    the end of each word, takes longer than everything else."""
    eight = _eight_bytes(data, position)
    small = eight | _SMALL
    low = small & ~_TOP_BITS
    others = ~((low + _FROM_A) & ~(low + _AFTER_Z) & ~eight) & _TOP_BITS
    first = others & (~others + np.uint64(1))
    letters = (first >> np.uint64(7)) - np.uint64(1)  # ones in the bytes before the first that is no letter
    n_letters = ((letters & _EVERY_BYTE) * _EVERY_BYTE) >> np.uint64(56)
    return small & letters, np.int64(n_letters)


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
    token, packed, n_packed = SEED, np.uint64(0), 0
    digits = np.uint64(0)
    in_token = False
    in_digits = False
    item = SEED
    n_ascii_letters = 0
    position = start
    while position < end:
        byte = data[position]
        if byte < 0x80:
            folded = fold[byte]
            if folded - FIRST_LETTER < N_LETTERS:
                if n_packed == 0 and position + 8 <= end:  # most bytes of most texts
                    packed, n_packed = _ascii_letters(data, position)
                    position += n_packed
                    n_ascii_letters += n_packed
                    if n_packed == 8:
                        token, packed, n_packed = _chained(token, packed), np.uint64(0), 0
                    in_token = True
                    in_digits = False
                    continue
                n_ascii_letters += 1
            code = np.uint64(byte)
            position += 1
        elif byte < 0xC2 or byte > 0xF4:
            code = np.uint64(0)
            folded = np.uint32(SEPARATOR)
            position += 1
        else:
            position += 1
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
            if not in_digits:
                token, packed, n_packed = _with_letter(token, packed, n_packed, DIGIT_SYMBOL)
            in_token = True
            in_digits = True
            digits = _chained(digits, np.uint64(folded))
            continue
        in_digits = False
        if in_token and (folded == SEPARATOR or folded & ALONE):
            hashed = _token_hash(token, packed)
            tokens[n_tokens] = hashed
            n_tokens += 1
            item = _next_item(item, hashed ^ digits)
            token, packed, n_packed = SEED, np.uint64(0), 0
            digits = np.uint64(0)
            in_token = False
        if folded == SEPARATOR:
            continue
        if folded & EXPANDS:
            row = folded & LOW_BITS
            for column in range(expansions.shape[1]):
                letter = np.uint64(expansions[row, column])
                if letter == 0:
                    break
                token, packed, n_packed = _with_letter(token, packed, n_packed, letter)
        else:
            token, packed, n_packed = _with_letter(token, packed, n_packed, np.uint64(folded & LOW_BITS))
        in_token = True
        if folded & ALONE:
            hashed = _token_hash(token, packed)
            tokens[n_tokens] = hashed
            n_tokens += 1
            item = _next_item(item, hashed)
            token, packed, n_packed = SEED, np.uint64(0), 0
            in_token = False
    if in_token:
        hashed = _token_hash(token, packed)
        tokens[n_tokens] = hashed
        n_tokens += 1
        item = _next_item(item, hashed ^ digits)
    n_of_script[LATIN] += n_ascii_letters
    return n_tokens, _mix(item)


@njit(cache=True, nogil=True, inline="always")
def _shingle(tokens, first, n):
    value = tokens[first]
    for index in range(first + 1, first + n):
        value = value * PRIME + tokens[index]
    value ^= value >> np.uint64(32)
    return np.uint32((value * SHINGLE_PRIME) >> np.uint64(32))


@njit(cache=True, nogil=True)
def winnow(tokens, n_tokens, shingles, kept):
    """Write the winnowed shingles of a token sequence into `kept` (N_KEPT long); return how many.

    The first shingle, the minimum of every window of WINDOW shingles, the last shingle: instructions open or
    close a prompt, and short ones would slip between two minima. A value equal to the one before it is left
    out. Of more than N_KEPT the first N_HEAD and the last N_TAIL remain. A text of up to SHINGLE_TOKENS
    tokens is one shingle of all of them; an empty text has none.

    `shingles` is room to work in, at least n_tokens long.
    """
    if n_tokens == 0:
        return 0
    if n_tokens <= SHINGLE_TOKENS:
        kept[0] = _shingle(tokens, 0, n_tokens)
        return 1
    n_shingles = n_tokens - SHINGLE_TOKENS + 1
    for at in range(n_shingles):
        shingles[1 + at] = _shingle(tokens, at, SHINGLE_TOKENS)
    shingles[0], last = shingles[1], shingles[n_shingles]
    # Minima of ever wider windows. No loop here branches on what the text says: the processor would guess
    # wrong every few shingles.
    window = min(WINDOW, n_shingles)  # a text shorter than the window is one window
    width = 1
    while width < window:
        step = min(width, window - width)
        width += step
        for at in range(1, n_shingles - width + 2):
            shingles[at] = min(shingles[at], shingles[at + step])
    n_windows = n_shingles - width + 1
    shingles[n_windows + 1] = last
    n_kept = 1
    previous = shingles[0]
    for at in range(1, n_windows + 2):
        pick = shingles[at]
        shingles[n_kept] = pick
        n_kept += int(pick != previous)
        previous = pick
    if n_kept <= N_KEPT:
        kept[:n_kept] = shingles[:n_kept]
        return n_kept
    kept[:N_HEAD] = shingles[:N_HEAD]
    kept[N_HEAD:N_KEPT] = shingles[n_kept - N_TAIL : n_kept]
    return N_KEPT


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
    room = np.empty(len(tokens), dtype=np.uint32)
    slots = np.zeros(N_SLOTS, dtype=np.int64)
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
        n_shingles[row] = winnow(tokens, n_tokens, room, shingles[row - first])
        score(tokens, n_tokens, weights, sums[row], n_added[row], slots, row - first)


@njit(cache=True, nogil=True)
def feature_rows(data, offsets, first, last, max_bytes, fold, expansions, script, n_buckets, columns, starts):
    """Write the feature buckets of each text, for training: part p of text i owns the columns from
    starts[N_PARTS * i + p] to the next start.

    Called twice: with an empty `columns` it only fills starts[N_PARTS * i + p + 1] with counts. The very
    features that `score` adds up.
    """
    longest = 0
    for row in range(first, last):
        longest = max(longest, offsets[row + 1] - offsets[row])
    tokens = np.empty(min(longest, max_bytes) + 1, dtype=np.uint64)
    n_of_script = np.zeros(N_SCRIPTS, dtype=np.int64)
    n_of_part = np.zeros(N_PARTS, dtype=np.int64)
    slots = np.zeros(N_SLOTS, dtype=np.int64)
    counting = len(columns) == 0
    for row in range(first, last):
        end = min(offsets[row + 1], offsets[row] + max_bytes)
        n_tokens, _ = tokenise(data, offsets[row], end, fold, expansions, script, tokens, n_of_script)
        if counting:
            features_of(tokens, n_tokens, n_buckets, columns, n_of_part, slots, row - first)
            for part in range(N_PARTS):
                starts[N_PARTS * row + part + 1] = n_of_part[part]
        else:
            mine = columns[starts[N_PARTS * row] : starts[N_PARTS * (row + 1)]]
            if len(mine):
                features_of(tokens, n_tokens, n_buckets, mine, n_of_part, slots, row - first)


@njit(cache=True, nogil=True)
def pack_rows(rows, n_of_row, starts, flat):
    """Copy the first n_of_row[i] entries of rows[i] to flat[starts[i]:starts[i + 1]]."""
    for row in range(len(n_of_row)):
        for index in range(n_of_row[row]):
            flat[starts[row] + index] = rows[row, index]
