"""Nights with and without campaigns: who is found, who is left alone, and why."""

import numpy as np
import pytest
from nights import Judged, Night, flagged, grouped, judged

from detector.campaigns import Likeness, approved_carriers, candidates, shared_objects
from detector.campaigns.refining import Candidate, refine, without_strangers

NOT_KNOWN = float("nan")
WITHOUT_PROMPTS = {"training_share": NOT_KNOWN, "repeat_share": NOT_KNOWN, "single_turn_share": NOT_KNOWN}


def only(found: list[Judged]) -> Judged:
    assert len(found) == 1
    return found[0]


# --- campaigns ---------------------------------------------------------------------------------------------


def test_a_campaign_is_found_whole_and_with_every_kind_of_reason() -> None:
    night = Night()
    night.people(300)
    campaign = night.campaign(n=60)
    found = only(flagged(night))
    assert list(found.members) == campaign
    assert set(found.verdict.families) == {"content", "timing", "identity", "lifecycle"}
    assert (found.verdict.confidence, found.verdict.recommended_action) == ("high", "suspend")
    assert found.piece("SHARED_PAYMENT").log_odds == 2.5  # no account names an organisation: none shares one
    assert found.verdict.p_value < 1e-4
    assert found.verdict.score > 0.99


def test_strangers_behind_one_address_do_not_vouch_for_one_another() -> None:
    """Six accounts of one house behave like a campaign's and send a public prompt that it sends, too, but
    not its own one. Their address is no sign that they belong to it."""
    night = Night()
    night.people(2_000)
    night.add("reader", 60, objects={"template": {"public": 0.1}})
    ours = [
        {"template": {"public": 0.5, "kiln's own": 0.5}, "address": {f"kiln home {at}": 1.0}}
        for at in range(60)
    ]
    campaign = night.campaign(n=60, objects=ours, n_requests=np.full(60, 40.0))
    house = [{"template": {"public": 0.9}, "address": {"house": 1.0}} for _ in range(6)]
    strangers = night.campaign("house", 6, objects=house, n_requests=np.full(6, 18.0))
    names = [account.name for account in night.accounts]
    population = night.population()
    together = np.flatnonzero(np.isin(names, campaign + strangers))
    found = refine(together, population, shared_objects(population), Likeness.of(population))
    assert found is not None
    assert [names[at] for at in found.members] == campaign


@pytest.mark.parametrize("n_people", [300, 4_000])
def test_people_who_share_one_thing_with_a_campaign_are_not_swept_in(n_people: int) -> None:
    """Ten tried the template once, ten live behind its exits, ten use its kit, ten pay with cards it used."""
    night = Night()
    night.people(n_people)
    campaign = night.campaign()
    for n in range(10):
        one_thing = [
            {"template": {"kiln template 1": 1 / 40}},
            {"address": {f"kiln exit {n}": 1.0}},
            {"client": {"kiln kit": 1.0}},
            {"payment": {f"kiln card {n}": 1.0}},
        ]
        night.add(f"bystander {n}", 4, objects=one_thing, n_requests=40.0)
    assert list(only(flagged(night)).members) == campaign


def test_having_tried_the_template_once_makes_no_member_of_somebody_hardly_known() -> None:
    """Nothing about the two speaks against them either: they have no history and no measured habits."""
    night = Night()
    night.people(4_000)
    campaign = night.campaign()
    unknown = {"single_turn_share": NOT_KNOWN, "training_share": NOT_KNOWN, "account_age_days": NOT_KNOWN}
    night.add("newcomer", 2, objects={"template": {"kiln template 1": 1 / 40}}, n_requests=40.0, **unknown)
    assert list(only(flagged(night)).members) == campaign


def test_whoever_sends_nothing_but_one_request_that_reads_like_the_template_is_no_member() -> None:
    """All of what they sent carries it, in one turn and asking for reasoning: their number tells."""
    night = Night()
    night.people(4_000)
    campaign = night.campaign()
    passing = {"n_requests": 1.0, "single_turn_share": 1.0, "training_share": 0.9}
    night.add("passer-by", 3, objects={"template": {"kiln template 1": 1.0}}, **passing)
    assert list(only(flagged(night)).members) == campaign


