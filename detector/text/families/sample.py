"""The texts that families are found from: which take part, and counting what they hold.

Here: a sample of the night's texts, by account, and its counts. Not here: what is joined by them (pieces).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from detector.kernels import families as kernels
from detector.kernels.tally import group_kernel

LEAST_ACCOUNTS = 5
"""Fewer accounts sharing a text are two friends, a household or a team."""

LEAST_SHARE = 0.2
"""A text of the sample holds a piece when it holds this share of its shingles: templates have branches, and
with one word in five exchanged four tenths of the shingles are left, give or take."""

TEXTS_PER_ACCOUNT = (64, 32, 16, 8, 6, 4, 3, 2, 1)
"""Different texts of each account that take part in finding families: as many as SAMPLE_TEXTS allows. A few
dozen show each template of a busy account, and one account with a million requests weighs no more than a busy
person; the quietest campaigns on record send six a day, and those are kept as long as they can be."""

SAMPLE_TEXTS = 200_000
"""Texts in the sample: enough to see a template of fifty accounts among ten million requests, few enough that
time and memory do not grow with the night."""

_ROWS_PER_TASK = 16_384
_LOW = np.uint64(0xFFFFFFFF)

T = TypeVar("T")


def texts_per_account(n_texts: npt.NDArray[np.int64]) -> int:
    """How many texts of each account take part, given how many each has: as many as SAMPLE_TEXTS allows."""
    return next(
        (most for most in TEXTS_PER_ACCOUNT if np.minimum(n_texts, most).sum() <= SAMPLE_TEXTS),
        TEXTS_PER_ACCOUNT[-1],
    )


def sampled(
    account: npt.NDArray[np.int32], text_hash: npt.NDArray[np.uint64], most: int
) -> npt.NDArray[np.int64]:
    """Rows of the texts that take part, by account: up to `most` different ones of each, those with the
    smallest hashes, which is as good as by lot and the same whatever the rows' order."""
    n_accounts = int(account.max()) + 1 if len(account) else 0
    starts = np.zeros(n_accounts + 1, dtype=np.int64)
    order = np.empty(len(account), dtype=np.int64)
    group_kernel(account, starts, order)
    rows: npt.NDArray[np.int64] = kernels.sample(text_hash, order, starts, most)
    return rows


