"""Where a text can be taken apart: at the end of a sentence nearest its middle.

Here: one function over a column of texts, without a loop over them. Not here: what is put in between.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]

_ENDS = (b". ", b"? ", b"! ", b".\n", b":\n", b"\n\n")
_WIDE_ENDS = ("。", "？", "！")


def halves(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Cut every text in two where a sentence ends, as near its middle as possible.

    A text of one sentence, or an empty one, is all first half. Nulls count as empty.
    """
    whole = texts.cast(pa.large_string()).fill_null("")
    n = len(whole)
    offsets, data = whole.buffers()[1:]
    if n == 0 or data is None:
        empty = pa.array([""] * n, pa.string())
        return empty, empty
    ends = np.frombuffer(offsets, np.int64)[whole.offset : whole.offset + n + 1]
    text = bytes(data[int(ends[0]) : int(ends[-1])])
    ends = ends - ends[0]
    cut = _nearest(_places(text), ends)
    inside = (cut > ends[:-1]) & (cut < ends[1:])
    cut = np.where(inside, cut, ends[1:])
    # Pieces lie one behind the other: first half, second half, first half of the next text ...
    bounds = np.empty(2 * n + 1, np.int64)
    bounds[0::2] = ends
    bounds[1::2] = cut
    pieces = pa.LargeStringArray.from_buffers(2 * n, pa.py_buffer(bounds), pa.py_buffer(text)).cast(
        pa.string()
    )
    every_other = np.arange(n) * 2
    return pieces.take(pa.array(every_other)), pieces.take(pa.array(every_other + 1))


def _places(text: bytes) -> Ints:
    """Bytes at which a sentence has just ended, ascending."""
    signs = np.frombuffer(text, np.uint8)
    found = []
    for end in (*_ENDS, *(sign.encode() for sign in _WIDE_ENDS)):
        if len(signs) < len(end):
            continue
        window = np.ones(len(signs) - len(end) + 1, bool)
        for at, byte in enumerate(end):
            window &= signs[at : at + len(window)] == byte
        found.append(np.flatnonzero(window) + len(end))
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def _nearest(places: Ints, ends: Ints) -> Ints:
    """The place next to the middle of each text; may lie outside the text when it has none."""
    middle = (ends[:-1] + ends[1:]) // 2
    if len(places) == 0:
        return np.asarray(ends[1:])
    after = np.searchsorted(places, middle)
    right = places[np.minimum(after, len(places) - 1)]
    left = places[np.maximum(after - 1, 0)]
    return np.where(np.abs(right - middle) < np.abs(middle - left), right, left)
