"""A campaign's name over the nights: kept while it lives, given once, never to two."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.campaigns import Known, Sighting, identify

JUNE_1 = date(2026, 6, 1)
JUNE_2 = JUNE_1 + timedelta(days=1)


def accounts(first: int, last: int) -> frozenset[str]:
    return frozenset(f"acc-{n:03}" for n in range(first, last))


def kiln(first: int = 0, last: int = 60, day: date = JUNE_1) -> Known:
    return Known("C-kiln", day, accounts(first, last), frozenset({"p-grade", "p-evolve"}))


def seen(first: int, last: int, **family_requests: float) -> Sighting:
    families = {name.replace("_", "-"): n for name, n in family_requests.items()}
    return Sighting(accounts(first, last), families)


def test_a_campaign_keeps_its_name_while_its_accounts_come_and_go() -> None:
    assert identify([seen(0, 60)], [kiln()], JUNE_2) == [("C-kiln", "steady")]
    assert identify([seen(30, 85)], [kiln()], JUNE_2) == [("C-kiln", "steady")]
    assert identify([seen(0, 25)], [kiln()], JUNE_2) == [("C-kiln", "steady")]


@pytest.mark.parametrize(
    ("n_accounts", "status"), [(60, "steady"), (71, "steady"), (72, "growing"), (300, "growing")]
)
def test_a_fifth_more_accounts_is_growth(n_accounts: int, status: str) -> None:
    assert identify([seen(0, n_accounts)], [kiln()], JUNE_2) == [("C-kiln", status)]


@pytest.mark.parametrize(("nights", "status"), [(1, "steady"), (2, "resumed"), (30, "resumed")])
def test_a_campaign_that_rested_has_resumed(nights: int, status: str) -> None:
    day = JUNE_1 + timedelta(days=nights)
    assert identify([seen(0, 60)], [kiln()], day) == [("C-kiln", status)]


def test_a_new_pool_of_accounts_is_known_by_the_old_templates() -> None:
    assert identify([seen(500, 560, p_grade=900, p_other=600)], [kiln()], JUNE_2) == [("C-kiln", "steady")]


TIES = {"p-new": {"p-grade"}, "p-else": {"p-loom"}}
"""`p-new` is likely `p-grade`, reworded."""


def test_a_new_pool_with_a_reworded_template_is_known_by_the_tie() -> None:
    pool = seen(500, 560, p_new=900, p_other=600)
    assert identify([pool], [kiln()], JUNE_2)[0][1] == "new"
    assert identify([pool], [kiln()], JUNE_2, TIES) == [("C-kiln", "steady")]
    assert identify([seen(500, 560, p_new=600, p_other=900)], [kiln()], JUNE_2, TIES)[0][1] == "new"
    assert identify([seen(500, 560, p_else=900)], [kiln()], JUNE_2, TIES)[0][1] == "new"


def test_who_shares_accounts_or_templates_comes_before_who_is_only_tied() -> None:
    """Three hundred accounts with a likely rewording, and thirty that go on with the template itself."""
    tied, same = seen(500, 800, p_new=9_000), seen(900, 930, p_grade=90)
    named = identify([tied, same], [kiln()], JUNE_2, TIES)
    assert named[1] == ("C-kiln", "steady")
    assert named[0][1] == "new"
    assert named == identify([tied, same], [kiln()], JUNE_2)


def test_a_tie_leads_to_a_campaign_that_nobody_else_goes_on_with() -> None:
    loom = Known("C-loom", JUNE_1, accounts(60, 160), frozenset({"p-loom"}))
    night = [seen(60, 160, p_new=900, p_loom=80), seen(300, 360, p_new=900)]
    assert identify(night, [kiln(), loom], JUNE_2, TIES) == [("C-loom", "steady"), ("C-kiln", "steady")]


def test_strangers_get_a_name_of_their_own() -> None:
    """Other accounts with other templates; and a few old accounts among many new ones."""
    [(stranger, status)] = identify([seen(500, 560, p_other=900, p_grade=100)], [kiln()], JUNE_2)
    assert stranger != "C-kiln"
    assert status == "new"
    assert identify([seen(50, 120, p_other=900)], [kiln()], JUNE_2)[0][1] == "new"
    assert identify([seen(500, 560)], [kiln()], JUNE_2)[0][1] == "new"  # no prompts in the log


def test_of_two_successors_the_closer_one_inherits() -> None:
    closer, other = seen(0, 40, p_grade=10), seen(40, 60, p_grade=6, p_other=5)
    named = identify([other, closer], [kiln()], JUNE_2)
    assert named[1][0] == "C-kiln"
    assert named[0][0] != "C-kiln"
    assert named[0][1] == "new"


def test_a_splinter_does_not_inherit_before_the_campaign() -> None:
    """Eight accounts that are all old ones, and eighty of which fifty are."""
    splinter, main = seen(52, 60), seen(0, 50, p_grade=9)
    main = Sighting(main.accounts | accounts(200, 230), main.family_requests)
    assert identify([splinter, main], [kiln()], JUNE_2)[1] == ("C-kiln", "growing")


def test_two_campaigns_that_live_on_one_template_keep_their_own_names() -> None:
    """A published text, say: what tells them apart is whose accounts these are, but for the few replaced."""
    other = Known("C-a", JUNE_1, accounts(100, 120), frozenset({"p-grade"}))
    night = [seen(5, 65, p_grade=900), seen(102, 122, p_grade=900)]
    assert identify(night, [kiln(), other], JUNE_2) == [("C-kiln", "steady"), ("C-a", "steady")]


OTHER = Known("C-a", JUNE_1, accounts(100, 114), frozenset({"p-grade"}))
"""Lives on a template of the kiln's."""