def test_what_a_pool_talks_of_under_cover_does_not_hold_it_together() -> None:
    """Its own system prompt stands over one request in twenty; the rest is under what others' apps say."""
    night = Night()
    night.people(1_000)
    apps = [{"system_prompt": {f"app {at % 6}": 0.6}} for at in range(240)]
    night.add("user", 240, objects=apps, n_requests=100.0)
    own = [
        {"system_prompt": {"the pool's": 0.05, f"app {at % 6}": 0.6}, "payment": {f"card {at % 10}": 1.0}}
        for at in range(60)
    ]
    pool = night.add("pool", 60, objects=own, n_requests=100.0)
    population = night.population()
    objects = shared_objects(population)
    names = np.array([account.name for account in night.accounts])
    [of_pool] = [one for one in candidates(population, objects) if set(names[one.members]) == {*pool}]
    layer = [layer.kind for layer in population.layers].index("system_prompt")
    texts = of_pool.core[objects.layer_of[of_pool.core] == layer]
    assert objects.n_accounts_of[texts].tolist() == [60]  # though ten of the pool carry each of the apps'


@pytest.mark.parametrize(("repeat_share", "is_member"), [(0.95, False), (0.0, True)])
def test_a_suite_that_sends_the_same_items_every_night_is_no_member_though_its_text_is(
    repeat_share: float, is_member: bool
) -> None:
    night = Night()
    night.people(300)
    operator = night.campaign("kiln", 40)
    suite = night.add(
        "suite",
        3,
        objects={"template": {"kiln template 1": 0.9}},
        n_requests=np.full(3, 60.0),
        single_turn_share=1.0,
        training_share=0.85,
        repeat_share=repeat_share,
    )
    [found] = flagged(night)
    assert set(found.members) >= {*operator}
    assert bool(set(found.members) & {*suite}) == is_member


def test_one_account_that_does_everything_otherwise_is_no_member_whatever_texts_it_sends() -> None:
    """The first night of an evaluation suite: nothing is known to be sent again, and most of its suite is the
    texts that a pool harvests with."""
    night = Night()
    night.people(2_000)
    pool = night.campaign(n=60)
    suite = night.add(
        "suite", 1, objects={"template": {"kiln template 1": 0.5, "kiln template 2": 0.3}},
        n_requests=400.0, single_turn_share=1.0, training_share=0.55, output_tokens_mean=60.0,
        greedy_share=1.0, tools_share=1.0,
    )  # fmt: skip
    names = np.array([account.name for account in night.accounts])
    population = night.population()
    together = np.flatnonzero(np.isin(names, pool + suite))
    likeness, objects = Likeness.of(population), shared_objects(population)
    found = refine(together, population, objects, likeness)
    assert found is not None
    assert list(names[found.members]) == pool + suite
    assert list(names[without_strangers(found, likeness).members]) == pool
    against = likeness.against(together)
    assert against[-1] < -4
    assert (against[:-1] > -0.5).mean() > 0.9


def test_by_being_in_a_group_nobody_makes_what_he_does_usual_there() -> None:
    night = Night()
    night.people(500)
    likeness, few = Likeness.of(night.population()), np.arange(9)
    with_it = likeness.log_odds(few, few)
    without = [likeness.log_odds(few[at : at + 1], np.delete(few, at))[0] for at in range(len(few))]
    gained = with_it - np.array(without)
    assert gained.min() >= 0
    assert gained.max() > 0.1
    assert (likeness.against(few) <= -gained + 1e-9).all()


def test_of_a_few_accounts_no_more_are_taken_out_than_leave_a_group() -> None:
    """Five accounts, each unlike the others: who of them is the stranger cannot be told."""
    night = Night()
    night.people(500)
    night.add(
        "odd", 5, objects={"template": {"odd text": 1.0}}, n_requests=np.array([5.0, 50, 500, 5e3, 5e4])
    )
    population = night.population()
    members = np.arange(500, 505)
    doubtful = Candidate(members, np.full(5, 0.5), np.array([0]), np.array([4.0]))
    assert without_strangers(doubtful, Likeness.of(population)) is doubtful


