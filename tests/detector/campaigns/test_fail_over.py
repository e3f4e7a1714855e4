"""What a fail-over is worth, whom it chains together, and what it says of a group."""

from dataclasses import replace

import numpy as np
import pytest
from nights import Night

from detector.campaigns import FailOvers, candidates, group_of, shared_objects, without
from detector.campaigns.evidence import taken_over
from detector.campaigns.fail_over import (
    DELAYS_S,
    LEAST_LOG_RATIO,
    MOST_SENDERS,
    PASSED_ON,
    circles,
    log_ratios,
    popularity,
)
from detector.campaigns.refining import LAYER_WEIGHT, MEMBER_LOG_ODDS, MOST_SURPRISE


def test_popularity_goes_by_powers_of_two() -> None:
    assert popularity(np.array([0, 1, 2, 3, 6, 7, MOST_SENDERS - 1])).tolist() == [0, 1, 1, 2, 2, 3, 5]


def test_what_chance_hardly_brings_is_a_fail_over_and_what_it_often_brings_is_none() -> None:
    answered = np.array([100_000.0, 1_000.0])
    followed = np.array([[3.0, 10.0, 40.0], [50.0, 150.0, 300.0]])
    rare, common = log_ratios(answered, followed)
    assert (rare >= 5).all()
    assert (rare <= MOST_SURPRISE).all()
    assert (common < LEAST_LOG_RATIO).all()
    expected = np.log(PASSED_ON / len(DELAYS_S) / (40.5 / 100_001))
    assert rare[2] == pytest.approx(expected)


def test_what_was_never_seen_needs_a_night_that_could_have_seen_it() -> None:
    few, many = log_ratios(np.array([20.0, 2_000.0]), np.zeros((2, 3)))
    assert (few < LEAST_LOG_RATIO).all()
    assert (many > LEAST_LOG_RATIO).all()


def test_chains_are_circles_and_who_is_in_none_has_no_number() -> None:
    circle = circles(np.array([0, 1, 5]), np.array([1, 2, 4]), 7)
    assert circle[0] == circle[1] == circle[2] != circle[4]
    assert circle[4] == circle[5]
    assert circle[[3, 6]].tolist() == [-1, -1]
    assert len(circles(np.zeros(0, np.int64), np.zeros(0, np.int64), 0)) == 0


def test_a_circle_alone_makes_nobody_a_member() -> None:
    """However rare it is: prior odds of a group against a night ten times as large outweigh it with text or
    card only."""
    assert LAYER_WEIGHT["fail_over"] * MOST_SURPRISE < MEMBER_LOG_ODDS - np.log(0.1)
    assert LAYER_WEIGHT["sign_up"] * MOST_SURPRISE < MEMBER_LOG_ODDS


def piece(passed_on: int, given_up: int, *, outside: int = 0):
    """What is said of a campaign whose members pass on, give up, or find an heir elsewhere."""
    night = Night()
    night.people(300)
    night.campaign("kiln", 60)
    population = night.population()
    objects = shared_objects(population)
    found = max(candidates(population, objects), key=lambda one: len(one.members))
    members = found.members
    n = passed_on + given_up + outside
    account = np.sort(members[np.arange(n) % len(members)])
    heir = np.full(n, -1)
    heir[:passed_on] = members[(np.arange(passed_on) * 7 + 3) % len(members)]
    heir[passed_on : passed_on + outside] = 0
    population = replace(population, fail_overs=FailOvers(account, heir, np.ones(n)))
    return taken_over(group_of(found, population, objects)), population


def test_a_group_that_passes_on_what_it_is_refused_has_one_client() -> None:
    evidence, _ = piece(30, 6)
    assert evidence is not None
    assert evidence.value == pytest.approx(30 / 36)
    assert evidence.log_odds == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("passed_on", "given_up", "outside"), [(0, 30, 0), (1, 40, 0), (0, 5, 30), (1, 2, 0), (2, 10, 0)]
)
def test_giving_up_a_friend_or_strangers_say_little(passed_on: int, given_up: int, outside: int) -> None:
    evidence, _ = piece(passed_on, given_up, outside=outside)
    assert evidence is not None
    assert evidence.log_odds < 0.15


def test_two_refusals_say_nothing() -> None:
    assert piece(2, 0)[0] is None


@pytest.mark.parametrize("part", ["content", "timing"])
def test_who_is_not_told_prompts_or_times_knows_of_no_fail_over(part) -> None:
    _, population = piece(30, 6)
    assert len(without(population, (part,)).fail_overs.account) == 0
    assert len(without(population, ("identity", "lifecycle")).fail_overs.account) == 36
