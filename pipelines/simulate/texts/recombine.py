"""New messages from old ones: pieces of different rows of a pool, put together again.

Here: `Retold`, which writes what people say from real rows without many people saying the same.
A pool of a few thousand rows cannot speak for thousands of people night after night: whoever repeats
whole rows makes unrelated accounts send identical texts, which only short messages ("thanks") do in
life. So a message begins like one row and ends like another of the same language (or with a closing
of our own), and conversations keep the order of their turns. Short rows are said as they are.
Not here: which rows those are (pools), own words (own_texts).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.texts.promise import Flags, Indices

Closing = Callable[[int, Rng], pa.Array]
"""Writes some last words in one language."""

_END = re.compile(r"(?:[.!?؟।]+[\"')\]]*\s+|[。！？]+|\n+)")
_MAX_PIECES = 6
"""Longer rows are cut into this many runs of sentences."""
SHORT_BYTES = 28
"""Rows up to this size are said by many people in just these words, and stay as they are."""
_OWN_CLOSING = 0.3
"""Share of messages that end in words of our own."""
_NEAR = 0.08
"""Endings are from rows of about the same length: this share of all endings to either side ..."""
_NEAR_ROWS = 60
"""... or this many."""


def pieces(text: str) -> list[str]:
    """A text cut after sentences or lines into at most _MAX_PIECES; joined, they are the text again."""
    if "```" in text:
        return [text]
    ends = [match.end() for match in _END.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    n = min(len(ends), _MAX_PIECES)
    cuts = [0, *(ends[(k + 1) * len(ends) // n - 1] for k in range(n))]
    return [text[a:b] for a, b in pairwise(cuts)]


@dataclass(frozen=True, slots=True)
class Retold:
    """Beginnings and endings of the rows of one language.

    Row r begins in the ways heads[first_head[r]:first_head[r + 1]]; conversation c is the rows from
    first_row[c] up to first_row[c + 1], in order of turns.
    """

    heads: pa.Array
    is_short: Flags
    """Of each head: the whole of a short row."""
    first_head: Indices
    row_bytes: Indices
    """Length of each row."""
    tails: pa.Array
    tail_row_bytes: Indices
    """Length of the row that each ending is from, ascending."""
    first_row: Indices
    closing: Closing | None

    def write(self, starts: Flags, rng: Rng) -> pa.Array:
        """Messages in order; a conversation begins where `starts` is true."""
        n = len(starts)
        if n == 0:
            return pa.array([], pa.string())
        begins = np.flatnonzero(np.concatenate(([True], starts[1:])))
        run = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, n)))
        turn = np.arange(n) - begins[run]
        conversation = rng.integers(0, len(self.first_row) - 1, len(begins))[run]
        row = self.first_row[conversation] + turn
        said_all = row >= self.first_row[conversation + 1]
        row[said_all] = rng.integers(0, len(self.first_head) - 1, int(said_all.sum()))
        n_ways = np.diff(self.first_head)[row]
        head = self.first_head[row] + (rng.random(n) * n_ways).astype(np.int64)
        ending = self._endings(~self.is_short[head], self.row_bytes[row], rng)
        return pc.utf8_trim_whitespace(
            pc.binary_join_element_wise(self.heads.take(pa.array(head)), ending, "")
        )

    def _endings(self, wanted: Flags, row_bytes: Indices, rng: Rng) -> pa.Array:
        """Endings of rows about as long as the ones begun with, or closings of our own."""
        n_tails = len(self.tails)
        own = wanted & (rng.random(len(wanted)) < (_OWN_CLOSING if n_tails > 0 else 1.0))
        if self.closing is None:
            own[:] = False
        of_rows = wanted & ~own & (n_tails > 0)
        closings = pa.array([], pa.string())
        if self.closing is not None:
            closings = self.closing(int(own.sum()), rng).cast(pa.string())
        place = np.zeros(len(wanted), np.int64)
        place[own] = 1 + np.arange(len(closings))
        if n_tails > 0:
            alike = np.searchsorted(self.tail_row_bytes, row_bytes[of_rows])
            near = alike + rng.normal(0.0, max(_NEAR_ROWS, _NEAR * n_tails), len(alike))
            # Reflected at both ends, else every short message would end like the shortest row.
            inside = (n_tails - 1) - np.abs((n_tails - 1) - np.abs(near.astype(np.int64)))
            place[of_rows] = 1 + len(closings) + np.clip(inside, 0, n_tails - 1)
        return pa.concat_arrays([pa.array([""], pa.string()), closings, self.tails]).take(pa.array(place))


def retold(rows: pl.DataFrame, closing: Closing | None = None) -> Retold:
    """Cut rows of one language apart.

    Parameters
    ----------
    rows : columns row, source, prompt, group_id, turn; at least one row
    """
    ordered, sizes = conversations(rows)
    heads: list[str] = []
    tails: dict[str, int] = {}
    n_heads: list[int] = []
    is_short: list[bool] = []
    row_bytes: list[int] = []
    for text in ordered.get_column("prompt").to_list():
        cut = pieces(text)
        row_bytes.append(len(text.encode()))
        n_heads.append(len(cut))
        heads += ["".join(cut[: k + 1]) for k in range(len(cut))]
        tails |= {"".join(cut[k:]): row_bytes[-1] for k in range(1, len(cut))}
        is_short += [False] * (len(cut) - 1) + [row_bytes[-1] <= SHORT_BYTES]
    # A beginning is followed by something else: it needs a gap where its sentence ends the row.
    spaced = [head if head[-1:].isspace() or head[-1:] in "。！？" else head + " " for head in heads]
    by_length = sorted(tails, key=lambda tail: tails[tail])
    return Retold(
        heads=pa.array(spaced, pa.string()),
        is_short=np.array(is_short, np.bool_),
        first_head=np.concatenate(([0], np.cumsum(n_heads))).astype(np.int64),
        row_bytes=np.array(row_bytes, np.int64),
        tails=pa.array(by_length, pa.string()),
        tail_row_bytes=np.array([tails[tail] for tail in by_length], np.int64),
        first_row=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        closing=closing,
    )


def conversations(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
    """Rows ordered by conversation and turn, and the number of rows of each conversation."""
    grouped = rows.with_columns(
        pl.coalesce(pl.concat_str("source", "group_id"), pl.col("row").cast(pl.String)).alias("group")
    )
    ordered = grouped.with_columns(pl.col("row").min().over("group").alias("place")).sort(
        "place", "turn", "row"
    )
    return ordered, ordered.group_by("place", maintain_order=True).len().get_column("len").to_list()
