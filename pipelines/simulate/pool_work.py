"""Work queues of real rows: whole requests as somebody rendered them, or rows inside our instructions.

Here: the order of a queue and its topic areas. Not here: which rows fit (pools), instructions (own_work).
"""

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.simulate.grammar import Rng
from pipelines.simulate.pools import numbers
from pipelines.simulate.promise import MIN_AREAS, Indices, Prompts
from pipelines.simulate.workqueue import NOTHING, Around, Queue, equal_areas, queue_of


def requests_work(texts: Prompts, rows: pl.DataFrame, rng: Rng) -> Queue:
    """A queue of whole requests; each brings the system prompt it was sent with."""
    order, areas = _by_area(rows, rng)
    chosen = texts.take(order)
    system = None if chosen.system is None or chosen.system.null_count == len(order) else chosen.system
    return Queue(
        NOTHING,
        chosen.prompt.cast(pa.string()),
        areas,
        item_systems=None if system is None else system.cast(pa.string()),
    )


def rows_work(texts: Prompts, rows: pl.DataFrame, around: Around, n_languages: int, rng: Rng) -> Queue:
    """A queue of rows inside instructions; every language gets the same items."""
    order, areas = _by_area(rows, rng)
    return queue_of(around, [texts.take(order).prompt] * n_languages, areas)


def _by_area(rows: pl.DataFrame, rng: Rng) -> tuple[Indices, Indices]:
    """Rows source by source, shuffled inside each: a source is an area; one source is cut into equal ones."""
    sources = rows.select(pl.col("source").rank("dense").alias("area"))["area"].to_numpy()
    order = rng.permutation(rows.height)
    order = order[np.argsort(sources[order], kind="stable")]
    areas = np.flatnonzero(np.diff(sources[order], prepend=0)).astype(np.int64)
    if len(areas) < MIN_AREAS:
        areas = equal_areas(rows.height)
    return numbers(rows)[order], areas