def test_newcomers_go_on_with_the_pool_that_was_shut_though_some_of_anothers_accounts_are_among_them() -> (
    None
):
    """Two findings lived on one template. All sixty of the kiln's accounts are shut; sixty that replace them
    are found together with eight of the other's, whose six that are left are gone."""
    tonight = Sighting(accounts(500, 560) | accounts(100, 108), {"p-grade": 900.0})
    assert identify([tonight], [kiln(), OTHER], JUNE_2) == [("C-kiln", "steady")]


def test_newcomers_are_not_those_of_a_pool_that_had_ended_before() -> None:
    """The same, but the kiln was dormant already: the other grows."""
    asleep = replace(kiln(), last_day=JUNE_1 - timedelta(days=9), ended=frozenset({"dormant"}))
    tonight = Sighting(accounts(500, 560) | accounts(100, 108), {"p-grade": 900.0})
    assert identify([tonight], [asleep, OTHER], JUNE_2) == [("C-a", "growing")]


def test_newcomers_replace_nobody_who_is_still_there() -> None:
    """The same, but the kiln's accounts sent something tonight, though nothing that flags them."""
    tonight = Sighting(accounts(500, 560) | accounts(100, 108), {"p-grade": 900.0})
    found = identify([tonight], [kiln(), OTHER], JUNE_2, active=accounts(0, 60))
    assert found == [("C-a", "growing")]


def test_a_small_pool_that_ended_is_not_what_a_large_one_grew_out_of() -> None:
    """Three hundred accounts around eight of the other's; the kiln's sixty are gone as a burst is by then."""
    tonight = Sighting(accounts(500, 800) | accounts(100, 108), {"p-grade": 3_000.0})
    assert identify([tonight], [kiln(), OTHER], JUNE_2) == [("C-a", "growing")]


def test_of_two_predecessors_the_closer_one_is_continued() -> None:
    loom = Known("C-loom", JUNE_1, accounts(60, 160), frozenset({"p-trace"}))
    assert identify([seen(40, 160)], [kiln(), loom], JUNE_2)[0][0] == "C-loom"
    both = identify([seen(60, 160), seen(0, 60)], [kiln(), loom], JUNE_2)
    assert both == [("C-loom", "steady"), ("C-kiln", "steady")]


def test_the_same_scan_again_gives_the_same_names_and_another_night_others() -> None:
    night = [seen(0, 30, p_grade=5), seen(30, 60, p_grade=5)]
    assert identify(night, [], JUNE_1) == identify(night, [], JUNE_1)
    first, second = ({name for name, _ in identify(night, [], day)} for day in (JUNE_1, JUNE_2))
    assert len(first | second) == 4


def test_a_late_log_file_changes_no_name() -> None:
    """A few more accounts and requests on the second scan of the same night."""
    [early] = identify([seen(0, 55, p_grade=50)], [], JUNE_1)
    [late] = identify([seen(0, 60, p_grade=70)], [], JUNE_1)
    assert early == late


def test_two_groups_that_overlap_in_their_first_account_do_not_share_a_name() -> None:
    one = Sighting(accounts(0, 30), {})
    other = Sighting(frozenset({"acc-000"}) | accounts(100, 130), {})
    names = [name for name, _ in identify([one, other], [], JUNE_1)]
    assert len(set(names)) == 2


POOLS = st.lists(st.sets(st.integers(0, 12), min_size=1, max_size=6), max_size=5)


@given(POOLS, POOLS)
@settings(deadline=None, max_examples=150)
def test_names_are_never_shared_and_known_ones_are_used_once(
    tonight: list[set[int]], earlier: list[set[int]]
) -> None:
    sightings = [Sighting({str(n) for n in pool}, {f"p-{min(pool)}": 1.0}) for pool in tonight]
    known = [
        Known(f"C-{at}", JUNE_1, {str(n) for n in pool}, {f"p-{min(pool)}"})
        for at, pool in enumerate(earlier)
    ]
    named = identify(sightings, known, JUNE_2)
    assert len({name for name, _ in named}) == len(tonight)
    assert {status for _, status in named} <= {"new", "steady", "growing"}
    for name, status in named:
        assert (status == "new") == (name not in {campaign.campaign_id for campaign in known})
    assert identify(sightings, known[::-1], JUNE_2) == named
    ties = {f"p-{at}": {f"p-{at + 1}"} for at in range(12)}
    tied = identify(sightings, known, JUNE_2, ties)
    assert len({name for name, _ in tied}) == len(tonight)
    for one, other in zip(named, tied, strict=True):
        assert one[1] == "new" or one == other  # a tie names what had no name, and renames nothing


def test_who_takes_a_published_template_does_not_carry_on_a_campaign_whose_accounts_are_at_work() -> None:
    """The kiln's accounts went into a larger group; seven strangers who ask with its template are new."""
    larger, strangers = seen(0, 120, p_grade=900), seen(500, 507, p_grade=900)
    known = [kiln(), Known("C-larger", JUNE_1, accounts(40, 120), frozenset({"p-grade"}))]
    names = identify([larger, strangers], known, JUNE_2)
    assert names[0][0] == "C-larger"
    assert names[1][1] == "new"
