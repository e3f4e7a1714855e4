"""Evidence from what is asked: texts in common, what fills them, what they are for, how they are answered.

Here: one function per piece. Not here: when it was sent (timing), by whom (identity, lifecycle).
"""

import math

import numpy as np
from scipy import special

from detector.campaigns.evidence.piece import Evidence
from detector.campaigns.group import MOST_MEMBERS, Group, Slots
from detector.campaigns.loads import is_dealt
from detector.campaigns.measures import (
    any_known,
    ramp,
    requests_weighted,
    weighted_of_others,
)
from detector.campaigns.population import Bool
from detector.campaigns.shares import lower_share, upper_share

SYSTEM_CAP = 0.5
"""Half the say for a shared system prompt: frameworks give theirs to thousands of strangers, and what people
ask under one differs anyway."""


TALK = 0.3
"""Mean share of requests that open and end a conversation below which people talk (`conversation`)."""


def _most_for_distinct_items(group: Group) -> float:
    """The most that it tells when no item comes twice, or when any member might have sent it: what is asked
    under one system prompt differs anyway, and words of people who talk are their own, through whose account
    they may have been sent."""
    if group.layer != "system_prompt":
        return math.inf
    shares = group.population.single_turn_share[group.members]
    return 0.0 if any_known(shares) and np.nanmean(shares) < TALK else SYSTEM_CAP


def shared_template(group: Group) -> Evidence | None:
    """How much of the members' traffic is made from the texts they share."""
    if not group.has_content:
        return None
    share = group.templated_share
    # Sharing a text is what look-alikes do too, so it says little; sharing little speaks against, but where
    # the uses are dealt out: cover traffic makes a share small, and what agrees by chance is not dealt.
    points = ramp(share, (0.05, -1.0), (0.3, 0.5), (0.6, 1.0))
    if (
        group.layer == "template"
        and len(group.members) >= LEAST_LIKENESS
        and is_dealt(group.templated_requests)
    ):
        points = max(points, 0.0)
    if group.own_reach >= MOST_MEMBERS:
        points = max(points, 0.0)  # by chance nobody sends what is the group's alone, however rarely they do
    if group.layer == "system_prompt":
        return Evidence(
            "content", "SHARED_SYSTEM_PROMPT", "share of requests under the same few system prompts",
            share, "under 0.2 for people, near 1 for users of one framework", min(points, SYSTEM_CAP),
        )  # fmt: skip
    return Evidence(
        "content", "SHARED_TEMPLATE", "share of requests made from the same few templates",
        share, "under 0.2 for people", points,
    )  # fmt: skip


SIZE_CAP = 2.0
"""Odds of seven: users of one application or one benchmark send requests of one size as well."""


def one_size(group: Group) -> Evidence | None:
    """Whether requests whose prompts are not known are of one size, as a template around short items makes
    them: those of people differ a hundredfold."""
    layer = group.population.layer("size")
    if group.has_content or layer is None or len(layer.object) == 0:
        return None
    inside = np.bincount(layer.object[group.rows_in(layer)], minlength=layer.n_objects)
    top = int(inside.argmax())
    everywhere = group.population.once.of("of a size", np.bincount, layer.object)
    n_members, n_others = len(group.members), len(group.population) - len(group.members)
    share = float(inside[top]) / n_members
    outside = float(everywhere[top] - inside[top]) / max(n_others, 1)
    # As in `same_client`: as much counts as so few can show.
    lift = math.log((share + 0.02) / (outside + 0.02)) * lower_share(share, n_members)
    return Evidence(
        "content", "ONE_SIZE", "share of accounts most of whose requests are of one size in tokens",
        share, f"{outside:.2f} of the night's other accounts", min(max(lift, 0.0), SIZE_CAP),
    )  # fmt: skip


LEAST_ITEMS = 40
"""Fewer items cannot show whether one list is being dealt out."""


def exclusive_text(group: Group) -> Evidence | None:
    """Whether the texts are the group's own, or a public prompt that many others use as well."""
    if len(group.rows) == 0:
        return None
    weight = group.uses.n_requests
    own = float((weight * group.exclusiveness).sum() / max(weight.sum(), 1e-9))
    return Evidence(
        "content", "EXCLUSIVE_TEXT", "share of the accounts that use the shared texts which are in the group",
        own, "near 0 for a framework's public prompt",
        0.0 if _pass_on_texts(group) else ramp(own, (0.1, -2.0), (0.4, -0.5), (0.7, 0.0)),
    )  # fmt: skip