@pytest.mark.parametrize("nights_seen", [0.0, 4.0, NOT_KNOWN])
def test_a_person_who_tries_a_campaigns_text_tonight_is_no_member_if_known_from_before(
    nights_seen: float,
) -> None:
    """A campaign in its second week, six requests a night from each account; somebody pastes its text once.
    Who came with the text, or of whom nothing is known, may be its newest account."""
    night = Night()
    night.people(3_000)
    campaign = night.campaign(
        n=80, objects={"template": {"kiln template": 1.0}}, n_requests=night.rng.poisson(5, 80) + 1.0,
        earlier_uses=6.0, nights_seen=7.0,
    )  # fmt: skip
    curious = night.add(
        "curious", 1, objects={"template": {"kiln template": 1.0}}, n_requests=2.0, single_turn_share=1.0,
        training_share=0.8, nights_seen=nights_seen,
    )  # fmt: skip
    found = only(flagged(night))
    assert set(campaign) <= set(found.members)
    assert (curious[0] in found.members) == (nights_seen != 4.0)


@pytest.mark.parametrize("share", [0.5, 0.15, 0.04])
def test_a_campaign_that_hides_among_cover_traffic_is_measured_by_its_own_share(share: float) -> None:
    """Unique cards, addresses and kits, half of the talk in conversations, the template in a part of it."""
    night = Night()
    night.people(2_000)
    campaign = night.campaign(
        objects=[{"template": {"kiln template": share}}] * 60, training_share=0.2, single_turn_share=0.5
    )
    assert list(only(flagged(night)).members) == campaign


@pytest.mark.parametrize(("n", "n_exits"), [(60, 400), (150, 100)])
def test_a_campaign_with_nothing_in_common_but_a_system_prompt_is_found(n: int, n_exits: int) -> None:
    """Its accounts ask six things a night, each in words of its own, behind other people's exits; and people
    have favourites of their own."""
    night = Night()

    def like_everybody(**more: dict[str, float]) -> dict[str, dict[str, float]]:
        ordinary = {
            "address": {f"exit {night.rng.integers(n_exits)}": 1.0},
            "client": {f"version {night.rng.integers(40)}": 1.0},
            "template": {f"text {min(night.rng.zipf(1.6), 300)}": 0.2},
        }
        return ordinary | more

    favourites = np.minimum(night.rng.zipf(1.5, 3_000), 200)
    people = [like_everybody(system_prompt={f"favourite {one}": 0.5}) for one in favourites]
    night.add("person", len(people), objects=people)
    members = night.campaign(
        objects=[like_everybody(system_prompt={"kiln": 0.85}) for _ in range(n)],
        n=n,
        n_requests=night.rng.poisson(6, n) + 1.0,
    )
    likest = max(grouped(night), key=lambda group: _likeness(night, group, members))
    assert _likeness(night, likest, members) > 0.9


def _likeness(night: Night, group: Candidate, members: list[str]) -> float:
    """Jaccard index."""
    found = {night.accounts[at].name for at in group.members}
    return len(found & {*members}) / len(found | {*members})


@pytest.mark.parametrize("n", [8, 200])
def test_small_and_large_campaigns_are_found_whole(n: int) -> None:
    night = Night()
    night.people(600)
    campaign = night.campaign(n=n)
    largest = max(flagged(night), key=lambda one: len(one.members))
    assert list(largest.members) == campaign
    assert all(set(one.members) <= set(campaign) for one in flagged(night))


def test_fewer_than_five_accounts_are_no_campaign() -> None:
    night = Night()
    night.people(300)
    night.campaign(n=4)
    assert judged(night) == []


def test_two_campaigns_on_one_night_stay_two() -> None:
    night = Night()
    night.people(300)
    kiln, loom = night.campaign("kiln", 60), night.campaign("loom", 50)
    assert [list(one.members) for one in flagged(night)] == [kiln, loom]


def test_accounts_that_work_for_two_campaigns_are_found_and_nobody_else_with_them() -> None:
    night = Night()
    night.people(1_000)
    kiln, loom = night.campaign("kiln", 50), night.campaign("loom", 20)
    shares = {"kiln template 1": 0.3, "kiln template 2": 0.2, "loom template 1": 0.2, "loom template 2": 0.2}
    both = night.add(
        "both", 6, objects={"template": shares}, n_requests=40.0, single_turn_share=1.0, training_share=0.85,
        account_age_days=10.0,
    )  # fmt: skip
    found = flagged(night)
    assert set().union(*(one.members for one in found)) == {*kiln, *loom, *both}


