"""One step ahead: a file's next block is read and cut while DuckDB works on the one before.

Here: the thread that does it. Not here: reading and cutting (`blocks`, `lines`, `documents`, `csvfile`).
"""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The same items in the same order; while one is worked on, a thread makes the next.

    Reading, unpacking and cutting a block is one thread's work and takes a tenth of all, more where a file is
    packed: done by turns, DuckDB's threads would stand still for it. No more than one item waits. What
    `items` raises is raised in its place; a reader that stops early waits for the item that is being made.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, items, _END)
            yield item  # type: ignore[misc]  # _END alone is no Item, and is not yielded
