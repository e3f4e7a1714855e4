"""The readable form of a template: what its prompts share, and what kind of thing fills its slots."""

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.text import SLOTS, Template, skeleton, skeleton_parts
from detector.text.skeleton import is_code, is_json, is_number, slot_kind
from tests.pools import dozen, with_pools

ITEMS = ["a cat and a hat", "nine blue boats at sea", "two plus two", "why the sky is so blue", "old maps"]


# --- what is shared -------------------------------------------------------------------------------------


def test_a_template_is_read_off_its_examples() -> None:
    examples = [
        f"Grade the answer below from one to five: {item}. Give your reasons first." for item in ITEMS
    ]
    assert skeleton(examples) == "Grade the answer below from one to five: <text>. Give your reasons first."


def test_slots_at_both_ends_and_case_do_not_hide_it() -> None:
    examples = [
        f"{name} here. SOLVE the Puzzle step by step, {name.lower()}"
        for name in ("Ana", "Bo", "Cy", "Di", "Ed")
    ]
    assert skeleton(examples) == "<text> here. SOLVE the Puzzle step by step, <text>"


def test_a_stray_example_does_not_spoil_it() -> None:
    examples = [f"translate this sentence into Latin: {n} dogs" for n in ("six", "ten", "two")]
    assert skeleton([*examples, "hello there"]) == "translate this sentence into Latin: <text>"


@pytest.mark.parametrize(
    "template",
    [
        "请逐步推理并给出答案：{}。谢谢你",
        "次の文章を英語に翻訳してください：{}。ありがとう",
        "다음 문장을 영어로 번역하세요: {}. 감사합니다",
        "โปรดแปลประโยคนี้เป็นภาษาอังกฤษ: {} ขอบคุณมากครับ",
        "ترجم الجملة التالية إلى الإنجليزية: {} وشكرا جزيلا لك",
    ],
)
def test_a_template_in_another_script(template: str) -> None:
    examples = [template.format(item) for item in ("鸡兔同笼", "水池注水问题", "追及", "浓度", "一元二次")]
    assert skeleton(examples) == template.format("<text>")


def test_a_slot_may_be_longer_than_the_template() -> None:
    draw = random.Random(7)
    items = [" ".join(draw.choices([f"w{n}" for n in range(500)], k=600)) for _ in range(8)]
    examples = [f"Summarise this in one line.\n\n{item}\n\nSummary:" for item in items]
    assert skeleton(examples) == "Summarise this in one line. <text> Summary:"


def test_several_slots_and_short_words_that_open_lines() -> None:
    """`Answer:` on a line of its own is the template's; two words that stand together by chance are not."""
    examples = [f"Question: {item}\nContext: {item[::-1]} of the old world\nAnswer:" for item in ITEMS]
    assert skeleton(examples) == "Question: <text> Context: <text> of the old world Answer:"


def test_a_run_that_an_example_holds_twice_counts_once() -> None:
    """A slot that quotes the template's end does not draw the end into the slot."""
    end = "Explain each step and then state the final answer."
    examples = [f"Problem: {item}. {end}" for item in ITEMS]
    examples[2] = f"Problem: {ITEMS[2]}. Explain each step and then go. {end}"
    assert skeleton(examples) == f"Problem: <text>. {end}"
    assert (
        skeleton([example.replace("Problem:", f"Problem: {end}", 1) for example in examples]).count(end) == 2
    )


def test_of_two_parts_that_change_places_the_longer_counts() -> None:
    short, long = "Be brief and kind.", "Translate the line into plain English for a child of ten."
    examples = [f"{long} {item} {short}" for item in ITEMS]
    examples += [f"{short} {item} {long}" for item in ITEMS]
    assert skeleton(examples) == f"<text> {long} <text>"


def test_a_slot_that_is_empty_in_one_example_is_still_one() -> None:
    """Also when the alignment starts from that example."""
    examples = [f"Describe the {item} house on the hill to me" for item in ("old", "red", "big", "tall")]
    for n_empty in (1, 2):
        plain = ["Describe the house on the hill to me"] * n_empty
        assert skeleton([*examples, *plain]) == "Describe the <text> house on the hill to me"


def test_one_form_is_shown_whole_and_no_form_as_a_slot() -> None:
    assert skeleton([]) == ""
    assert skeleton(["Hi"]) == "Hi"
    assert skeleton(["!!"]) == "!!"
    assert skeleton(["Count  to\nten"] * 4) == "Count to ten"
    assert skeleton(["one two three four", "red green blue pink", "ja nein doch oh"]) == "<text>"
    assert skeleton(["   ", "\n"]) == ""


