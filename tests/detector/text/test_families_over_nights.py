"""The same template family, night after night: known again, split, and named."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.text import family_id, same_family
from detector.text.families import FamilyIndex
from tests.detector.text.speech import OTHER, TEMPLATE, Speech, crowd, families_of, made_by
from tests.reference.families import same_family_slow


def matched(tonight: Sequence[set[int]], earlier: Sequence[set[int]]) -> list[int]:
    """same_family over sets."""
    return same_family(
        FamilyIndex(
            np.array([shingle for family in tonight for shingle in sorted(family)], np.uint32),
            np.cumsum([0, *(len(family) for family in tonight)], dtype=np.int64),
            *np.zeros((2, len(tonight)), np.int64),
            np.zeros(len(tonight)),
        ),
        np.array([shingle for family in earlier for shingle in sorted(family)], np.uint32),
        np.array([at for at, family in enumerate(earlier) for _ in family], np.int64),
        np.array([len(family) for family in earlier], np.int64),
    ).tolist()


FAMILIES = st.lists(st.sets(st.integers(0, 14), min_size=1, max_size=6), max_size=6)


@given(FAMILIES, FAMILIES)
@settings(deadline=None, max_examples=200)
def test_sameness_agrees_with_the_definition(tonight: list[set[int]], earlier: list[set[int]]) -> None:
    assert matched(tonight, earlier) == same_family_slow(tonight, earlier)


def test_a_template_that_gains_a_piece_is_recognised_the_next_night() -> None:
    say = Speech()
    gained = "and mention in passing which of the criteria you found hardest to apply to this submission"
    first = families_of(made_by(lambda: f"{TEMPLATE}: {say(25)}") + crowd(say))
    second = families_of(
        made_by(lambda: f"{say(25)} {OTHER}", first=50) + made_by(lambda: f"{TEMPLATE}: {say(25)} {gained}")
    )
    earlier = first.index
    found = same_family(
        second.index, earlier.shingles, np.zeros(len(earlier.shingles), np.int64), np.diff(earlier.starts)
    )
    campaign = second.best[-1]
    assert len(second) == 2
    assert found[campaign] == 0
    assert found[1 - campaign] == -1


def test_both_halves_of_a_template_that_split_come_from_it() -> None:
    whole = set(range(20))
    assert matched([set(range(10)), set(range(10, 20)), {90, 91, 92}], [{50, 51}, whole]) == [1, 1, -1]


def test_a_family_never_seen_before_is_named_by_its_smallest_pieces() -> None:
    pieces = np.array([3, 1_000, 2**31, 2**32 - 1, 2**32 - 1], np.uint32)
    assert family_id(pieces, "prompt") == family_id(pieces[:4], "prompt")
    names = [
        family_id(pieces[first : first + 4], kind) for first in range(4) for kind in ("prompt", "system")
    ]
    assert len(set(names)) == 8
    assert {len(name) for name in names} == {12}
    assert {name[0] for name in names} == {"p", "s"}
