"""The alignment that templates are read off, held against the definition read aloud."""

from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.text.template import Run, Template, matches


def common_slow(one: str, other: str) -> int:
    """Length of a longest common subsequence."""

    @cache
    def length(at: int, its: int) -> int:
        if at == len(one) or its == len(other):
            return 0
        if one[at] == other[its]:
            return 1 + length(at + 1, its + 1)
        return max(length(at + 1, its), length(at, its + 1))

    return length(0, 0)


def runs(signs: str) -> list[Run]:
    return [Run(2 * at, (sign,)) for at, sign in enumerate(signs)]


@given(st.text("abc", max_size=40), st.text("abcd", max_size=40))
@settings(deadline=None, max_examples=500)
def test_an_alignment_is_a_longest_common_subsequence(one: str, other: str) -> None:
    found = matches(runs(one), runs(other))
    assert len(found) == common_slow(one, other)
    assert all(one[at // 2] == other[its // 2] for at, its in found)
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in pairwise(found))


def test_neighbours_are_kept_together() -> None:
    """`xab` quotes the beginning of `abc`: the whole of it is matched, not the quotation and the rest."""
    base = [Run(at, (sign,)) for at, sign in enumerate("xabyabcz")]
    other = [Run(at, (sign,)) for at, sign in enumerate("wabcv")]
    assert matches(base, other) == [(4, 1), (5, 2), (6, 3)]


def test_what_is_read_is_bounded() -> None:
    template = Template.of(["word " * 1_000_000] * 20)
    assert len(template.examples) == 12
    assert len(template.base) == 24_000
    assert len(template.runs) < 6_000
