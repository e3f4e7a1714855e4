"""Template families: texts of several accounts that share fixed text around changing slots.

Here: from the night's shingles to families, and who belongs to which. Not here: loops (kernels.families),
readable forms (skeleton), families that were reworded (ties), what sharing a family means (campaigns).

A template is found from its own pieces, not by comparing prompts: shingles that several accounts share are
pieces, two of them are joined when they nearly always stand in the same texts, and what is joined in the
end is one template. A slot may be longer than the template and stand anywhere, since only shared shingles
count; an everyday phrase stays alone, since nothing nearly always stands beside it. Why so, and what it
reaches: docs/decisions/0010.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from detector.kernels import families as kernels
from detector.kernels.tally import group_kernel

LEAST_ACCOUNTS = 5
"""Fewer accounts sharing a text are two friends, a household or a team."""

CONFIDENCE = 0.6
"""All-confidence from which two pieces are one: their common texts over the texts of the more frequent one.
Above one half, so that what is common to two templates of like size joins neither or one, never ties them
together."""

CONFIDENCES = (0.9, 0.75, CONFIDENCE)
"""Demands of the rounds of joining, falling: what belongs together most is joined first and from then on
judged as one. At once, any row of variants, each like the next, would tie two templates."""

WORN = 0.9
"""A piece is worn when its shingles stand beside their neighbours less often than this. Two neighbours
differ by one word, so more than one word in ten comes and goes: somebody exchanges words."""

MENDING_ROUNDS = 6
"""Rounds in which worn pieces are joined, each with what it goes with best, until there is nothing left to
join: pieces grow severalfold with each."""

WITH_EACH_OTHER, AT_ALL = 0.65, 0.35
"""Two worn pieces are one when the rarer stands beside the other in so large a share of its own texts, and
in so large a share of the other's. One word in five exchanged leaves four tenths of the shingles, and of a
piece of several more, so that pieces of one template pass. Of two templates with a piece in common, one
has at most half of its texts, and worn pieces of it stand in still fewer; but templates that have most of
their words in common may become one family when they are worn."""

NEAR, NEAR_WORN = 6, 3
"""How many shared pieces further on a partner may stand: a slot may hold phrases that others share, too. A
piece that comes several times running is one step. Worn pieces are larger and fewer."""

LEAST_PIECES, LEAST_HELD = 3, 2
"""Shingles of a family, and of it that a text must hold: two are six words, a turn of phrase; one is four."""

LEAST_SHARE = 0.2
"""A text of the sample holds a piece when it holds this share of its shingles: templates have branches, and
with one word in five exchanged four tenths of the shingles are left, give or take."""

OF_TYPICAL = 0.5
"""A text belongs to a family when it holds half as many of its shingles as the family's typical text does:
nearly all of a template that is sent as it stands, so that a phrase in common makes no member; four tenths
of one whose words are exchanged."""

TEXTS_PER_ACCOUNT = (64, 32, 16, 8, 6, 4, 3, 2, 1)
"""Different texts of each account that take part in finding families: as many as SAMPLE_TEXTS allows. A few
dozen show each template of a busy account, and one account with a million requests weighs no more than a busy
person; the quietest campaigns on record send six a day, and those are kept as long as they can be."""

SAMPLE_TEXTS = 200_000
"""Texts in the sample: enough to see a template of fifty accounts among ten million requests, few enough that
time and memory do not grow with the night."""

MOST_FAMILIES = 4
"""FamilyIndex of one text: an instruction around an item that has a template of its own (a review bot's
request, a benchmark's frame), and one more; else the longer one, the item's, would hide the instruction. The
last place is that of the family of most texts: a short frame around eight seeds is what the prompts share."""

TELLING_SHINGLES = 8
"""Such a family of prompts, about a dozen words, tells its senders from strangers by itself."""

USED_AGAIN = 0.25
"""A shorter one does when its senders use it for so large a share of what else they write: whoever happens on
a turn of phrase writes his next prompts without it, whoever fills a template fills it again, and one of the
four that a text may belong to is used for a quarter."""

_ROWS_PER_TASK = 16_384
_LOW = np.uint64(0xFFFFFFFF)

T = TypeVar("T")


@dataclass(frozen=True)
class FamilyIndex:
    """The families of one night, by their shingles.

    shingles : uint32, flat; family f owns shingles[starts[f]:starts[f + 1]], ascending; none is in two
    starts : int64, shape (n_families + 1,)
    n_texts : int64, shape (n_families,); texts of the sample that hold the family
    least_held : int64, shape (n_families,); shingles of it that a text needs to belong to it
    used_again : float64, shape (n_families,), 0 to 1; of the other texts of an account that uses the family
        the share that use it too, over all its accounts; 0 where they wrote one text each
    """

    shingles: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    n_texts: npt.NDArray[np.int64]
    least_held: npt.NDArray[np.int64]
    used_again: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def _look_up(self) -> tuple[npt.NDArray[Any], ...]:
        """What `kernels.assign_families` reads; made once, since texts come some at a time."""
        family_of = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))
        ascending = np.argsort(self.shingles)
        index = kernels.index_of(self.shingles[ascending])
        return (*index, family_of[ascending], self.least_held, self.n_texts)

    def shingles_of(self, family: int) -> npt.NDArray[np.uint32]:
        """Shingles of one family, ascending."""
        return self.shingles[self.starts[family] : self.starts[family + 1]]

    def telling(self) -> Self:
        """Only the families that tell their senders from strangers: long ones, and those used again."""
        sizes = np.diff(self.starts)
        kept = (sizes >= TELLING_SHINGLES) | (self.used_again >= USED_AGAIN)
        starts = np.zeros(int(kept.sum()) + 1, dtype=np.int64)
        np.cumsum(sizes[kept], out=starts[1:])
        return replace(
            self,
            shingles=self.shingles[np.repeat(kept, sizes)],
            starts=starts,
            n_texts=self.n_texts[kept],
            least_held=self.least_held[kept],
            used_again=self.used_again[kept],
        )

    def with_typical(self, of_text: npt.NDArray[np.int32], held: npt.NDArray[np.int32]) -> Self:
        """The same with `least_held` by what typical ones among some texts hold (`held_by`)."""
        text, place = np.nonzero(of_text >= 0)
        family, n_held = of_text[text, place], held[text, place]
        order = np.lexsort((n_held, family))
        n_of_family = np.bincount(family, minlength=len(self))
        middle = np.cumsum(n_of_family) - (n_of_family + 1) // 2
        known = n_of_family > 0
        least = self.least_held.copy()
        least[known] = np.ceil(OF_TYPICAL * n_held[order][middle[known]])
        return replace(self, least_held=np.maximum(least, LEAST_HELD))

    def with_used_again(
        self, of_text: npt.NDArray[np.int32], held: npt.NDArray[np.int32], account: npt.NDArray[np.int32]
    ) -> Self:
        """The same with `used_again` by some texts and their accounts (`held_by`)."""
        text, place = np.nonzero(of_text >= 0)
        belongs = held[text, place] >= self.least_held[of_text[text, place]]
        text, place = text[belongs], place[belongs]
        n_of_account = np.bincount(account)
        uses = of_text[text, place] * np.int64(len(n_of_account)) + account[text]
        use, n_of_use = np.unique(uses, return_counts=True)
        family, user = np.divmod(use, max(len(n_of_account), 1))
        n_again = np.bincount(family, n_of_use - 1, minlength=len(self))
        n_in_all = np.bincount(family, n_of_account[user] - 1, minlength=len(self))
        return replace(self, used_again=n_again / np.maximum(n_in_all, 1))

    def held_by(
        self, shingles: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64], *, threads: int = 1
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Which families some texts belong to, and how many of each family's shingles each text holds.

        Parameters
        ----------
        shingles : uint32, flat; starts : int64, shape (n + 1,); text i owns shingles[starts[i]:starts[i + 1]]

        Returns
        -------
        int32 twice, shape (n, MOST_FAMILIES): numbers of the families, most held first but for the last
        place, then -1; and shingles held, then 0. A text's answer does not depend on the other texts.
        """
        n = len(starts) - 1
        of_text = np.full((n, MOST_FAMILIES), -1, dtype=np.int32)
        held = np.zeros((n, MOST_FAMILIES), dtype=np.int32)
        if len(self) == 0:
            return of_text, held
        _in_ranges(
            threads,
            n,
            lambda first, last: kernels.assign_families(
                shingles, starts, first, last, *self._look_up, of_text, held
            ),
        )
        return of_text, held


NO_FAMILIES = FamilyIndex(
    np.empty(0, np.uint32), np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
)


@dataclass(frozen=True, slots=True)
class Families:
    """Families of one night, and what each of n texts holds of them (`FamilyIndex.held_by`)."""

    index: FamilyIndex
    of_text: npt.NDArray[np.int32]
    held: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def best(self) -> npt.NDArray[np.int32]:
        """int32, shape (n,); the family that each text holds most of, -1 for none."""
        return self.of_text[:, 0]


def find_families(
    shingles: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    account: npt.NDArray[np.int32],
    text_hash: npt.NDArray[np.uint64],
    *,
    threads: int = 1,
) -> Families:
    """Find the template families of some texts, all of them in memory: `sampled`, `learn_families` and
    `FamilyIndex.held_by` in one.

    Parameters
    ----------
    shingles : uint32, flat: kept shingles of all texts, each in order of appearance
    starts : int64, shape (n + 1,); text i owns shingles[starts[i]:starts[i + 1]]
    account : int32, shape (n,), 0 and up; any order
    text_hash : uint64, shape (n,); equal for equal texts
    threads : how many share the work; the result does not depend on it

    Raises
    ------
    ValueError : the arrays do not fit together.
    """
    n = len(account)
    if len(starts) != n + 1 or len(text_hash) != n or (n and starts[-1] != len(shingles)):
        raise ValueError("starts must have one entry more than texts, and end where the shingles do")
    rows = sampled(account, text_hash, texts_per_account(np.bincount(account)))
    index = learn_families(shingles, starts, account, text_hash, rows, threads=threads)
    return Families(index, *index.held_by(shingles, starts, threads=threads))


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


def learn_families(
    shingles: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    account: npt.NDArray[np.int32],
    text_hash: npt.NDArray[np.uint64],
    rows: npt.NDArray[np.int64],
    *,
    threads: int = 1,
) -> FamilyIndex:
    """The templates of the texts at `rows`, which stand one account after the other.

    Parameters as in `find_families`; rows : int64, as `sampled` gives them.

    Returns
    -------
    FamilyIndex, numbered by their smallest shingle; the same for the same texts in any order.

    Source: all-confidence, Omiecinski, IEEE TKDE 15 (2003) 57.
    """
    if len(rows) == 0 or len(shingles) == 0:
        return NO_FAMILIES
    sample = _Sample.of(shingles, starts, account, rows, threads)
    keys, n_texts = sample.counted_shingles(sample.drop_rare())
    if len(keys) == 0:
        return NO_FAMILIES
    ascending = np.argsort(keys)
    shared = (keys[ascending] - np.uint64(1)).astype(np.uint32)
    sample.narrow(kernels.positions, *kernels.index_of(shared))
    piece_of, n_texts = _joined(sample, n_texts[ascending], _halvings(text_hash[rows], account[rows]))
    size = np.bincount(piece_of, minlength=len(shared))
    kept = np.flatnonzero(size >= LEAST_PIECES)
    in_family = np.flatnonzero(size[piece_of] >= LEAST_PIECES)
    by_family = in_family[np.argsort(piece_of[in_family], kind="stable")]
    family_starts = np.zeros(len(kept) + 1, dtype=np.int64)
    np.cumsum(size[kept], out=family_starts[1:])
    least_held = np.maximum(LEAST_HELD, np.ceil(LEAST_SHARE * np.minimum(size[kept], kernels.MOST_COUNTED)))
    index = FamilyIndex(
        shared[by_family], family_starts, n_texts[kept], least_held.astype(np.int64), np.zeros(len(kept))
    )
    of_text, held = index.held_by(*_gathered(shingles, starts, rows, threads), threads=threads)
    return index.with_typical(of_text, held).with_used_again(of_text, held, account[rows])


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
        copied, bounds = _gathered(shingles, starts, rows, threads)
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
        _in_ranges(
            self.threads, len(self.starts), lambda first, last: kernel(*texts, first, last, *arguments)
        )

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


def _gathered(
    shingles: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    threads: int,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """The shingles of some rows, one behind the other, and where each row's begin."""
    bounds = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(starts[rows + 1] - starts[rows], out=bounds[1:])
    copied = np.empty(bounds[-1], dtype=np.uint32)
    _in_ranges(
        threads,
        len(rows),
        lambda first, last: kernels.gather(shingles, starts, rows, first, last, copied, bounds),
    )
    return copied, bounds


def _in_ranges(threads: int, n: int, run: Callable[[int, int], None]) -> None:
    """Share out 0..n in ranges: run(first, last)."""
    if threads == 1:
        run(0, n)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda first: run(first, min(first + _ROWS_PER_TASK, n)), range(0, n, _ROWS_PER_TASK)))


