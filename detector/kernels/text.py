"""Loops over UTF-8 bytes: tokens, shingles, and the shingles that are kept of a text.

Here: numba loops and nothing else. Meaning, tables and checks: detector.text. Linear scores: linear. Slow
twins: tests/reference/text.py. Every loop is linear in the bytes it reads, whatever the text says.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from detector.kernels.linear import MOST_FEATURES, N_PARTS, features_of, score

SHINGLE_TOKENS = 4
"""Tokens per shingle: three are everyday phrases, five lose a template at the first changed word."""

LONGEST_GAP = SHINGLE_TOKENS - 1
"""Of so many neighbouring shingles one is kept, since the smallest of their tokens is first or last in one of
them: any six tokens that two texts share leave a common shingle."""

N_HEAD, N_MIDDLE, N_TAIL = 128, 256, 128
"""Shingles kept from either end of a text, about 260 tokens each, and from what lies between. Instructions
stand at the ends of a prompt more often than not; of a long middle those with the smallest hashes are
kept, which are the same ones wherever a passage stands."""

N_KEPT = N_HEAD + N_MIDDLE + N_TAIL

END_SHINGLES = 8
"""Shingles at either end of a text that are all kept: a short instruction stands there, and of eight words
every shingle counts."""

SHORT_TOKENS = 32
"""A text of so many tokens or fewer keeps all its shingles: of a template of a dozen words each counts."""

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


@intrinsic
def _folded_product(typing_context, left, right):
    """Both halves of the 128-bit product, xored: each bit of it depends on all bits of both numbers."""

    def generate(context, builder, signature, arguments):
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        high = builder.lshr(product, ir.Constant(wide, 64))
        word = ir.IntType(64)
        return builder.xor(builder.trunc(product, word), builder.trunc(high, word))

    return types.uint64(types.uint64, types.uint64), generate


@njit(cache=True, nogil=True, inline="always")
def _locked(value, word, secret):
    """Add a word to a keyed hash. A plain product would not do: a difference in its top bits stays there
    whatever the secret, so that two texts of one hash could be written without knowing it."""
    return _folded_product(value ^ word, secret)


@njit(cache=True, nogil=True, inline="always")
def _with_letter(token, keyed, packed, n_packed, letter, secret):
    """Add a folded letter to a token: ASCII letters are packed eight to a word, the first in the lowest
    byte, others are words of their own. Returns (hash of the full words, the same under the secret, word
    begun, letters in it)."""
    if letter >= np.uint64(0x80):
        if n_packed > 0:
            token, keyed = _chained(token, packed), _locked(keyed, packed, secret)
        word = letter | WIDE
        return _chained(token, word), _locked(keyed, word, secret), np.uint64(0), 0
    packed |= letter << np.uint64(8 * n_packed)
    if n_packed == 7:
        return _chained(token, packed), _locked(keyed, packed, secret), np.uint64(0), 0
    return token, keyed, packed, n_packed + 1


@intrinsic
def _eight_bytes(typing_context, data, position):
    """data[position:position + 8] as one number, the first byte the lowest: one load, wherever it stands."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        words = context.get_value_type(types.uint64).as_pointer()
        address = builder.bitcast(builder.gep(array.data, [arguments[1]]), words)
        return builder.load(address, align=1)

    return types.uint64(data, position), generate


