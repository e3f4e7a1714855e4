"""A campaign's identity over nights: who is whose successor, and how it is doing.

Here: matching tonight's groups with earlier campaigns. Not here: what makes a campaign, what became of one
(history).
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

MOSTLY_REPLACED = 0.5
"""Share of tonight's accounts that those who fell silent must make up for, for the new ones to be taken for
their replacement: who is shut is replaced about one by one, and a small pool that ended is not what a large
one grew out of."""

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
    earlier_accounts: Set[str] = frozenset()
    """accounts that were part of it on any remembered night"""
    ended: Set[str] = frozenset()
    """`dormant` or `merged`, where that was recorded since its last sighting"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A group flagged tonight."""

    accounts: Set[str]
    family_requests: Mapping[str, float]
    """family id -> members' requests"""


def identify(
    sightings: Sequence[Sighting],
    known: Sequence[Known],
    day: date,
    ties: Mapping[str, Set[str]] | None = None,
    active: Set[str] = frozenset(),
) -> list[tuple[str, str]]:
    """Give each of tonight's groups its campaign id and status (new, growing, steady, resumed).

    The closest match comes first; an earlier campaign is continued by one group only. Who is left over, of
    tonight and of earlier nights, is then matched by ties as well: a pool made anew, whose template was
    reworded, shares neither accounts nor templates with what it was. A new id is a hash of
    the night and the group's smallest account id, so that a repeated scan gives the same one, a late log file
    seldom another, and the key of the workspace's texts no other. No two groups share an id, not even two
    that overlap in that account.

    Parameters
    ----------
    sightings : tonight's groups, in an order that does not change from scan to scan; none is empty
    known : earlier campaigns, each as of its last sighting before `day`
    ties : template family of tonight -> families that are likely the same one, reworded
    active : of the accounts that `known` names, those that sent anything tonight

    Returns
    -------
    (campaign id, status) of each group, in the order of `sightings`
    """
    named: dict[int, tuple[str, str]] = {}
    continued: set[int] = set()
    for followed in ({}, ties) if ties else ({},):
        for here, there in _matches(sightings, known, followed, active):
            if here not in named and there not in continued:
                continued.add(there)
                named[here] = (known[there].campaign_id, _status(sightings[here], known[there], day))
    taken = {campaign_id for campaign_id, _ in named.values()}
    for here, sighting in enumerate(sightings):
        if here not in named:
            named[here] = (_new_id(sighting, day, taken), "new")
            taken.add(named[here][0])
    return [named[here] for here in range(len(sightings))]


def _matches(
    sightings: Sequence[Sighting], known: Sequence[Known], ties: Mapping[str, Set[str]], active: Set[str]
) -> list[tuple[int, int]]:
    """Positions of groups and the campaigns they may continue, the closest first.

    Of two campaigns that live on one template, the closer is the one whose accounts these are, or whose
    accounts fell silent where most of these are new. Templates alone carry on a pool that was made anew; one
    whose accounts are at work tonight, in whatever group, was not, and others may have taken its template
    where it did.
    """
    at_work = frozenset(active).union(*(sighting.accounts for sighting in sightings))
    pairs = []
    for there, campaign in enumerate(known):
        n_common = [len(sighting.accounts & campaign.accounts) for sighting in sightings]
        goes_on = max(n_common, default=0) >= SAME_MEMBERS * len(campaign.accounts)
        n_silent = 0 if campaign.ended else len(campaign.accounts - at_work)
        for here, sighting in enumerate(sightings):
            n = n_continuing(sighting, campaign, ties)
            if n > 0 and not (goes_on and not _is_common(n_common[here], sighting, campaign)):
                n_new = (len(sighting.accounts) - n_common[here]) * _from_templates(sighting, campaign, ties)
                n_replacing = min(n_silent, n_new)
                if n_replacing < MOSTLY_REPLACED * len(sighting.accounts):
                    n_replacing = 0
                pairs.append((-n, -n_common[here] - n_replacing, campaign.campaign_id, here, there))
    return [(here, there) for *_, here, there in sorted(pairs)]


_NO_TIES: Mapping[str, Set[str]] = {}


def n_continuing(sighting: Sighting, campaign: Known, ties: Mapping[str, Set[str]] = _NO_TIES) -> float:
    """How many of tonight's accounts carry the campaign on; 0 for strangers.

    Those it had already, or the part of the group that the old templates make up, whichever is more. A
    number and not a share: of two groups that both come from it, the larger is the campaign, the other a
    splinter. A template tied to an old one counts as that.
    """
    n_common = len(sighting.accounts & campaign.accounts)
    templates = _from_templates(sighting, campaign, ties)
    return max(
        n_common if _is_common(n_common, sighting, campaign) else 0.0,
        templates * len(sighting.accounts) if templates >= SAME_TEMPLATES else 0.0,
    )


def _from_templates(sighting: Sighting, campaign: Known, ties: Mapping[str, Set[str]]) -> float:
    """Share of tonight's requests made from the campaign's templates or from those tied to them, 0 to 1."""
    requests = sum(sighting.family_requests.values())
    ours = sum(
        n
        for family, n in sighting.family_requests.items()
        if family in campaign.families or not campaign.families.isdisjoint(ties.get(family, ()))
    )
    return ours / requests if requests else 0.0


def _is_common(n_common: int, sighting: Sighting, campaign: Known) -> bool:
    """Whether so many accounts in common make the two one."""
    return n_common >= SAME_MEMBERS * max(min(len(sighting.accounts), len(campaign.accounts)), 1)


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
