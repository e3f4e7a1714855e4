"""Work queues and templates: items by number, the same on any night, in frames that stay what they are."""

import numpy as np
import pytest

from pipelines.simulate.texts import MIN_AREAS, TALK, TEMPLATES, WORKS, OwnTexts, Work, load_texts
from pipelines.simulate.texts.grammar import LANGUAGES


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def numbers(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.int64)


def check_promise(work: Work) -> None:
    """What every queue promises, whoever wrote it."""
    assert work.areas[0] == 0
    assert np.all(np.diff(work.areas) > 0)
    assert MIN_AREAS <= len(work.areas) <= work.n_items
    frame = numbers(50) % work.n_frames
    framed = work.texts(frame, numbers(50), rng(2))
    again = work.texts(frame, numbers(50) + work.n_items, rng(3))
    assert framed.payload.equals(again.payload)  # the same item, whatever the night
    joined = framed.joined()
    parts = zip(framed.before, framed.payload, framed.after, strict=True)
    assert joined.prompt.to_pylist() == ["".join(part.as_py() for part in row) for row in parts]
    assert all(text.strip() for text in joined.prompt.to_pylist())


@pytest.mark.parametrize("theme", WORKS)
def test_a_queue_keeps_its_promise(theme: str) -> None:
    texts = OwnTexts()
    work = texts.work(theme, rng(), n_frames=3)
    check_promise(work)
    assert work.n_frames == 3
    assert 5_000 < work.n_items <= 20_000
    payload = work.texts(numbers(work.n_items) * 0, numbers(work.n_items), rng()).payload
    assert len(payload.unique()) > 0.97 * work.n_items
    same = texts.work(theme, rng(), n_frames=3)
    assert (
        same.texts(numbers(9), numbers(9), rng()).joined()
        == work.texts(numbers(9), numbers(9), rng()).joined()
    )


def test_one_instruction_stands_around_every_item() -> None:
    work = OwnTexts().work("extract", rng())
    framed = work.texts(numbers(500) * 0, numbers(500), rng())
    assert len(framed.before.unique()) == len(framed.after.unique()) == 1
    assert len(framed.payload.unique()) > 490


def test_an_area_of_the_weakness_queue_is_one_narrow_field() -> None:
    work = OwnTexts().work("weakness", rng())
    payload = work.texts(numbers(work.n_items) * 0, numbers(work.n_items), rng()).payload.to_pylist()
    ends = [*work.areas[1:].tolist(), work.n_items]
    fields = [payload[a:b] for a, b in zip(work.areas.tolist(), ends, strict=True)]
    words = [set(" ".join(field[:300]).lower().split()) for field in fields]
    for here, one in enumerate(fields):
        for there, other in enumerate(words):
            own = np.mean([len(set(text.lower().split()) & words[here]) for text in one[300:340]])
            foreign = np.mean([len(set(text.lower().split()) & other) for text in one[300:340]])
            assert here == there or own > foreign


@pytest.mark.parametrize(
    "theme", ["reasoning", "grading", "extract", "safety_rewrite", "instruction_generation"]
)
def test_campaigns_speak_every_language(theme: str) -> None:
    work = OwnTexts("report").work(theme, rng(), n_frames=2, languages=LANGUAGES)
    check_promise(work)
    assert work.n_frames == 2 * len(LANGUAGES)
    framed = work.texts(numbers(len(LANGUAGES)), numbers(len(LANGUAGES)) * 0 + 7, rng()).joined()
    systems = [""] * len(LANGUAGES) if framed.system is None else framed.system.to_pylist()
    said = [f"{system or ''} {text}" for system, text in zip(systems, framed.prompt.to_pylist(), strict=True)]
    scripts = {"zh": "一鿿", "ja": "ぁヿ", "ko": "가힣", "ru": "аё", "ar": "ءي", "hi": "ऀॿ"}
    for language, (first, last) in scripts.items():
        text = said[LANGUAGES.index(language)]
        assert sum(first <= letter <= last for letter in text) > 0.2 * len(text), language
    assert len(set(said)) == len(LANGUAGES)


def test_templates_bring_system_prompts_and_keep_them() -> None:
    texts = OwnTexts()
    templates = texts.templates("app", 12, rng())
    which = numbers(120) % 12
    one, other = (templates.prompts(which, rng(seed)) for seed in (4, 5))
    assert one.system is not None
    assert one.system.equals(other.system)
    assert 0 < one.system.null_count < 120
    assert one.prompt != other.prompt


def test_homework_is_one_task_in_many_hands() -> None:
    pasted = OwnTexts().assignment(40, rng()).prompt.to_pylist()
    assert len(set(pasted)) > 25
    words = [set(text.split()) for text in pasted]
    assert np.median([len(a & words[0]) / len(a | words[0]) for a in words[1:]]) > 0.5


def test_every_theme_says_where_its_words_are_from() -> None:
    texts = load_texts(None, "report")
    assert {theme for theme, _ in texts.provenance()} == {*TALK, *TEMPLATES, *WORKS}
