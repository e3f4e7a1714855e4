"""Which of overlapping groups is published, where each would be flagged by itself."""

from dataclasses import replace

import numpy as np
import pytest
from nights import Night

from detector.campaigns import Group, group_of, in_steps, shared_objects, standing
from detector.campaigns.habits import own_classes
from detector.campaigns.population import Int64, Population
from detector.campaigns.refining import Candidate
from detector.campaigns.schedule import works_for_both

PUBLISHED = {"published": 1.0}


def night_of(*loads: np.ndarray, cards: str = "own") -> tuple[Population, list[Int64]]:
    """Some hundred people and, for each array of loads, a set of accounts that all use one published text."""
    night = Night()
    night.people(300)
    owner = [-1] * 300
    for number, n_requests in enumerate(loads):
        objects = [
            {"template": PUBLISHED} | ({"payment": {f"card {at % 3}": 1.0}} if cards == "common" else {})
            for at in range(len(n_requests))
        ]
        night.campaign(f"set{number}", len(n_requests), objects=objects, n_requests=n_requests.astype(float))
        owner += [number] * len(n_requests)
    return night.population(), [np.flatnonzero(np.array(owner) == number) for number in range(len(loads))]


def group(population: Population, *sets: Int64, by_habits: bool = False) -> Group:
    """These accounts, held together by the published text."""
    objects = shared_objects(population)
    members = np.sort(np.concatenate(sets))
    kinds = [layer.kind for layer in population.layers]
    core = np.flatnonzero(objects.layer_of == kinds.index("template"))
    strength = np.ones(len(members))
    candidate = Candidate(members, strength, core, np.full(len(core), 4.0), by_habits)
    return group_of(candidate, population, objects)


def with_habits(population: Population, *sets: Int64) -> Population:
    """The same night, the accounts of each set alike in six habits and unlike those of the others."""
    rng = np.random.default_rng(5)
    values = rng.normal(0, 3, (len(population.habits), len(population)))
    for number, members in enumerate(sets):
        for habit in range(6):
            values[habit, members] = rng.normal((-1) ** number * (2 + number), 0.3, len(members))
    return replace(population, habits=in_steps(list(values)))


def test_a_few_accounts_that_do_the_work_stand_without_those_who_happen_to_use_their_text() -> None:
    population, (few, users) = night_of(np.full(6, 400), np.arange(20, 34))
    whole, heart = group(population, few, users), group(population, few)
    assert standing([whole, heart], [6.3, 6.0]) == [1]


def test_a_team_that_works_as_much_as_the_other_accounts_does_not_take_their_place() -> None:
    population, (one, other) = night_of(np.full(12, 40), np.full(12, 40), cards="common")
    assert standing([group(population, one, other), group(population, one)], [6.3, 6.0]) == [0]


def test_those_who_do_the_work_of_others_that_stand_as_well_are_published_beside_them() -> None:
    population, (few, many) = night_of(np.full(8, 800), np.full(40, 40))
    whole, heart, rest = group(population, few, many), group(population, few), group(population, many)
    assert sorted(standing([whole, heart, rest], [7.0, 6.0, 6.5])) == [1, 2]


@pytest.mark.parametrize(("said_of_strangers", "stands"), [(-3.0, [1]), (4.0, [0])])
def test_a_group_gives_way_where_strangers_are_in_it_and_not_for_a_class_that_is_suspect_itself(
    said_of_strangers: float, stands: list[int]
) -> None:
    population, (ours, users) = night_of(np.full(60, 40), np.full(12, 40))
    population = with_habits(population, ours, users)
    groups = [
        group(population, ours, users),
        group(population, ours, by_habits=True),
        group(population, users, by_habits=True),
    ]
    assert standing(groups, [7.0, 7.0, said_of_strangers], [True, True, False]) == stands


def test_a_class_that_a_card_ties_to_the_rest_is_no_class_of_its_own() -> None:
    population, (ours, team) = night_of(np.full(60, 40), np.full(12, 40), cards="common")
    population = with_habits(population, ours, team)
    assert own_classes(population, np.union1d(ours, team), 5) == []
    apart, (ours, team) = night_of(np.full(60, 40), np.full(12, 40))
    apart = with_habits(apart, ours, team)
    assert [list(one) for one in own_classes(apart, np.union1d(ours, team), 5)] == [list(ours), list(team)]


