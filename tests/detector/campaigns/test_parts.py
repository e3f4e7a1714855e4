"""Whether groups that a text ties together are one operator's teams or several operators."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nights import Night, flagged

from detector.campaigns import shared_objects
from detector.campaigns.loads import far_apart, is_dealt, same_load
from detector.campaigns.parts import parts_of
from detector.campaigns.schedule import apart_by_card


def pool(
    night: Night, group: str, n: int, load: float, texts: dict[str, float], pocket: str = ""
) -> list[str]:
    """Accounts of one operator that share nothing with another but texts, and the pocket if one is named."""
    objects = [
        {
            "template": texts,
            "payment": {f"{pocket} card {at % 12}" if pocket else f"{group} card {at // 5}": 1.0},
            "address": {f"{group} home {at}": 1.0},
        }
        for at in range(n)
    ]
    n_requests = night.rng.poisson(load, n).astype(float)
    return night.campaign(group, n, objects=objects, n_requests=n_requests)


def test_two_operators_who_took_the_same_published_template_are_two() -> None:
    """Half of what either asks is made from it; the rest of each is its own, and so is the load."""
    night = Night()
    night.people(600)
    kiln = pool(night, "kiln", 60, 40, {"published": 0.5, "kiln's own": 0.5})
    loom = pool(night, "loom", 50, 15, {"published": 0.5, "loom's own": 0.5})
    found = flagged(night)
    assert sorted(list(one.members) for one in found) == sorted([kiln, loom])


def test_two_teams_that_one_scheduler_serves_are_one() -> None:
    night = Night()
    night.people(600)
    kiln = pool(night, "kiln", 60, 40, {"published": 0.5, "kiln's own": 0.5}, pocket="one")
    loom = pool(night, "loom", 50, 40, {"published": 0.5, "loom's own": 0.5}, pocket="one")
    [found] = flagged(night)
    assert sorted(found.members) == sorted(kiln + loom)


def test_two_operators_who_deal_like_loads_are_told_apart_by_their_cards() -> None:
    night = Night()
    night.people(600)
    kiln = pool(night, "kiln", 60, 40, {"published": 0.5, "kiln's own": 0.5})
    loom = pool(night, "loom", 50, 40, {"published": 0.5, "loom's own": 0.5})
    found = flagged(night)
    assert sorted(list(one.members) for one in found) == sorted([kiln, loom])


def test_three_operators_of_one_published_template_are_three() -> None:
    """What is left of the three beside any one of them is dealt by nobody; they are told apart in pairs."""
    night = Night()
    night.people(900)
    pools = [
        pool(night, name, n, load, {"published": 0.6, f"{name}'s own": 0.4})
        for name, n, load in (("kiln", 70, 12), ("loom", 60, 30), ("mill", 50, 75))
    ]
    assert sorted(list(one.members) for one in flagged(night)) == sorted(pools)


def test_a_pool_that_works_for_two_operators_does_not_make_them_one() -> None:
    """Sixty accounts serve the one, sixty the other, twenty of them both; who works for both sends twice as
    much."""
    night = Night()
    night.people(600)
    kiln = pool(night, "kiln", 40, 20, {"kiln 1": 0.5, "kiln 2": 0.5})
    loom = pool(night, "loom", 40, 20, {"loom 1": 0.5, "loom 2": 0.5})
    both = pool(night, "both", 20, 40, {"kiln 1": 0.25, "kiln 2": 0.25, "loom 1": 0.25, "loom 2": 0.25})
    found = [set(one.members) for one in flagged(night)]
    assert set().union(*found) == {*kiln, *loom, *both}
    assert all(one <= {*kiln, *both} or one <= {*loom, *both} for one in found)


def test_parts_are_the_users_of_texts_that_the_others_do_not_use() -> None:
    night = Night()
    night.people(50)
    pool(night, "kiln", 30, 40, {"published": 0.5, "kiln 1": 0.3, "kiln 2": 0.2})
    pool(night, "loom", 20, 40, {"published": 0.5, "loom": 0.5})
    population = night.population()
    members = np.arange(50, 100)
    parts = parts_of(members, population, shared_objects(population), 5)
    assert [part.tolist() for part in parts] == [list(range(50, 80)), list(range(80, 100))]
    assert parts_of(members[:30], population, shared_objects(population), 5) == []


def test_what_everybody_in_a_group_uses_makes_no_part() -> None:
    night = Night()
    pool(night, "kiln", 30, 40, {"one": 0.5, "other": 0.5})
    population = night.population()
    assert parts_of(np.arange(30), population, shared_objects(population), 5) == []


@pytest.mark.parametrize("often", [0.05, 0.3, 0.8])
def test_who_sent_a_text_is_dealt_no_other_load_than_who_did_not(often: float) -> None:
    """Of one scheduler's accounts those who happened to be given a text have more requests than others."""
    rng = np.random.default_rng(1)
    of_text, n = rng.poisson(often, 2_000), rng.poisson(6 - often, 2_000)
    sent, load = of_text > 0, (n + of_text).astype(float)
    assert load[sent].mean() > load[~sent].mean() + 0.9
    assert same_load(load[sent], load[~sent])
    assert not same_load(load + 5, load)


