"""The benchmark of template families knows the truth it judges by."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.text_families import EXCHANGED, Night, exchanged, judged
from detector.text import Families
from detector.text.families import NO_FAMILIES

TEMPLATE = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(200)]
WORDS = np.array(["OTHER", "WORDS"])


def prompts(n: int = 60, n_slot: int = 40) -> tuple[list[str], list[list[str]]]:
    """Prompts of one template with a slot in its middle, and what stands in each slot."""
    rng = np.random.default_rng(3)
    slots = [[f"slot{number}x{at}" for at in rng.integers(0, 10_000, n_slot)] for number in range(n)]
    return [" ".join([*TEMPLATE[:90], *slot, *TEMPLATE[90:]]) for slot in slots], slots


def test_a_fifth_of_a_templates_words_is_exchanged_and_none_of_the_slots() -> None:
    made, slots = prompts()
    changed = [text.split() for text in exchanged(made, np.arange(len(made)), WORDS)]
    template = np.array([words[:90] + words[-110:] for words in changed])
    assert [words[90:-110] for words in changed] == slots
    assert set(template[template != np.array(TEMPLATE)]) == {"OTHER", "WORDS"}
    assert (template != np.array(TEMPLATE)).mean() == pytest.approx(EXCHANGED, abs=0.02)
    assert len({tuple(row) for row in template.tolist()}) == len(made)  # drawn anew for each


def test_equal_seeds_exchange_the_same_words_for_the_same() -> None:
    made, _ = prompts()
    changed = [text.split() for text in exchanged(made, np.arange(len(made)) % 3, WORDS)]
    assert len({tuple(words[:90] + words[-110:]) for words in changed}) == 3


def test_texts_that_share_nothing_are_left_as_they_are() -> None:
    own = [" ".join(f"own{number}x{at}" for at in range(50)) for number in range(20)]
    assert exchanged(own, np.arange(20), WORDS) == own


def test_a_template_is_judged_by_the_family_that_is_most_nearly_its_own() -> None:
    """Family 0 is in everything; family 1 in three of the four prompts of template 0, and in one other."""
    of_text = np.array([[0, 1], [0, 1], [1, 0], [0, -1], [0, 1], [0, -1], [0, -1], [0, -1]], np.int32)
    families = Families(replace(NO_FAMILIES, starts=np.zeros(3, np.int64)), of_text, np.ones_like(of_text))
    template = np.array([0, 0, 0, 0, -1, -1, -1, -1])
    night = Night(pa.array([""] * 8), np.arange(8), template)
    (found,) = judged(["one"], night, families)
    assert (found.n_prompts, found.together, found.purity) == (4, 0.75, 0.75)
