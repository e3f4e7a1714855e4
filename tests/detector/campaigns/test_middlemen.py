"""Accounts that pass on what others write: what their added text says, and what talk and repeats do not."""

from dataclasses import replace

import numpy as np
import pytest
from nights import Night, campaign

from detector.campaigns import Candidate, candidates, group_of, shared_objects, weigh


@pytest.mark.parametrize(
    ("n_adding", "n_customers", "expected"),
    [(6, 6, 2.0), (3, 6, 0.8), (0, 6, None), (6, 2, 0.5), (6, 0, 0.5), (6, 3, 2.0)],
)
def test_several_customers_who_add_one_text_to_what_many_products_send_are_one_middleman(
    n_adding: int, n_customers: int, expected: float | None
) -> None:
    """And one customer who does so is a platform with house rules."""
    night = Night()
    night.people(300)
    pool = night.campaign("pool", 6, n_requests=np.full(6, 400.0))
    population = night.population()
    names = [account.name for account in night.accounts]
    members = np.flatnonzero(np.isin(names, pool))
    organisation = population.organisation.copy()
    organisation[members] = organisation.max() + 1 + np.arange(6) % n_customers if n_customers else -1
    population = replace(population, adds_text=np.isin(names, pool[:n_adding]), organisation=organisation)
    objects = shared_objects(population)
    [found] = [one for one in candidates(population, objects) if np.array_equal(one.members, members)]
    said = {piece.code: piece for piece in weigh(group_of(found, population, objects))}
    if expected is None:
        assert "ADDED_TEXT" not in said
    else:
        assert said["ADDED_TEXT"].log_odds == pytest.approx(expected)
        assert said["ADDED_TEXT"].family == "content"


@pytest.mark.parametrize("several", [True, False])
def test_common_texts_and_repeats_among_what_others_write_say_nothing_of_who_passes_it_on(
    several: bool,
) -> None:
    """Six accounts add a text to what people ask through them, and people ask the same things. Of one
    customer's accounts it says that they are a product."""
    night = Night()
    night.people(300)
    popular = {"template": {"popular request": 0.9}}
    pool = night.campaign(
        "pool", 6, n_requests=np.full(6, 400.0), shared_items=0.7,
        objects=[popular | {"payment": {"card": 1.0}, "client": {"kit": 1.0}}] * 6,
    )  # fmt: skip
    night.add("elsewhere", 60, objects=popular, shared_items=0.7, n_requests=np.full(60, 4.0))
    population = night.population()
    members = np.flatnonzero(np.isin([account.name for account in night.accounts], pool))
    organisation = population.organisation.copy()
    organisation[members] = 1_000 + (np.arange(6) if several else 0)
    adds_text = np.isin(np.arange(len(population)), members)
    population = replace(population, adds_text=adds_text, organisation=organisation)
    objects = shared_objects(population)
    core = np.flatnonzero(objects.layer_of == [layer.kind for layer in population.layers].index("template"))
    shared = core[objects.n_accounts_of[core] == 66]
    found = Candidate(members, np.ones(6), shared, np.full(1, 4.0))
    said = {piece.code: piece.log_odds for piece in weigh(group_of(found, population, objects))}
    assert (said["WORK_QUEUE"], said["EXCLUSIVE_TEXT"]) == ((0.0, 0.0) if several else (-4.0, -2.0))


def test_of_accounts_that_pass_on_what_others_write_talk_is_the_others() -> None:
    assert campaign(single_turn_share=0.2).piece("SINGLE_TURN").log_odds < 0
    night = Night()
    night.people(300)
    pool = night.campaign("pool", 6, single_turn_share=np.full(6, 0.2))
    population = night.population()
    adds_text = np.isin([account.name for account in night.accounts], pool)
    population = replace(population, adds_text=adds_text)
    objects = shared_objects(population)
    [found] = [
        one
        for one in candidates(population, objects)
        if np.array_equal(one.members, np.flatnonzero(adds_text))
    ]
    said = {piece.code: piece.log_odds for piece in weigh(group_of(found, population, objects))}
    assert said["SINGLE_TURN"] == 0


@pytest.mark.parametrize(
    ("n_requests", "n_customers", "share", "is_theirs"),
    [(400.0, 6, 0.9, True), (400.0, 1, 0.9, False), (60.0, 6, 0.9, False), (400.0, 6, 0.3, False)],
)
def test_customers_who_carry_more_talk_than_a_person_under_one_text_do_not_talk_themselves(
    n_requests: float, n_customers: int, share: float, is_theirs: bool
) -> None:
    """But a house, people, and whoever has the text on a few requests only, may."""
    night = Night()
    night.people(300)
    pool = night.campaign(
        "pool",
        6,
        objects={"template": {"one text": share}, "client": {"kit": 1.0}, "address": {"exit": 1.0}},
        n_requests=np.full(6, n_requests),
        single_turn_share=np.full(6, 0.2),
    )
    population = night.population()
    members = np.flatnonzero(np.isin([account.name for account in night.accounts], pool))
    organisation = population.organisation.copy()
    organisation[members] = organisation.max() + 1 + np.arange(6) % n_customers
    population = replace(population, organisation=organisation)
    objects = shared_objects(population)
    [found] = [one for one in candidates(population, objects) if np.array_equal(one.members, members)]
    said = {piece.code: piece.log_odds for piece in weigh(group_of(found, population, objects))}
    assert (said["SINGLE_TURN"] == 0) == is_theirs
