"""What is reported on was never tuned on: sources, frames, sentences and names are on one side each."""

import re

import numpy as np
import pytest

from pipelines.simulate.texts.grammar import LANGUAGES, load_rules
from pipelines.simulate.texts.own_texts import OwnTexts
from pipelines.simulate.texts.promise import TEMPLATES, WORKS
from pipelines.simulate.texts.splits import halved, has_words, side_of_source, sides

CORPORA = ("common", *LANGUAGES)
SHAPES = {"question", "document", "pay_vision"}
"""Rules whose few worded alternatives say only in what order things come."""


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def worded(rules: dict[str, list[str]], cut: set[str]) -> set[str]:
    return {text for name in cut for text in rules[name] if has_words(text)}


def test_sources_the_classifier_never_saw_are_reported_on() -> None:
    report = (
        "Open-Assistant/oasst-model-eval",
        "SWE-agent/SWE-agent:trajectories",
        "lm-sys/arena-hard-auto:judge",
        "openai/human-eval",
        "adyen/DABstep (via zjunlp/DataMind)",
        "zjunlp/DataMind:dsgym_trajectory",
        "ise-uiuc/magicoder:oss_instruct",
        "anchen1011/FireAct:mmlu_cot",
        "OpenBMB/ToolBench:eval_queries",
    )
    assert {side_of_source(source) for source in report} == {"report"}
    assert side_of_source("lm-sys/FastChat:mt_bench") == side_of_source("meta-math/MetaMath:fobar") == "tune"


def test_a_source_nobody_named_has_one_side_whatever_follows_the_colon() -> None:
    sides_found = {side_of_source(f"somebody/pool-{n}") for n in range(40)}
    assert sides_found == {"tune", "report"}
    assert all(
        side_of_source(f"somebody/pool-{n}") == side_of_source(f"somebody/pool-{n}:part") for n in range(40)
    )


def test_an_alternative_stays_on_its_side_when_others_are_written_beside_it() -> None:
    old = [f"sentence number {n}" for n in range(40)]
    before = sides(old)
    after = sides([*(f"a new sentence, the {n}th" for n in range(10)), *reversed(old)])
    assert all(after[text] == before[text] for text in old)
    assert set(before.values()) == {"tune", "report"}


def test_no_side_of_a_rule_is_left_with_less_than_a_third() -> None:
    for n in range(6, 20):
        side = sides([f"{n} words of alternative {k}" for k in range(n)])
        counts = [list(side.values()).count(name) for name in ("tune", "report")]
        assert min(counts) >= n // 3


@pytest.mark.parametrize("corpus", CORPORA)
def test_halves_of_the_corpus_share_no_sentence_and_no_name(corpus: str) -> None:
    rules = {name: list(texts) for name, texts in load_rules(corpus).items()}
    cut = {name for name, texts in rules.items() if sides(texts)}
    tune, report = halved(rules, "tune"), halved(rules, "report")
    assert worded(tune, cut).isdisjoint(worded(report, cut))
    assert worded(tune, cut) | worded(report, cut) == worded(rules, cut)
    assert all(tune.values())
    assert all(report.values())
    shared = {
        name
        for name in set(rules) - cut
        if any(len(text.split()) > 3 for text in rules[name] if has_words(text))
    }
    assert shared <= SHAPES


@pytest.mark.parametrize("theme", [*WORKS, *TEMPLATES])
def test_every_theme_has_six_frames_on_each_side_and_shares_none(theme: str) -> None:
    fixed: dict[str, set[str]] = {}
    for split in ("tune", "report"):
        frames = OwnTexts(split).templates(theme, 40, rng()).frames
        fixed[split] = {
            f"{frame.system or ''} %% " + "".join(text for is_slot, text in frame.parts if not is_slot)
            for frame in frames
        }
    wordless = {text for text in fixed["tune"] & fixed["report"] if not re.search(r"\w{3}", text)}
    assert fixed["tune"] & fixed["report"] <= wordless
    if theme != "probe" or theme in TEMPLATES:
        assert min(len(texts - wordless) for texts in fixed.values()) >= 6


def test_items_of_the_two_sides_are_different_ones() -> None:
    items = {
        split: set(OwnTexts(split).work("reasoning", rng()).items.to_pylist()) for split in ("tune", "report")
    }
    assert items["tune"].isdisjoint(items["report"])
