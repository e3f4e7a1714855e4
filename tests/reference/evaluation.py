"""Evaluation read aloud, account by account and pair by pair: slow on purpose, the authority in a dispute.

Days are numbers. A finding is `("company", campaign_id)` or `("alone", account)`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean

Finding = tuple[str, str]


def b_cubed_slow(
    found: Mapping[str, set[Finding]], labelled: Mapping[str, set[str]]
) -> tuple[float | None, float | None]:
    """Extended B-cubed precision and recall over pairs of accounts."""
    return _agreement(found, labelled), _agreement(labelled, found)


def _agreement(ours: Mapping[str, set], theirs: Mapping[str, set]) -> float | None:
    means = []
    for one, clusters in ours.items():
        agreed = []
        for other, others in ours.items():
            together = len(clusters & others)
            if together:
                also = len(theirs.get(one, set()) & theirs.get(other, set()))
                agreed.append(min(together, also) / together)
        if agreed:
            means.append(fmean(agreed))
    return fmean(means) if means else None


@dataclass
class World:
    """A small world: who belongs where, who was flagged when, who sent how much when."""

    campaigns: dict[str, set[str]]
    innocent: set[str]
    flags: list[tuple[int, str, str | None]]
    sent: dict[tuple[str, int], int]

    @property
    def labelled(self) -> set[str]:
        return set().union(self.innocent, *self.campaigns.values())

    @property
    def came(self) -> set[str]:
        """Labelled accounts that sent anything or were flagged."""
        return self.labelled & ({account for account, _ in self.sent} | {flag[1] for flag in self.flags})

    @property
    def nights(self) -> list[int]:
        return sorted({day for _, day in self.sent} | {day for day, _, _ in self.flags})

    def members(self, campaign: str) -> set[str]:
        return self.campaigns[campaign] & self.came

    def findings(self) -> list[Finding]:
        """Those with company by id, then lone ones by account."""
        names = {("company", c) if c is not None else ("alone", a) for _, a, c in self.flags}
        return sorted(names, key=lambda name: (name[0] == "alone", name[1]))

    def held(self, finding: Finding, until: int | None = None) -> set[str]:
        """Labelled accounts a finding holds as of a night."""
        kind, name = finding
        return {
            account
            for day, account, campaign in self.flags
            if (campaign == name if kind == "company" else campaign is None and account == name)
            and (until is None or day <= until)
        } & self.came

    def names(self, finding: Finding, campaign: str, until: int | None = None) -> bool:
        held, ours = self.held(finding, until), self.members(campaign)
        if len(ours) == 1:
            return bool(held & ours)
        return len(held & ours) >= 2 and 2 * len(held & ours) >= len(held)


def matched_slow(world: World, campaign: str) -> dict[str, object]:
    """What is said of one campaign that came."""
    ours = world.members(campaign)
    findings = world.findings()
    touching = [finding for finding in findings if world.held(finding) & ours]
    naming = [finding for finding in touching if world.names(finding, campaign)]
    match = min(
        naming or touching,
        key=lambda f: (
            -len(world.held(f) & ours),
            -Fraction(len(world.held(f) & ours), len(world.held(f))),
            findings.index(f),
        ),
        default=None,
    )
    in_match = world.held(match) & ours if match else set()
    sent = _sent(world, ours)
    row: dict[str, object] = {
        "n_accounts": len(ours),
        "n_silent": len(world.campaigns[campaign]) - len(ours),
        "detected": bool(naming),
        "campaign_id": match[1] if match and match[0] == "company" else None,
        "n_matched": len(in_match),
        "coverage": len(in_match) / len(ours),
        "purity": len(in_match) / len(world.held(match)) if match else None,
        "n_findings": sum(kind == "company" for kind, _ in touching),
        "n_naming": sum(kind == "company" for kind, _ in naming),
        "share_of_exchanges": _sent(world, in_match) / sent if sent else None,
        "found_on": None,
        "nights_to_detection": None,
        "exchanges_to_detection": None,
        "coverage_at_first": None,
        "coverage_by_third_night": _by_third_night(world, ours, match),
    }
    if naming:
        row |= _first_report(world, campaign, touching)
    return row


def _first_report(world: World, campaign: str, touching: Iterable[Finding]) -> dict[str, object]:
    ours, touching = world.members(campaign), list(touching)
    night = next(n for n in world.nights if any(world.names(f, campaign, n) for f in touching))
    first = max(len(world.held(f, night) & ours) for f in touching if world.names(f, campaign, night))
    began = min((day for account, day in world.sent if account in ours), default=night)
    at_work = {account for account, day in world.sent if account in ours and day <= night}
    return {
        "found_on": night,
        "nights_to_detection": sum(began <= n <= night for n in world.nights),
        "exchanges_to_detection": _sent(world, ours, night) if _sent(world, ours) else None,
        "coverage_at_first": first / max(first, len(at_work)),
    }


def _by_third_night(world: World, ours: set[str], match: Finding | None) -> float | None:
    at_work = sorted(day for account, day in world.sent if account in ours)
    nights = [night for night in world.nights if at_work and night >= at_work[0]]
    if len(nights) < 3:
        return None
    there = {account for account, day in world.sent if account in ours and day <= nights[2]}
    return len(there & world.held(match, nights[2])) / len(there) if match else 0.0


def _sent(world: World, accounts: set[str], until: int | None = None) -> int:
    return sum(n for (a, day), n in world.sent.items() if a in accounts and (until is None or day <= until))