def work_queue(group: Group) -> Evidence | None:
    """Whether the slots look like one list dealt out, or like many people sending the same things."""
    items = group.uses.n_items.sum()
    if items < LEAST_ITEMS:
        return None
    repeated = float(group.uses.n_shared_items.sum() / items)
    as_far_as_known = upper_share(repeated, float(items))
    many_samples = group.slots is not None and _samples_of_one_list(group.slots)
    # Classes, suites, benchmarks and fashions send the same items from many accounts; one operator who pays
    # for every answer sends each item once.
    points = ramp(as_far_as_known, (0.03, 1.5), (0.15, 0.5), (0.3, -1.0), (0.6, -4.0))
    if many_samples or _pass_on_texts(group):
        points = max(points, 0.0)
    return Evidence(
        "content", "WORK_QUEUE", "share of items that more than one account sent",
        repeated, "0.3 to 1 where many people do the same task",
        min(points, _most_for_distinct_items(group)),
    )  # fmt: skip


MOST_HELD = 0.5
"""Of people who do the same task most send its items; of a list that is dealt out many times over, each
account holds a small part."""


def _samples_of_one_list(slots: Slots) -> bool:
    """Whether items come again because a scheduler deals the list several times, not because people agree:
    nobody holds much of it, any account might have got any item, and loads are more even than people's."""
    return (
        slots.n_compared >= LEAST_LIKENESS
        and upper_share(slots.top_item, slots.n_compared) <= MOST_HELD
        and dealing(slots.likeness, slots.likeness_error) > 0
        and slots.geometric_z < MORE_EVEN
    )


MORE_EVEN = -2.3
"""Standard errors below what people's loads show from which they are surely more even: one in a hundred."""

LEAST_LIKENESS = 10
"""Accounts with two items or more; the error of a likeness is estimated from their differences."""

LEAST_ERROR = 0.03
"""How far from zero a dealt list may lie, whatever the number of items: lists are dealt in stretches, and two
of these, 6 %, still count as interchangeable (detector.text.queues)."""

DEAL_TOO = 0.25
"""Of groups that mean well some deal out a list, too: a batch over several keys, an application that asks of
anything."""


def dealing(likeness: float, error: float) -> float:
    """Log-likelihood ratio, natural logarithm, of a likeness for a dealt list (zero) against other groups:
    some of those deal, too, and of the others, with texts of their own, one likeness up to 1 is as good a
    guess as another.

    likeness, error : an intraclass correlation and its standard error (`Slots`); both finite

    From -3 to log(1 / DEAL_TOO), which is 1.4.
    """
    error = max(error, LEAST_ERROR)
    dealt = math.exp(-((likeness / error) ** 2) / 2) / (error * math.sqrt(2 * math.pi))
    below = special.ndtr((likeness - np.array([1.0, 0.0])) / error)
    own = float(below[1] - below[0])
    return max(math.log((dealt + 1e-9) / (DEAL_TOO * dealt + (1 - DEAL_TOO) * own + 1e-9)), -3.0)


def dealt_items(group: Group) -> Evidence | None:
    """Whether any member might have got any item, or each sends what is its own."""
    slots = group.slots
    if slots is None or slots.n_compared < LEAST_LIKENESS or not math.isfinite(slots.likeness_error):
        return None
    points = dealing(slots.likeness, slots.likeness_error)
    return Evidence(
        "content", "DEALT_ITEMS", "how far an account's items resemble each other more than other members'",
        slots.likeness, "0.1 to 0.6 for people's own texts, 0 for a list dealt out",
        min(points, _most_for_distinct_items(group)),
    )  # fmt: skip


def training_technique(group: Group) -> Evidence | None:
    """Whether the shared texts ask for material one trains a model on."""
    n_requests = group.uses.n_requests.sum()
    if not group.has_content or n_requests == 0:
        return None
    share = float(group.uses.n_training.sum() / n_requests)
    usual = weighted_of_others(group, group.population.training_share)
    usual = usual if np.isfinite(usual) else 0.0
    # A classifier is far from sure of one text; its mean over thousands of texts of one template is steady.
    return Evidence(
        "content", "TRAINING_TECHNIQUE",
        "mean probability that a templated request asks for training material",
        share, f"about {usual:.2f} over the night's other accounts",
        float(np.clip(np.log((share + 0.05) / (usual + 0.05)), -1.0, 2.5)),
    )  # fmt: skip


SEVERAL_CUSTOMERS = 0.5
"""Different organisations, by number of accounts, from which accounts are several customers' by what they
say of themselves: a house has its few, and one for every other account is no house."""


def added_text(group: Group) -> Evidence | None:
    """Whether the members carry many products each and add a text of their own to what those send
    (detector.models.lone.relay).

    A platform for assistants adds its house rules, too, and is one customer. Several customers who add the
    same text are one middleman who deals out other people's requests and does not want to be seen as one.
    """
    adds_text = group.population.adds_text
    if adds_text is None or not adds_text[group.members].any():
        return None
    share = float(adds_text[group.members].mean())
    points = ramp(share, (0.3, 0.0), (0.8, 2.0))
    if not _are_several_customers(group, adds_text[group.members]):
        points = min(points, 0.5)  # one house with many keys, for all one knows
    return Evidence(
        "content", "ADDED_TEXT", "share of accounts that add one text to the requests of many products",
        share, "0 for resellers who pass on what customers send", points,
    )  # fmt: skip


