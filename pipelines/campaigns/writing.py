"""What was found tonight -> night.candidate and its evidence, night.campaign, night.flagged_account.

Here: names over nights, what a campaign harvests, why each account is a member, rows. Not here: verdicts
(judging), texts to show (evidence).
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from detector import campaigns as detect
from detector.text import CAPABILITIES, TECHNIQUES
from pipelines.campaigns.judging import Flagged
from pipelines.campaigns.night import Night
from pipelines.warehouse.arrow import fetch, registered
from pipelines.warehouse.statements import statement

MOST_REASONS = 6
MOST_COUNTED = 2**63 - 1
MEMORY_NIGHTS = 35
"""How long a campaign is remembered: a pool that rests a month and comes back is the same campaign."""


def write_candidates(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    candidates: Sequence[detect.Candidate],
    groups: Sequence[detect.Group],
    verdicts: Sequence[detect.Verdict],
    evidence: Sequence[Sequence[detect.Evidence]],
) -> None:
    """Every candidate with its verdict, its accounts and the pieces of evidence it was judged by."""
    table = pa.table(
        {
            "candidate_id": pa.array(range(len(candidates)), pa.int32()),
            "n_accounts": pa.array([len(candidate.members) for candidate in candidates], pa.int32()),
            "evidence": pa.array([verdict.log_odds for verdict in verdicts], pa.float64()),
            "flagged": pa.array([verdict.flagged for verdict in verdicts], pa.bool_()),
            "has_content": pa.array([group.has_content for group in groups], pa.bool_()),
        }
    )
    with registered(con, "judged", table):
        con.execute(
            "INSERT INTO night.candidate BY NAME SELECT $day AS day, * FROM judged", {"day": night.day}
        )
    sizes = [len(candidate.members) for candidate in candidates]
    members = np.concatenate([np.empty(0, np.int64), *(candidate.members for candidate in candidates)])
    who = pa.table(
        {
            "candidate_id": np.repeat(np.arange(len(candidates), dtype=np.int32), sizes),
            "account_id": night.accounts["account_id"].gather(members).to_arrow(),
        }
    )
    with registered(con, "who", who):
        con.execute(
            "INSERT INTO night.candidate_account BY NAME SELECT $day AS day, * FROM who", {"day": night.day}
        )
    _insert(
        con,
        "night.candidate_evidence",
        [
            {
                "day": night.day,
                "candidate_id": candidate_id,
                "position": position,
                "family": piece.family,
                "code": piece.code,
                "value": piece.value,
                "usual_range": piece.usual_range,
                "log_odds": piece.log_odds,
            }
            for candidate_id, pieces in enumerate(evidence)
            for position, piece in enumerate(pieces)
        ],
    )


def write_campaigns(con: duckdb.DuckDBPyConnection, night: Night, flagged: Sequence[Flagged]) -> None:
    named = _identities(con, night.day, flagged)
    for found, (campaign_id, status) in zip(flagged, named, strict=True):
        members = night.accounts[found.candidate.members]
        capabilities, techniques = _harvest(con, night.day, found)
        verdict = found.verdict
        harvested = detect.profile(capabilities, techniques)
        totals = {
            "n_accounts": len(members),
            "n_requests": _summed(members["n_requests"]),
            "output_tokens": _summed(members["output_tokens"]),
        }
        families = sorted(found.family_requests, key=lambda name: (-found.family_requests[name], name))
        row = totals | {
            "day": night.day,
            "campaign_id": campaign_id,
            "score": verdict.score,
            "p_value": verdict.p_value,
            "confidence": verdict.confidence,
            "recommended_action": verdict.recommended_action,
            "first_seen": _first_seen(con, night.day, campaign_id, min(members["first_sent_at"].to_list())),
            "last_seen": members["last_sent_at"].max(),
            "capabilities": _shares(capabilities),
            "techniques": _shares(techniques),
            "profile": harvested,
            "links": _links(night, found),
            "evidence": [
                {
                    "family": piece.family,
                    "code": piece.code,
                    "detail": piece.detail,
                    "value": piece.value,
                    "usual_range": piece.usual_range,
                    "log_odds": piece.log_odds,
                }
                for piece in found.evidence
            ],
            "summary": detect.summary(**totals, harvested=harvested, evidence=found.evidence, status=status),
            "status": status,
            "families": families,
        }
        _insert(con, "night.campaign", [row])
        _insert(con, "night.flagged_account", _member_rows(con, night, found, row))


def _summed(counts: pl.Series) -> int:
    """The sum, up to what a BIGINT holds: counts come from a log, which may say anything."""
    return min(int(counts.sum()), MOST_COUNTED)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    columns = fetch(con, f"FROM {table} LIMIT 0").schema
    with registered(con, "new_rows", pa.Table.from_pylist(rows, schema=columns)):
        con.execute(f"INSERT INTO {table} BY NAME FROM new_rows")


def _identities(
    con: duckdb.DuckDBPyConnection, day: date, flagged: Sequence[Flagged]
) -> list[tuple[str, str]]:
    rows = con.execute(statement("campaigns/known"), {"day": day, "nights": MEMORY_NIGHTS}).fetchall()
    known = [detect.Known(row[0], row[1], frozenset(row[2]), frozenset(row[3])) for row in rows]
    sightings = [detect.Sighting(frozenset(found.account_ids), found.family_requests) for found in flagged]
    return detect.identify(sightings, known, day)


def _first_seen(con: duckdb.DuckDBPyConnection, day: date, campaign_id: str, tonight: datetime) -> datetime:
    earlier = con.execute(
        "SELECT min(first_seen) FROM night.campaign WHERE campaign_id = $id AND day < $day",
        {"id": campaign_id, "day": day},
    ).fetchall()[0][0]
    return min(earlier, tonight) if earlier is not None else tonight


def _harvest(
    con: duckdb.DuckDBPyConnection, day: date, found: Flagged
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Shares of capabilities and of techniques over the requests in the group's templates, largest first.

    Without templates, over all requests of its members.
    """
    members = pa.table({"account_id": pa.array(found.account_ids, pa.string())})
    families = pa.table({"family_id": pa.array(sorted(found.family_requests), pa.string())})
    with registered(con, "member", members), registered(con, "core_family", families):
        rows = con.execute(statement("campaigns/harvest"), {"day": day}).fetchall()
    total = max(sum(row[2] for row in rows), 1)
    capabilities: dict[str, float] = {}
    techniques: dict[str, float] = {}
    for capability, technique, n in rows:
        capabilities[CAPABILITIES[capability]] = capabilities.get(CAPABILITIES[capability], 0) + n / total
        techniques[TECHNIQUES[technique]] = techniques.get(TECHNIQUES[technique], 0) + n / total
    return _largest(capabilities), _largest(techniques)