def test_a_prompt_that_writes_a_slot_itself_is_told_apart_by_the_parts() -> None:
    examples = [f"fill <text> with care and send {n} back to me" for n in ("six", "ten", "two")]
    assert skeleton(examples) == "fill <text> with care and send <text> back to me"
    assert skeleton_parts(examples) == [
        ("fill <text> with care and send ", False),
        ("<text>", True),
        (" back to me", False),
    ]


# --- the kind of a slot ---------------------------------------------------------------------------------

NUMBERS = ["7", "-3.5", "1,250.50", "$12", "85 %", "2024-05-13", "13 May 2024", "10:30 am", "1e9", "٤٢",
           "3/4", "2024年5月", "[number]", "5 km", "12, 15, 18", "€ 1.2m"]  # fmt: skip
OBJECTS = ['{"a": 1, "b": [2, 3]}', "[]", '[{"name": "x"}]', '{"a": 1}\n{"a": 2}', "{'a': 'single'}",
           '{"cut": "off", "in": {"the']  # fmt: skip
CODE = [
    "def mean(xs):\n    total = sum(xs)\n    return total / len(xs)",
    "for (int i = 0; i < n; i++) {\n    s += a[i];\n}\nreturn s;",
    "import numpy as np\nx = np.zeros(3)\nprint(x)",
    "@@ -1,3 +1,4 @@\n def f():\n-    return 1\n+    return 2",
    "SELECT name FROM people WHERE age > 3;",
    "```python\nprint('hi')\n```",
    "const f = (x) => {\n  return x + 1;\n};",
    "self.cache = {}\nself.cache.update(other)",
    '#include <stdio.h>\nint main(void) {\n    puts("x");\n}',
    "<div class='a'>\n  <p>one</p>\n</div>",
]
PROSE = [
    "Write a poem about the sea; make it rhyme.",
    "the function of the heart is to pump blood",
    "import taxes rose while exports fell, and for a while nobody cared",
    "Here is why:\n- it is cheap\n- it is fast\n\nIn other words, buy it (now).",
    "春天来了，花开了。",
    "If you were a bird, where would you go?\nLet me know.",
    "class of 1984",
    "",
]


def test_what_each_kind_of_filler_is_taken_for() -> None:
    for kind, fillers in zip(
        ("<number>", "<json>", "<code>", "<text>"), (NUMBERS, OBJECTS, CODE, PROSE), strict=True
    ):
        assert {filler: slot_kind([filler]) for filler in fillers} == dict.fromkeys(fillers, kind)


def test_a_slot_is_what_three_fifths_of_its_fillers_are() -> None:
    assert slot_kind(["1", "2", "3", "four", "five"]) == "<number>"
    assert slot_kind(["1", "2", "three", "four", "five"]) == "<text>"
    assert slot_kind(["1", "2", '{"a": 1}', "x = f(1)", "y = f(2)"]) == "<text>"
    assert slot_kind([]) == "<text>"


def test_slots_of_every_kind_in_one_template() -> None:
    form = "Call number {} of the day.\nCode:\n```\n{}\n```\nArguments: {}\nTask: {}"
    examples = [form.format(*row) for row in zip((3, 14, 159, 26, 5), CODE, OBJECTS, ITEMS, strict=False)]
    read = "Call number <number> of the day. Code: ``` <code> ``` Arguments: <json> Task: <text>"
    assert skeleton(examples) == read


@pytest.mark.parametrize(
    "sign", ["[", '{"a":', "9", "'", "a(", "\n", "x = ", "1 ", " ", "if ", "const ", "{'", ".", "```", "-> "]
)
def test_a_hostile_filler_costs_little(sign: str) -> None:
    start = time.process_time()
    assert slot_kind([sign * 200_000, "{" + sign * 200_000] * 6) in SLOTS
    assert time.process_time() - start < 0.5


@given(st.text(max_size=300))
@settings(deadline=None)
def test_any_text_has_a_kind(text: str) -> None:
    assert {is_number(text), is_json(text), is_code(text)} <= {True, False}
    assert slot_kind([text]) in SLOTS


# --- length, order and cost -----------------------------------------------------------------------------


@given(st.lists(st.text("ab .,:春\n<", max_size=30), max_size=6), st.integers(8, 40))
@settings(deadline=None, max_examples=300)
def test_a_skeleton_fits_and_does_not_depend_on_the_order_of_examples(
    examples: list[str], most_chars: int
) -> None:
    shown = skeleton(examples, most_chars)
    assert len(shown) <= most_chars
    assert shown == skeleton(examples[::-1], most_chars)


