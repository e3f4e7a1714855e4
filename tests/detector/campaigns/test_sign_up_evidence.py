"""Members who signed up in one rush: it says a little, and nothing where a room or a company explains it."""

import numpy as np
import pytest
from nights import Judged, Night, judged


def largest(night: Night) -> Judged:
    return max(judged(night), key=lambda one: len(one.members))


def codes(found: Judged) -> dict[str, float]:
    return {piece.code: piece.log_odds for piece in found.evidence}


def campaign(n_in_rush: int, n_rushes: int = 1, **facts: object) -> Judged:
    """Sixty accounts of a campaign of whom so many signed up in a few rushes, among 300 people."""
    night = Night()
    night.people(300)
    objects = [
        {
            "template": {"kiln template": 0.9},
            "payment": {f"kiln card {at % 10}": 1.0},
            "sign_up": {f"rush {at % n_rushes}": 1.0} if at < n_in_rush else {},
        }
        for at in range(60)
    ]
    night.campaign("kiln", 60, objects=objects, **facts)
    return largest(night)


def test_a_pool_that_signed_up_in_an_hour_or_two_says_a_little() -> None:
    assert codes(campaign(60))["SIGN_UP_COHORT"] == pytest.approx(0.5)
    assert codes(campaign(60, n_rushes=3))["SIGN_UP_COHORT"] == pytest.approx(0.5)


def test_a_few_of_them_or_each_in_a_rush_of_its_own_say_nothing() -> None:
    assert codes(campaign(4))["SIGN_UP_COHORT"] == 0
    assert "SIGN_UP_COHORT" not in codes(campaign(60, n_rushes=60))
    assert "SIGN_UP_COHORT" not in codes(campaign(0))


def test_where_everybody_comes_from_rushes_it_says_nothing() -> None:
    night = Night()
    night.add("person", 300, objects=[{"sign_up": {f"fair {at % 30}": 1.0}} for at in range(300)])
    rush = {"template": {"kiln template": 0.9}, "sign_up": {"rush": 1.0}}
    night.campaign("kiln", 60, objects=[rush] * 60)
    assert codes(largest(night))["SIGN_UP_COHORT"] == 0


def test_what_one_room_or_one_company_explains_is_not_said_again() -> None:
    """A class signs up in its lesson, a company on the day it comes on board."""
    lesson = np.where((np.arange(24) >= 9) & (np.arange(24) < 12), 1.0, 0.0)
    room = {"template": {"task": 0.9}, "address": {"school": 1.0}, "sign_up": {"lesson": 1.0}}
    for facts in (
        {"objects": [room] * 60, "hours": lesson},
        {"objects": [room | {"address": {}}] * 60, "organisation": "acme"},
    ):
        night = Night()
        night.people(300)
        night.campaign("class", 60, **facts)
        found = codes(largest(night))
        assert "SIGN_UP_COHORT" not in found
        assert found.get("ONE_ROOM", 0) + found.get("ONE_ORGANISATION", 0) < -2


def test_a_rush_alone_makes_no_candidate() -> None:
    night = Night()
    night.people(300)
    night.add("newcomer", 40, objects={"sign_up": {"rush": 1.0}}, account_age_days=np.full(40, 2.0))
    assert not any(
        sum(name.startswith("newcomer") for name in one.members) > 20 and one.verdict.flagged
        for one in judged(night)
    )
