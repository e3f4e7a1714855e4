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

from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.texts.promise import Indices
from pipelines.simulate.texts.recombine import pieces
from pipelines.simulate.texts.workqueue import N_ITEMS, Around, Queue, equal_areas, queue_of

_MADE_PER_ROW = 10
"""Items put together of a source, at most this many for each of its rows."""
_MIN_ROWS = 20
"""Fewer rows may agree in more than their instruction."""
_MIN_SHARED_CHARS = 20
"""A shorter beginning or ending in common is chance."""


def requests_work(rows: pl.DataFrame, rng: Rng) -> Queue:
    """A queue of requests that others rendered, of all sources in a mixed order.

    Parameters
    ----------
    rows : columns source, origin, prompt, system; at least one row
    """
    sources = rows.partition_by("source", maintain_order=True)
    prompts = [source.get_column("prompt").to_list() for source in sources]
    ends = [shared(texts) for texts in prompts]
    bodies = [
        [text[len(before) : len(text) - len(after)] for text in texts]
        for texts, (before, after) in zip(prompts, ends, strict=True)
    ]
    made = [_filled_up(texts, n, rng) for texts, n in zip(bodies, _dealt_out(sources), strict=True)]
    given = [source.get_column("system").to_list() for source in sources]
    systems = [own[row] for own, (_, first) in zip(given, made, strict=True) for row in first.tolist()]
    sizes = [len(items) for items, _ in made]
    order = rng.permutation(sum(sizes))
    at = pa.array(order)
    return Queue(
        Around(pa.array([b for b, _ in ends], pa.string()), pa.array([a for _, a in ends], pa.string())),
        pa.array([item for items, _ in made for item in items], pa.string()).take(at),
        equal_areas(len(order)),
        item_around=np.repeat(np.arange(len(sizes)), sizes)[order],
        item_systems=(
            None if all(system is None for system in systems) else pa.array(systems, pa.string()).take(at)
        ),
    )


def rows_work(rows: pl.DataFrame, around: Around, n_languages: int, rng: Rng) -> Queue:
    """A queue of rows inside instructions, sources mixed; every language gets the same items."""
    sources = rows.partition_by("source", maintain_order=True)
    made = [
        _filled_up(source.get_column("prompt").to_list(), n, rng)[0]
        for source, n in zip(sources, _dealt_out(sources), strict=True)
    ]
    items = pa.array([item for items in made for item in items], pa.string())
    items = items.take(pa.array(rng.permutation(len(items))))
    return queue_of(around, [items] * n_languages, equal_areas(len(items)))


def _dealt_out(sources: Sequence[pl.DataFrame]) -> list[int]:
    """How many items of a queue each source gives: origins alike, whatever the size of the file they came in;
    within an origin by the number of rows."""
    sizes = [source.height for source in sources]
    names = [source.item(0, "origin") for source in sources]
    of_origin = dict.fromkeys(names, 0)
    for name, size in zip(names, sizes, strict=True):
        of_origin[name] += size
    share = N_ITEMS / len(of_origin)
    return [round(share * size / of_origin[name]) for name, size in zip(names, sizes, strict=True)]


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
    order = rng.permutation(len(items))[: max(n, 1)]
    made, first = list(items), np.array(list(items.values()), np.int64)
    return [made[at] for at in order.tolist()], first[order]