def _halvings(text_hash: npt.NDArray[np.uint64], account: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """How often each account's text survives a halving of all: the trailing zeros of a hash of both, since
    a text that everybody sends must not survive, or not, for everybody at once."""
    mixed = (text_hash ^ (account.astype(np.uint64) << np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    mixed ^= mixed >> np.uint64(32)
    lowest = mixed & (~mixed + np.uint64(1))
    return np.bitwise_count(lowest - np.uint64(1)).astype(np.uint8)


def _joined(
    sample: _Sample, n_texts: npt.NDArray[np.int64], halvings: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Join shared shingles to pieces, and pieces to larger ones; (the piece of each shingle, texts of each
    piece). A piece goes by the number of its smallest shingle.

    A text holds a piece when it would belong to a family of these shingles: where words are exchanged, single
    shingles come and go, and pieces of several stay.
    """
    n = len(n_texts)
    pairs = _Pairs.counted(sample, halvings, n_texts, near=NEAR, least=CONFIDENCE)
    firmness = pairs.best_of_each(n)
    piece_of = pairs.joined(pairs.together >= CONFIDENCES[0], n)
    for confidence in CONFIDENCES[1:]:
        size = np.bincount(piece_of, minlength=n)
        may_join = (size[piece_of] > 1) | (firmness >= CONFIDENCE)
        pieces = np.where(may_join, piece_of, kernels.NO_PIECE).astype(np.uint32)
        sample.narrow(kernels.drop_pieceless, pieces)  # what goes with nothing will not go with more
        held, n_texts = sample.pieces_held(pieces, size)
        pairs = _Pairs.counted(held, halvings, n_texts, near=NEAR, least=CONFIDENCE)
        piece_of = pairs.joined(pairs.together >= confidence, n)[piece_of]
    for _ in range(MENDING_ROUNDS):
        size = np.bincount(piece_of, minlength=n)
        pieces = np.where(size[piece_of] > 1, piece_of, kernels.NO_PIECE).astype(np.uint32)
        held, n_texts = sample.pieces_held(pieces, size)
        pairs = _Pairs.counted(held, halvings, n_texts, near=NEAR_WORN, least=AT_ALL)
        is_worn = np.bincount(piece_of, weights=firmness, minlength=n) <= WORN * size
        mends = (pairs.best_partners(n) & is_worn[pairs.low] & is_worn[pairs.high]
                 & (pairs.of_rarer >= WITH_EACH_OTHER) & (pairs.together >= AT_ALL))  # fmt: skip
        joins = mends | (pairs.together >= CONFIDENCE)
        if not joins.any():
            break
        piece_of = pairs.joined(joins, n)[piece_of]
    else:  # the last round joined some that have not been counted since
        size = np.bincount(piece_of, minlength=n)
        _, n_texts = sample.pieces_held(np.where(size[piece_of] > 1, piece_of, kernels.NO_PIECE), size)
    return piece_of, n_texts


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of pieces that stand near each other.

    low, high : int64, the two pieces
    together : float64, 0 to 1: their common texts over those of the more frequent one
    of_rarer : float64, 0 to 1: the same over those of the rarer one
    """

    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    together: npt.NDArray[np.float64]
    of_rarer: npt.NDArray[np.float64]

    @classmethod
    def counted(
        cls,
        sample: _Sample,
        halvings: npt.NDArray[np.uint8],
        n_texts: npt.NDArray[np.int64],
        *,
        near: int,
        least: float,
    ) -> Self:
        """Count the pairs of a sample; those whose `together` cannot reach `least` are never counted."""
        keys, counts = sample.counted_pairs(halvings, n_texts, near, least)
        key = keys - np.uint64(1)
        low = (key >> np.uint64(32)).astype(np.int64)
        high = (key & np.uint64(0xFFFFFFFF)).astype(np.int64)
        fewer, more = np.minimum(n_texts[low], n_texts[high]), np.maximum(n_texts[low], n_texts[high])
        common = counts * 2.0 ** kernels.pair_levels(more)
        return cls(low, high, common / more, common / fewer)

    def best_of_each(self, n: int) -> npt.NDArray[np.float64]:
        """How far each of n pieces goes with its best partner, 0 for none."""
        best = np.zeros(n)
        np.maximum.at(best, self.low, self.together)
        np.maximum.at(best, self.high, self.together)
        return best

    def best_partners(self, n: int) -> npt.NDArray[np.bool_]:
        """Pairs in which one is the other's best partner."""
        best = self.best_of_each(n)
        return np.asarray(self.together >= np.minimum(best[self.low], best[self.high]))

    def joined(self, joins: npt.NDArray[np.bool_], n: int) -> npt.NDArray[np.int64]:
        """For each of n pieces the smallest of those it is joined with, directly or by way of others."""
        graph = coo_matrix((np.ones(joins.sum()), (self.low[joins], self.high[joins])), shape=(n, n))
        _, component = connected_components(graph, directed=False)
        first = np.full(n, n, dtype=np.int64)
        np.minimum.at(first, component, np.arange(n))
        return np.asarray(first[component])


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
    tonight: FamilyIndex,
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
    """Compile the loops of this module, or read them from the cache, on a night of one family."""
    n, size = LEAST_ACCOUNTS, LEAST_PIECES
    shingles = np.tile(np.arange(size, dtype=np.uint32), n)
    shingles.setflags(write=False)  # as Arrow gives them: for numba that is another type
    starts = np.arange(0, size * n + 1, size, dtype=np.int64)
    find_families(shingles, starts, np.arange(n, dtype=np.int32), np.arange(n, dtype=np.uint64))