@intrinsic
def _trailing_zeros(typing_context, value):
    """How many zeros a 64-bit number ends in, 64 for zero: one instruction, where everything waits to learn
    at which byte the next word begins."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


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
    return small & letters, np.int64(_trailing_zeros(others) >> np.uint64(3))


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
def tokenise(data, start, end, fold, expansions, script, secret, tokens, keyed, n_of_script):
    """Write the token hashes of data[start:end] into `tokens`, and under the secret into `keyed`; count
    letters by script.

    Returns (number of tokens, hash of the text under the secret). The text hash keeps digits, the tokens
    mask a run of them to one symbol: `item 17` and `item 18` share a template but are two items. An invalid
    byte is a separator, so text that is not UTF-8 still has tokens. `tokens` are the same everywhere, for
    weights that were trained elsewhere; nobody who does not know the secret, uint64 of shape (2,) and the
    second odd, can write two texts whose `keyed` are the same.

    `tokens` and `keyed` must hold end - start entries at least (a byte cannot make two tokens, but a Hangul
    syllable of three bytes is one and an expansion of three bytes is one).
    """
    n_tokens = 0
    start_value, multiplier = secret[0], secret[1]
    token, locked, packed, n_packed = SEED, start_value, np.uint64(0), 0
    digits = np.uint64(0)
    in_token = False
    in_digits = False
    item = start_value
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
                        token, locked = _chained(token, packed), _locked(locked, packed, multiplier)
                        packed, n_packed = np.uint64(0), 0
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
                token, locked, packed, n_packed = _with_letter(
                    token, locked, packed, n_packed, DIGIT_SYMBOL, multiplier
                )
                digits = _locked(digits ^ start_value, WIDE, multiplier)  # where a run begins: 1a23, 12a3
            in_token = True
            in_digits = True
            digits = _locked(digits ^ start_value, np.uint64(folded), multiplier)
            continue
        in_digits = False
        if in_token and (folded == SEPARATOR or folded & ALONE):
            tokens[n_tokens] = _token_hash(token, packed)
            locked = _locked(locked, packed, multiplier)
            keyed[n_tokens] = locked
            n_tokens += 1
            item = _locked(item, locked ^ digits, multiplier)
            token, locked, packed, n_packed = SEED, start_value, np.uint64(0), 0
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
                token, locked, packed, n_packed = _with_letter(
                    token, locked, packed, n_packed, letter, multiplier
                )
        else:
            token, locked, packed, n_packed = _with_letter(
                token, locked, packed, n_packed, np.uint64(folded & LOW_BITS), multiplier
            )
        in_token = True
        if folded & ALONE:
            tokens[n_tokens] = _token_hash(token, packed)
            locked = _locked(locked, packed, multiplier)
            keyed[n_tokens] = locked
            n_tokens += 1
            item = _locked(item, locked, multiplier)
            token, locked, packed, n_packed = SEED, start_value, np.uint64(0), 0
            in_token = False
    if in_token:
        tokens[n_tokens] = _token_hash(token, packed)
        locked = _locked(locked, packed, multiplier)
        keyed[n_tokens] = locked
        n_tokens += 1
        item = _locked(item, locked ^ digits, multiplier)
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
def keep_shingles(keyed, n_tokens, room, kept, first_free):
    """Write the shingles that are kept of a token sequence to `kept` from first_free on; return how many.

    A shingle is kept when the smallest of its tokens' hashes is the first or the last one (a closed syncmer),
    which is half of them. That depends on nothing around it, so it is kept in every text that holds it; and
    of any LONGEST_GAP neighbours one is kept. So are the END_SHINGLES at either end, and all of a text of up
    to SHORT_TOKENS. A value equal to the one before it is left out. Of more
    than N_KEPT remain the first N_HEAD, the last N_TAIL and, of the others, the N_MIDDLE smallest, in order.
    A text of up to SHINGLE_TOKENS tokens is one shingle of all of them; an empty text has none.

    `room` is room to work in, uint64, at least n_tokens long; `kept` has room for all kept shingles. Source:
    Edgar, PeerJ 9 (2021) e10805.
    """
    if n_tokens == 0:
        return 0
    if n_tokens <= SHINGLE_TOKENS:
        kept[first_free] = _shingle(keyed, 0, n_tokens)
        return 1
    n_shingles = n_tokens - SHINGLE_TOKENS + 1
    is_short = n_tokens <= SHORT_TOKENS
    # No loop here branches on what the text says: the processor would guess wrong every few shingles.
    for at in range(n_tokens - 1):
        room[at] = min(keyed[at], keyed[at + 1])
    n_kept = 0
    previous = np.uint32(0)
    for at in range(n_shingles):
        smallest = min(room[at], room[at + 2])
        shingle = _shingle(keyed, at, SHINGLE_TOKENS)
        kept[first_free + n_kept] = shingle
        is_kept = (smallest == keyed[at]) | (smallest == keyed[at + SHINGLE_TOKENS - 1])
        is_kept |= is_short | (at < END_SHINGLES) | (at >= n_shingles - END_SHINGLES)
        is_new = (shingle != previous) | (n_kept == 0)
        n_kept += int(is_kept & is_new)
        previous = shingle if is_kept else previous
    if n_kept <= N_KEPT:
        return n_kept
    return _thinned(kept, first_free, n_kept)


@njit(cache=True, nogil=True)
def _thinned(kept, first_free, n_kept):
    """Leave of a long text's shingles N_KEPT, in place and in order."""
    middle = kept[first_free + N_HEAD : first_free + n_kept - N_TAIL]
    largest = np.partition(middle, N_MIDDLE - 1)[N_MIDDLE - 1]
    n_below = 0
    for at in range(len(middle)):
        n_below += int(middle[at] < largest)
    n_equal = N_MIDDLE - n_below  # of equal ones the first
    place = first_free + N_HEAD
    for at in range(first_free + N_HEAD, first_free + n_kept - N_TAIL):
        shingle = kept[at]
        if shingle < largest or (shingle == largest and n_equal > 0):
            n_equal -= int(shingle == largest)
            kept[place] = shingle
            place += 1
    for at in range(first_free + n_kept - N_TAIL, first_free + n_kept):
        kept[place] = kept[at]
        place += 1
    return N_KEPT


