"""What another policy changes: campaign by campaign, night by night, and for what people decided.

Here: which of the replayed findings are campaigns that were published, and the differences. Not here: the
replay itself, how it is shown (outcome).

On one night a published campaign *is still flagged* when what would be flagged holds at least half of its
accounts. A finding of which less than half is in that night's campaigns *is new*; it belongs to the known
campaign that at least half of its accounts were ever seen in, or decided about, and else to an earlier new
finding that held half of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from detector.campaigns import LADDER, Evidence, Policy, supporting_families
from pipelines.backtest.history import History, Int64, Night, Recorded
from pipelines.backtest.replay import MOSTLY, Finding, Replayed
from pipelines.cases import Decision, Level, Subject, Verdict

CHANGES = (
    "no longer flagged",
    "newly flagged",
    "later",
    "earlier",
    "fewer nights",
    "more nights",
    "softer action",
    "harder action",
    "other confidence",
    "unchanged",
)
"""What may become of a campaign, in the order in which a person should read of it."""

_CONFIDENCES = ("low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One campaign as it was decided, and as it would have been, over all replayed nights."""

    change: str
    campaign_id: str | None
    """null for what no scan published"""
    decided: Verdict | None
    """what a person concluded in the end"""
    days_were: tuple[date, ...]
    days_would_be: tuple[date, ...]
    confidence_was: str | None
    confidence_would_be: str | None
    action_was: str | None
    """the hardest of all nights"""
    action_would_be: str | None
    day: date
    """the night of its strongest evidence, which the rest speaks of"""
    candidate_id: int | None
    n_accounts: int
    log_odds: float | None
    families: tuple[str, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NightChange:
    """One night as it was decided, and as it would have been; campaigns and their accounts."""

    day: date
    n_reference_nights: int
    n_candidates: int
    n_were: int
    n_would_be: int
    n_no_longer: int
    n_new: int
    n_accounts_were: int
    n_accounts_would_be: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Cases of one verdict among the campaigns of the replayed nights."""

    verdict: Verdict
    n_cases: int
    n_were: int
    n_would_be: int

    @property
    def n_no_longer(self) -> int:
        """Cases that would be on no night what they were on some."""
        return self.n_cases - self.n_would_be


@dataclass(slots=True)
class _Sighting:
    """A campaign on one night."""

    day: date
    accounts: Int64
    candidate: int | None
    confidence: str
    action: str


@dataclass(slots=True)
class _Course:
    """A campaign over the nights."""

    campaign_id: str | None
    pool: set[int] = field(default_factory=set)
    were: list[_Sighting] = field(default_factory=list)
    would_be: list[_Sighting] = field(default_factory=list)


def compare(
    history: History, replayed: Sequence[Replayed], decisions: Mapping[Subject, Decision], policy: Policy
) -> tuple[list[Changed], list[NightChange], list[Decided]]:
    """Campaigns (most telling change first), nights (oldest first), and decided cases by verdict.

    Parameters
    ----------
    decisions : the last one about each subject; that about a campaign counts also when it has expired
    """
    verdicts = {
        subject.id: decision.verdict
        for subject, decision in decisions.items()
        if subject.level is Level.CAMPAIGN and decision.verdict is not Verdict.REOPEN
    }
    known = _known(history, decisions)
    courses: dict[str, _Course] = {}
    unknown: list[_Course] = []
    nights = []
    for one in replayed:
        would_hold = _union(finding.accounts for finding in one.findings)
        were_held = _union(campaign.accounts for campaign in one.night.campaigns)
        still = [c for c in one.night.campaigns if _is_within(c.accounts, would_hold)]
        new = [f for f in one.findings if not _is_within(f.accounts, were_held)]
        for campaign in one.night.campaigns:
            course = courses.setdefault(campaign.campaign_id, _Course(campaign.campaign_id))
            course.were.append(_as_recorded(history, one.night, campaign))
        for campaign in still:
            finding = max(one.findings, key=lambda f: _n_common(f.accounts, campaign.accounts))
            courses[campaign.campaign_id].would_be.append(_as_replayed(one.night, finding))
        for finding in new:
            name = _name_of(finding, known)
            course = (
                courses.setdefault(name, _Course(name)) if name is not None else _carried_on(finding, unknown)
            )
            course.would_be.append(_as_replayed(one.night, finding))
            course.pool.update(finding.accounts.tolist())
        nights.append(
            NightChange(
                day=one.night.day,
                n_reference_nights=one.n_reference_nights,
                n_candidates=len(one.night.candidates),
                n_were=len(one.night.campaigns),
                n_would_be=len(one.findings),
                n_no_longer=len(one.night.campaigns) - len(still),
                n_new=len(new),
                n_accounts_were=len(were_held),
                n_accounts_would_be=len(would_hold),
            )
        )
    changed = [
        _changed(history, course, verdicts.get(course.campaign_id or ""), policy)
        for course in (*courses.values(), *unknown)
    ]
    changed.sort(key=lambda c: (CHANGES.index(c.change), -c.n_accounts, c.day, c.campaign_id or ""))
    return changed, nights, _decided(changed)


def _known(history: History, decisions: Mapping[Subject, Decision]) -> dict[str, set[int]]:
    """Accounts that each campaign was ever seen with, or decided about."""
    pools: defaultdict[str, set[int]] = defaultdict(set)
    for night in history.nights:
        for campaign in night.campaigns:
            pools[campaign.campaign_id].update(campaign.accounts.tolist())
    for subject, decision in decisions.items():
        if subject.level is Level.CAMPAIGN:
            seen = (history.number_of.get(account_id) for account_id in decision.members)
            pools[subject.id].update(number for number in seen if number is not None)
    return dict(pools)


def _name_of(finding: Finding, known: Mapping[str, set[int]]) -> str | None:
    accounts = set(finding.accounts.tolist())
    n_common = {name: len(pool & accounts) for name, pool in known.items()}
    best = min(n_common, key=lambda name: (-n_common[name], name), default=None)
    return best if best is not None and n_common[best] >= MOSTLY * len(accounts) else None


def _carried_on(finding: Finding, unknown: list[_Course]) -> _Course:
    """The earlier new campaign that it is, or one more."""
    accounts = set(finding.accounts.tolist())
    for course in unknown:
        if len(course.pool & accounts) >= MOSTLY * len(accounts):
            return course
    unknown.append(_Course(None))
    return unknown[-1]


def _as_recorded(history: History, night: Night, campaign: Recorded) -> _Sighting:
    return _Sighting(
        night.day,
        campaign.accounts,
        _candidate_of(history, night, campaign),
        campaign.confidence,
        campaign.recommended_action,
    )


def _as_replayed(night: Night, finding: Finding) -> _Sighting:
    verdict = finding.verdict
    return _Sighting(
        night.day, finding.accounts, finding.candidate, verdict.confidence, verdict.recommended_action
    )


def _candidate_of(history: History, night: Night, campaign: Recorded) -> int | None:
    """The candidate that a scan published as this campaign."""
    accounts = np.sort(campaign.accounts)
    for candidate in night.candidates:
        if history.flagged[candidate] and np.array_equal(np.sort(history.accounts(candidate)), accounts):
            return candidate
    return None


def _changed(history: History, course: _Course, decided: Verdict | None, policy: Policy) -> Changed:
    def strength(sighting: _Sighting) -> float:
        return float(history.log_odds[sighting.candidate]) if sighting.candidate is not None else -np.inf

    sightings = [*course.would_be, *course.were]
    strongest = max(sightings, key=lambda one: (strength(one), -one.day.toordinal()))
    candidate = strongest.candidate
    pieces = history.pieces.of(candidate) if candidate is not None else []
    return Changed(
        change=_change(course),
        campaign_id=course.campaign_id,
        decided=decided,
        days_were=_days(course.were),
        days_would_be=_days(course.would_be),
        confidence_was=_most(course.were, "confidence"),
        confidence_would_be=_most(course.would_be, "confidence"),
        action_was=_most(course.were, "action"),
        action_would_be=_most(course.would_be, "action"),
        day=strongest.day,
        candidate_id=int(history.candidate_id[candidate]) if candidate is not None else None,
        n_accounts=len(strongest.accounts),
        log_odds=strength(strongest) if candidate is not None else None,
        families=supporting_families(pieces, policy),
        evidence=tuple(pieces),
    )


def _days(sightings: Iterable[_Sighting]) -> tuple[date, ...]:
    return tuple(sorted({sighting.day for sighting in sightings}))


_ORDERS: dict[str, tuple[str, ...]] = {"confidence": _CONFIDENCES, "action": LADDER}


def _most(sightings: Sequence[_Sighting], what: str) -> str | None:
    said = (getattr(sighting, what) for sighting in sightings)
    return max(said, key=_ORDERS[what].index, default=None)


def _change(course: _Course) -> str:
    were, would_be = _days(course.were), _days(course.would_be)
    if not would_be or not were:
        return "newly flagged" if would_be else "no longer flagged"
    if would_be[0] != were[0]:
        return "later" if would_be[0] > were[0] else "earlier"
    if len(would_be) != len(were):
        return "fewer nights" if len(would_be) < len(were) else "more nights"
    action_was, action = _most(course.were, "action"), _most(course.would_be, "action")
    if action != action_was:
        softer = LADDER.index(action) < LADDER.index(action_was)
        return "softer action" if softer else "harder action"
    same = _most(course.were, "confidence") == _most(course.would_be, "confidence")
    return "unchanged" if same else "other confidence"


def _decided(changed: Sequence[Changed]) -> list[Decided]:
    return [
        Decided(
            verdict=verdict,
            n_cases=len(cases),
            n_were=sum(bool(case.days_were) for case in cases),
            n_would_be=sum(bool(case.days_would_be) for case in cases),
        )
        for verdict in (Verdict.APPROVE, Verdict.DISMISS, Verdict.WATCH)
        if (cases := [one for one in changed if one.decided is verdict])
    ]


def _union(sets: Iterable[Int64]) -> Int64:
    return np.unique(np.concatenate([np.empty(0, np.int64), *sets]))


def _is_within(accounts: Int64, held: Int64) -> bool:
    return _n_common(accounts, held) >= MOSTLY * len(accounts)


def _n_common(one: Int64, other: Int64) -> int:
    return int(np.isin(one, other).sum())
