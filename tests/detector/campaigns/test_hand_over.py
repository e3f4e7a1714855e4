"""Newcomers that follow on those who fell silent, against those who go on anyway."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nights import Night
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from detector.campaigns import HandOvers, candidates, group_of, shared_objects, without
from detector.campaigns.evidence import handed_over
from detector.campaigns.hand_over import BEGAN, GOES_ON, STOPPED, WITHIN_US, hand_overs, matched

HOUR = 3_600_000_000
times = st.lists(st.integers(0, 48), max_size=12).map(lambda hours: np.sort(np.array(hours, np.int64)) * HOUR)


@given(times, times)
def test_as_many_are_matched_as_can_be(stopped, began):
    near = (began[:, None] >= stopped[None, :]) & (began[:, None] - stopped[None, :] <= WITHIN_US)
    best = 0
    if near.any():
        best = int((maximum_bipartite_matching(csr_matrix(near), perm_type="column") >= 0).sum())
    assert matched(stopped, began) == best


def told(*rows: tuple[int, int, float]) -> HandOvers:
    """(text, what, hour) of each account -> the two texts' hand-overs."""
    text, what, hour = (np.array(column) for column in zip(*rows, strict=True))
    return hand_overs(text.astype(np.int64), what.astype(np.int64), (hour * HOUR).astype(np.int64), 2)


def test_a_pool_that_is_shut_and_made_anew_within_hours() -> None:
    """Twenty are shut at three in the afternoon; twenty new ones begin from four on. Those who stay began
    their night when it began."""
    rows = [(0, STOPPED, 15.0 + 0.01 * at) for at in range(20)]
    rows += [(0, BEGAN, 16.0 + 0.1 * at) for at in range(20)]
    rows += [(0, GOES_ON, 0.05 * at) for at in range(60)]
    found = told(*rows)
    assert (found.n_begun[0], found.n_followed[0]) == (20, 20)
    assert found.chance[0] < 0.1
    assert found.n_begun[1] == 0


def test_people_come_and_go_all_day() -> None:
    rng = np.random.default_rng(3)
    rows = [(1, what, float(hour)) for what in (STOPPED, BEGAN, GOES_ON) for hour in rng.uniform(0, 24, 80)]
    found = told(*rows)
    assert found.n_begun[1] == 80
    assert found.chance[1] > 0.9


def test_without_anybody_who_goes_on_nobody_knows_what_chance_brings() -> None:
    found = told((0, STOPPED, 1.0), (0, BEGAN, 2.0), (0, BEGAN, 2.0), (0, BEGAN, 2.0), (0, GOES_ON, 3.0))
    assert found.n_begun.tolist() == [0, 0]


def piece(n_begun: float, n_followed: float, chance: float):
    night = Night()
    night.people(300)
    night.campaign("kiln", 60)
    population = night.population()
    objects = shared_objects(population)
    found = max(candidates(population, objects), key=lambda one: len(one.members))
    n = objects.first_object[1]
    known = HandOvers(np.full(n, n_begun), np.full(n, n_followed), np.full(n, chance))
    population = replace(population, hand_overs=known)
    return handed_over(group_of(found, population, objects)), population


def test_twenty_replaced_in_hours_speak_and_half_of_them_do_not() -> None:
    evidence, _ = piece(20, 19, 0.2)
    assert evidence is not None
    assert evidence.log_odds == pytest.approx(1.5)
    assert evidence.family == "lifecycle"
    half, _ = piece(20, 10, 0.3)
    assert half is not None
    assert half.log_odds == 0


@pytest.mark.parametrize("chance", [0.9, 0.97, 1.0])
def test_where_everybody_follows_on_somebody_it_says_nothing(chance: float) -> None:
    evidence, _ = piece(20, 20, chance)
    assert evidence is not None
    assert evidence.log_odds == 0


def test_few_newcomers_and_texts_that_others_take_up_as_well_are_not_asked() -> None:
    assert piece(2, 2, 0.1)[0] is None
    assert piece(200, 200, 0.1)[0] is None  # more newcomers than the group has members


@pytest.mark.parametrize("part", ["content", "lifecycle", "history"])
def test_who_is_not_told_texts_or_earlier_nights_knows_of_no_hand_over(part) -> None:
    _, population = piece(20, 20, 0.1)
    assert len(without(population, (part,)).hand_overs.n_begun) == 0
    assert len(without(population, ("identity", "timing")).hand_overs.n_begun) > 0
