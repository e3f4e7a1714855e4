"""What holds a campaign together, and what is left of the case against it without each kind of link."""

from dataclasses import replace

import numpy as np
import pytest
from nights import KINDS, Night

from detector.campaigns import (
    Candidate,
    Group,
    Likeness,
    candidates,
    group_of,
    links_of,
    loosely_tied,
    shared_objects,
    weigh_without,
    without_link,
)
from detector.campaigns import weigh as weigh_all
from detector.campaigns.links import OF_MEMBERS_ALONE, _unseen
from detector.campaigns.population import Uses
from detector.campaigns.wording import PLAIN_LINK


class Case:
    """The largest group of a night, and all that weighing it again takes."""

    def __init__(self, night: Night) -> None:
        self.population = night.population()
        self.objects = shared_objects(self.population)
        found = candidates(self.population, self.objects)
        self.candidate: Candidate = max(found, key=lambda one: len(one.members))
        self.group: Group = group_of(self.candidate, self.population, self.objects)
        self.evidence = weigh_all(self.group)
        self.likeness = Likeness.of(self.population)

    @property
    def kinds(self) -> list[str]:
        return [link.kind for link in links_of(self.candidate, self.population, self.objects)]

    def without(self, kind: str) -> dict[str, float] | None:
        pieces = weigh_without(kind, self.candidate, self.group, self.evidence, self.objects, self.likeness)
        return None if pieces is None else {piece.code: piece.log_odds for piece in pieces}

    def total_without(self, kind: str) -> float:
        return sum((self.without(kind) or {}).values())

    @property
    def total(self) -> float:
        return sum(piece.log_odds for piece in self.evidence)


def campaign(**facts: object) -> Case:
    night = Night()
    night.people(300)
    night.campaign(**facts)
    return Case(night)


def test_each_kind_of_link_has_its_strength_and_its_reach() -> None:
    """Two templates, ten cards and twelve exits, one kit: everybody of sixty has some of each."""
    case = campaign()
    links = {link.kind: link for link in links_of(case.candidate, case.population, case.objects)}
    assert set(links) == {"template", "payment", "address", "client"}
    assert {kind: link.n_objects for kind, link in links.items()} == {
        "template": 2, "payment": 10, "address": 12, "client": 1,
    }  # fmt: skip
    assert all(link.reach == 1.0 for link in links.values())
    assert links["template"].strength > links["client"].strength > 0


def test_a_link_that_reaches_half_of_the_members_counts_half() -> None:
    kit = [{"client": {"kiln kit": 1.0}}, {}] * 30
    texts = {"template": {"kiln template": 0.9}}
    case = campaign(objects=[texts | own for own in kit])
    links = {link.kind: link for link in links_of(case.candidate, case.population, case.objects)}
    assert links["client"].reach == pytest.approx(0.5)
    assert links["template"].reach == 1.0


def test_without_payment_only_what_payment_said_is_missing() -> None:
    case = campaign()
    before = {piece.code: piece.log_odds for piece in case.evidence}
    assert before["SHARED_PAYMENT"] > 1
    left = case.without("payment")
    assert before["ONE_SCHEDULER"] < 0  # with payment the signs of one scheduler go beyond their common cap
    gone = ("SHARED_PAYMENT", "ONE_SCHEDULER")
    assert left == {code: points for code, points in before.items() if code not in gone}


def test_without_templates_the_content_of_the_case_is_gone() -> None:
    """Cards, exits and the kit still tie them; nothing is known of a work queue or of what is asked."""
    case = campaign()
    left = case.without("template")
    assert left is not None
    assert left["SHARED_TEMPLATE"] < 0
    assert not {"WORK_QUEUE", "TRAINING_TECHNIQUE", "LASTING_USE"} & set(left)
    assert left["SHARED_PAYMENT"] > 1
    assert case.total_without("template") < case.total - 3


def test_a_group_that_one_kind_alone_holds_falls_apart_without_it() -> None:
    case = campaign(objects={"template": {"kiln template": 0.9}})
    assert case.kinds == ["template"]
    assert case.without("template") is None


def test_members_whom_only_that_kind_ties_leave_with_it() -> None:
    """Ten accounts share the template and nothing else; without it the fifty with cards remain."""
    texts = {"template": {"kiln template": 0.9}}
    cards = [texts | {"payment": {f"kiln card {at % 5}": 1.0}} for at in range(50)]
    # Those who share the template alone are old: of fifty that remain more are young.
    ages = np.array([10.0] * 50 + [800.0] * 10)
    case = campaign(objects=[*cards, *[texts] * 10], account_age_days=ages)
    before = {piece.code: piece.log_odds for piece in case.evidence}
    left = case.without("template")
    assert left is not None
    assert left["YOUNG_ACCOUNTS"] > before["YOUNG_ACCOUNTS"]


def test_a_system_prompt_takes_the_place_of_templates_that_nobody_knows_of() -> None:
    """The texts that are left are looked at instead, as they would have been."""
    both = {"template": {"kiln template": 0.9}, "system_prompt": {"kiln rules": 1.0}}
    left = campaign(objects=both).without("template")
    assert left is not None
    assert "SHARED_SYSTEM_PROMPT" in left
    assert "SHARED_TEMPLATE" not in left


def test_what_is_not_asked_again_would_have_been_answered_the_same() -> None:
    """Those questions look neither at what is shared nor at the texts, only at who the members are."""
    case = campaign()
    nobody = np.empty(0, dtype=np.int64)
    for kind in case.kinds:
        unseen = _unseen(case.population, kind)
        blind = replace(case.group, population=unseen, rows=nobody, account=nobody, uses=Uses.none())
        for question, code in OF_MEMBERS_ALONE.items():
            answer = question(case.group)
            assert question(blind) == answer
            assert answer is None or answer.code == code


def test_it_is_said_in_plain_words_for_every_kind() -> None:
    assert set(PLAIN_LINK) == set(KINDS)
    assert without_link("payment", 10.4, 7.06, stands=True) == (
        "without shared payment: 7.1 of 10.4, still flagged"
    )
    assert without_link("client", 10.4, 3.0, stands=False) == (
        "without the same client: 3.0 of 10.4, not flagged"
    )
    apart = without_link("template", 10.4, None, stands=False)
    assert apart == "without shared templates: nothing else ties the accounts together"


def test_who_has_one_thing_in_common_and_hardly_used_it_may_be_a_bystander() -> None:
    """Members with texts and cards are not; nor is one with the texts alone who goes on using them."""
    text = {"template": {"kiln template 0": 0.9, "kiln template 1": 0.9}}
    objects = [text | {"payment": {f"kiln card {n % 6}": 1.0}} for n in range(30)] + [text] * 30
    n = np.array([20.0] * 30 + [20.0] * 15 + [1.0] * 15)
    case = campaign(objects=objects, n_requests=n)
    loose = loosely_tied(case.candidate, case.group, case.objects)
    n_of_member = case.population.n_requests[case.candidate.members]
    assert loose.any()
    assert (n_of_member[loose] == 1).all()
    assert not loose[n_of_member > 1].any()
