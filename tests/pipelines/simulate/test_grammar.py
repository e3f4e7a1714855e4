"""The grammar writes columns of text; the corpus has no loose ends."""

import numpy as np
import pyarrow as pa
import pytest

from pipelines.simulate.texts import TALK, TEMPLATES, WORKS, OwnTexts
from pipelines.simulate.texts.grammar import LANGUAGES, Frame, Grammar, fill, load_grammars, scatter

SMALL = Grammar({"pet": ["cat", "dog"], "wish": ["a {pet}", "two {pet}s", "nothing"], "bare": [""]})


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_text_is_one_that_the_rules_allow() -> None:
    texts = SMALL.expand("wish", 500, rng()).to_pylist()
    assert set(texts) == {"a cat", "a dog", "two cats", "two dogs", "nothing"}
    assert SMALL.expand("bare", 3, rng()).to_pylist() == ["", "", ""]
    assert SMALL.expand("wish", 0, rng()).to_pylist() == []


def test_the_same_stream_writes_the_same_texts() -> None:
    first, again, other = (SMALL.expand("wish", 50, rng(seed)).to_pylist() for seed in (1, 1, 2))
    assert first == again != other


def test_a_symbol_without_a_rule_is_an_error() -> None:
    with pytest.raises(KeyError):
        SMALL.expand("unicorn", 1, rng())
    assert Grammar({"a": ["{b} and {number}"]}).unknown() == ["b"]


def test_a_frame_keeps_its_words_and_changes_its_slots() -> None:
    grammar = Grammar({"pet": ["cat", "dog"], "rule": ["Groom a <<pet>> as a {pet}, then a <<pet>>."]})
    (frame,) = grammar.frames("rule", 1, rng(3))
    assert frame.slots == ("pet", "pet")
    texts = fill([frame], np.zeros(200, np.int64), grammar.expand, rng()).to_pylist()
    fixed = {text.split(" as ")[1].split(",")[0] for text in texts}
    assert len(fixed) == 1
    assert len(set(texts)) == 4  # both slots change, independently


def test_what_stands_before_the_percent_signs_is_the_system_prompt() -> None:
    grammar = Grammar({"pet": ["cat"], "rule": ["You groom. %% My <<pet>>."], "bare": ["My <<pet>>."]})
    assert grammar.frames("rule", 1, rng())[0] == Frame(
        ((False, "My "), (True, "pet"), (False, ".")), "You groom."
    )
    assert grammar.frames("bare", 1, rng())[0].system is None


def test_frames_come_all_once_before_one_comes_again() -> None:
    grammar = Grammar({"rule": ["one", "two", "three"]})
    drawn = [frame.parts[0][1] for frame in grammar.frames("rule", 6, rng())]
    assert sorted(drawn[:3]) == sorted(drawn[3:]) == ["one", "three", "two"]


def test_rows_get_the_frame_they_asked_for() -> None:
    frames = [Frame(((False, f"frame {n} "), (True, "pet"))) for n in range(3)]
    which = np.array([2, 0, 2, 1, 0])
    texts = fill(frames, which, SMALL.expand, rng()).to_pylist()
    assert [text.split()[1] for text in texts] == ["2", "0", "2", "1", "0"]
    assert all(text.split()[2] in {"cat", "dog"} for text in texts)


def test_scatter_puts_chunks_back_in_place() -> None:
    texts = scatter([pa.array(["a", "b"]), pa.array(["c"])], np.array([7, 9, 7]))
    assert texts.to_pylist() == ["a", "c", "b"]


@pytest.mark.parametrize("split", ["all", "tune", "report"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_rule_of_the_corpus_leads_nowhere(language: str, split: str) -> None:
    grammar = load_grammars(split)[language]
    assert grammar.unknown() == []
    for symbol in ("chat", "followup", "work", "closing"):
        texts = grammar.expand(symbol, 200, rng()).to_pylist()
        assert all(texts)
        assert not any(
            "{" + name + "}" in text for text in texts for name in ("topic", "ask", "wish", "person")
        )


@pytest.mark.parametrize("split", ["all", "tune", "report"])
def test_every_theme_can_be_written(split: str) -> None:
    texts = OwnTexts(split)
    for theme in TALK:
        starts = np.array([True, False, False, True])
        assert len(texts.conversation(theme, starts, np.arange(4), rng())) == 4
    for theme in (*TEMPLATES, *WORKS):
        written = texts.templates(theme, 3, rng()).prompts(np.array([0, 1, 2, 2]), rng()).prompt.to_pylist()
        assert all("<<" not in text and text for text in written), theme


def test_the_corpus_is_rich() -> None:
    """Tens of thousands of items, distinct even when their digits are masked."""
    items = OwnTexts().slot("item", 20_000, rng())
    masked = {"".join("#" if c.isdigit() else c for c in item) for item in items.to_pylist()}
    assert len(masked) > 19_000
    messages = OwnTexts().slot("message", 400, rng()).to_pylist()
    assert {message.isascii() for message in messages} == {True, False}  # not in English alone


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_of_every_language_say_many_things(language: str) -> None:
    """Also within one half of the corpus; short answers ("thanks") are said often, as in life."""
    number = np.full(4_000, LANGUAGES.index(language))
    for split in ("tune", "report"):
        said = OwnTexts(split).conversation("chat", np.ones(4_000, bool), number, rng()).prompt.to_pylist()
        long = [text for text in said if len(text) > (40 if language in ("zh", "ja") else 90)]
        assert len(long) > 400
        assert len(set(long)) > 0.95 * len(long)