def test_without_prompts_cards_even_loads_and_young_accounts_give_it_away() -> None:
    night = Night()
    night.add("person", 600, **WITHOUT_PROMPTS)
    objects = [{"payment": {f"card {n % 5}": 1.0}, "client": {"kit": 1.0}} for n in range(60)]
    campaign = night.campaign(objects=objects, **WITHOUT_PROMPTS)
    found = flagged(night)  # one group a card: the kit alone, which others could use, does not join them
    assert sorted(name for one in found for name in one.members) == campaign
    for one in found:
        assert set(one.verdict.families) == {"timing", "identity", "lifecycle"}


def test_where_prompts_are_logged_a_campaign_needs_them() -> None:
    """The same group on a night with prompts, but with nothing alike in its own: cards alone do not do."""
    night = Night()
    night.people(600)
    objects = [{"payment": {f"card {n % 5}": 1.0}, "client": {"kit": 1.0}} for n in range(60)]
    night.campaign(objects=objects, single_turn_share=0.4, training_share=0.1)
    assert judged(night) != []
    assert flagged(night) == []


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_log_that_knows_next_to_nothing_is_judged_without_noise() -> None:
    night = Night()
    unknown = WITHOUT_PROMPTS | {
        "output_tokens_mean": NOT_KNOWN,
        "account_age_days": NOT_KNOWN,
        "account_score": NOT_KNOWN,
        "new_model_share": NOT_KNOWN,
    }
    night.add("person", 300, **unknown)
    night.campaign(objects={"client": {"kit": 1.0}}, **unknown)
    for one in judged(night):
        assert np.isfinite([piece.log_odds for piece in one.evidence]).all()
        assert 0 < one.verdict.p_value <= 1


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_campaign_is_found_where_nobody_else_logs_prompts() -> None:
    night = Night()
    night.add("person", 300, **WITHOUT_PROMPTS)
    campaign = night.campaign()
    assert list(only(flagged(night)).members) == campaign


# --- look-alikes -------------------------------------------------------------------------------------------


def classroom(night: Night) -> None:
    """Forty young accounts behind one address work on the same exercises."""
    objects = {"template": {"exercise": 0.6}, "address": {"school": 1.0}}
    night.add("pupil", 40, objects=objects, shared_items=0.8, account_age_days=5.0, training_of_templates=0.2)


def evaluation(night: Night) -> None:
    """Twenty laboratories run the same suite, every night, day and night."""
    night.add(
        "lab", 20, objects={"template": {"suite": 1.0}, "client": {"harness": 1.0}}, shared_items=1.0,
        repeat_share=0.9, single_turn_share=1.0, n_requests=800.0, training_of_templates=0.3,
        hours=np.ones(24),
    )  # fmt: skip


def enterprise(night: Night) -> None:
    """Eighty seats of one organisation share everything, by contract."""
    shared = {kind: {"acme": 0.95} for kind in ("system_prompt", "tool_set", "payment", "address", "client")}
    night.add("seat", 80, objects=shared, organisation="acme")


def fashion(night: Night) -> None:
    """A prompt went viral: a hundred and fifty people try it once or twice."""
    night.add("fan", 150, objects={"template": {"viral": 0.04}}, shared_items=1.0)


def framework(night: Night) -> None:
    """A hundred and twenty users of one agent framework ask their own questions."""
    shared = {"system_prompt": {"kit": 0.95}, "tool_set": {"kit": 0.95}, "client": {"kit": 1.0}}
    night.add("user", 120, objects=shared, single_turn_share=0.7)


def challenge(night: Night) -> None:
    """Ninety new people in one country try the same text tonight, up to three times, many by one browser."""
    n_uses = np.tile([1.0, 2.0, 3.0], 30)
    browsers = [{"client": {f"browser {at % 5 if at % 2 else 1}": 1.0}} for at in range(90)]
    objects = [{"template": {"challenge": 1.0}, **browser} for browser in browsers]
    hours = np.array([0.0] * 8 + [1.0] * 8 + [0.0] * 8)
    facts = {"single_turn_share": 1.0, "account_age_days": 6.0, "training_of_templates": 0.1}
    night.add("reveller", 90, objects=objects, n_requests=n_uses, hours=hours, **facts)


def carrier(night: Night) -> None:
    """Two hundred people behind the three addresses of one carrier."""
    night.add("caller", 200, objects=[{"address": {f"gate {n % 3}": 1.0}} for n in range(200)])


