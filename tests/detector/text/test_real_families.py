"""Families of real prompts: templates that people published, among what other people ask."""

from dataclasses import dataclass

import numpy as np
import pytest

from benchmarks.text_families import (
    LEAST_PROMPTS,
    TEMPLATES,
    Found,
    Night,
    judged,
    mixed,
    other_prompts,
    prompts_of,
)
from benchmarks.text_families import families_of as families_of_night
from detector.text import Families
from tests.pools import POOLS, with_pools

pytestmark = with_pools


@dataclass(frozen=True)
class RealNight:
    """A night of the benchmark, and how its templates were found."""

    found: dict[str, Found]
    night: Night
    families: Families


def night_of(exchanged_for_each: str) -> RealNight:
    """Real templates among four times as many other prompts."""
    made = {template.name: prompts_of(template, POOLS) for template in TEMPLATES}
    kept = {name: texts for name, texts in made.items() if len(texts) >= LEAST_PROMPTS}
    others = other_prompts(POOLS, 4 * sum(map(len, kept.values())))
    night = mixed(list(kept.values()), others, exchanged_for_each)
    families = families_of_night(night, 1)
    return RealNight({one.name: one for one in judged(list(kept), night, families)}, night, families)


@pytest.fixture(scope="module")
def as_sent() -> RealNight:
    return night_of("")


BRANCHING = {"self-instruct bootstrap": 0.95}
"""What is reached where it is less than of the others: a frame of eight words around seeds."""


@pytest.mark.parametrize("name", [template.name for template in TEMPLATES])
def test_nearly_all_prompts_of_a_real_template_are_in_one_family(as_sent: RealNight, name: str) -> None:
    if name not in as_sent.found:
        pytest.skip("too few prompts of this template")
    assert as_sent.found[name].together >= BRANCHING.get(name, 0.98)
    assert as_sent.found[name].purity >= 0.99


def test_real_families_are_of_one_template_each(as_sent: RealNight) -> None:
    assert np.mean([one.purity for one in as_sent.found.values()]) >= 0.99
    assert np.mean([one.together for one in as_sent.found.values()]) >= 0.99


def test_few_real_people_are_in_families_of_templates(as_sent: RealNight) -> None:
    of_templates = np.unique(as_sent.families.best[as_sent.night.template >= 0])
    people = as_sent.families.best[as_sent.night.template < 0]
    assert np.isin(people[people >= 0], of_templates).sum() <= 0.01 * len(people)


SHORT = ("camel society", "camel code", "self-instruct bootstrap")
"""Templates of fewer than twenty words: 13, 17 and 8 by the benchmark's own count."""


def test_most_prompts_of_real_templates_stay_together_when_a_fifth_of_the_words_is_exchanged() -> None:
    found = night_of("prompt").found
    longer = {name: one.together for name, one in found.items() if name not in SHORT}
    assert min(longer.values()) >= 0.9
    assert np.mean(list(longer.values())) >= 0.95
    assert np.mean([one.together for one in found.values()]) >= 0.88
