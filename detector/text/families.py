"""Template families: texts of several accounts that share fixed text around changing slots.

Here: from the night's shingles to families, and who belongs to which. Not here: loops (kernels.families),
readable forms (skeleton), what sharing a family means (campaigns).

A template is found from its own pieces, not by comparing prompts: shingles that several accounts share are
nodes, two of them are joined when they nearly always stand in the same texts, and each connected group is
one template. A slot may be longer than the template and stand anywhere, since only shared shingles count; an
everyday phrase stays alone, since nothing nearly always stands beside it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from detector.kernels import families as kernels
from detector.kernels.tally import group_kernel

LEAST_ACCOUNTS = 5
"""Fewer accounts sharing a text are two friends, a household or a team."""

CONFIDENCE = 0.6
"""All-confidence of an edge: the pair's texts over the texts of the more frequent one. Above one half, so
that a piece common to two templates of like size joins neither or one, never ties them together."""

LEAST_SHINGLES = 2
"""One shingle is four words: a figure of speech."""

LEAST_SHARE = 0.3
"""A text belongs to a family when it holds this share of its shingles (of 64, for a longer one): templates
have branches, and winnowing near a slot depends on what fills it."""

TEXTS_PER_ACCOUNT = (64, 32, 16, 8, 6, 4, 3, 2, 1)
"""Different texts of each account that take part in finding families: as many as SAMPLE_TEXTS allows. A few
dozen show each template of a busy account, and one account with a million requests weighs no more than a busy
person; the quietest campaigns on record send six a day, and those are kept as long as they can be."""

SAMPLE_TEXTS = 300_000
"""Texts in the sample: enough to see a template of fifty accounts among ten million requests, few enough that
time and memory do not grow with the night."""

MOST_FAMILIES = 3
"""Templates of one text: an instruction around an item that has a template of its own (a review bot's
request, a benchmark's frame), and one more. Else the longer one, the item's, would hide the instruction."""

_ROWS_PER_TASK = 65_536


@dataclass(frozen=True, slots=True)
class Families:
    """Families of one night over n texts.

    shingles : uint32, flat; family f owns shingles[starts[f]:starts[f + 1]], ascending
    starts : int64, shape (n_families + 1,)
    of_text : int32, shape (n, MOST_FAMILIES); numbers of the text's families, most held first, then -1
    held : int32, shape (n, MOST_FAMILIES); how many of each family's shingles the text holds
    """

    shingles: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    of_text: npt.NDArray[np.int32]
    held: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def best(self) -> npt.NDArray[np.int32]:
        """int32, shape (n,); the family that each text holds most of, -1 for none."""
        return self.of_text[:, 0]

    def shingles_of(self, family: int) -> npt.NDArray[np.uint32]:
        """Shingles of one family, ascending."""
        return self.shingles[self.starts[family] : self.starts[family + 1]]


def find_families(
    shingles: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    account: npt.NDArray[np.int32],
    text_hash: npt.NDArray[np.uint64],
    *,
    threads: int = 1,
) -> Families:
    """Find the template families of one night.

    Parameters
    ----------
    shingles : uint32, flat: winnowed shingles of all texts, each in order of appearance
    starts : int64, shape (n + 1,); text i owns shingles[starts[i]:starts[i + 1]]
    account : int32, shape (n,), 0 and up; any order
    text_hash : uint64, shape (n,); equal for equal texts
    threads : how many share the assignment of texts; the result does not depend on it

    Returns
    -------
    Families, numbered by their smallest shingle; the same for the same texts in any order.

    Raises
    ------
    ValueError : the arrays do not fit together.

    Sources: all-confidence, Omiecinski, IEEE TKDE 15 (2003) 57; winnowing, Schleimer et al., SIGMOD 2003.
    """
    n = len(account)
    if len(starts) != n + 1 or len(text_hash) != n or (n and starts[-1] != len(shingles)):
        raise ValueError("starts must have one entry more than texts, and end where the shingles do")
    if n == 0 or len(shingles) == 0:
        return _no_families(n)
    rows = _sample(account, text_hash)
    sample = _Sample.of(shingles, starts, account, rows, threads)
    sample.drop_rare()
    keys, n_texts = sample.counted(kernels.count_shingles, LEAST_ACCOUNTS)
    if len(keys) == 0:
        return _no_families(n)
    ascending = np.argsort(keys)
    shared = (keys[ascending] - np.uint64(1)).astype(np.uint32)
    n_texts = n_texts[ascending]
    sample.narrow(kernels.positions, *kernels.index_of(shared))
    halvings = _halvings(text_hash[rows])
    pairs, n_pair_texts = sample.counted(kernels.count_pairs, halvings, n_texts, LEAST_ACCOUNTS, CONFIDENCE)
    del sample
    family_of_shared, sizes = _components(pairs, n_pair_texts, n_texts)
    in_family = family_of_shared >= 0
    of_text = np.empty((n, MOST_FAMILIES), dtype=np.int32)
    held = np.empty((n, MOST_FAMILIES), dtype=np.int32)

    look_up = (*kernels.index_of(shared[in_family]), family_of_shared[in_family], sizes)
    _in_ranges(
        threads,
        n,
        lambda first, last: kernels.assign_families(
            shingles, starts, first, last, *look_up, LEAST_SHINGLES, LEAST_SHARE, of_text, held
        ),
    )
    by_family = np.argsort(family_of_shared[in_family], kind="stable")
    family_starts = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=family_starts[1:])
    return Families(shared[in_family][by_family], family_starts, of_text, held)


@dataclass(frozen=True, slots=True)
class _Sample:
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
        bounds = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(starts[rows + 1] - starts[rows], out=bounds[1:])
        copied = np.empty(bounds[-1], dtype=np.uint32)
        sample = cls(copied, bounds[:-1], bounds[1:].copy(), account[rows], threads)
        _in_ranges(
            threads,
            len(rows),
            lambda first, last: kernels.gather(shingles, starts, rows, first, last, copied, bounds),
        )
        return sample

    def drop_rare(self) -> None:
        """Drop nearly all shingles that fewer than LEAST_ACCOUNTS accounts hold, and no other."""
        with ThreadPoolExecutor(self.threads) as pool:
            sketch = pool.map(
                lambda line: kernels.sketch_line(
                    self.shingles, self.starts, self.ends, self.account, LEAST_ACCOUNTS, line
                ),
                range(2),
            )
            self.narrow(kernels.drop_rare, *sketch, LEAST_ACCOUNTS)

    def narrow(self, kernel: Callable[..., None], *arguments: object) -> None:
        """Let a kernel drop shingles, or put others in their place; each thread takes its own texts."""
        texts = (self.shingles, self.starts, self.ends)
        _in_ranges(
            self.threads, len(self.starts), lambda first, last: kernel(*texts, first, last, *arguments)
        )

    def counted(
        self, kernel: Callable[..., tuple[npt.NDArray[Any], npt.NDArray[Any]]], *arguments: object
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Let each thread count its own part of the keys, and put the parts together."""
        texts = (self.shingles, self.starts, self.ends, self.account)
        with ThreadPoolExecutor(self.threads) as pool:
            parts = list(
                pool.map(lambda part: kernel(*texts, *arguments, part, self.threads), range(self.threads))
            )
        return np.concatenate([keys for keys, _ in parts]), np.concatenate([counts for _, counts in parts])


def _in_ranges(threads: int, n: int, run: Callable[[int, int], None]) -> None:
    """Share out 0..n in ranges: run(first, last)."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda first: run(first, min(first + _ROWS_PER_TASK, n)), range(0, n, _ROWS_PER_TASK)))


def _halvings(text_hash: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """How often each text survives a halving of all texts: the trailing zeros of its hash."""
    mixed = text_hash * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    lowest = mixed & (~mixed + np.uint64(1))
    return np.bitwise_count(lowest - np.uint64(1)).astype(np.uint8)


def _sample(account: npt.NDArray[np.int32], text_hash: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Rows of the texts that take part, by account: the same texts whatever the rows' order."""
    n_of_account = np.bincount(account)
    most = next(
        (most for most in TEXTS_PER_ACCOUNT if np.minimum(n_of_account, most).sum() <= SAMPLE_TEXTS),
        TEXTS_PER_ACCOUNT[-1],
    )
    starts = np.empty(len(n_of_account) + 1, dtype=np.int64)
    order = np.empty(len(account), dtype=np.int64)
    group_kernel(account, starts, order)
    rows: npt.NDArray[np.int64] = kernels.sample(text_hash, order, starts, most)
    return rows


def _no_families(n: int) -> Families:
    return Families(
        np.empty(0, dtype=np.uint32),
        np.zeros(1, dtype=np.int64),
        np.full((n, MOST_FAMILIES), -1, dtype=np.int32),
        np.zeros((n, MOST_FAMILIES), dtype=np.int32),
    )


def _components(
    pairs: npt.NDArray[np.uint64], n_pair_texts: npt.NDArray[np.int64], n_texts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Join shingles that nearly always stand together; (family of each shingle or -1, sizes of families)."""
    key = pairs - np.uint64(1)
    low = (key >> np.uint64(32)).astype(np.int64)
    high = (key & np.uint64(0xFFFFFFFF)).astype(np.int64)
    more = np.maximum(n_texts[low], n_texts[high])
    joined = n_pair_texts >= CONFIDENCE * more / 2.0 ** kernels.pair_levels(more)
    n_shared = len(n_texts)
    graph = coo_matrix((np.ones(joined.sum()), (low[joined], high[joined])), shape=(n_shared, n_shared))
    _, component = connected_components(graph, directed=False)
    size = np.bincount(component)
    # Components are numbered by their first shingle, and shared shingles ascend: the numbering is stable.
    kept = np.flatnonzero(size >= LEAST_SHINGLES)
    number = np.full(len(size), -1, dtype=np.int32)
    number[kept] = np.arange(len(kept), dtype=np.int32)
    return number[component], size[kept].astype(np.int32)


def family_id(shingles: npt.NDArray[np.uint32], kind: str) -> str:
    """A name for a family never seen before: its kind and its smallest shingles, which are as good as random.

    The smallest four of ascending shingles: a family that gains or loses a piece usually keeps them, and one
    that does not is tied to its earlier self by `same_family`.
    """
    digest = 0
    for shingle in shingles[:4]:
        digest = (digest * 0x9E3779B97F4A7C15 + int(shingle) + 1) % (1 << 64)
    return f"{kind[0]}-{digest:016x}"[:12]


def same_family(
    tonight: Families,
    earlier_shingles: npt.NDArray[np.uint32],
    earlier_family: npt.NDArray[np.int64],
    n_earlier: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Which earlier family each of tonight's is, -1 for none.

    Parameters
    ----------
    earlier_shingles, earlier_family : one row per shingle of each earlier family
    n_earlier : int64, shape (n_earlier_families,): their numbers of shingles

    Returns
    -------
    int64, shape (len(tonight),). Two are the same when they share half of the smaller one's shingles: a
    template that was extended keeps its identity. Of several, the one sharing most, then the first. Two of
    tonight's may be the same earlier one: a template that split.
    """
    found = np.full(len(tonight), -1, dtype=np.int64)
    if len(tonight) == 0 or len(earlier_shingles) == 0:
        return found
    sizes = np.diff(tonight.starts)
    tonight_family = np.repeat(np.arange(len(tonight)), sizes)
    by_value = np.argsort(earlier_shingles, kind="stable")
    values = earlier_shingles[by_value]
    first = np.searchsorted(values, tonight.shingles, "left")
    last = np.searchsorted(values, tonight.shingles, "right")
    n_matches = last - first
    mine = np.repeat(tonight_family, n_matches)
    within = np.arange(n_matches.sum()) - np.repeat(np.cumsum(n_matches) - n_matches, n_matches)
    other = earlier_family[by_value[np.repeat(first, n_matches) + within]]
    pairs, n_common = np.unique(np.stack([mine, other]), axis=1, return_counts=True)
    enough = 2 * n_common >= np.minimum(sizes[pairs[0]], n_earlier[pairs[1]])
    # Ascending in what is shared, and among equals the first family last: the last write wins.
    order = np.lexsort((-pairs[1], n_common))
    order = order[enough[order]]
    found[pairs[0][order]] = pairs[1][order]
    return found


def warm_up() -> None:
    """Compile the loops of this module, or read them from the cache, on a night of one text."""
    n = LEAST_ACCOUNTS
    shingles = np.tile(np.arange(2, dtype=np.uint32), n)
    shingles.setflags(write=False)  # as Arrow gives them: for numba that is another type
    starts = np.arange(0, 2 * n + 1, 2, dtype=np.int64)
    find_families(shingles, starts, np.arange(n, dtype=np.int32), np.arange(n, dtype=np.uint64))
