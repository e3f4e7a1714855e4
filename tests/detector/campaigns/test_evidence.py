"""What each piece of evidence measures."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nights import Night, campaign, judged

from detector.campaigns import (
    Candidate,
    Policy,
    Slots,
    Turns,
    candidates,
    group_of,
    shared_objects,
    supporting_families,
    weigh,
)
from detector.campaigns.evidence import COMMON, DEAL_TOO, OF_ONE_SCHEDULER, SCHEDULER_CAP, dealing

NOT_KNOWN = float("nan")


def points(code: str, **facts: object) -> float:
    return campaign(**facts).piece(code).log_odds


def test_each_item_sent_once_is_a_work_queue_and_the_same_items_by_many_is_a_class() -> None:
    dealt, mixed, same = (points("WORK_QUEUE", shared_items=share) for share in (0.0, 0.2, 0.9))
    assert dealt > 1
    assert dealt > mixed > same
    assert same < -3


def slots(**facts: float) -> Slots:
    """What fills a group's slots: a list dealt out once to sixty accounts, unless said otherwise."""
    dealt = {"n_items": 2_000, "n_compared": 60, "likeness": 0.0, "likeness_error": 0.01, "shared": 0.0}
    dealt |= {"top_item": 1 / 60, "geometric_z": -8.0}
    return Slots(**(dealt | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("single_turn_share", "most"), [(1.0, 0.5), (0.35, 0.5), (0.2, 0.0), (NOT_KNOWN, 0.5)]
)
def test_under_a_system_prompt_items_that_are_nobody_elses_say_little_and_of_talk_nothing(
    single_turn_share: float, most: float
) -> None:
    """A reseller deals its customers' talk over its accounts: no word comes twice, any account may get it."""
    said = weighed(
        slots(), objects=[{"system_prompt": {"kit": 1.0}, "payment": {"card": 1.0}}] * 60,
        single_turn_share=single_turn_share,
    )  # fmt: skip
    assert (said["WORK_QUEUE"], said["DEALT_ITEMS"]) == (most, most)
    again = weighed(
        slots(likeness=0.3), objects=[{"system_prompt": {"kit": 1.0}, "payment": {"card": 1.0}}] * 60,
        single_turn_share=single_turn_share, shared_items=0.9,
    )  # fmt: skip
    assert max(again["WORK_QUEUE"], again["DEALT_ITEMS"]) < -2  # what speaks against does so as ever


def weighed(found: Slots | None, turns: Turns | None = None, **facts: object) -> dict[str, float]:
    """The pieces of evidence on a campaign whose slots are like that, and whose requests follow so."""
    night = Night()
    night.people(300)
    night.campaign(**facts)
    population = night.population()
    objects = shared_objects(population)
    candidate = max(candidates(population, objects), key=lambda one: len(one.members))
    group = replace(group_of(candidate, population, objects), slots=found, turns=turns)
    return {piece.code: piece.log_odds for piece in weigh(group)}


def test_from_a_dealt_list_any_account_might_have_got_any_item() -> None:
    assert weighed(slots())["DEALT_ITEMS"] > 1
    assert weighed(slots(likeness=0.3))["DEALT_ITEMS"] == -3
    assert -3 < weighed(slots(likeness=0.1, likeness_error=0.1))["DEALT_ITEMS"] < 1


def test_nothing_is_said_of_likeness_that_was_not_measured() -> None:
    nothing = slots(likeness=math.nan, likeness_error=math.nan)
    assert "DEALT_ITEMS" not in weighed(nothing)
    assert "DEALT_ITEMS" not in weighed(slots(n_compared=4))


def test_an_item_that_a_scheduler_deals_several_times_is_sampled_and_no_class() -> None:
    """Three quarters of what is sent, others send too. In a class everybody sends the same; who samples an
    answer ten times deals each item to ten accounts of a hundred."""
    shared = {"shared": 0.75, "top_item": 0.1}
    assert weighed(slots(**shared), shared_items=0.75)["WORK_QUEUE"] == 0
    for innocent in (
        slots(shared=0.75, top_item=0.9),  # a class
        slots(**shared, likeness=0.3),  # people who agree
        slots(**shared, geometric_z=0.0),  # people's loads
    ):
        assert weighed(innocent, shared_items=0.75)["WORK_QUEUE"] < -3


@given(st.floats(-0.2, 1), st.floats(0.001, 0.5))
def test_dealing_is_bounded_and_speaks_less_the_more_alike_items_are(likeness: float, error: float) -> None:
    assert -3 <= dealing(likeness, error) <= math.log(1 / DEAL_TOO)
    assert dealing(abs(likeness) + 0.05, error) <= dealing(abs(likeness), error) + 1e-9


def test_too_few_items_say_nothing_of_a_queue() -> None:
    """Eight accounts that ask twice: fifteen items could be anything."""
    codes = {piece.code for piece in campaign(n=8, n_requests=2.0).evidence}
    assert "WORK_QUEUE" not in codes


def test_even_loads_are_a_schedulers_and_uneven_ones_are_peoples() -> None:
    rng = np.random.default_rng(1)
    even = points("EVEN_LOAD", n_requests=rng.poisson(40, 60).astype(float))
    human = points("EVEN_LOAD", n_requests=np.round(rng.lognormal(2, 1.8, 60)) + 1)
    assert even == 2.0
    assert human < 0


def test_doing_a_thing_once_or_twice_is_no_even_load() -> None:
    twice = np.tile([1.0, 2.0, 3.0], 20)
    assert points("EVEN_LOAD", n_requests=twice) == 0
    assert points("EVEN_LOAD", n_requests=twice + 5) > 1.5


def test_a_fashion_is_used_once_or_twice_and_a_harvest_goes_on() -> None:
    slow = np.full(60, 2.0)
    assert points("LASTING_USE", n_requests=slow) < -1.5
    assert points("LASTING_USE", n_requests=slow, earlier_uses=4.0) == 0
    assert points("LASTING_USE", n_requests=np.full(60, 30.0)) == 0


def test_a_few_replaced_accounts_do_not_spoil_an_even_load() -> None:
    n_requests = np.random.default_rng(1).poisson(40, 60).astype(float)
    n_requests[:3] = (900, 700, 500)
    assert points("EVEN_LOAD", n_requests=n_requests) == 2.0


def test_requests_that_come_back_night_after_night_are_a_suite() -> None:
    assert points("REPEATED_ITEMS", repeat_share=0.0) == 0
    assert points("REPEATED_ITEMS", repeat_share=0.9) == -3


def test_what_covers_the_work_may_come_back_and_what_is_worked_on_may_not() -> None:
    assert points("REPEATED_ITEMS", repeat_share=0.6, repeated_of_templates=0.0) == 0
    assert points("REPEATED_ITEMS", repeat_share=0.2, repeated_of_templates=0.9) == -3


@pytest.mark.parametrize("n_strangers", [0, 200])
def test_a_text_that_only_the_group_sends_may_be_a_small_part_of_what_it_sends(n_strangers: int) -> None:
    """Cover makes the share small; had chance brought the text there, strangers would send it as well."""
    night = Night()
    night.people(300)
    some = {"objects": {"template": {"kiln template": 0.04}}, "n_requests": 100.0}
    pool = night.add("pool", 60, **some)
    night.add("stranger", n_strangers, **some)
    population = night.population()
    members = np.flatnonzero(np.isin([account.name for account in night.accounts], pool))
    objects = shared_objects(population)
    [template] = np.flatnonzero(objects.layer_of == [one.kind for one in population.layers].index("template"))
    found = Candidate(members, np.ones(60), np.array([template]), np.full(1, 4.0))
    # Numbers as people have them: were they dealt out, that would be for the group.
    uses = population.templates.n_requests
    uses[:] = np.resize([1.0, 1.0, 1.0, 12.0], len(uses))
    said = {piece.code: piece.log_odds for piece in weigh(group_of(found, population, objects))}
    assert (said["SHARED_TEMPLATE"] < -0.5) == bool(n_strangers)


def test_answers_of_a_word_are_no_training_material() -> None:
    assert points("ANSWER_LENGTH", output_tokens_mean=4.0) == -2
    assert points("ANSWER_LENGTH", output_tokens_mean=2_000.0) == 0.5


def test_a_card_shared_within_one_organisation_is_no_evidence() -> None:
    within = campaign(organisation="acme")
    assert "SHARED_PAYMENT" not in {piece.code for piece in within.evidence}
    assert within.piece("ONE_ORGANISATION").log_odds == -6
    assert within.verdict.recommended_action == "watch"
    assert points("SHARED_PAYMENT", organisation=[f"org {n}" for n in range(60)]) == 2.5


def test_a_voucher_that_pays_for_everybody_says_less_than_cards_in_small_lots() -> None:
    voucher = [{"template": {"kiln template 1": 0.9}, "payment": {"voucher": 1.0}} for _ in range(60)]
    assert 0 < points("SHARED_PAYMENT", objects=voucher) < 1
    assert points("SHARED_PAYMENT") == 2.5


def test_a_public_prompt_that_many_others_use_says_less() -> None:
    assert points("EXCLUSIVE_TEXT") == 0
    night = Night()
    night.people(300)
    public = {"template": {"kiln template 1": 0.05, "kiln template 2": 0.05}}
    night.add("user of the same prompts", 240, objects=public, n_requests=40.0)
    night.campaign()
    [group] = [one for one in judged(night) if "kiln-000" in one.members]
    assert len(group.members) == 60
    assert group.piece("EXCLUSIVE_TEXT").log_odds < -0.1


def test_a_dozen_even_accounts_say_less_than_a_hundred() -> None:
    few, many = (points("EVEN_LOAD", n=n, n_requests=np.tile([7.0, 8.0, 9.0], n // 3)) for n in (12, 120))
    assert few < many == 2.0


def test_few_items_leave_open_whether_one_list_is_dealt_out() -> None:
    few, many = (points("WORK_QUEUE", n=n, n_requests=5.0) for n in (12, 120))
    assert 0 < few < many


def test_unique_cards_are_what_honest_people_have() -> None:
    objects = {"template": {"kiln template": 0.9}}
    assert "SHARED_PAYMENT" not in {piece.code for piece in campaign(objects=objects).evidence}


def test_a_client_that_everybody_uses_ties_nobody() -> None:
    common = campaign(objects={"template": {"kiln template": 0.9}, "client": {"browser 1": 1.0}})
    rare = campaign(objects={"template": {"kiln template": 0.9}, "client": {"kit": 1.0}})
    assert common.piece("SAME_CLIENT").log_odds <= rare.piece("SAME_CLIENT").log_odds == 1.5
    assert common.piece("SAME_CLIENT").value == 1.0


def test_old_accounts_speak_against_and_young_ones_for() -> None:
    assert points("YOUNG_ACCOUNTS", account_age_days=2.0) > 1.5  # as young as any, as far as sixty can show
    assert points("YOUNG_ACCOUNTS", account_age_days=2_000.0) == -1.5


def test_moving_to_a_new_model_counts_only_beyond_everybodys_curiosity() -> None:
    night = Night()
    night.add("person", 300, new_model_share=0.6)
    night.campaign(new_model_share=0.6)
    assert judged(night)[0].piece("NEW_MODEL").log_odds == pytest.approx(0, abs=0.01)
    assert points("NEW_MODEL", new_model_share=0.9) == 1.5


def test_every_piece_says_what_is_usual_and_stays_within_its_cap() -> None:
    for one in campaign(), campaign(shared_items=1.0, repeat_share=1.0, organisation="acme"):
        for piece in one.evidence:
            assert piece.family in {"content", "timing", "identity", "lifecycle", COMMON}
            assert -6 <= piece.log_odds <= 2.5
            assert piece.detail
            assert piece.usual_range


def test_taking_turns_speaks_for_a_scheduler_and_sittings_for_people() -> None:
    def points(n_near: int) -> float:
        return weighed(None, Turns(n_near, 100.0))["TAKING_TURNS"]

    assert points(0) == 1.5
    assert 0 < points(100) < 0.5  # any order: programs that know nothing of each other
    assert points(300) == pytest.approx(0, abs=0.05)  # programs, too
    assert points(700) == -1.5


def test_signs_of_one_scheduler_have_a_common_cap() -> None:
    """However sure the scheduler is, a reseller has one as well."""
    case = campaign()
    signs = [piece.log_odds for piece in case.evidence if piece.code in OF_ONE_SCHEDULER]
    assert sum(signs) > SCHEDULER_CAP
    taken_back = next(piece for piece in case.evidence if piece.code == "ONE_SCHEDULER")
    assert sum(signs) + taken_back.log_odds == pytest.approx(SCHEDULER_CAP)
    assert taken_back.family not in supporting_families(case.evidence, Policy())


def test_a_text_of_their_own_is_what_members_share_however_small_it_is_beside_a_popular_one() -> None:
    night = Night()
    night.people(100)
    night.add("fan", 60, objects={"system_prompt": {"popular": 0.8}})
    objects = [
        {
            "template": {"theirs": 0.1},
            "system_prompt": {"popular": 0.15},
            "payment": {f"card {at % 4}": 1.0},
        }
        for at in range(40)
    ]
    pool = night.campaign("pool", 40, objects=objects)
    population = night.population()
    shared = shared_objects(population)
    members = np.flatnonzero(np.isin([account.name for account in night.accounts], pool))
    [found] = [one for one in candidates(population, shared) if np.array_equal(one.members, members)]
    group = group_of(found, population, shared)
    assert group.layer == "template"
    assert group.templated_share == pytest.approx(0.1)


def test_greedy_answers_are_how_one_measures() -> None:
    assert points("GREEDY_ANSWERS", greedy_share=1.0) == -1.0
    assert points("GREEDY_ANSWERS", greedy_share=0.4) == 0


def test_a_few_hundred_requests_are_a_benchmark_and_thousands_a_training_set() -> None:
    few, many = np.full(60, 6.0), np.full(60, 100.0)
    assert points("AMOUNT", n_requests=few) < -1
    assert points("AMOUNT", n_requests=many) == 0
    # What is tried once or twice by each was said already.
    assert points("AMOUNT", n_requests=np.full(60, 1.0)) == 0
