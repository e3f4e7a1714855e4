"""A night seen without one part of the judgement: its links tie nobody, its evidence says nothing."""

from typing import get_args

import numpy as np
import pytest
from nights import INNOCENT_NIGHTS, Night

from detector.campaigns import (
    Part,
    Policy,
    candidates,
    decide,
    group_of,
    shared_objects,
    weigh,
    weighed,
    without,
)
from detector.campaigns.evidence import COMMON
from detector.campaigns.population import CONTENT_LAYERS, IDENTITY_LAYERS

PARTS: tuple[Part, ...] = get_args(Part)
LAYERS_OF = {"content": CONTENT_LAYERS, "identity": IDENTITY_LAYERS}


def town() -> Night:
    night = Night()
    night.people(300)
    night.campaign(n=60)
    return night


def families_of(night: Night, *parts: Part) -> list[set[str]]:
    """Families of the evidence on every candidate of the night without these parts."""
    population = without(night.population(), parts)
    objects = shared_objects(population)
    groups = [group_of(one, population, objects) for one in candidates(population, objects)]
    weighings = (weighed(weigh(group), Policy(leave_out=parts)) for group in groups)
    return [{piece.family for piece in pieces} - {COMMON} for pieces in weighings]


@pytest.mark.parametrize("part", PARTS)
def test_the_evidence_of_a_part_is_gone_and_the_rest_is_still_weighed(part: Part) -> None:
    everything = set(PARTS) - {"history"}
    assert everything in families_of(town())
    assert everything - {part} in families_of(town(), part)
    assert all(part not in families for families in families_of(town(), part))


@pytest.mark.parametrize("part", LAYERS_OF)
def test_its_links_tie_nobody_together(part: Part) -> None:
    kinds = {layer.kind for layer in without(town().population(), [part]).layers}
    assert kinds
    assert kinds.isdisjoint(LAYERS_OF[part])


@pytest.mark.parametrize(("part", "tie"), [("identity", "payment"), ("content", "template")])
def test_accounts_that_only_this_ties_are_no_candidate_without_it(part: Part, tie: str) -> None:
    night = Night()
    night.people(300)
    night.add("circle", 30, objects={tie: {"theirs": 1.0}})
    assert families_of(night)
    assert not families_of(night, part)


def test_a_campaign_whose_texts_nobody_looks_at_is_judged_as_in_a_log_without_prompts() -> None:
    """The rule that content must support a finding does not hold where content is left out."""
    policy = Policy(leave_out=("content",))
    population = without(town().population(), policy.leave_out)
    objects = shared_objects(population)
    groups = [group_of(one, population, objects) for one in candidates(population, objects)]
    verdicts = decide([weigh(g) for g in groups], INNOCENT_NIGHTS, has_content=True, policy=policy)
    assert any(verdict.flagged and "content" not in verdict.families for verdict in verdicts)


def test_without_history_a_text_was_never_used_before() -> None:
    night = Night()
    night.campaign(earlier_uses=3.0)
    before, after = night.population(), without(night.population(), ["history"])
    assert before.templates.n_earlier_requests.any()
    assert not after.templates.n_earlier_requests.any()
    assert np.array_equal(before.templates.n_requests, after.templates.n_requests)
