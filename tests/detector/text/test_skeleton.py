"""What a person gets to read: templates with their slots, and examples without anybody's secrets."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.text import presentable, skeleton

# --- redaction -------------------------------------------------------------------------------------------

SECRETS = {
    "a mail address": ("ana.diaz+shop@mail.example.co.uk", "[mail]"),
    "a provider's key": ("sk-proj-4fQ9aZ81kLmN0pQr2sTu", "[key]"),
    "a payment key": ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "[key]"),
    "a repository token": ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[key]"),
    "a cloud key id": ("AKIAIOSFODNN7EXAMPLE", "[key]"),
    "a cloud secret": ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "[key]"),
    "a web token": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w", "[key]"),
    "a hash": ("5f4dcc3b5aa765d61d8327deb882cf99", "[key]"),
    "a number with letters and dashes": ("12345678-9abc-4def-8123-56789abcdef0", "[key]"),
    "a card": ("4111 1111 1111 1111", "[number]"),
    "a card with dashes": ("4111-1111-1111-1111", "[number]"),
    "a phone": ("+49 (30) 123 456-78", "[number]"),
    "a mobile": ("13800138000", "[number]"),
    "a long account": ("1234567890" * 3, "[number]"),
    "an address": ("203.0.113.77", "[address]"),
    "a long address": ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "[address]"),
    "a short address": ("2001:db8::8a2e:7334", "[address]"),
    "a shorter address": ("fe80::1", "[address]"),
}


@pytest.mark.parametrize(("secret", "mark"), SECRETS.values(), ids=list(SECRETS))
@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("call me: ", ", please"), ("(", ")"), ("我的密钥是", "请保密"), ("line\n", "\nline")],
    ids=["alone", "in a sentence", "in brackets", "between Han signs", "on a line"],
)
def test_a_secret_is_replaced_wherever_it_stands(secret: str, mark: str, before: str, after: str) -> None:
    shown = presentable(f"{before}{secret}{after}", 400)
    assert mark in shown
    for piece in secret.replace("-", " ").replace("/", " ").split():
        assert len(piece) < 5 or piece not in shown


@pytest.mark.parametrize(
    "text",
    [
        "skateboarding and skepticism in Pakistan",
        "print(x[1::2], y[::-1], std::vector<int>{})",
        "between 12:30:45 and 13:00:00, on 2024-05-13, for 1,250.50 euros",
        "see src/components/navigation/header/index.html, then version 3.11.2",
        "a = b @ c; pkg_resources; the key performance indicators; 100000",
        "请写一首关于春天的诗，然后翻译成英文。",
    ],
)
def test_ordinary_writing_stays_as_it_is(text: str) -> None:
    assert presentable(text, 400) == text


@pytest.mark.parametrize("sign", ["\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad", "\U000e0041"])
def test_unseen_signs_vanish_and_hide_no_secret(sign: str) -> None:
    shown = presentable(f"write to an{sign}a@exam{sign}ple.org{sign} today", 400)
    assert shown == "write to [mail] today"


def test_control_signs_become_spaces_and_lines_stay_lines() -> None:
    shown = presentable("one\r\ntwo\tthree\x00four\x1b[31mfive\x9bsix\u2028seven", 400)
    assert shown == "one\ntwo\tthree four [31mfive six seven"


@pytest.mark.parametrize("at", range(780, 830))
def test_a_secret_across_the_cut_is_never_half_shown(at: int) -> None:
    """The page ends at 1,200 characters, the first part of it at 800: the secret stands there."""
    secret = "sk-proj-4fQ9aZ81kLmN0pQr2sTu"
    shown = presentable(f"{'x ' * (at // 2)}{secret} {'y ' * 2_000}", 1_200)
    assert "sk-" not in shown
    assert not any(secret[start : start + 6] in shown for start in range(len(secret) - 6))


@pytest.mark.parametrize("at", range(-64, 16, 4))
def test_a_secret_where_reading_ends_is_never_half_shown(at: int) -> None:
    """Everything before it shrinks to one mark, so that the end of what is read comes into view."""
    mail = "ana.diaz@mail.example.org"
    long_key = "a1" * (4 * 1_200 + at // 2 - 8)
    shown = presentable(f"{long_key} mine: {mail} {'z ' * 40_000} {mail} {long_key}", 1_200)
    assert not any(piece in shown for piece in ("ana", "diaz", "mail.", "example", "ple", "org"))


@given(st.text(max_size=400), st.integers(8, 120))
@settings(deadline=None, max_examples=200)
def test_what_is_shown_fits_and_has_no_control_signs(text: str, most_chars: int) -> None:
    shown = presentable(text, most_chars)
    assert len(shown) <= most_chars
    assert not any(ord(sign) < 32 and sign not in "\n\t" for sign in shown)
    assert not any(sign in shown for sign in "\u200b\u202e\u2066")


def test_head_and_tail_of_a_long_text_are_shown() -> None:
    shown = presentable("begin " + "x " * 5_000 + "finish", 100)
    assert shown.startswith("begin x x")
    assert shown.endswith("x x finish")
    assert " … " in shown
    assert len(shown) == 100


HOSTILE = {
    "a megabyte of words": "lorem ipsum " * 90_000,
    "letters": "a" * 1_000_000,
    "letters and digits": "a1" * 500_000,
    "almost keys": "a1-b2-" * 5 + "! " * 500_000,
    "digits with spaces": "1 " * 500_000,
    "digits of another script": "\u0661" * 1_000_000 + "a",
    "a number that is none": "1" * 1_000_000 + "a",
    "almost mail": "a.a@" * 250_000,
    "mail without an end": "a@" + "a." * 500_000,
    "half an address": "1." * 500_000,
    "colons": "abc:" * 250_000,
    "double colons": "abcd::" * 160_000,
    "base 64 with slashes": "ab/CD/" * 160_000,
    "brackets": "(" * 1_000_000,
    "unseen signs": "\u200b" * 1_000_000,
    "signs without spaces": "春" * 1_000_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_megabyte_costs_no_more_than_a_page(text: str) -> None:
    start = time.process_time()
    shown = presentable(text, 1_200)
    assert len(shown) <= 1_200
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "a megabyte of words"])
def test_no_pattern_is_more_than_linear(name: str) -> None:
    """All of the text is read here: four times as much may not take much more than four times as long."""
    seconds = []
    for n_chars in (20_000, 80_000):
        start = time.process_time()
        presentable(HOSTILE[name][:n_chars], n_chars)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 12 * seconds[0] + 0.05


# --- skeletons -------------------------------------------------------------------------------------------


def test_a_template_is_read_off_its_examples() -> None:
    items = [
        "a cat and a hat",
        "nine blue boats at sea",
        "two plus two",
        "why the sky is so blue",
        "old maps",
    ]
    examples = [
        f"Grade the answer below from one to five: {item}. Give your reasons first." for item in items
    ]
    assert skeleton(examples) == "Grade the answer below from one to five: <slot>. Give your reasons first."


def test_slots_at_both_ends_and_case_do_not_hide_it() -> None:
    examples = [
        f"{name} here. SOLVE the Puzzle step by step, {name.lower()}"
        for name in ("Ana", "Bo", "Cy", "Di", "Ed")
    ]
    assert skeleton(examples) == "<slot> here. SOLVE the Puzzle step by step, <slot>"


def test_a_stray_example_does_not_spoil_it() -> None:
    examples = [f"translate this sentence into Latin: {n} dogs" for n in ("six", "ten", "two")]
    assert skeleton([*examples, "hello there"]) == "translate this sentence into Latin: <slot>"


def test_a_chinese_template_is_read_sign_by_sign() -> None:
    examples = [
        f"请逐步推理并给出答案：{item}。谢谢你" for item in ("鸡兔同笼", "水池注水问题", "追及", "浓度")
    ]
    assert skeleton(examples) == "请逐步推理并给出答案：<slot>。谢谢你"


def test_one_form_is_shown_whole_and_no_form_as_a_slot() -> None:
    assert skeleton([]) == ""
    assert skeleton(["Hi"]) == "Hi"
    assert skeleton(["Count  to\nten"] * 4) == "Count to ten"
    assert skeleton(["one two three four", "red green blue pink", "ja nein doch oh"]) == "<slot>"
    assert skeleton(["   ", "\n"]) == ""


def test_a_prompt_that_writes_slot_itself_changes_nothing_else() -> None:
    examples = [f"fill <slot> with care and send {n} back to me" for n in ("six", "ten", "two")]
    assert skeleton(examples) == "fill <slot> with care and send <slot> back to me"


@given(st.lists(st.text("ab .,:春\n<", max_size=30), max_size=6), st.integers(8, 40))
@settings(deadline=None, max_examples=150)
def test_a_skeleton_fits_and_does_not_depend_on_the_order_of_examples(
    examples: list[str], most_chars: int
) -> None:
    shown = skeleton(examples, most_chars)
    assert len(shown) <= most_chars
    assert shown == skeleton(examples[::-1], most_chars)


def test_a_dozen_long_examples_are_read_quickly() -> None:
    start = time.process_time()
    shown = skeleton([f"{n} words of " * 500 + "the very same ending for all" for n in range(12)])
    assert shown.endswith("the very same ending for all")
    assert time.process_time() - start < 2.0
