"""Who came along with a strong heart, and is judged without it."""

from dataclasses import replace

import numpy as np
import pytest
from nights import Night

from detector.campaigns import Candidate, Evidence, Group, group_of, idle, is_company, rests, shared_objects
from detector.campaigns.population import Int64, Population


@pytest.fixture(scope="module")
def population() -> Population:
    night = Night()
    night.people(100)
    night.campaign(n=24, objects={"template": {"kiln template": 1.0}})
    return night.population()


def group(population: Population, members: Int64) -> Group:
    objects = shared_objects(population)
    core = np.flatnonzero(objects.layer_of == 0)
    return group_of(Candidate(members, np.ones(len(members)), core, np.ones(len(core))), population, objects)


def span(first: int, last: int) -> Int64:
    return np.arange(100 + first, 100 + last)


def test_the_rest_is_what_the_strongest_heart_leaves(population: Population) -> None:
    whole, heart, weaker = (group(population, span(0, last)) for last in (20, 14, 12))
    [rest] = rests([weaker, whole, heart], [6.0, 5.5, 7.0], [True, True, True])
    assert (rest.whole, rest.heart) == (1, 2)
    assert rest.group.members.tolist() == span(14, 20).tolist()
    # their use of the whole's text, and nobody else's
    assert rest.group.account.tolist() == rest.group.members.tolist()


@pytest.mark.parametrize(
    ("heart", "log_odds", "convicted", "why"),
    [
        (span(0, 14), [6.0, 5.9], [True, True], "the whole has the stronger evidence"),
        (span(0, 14), [6.0, 7.0], [True, False], "nobody would be flagged for the heart"),
        (span(0, 14), [6.0, 7.0], [False, True], "nobody would be flagged for the whole"),
        (span(0, 9), [6.0, 7.0], [True, True], "the rest is most of it"),
        (span(0, 17), [6.0, 7.0], [True, True], "of three accounts nothing can be said"),
        (span(10, 24), [6.0, 7.0], [True, True], "a neighbour is no heart"),
    ],
)
def test_a_group_has_no_rest_where(
    population: Population, heart: Int64, log_odds: list[float], convicted: list[bool], why: str
) -> None:
    assert rests([group(population, span(0, 20)), group(population, heart)], log_odds, convicted) == []


def test_a_night_without_groups_has_no_rests() -> None:
    assert rests([], [], []) == []


def piece(code: str, log_odds: float, family: str = "content") -> Evidence:
    return Evidence(family, code, "what was measured", 0.5, "what is usual", log_odds)


def test_a_rest_is_company_where_hardly_anything_is_said_of_it() -> None:
    even = piece("EVEN_LOAD", 1.9, "timing")
    assert is_company([even], [])
    assert not is_company([even, piece("TRAINING_TECHNIQUE", 0.2)], [])


def test_whose_the_texts_are_is_said_of_the_whole() -> None:
    """The heart uses them, too: that makes them no strangers' texts."""
    rest = [
        piece("EVEN_LOAD", 1.9, "timing"),
        piece("TRAINING_TECHNIQUE", 0.9),
        piece("EXCLUSIVE_TEXT", -2.0),
    ]
    assert not is_company(rest, [piece("EXCLUSIVE_TEXT", -0.1), piece("SHARED_PAYMENT", 2.5, "identity")])
    assert is_company(rest, [piece("EXCLUSIVE_TEXT", -1.5)])


def test_signs_of_one_scheduler_do_not_make_company_guilty_twice() -> None:
    signs = [piece(code, 2.0, "timing") for code in ("EVEN_LOAD", "TAKING_TURNS", "FAIL_OVER")]
    against = piece("SINGLE_TURN", -3.5)
    assert is_company([*signs, against], [])
    assert not is_company([*signs, replace(against, log_odds=-3.0)], [])


def test_who_does_next_to_none_of_a_groups_work_is_idle(population: Population) -> None:
    """Four accounts send seven hundred requests each, and others of the group one by accident."""
    n_requests = population.n_requests.copy()
    n_requests[span(0, 8)] = [700, 1, 690, 1, 710, 1, 705, 40]
    layer = population.layer("template")
    assert layer is not None
    uses = replace(population.templates, n_requests=n_requests[layer.account])
    uneven = replace(population, n_requests=n_requests, templates=uses)
    assert idle(group(uneven, span(0, 8))).tolist() == [101, 103, 105]
    assert idle(group(population, span(0, 24))).tolist() == []  # loads of thirty to fifty


def test_a_candidate_keeps_its_members_where_hardly_any_would_be_left() -> None:
    candidate = Candidate(np.arange(6), np.linspace(0.9, 1, 6), np.array([0]), np.array([4.0]))
    less = candidate.without(np.array([1, 2, 9]))
    assert less.members.tolist() == [0, 3, 4, 5]
    assert less.strength.tolist() == [candidate.strength[at] for at in less.members]
    assert candidate.without(np.array([1, 2, 3, 4])) is candidate
    assert candidate.without(np.empty(0, np.int64)) is candidate
