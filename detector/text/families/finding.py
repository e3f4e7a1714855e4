"""From the night's shingles to its families.

Here: the steps, from a sample of texts to an index. Not here: the sample (sample), joining (pieces).
"""

import numpy as np
import numpy.typing as npt

from detector.kernels import families as kernels
from detector.text.families.index import LEAST_HELD, LEAST_PIECES, NO_FAMILIES, Families, FamilyIndex
from detector.text.families.pieces import joined_pieces
from detector.text.families.sample import (
    LEAST_ACCOUNTS,
    LEAST_SHARE,
    Sample,
    gathered,
    halvings_of,
    sampled,
    texts_per_account,
)


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
    sample = Sample.of(shingles, starts, account, rows, threads)
    keys, n_texts = sample.counted_shingles(sample.drop_rare())
    if len(keys) == 0:
        return NO_FAMILIES
    ascending = np.argsort(keys)
    shared = (keys[ascending] - np.uint64(1)).astype(np.uint32)
    sample.narrow(kernels.positions, *kernels.index_of(shared))
    piece_of, n_texts = joined_pieces(sample, n_texts[ascending], halvings_of(text_hash[rows], account[rows]))
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
    of_text, held = index.held_by(*gathered(shingles, starts, rows, threads), threads=threads)
    return index.with_typical(of_text, held).with_used_again(of_text, held, account[rows])


def warm_up() -> None:
    """Compile the loops of this module, or read them from the cache, on a night of one family."""
    n, size = LEAST_ACCOUNTS, LEAST_PIECES
    shingles = np.tile(np.arange(size, dtype=np.uint32), n)
    shingles.setflags(write=False)  # as Arrow gives them: for numba that is another type
    starts = np.arange(0, size * n + 1, size, dtype=np.int64)
    find_families(shingles, starts, np.arange(n, dtype=np.int32), np.arange(n, dtype=np.uint64))
