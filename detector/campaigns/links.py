"""The links that hold a group together, and what would be left of the case against it without each kind.

Here: how strong each kind of link is and how far it reaches; weighing the group again as if nobody knew of
one kind. Not here: the links themselves (communities), what evidence is worth (evidence), verdicts
(decision).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.campaigns import evidence as ask
from detector.campaigns.evidence import QUESTIONS, Evidence
from detector.campaigns.group import Group, group_of
from detector.campaigns.likeness import Likeness
from detector.campaigns.population import (
    Bool,
    FailOvers,
    HandOvers,
    Layer,
    Population,
    SharedObjects,
    Uses,
)
from detector.campaigns.refining import LAYER_WEIGHT, Candidate, remaining


@dataclass(frozen=True, slots=True)
class Link:
    """One kind of thing that a group's accounts share and others do not.

    strength : log-likelihood ratio against chance of the most telling object of the kind, times `reach`
    reach : 0 to 1: part of the members that carry any of them
    n_objects : how many objects of the kind hold the group together
    """

    kind: str
    strength: float
    reach: float
    n_objects: int


def links_of(candidate: Candidate, population: Population, objects: SharedObjects) -> list[Link]:
    """The kinds of links that hold a candidate together, strongest first, ties by kind."""
    links = []
    for position, layer in enumerate(population.layers):
        mine = objects.layer_of[candidate.core] == position
        if not mine.any():
            continue
        carrier, _, _ = objects.carried(candidate.members, candidate.core[mine])
        reach = len(np.unique(carrier)) / len(candidate.members)
        strength = float(candidate.core_log_ratio[mine].max()) * reach
        links.append(Link(layer.kind, strength, reach, int(mine.sum())))
    return sorted(links, key=lambda link: (-link.strength, link.kind))


FEW_USES = 5.0
"""Requests from the shared texts, over two weeks, up to which somebody may just have tried them: a fashion is
used one to three times, a harvest is work."""


MORE_THAN_A_KIT = 0.5
"""LAYER_WEIGHT from which a layer tells more than what everybody with one kit has in common."""


def loosely_tied(candidate: Candidate, group: Group, objects: SharedObjects) -> Bool:
    """Members who may be bystanders: a single kind of link ties them to the candidate, and they hardly used
    the texts it shares. bool, shape (n_members,).

    They stay members, for most of such accounts are the campaign's newest or quietest ones; nothing stronger
    than watching should follow from one thing in common. Where a group shares no texts there is no telling,
    but where the size of requests stands in their place: applications have sizes and kits in common, too, so
    nothing stronger should follow from those.
    """
    layers = objects.layer_of[candidate.core]
    held_by = {group.population.layers[at].kind for at in np.unique(layers)}
    if len(group.rows) == 0 and "size" not in held_by:
        return np.zeros(len(candidate.members), dtype=np.bool_)
    weight = np.array([LAYER_WEIGHT[layer.kind] for layer in group.population.layers])
    tells = weight >= (MORE_THAN_A_KIT if "size" in held_by else 0.0)
    member, at, _ = objects.carried(candidate.members, candidate.core[tells[layers]])
    kinds = np.unique(np.stack([member, layers[tells[layers]][at]]), axis=1)
    n_kinds = np.bincount(kinds[0], minlength=len(candidate.members))
    uses = group.templated_requests + group.earlier_requests
    return np.asarray((n_kinds < 2) & (uses < FEW_USES))


OF_MEMBERS_ALONE: dict[Callable[[Group], Evidence | None], str] = {
    ask.added_text: "ADDED_TEXT",
    ask.short_answers: "ANSWER_LENGTH",
    ask.greedy_answers: "GREEDY_ANSWERS",
    ask.conversation: "SINGLE_TURN",
    ask.even_load: "EVEN_LOAD",
    ask.sleepless: "ROUND_THE_CLOCK",
    ask.one_customer: "ONE_ORGANISATION",
    ask.young_accounts: "YOUNG_ACCOUNTS",
    ask.moved_together: "NEW_MODEL",
    ask.unusual_accounts: "UNUSUAL_ACCOUNTS",
}
"""Questions that look at no link, and the code of their answer: asked of the same members they are answered
the same, and they are the ones that go over the whole night."""


def weigh_without(
    kind: str,
    candidate: Candidate,
    group: Group,
    pieces: Sequence[Evidence],
    objects: SharedObjects,
    likeness: Likeness,
) -> list[Evidence] | None:
    """The evidence that would be left if nobody knew of one kind of link.

    Members whom that kind alone ties to the group leave; of the rest everything is asked again as if no
    account shared anything of the kind.

    Parameters
    ----------
    kind : a kind of `links_of(candidate, ...)`
    group, pieces : the candidate's group and the evidence on it as it is

    Returns
    -------
    Evidence in the order of `weigh`; None when fewer than five members remain: nothing else holds it together
    """
    kinds = [layer.kind for layer in group.population.layers]
    kept = objects.layer_of[candidate.core] != kinds.index(kind)
    left = remaining(candidate, kept, group.population, objects, likeness)
    if left is None:
        return None
    again = group_of(left, _unseen(group.population, kind), objects)
    if again.layer == group.layer and kind != group.layer:
        again = replace(again, slots=group.slots, turns=group.turns)
    known = {piece.code: piece for piece in pieces}
    same_members = len(left.members) == len(candidate.members)  # nobody joins
    answers = (
        known.get(OF_MEMBERS_ALONE[question])
        if same_members and question in OF_MEMBERS_ALONE
        else question(again)
        for question in QUESTIONS
    )
    return ask.summed_up([piece for piece in answers if piece is not None])


def _unseen(population: Population, kind: str) -> Population:
    """The night as it would look if that kind of thing were in no log; its layer stays, empty, so that the
    objects keep their numbers."""
    nothing = np.empty(0, dtype=np.int64)
    layers = tuple(
        Layer(kind, nothing, nothing, np.empty(0), layer.n_objects) if layer.kind == kind else layer
        for layer in population.layers
    )
    return replace(
        population,
        layers=layers,
        payment=np.full(len(population), -1) if kind == "payment" else population.payment,
        templates=Uses.none() if kind == "template" else population.templates,
        systems=Uses.none() if kind == "system_prompt" else population.systems,
        fail_overs=FailOvers.none() if kind == "fail_over" else population.fail_overs,
        hand_overs=HandOvers.none() if kind == "template" else population.hand_overs,
    )
