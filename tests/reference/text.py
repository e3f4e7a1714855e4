"""Slow truths about text: what a token, a fingerprint and a feature are, read aloud.

Here: one plain function a definition, over Python strings and lists. Not here: speed. The authority when
detector.kernels.text and this file disagree.
"""

import re
import unicodedata
from collections import Counter
from itertools import groupby

from detector.kernels.text import END_SHINGLES, N_HEAD, N_MIDDLE, N_TAIL, SHINGLE_TOKENS, SHORT_TOKENS
from detector.text.fingerprint import NO_SECRET, SCRIPTS, fold_table

Token = tuple[int, ...]
"""The folded letters of a token; a digit is DIGIT + its value."""

Secret = tuple[int, int]
"""Where a keyed hash starts, and what it is multiplied by."""

OPEN: Secret = (int(NO_SECRET[0]), int(NO_SECRET[1]))

MASK = (1 << 64) - 1
SEED, PRIME = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
SHINGLE_PRIME = 0xC2B2AE3D27D4EB4F
SEPARATOR, VANISH = 0, 1
ALONE, EXPANDS, DIGIT = 1 << 31, 1 << 30, 1 << 29
DIGIT_SYMBOL = ord("0")
WIDE = 1 << 63
HEAD_TOKENS, TAIL_TOKENS, EDGE_TOKENS = 256, 128, 64
MOST_TIMES = 2  # a feature counts in one part of a text

DECOMPOSED_SYLLABLE = re.compile("[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?")


def mix(value: int) -> int:
    value ^= value >> 32
    value = value * PRIME & MASK
    value ^= value >> 29
    value = value * SEED & MASK
    return value ^ value >> 32


def decoded(data: bytes) -> str:
    """Bytes that are not UTF-8 become U+FFFD, which is no letter; Hangul letters become syllables."""
    text = data.decode("utf-8", errors="replace")
    return DECOMPOSED_SYLLABLE.sub(lambda letters: unicodedata.normalize("NFC", letters[0]), text)


def folded(char: str) -> int:
    """Entry of the fold table; above it lie rare Han, which stand alone, and tags, which vanish."""
    code, fold = ord(char), fold_table().fold
    if code < len(fold):
        return int(fold[code])
    if code < 0x40000:
        return ALONE | code
    return VANISH if 0xE0000 <= code <= 0xE0FFF else SEPARATOR


def letters(entry: int) -> Token:
    if entry & DIGIT:
        return (entry,)
    low_bits = entry & (DIGIT - 1)
    if entry & EXPANDS:
        return tuple(int(letter) for letter in fold_table().expansions[low_bits] if letter)
    return (low_bits,)


def tokens(text: str) -> list[Token]:
    """Runs of letters and digits; a letter of a script without spaces is a token by itself."""
    out: list[Token] = []
    run: list[int] = []
    for char in text:
        entry = folded(char)
        if entry == VANISH:
            continue
        stands_alone = bool(entry & ALONE)
        if entry == SEPARATOR or stands_alone:
            out += [tuple(run)] if run else []
            out += [letters(entry)] if stands_alone else []
            run = []
        else:
            run += letters(entry)
    return out + ([tuple(run)] if run else [])


def masked(token: Token) -> Token:
    """The token with every run of digits as one symbol: `item17` and `item18` are the same token."""
    out: list[int] = []
    for is_digit, run in groupby(token, key=lambda letter: bool(letter & DIGIT)):
        out += (DIGIT_SYMBOL,) if is_digit else run
    return tuple(out)


def chained(start: int, values: Token) -> int:
    for value in values:
        start = (start ^ value) * PRIME & MASK
    return start


def words(token: Token) -> Token:
    """The token as 64-bit words: ASCII letters eight to a word, every other letter one by itself. The last
    word holds the ASCII letters left over, perhaps none."""
    out: list[int] = []
    ascii_letters: Token = ()
    for letter in token:
        if letter >= 0x80:
            out += (packed(ascii_letters), letter | WIDE) if ascii_letters else (letter | WIDE,)
            ascii_letters = ()
        elif len(ascii_letters) == 7:
            out += (packed((*ascii_letters, letter)),)
            ascii_letters = ()
        else:
            ascii_letters += (letter,)
    return (*out, packed(ascii_letters))


def packed(ascii_letters: Token) -> int:
    """The first letter in the lowest byte."""
    return int.from_bytes(bytes(ascii_letters), "little")