def test_a_pool_and_those_it_swept_in_both_stand_when_they_are_dealt_different_loads() -> None:
    """Five of the seven lie in the pool, too: most of them, and they do another one's work."""
    population, (few, pool) = night_of(np.full(7, 700), np.full(60, 40))
    whole, swept = group(population, few[:5], pool), group(population, few)
    assert sorted(standing([whole, swept], [7.0, 6.0])) == [0, 1]


def test_accounts_that_two_operators_rent_are_in_both_findings() -> None:
    """Each gives them its load, so that they do as much as the others of both together."""
    population, (one, both, other) = night_of(np.full(40, 14), np.full(20, 42), np.full(40, 28))
    groups = [group(population, one, both), group(population, both, other), group(population, both)]
    assert sorted(standing(groups, [7.0, 7.0, 6.5])) == [0, 1]


def test_loads_that_add_up_by_chance_rent_nothing_from_anybody() -> None:
    """Three operators use one published text. The third one's load is that of both others together, but of
    the texts these have to themselves it sends nothing."""
    night = Night()
    night.people(300)
    own = [{"template": PUBLISHED | {f"text of {name}": 0.5}} for name in ("one", "other", "third")]
    loads = ((40, 14.0), (40, 28.0), (20, 42.0))
    for number, (objects, (n, load)) in enumerate(zip(own, loads, strict=True)):
        night.campaign(f"set{number}", n, objects=[objects] * n, n_requests=np.full(n, load))
    population = night.population()
    one, other, third = np.split(np.arange(300, 400), [40, 80])
    whole, beside = group(population, one, third), group(population, third, other)
    assert not works_for_both(whole, beside).any()
    # Accounts that both rent do the work of either.
    night = Night()
    night.people(300)
    both = {"template": PUBLISHED | {"text of one": 14 / 42 * 0.5, "text of other": 28 / 42 * 0.5}}
    for number, (objects, (n, load)) in enumerate(zip([*own[:2], both], loads, strict=True)):
        night.campaign(f"set{number}", n, objects=[objects] * n, n_requests=np.full(n, load))
    population = night.population()
    whole, beside = group(population, one, third), group(population, third, other)
    assert works_for_both(whole, beside).sum() == 20


def test_a_group_of_another_load_that_is_no_sum_is_another_operators() -> None:
    population, (one, middle, other) = night_of(np.full(40, 14), np.full(20, 90), np.full(40, 28))
    groups = [group(population, one, middle), group(population, middle, other), group(population, middle),
              group(population, one), group(population, other)]  # fmt: skip
    assert sorted(standing(groups, [7.0, 7.0, 6.5, 6.5, 6.5])) == [2, 3, 4]


def test_three_quotas_under_one_text_are_three_operators_however_small_one_is() -> None:
    """What is left beside any of them is dealt by nobody; parts that mix two quotas prove nothing."""
    rng = np.random.default_rng(3)
    population, (many, some, few) = night_of(
        rng.integers(27, 30, 120), rng.integers(83, 86, 38), np.full(5, 709)
    )
    mixed = group(population, many[:60], some, few)
    groups = [
        group(population, many, some, few),
        mixed,
        group(population, many),
        group(population, some, few),
    ]
    assert sorted(standing(groups, [9.0, 9.0, 8.4, 9.0])) == [2, 3]


def test_parts_that_share_accounts_are_two_operators_only_where_these_do_more() -> None:
    """Who hides least is in every part that is told by its texts, and sends least besides."""
    rng = np.random.default_rng(3)
    population, (quiet, busy) = night_of(rng.poisson(9, 100), rng.poisson(16, 60), cards="common")
    texts = group(population, quiet, busy)
    parts = [group(population, quiet, busy[:20]), group(population, quiet, busy[20:40])]
    alike = replace(texts.uses, n_requests=np.full(len(texts.rows), 3.0))
    whole = replace(texts, uses=alike)
    parts = [
        replace(part, uses=replace(part.uses, n_requests=np.full(len(part.rows), 3.0))) for part in parts
    ]
    assert standing([whole, *parts], [6.0, 5.8, 5.8]) == [0]


def test_a_text_known_of_half_of_them_does_not_make_two_of_those_who_are_counted_out_alike() -> None:
    population, (one, other) = night_of(np.full(60, 15), np.full(40, 15))
    whole, part = group(population, one, other), group(population, one)
    half = np.where(np.isin(whole.account, other), 7.0, 15.0)
    whole = replace(whole, uses=replace(whole.uses, n_requests=half))
    rest = group(population, other)
    assert standing([whole, part, rest], [8.0, 7.5, 7.0]) == [0]
