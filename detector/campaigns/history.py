"""What became of campaigns from one night to the next: events for a person to read.

Here: comparing tonight's named groups with the campaigns as they were. Not here: who is whose successor
(identity).
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from detector.campaigns.identity import SAME_MEMBERS, Known, Sighting, n_continuing

RENEWED = 0.2
"""Part of the earlier pool that must have stopped, and as many have come new, for accounts to be replaced:
one in ten rests for a night or starts late by itself."""

LEAST_RENEWED = 3
"""Fewer accounts than this are coming and going, however small the pool."""

OTHERS_TEMPLATES = 0.25
"""Part of tonight's requests from templates that were the other campaign's alone, from which it goes on in
this one though none of its accounts do."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a campaign tonight.

    event : `new`, `growing`, `steady` or `resumed`: one for each campaign of the night, n_accounts in it;
        `dormant`: not seen for the first time, n_accounts when last seen;
        `replaced`: n_accounts are in it for the first time, n_stopped of its last night sent nothing;
        `merged`: the earlier campaign other_id goes on in it, with n_accounts of its accounts;
        `split`: the new campaign other_id, of n_accounts, comes from it
    other_id : the other campaign; None where there is none
    n_stopped : None unless accounts were replaced
    """

    campaign_id: str
    event: str
    other_id: str | None
    n_accounts: int
    n_stopped: int | None = None


def events(
    sightings: Sequence[Sighting],
    named: Sequence[tuple[str, str]],
    known: Sequence[Known],
    active: Set[str],
) -> list[Event]:
    """Everything that happened tonight, ordered by campaign, event and other campaign.

    Parameters
    ----------
    sightings, known : as for `identify`
    named : what `identify` gave: (campaign id, status) of each sighting
    active : of the accounts that `known` names, those that sent anything tonight
    """
    before = {campaign.campaign_id: campaign for campaign in known}
    tonight = {campaign_id: sighting for (campaign_id, _), sighting in zip(named, sightings, strict=True)}
    found = [
        Event(campaign_id, status, None, len(tonight[campaign_id].accounts)) for campaign_id, status in named
    ]
    for campaign_id, sighting in tonight.items():
        if campaign_id in before:
            found += _replaced(sighting, before[campaign_id], active)
        else:
            found += _split(campaign_id, sighting, [before[one] for one in tonight if one in before])
    for campaign in known:
        if campaign.campaign_id in tonight or "merged" in campaign.ended:
            continue
        merged = _merged(campaign, {one: tonight[one] for one in tonight if one in before}, before)
        if merged or "dormant" not in campaign.ended:
            dormant = Event(campaign.campaign_id, "dormant", None, len(campaign.accounts))
            found += merged or [dormant]
    return sorted(found, key=lambda one: (one.campaign_id, one.event, one.other_id or ""))


def _replaced(sighting: Sighting, campaign: Known, active: Set[str]) -> list[Event]:
    stopped = campaign.accounts - active
    fresh = sighting.accounts - campaign.accounts - campaign.earlier_accounts
    if min(len(stopped), len(fresh)) < max(RENEWED * len(campaign.accounts), LEAST_RENEWED):
        return []
    return [Event(campaign.campaign_id, "replaced", None, len(fresh), len(stopped))]


def _split(campaign_id: str, sighting: Sighting, going_on: Sequence[Known]) -> list[Event]:
    """The campaign that a new group comes from, of those that another group of tonight continues."""
    origins = [(-n_continuing(sighting, campaign), campaign.campaign_id) for campaign in going_on]
    if not origins or min(origins)[0] == 0:
        return []
    return [Event(min(origins)[1], "split", campaign_id, len(sighting.accounts))]


def _merged(campaign: Known, continued: dict[str, Sighting], before: dict[str, Known]) -> list[Event]:
    """The campaign of tonight, known before as another one, in which one that has gone goes on."""
    into = []
    for campaign_id, sighting in continued.items():
        n_common = len(sighting.accounts & campaign.accounts)
        own = campaign.families - before[campaign_id].families
        requests = sum(sighting.family_requests.values())
        from_own = sum(n for family, n in sighting.family_requests.items() if family in own)
        if n_common >= SAME_MEMBERS * len(campaign.accounts) or from_own > OTHERS_TEMPLATES * requests:
            into.append((-n_common, -from_own, campaign_id))
    return [Event(min(into)[2], "merged", campaign.campaign_id, -min(into)[0])] if into else []
