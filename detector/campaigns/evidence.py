"""The evidence for and against a candidate: each piece measured, explained, and turned into log-odds.

Here: one function per piece of evidence. Not here: who belongs to the candidate (communities), what total
convicts (decision).

Each piece answers one question about the group, says what is usual, and speaks for (+) or against (-) one
operator who harvests, within a cap. Caps keep any one piece, which an adversary may fake or a customer may
trip over, from deciding. The pieces belong to four families that fail independently: content, timing,
identity, lifecycle. Nothing here knows a country or a language. Separators of look-alikes are pieces like any
other, with negative sign: many people's own requests repeat one another, come in human volumes, and outlive
a night.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from detector.campaigns.group import Group, Slots
from detector.campaigns.loads import is_dealt
from detector.campaigns.measures import (
    any_known,
    lower_share,
    ramp,
    rank_probability,
    requests_weighted,
    trough,
    upper_share,
    weighted_of_others,
)
from detector.campaigns.population import Float64, Int64, Layer
from detector.campaigns.turns import clumping


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured reason.

    family : content, timing, identity, lifecycle, or COMMON; code : closed vocabulary, for machines
    value : the measurement, in the unit `detail` names; usual_range : what is usual
    log_odds : natural logarithm of the odds this piece contributes; negative speaks against a campaign
    """

    family: str
    code: str
    detail: str
    value: float
    usual_range: str
    log_odds: float


def weigh(group: Group) -> list[Evidence]:
    """Every piece of evidence that the log can carry, in a fixed order."""
    return summed_up([piece for question in QUESTIONS if (piece := question(group)) is not None])


def summed_up(pieces: list[Evidence]) -> list[Evidence]:
    """Answers to all questions, and what is taken back where several of them are signs of one fact."""
    excess = _dealt_for_others(pieces)
    return pieces if excess is None else [*pieces, excess]


OF_ONE_SCHEDULER = frozenset(
    ("WORK_QUEUE", "DEALT_ITEMS", "EVEN_LOAD", "TAKING_TURNS", "SHARED_PAYMENT", "SAME_CLIENT")
)
"""What shows that one scheduler deals out a group's work, whatever it is for."""

SCHEDULER_CAP = 5.3
"""Of groups that share texts, one in two hundred is some reseller's, gateway's or batch's, who deals
out work, pays for the accounts and harvests nothing: showing a scheduler says no more for a campaign."""


COMMON = "common"
"""Stands in place of a family where something is taken back that several families said of one fact."""


def _dealt_for_others(pieces: list[Evidence]) -> Evidence | None:
    """What the signs of one scheduler say beyond their common cap, taken back: they are signs of one fact,
    and that fact alone does not convict. Of no family: each still supports as far as it does by itself."""
    said = sum(piece.log_odds for piece in pieces if piece.code in OF_ONE_SCHEDULER)
    if said <= SCHEDULER_CAP:
        return None
    return Evidence(
        COMMON, "ONE_SCHEDULER", "log-odds that signs of one scheduler add up to",
        said, f"over {SCHEDULER_CAP:g} for a reseller's or a gateway's accounts, too", SCHEDULER_CAP - said,
    )  # fmt: skip


# --- content ---------------------------------------------------------------------------------------------


SYSTEM_CAP = 0.5
"""Half the say for a shared system prompt: frameworks give theirs to thousands of strangers, and what people
ask under one differs anyway."""


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
    if group.layer == "system_prompt":
        return Evidence(
            "content", "SHARED_SYSTEM_PROMPT", "share of requests under the same few system prompts",
            share, "under 0.2 for people, near 1 for users of one framework", min(points, SYSTEM_CAP),
        )  # fmt: skip
    return Evidence(
        "content", "SHARED_TEMPLATE", "share of requests made from the same few templates",
        share, "under 0.2 for people", points,
    )  # fmt: skip


LEAST_ITEMS = 40
"""Fewer items cannot show whether one list is being dealt out."""


