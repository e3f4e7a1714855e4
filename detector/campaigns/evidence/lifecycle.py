"""Evidence from how accounts come, work and go: age, sign-up, lasting use, hand-over, new models.

Here: one function per piece. Not here: what they send (content), when in the day (timing).
"""

import math

import numpy as np

from detector.campaigns.evidence.identity import one_customer, one_room
from detector.campaigns.evidence.piece import Evidence
from detector.campaigns.group import Group
from detector.campaigns.measures import (
    ramp,
    rank_probability,
    requests_weighted,
    weighted_of_others,
)
from detector.campaigns.shares import lower_share


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


LEAST_COHORT = 3
"""Members who signed up in one rush from which they are a cohort of the group's: two may be friends."""


def signed_up_together(group: Group) -> Evidence | None:
    """Whether the members come from few rushes of sign-ups, beyond what the night's other accounts do.

    A class and a customer that comes on board sign up in an hour, too: where one room or one organisation
    explains it, nothing is said, and elsewhere little.
    """
    layer = group.population.layer("sign_up")
    if layer is None or one_room(group) is not None or one_customer(group) is not None:
        return None
    rows = group.rows_in(layer)
    objects, n_members = np.unique(layer.object[rows], return_counts=True)
    together = float(n_members[n_members >= LEAST_COHORT].sum())
    if len(objects) == 0 or together == 0:
        return None
    n = len(group.members)
    share = together / n
    others = max(len(group.population) - n, 1)
    usual = (len(layer.account) - len(rows)) / others
    return Evidence(
        "lifecycle", "SIGN_UP_COHORT", "share of accounts that signed up in a rush with other members",
        share, f"{usual:.2f} over the night's other accounts",
        ramp(lower_share(min(share, 1.0), n) - usual, (0.1, 0.0), (0.5, 0.5)),
    )  # fmt: skip


LEAST_BEGUN = 3
"""Newcomers below which nothing is said of hand-over."""

FOLLOWS = 0.9
"""Share of an operator's replacements that begin within hours: a few are kept ready and start any time."""


def handed_over(group: Group) -> Evidence | None:
    """Whether newcomers take up the work soon after others fell silent, each after another one.

    Of the group's texts the one that most newcomers took up speaks. The null is the text's own rate of coming
    and going: how often a first request of those who go on happens to follow somebody's last one as soon. A
    framework that people leave all day long says nothing.
    """
    begun, followed, chance = group.handed_over
    if begun < LEAST_BEGUN:
        return None
    share = followed / begun
    usual = min(max(chance, 0.01), 0.99)
    said = 0.0
    if usual < FOLLOWS:
        late = begun - followed
        said = followed * math.log(FOLLOWS / usual) + late * math.log((1 - FOLLOWS) / (1 - usual))
    return Evidence(
        "lifecycle", "HAND_OVER", "share of newcomers that began within hours of another's last request",
        share, f"up to {usual:.2f} for those who go on", float(np.clip(said, 0.0, 1.5)),
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
