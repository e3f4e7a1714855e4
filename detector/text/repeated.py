"""What an account's own texts share: pieces that come again in many of them, whoever else uses them or not.

Here: from the shingles of some texts of each account to the account's own repeated ones, and how many of them
a text holds. Not here: templates that several accounts share (families), which need five accounts: whoever
works alone has none.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_LOW_BITS = np.uint64(32)
_SHINGLE = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True)
class OwnedTexts:
    """Texts of some accounts, each as the different shingles it holds.

    text : int64, shape (n_shingles,); position of the text that holds the shingle, ascending
    shingle : uint64, shape (n_shingles,), 0 to 2^32 - 1; no text holds one twice
    owner : int64, shape (n_texts,), 0 to 2^31 - 1; the account of each text
    """

    text: Int64
    shingle: npt.NDArray[np.uint64]
    owner: Int64

    @classmethod
    def of(cls, shingles: npt.NDArray[np.uint32], starts: Int64, owner: Int64) -> Self:
        """Texts from flat lists.

        Parameters
        ----------
        shingles : uint32, flat; text t owns shingles[starts[t]:starts[t + 1]]
        starts : int64, shape (n_texts + 1,)
        owner : int64, shape (n_texts,)
        """
        text = np.repeat(np.arange(len(owner), dtype=np.int64), np.diff(starts))
        each, _ = _distinct((text.astype(np.uint64) << _LOW_BITS) | shingles.astype(np.uint64))
        return cls((each >> _LOW_BITS).astype(np.int64), each & _SHINGLE, owner)

    @cached_property
    def keys(self) -> Keys:
        """uint64, shape (n_shingles,): owner and shingle in one number."""
        return (self.owner[self.text].astype(np.uint64) << _LOW_BITS) | self.shingle

    @cached_property
    def n_shingles(self) -> Int64:
        """int64, shape (n_texts,): different shingles of each text."""
        return np.bincount(self.text, minlength=len(self.owner)).astype(np.int64)

    def repeated(self, unit: Int64, *, least_share: float, least_units: int) -> Keys:
        """What comes again in many units of its owner: keys, ascending.

        Parameters
        ----------
        unit : int64, shape (n_texts,): texts with the same number count once; below 0 they do not count. No
            unit has two owners
        least_share : share of the owner's units that must hold a shingle, 0 to 1
        least_units : units that must hold it at least, however few there are
        """
        is_counted = unit >= 0
        owner_of = np.zeros(int(unit.max(initial=-1)) + 1, np.int64)
        owner_of[unit[is_counted]] = self.owner[is_counted]
        n_units = np.bincount(owner_of[np.unique(unit[is_counted])])
        of_text = unit[self.text]
        counted = of_text >= 0
        each, _ = _distinct((of_text[counted].astype(np.uint64) << _LOW_BITS) | self.shingle[counted])
        owners = owner_of[(each >> _LOW_BITS).astype(np.int64)].astype(np.uint64)
        keys, n_holding = _distinct((owners << _LOW_BITS) | (each & _SHINGLE))
        asked = np.maximum(least_share * n_units[(keys >> _LOW_BITS).astype(np.int64)], least_units)
        return np.asarray(keys[n_holding >= asked])

    def n_held(self, keys: Keys) -> Int64:
        """int64, shape (n_texts,): how many of the owner's `keys`, ascending, each text holds."""
        is_held = np.isin(self.keys, keys)
        return np.bincount(self.text[is_held], minlength=len(self.owner)).astype(np.int64)


def owners_of(keys: Keys) -> Int64:
    """The owner of each key."""
    return (keys >> _LOW_BITS).astype(np.int64)


def shingles_of(keys: Keys) -> npt.NDArray[np.uint32]:
    """The shingle of each key."""
    return (keys & _SHINGLE).astype(np.uint32)


def _distinct(values: Keys) -> tuple[Keys, Int64]:
    """Different values, ascending, and how often each comes: by sorting, which for millions of them takes a
    tenth of numpy's own hashing."""
    values = np.sort(values)
    first = np.flatnonzero(np.append(True, values[1:] != values[:-1])[: len(values)])
    return values[first], np.diff(np.append(first, len(values))).astype(np.int64)
