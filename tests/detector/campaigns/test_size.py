"""Nights whose log carries no prompts: requests of one size take the place of a text in common."""

import numpy as np
from nights import Judged, Night, flagged, judged

from detector.campaigns import Candidate, candidates, group_of, loosely_tied, shared_objects
from detector.campaigns.evidence import one_size
from detector.campaigns.evidence.content import SIZE_CAP


def night_without_prompts() -> Night:
    """Four hundred people, of whom every tenth has requests of one size, each of another."""
    night = Night()
    sizes = [{"size": {f"{at % 20} tokens": 0.6}} if at % 10 == 0 else {} for at in range(400)]
    night.add("person", 400, objects=sizes, training_share=np.nan)
    return night


def harvest(night: Night, n: int = 60, **facts: object) -> None:
    """Accounts that a scheduler keeps busy with one template, each with a card and an address of its own."""
    plain = {
        "objects": {"size": {"lattice": 0.9}},
        "n_requests": night.rng.poisson(20, n).astype(np.float64),
        "account_age_days": night.rng.integers(1, 30, n).astype(np.float64),
        "account_score": night.rng.uniform(0.6, 1.0, n),
        "training_share": np.nan,
        "hours": np.ones(24),
    }
    night.add("harvest", n, **(plain | facts))


def only(found: list[Judged]) -> Judged:
    (one,) = found
    return one


def test_accounts_whose_requests_are_of_one_size_are_a_group_without_any_text() -> None:
    night = night_without_prompts()
    harvest(night)
    campaign = only(flagged(night))
    assert {name.split("-")[0] for name in campaign.members} == {"harvest"}
    assert len(campaign.members) == 60
    assert campaign.piece("ONE_SIZE").value == 1.0
    assert set(campaign.verdict.families) >= {"content", "timing"}


def test_without_the_size_nothing_would_tie_them() -> None:
    night = night_without_prompts()
    harvest(night, objects={})
    assert flagged(night) == []


def test_applications_whose_requests_are_of_one_size_carry_loads_as_customers_do() -> None:
    night = night_without_prompts()
    loads = np.maximum(np.round(night.rng.lognormal(4, 1.6, 60)), 5)
    harvest(night, n_requests=loads, account_age_days=400.0, account_score=0.5)
    assert flagged(night) == []
    group = max(judged(night), key=lambda one: len(one.members))
    assert group.piece("ONE_SIZE").log_odds > 0
    assert group.piece("EVEN_LOAD").log_odds < 0


def said_of(n_members: int, n_others: int) -> float:
    """What it says that all of some members send requests of one size, and so many of 400 others."""
    night = Night()
    sizes = [{"size": {"lattice": 0.6}} if at < n_others else {} for at in range(400)]
    night.add("person", 400, objects=sizes, training_share=np.nan)
    harvest(night, n_members)
    population = night.population()
    members = np.arange(400, 400 + n_members)
    one = Candidate(members, np.ones(n_members), np.zeros(1, np.int64), np.ones(1))
    piece = one_size(group_of(one, population, shared_objects(population)))
    assert piece is not None
    return piece.log_odds


def test_the_more_others_send_requests_of_that_size_the_less_it_says() -> None:
    said = [said_of(60, n_others) for n_others in (0, 40, 120, 400)]
    assert said[0] == SIZE_CAP
    assert said == sorted(said, reverse=True)
    assert said[-1] == 0


def test_the_fewer_the_members_the_less_it_says() -> None:
    assert said_of(5, 60) < said_of(15, 60) < said_of(60, 60)


def test_where_prompts_are_known_their_size_says_nothing() -> None:
    night = Night()
    night.people(300)
    night.campaign(training_share=0.85)
    campaign = only(flagged(night))
    assert "ONE_SIZE" not in {piece.code for piece in campaign.evidence}


def test_whom_the_size_alone_ties_to_a_campaign_is_no_more_than_watched() -> None:
    """Ten of the sixty have a card of their own; the others have one card for six of them. All have one kit,
    as users of one library do."""
    night = night_without_prompts()
    size = {"size": {"lattice": 0.9}, "client": {"a kit": 1.0}}
    cards = [size | ({"payment": {f"card {at % 8}": 1.0}} if at < 50 else {}) for at in range(60)]
    harvest(night, objects=cards)
    population = night.population()
    objects = shared_objects(population)
    whole = max(candidates(population, objects), key=lambda one: len(one.members))
    loosely = loosely_tied(whole, group_of(whole, population, objects), objects)
    names = [night.accounts[at].name for at in whole.members[loosely]]
    assert names == [f"harvest-{at:03}" for at in range(50, 60)]
