"""Known data sets: recognising their items, and whether one is dealt out.

Here: shingles of known items, which text holds which, and by family the set that most items belong to.
Not here: reading the sets (pipelines.queues), the loop that looks them up (kernels.queues).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import special

from detector.kernels import queues as kernels
from detector.text.queues.uses import Int32, Int64, Measures, UInt32, Uses, ratio, segments, sums


@dataclass(frozen=True, slots=True)
class KnownSets:
    """Known data sets, as shingles by which their items are recognised.

    names : of the sets; sizes : int64, shape (n_sets,): items of each
    item_set, item_position : int32, int64, shape (n_items,): where each item stands
    n_sampled : int32, shape (n_items,): shingles it is recognised by, at most ITEM_SHINGLES; 0: it cannot be
    keys, first_holder, holders : ascending shingles, and by which items (times ITEM_SHINGLES, plus place)
        each is held
    """

    names: tuple[str, ...]
    sizes: Int64
    item_set: Int32
    item_position: Int64
    n_sampled: Int32
    keys: UInt32
    first_holder: Int64
    holders: Int64


_PADDING = " ".join(f"padding{letter}" for letter in "abcdefghijklmnopqrstuvwxyzabcdefghij")


def padded(texts: pa.StringArray) -> pa.StringArray:
    """Items of a known set as they stand inside a longer text, to be fingerprinted: of a text's ends, and of
    a short text, more shingles are kept than of the same words elsewhere. The padding's own are held by every
    item and so decide nothing."""
    wide = pa.large_string()
    padding, blank = pa.scalar(_PADDING, wide), pa.scalar(" ", wide)
    return pc.binary_join_element_wise(padding, texts.cast(wide), padding, blank)


def known_sets(names: Sequence[str], texts: Sequence[tuple[UInt32, Int64]]) -> KnownSets:
    """Prepare known data sets to be looked for.

    Parameters
    ----------
    names : of the sets
    texts : for each set the shingles of its items as `fingerprint` gives them of `padded` items, under the
        secret of the texts that are searched: flat, and starts (n_items + 1)

    Returns
    -------
    KnownSets. Of each item the shingles that fewest items hold are kept, ties by hash; one that more than
    MOST_HOLDERS items hold is an everyday phrase and decides nothing.

    Raises
    ------
    ValueError : not as many names as sets.
    """
    if len(names) != len(texts):
        raise ValueError("every known set needs a name")
    sizes = np.array([len(starts) - 1 for _, starts in texts], np.int64)
    n_items = int(sizes.sum())
    item_set = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    item_position = np.arange(n_items) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    lengths = [np.diff(starts) for _, starts in texts]
    item = np.repeat(np.arange(n_items), np.concatenate(lengths) if lengths else [])
    none = np.empty(0, np.uint32)
    flat = np.concatenate([none, *(shingles[starts[0] : starts[-1]] for shingles, starts in texts)])
    pairs = np.unique(
        item.astype(np.uint64) << np.uint64(32) | flat.astype(np.uint64)
    )  # each shingle once an item
    item = (pairs >> np.uint64(32)).astype(np.int64)
    shingle = (pairs & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    _, of, n_holders = np.unique(shingle, return_inverse=True, return_counts=True)
    rarity = n_holders[of]
    rare = rarity <= kernels.MOST_HOLDERS
    item, shingle, rarity = item[rare], shingle[rare], rarity[rare]
    mixed = shingle * np.uint32(0x9E3779B9)
    order = np.lexsort((shingle, mixed ^ (mixed >> np.uint32(15)), rarity, item))
    starts = np.searchsorted(item[order], np.arange(n_items + 1))
    place = np.arange(len(order)) - np.repeat(starts[:-1], np.diff(starts))
    kept = place < kernels.ITEM_SHINGLES
    order, place = order[kept], place[kept]
    by_shingle = np.lexsort((item[order], shingle[order]))
    keys, first = np.unique(shingle[order][by_shingle], return_index=True)
    return KnownSets(
        names=tuple(names),
        sizes=sizes,
        item_set=item_set,
        item_position=item_position.astype(np.int64),
        n_sampled=np.minimum(np.diff(starts), kernels.ITEM_SHINGLES).astype(np.int32),
        keys=keys.astype(np.uint32),
        first_holder=np.append(first, len(by_shingle)).astype(np.int64),
        holders=(item[order] * kernels.ITEM_SHINGLES + place)[by_shingle].astype(np.int64),
    )


def locate(shingles: UInt32, starts: Int64, known: KnownSets) -> tuple[Int32, Int64]:
    """Which known item each text holds.

    Parameters
    ----------
    shingles : uint32, flat; text i owns shingles[starts[i]:starts[i + 1]], in order of appearance

    Returns
    -------
    int32, shape (n,): code of the known set, -1 for none; int64, shape (n,): the item's place in it, -1 for
    none. A text holds an item when it holds half of the shingles kept of it, and two; of several, the one
    that ends last.
    """
    item = np.empty(len(starts) - 1, np.int64)
    kernels.locate_items(
        shingles, starts, known.keys, known.first_holder, known.holders, known.n_sampled, item
    )
    if len(known.item_set) == 0:
        return np.full(len(item), -1, np.int32), np.full(len(item), -1, np.int64)
    found = item >= 0
    return (
        np.where(found, known.item_set[item], -1).astype(np.int32),
        np.where(found, known.item_position[item], -1).astype(np.int64),
    )


def measure_known(
    uses: Uses,
    n_families: int,
    known_set: Int32 | None,
    set_position: Int64 | None,
    set_sizes: Int64 | None,
) -> Measures:
    """The set that most items of a family belong to, and how often accounts sent the same item of it."""
    nan = np.full(n_families, np.nan)
    n_items = sums(uses.item_family, n_families)
    if known_set is None or set_position is None or set_sizes is None or len(set_sizes) == 0:
        share = np.where(n_items > 0, 0.0, np.nan) if set_sizes is not None else nan
        return {
            "known_set": np.full(n_families, -1, np.int32),
            "known_set_share": share,
            "set_pairs": nan,
            "set_chance_pairs": nan,
            "set_chance_p": nan,
        }
    n_sets = len(set_sizes)
    of_use = known_set[uses.row].astype(np.int64)
    of_item = of_use[uses.first_of_item]
    located = of_item >= 0
    counts = np.zeros((n_families, n_sets))
    cells, n_cell = np.unique(uses.item_family[located] * n_sets + of_item[located], return_counts=True)
    counts.reshape(-1)[cells] = n_cell
    largest = counts.argmax(axis=1)
    n_known = counts[np.arange(n_families), largest]
    code = np.where(n_known > 0, largest, -1)
    mine = np.flatnonzero((of_use == code[uses.family]) & (of_use >= 0))
    # Here an item is a place in the set, however the request around it is worded; once per account.
    account, family, place = uses.account[mine], uses.family[mine], set_position[uses.row[mine]]
    order = np.lexsort((account, place, family))
    family, place, account = family[order], place[order], account[order]
    once = segments(family, place, account)[:-1]
    family, place, account = family[once], place[once], account[once]
    per_account = np.bincount(account, minlength=len(uses.account_family)).astype(np.float64)
    squares = sums(uses.account_family, n_families, per_account**2)
    pairs = (sums(family, n_families) ** 2 - squares) / 2
    starts = segments(family, place)
    holders = np.diff(starts).astype(np.float64)
    observed = sums(family[starts[:-1]], n_families, holders * (holders - 1) / 2)
    expected = np.where(n_known > 0, pairs / np.maximum(set_sizes[largest], 1), np.nan)
    return {
        "known_set": code.astype(np.int32),
        "known_set_share": ratio(n_known, n_items),
        "set_pairs": np.where(n_known > 0, observed, np.nan),
        "set_chance_pairs": expected,
        "set_chance_p": np.where(n_known > 0, special.pdtr(observed, expected), np.nan),
    }