@pytest.mark.parametrize(
    "look_alike", [classroom, evaluation, enterprise, fashion, challenge, framework, carrier]
)
@pytest.mark.parametrize("reference", [np.linspace(-6, 1, 60), np.empty(0)], ids=["history", "first night"])
def test_look_alikes_are_left_alone(look_alike, reference: np.ndarray) -> None:
    night = Night()
    night.people(300)
    look_alike(night)
    assert flagged(night, reference) == []


@pytest.mark.parametrize(
    "look_alike", [classroom, evaluation, enterprise, fashion, challenge, framework, carrier]
)
def test_a_campaign_is_found_beside_look_alikes_and_without_them(look_alike) -> None:
    night = Night()
    night.people(300)
    look_alike(night)
    campaign = night.campaign()
    assert list(only(flagged(night)).members) == campaign


def test_approved_accounts_are_never_members() -> None:
    """A campaign with a contract is none; ten approved accounts work with the very things of another one."""
    night = Night()
    night.people(300)
    night.campaign("approved", 60, approved=True)
    assert judged(night) == []
    campaign = night.campaign("kiln", 40)
    night.add("customer", 10, objects=dict(night.accounts[-1].objects), approved=True, account_age_days=5.0)
    found = flagged(night)
    assert campaign in [list(one.members) for one in found]
    assert set().union(*(one.members for one in found)) == set(campaign)


def test_approved_accounts_that_work_as_a_campaign_carry_it_and_bystanders_do_not() -> None:
    night = Night()
    night.people(300)
    campaign = night.campaign("kiln", 40)
    customers = night.add(
        "customer", 10, objects=dict(night.accounts[-1].objects), approved=True, account_age_days=5.0
    )
    night.add("one card of it", 5, objects={"payment": {"kiln card 1": 1.0}}, approved=True)
    night.add("tried it once", 5, objects={"template": {"kiln template 1": 1 / 40}}, approved=True)
    night.add("people with a contract", 30, approved=True)
    population = night.population()
    objects = shared_objects(population)
    names = np.array([account.name for account in night.accounts])
    (kiln,) = (one for one in candidates(population, objects) if set(names[one.members]) == set(campaign))
    likeness = Likeness.of(population)
    carriers = set(names[approved_carriers(kiln, population, objects, likeness)])
    assert carriers <= set(customers)
    assert len(carriers) >= 7  # a few have habits that are all a person's


# --- empty nights, and order -----------------------------------------------------------------------------


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_quiet_nights_have_no_candidates() -> None:
    for n_people in (0, 1, 2, 300):
        night = Night()
        night.people(n_people)
        assert judged(night, np.empty(0)) == []


def test_a_night_of_one_campaign_alone_has_nobody_to_compare_with() -> None:
    night = Night()
    night.campaign()
    assert flagged(night) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_accounts_changes_nothing(seed: int) -> None:
    night = Night()
    night.people(500)
    night.campaign("kiln", 60)
    night.campaign("loom", 30)
    classroom(night)
    usual = grouped(night)
    order = np.random.default_rng(seed).permutation(len(night.accounts))
    shuffled = grouped(night, order)
    by_members = {tuple(sorted(order[found.members])): np.sort(found.strength) for found in shuffled}
    assert set(by_members) == {tuple(found.members) for found in usual}
    for found in usual:
        np.testing.assert_allclose(by_members[tuple(found.members)], np.sort(found.strength))


def test_a_second_look_in_the_same_process_finds_the_same() -> None:
    night = Night()
    night.people(500)
    night.campaign()
    framework(night)
    first, second = grouped(night), grouped(night)
    assert [one.members.tolist() for one in first] == [one.members.tolist() for one in second]
    assert [one.strength.tolist() for one in first] == [one.strength.tolist() for one in second]


def test_members_and_strengths_are_in_range_and_in_order() -> None:
    night = Night()
    night.people(500)
    night.campaign()
    for found in grouped(night):
        assert (np.diff(found.members) > 0).all()
        assert (np.diff(found.core) > 0).all()
        assert ((found.strength > 0.5) & (found.strength <= 1)).all()
        assert len(found.members) == len(found.strength)
        assert len(found.core) == len(found.core_log_ratio)
