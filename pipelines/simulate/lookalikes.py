"""Text that reads the same and is spelt otherwise: zero-width signs, look-alike letters, full-width forms.

Here: one function over a column of texts. Not here: who hides so (evasions), how the detector folds it.
The column is handled as one array of UTF-8 bytes: no loop over texts.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.texts.grammar import Rng

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_TWINS = dict(zip("aceiopxysjABCEHIKMOPTX", "асеіорхуѕјАВСЕНІКМОРТХ", strict=True))
"""Latin letters and the Cyrillic ones that look the same in most typefaces."""
_ZERO_WIDTH = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
_FULL_WIDTH = 0xFEE0
"""Distance from an ASCII letter to its full-width form."""
_LONGEST_TAG = 24

SWAPPED, HIDDEN, WIDENED = 0.05, 0.03, 0.008
"""Draws per byte of text: letters swapped for a twin, followed by a zero-width sign, made full-width."""


def _table(written: dict[int, str], width: int) -> Bytes:
    table = np.zeros((128, width), np.uint8)
    for letter, text in written.items():
        table[letter] = np.frombuffer(text.encode(), np.uint8)
    return table


_LETTERS = [*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)]
_IS_LETTER = np.isin(np.arange(256), _LETTERS)
_TWIN = _table({ord(letter): twin for letter, twin in _TWINS.items()}, 2)
_WIDE = _table({letter: chr(letter + _FULL_WIDTH) for letter in _LETTERS}, 3)
_HIDDEN = np.array([list(sign.encode()) for sign in _ZERO_WIDTH], np.uint8)


def sprinkled(texts: pa.Array, rng: Rng) -> pa.Array:
    """The same words, hidden from a search for them. Nulls stay null; tags in angle brackets stay intact,
    for the operator's own parser has to find them in the answers.
    """
    whole = pc.fill_null(texts.cast(pa.large_string()), "")
    offsets, text = _buffers(whole)
    spots = _spots(text, SWAPPED + WIDENED, rng)
    widens = rng.random(len(spots)) * (SWAPPED + WIDENED) < WIDENED
    swapped = spots[~widens & (_TWIN[text[spots], 0] > 0)]
    wide = spots[widens]
    hidden = _spots(text, HIDDEN, rng)
    twins, forms = _TWIN[text[swapped]], _WIDE[text[wide]]
    written = text.copy()
    written[swapped], written[wide] = twins[:, 0], forms[:, 0]
    # The further bytes of what was replaced, then the hidden signs: all stand right behind their letter.
    behind = np.concatenate((swapped, np.repeat(wide, 2), np.repeat(hidden, 3))) + 1
    signs = _HIDDEN[rng.integers(0, len(_HIDDEN), len(hidden))]
    extra = np.concatenate((twins[:, 1], forms[:, 1:].ravel(), signs.ravel()))
    order = np.argsort(behind, kind="stable")
    behind, extra = behind[order], extra[order]
    grown = np.insert(written, behind, extra)
    ends = offsets + np.searchsorted(behind, offsets, side="right")
    column = pa.LargeStringArray.from_buffers(len(whole), pa.py_buffer(ends), pa.py_buffer(grown))
    if texts.null_count:
        column = pc.if_else(texts.is_valid(), column, pa.scalar(None, pa.large_string()))
    return column.cast(pa.string())


def _buffers(column: pa.Array) -> tuple[Ints, Bytes]:
    """Offsets from 0, and the text of a whole large_string column end to end."""
    offsets, data = column.buffers()[1:]
    if len(column) == 0 or data is None:
        return np.zeros(len(column) + 1, np.int64), np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    return ends - ends[0], np.frombuffer(data, np.uint8)[int(ends[0]) : int(ends[-1])]


def _spots(text: Bytes, share: float, rng: Rng) -> Ints:
    """Random letters outside tags, each once, ascending: so many draws per byte."""
    if len(text) == 0:
        return np.empty(0, np.int64)
    drawn = np.sort(rng.integers(0, len(text), rng.binomial(len(text), share)))
    drawn = drawn[_IS_LETTER[text[drawn]] & (np.diff(drawn, prepend=-1) > 0)]
    opens, closes = np.flatnonzero(text == ord("<")), np.flatnonzero(text == ord(">"))
    if len(opens) == 0 or len(closes) == 0:
        return drawn
    last_open = opens[np.maximum(np.searchsorted(opens, drawn) - 1, 0)]
    next_close = closes[np.minimum(np.searchsorted(closes, drawn), len(closes) - 1)]
    in_tag = (last_open < drawn) & (next_close > drawn) & (next_close - last_open <= _LONGEST_TAG)
    return np.asarray(drawn[~in_tag])
