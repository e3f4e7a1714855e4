"""Work queues of real rows: requests as somebody rendered them, or rows inside our instructions.

Here: the order of a queue, its topic areas, and what the requests of one source have in common.
Not here: which rows fit (pools), instructions of our own (own_work).

An operator does not send an item twice, but a source of a few hundred rows would make him. So a queue of
rendered requests is filled up with items put together from two rows of the same source (recombine),
inside the very words that all its rows share.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.simulate.grammar import Rng
from pipelines.simulate.promise import MIN_AREAS, Indices
from pipelines.simulate.recombine import pieces
from pipelines.simulate.workqueue import N_ITEMS, Around, Queue, equal_areas, queue_of

_MADE_PER_ROW = 10
"""Items put together of a source, at most this many for each of its rows."""
_MIN_ROWS = 20
"""Fewer rows may agree in more than their instruction."""
_MIN_SHARED_CHARS = 20
"""A shorter beginning or ending in common is chance."""


def requests_work(rows: pl.DataFrame, rng: Rng) -> Queue:
    """A queue of requests that others rendered, source by source; each source is a topic area.

    Parameters
    ----------
    rows : columns source, prompt, system; at least one row
    """
    sources = rows.partition_by("source", maintain_order=True)
    prompts = [source.get_column("prompt").to_list() for source in sources]
    ends = [shared(texts) for texts in prompts]
    bodies = [
        [text[len(before) : len(text) - len(after)] for text in texts]
        for texts, (before, after) in zip(prompts, ends, strict=True)
    ]
    made = [_filled_up(texts, round(N_ITEMS * len(texts) / rows.height), rng) for texts in bodies]
    given = [source.get_column("system").to_list() for source in sources]
    systems = [own[row] for own, (_, first) in zip(given, made, strict=True) for row in first.tolist()]
    sizes = [len(items) for items, _ in made]
    return Queue(
        Around(pa.array([b for b, _ in ends], pa.string()), pa.array([a for _, a in ends], pa.string())),
        pa.array([item for items, _ in made for item in items], pa.string()),
        _areas(sizes),
        item_around=np.repeat(np.arange(len(sizes)), sizes),
        item_systems=None if all(system is None for system in systems) else pa.array(systems, pa.string()),
    )


def rows_work(rows: pl.DataFrame, around: Around, n_languages: int, rng: Rng) -> Queue:
    """A queue of rows inside instructions; every language gets the same items."""
    made = [
        _filled_up(source.get_column("prompt").to_list(), round(N_ITEMS * source.height / rows.height), rng)[
            0
        ]
        for source in rows.partition_by("source", maintain_order=True)
    ]
    items = pa.array([item for items in made for item in items], pa.string())
    return queue_of(around, [items] * n_languages, _areas([len(items) for items in made]))


def shared(texts: Sequence[str]) -> tuple[str, str]:
    """The beginning and the ending that all texts have in common, cut where a word ends."""
    if len(texts) < _MIN_ROWS:
        return "", ""
    before = _common(texts)
    before = before[: max(before.rfind(" "), before.rfind("\n")) + 1]
    rests = [text[len(before) :][::-1] for text in texts]
    after = _common(rests)[::-1]
    gaps = [at for at in (after.find(" "), after.find("\n")) if at >= 0]
    after = after[min(gaps) :] if gaps else ""
    return _if_long(before), _if_long(after)


def _common(texts: Sequence[str]) -> str:
    """The longest beginning of all texts: that of the first and the last in order."""
    first, last = min(texts), max(texts)
    differ = (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(differ, min(len(first), len(last)))]


def _if_long(words: str) -> str:
    return words if len(words) >= _MIN_SHARED_CHARS else ""


def _areas(sizes: Sequence[int]) -> Indices:
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    return starts if len(starts) >= MIN_AREAS else equal_areas(sum(sizes))


def _filled_up(bodies: Sequence[str], n: int, rng: Rng) -> tuple[list[str], Indices]:
    """All bodies and new ones made of two of them, at most `n`, shuffled; and the row each begins with."""
    cut = [pieces(body) for body in bodies]
    long = np.array([row for row, parts in enumerate(cut) if len(parts) > 1], np.int64)
    items = {body: row for row, body in enumerate(bodies)}
    n_made = min(n - len(bodies), _MADE_PER_ROW * len(bodies)) if len(long) > 1 else 0
    if n_made > 0:
        one, two = rng.choice(long, n_made), rng.choice(long, n_made)
        at = rng.random((2, n_made))
        for row, other, k, j in zip(one.tolist(), two.tolist(), *at.tolist(), strict=True):
            head = cut[row][: 1 + int(k * (len(cut[row]) - 1))]
            tail = cut[other][1 + int(j * (len(cut[other]) - 1)) :]
            items.setdefault("".join(head + tail), row)
    order = rng.permutation(len(items))
    made, first = list(items), np.array(list(items.values()), np.int64)
    return [made[at] for at in order.tolist()], first[order]