@njit(cache=True, nogil=True)
def most_kept(offsets, present, first, last, max_bytes):
    """Room for all shingles of the rows first..last: as many as a text has tokens, or, once it is thinned,
    N_KEPT; the longest text needs all of its own while it is read."""
    total = 0
    longest = 0
    for row in range(first, last):
        if present[row]:
            n_bytes = min(offsets[row + 1] - offsets[row], max_bytes)
            total += min(n_bytes, N_KEPT)
            longest = max(longest, n_bytes)
    return total + longest


@njit(cache=True, nogil=True)
def fingerprint_rows(
    data, offsets, present, first, last, max_bytes, fold, expansions, script, secret, weights,
    text_hash, n_tokens_of, script_of, shingles, n_shingles, sums, n_added,
):  # fmt: skip
    """Fill the rows first..last of the outputs from the texts data[offsets[i]:offsets[i + 1]].

    `shingles` takes those rows' alone, one behind the other, and has room for `most_kept` of them; returns
    how many there are. A row that is not `present` keeps zeros. Texts are read to max_bytes. Trusts its
    caller: shapes are checked in detector.text.fingerprint.
    """
    longest = 0
    for row in range(first, last):
        longest = max(longest, offsets[row + 1] - offsets[row])
    tokens = np.empty(min(longest, max_bytes) + 1, dtype=np.uint64)
    keyed = np.empty(len(tokens), dtype=np.uint64)
    room = np.empty(len(tokens), dtype=np.uint64)
    counts = np.zeros(len(weights), dtype=np.uint8)
    features = np.empty(MOST_FEATURES, dtype=np.int64)
    n_of_script = np.zeros(N_SCRIPTS, dtype=np.int64)
    n_written = 0
    for row in range(first, last):
        if not present[row]:
            continue
        start = offsets[row]
        end = min(offsets[row + 1], start + max_bytes)
        n_of_script[:] = 0
        n_tokens, hashed = tokenise(
            data, start, end, fold, expansions, script, secret, tokens, keyed, n_of_script
        )
        text_hash[row] = hashed
        n_tokens_of[row] = n_tokens
        n_of_script[0] = 0  # code points of no script: digits, signs, blanks
        script_of[row] = np.argmax(n_of_script)
        n_shingles[row] = keep_shingles(keyed, n_tokens, room, shingles, n_written)
        n_written += n_shingles[row]
        if len(weights):
            score(tokens, n_tokens, weights, sums[row], n_added[row], counts, features)
    return n_written


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
    keyed = np.empty(len(tokens), dtype=np.uint64)
    secret = np.ones(2, dtype=np.uint64)  # features are of the tokens that are the same everywhere
    n_of_script = np.zeros(N_SCRIPTS, dtype=np.int64)
    n_of_part = np.zeros(N_PARTS, dtype=np.int64)
    counts = np.zeros(n_buckets, dtype=np.uint8)
    features = np.empty(MOST_FEATURES, dtype=np.int64)
    counting = len(columns) == 0
    for row in range(first, last):
        end = min(offsets[row + 1], offsets[row] + max_bytes)
        n_tokens, _ = tokenise(
            data, offsets[row], end, fold, expansions, script, secret, tokens, keyed, n_of_script
        )
        if counting:
            features_of(tokens, n_tokens, n_buckets, columns, n_of_part, counts, features)
            for part in range(N_PARTS):
                starts[N_PARTS * row + part + 1] = n_of_part[part]
        else:
            mine = columns[starts[N_PARTS * row] : starts[N_PARTS * (row + 1)]]
            if len(mine):
                features_of(tokens, n_tokens, n_buckets, mine, n_of_part, counts, features)
