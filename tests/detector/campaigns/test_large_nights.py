"""What is done once a night, or only for those it can concern, gives what doing all gives."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nights import Night

from detector.campaigns import (
    Evidence,
    Memberships,
    Nights,
    Policy,
    candidates,
    decide,
    decide_again,
    group_of,
    shared_objects,
)
from detector.campaigns.communities import _with_other_users
from detector.campaigns.likeness import Likeness
from detector.campaigns.measures import rank_probability, requests_weighted, weighted_of_others
from detector.campaigns.refining import MEMBER_LOG_ODDS, _log_odds, _may_join, _typical_objects, refine

NOBODY = np.empty(0, np.int64)


@pytest.fixture(scope="module")
def case():
    night = Night()
    night.people(400)
    night.campaign()
    population = night.population()
    return population, shared_objects(population)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(5, 120))
@example(seed=1_440_294_010, n=14)  # strangers whom nobody asks are strangers still
def test_whoever_is_not_asked_could_not_have_joined(case, seed: int, n: int) -> None:
    population, objects = case
    likeness = Likeness.of(population)
    members = np.sort(np.random.default_rng(seed).choice(len(population), n, replace=False))
    core, log_ratio = _typical_objects(members, NOBODY, population, objects)

    def joining(among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        touched, log_odds = _log_odds(members, core, log_ratio, among, population, objects, others=True)
        log_odds = log_odds + likeness.log_odds(touched, members)
        kept = log_odds >= MEMBER_LOG_ODDS
        return touched[kept], log_odds[kept]

    asked = joining(_may_join(members, core, log_ratio, population, objects, likeness))
    everybody = joining(np.arange(len(population)))
    np.testing.assert_array_equal(asked[0], everybody[0])
    np.testing.assert_array_equal(asked[1], everybody[1])


def test_most_of_those_who_share_a_popular_object_need_not_be_asked() -> None:
    night = Night()
    night.people(2_000)
    night.campaign()
    population = night.population()
    objects = shared_objects(population)
    members = candidates(population, objects)[0].members
    core, log_ratio = _typical_objects(members, NOBODY, population, objects)
    asked = _may_join(members, core, log_ratio, population, objects, Likeness.of(population))
    assert len(members) <= len(asked) < len(population) / 2


def test_rows_of_a_group_are_those_that_a_walk_over_the_layer_finds(case) -> None:
    population, _ = case
    members = np.arange(0, len(population), 7)
    for layer in population.layers:
        slow = [row for row, account in enumerate(layer.account.tolist()) if account % 7 == 0]
        assert population.rows_of(layer, members).tolist() == slow


def test_a_group_is_compared_with_exactly_the_others(case) -> None:
    population, objects = case
    for candidate in candidates(population, objects):
        group = group_of(candidate, population, objects)
        others = group.others
        shares = population.training_share
        assert weighted_of_others(group, shares) == pytest.approx(
            requests_weighted(shares[others], population.n_requests[others]), rel=1e-12
        )
        mine, rest = population.account_score[group.members], population.account_score[others]
        pairs = np.sign(mine[:, None] - rest[None, :]).mean() / 2 + 0.5
        error = np.sqrt((1 / len(mine) + 1 / len(rest)) / 12)
        expected = min(pairs, max(pairs - 2 * error, 0.5))
        assert rank_probability(group, population.account_score) == pytest.approx(expected, rel=1e-12)


CODES = ("content", "timing", "identity", "lifecycle")
CASES = st.lists(st.lists(st.floats(-3, 4), min_size=4, max_size=4), min_size=1, max_size=30)


def pieces(points: list[float]) -> list[Evidence]:
    return [Evidence(family, family, "", 0.0, "", value) for family, value in zip(CODES, points, strict=True)]


MEMBERS = st.lists(st.sets(st.integers(0, 12), min_size=1), min_size=30, max_size=30)


@given(
    night=CASES,
    members=MEMBERS,
    instead=st.lists(st.floats(-3, 4), min_size=4, max_size=4),
    at=st.integers(0, 29),
    n_reference=st.sampled_from([0, 40]),
)
def test_one_judged_again_is_as_if_all_were(night, members, instead, at: int, n_reference: int) -> None:
    at %= len(night)
    who = Memberships.of([np.array(sorted(accounts)) for accounts in members[: len(night)]], 13)
    reference = np.linspace(-4, 4, n_reference)
    evidence = [pieces(points) for points in night]
    totals = np.array([sum(points) for points in night])
    n_nights = np.arange(len(night)) % 5
    nights = Nights(totals * n_nights, n_nights, reference)
    again = decide_again(
        at, pieces(instead), totals, reference, has_content=True, policy=Policy(), members=who, nights=nights
    )
    evidence[at] = pieces(instead)
    had = Nights(nights.total.copy(), n_nights, reference)
    had.total[at] += n_nights[at] * (sum(instead) - totals[at])
    whole = decide(evidence, reference, has_content=True, policy=Policy(), members=who, nights=had)
    assert again == whole[at]


@given(members=MEMBERS, night=st.lists(st.integers(-2, 2), min_size=30, max_size=30))
def test_a_group_found_whole_and_in_parts_is_one_observation(members, night) -> None:
    who = Memberships.of([np.array(sorted(accounts)) for accounts in members], 13)
    log_odds = np.array(night, dtype=np.float64)
    ranked = [(-log_odds[at], at) for at in range(30)]
    slow = [
        not any(
            ranked[other] < ranked[at] and 2 * len(members[at] & members[other]) >= len(members[at])
            for other in range(30)
        )
        for at in range(30)
    ]
    assert who.heads(log_odds).tolist() == slow


@pytest.mark.parametrize(("n", "is_wide"), [(180, True), (36, False)])
def test_half_of_those_who_send_one_text_once_fall_apart_and_all_of_them_do_not(
    n: int, is_wide: bool
) -> None:
    """Seven requests each, one of them from the operator's text: nobody works with it. To one half of them
    the other half are strangers."""
    night = Night()
    night.people(2_000)
    talk = [{"template": {f"talk {at % 40}": 0.5}} for at in range(n)]
    night.add("user", n, objects=talk, n_requests=7.0)
    night.add(
        "pool",
        n,
        objects=[one | {"template": one["template"] | {"a queue": 1 / 7}} for one in talk],
        n_requests=7.0,
    )
    population = night.population()
    objects, likeness = shared_objects(population), Likeness.of(population)
    pool = np.flatnonzero([account.name.startswith("pool") for account in night.accounts])
    half, tried = pool[: n // 2], set[int]()
    assert refine(half, population, objects, likeness) is None
    whole = _with_other_users(half, tried, population, objects, likeness)
    assert (None if whole is None else whole.members.tolist()) == (pool.tolist() if is_wide else None)
    assert _with_other_users(half, tried, population, objects, likeness) is None  # once a night