LOADS = st.lists(st.integers(1, 2_000).map(float), min_size=5, max_size=40).map(np.array)


@given(LOADS, LOADS)
def test_whether_loads_are_the_same_does_not_depend_on_who_is_asked_first(one, other) -> None:
    assert same_load(one, other) == same_load(other, one)
    assert same_load(one, one)


def test_a_scheduler_deals_evenly_and_people_do_not() -> None:
    rng = np.random.default_rng(1)
    assert is_dealt(np.full(20, 30.0))
    assert is_dealt(rng.poisson(30, 60).astype(float))
    assert not is_dealt(np.round(rng.lognormal(2, 1.2, 60)) + 1)


def test_a_third_more_is_another_load_once_there_are_enough_accounts_to_tell() -> None:
    rng = np.random.default_rng(1)
    assert not same_load(rng.poisson(30, 60).astype(float), rng.poisson(40, 60).astype(float))
    assert same_load(np.full(5, 5.0), np.full(5, 6.5))


def test_bursts_and_a_trickle_are_two_however_uneven_each_is() -> None:
    rng = np.random.default_rng(1)
    bursts, trickle = rng.uniform(400, 900, 7), rng.uniform(20, 90, 60)
    assert far_apart(bursts, trickle)
    assert far_apart(trickle, bursts)
    assert not far_apart(np.append(bursts, 100.0), trickle)
    assert not far_apart(bursts, np.empty(0))


def test_a_burst_on_the_text_of_a_large_pool_is_published_beside_it() -> None:
    night = Night()
    night.people(900)
    large = pool(night, "kiln", 140, 40, {"published": 0.6, "kiln's own": 0.4})
    burst = pool(night, "loom", 7, 700, {"published": 0.6, "loom's own": 0.4})
    found = [set(one.members) for one in flagged(night)]
    assert set(burst) in found
    assert any(set(large) <= one for one in found)


def cards(first: int, n_accounts: int, each: int) -> npt.NDArray[np.int64]:
    return first + np.arange(n_accounts) // each


def test_cards_that_never_pay_for_both_are_two_pockets() -> None:
    assert apart_by_card(cards(0, 40, 4), cards(100, 40, 4))
    assert apart_by_card(cards(0, 120, 2), cards(100, 24, 1))


def test_one_card_for_both_is_one_pocket() -> None:
    shared = cards(0, 40, 4)
    assert not apart_by_card(shared, np.append(cards(100, 40, 4), shared[0]))


def test_cards_of_one_account_each_tell_nothing() -> None:
    assert not apart_by_card(np.arange(40), np.arange(100, 140))
    assert not apart_by_card(np.full(40, -1), np.full(40, -1))
    assert not apart_by_card(cards(0, 4, 4), cards(100, 4, 4))
