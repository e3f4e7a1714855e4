"""The enforcement list: one row per account that an approved decision reaches.

Here: which accounts leave, which are withheld and why, and what a row says. Not here: files (writing),
spelling of a format (as_csv, as_jsonl), which decision counts (cases.standing).
"""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipelines import findings
from pipelines.cases import CaseStore, Enforcement
from pipelines.export.reasons import VERSION, reason_codes, statement_of
from pipelines.rows import as_json, instant
from pipelines.workspace import Workspace

SCHEMA_VERSION = "1.0"
"""Of a row: docs/reference/exports.md. A new column raises the second number, a changed one the first."""

COLUMNS = (
    "schema_version",
    "action_id",
    "idempotency_key",
    "created_at",
    "effective_at",
    "expires_at",
    "subject_level",
    "subject_id",
    "action",
    "reason_codes",
    "reason_codes_version",
    "statement",
    "automated",
    "case_id",
    "campaign_id",
    "night",
    "score",
    "p_value",
    "confidence",
    "evidence_uri",
    "evidence_sha256",
    "evidence_contains_prompts",
    "decision_id",
    "approved_by",
    "approved_at",
    "approval_note",
)

_NAMESPACE = uuid.UUID("3f2a2c5e-6f43-5d0c-9b64-2f6f0f5b8a11")
# Ours alone: the same approval always has the same action_id, whenever and wherever it is exported.


@dataclass(frozen=True, slots=True)
class Withheld:
    """An approved account that does not leave, and why."""

    account_id: str
    why: str


@dataclass(frozen=True, slots=True)
class EnforcementList:
    """What would leave now."""

    rows: tuple[dict[str, Any], ...]
    """Values of COLUMNS, in order of subject_id."""
    withheld: tuple[Withheld, ...]
    nights: tuple[date, ...]
    """Scanned nights the findings rest on, oldest first."""


def enforcement_list(workspace: Workspace, store: CaseStore, *, at: datetime) -> EnforcementList:
    """The accounts that may be enforced at that time, with the ground for each.

    An account whose approved use is valid on that day never leaves, whatever was decided about a
    campaign it belongs to: a contract outranks a finding.

    Raises
    ------
    UsageError : nothing was published here.
    """
    found = _Findings.read(workspace)
    rows, withheld = [], []
    for enforcement in store.approved(at=at):
        if found.approved_use(enforcement.account_id, at.date()):
            withheld.append(Withheld(enforcement.account_id, "approved use is valid"))
        else:
            rows.append(_row(enforcement, found, at))
    return EnforcementList(tuple(rows), tuple(withheld), found.nights)


@dataclass(frozen=True, slots=True)
class _Findings:
    """The findings an enforcement list refers to, by their keys."""

    campaigns: Mapping[str, Mapping[str, Any]]
    accounts: Mapping[str, Sequence[Mapping[str, Any]]]
    """Findings of each account: one per campaign, and one for the account alone."""
    terms: Mapping[str, Mapping[str, Any]]
    nights: tuple[date, ...]
    digests: Mapping[str, str]
    """Of each campaign's finding: computed once, for it is part of every member's evidence."""

    @classmethod
    def read(cls, workspace: Workspace) -> "_Findings":
        families = dict(findings.recommendations(workspace).select("campaign_id", "families").iter_rows())
        campaigns = {
            row["campaign_id"]: row | {"families": families[row["campaign_id"]]}
            for row in findings.campaigns(workspace).iter_rows(named=True)
        }
        accounts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in findings.accounts(workspace).iter_rows(named=True):
            accounts[row["account_id"]].append(row)
        return cls(
            campaigns=campaigns,
            accounts=accounts,
            terms={row["account_id"]: row for row in findings.terms(workspace).iter_rows(named=True)},
            nights=tuple(sorted(findings.nights(workspace)["day"])),
            digests={campaign_id: _digest(as_json(row)) for campaign_id, row in campaigns.items()},
        )

    def approved_use(self, account_id: str, day: date) -> bool:
        """Whether the account may do on that day what it was flagged for."""
        terms = self.terms.get(account_id)
        if terms is None or not terms["approved_use"]:
            return False
        return terms["approved_until"] is None or day <= terms["approved_until"]

    def of_account(self, enforcement: Enforcement) -> Mapping[str, Any] | None:
        """The account's finding in the decided campaign, or else its newest one."""
        known = self.accounts.get(enforcement.account_id, ())
        if enforcement.campaign_id is not None:
            known = [row for row in known if row["campaign_id"] == enforcement.campaign_id]
        return max(known, key=lambda row: (row["day"], row["score"]), default=None)


def _row(enforcement: Enforcement, found: _Findings, at: datetime) -> dict[str, Any]:
    decision, account = enforcement.decision, found.of_account(enforcement)
    campaign_id = enforcement.campaign_id or (account["campaign_id"] if account is not None else None)
    campaign = found.campaigns.get(campaign_id) if campaign_id is not None else None
    ground = account or campaign or {}
    codes = reason_codes(campaign)
    key = _idempotency_key(enforcement)
    case_id = f"{decision.subject.level}:{decision.subject.id}"
    values = (
        SCHEMA_VERSION,
        str(uuid.uuid5(_NAMESPACE, key)),
        key,
        at,
        decision.decided_at,
        decision.expires_at,
        "account",
        enforcement.account_id,
        enforcement.action.value,
        codes,
        VERSION,
        statement_of(codes, enforcement.action.value),
        "detection",
        case_id,
        campaign_id,
        ground.get("day"),
        ground.get("score"),
        ground.get("p_value"),
        ground.get("confidence"),
        f"stillwatch:{case_id}",
        _digest(found.digests.get(campaign_id or "", "") + as_json(account)),
        False,
        decision.decision_id,
        decision.by,
        decision.decided_at,
        decision.reason,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _idempotency_key(enforcement: Enforcement) -> str:
    """Equal for equal approvals, so that a receiver may be handed the same list twice."""
    decision = enforcement.decision
    parts = (
        decision.subject.level.value,
        decision.subject.id,
        "account",
        enforcement.account_id,
        enforcement.action.value,
        VERSION,
        decision.decision_id,
        instant(decision.decided_at),
    )
    return _digest(as_json(parts))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