def token_hash(token: Token) -> int:
    """The public hash, the same everywhere: what a classifier's features are of."""
    value = chained(SEED, words(masked(token)))
    value = (value ^ value >> 32) * SEED & MASK
    return value ^ value >> 29


def locked(value: int, values: Token, secret: Secret) -> int:
    """Each of the values is added, and the sum multiplied by the secret; the product's halves are xored."""
    for each in values:
        product = (value ^ each) * secret[1]
        value = product >> 64 ^ product & MASK
    return value


def keyed_hash(token: Token, secret: Secret = OPEN) -> int:
    """The hash under the secret: what shingles and a text's hash are of."""
    return locked(secret[0], words(masked(token)), secret)


def text_hash(of_tokens: list[Token], secret: Secret = OPEN) -> int:
    """Digits count here: two items of one template are two texts."""
    value = secret[0]
    for token in of_tokens:
        digits = 0
        for is_digit, run in groupby(token, key=lambda letter: bool(letter & DIGIT)):
            for letter in (WIDE, *run) if is_digit else ():
                digits = locked(digits ^ secret[0], (letter,), secret)
        value = locked(value, (keyed_hash(token, secret) ^ digits,), secret)
    return mix(value)


def shingle(hashes: list[int]) -> int:
    value = 0
    for each in hashes:
        value = (value * PRIME + each) & MASK
    return ((value ^ value >> 32) * SHINGLE_PRIME & MASK) >> 32


def shingles(hashes: list[int]) -> list[int]:
    """Every run of SHINGLE_TOKENS neighbours; a shorter text is one run."""
    n = max(1, len(hashes) - SHINGLE_TOKENS + 1)
    return [shingle(hashes[first : first + SHINGLE_TOKENS]) for first in range(n)] if hashes else []


def is_kept(run: list[int]) -> bool:
    """A closed syncmer: the smallest of the hashes is the first or the last."""
    return min(run) in (run[0], run[-1])


def kept_shingles(hashes: list[int]) -> list[int]:
    """The closed syncmers and all near either end; all of a short text; no value twice running."""
    every = shingles(hashes)
    kept = [
        value
        for at, value in enumerate(every)
        if len(hashes) <= SHORT_TOKENS
        or min(at, len(every) - 1 - at) < END_SHINGLES
        or is_kept(hashes[at : at + SHINGLE_TOKENS])
    ]
    return thinned([value for value, _ in groupby(kept)])


def thinned(kept: list[int]) -> list[int]:
    """Of too many: both ends, and of what lies between the smallest, of equals the first, in order."""
    if len(kept) <= N_HEAD + N_MIDDLE + N_TAIL:
        return kept
    middle = range(N_HEAD, len(kept) - N_TAIL)
    smallest = sorted(sorted(middle, key=lambda at: (kept[at], at))[:N_MIDDLE])
    return kept[:N_HEAD] + [kept[at] for at in smallest] + kept[-N_TAIL:]


def dominant_script(text: str) -> str:
    """The script most letters belong to, the earlier in SCRIPTS on a tie; `none` without letters."""
    table = fold_table().script
    codes = [SCRIPTS.index("han") if ord(char) >= len(table) else int(table[ord(char)]) for char in text
             if ord(char) < 0x40000]  # fmt: skip
    counts = Counter(code for code in codes if code)
    return SCRIPTS[min(counts, key=lambda code: (-counts[code], code))] if counts else "none"


def part_of(index: int, n: int) -> int | None:
    """0 head, 1 tail, 2 middle of n tokens; None where no one looks."""
    if index < EDGE_TOKENS:
        return 0
    if index >= n - EDGE_TOKENS:
        return 1
    return 2 if index < HEAD_TOKENS or index >= n - TAIL_TOKENS else None


def features(hashes: list[int], n_buckets: int) -> list[list[int]]:
    """Buckets of head, tail and middle of a text: its tokens and the pairs of neighbours, each bucket at
    most twice in a part."""
    parts: list[list[int]] = [[], [], []]
    n = len(hashes)
    for index in range(n):
        part = part_of(index, n)
        if part is None:
            continue
        found = [bucket(hashes[index], 0, n_buckets)]
        if index > 0 and part_of(index - 1, n) is not None:
            found.append(bucket(hashes[index - 1], hashes[index], n_buckets))
        for each in found:
            if parts[part].count(each) < MOST_TIMES:
                parts[part].append(each)
    return parts


def bucket(first: int, second: int, n_buckets: int) -> int:
    return ((first * SEED + second & MASK) >> 44) % n_buckets