def exclusive_text(group: Group) -> Evidence | None:
    """Whether the texts are the group's own, or a public prompt that many others use as well."""
    layer = group.population.layer(group.layer)
    if layer is None or len(group.rows) == 0:
        return None
    inside = np.bincount(layer.object[group.rows], minlength=layer.n_objects)
    everywhere = group.population.once.of("users", np.bincount, layer.object)
    everywhere = np.pad(everywhere, (0, layer.n_objects - len(everywhere)))
    weight = np.bincount(layer.object[group.rows], group.uses.n_requests, minlength=layer.n_objects)
    own = float((weight * inside / np.maximum(everywhere, 1)).sum() / max(weight.sum(), 1e-9))
    return Evidence(
        "content", "EXCLUSIVE_TEXT", "share of the accounts that use the shared texts which are in the group",
        own, "near 0 for a framework's public prompt", ramp(own, (0.1, -2.0), (0.4, -0.5), (0.7, 0.0)),
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
    if many_samples:
        points = max(points, 0.0)
    return Evidence(
        "content", "WORK_QUEUE", "share of items that more than one account sent",
        repeated, "0.3 to 1 where many people do the same task",
        min(points, SYSTEM_CAP) if group.layer == "system_prompt" else points,
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

LEAST_COMPARED = 5
"""Accounts below which nothing is said of how loads and items are spread over them."""

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
    return Evidence(
        "content", "DEALT_ITEMS", "how far an account's items resemble each other more than other members'",
        slots.likeness, "0.1 to 0.6 for people's own texts, 0 for a list dealt out",
        dealing(slots.likeness, slots.likeness_error),
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


def repeated_items(group: Group) -> Evidence | None:
    """Whether the same items come night after night: a regression suite, not a harvest."""
    mine = group.members
    share = requests_weighted(group.population.repeat_share[mine], group.population.n_requests[mine])
    if not np.isfinite(share):
        return None
    return Evidence(
        "content", "REPEATED_ITEMS", "share of requests whose item the account sent on an earlier night",
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


def conversation(group: Group) -> Evidence | None:
    """Whether anybody talks: people ask again, scripts do not."""
    shares = group.population.single_turn_share[group.members]
    if not any_known(shares):
        return None
    share = float(np.nanmean(shares))
    return Evidence(
        "content", "SINGLE_TURN", "mean share of requests that open and end a conversation",
        share, "0.2 to 0.7 for people",
        ramp(share, (0.3, -1.0), (0.6, 0.0), (0.9, 0.5)),
    )  # fmt: skip


# --- timing ----------------------------------------------------------------------------------------------


def even_load(group: Group) -> Evidence | None:
    """Whether the accounts carry equal loads, as a scheduler deals them and people never do."""
    n = group.population.n_requests[group.members]
    if len(n) < LEAST_COMPARED or n.mean() < 2:
        return None
    n = np.sort(n)[
        : max(LEAST_COMPARED, int(np.ceil(0.95 * len(n))))
    ]  # a few replaced or banned accounts tell nothing
    # Variance beyond a Poisson count's own, relative to the mean squared: 1/k of a negative binomial. A dozen
    # accounts may be even by chance: what counts is the most it may be, two standard errors up.
    variance = max(float(n.var()), float(n.mean()))
    excess = max(float((n.var() - n.mean()) / n.mean() ** 2), 0.0)
    at_most = max(excess + 2 * np.sqrt(2 / (len(n) - 1)) * variance / n.mean() ** 2, 0.02)
    points = ramp(np.log10(at_most), (-1.0, 2.0), (-0.5, 1.0), (0.0, 0.0), (0.6, -1.5))
    # Whoever does a thing once or twice is as even as a scheduler: evenness speaks from several requests on.
    said = ramp(float(n.mean()), (2.0, 0.0), (5.0, 1.0))
    return Evidence(
        "timing", "EVEN_LOAD", "spread of requests per account beyond chance (0 is a scheduler's)",
        excess, "1 to 5 for people and customers",
        points * said if points > 0 else points,
    )  # fmt: skip


def taking_turns(group: Group) -> Evidence | None:
    """Whether the members' requests take turns, as a scheduler deals them, or come in sittings, as people's
    do."""
    if group.turns is None or group.turns.n_by_chance < LEAST_PAIRS:
        return None
    times = clumping(group.turns)
    # Programs that know nothing of each other send at any time of a common day, and so do accounts to which
    # work is dealt at random: only turns that chance does not explain speak for one scheduler.
    points = ramp(math.log2(max(times, 1 / 16)), (-1.0, 1.5), (0.0, 0.25), (1.6, 0.0), (2.6, -1.5))
    return Evidence(
        "timing", "TAKING_TURNS", "how often an account's requests follow closely, against chance",
        times, "4 to 10 where people sit down and ask, 1 to 3 for programs", points,
    )  # fmt: skip


LEAST_PAIRS = 3.0
"""Near pairs that chance alone brings: with fewer there would be none however work is dealt."""


def sleepless(group: Group) -> Evidence | None:
    """Whether the group's day has a night: trough over mean of its hourly volume."""
    hours = group.population.hour_counts[group.members].sum(axis=0)
    if hours.sum() < 24 * 8:
        return None
    quietest = trough(hours)
    everyones = group.population.once.of("day", _hourly, group.population.hour_counts)
    usual = trough(everyones - hours)
    return Evidence(
        "timing", "ROUND_THE_CLOCK", "quietest six hours of the day against the mean hour",
        quietest, f"{usual:.2f} over the night's other accounts",
        ramp(quietest - usual, (-0.4, -1.0), (-0.1, 0.0), (0.1, 0.25), (0.4, 1.0)),
    )  # fmt: skip


def _hourly(hour_counts: Float64) -> Float64:
    total: Float64 = hour_counts.sum(axis=0)
    return total


# --- identity --------------------------------------------------------------------------------------------


def shared_payment(group: Group) -> Evidence | None:
    """Whether accounts of different organisations are paid for by the same instrument."""
    payment = group.population.payment[group.members]
    organisation = group.population.organisation[group.members]
    known = payment >= 0
    if known.sum() < LEAST_COMPARED:
        return None
    _, position = np.unique(payment[known], return_inverse=True)
    owners = organisation[known]
    # An account without an organisation is its own: it shares with nobody by contract.
    owners = np.where(owners >= 0, owners, -2 - np.arange(len(owners)))
    pairs = np.unique(np.stack([position, owners]), axis=1)
    n_owners = np.bincount(pairs[0], minlength=position.max() + 1)
    share = float((n_owners[position] > 1).mean())
    if share == 0:
        return None  # unique payments are what both honest and careful people have
    points = ramp(share, (0.02, 0.0), (0.2, 1.5), (0.6, 2.5))
    if group.has_content:
        # Operators pay in small lots; an instrument that pays for dozens of strangers may be a voucher,
        # and their texts have to tell. Where there are none, cards are most of what is left.
        n_largest = float(np.bincount(position)[n_owners > 1].max())
        points *= ramp(n_largest, (10, 1.0), (25, 0.3))
    return Evidence(
        "identity", "SHARED_PAYMENT",
        "share of accounts paid by an instrument that another organisation uses too",
        share, "under 0.02", points,
    )  # fmt: skip


def same_client(group: Group) -> Evidence | None:
    """Whether the accounts speak through one client and one set of parameters that others do not use."""
    best = 0.0
    inside_share = 0.0
    usual_share = 0.0
    for kind in ("client", "parameters"):
        layer = group.population.layer(kind)
        if layer is None or len(layer.object) == 0:
            continue
        objects, carried = _carried(layer, group.rows_in(layer))
        if len(objects) == 0:
            continue
        inside = carried / max(len(group.members), 1)
        sure = lower_share(float(inside.max()), len(group.members)) / max(float(inside.max()), 1e-9)
        top = int(inside.argmax())
        everywhere = group.population.once.of("carried", _sum_of_shares, layer.object, layer.share)
        others = max(float(everywhere[objects[top]] - carried[top]), 0.0)
        outside = others / max(len(group.population) - len(group.members), 1)
        # Of five accounts some will have a kit in common: as much counts as so few can show.
        lift = float(np.log((inside[top] + 0.02) / (outside + 0.02)) * inside[top] * sure)
        if lift > best:
            best, inside_share, usual_share = lift, float(inside[top]), float(outside)
    if best == 0.0:
        return None
    return Evidence(
        "identity", "SAME_CLIENT", "share of traffic from one client or one set of parameters",
        inside_share, f"{usual_share:.2f} over the night's other accounts", min(best, 1.5),
    )  # fmt: skip


def _carried(layer: Layer, rows: Int64) -> tuple[Int64, Float64]:
    """Objects of the chosen rows, ascending, and the sum of shares of each over these rows."""
    objects, place = np.unique(layer.object[rows], return_inverse=True)
    carried = np.bincount(place, weights=layer.share[rows], minlength=len(objects))
    return objects, np.asarray(carried, np.float64)


def _sum_of_shares(object_: Int64, share: Float64) -> Float64:
    return np.asarray(np.bincount(object_, weights=share), np.float64)


def one_customer(group: Group) -> Evidence | None:
    """Whether the group is simply one organisation's seats, which share everything by contract."""
    organisation = group.population.organisation[group.members]
    known = organisation[organisation >= 0]
    if len(known) < 0.5 * len(group.members):
        return None
    share = float(np.bincount(known).max() / len(group.members))
    if share < 0.3:
        return None
    return Evidence(
        "identity", "ONE_ORGANISATION", "share of accounts that belong to one organisation",
        share, "near 1 for a company's seats", ramp(share, (0.3, 0.0), (0.6, -3.0), (0.8, -6.0)),
    )  # fmt: skip


def one_room(group: Group) -> Evidence | None:
    """Whether the group sits in one place for a few hours: a class, a course, a hackathon.

    Behind one address and within a third of the day, together: an operator who puts all accounts behind one
    address works on when people go home, and one who keeps people's hours does not use one address.
    """
    layer = group.population.layer("address")
    if layer is None:
        return None
    _, behind = _carried(layer, group.rows_in(layer))
    together = float(behind.max() / len(group.members)) if len(behind) else 0.0
    hours = group.population.hour_counts[group.members].sum(axis=0)
    in_session = float(
        np.convolve(np.concatenate([hours, hours[:7]]), np.ones(8), "valid").max() / max(hours.sum(), 1)
    )
    share = together * in_session
    if share < 0.3:
        return None
    return Evidence(
        "identity", "ONE_ROOM", "share of traffic from one address within eight hours",
        share, "near 1 for a class or a hackathon", ramp(share, (0.3, 0.0), (0.6, -2.5), (0.9, -4.0)),
    )  # fmt: skip


# --- lifecycle -------------------------------------------------------------------------------------------


def young_accounts(group: Group) -> Evidence | None:
    """Whether the members are younger than the night's other accounts: P(member is the younger of a pair)."""
    younger = rank_probability(
        group, group.population.once.of("youth", np.negative, group.population.account_age_days)
    )
    if younger is None:
        return None
    return Evidence(
        "lifecycle", "YOUNG_ACCOUNTS", "chance that a member is younger than another account",
        younger, "0.4 to 0.6", ramp(younger, (0.3, -1.5), (0.5, 0.0), (0.8, 1.0), (0.95, 2.0)),
    )  # fmt: skip


def lasting_use(group: Group) -> Evidence | None:
    """Whether the members go on using what they share: a fashion is tried twice, a harvest is work."""
    if len(group.rows) == 0:
        return None
    per_member = float((group.templated_requests + group.earlier_requests).mean())
    return Evidence(
        "lifecycle", "LASTING_USE", "requests per member from the shared texts, tonight and two weeks back",
        per_member, "1 to 3 for a fashion", _like_a_fashion(per_member),
    )  # fmt: skip


def _like_a_fashion(per_member: float) -> float:
    return ramp(per_member, (1.0, -2.5), (2.5, -1.5), (5.0, 0.0))


def much_asked(group: Group) -> Evidence | None:
    """Whether so much was asked for, over the nights, that one could train on it: a benchmark ends, a harvest
    goes on."""
    if len(group.rows) == 0:
        return None
    requests = group.templated_requests + group.earlier_requests
    asked = float(requests.sum())
    points = ramp(math.log10(max(asked, 1.0)), (2.0, -2.0), (3.0, -1.0), (3.7, 0.0))
    # Little from each is little from all: what LASTING_USE said is not said again.
    points = min(points - _like_a_fashion(float(requests.mean())), 0.0)
    return Evidence(
        "lifecycle", "AMOUNT", "requests from the shared texts, tonight and two weeks back",
        asked, "100 to 1,000 for most benchmarks, 5,000 and more for a training set", points,
    )  # fmt: skip


def moved_together(group: Group) -> Evidence | None:
    """Whether the members moved to a new model beyond everybody's curiosity."""
    mine = group.members
    share = requests_weighted(group.population.new_model_share[mine], group.population.n_requests[mine])
    usual = weighted_of_others(group, group.population.new_model_share)
    if not (np.isfinite(share) and np.isfinite(usual)) or max(share, usual) == 0:
        return None
    return Evidence(
        "lifecycle", "NEW_MODEL", "share of requests to a model that is new this night",
        share, f"{usual:.2f} over the night's other accounts",
        float(np.clip(np.log((share + 0.1) / (usual + 0.1)), 0.0, 1.5)),
    )  # fmt: skip


def unusual_accounts(group: Group) -> Evidence | None:
    """Whether the members stand out among their peers one by one (PyOD), before any link is looked at."""
    higher = rank_probability(group, group.population.account_score)
    if higher is None:
        return None
    return Evidence(
        "lifecycle", "UNUSUAL_ACCOUNTS", "chance that a member's anomaly score exceeds another account's",
        higher, "0.4 to 0.6", ramp(higher, (0.3, -0.5), (0.5, 0.0), (0.9, 0.75)),
    )  # fmt: skip


QUESTIONS: tuple[Callable[[Group], Evidence | None], ...] = (
    shared_template, exclusive_text, work_queue, dealt_items, training_technique, repeated_items,
    short_answers, greedy_answers, conversation,
    even_load, taking_turns, sleepless,
    shared_payment, same_client, one_customer, one_room,
    young_accounts, lasting_use, much_asked, moved_together, unusual_accounts,
)  # fmt: skip