@dataclass(frozen=True, slots=True)
class Sample:
    """The texts that take part in finding families, by account, copied to lie in the order they are read.

    Text i holds shingles[starts[i]:ends[i]]. What is no longer wanted is dropped in place.
    """

    shingles: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    account: npt.NDArray[np.int32]
    threads: int

    @classmethod
    def of(
        cls,
        shingles: npt.NDArray[np.uint32],
        starts: npt.NDArray[np.int64],
        account: npt.NDArray[np.int32],
        rows: npt.NDArray[np.int64],
        threads: int,
    ) -> Self:
        """These rows of all texts."""
        copied, bounds = gathered(shingles, starts, rows, threads)
        return cls(copied, bounds[:-1], bounds[1:].copy(), account[rows], threads)

    def drop_rare(self) -> int:
        """Drop nearly all shingles that fewer than LEAST_ACCOUNTS accounts hold, and no other; about how many
        different ones are left."""
        texts = (self.shingles, self.starts, self.ends, self.account)

        def filled(line: int) -> npt.NDArray[np.uint32]:
            counters = np.zeros(1 << kernels.SKETCH_BITS, dtype=np.uint32)
            kernels.sketch_line(*texts, LEAST_ACCOUNTS, line, counters)
            return counters

        with ThreadPoolExecutor(self.threads) as pool:
            sketch = list(pool.map(filled, range(2)))
        self.narrow(kernels.drop_rare, *sketch, LEAST_ACCOUNTS)
        return int(kernels.n_passing(sketch[0], LEAST_ACCOUNTS))

    def narrow(self, kernel: Callable[..., None], *arguments: object) -> None:
        """Let a kernel drop shingles, or put others in their place; each thread takes its own texts."""
        texts = (self.shingles, self.starts, self.ends)
        in_ranges(self.threads, len(self.starts), lambda first, last: kernel(*texts, first, last, *arguments))

    def pieces_held(
        self, piece_of: npt.NDArray[np.uint32], size: npt.NDArray[np.int64]
    ) -> tuple[Self, npt.NDArray[np.int64]]:
        """The same texts with the pieces they hold in the place of shared shingles; texts of each piece."""
        pieces, ends = np.empty_like(self.shingles), np.empty_like(self.ends)
        enough = np.ceil(LEAST_SHARE * np.minimum(size, kernels.MOST_COUNTED)).astype(np.int32)
        self.narrow(kernels.pieces_held, piece_of, np.maximum(enough, 1), pieces, ends)
        held = replace(self, shingles=pieces, ends=ends)

        def counted(first: int, last: int) -> npt.NDArray[np.uint64]:
            counts = np.zeros((len(size), 4), dtype=np.uint64)
            kernels.count_held(pieces, self.starts, ends, self.account, first, last, counts)
            return counts[:, kernels.ACCOUNTS :: 2] & _LOW

        n_accounts, n_texts = reduce(np.add, held.by_accounts(counted)).T
        return held, np.where(n_accounts >= LEAST_ACCOUNTS, n_texts, 0).astype(np.int64)

    def counted_shingles(self, n_about: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """(shingle + 1, texts) of those that LEAST_ACCOUNTS hold, in no particular order; there are about so
        many."""
        texts = (self.shingles, self.starts, self.ends, self.account)
        tables = self.by_accounts(
            lambda first, last: kernels.count_shingles(*texts, first, last, _table(n_about))
        )
        return _filled(tables)

    def counted_pairs(
        self, halvings: npt.NDArray[np.uint8], n_texts: npt.NDArray[np.int64], near: int, least: float
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """(key, texts) of the pairs that LEAST_ACCOUNTS have near each other (`kernels.count_pairs`)."""
        texts = (self.shingles, self.starts, self.ends)
        of_pair = (halvings, n_texts)
        n_pairs = kernels.n_near_pairs(*texts, *of_pair, near, least)

        def sighted(first: int, last: int) -> npt.NDArray[np.uint8]:
            sightings = np.zeros(1 << kernels.pair_sketch_bits(n_pairs), dtype=np.uint8)
            kernels.sight_pairs(*texts, *of_pair, first, last, near, LEAST_ACCOUNTS, least, sightings)
            return sightings

        sightings = reduce(
            lambda one, other: kernels.add_sightings(one, other, LEAST_ACCOUNTS), self.by_accounts(sighted)
        )
        n_about = int(np.count_nonzero(sightings >= LEAST_ACCOUNTS))
        demands = (near, LEAST_ACCOUNTS, least)
        tables = self.by_accounts(
            lambda first, last: kernels.count_pairs(
                *texts, self.account, *of_pair, first, last, *demands, sightings, _table(n_about)
            )
        )
        return _filled(tables)

    def by_accounts(self, count: Callable[[int, int], T]) -> list[T]:
        """Let each thread count(first, last) a range of texts, no account in two of them."""
        bounds = self._bounds()
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(count, bounds[:-1], bounds[1:]))

    def _bounds(self) -> list[int]:
        """Where each thread's accounts begin, of about as many shingles each, and where the last ends."""
        n = len(self.account)
        of_account = np.flatnonzero(np.diff(self.account)) + 1
        n_before = np.cumsum(self.ends - self.starts)
        shares = n_before[-1] * np.arange(1, self.threads) // self.threads
        beyond = np.searchsorted(of_account, np.searchsorted(n_before, shares))
        return [0, *np.append(of_account, n)[beyond].tolist(), n]


def _table(n: int) -> npt.NDArray[np.uint64]:
    """An empty table with room for n keys. Large arrays of numpy's lie in large pages of memory, those of a
    loop do not."""
    bits = max(kernels.LEAST_BITS, int(2 * n).bit_length())
    return np.zeros((1 << bits, 4), dtype=np.uint64)


def _filled(
    tables: list[npt.NDArray[np.uint64]],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Tables of different accounts as one, without what less than LEAST_ACCOUNTS have."""
    keys, n_texts = kernels.filled(reduce(kernels.added, tables), LEAST_ACCOUNTS)
    return keys, n_texts


def gathered(
    shingles: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    threads: int,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """The shingles of some rows, one behind the other, and where each row's begin."""
    bounds = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(starts[rows + 1] - starts[rows], out=bounds[1:])
    copied = np.empty(bounds[-1], dtype=np.uint32)
    in_ranges(
        threads,
        len(rows),
        lambda first, last: kernels.gather(shingles, starts, rows, first, last, copied, bounds),
    )
    return copied, bounds


def in_ranges(threads: int, n: int, run: Callable[[int, int], None]) -> None:
    """Share out 0..n in ranges: run(first, last)."""
    if threads == 1:
        run(0, n)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda first: run(first, min(first + _ROWS_PER_TASK, n)), range(0, n, _ROWS_PER_TASK)))


def halvings_of(text_hash: npt.NDArray[np.uint64], account: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """How often each account's text survives a halving of all: the trailing zeros of a hash of both, since
    a text that everybody sends must not survive, or not, for everybody at once."""
    mixed = (text_hash ^ (account.astype(np.uint64) << np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    mixed ^= mixed >> np.uint64(32)
    lowest = mixed & (~mixed + np.uint64(1))
    return np.bitwise_count(lowest - np.uint64(1)).astype(np.uint8)