def _are_several_customers(group: Group, chosen: Bool) -> bool:
    """Whether the chosen members say of themselves that they are customers of their own.

    chosen : bool, one for each member
    """
    organisation = group.population.organisation[group.members[chosen]]
    n_customers = len(np.unique(organisation[organisation >= 0]))
    return n_customers >= max(SEVERAL_CUSTOMERS * len(organisation), 2)


def repeated_items(group: Group) -> Evidence | None:
    """Whether the same items come night after night: a regression suite, not a harvest. Asked of what is made
    from the shared texts, where there is such a thing: what covers it comes from a stock, and again."""
    population = group.population
    has_past = np.isfinite(population.repeat_share[group.account])
    n_requests = group.uses.n_requests[has_past].sum()
    if n_requests > 0:
        of_what = "requests from the shared texts"
        share = float(group.uses.n_repeated[has_past].sum() / n_requests)
    else:
        mine, of_what = group.members, "requests"
        share = requests_weighted(population.repeat_share[mine], population.n_requests[mine])
    if not np.isfinite(share):
        return None
    return Evidence(
        "content", "REPEATED_ITEMS", f"share of {of_what} whose item the account sent on an earlier night",
        share, "near 0 for harvesting, near 1 for a regression suite",
        ramp(share, (0.1, 0.0), (0.5, -3.0)),
    )  # fmt: skip


def short_answers(group: Group) -> Evidence | None:
    """Whether the answers are too short to train on: labels, yes or no, a number."""
    means = group.population.output_tokens_mean[group.members]
    if not any_known(means):
        return None
    mean = float(np.nanmedian(means))
    return Evidence(
        "content", "ANSWER_LENGTH", "median of the members' mean answer, tokens",
        mean, "under 30 for classification and extraction",
        ramp(math.log10(max(mean, 1.0)), (1.0, -2.0), (1.7, 0.0), (2.5, 0.5)),
    )  # fmt: skip


def greedy_answers(group: Group) -> Evidence | None:
    """Whether answers are asked for at temperature 0, which is how one measures a model: a run shall come out
    the same again. Who trains on answers wants many different ones, but may do without."""
    members = group.members
    share = requests_weighted(group.population.greedy_share[members], group.population.n_requests[members])
    if not np.isfinite(share):
        return None
    return Evidence(
        "content", "GREEDY_ANSWERS", "share of requests that set a temperature and set it to 0",
        share, "near 1 for benchmarks, grading and suites", ramp(share, (0.5, 0.0), (0.9, -1.0)),
    )  # fmt: skip


MOSTLY_PASSED_ON = 0.5
"""Share of accounts that add a text to other people's requests from which those people are who talks."""

ONE_PERSONS = 50
"""Conversations of a single request that one person begins in a day, at most: every ten minutes one, for
eight hours. Whoever carries more lets others talk."""


def conversation(group: Group) -> Evidence | None:
    """Whether anybody talks: people ask again, scripts do not. Of accounts that pass on what others write,
    with a text added, nothing follows from it: those others are people."""
    shares = group.population.single_turn_share[group.members]
    if not any_known(shares):
        return None
    share = float(np.nanmean(shares))
    points = ramp(share, (TALK, -1.0), (0.6, 0.0), (0.9, 0.5))
    if _pass_on_talk(group):
        points = max(points, 0.0)
    return Evidence(
        "content", "SINGLE_TURN", "mean share of requests that open and end a conversation",
        share, "0.2 to 0.7 for people", points,
    )  # fmt: skip


def _adding(group: Group) -> Bool:
    """Which members add a text of their own to what many products send; bool, shape (n_members,)."""
    adds_text = group.population.adds_text
    return np.zeros(len(group.members), np.bool_) if adds_text is None else adds_text[group.members]


def _pass_on_texts(group: Group) -> bool:
    """Whether the members are several customers most of whom add a text to many products' requests: what
    these say is others' choice, common prompts and repeats with it, and tells nothing of who holds the
    accounts."""
    adding = _adding(group)
    return bool(adding.mean() > MOSTLY_PASSED_ON) and _are_several_customers(group, adding)


def _pass_on_talk(group: Group) -> bool:
    """Whether those who talk are others than who holds the accounts: most members add a text to many
    products' requests, or the members are several customers and most carry more conversations than a person
    has, most of their requests under the one text."""
    members = group.members
    if _adding(group).mean() > MOSTLY_PASSED_ON:
        return True
    n_requests = group.population.n_requests[members]
    carries = (group.population.single_turn_share[members] * n_requests > ONE_PERSONS) & (
        group.templated_requests > MOSTLY_PASSED_ON * n_requests
    )
    return bool(carries.mean() > MOSTLY_PASSED_ON) and _are_several_customers(group, carries)
