"""What became of campaigns from one night to the next."""

from collections.abc import Set
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.campaigns import Event, Known, Sighting, event_in_words, events, identify

JUNE_1 = date(2026, 6, 1)
JUNE_2 = JUNE_1 + timedelta(days=1)


def accounts(first: int, last: int) -> frozenset[str]:
    return frozenset(f"acc-{n:03}" for n in range(first, last))


def known(name: str, first: int, last: int, *families: str, ended: Set[str] = frozenset()) -> Known:
    members = accounts(first, last)
    return Known(name, JUNE_1, members, frozenset(families), members, ended)


def seen(first: int, last: int, **family_requests: float) -> Sighting:
    return Sighting(accounts(first, last), {f"p-{name}": n for name, n in family_requests.items()})


def happened(
    tonight: list[Sighting], earlier: list[Known], active: Set[str] | None = None, day: date = JUNE_2
) -> list[Event]:
    """Tonight's events; without `active`, those accounts sent something that are in a campaign tonight."""
    at_work = frozenset().union(*(one.accounts for one in tonight))
    named = identify(tonight, earlier, day)
    return events(tonight, named, earlier, at_work if active is None else active)


KILN = known("C-kiln", 0, 60, "p-grade")


def test_every_campaign_of_the_night_has_its_status_as_an_event() -> None:
    assert happened([seen(0, 60)], [KILN]) == [Event("C-kiln", "steady", None, 60)]
    assert happened([seen(0, 80)], [KILN]) == [Event("C-kiln", "growing", None, 80)]
    [new] = happened([seen(0, 80)], [])
    assert (new.event, new.n_accounts) == ("new", 80)
    assert happened([seen(0, 60)], [KILN], day=JUNE_2 + timedelta(3))[0].event == "resumed"


def test_a_campaign_that_is_not_found_is_dormant_once() -> None:
    assert happened([], [KILN]) == [Event("C-kiln", "dormant", None, 60)]
    assert happened([], [known("C-kiln", 0, 60, "p-grade", ended={"dormant"})]) == []


def test_accounts_that_stop_and_new_ones_that_take_over_are_counted() -> None:
    """Twenty of sixty send nothing more; twenty-five come that were never in it."""
    assert happened([seen(20, 85)], [KILN]) == [
        Event("C-kiln", "replaced", None, 25, 20),
        Event("C-kiln", "steady", None, 65),
    ]


def test_who_still_sends_something_has_not_stopped_and_who_comes_back_is_not_new() -> None:
    still_there = accounts(0, 90)
    assert [one.event for one in happened([seen(20, 85)], [KILN], active=still_there)] == ["steady"]
    of_old = Known("C-kiln", JUNE_1, accounts(0, 60), frozenset({"p-grade"}), accounts(0, 90))
    assert [one.event for one in happened([seen(20, 85)], [of_old])] == ["steady"]


def test_a_few_that_come_and_go_are_no_replacement() -> None:
    assert [one.event for one in happened([seen(5, 65)], [KILN])] == ["steady"]
    assert [one.event for one in happened([seen(2, 12)], [known("C-kiln", 0, 10)])] == ["steady"]


def test_a_whole_pool_made_anew_with_the_old_templates_is_a_replacement() -> None:
    assert happened([seen(500, 560, grade=900)], [KILN])[0] == Event("C-kiln", "replaced", None, 60, 60)


def test_two_campaigns_that_go_on_as_one_have_merged_and_neither_is_dormant() -> None:
    loom = known("C-loom", 60, 100, "p-trace")
    assert happened([seen(0, 100)], [KILN, loom]) == [
        Event("C-kiln", "growing", None, 100),
        Event("C-kiln", "merged", "C-loom", 40),
    ]
    told = known("C-loom", 60, 100, "p-trace", ended={"merged"})
    assert [one.event for one in happened([seen(0, 100)], [KILN, told])] == ["growing"]


def test_a_campaign_can_go_on_in_another_by_its_templates_alone() -> None:
    loom = known("C-loom", 60, 100, "p-trace")
    taken_in = happened([seen(0, 70, grade=500, trace=400)], [KILN, loom])
    assert Event("C-kiln", "merged", "C-loom", 10) in taken_in
    # Texts that both of them used say nothing of the one that has gone.
    loom = known("C-loom", 60, 100, "p-trace", "p-grade")
    kiln = known("C-kiln", 0, 60, "p-trace", "p-grade")
    assert Event("C-loom", "dormant", None, 40) in happened([seen(0, 60, grade=500, trace=400)], [kiln, loom])


def test_one_campaign_that_goes_on_as_two_has_split() -> None:
    """The larger part keeps the name."""
    [new, split, rest] = sorted(
        happened([seen(0, 40), seen(40, 60)], [KILN]), key=lambda one: (one.event != "new", one.event)
    )
    assert rest == Event("C-kiln", "steady", None, 40)
    assert (split.campaign_id, split.event, split.other_id, split.n_accounts) == (
        "C-kiln", "split", new.campaign_id, 20,
    )  # fmt: skip
    assert new.event == "new"


def test_two_known_campaigns_that_share_accounts_have_neither_merged_nor_split() -> None:
    """Night after night half of the accounts work for both."""
    loom = known("C-loom", 30, 100, "p-trace")
    night = [seen(0, 60, grade=500), seen(30, 100, trace=500)]
    assert [one.event for one in happened(night, [KILN, loom])] == ["steady", "steady"]


def test_every_event_can_be_told_in_plain_words() -> None:
    said = {"other_id": "C-loom", "n_accounts": 1_200, "n_stopped": 1}
    assert event_in_words("replaced", **said) == "1 account stopped, 1,200 new took over"  # type: ignore[arg-type]
    assert event_in_words("merged", other_id="C-loom", n_accounts=0, n_stopped=None) == (
        "took in the earlier campaign C-loom, by its templates"
    )
    assert event_in_words("split", other_id="C-loom", n_accounts=1, n_stopped=None, of_the_other=True) == (
        "split off from C-loom, with 1 account"
    )
    for event in ("new", "growing", "steady", "resumed", "dormant"):
        assert "1 account" in event_in_words(event, other_id=None, n_accounts=1, n_stopped=None)


POOLS = st.lists(st.sets(st.integers(0, 12), min_size=1, max_size=6), max_size=5)


@given(POOLS, POOLS)
@settings(deadline=None, max_examples=150)
def test_what_is_told_adds_up(tonight: list[set[int]], earlier: list[set[int]]) -> None:
    """One status for each campaign of the night, one end for each that has gone, in whatever order."""
    sightings = [Sighting({str(n) for n in pool}, {f"p-{min(pool)}": 1.0}) for pool in tonight]
    before = [
        Known(f"C-{at}", JUNE_1, {str(n) for n in pool}, {f"p-{min(pool)}"})
        for at, pool in enumerate(earlier)
    ]
    named = identify(sightings, before, JUNE_2)
    found = events(sightings, named, before, frozenset())
    statuses = [(one.campaign_id, one.event) for one in found if one.event in {"new", "growing", "steady"}]
    assert sorted(statuses) == sorted(named)
    gone = {campaign.campaign_id for campaign in before} - {name for name, _ in named}
    merged = [one.other_id for one in found if one.event == "merged"]
    dormant = [one.campaign_id for one in found if one.event == "dormant"]
    assert sorted([*merged, *dormant]) == sorted(gone)
    assert len({one.other_id for one in found if one.event == "split"}) == sum(
        one.event == "split" for one in found
    )
    assert events(sightings, named, before[::-1], frozenset()) == found