def _largest(shares: dict[str, float]) -> list[tuple[str, float]]:
    rounded = ((name, round(share, 4)) for name, share in shares.items())
    return sorted(rounded, key=lambda item: (-item[1], item[0]))


def _shares(shares: list[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"name": name, "share": share} for name, share in shares]


_LINK_DETAIL = {
    "template": "prompt templates that hardly anyone else uses",
    "system_prompt": "system prompts that hardly anyone else uses",
    "tool_set": "the same sets of tools",
    "payment": "payment instruments in common",
    "address": "network addresses in common",
    "client": "the same rare client fingerprint",
    "parameters": "the same rare combination of request parameters",
}


def _links(night: Night, found: Flagged) -> list[dict[str, Any]]:
    """What ties the group, by kind: the best log-likelihood ratio of its typical objects, and their reach."""
    first = np.cumsum([0, *(layer.n_objects for layer in night.population.layers)])
    links = []
    for position, layer in enumerate(night.population.layers):
        mine = (found.candidate.core >= first[position]) & (found.candidate.core < first[position + 1])
        if not mine.any():
            continue
        core = found.candidate.core[mine] - first[position]
        carriers = np.unique(layer.account[np.isin(layer.object, core)])
        reach = float(np.isin(found.candidate.members, carriers).mean())
        strength = float(found.candidate.core_log_ratio[mine].max())
        links.append(
            {
                "kind": layer.kind,
                "strength": round(strength * reach, 3),
                "detail": f"{_LINK_DETAIL[layer.kind]}: {len(core)} reach {reach:.0%} of the accounts",
            }
        )
    return sorted(links, key=lambda link: (-link["strength"], link["kind"]))


def _member_rows(
    con: duckdb.DuckDBPyConnection, night: Night, found: Flagged, campaign: dict[str, Any]
) -> list[dict[str, Any]]:
    """One row per member: the group's score as far as its own membership is sure, and its own reasons."""
    members = found.candidate.members
    population = night.population
    in_templates = np.bincount(
        found.group.account,
        weights=found.group.uses.n_requests,
        minlength=len(population),
    )[members] / np.maximum(population.n_requests[members], 1)
    own = _own_reasons(con, night.day, found.account_ids)
    rows = []
    frame = night.accounts[members]
    members_by_strength = zip(found.account_ids, found.candidate.strength, strict=True)
    for index, (account_id, strength) in enumerate(members_by_strength):
        reasons = [
            {
                "code": "CAMPAIGN_MEMBER",
                "detail": f"belongs to {campaign['campaign_id']} with this probability",
                "value": round(float(strength), 4),
                "usual_range": "0 for unrelated accounts",
            },
        ]
        if population.has_content and found.family_requests:
            reasons.append(
                {
                    "code": "SHARED_TEMPLATE",
                    "detail": "share of its requests made from the campaign's templates",
                    "value": round(min(float(in_templates[index]), 1.0), 4),
                    "usual_range": "under 0.2 for people",
                }
            )
        reasons.extend(own.get(account_id, []))
        rows.append(
            {
                "day": night.day,
                "account_id": account_id,
                "campaign_id": campaign["campaign_id"],
                "score": float(campaign["score"] * strength),
                "p_value": campaign["p_value"],
                "confidence": campaign["confidence"],
                "recommended_action": campaign["recommended_action"],
                "reasons": reasons[:MOST_REASONS],
                "first_seen": frame["first_sent_at"][index],
                "last_seen": frame["last_sent_at"][index],
                "n_requests": int(population.n_requests[members[index]]),
                "output_tokens": int(population.output_tokens[members[index]]),
            }
        )
    return rows


def _own_reasons(
    con: duckdb.DuckDBPyConnection, day: date, account_ids: list[str]
) -> dict[str, list[dict[str, Any]]]:
    with registered(con, "member", pa.table({"account_id": pa.array(account_ids, pa.string())})):
        rows = con.execute(
            """SELECT account_id, reasons FROM night.account_score SEMI JOIN member USING (account_id)
               WHERE day = $day""",
            {"day": day},
        ).fetchall()
    return dict(rows)
