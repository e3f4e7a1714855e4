"""A rewriter changes words and order, never the output contract."""

import re

import numpy as np
import pyarrow as pa
import pytest

from pipelines.simulate.texts import OwnTexts
from pipelines.simulate.texts.grammar import LANGUAGES, load_rules
from pipelines.simulate.texts.paraphrase import languages_of, paraphrased, siblings, wordings
from pipelines.simulate.texts.splits import sides

CONTRACT = re.compile(r"</?[a-z_]+>|\[\[.*?\]\]|\"[a-z_]+\"|#+ \w+|[A-Z]{3,}|@@\w+|JSON|=>|>>|\*\*\*")


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def contract(text: str) -> list[str]:
    return sorted(CONTRACT.findall(text))


def test_each_request_reads_differently() -> None:
    order = "Explain every step in detail, then write the result. Use the tags <think> and <answer>."
    new = paraphrased(pa.array([order] * 2_000), rng(), strength=0.9).to_pylist()
    assert len(set(new)) > 1_000
    assert {tuple(contract(text)) for text in new} == {tuple(contract(order))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_output_contract_survives(language: str) -> None:
    rules = load_rules(language)
    frames = [
        text
        for name, texts in rules.items()
        if "contract" in name.split("_")
        for text in texts
        if "{number}" not in text
        if not text.startswith("{contract") and not text.startswith("{")
    ]
    assert len(frames) > 10
    for text, new in zip(frames, paraphrased(pa.array(frames), rng(), strength=1.0).to_pylist(), strict=True):
        assert contract(new) == contract(text)


def test_lines_stay_lines_and_margins_stay_margins() -> None:
    texts = pa.array(["\n\nWrite it down. Then explain it.\n- one\n- two\n\n", "Task:\n", "", "  "])
    new = paraphrased(texts, rng(), strength=1.0).to_pylist()
    assert [text.count("\n") for text in new] == [6, 1, 0, 0]
    assert new[0].startswith("\n\n")
    assert new[0].endswith("\n\n")
    assert new[1:] == ["Task:\n", "", "  "] or new[1].endswith("Task:\n")
    assert new[2:] == ["", "  "]


def test_strength_says_how_much_changes() -> None:
    frames = OwnTexts().work("grading", rng(), n_frames=6).texts(np.arange(600) % 6, np.arange(600), rng())
    texts = frames.joined().prompt

    def kept(strength: float) -> float:
        new = paraphrased(texts, rng(), strength=strength).to_pylist()
        pairs = zip(texts.to_pylist(), new, strict=True)
        return float(np.mean([len(set(a.split()) & set(b.split())) / len(set(a.split())) for a, b in pairs]))

    assert paraphrased(texts, rng(), strength=0.0).equals(texts)
    assert 1.0 > kept(0.2) > kept(0.9) > 0.3
    with pytest.raises(ValueError, match="between 0 and 1"):
        paraphrased(texts, rng(), strength=1.1)


def test_the_same_stream_rewrites_the_same_way() -> None:
    texts = pa.array(["Explain it step by step. Write it down. Say how it ends."] * 50)
    one, again, other = (paraphrased(texts, rng(seed), strength=0.5) for seed in (1, 1, 2))
    assert one.equals(again)
    assert not one.equals(other)


def test_instructions_are_rewritten_in_their_own_language() -> None:
    names = list(wordings())
    for language in LANGUAGES:
        orders = [text for text in load_rules(language).get("order_ext", []) if "{" not in text]
        if orders:
            found = [names[number] for number in languages_of(pa.array(orders)).tolist()]
            assert found.count(language) >= len(orders) - 1, (language, found)


def test_a_rewriter_does_not_carry_sentences_to_the_other_side() -> None:
    for language in LANGUAGES:
        for name, texts in load_rules(language).items():
            if "order" in name.split("_"):
                side = sides(texts)
                for text in texts:
                    assert all(side.get(other) == side.get(text) for other in siblings().get(text, ()))
