"""A campaign's identity over nights: who is whose successor, and how it is doing.

Here: matching tonight's groups with earlier campaigns. Not here: what makes a campaign.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

SAME_MEMBERS = 0.3
"""Share of the smaller group's accounts in common that makes two groups one campaign: accounts are
replaced, but rarely two thirds of them in a night."""

SAME_TEMPLATES = 0.5
"""Share of tonight's requests made from templates the earlier campaign lived on: a new pool of accounts
continues with the old prompts."""

GROWTH = 1.2
"""A fifth more accounts than at its last sighting is growth; less is coming and going."""


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier campaign, as of its last sighting."""

    campaign_id: str
    last_day: date
    accounts: Set[str]
    families: Set[str]
    """ids of the template families it has lived on"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A group flagged tonight."""

    accounts: Set[str]
    family_requests: Mapping[str, float]
    """family id -> members' requests"""


def identify(sightings: Sequence[Sighting], known: Sequence[Known], day: date) -> list[tuple[str, str]]:
    """Give each of tonight's groups its campaign id and status (new, growing, steady, resumed).

    The closest match comes first; an earlier campaign is continued by one group only. A new id is a hash of
    the night and the group's smallest account id, so that a repeated scan gives the same one, a late log file
    seldom another, and the key of the workspace's texts no other. No two groups share an id, not even two
    that overlap in that account.

    Parameters
    ----------
    sightings : tonight's groups, in an order that does not change from scan to scan; none is empty
    known : earlier campaigns, each as of its last sighting before `day`

    Returns
    -------
    (campaign id, status) of each group, in the order of `sightings`
    """
    pairs = []
    for here, sighting in enumerate(sightings):
        for there, campaign in enumerate(known):
            n_continuing = _n_continuing(sighting, campaign)
            if n_continuing > 0:
                pairs.append((-n_continuing, campaign.campaign_id, here, there))
    named: dict[int, tuple[str, str]] = {}
    continued: set[int] = set()
    for _, campaign_id, here, there in sorted(pairs):
        if here in named or there in continued:
            continue
        continued.add(there)
        named[here] = (campaign_id, _status(sightings[here], known[there], day))
    taken = {campaign_id for campaign_id, _ in named.values()}
    for here, sighting in enumerate(sightings):
        if here not in named:
            named[here] = (_new_id(sighting, day, taken), "new")
            taken.add(named[here][0])
    return [named[here] for here in range(len(sightings))]


def _n_continuing(sighting: Sighting, campaign: Known) -> float:
    """How many of tonight's accounts carry the campaign on; 0 for strangers.

    Those it had already, or the part of the group that the old templates make up, whichever is more. A
    number and not a share: of two groups that both come from it, the larger is the campaign, the other a
    splinter.
    """
    n_common = len(sighting.accounts & campaign.accounts)
    smaller = max(min(len(sighting.accounts), len(campaign.accounts)), 1)
    requests = sum(sighting.family_requests.values())
    ours = sum(n for family, n in sighting.family_requests.items() if family in campaign.families)
    templates = ours / requests if requests else 0.0
    return max(
        n_common if n_common >= SAME_MEMBERS * smaller else 0.0,
        templates * len(sighting.accounts) if templates >= SAME_TEMPLATES else 0.0,
    )


def _status(sighting: Sighting, campaign: Known, day: date) -> str:
    if (day - campaign.last_day).days > 1:
        return "resumed"
    return "growing" if len(sighting.accounts) >= GROWTH * len(campaign.accounts) else "steady"


def _new_id(sighting: Sighting, day: date, taken: Set[str]) -> str:
    facts = [day.isoformat(), min(sighting.accounts)]
    while (new := _digest(facts)) in taken:
        facts.append("again")
    return new


def _digest(facts: Sequence[str]) -> str:
    return "C-" + blake2b("\x1f".join(facts).encode(), digest_size=5).hexdigest()
