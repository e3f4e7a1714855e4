"""The families of a night by their shingles: who belongs to which, and which is which from night to night.

Here: what a found family is, and looking texts up. Not here: how families are found (finding).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from detector.kernels import families as kernels
from detector.text.families.sample import in_ranges

LEAST_PIECES, LEAST_HELD = 3, 2
"""Shingles of a family, and of it that a text must hold: two are six words, a turn of phrase; one is four."""

OF_TYPICAL = 0.5
"""A text belongs to a family when it holds half as many of its shingles as the family's typical text does:
nearly all of a template that is sent as it stands, so that a phrase in common makes no member; four tenths
of one whose words are exchanged."""

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
        in_ranges(
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
