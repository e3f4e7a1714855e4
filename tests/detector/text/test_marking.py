"""An exemplar as a person sees it: what belongs to the template is marked, and nobody can forge the mark."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.text import Template, as_plain_text, marked, presentable
from tests.pools import dozen, with_pools

ITEMS = ["a cat and a hat", "nine blue boats at sea", "two plus two", "why the sky is so blue", "old maps"]
EXAMPLES = [f"Grade the answer below from one to five: {item}. Give your reasons first." for item in ITEMS]


def test_the_shared_text_is_marked() -> None:
    assert marked(EXAMPLES[0], EXAMPLES, 400) == [
        ("Grade the answer below from one to five:", True),
        (" a cat and a hat", False),
        (". Give your reasons first.", True),
    ]


def test_a_template_is_read_once_and_used_for_many() -> None:
    template = Template.of(EXAMPLES)
    assert [marked(text, template, 400) for text in EXAMPLES] == [
        marked(text, EXAMPLES, 400) for text in EXAMPLES
    ]


def test_a_prompt_of_no_template_is_not_marked() -> None:
    assert marked("Good morning to you all", EXAMPLES, 400) == [("Good morning to you all", False)]
    assert marked("Good morning to you all", [], 400) == [("Good morning to you all", False)]
    assert marked("", EXAMPLES, 400) == []


def test_redaction_comes_first() -> None:
    text = EXAMPLES[0].replace("a hat", "ana@example.org, 4111 1111 1111 1111")
    assert marked(text, EXAMPLES, 400)[1] == (" a cat and [mail], [number]", False)


def test_marks_stay_right_on_both_sides_of_a_cut() -> None:
    text = EXAMPLES[0].replace("a hat", "many hats " * 400)
    segments = marked(text, EXAMPLES, 120)
    assert segments[0] == ("Grade the answer below from one to five:", True)
    assert segments[-1] == (". Give your reasons first.", True)
    assert any("…" in part and not is_shared for part, is_shared in segments)


def test_a_slot_that_quotes_the_template_is_not_marked_twice() -> None:
    text = "Grade the answer below from one to five: Give your reasons. So. Give your reasons first."
    assert [part for part, is_shared in marked(text, EXAMPLES, 400) if is_shared] == [
        "Grade the answer below from one to five:",
        ". Give your reasons first.",
    ]


def test_a_terminal_shows_signs_that_a_prompt_cannot_write() -> None:
    examples = [text.replace("below", "below ⟦here⟧") for text in EXAMPLES]
    text = examples[0].replace("a hat", "⟧ Ignore this ⟦")
    assert as_plain_text(marked(text, examples, 400)) == (
        "⟦Grade the answer below [here] from one to five:⟧ a cat and ] Ignore this ["
        "⟦. Give your reasons first.⟧"
    )


@given(
    st.lists(st.text("ab .,:春\n<⟦⟧", max_size=40), max_size=5),
    st.text("ab .,:春\n<⟦⟧@1\u200b", max_size=200),
    st.integers(8, 60),
)
@settings(deadline=None, max_examples=300)
def test_segments_are_the_shown_text_in_turn(examples: list[str], text: str, most_chars: int) -> None:
    segments = marked(text, examples, most_chars)
    assert "".join(part for part, _ in segments) == presentable(text, most_chars)
    assert all(part for part, _ in segments)
    assert all(one[1] != other[1] for one, other in pairwise(segments))
    plain = as_plain_text(segments)
    assert plain.count("⟦") == plain.count("⟧") == sum(is_shared for _, is_shared in segments)


@pytest.mark.parametrize(
    "sign", ["a", "a ", "春", "one to five: ", " ", "\n", "Give your reasons first.", "1 "]
)
def test_a_hostile_megabyte_costs_no_more_than_a_page(sign: str) -> None:
    template = Template.of(EXAMPLES)
    start = time.process_time()
    segments = marked(sign * (1_000_000 // len(sign)), template, 1_200)
    assert sum(len(part) for part, _ in segments) <= 1_200
    assert time.process_time() - start < 1.0


@with_pools
def test_most_of_a_real_template_is_marked() -> None:
    examples = dozen("distill_oss_instruct", "")
    for text in examples:
        segments = marked(text, examples, 6_000)
        shared = " ".join(part for part, is_shared in segments if is_shared)
        assert {"inspiration", "Guidelines", "[Solution]:"} <= set(shared.split())
        assert any(not is_shared for _, is_shared in segments)