@given(st.lists(st.sampled_from([*ITEMS, "so", "be it", "be it so", "7", "or\nnot"]), min_size=1, max_size=9))
@settings(deadline=None, max_examples=200)
def test_fixed_words_stand_in_three_fifths_of_the_examples(items: list[str]) -> None:
    """And the pieces cover the example they were read off, but for blanks."""
    examples = [f"{item} and now tell us more of {item[::-1]} please" for item in items]
    template = Template.of(examples)
    for piece in template.pieces:
        for word in template.base[piece.start : piece.end].casefold().split():
            n_holding = sum(word in example.casefold().split() for example in examples)
            assert piece.is_slot or n_holding >= 0.6 * len(examples)
    ends = [0, *(piece.end for piece in template.pieces)]
    starts = [*(piece.start for piece in template.pieces), len(template.base)]
    assert not any(template.base[end:start].strip() for end, start in zip(ends, starts, strict=True))


def test_a_long_skeleton_is_cut_where_its_slots_stay_in_sight() -> None:
    rules = " ".join(f"Rule {n} forbids thing {n}." for n in range(60))
    examples = [f"{rules} Item: {item}\n{rules} Other: {item[::-1]}\nVerdict:" for item in ITEMS]
    shown = skeleton(examples, 200)
    assert len(shown) <= 200
    assert shown.startswith("Rule 0 forbids thing 0.")
    assert shown.count("<text>") == 2
    assert shown.count(" … ") == 2
    assert shown.endswith("Verdict:")


HOSTILE = {
    "few words": lambda n: ("tick tock " * 3_000)[n:],
    "one word": lambda n: "春" * (6_000 - n),
    "one template, far apart": lambda n: "".join(f"same old words here {n}{at} " for at in range(1_000)),
    "no word twice": lambda n: " ".join(f"{n}x{at}" for at in range(900)),
    "lines": lambda n: "\n \n" * (2_000 + n),
    "blanks": lambda n: " " * (500_000 + n) + "end",
    "a megabyte of signs": lambda n: "!?" * (500_000 + n),
    "a megabyte of letters": lambda n: "a" * (1_000_000 + n),
    "shuffled": lambda n: " ".join(random.Random(n).choices("abcdefgh", k=3_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_dozen_hostile_examples_are_read_quickly(name: str) -> None:
    """Two seconds at the bounds, however much the examples hold beyond them."""
    examples = [HOSTILE[name](n) for n in range(12)]
    start = time.process_time()
    assert len(skeleton(examples)) <= 600
    assert time.process_time() - start < 4.0


def test_a_dozen_long_examples_are_read_quickly() -> None:
    start = time.process_time()
    shown = skeleton([f"{n} words of " * 500 + "the very same ending for all" for n in range(12)])
    assert shown.endswith("the very same ending for all")
    assert time.process_time() - start < 2.0


# --- real templates -------------------------------------------------------------------------------------

REAL = {
    "oss instruct": ("distill_oss_instruct", "", {"inspiration", "Guidelines", "Solution"}, ["<code>"]),
    "alpaca": ("distill_alpaca_template", "", {"diverse", "noinput", "Instruction"}, ["<text>"] * 3),
    "prometheus": ("distill_prometheus", "vicuna", {"RESULT", "Rubrics", "evaluate"}, ["<text>"] * 3),
    "code review": ("hardneg_code_review", "summarize", {"TRIAGE", "succinctly"}, ["<text>", "<code>"]),
    "rephrase": ("distill_metamath", "rephrase", {"Rephrase", "examples"}, ["<text>"]),
    "backwards": ("distill_metamath", "fobar", {"unknown", "variable"}, ["<text>", "<number>"]),
    "react": ("distill_fireact", "hotpotqa_react", {"interleaving", "Observation"}, ["<text>"]),
}  # fmt: skip


@with_pools
@pytest.mark.parametrize(("pool", "source", "words", "slots"), REAL.values(), ids=list(REAL))
def test_a_dozen_prompts_of_a_real_template(
    pool: str, source: str, words: set[str], slots: list[str]
) -> None:
    parts = skeleton_parts(dozen(pool, source), 3_000)
    fixed = " ".join(text for text, is_slot in parts if not is_slot)
    found = [text for text, is_slot in parts if is_slot]
    assert words <= set(re.findall(r"\w+", fixed))
    in_order = iter(found)
    assert all(slot in in_order for slot in slots)


@with_pools
def test_people_share_no_template() -> None:
    parts = skeleton_parts(dozen("benign_wildchat", ""), 3_000)
    assert [text for text, is_slot in parts if is_slot] == ["<text>"]
