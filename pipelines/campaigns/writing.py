"""What was found tonight -> night.candidate*, night.campaign*, night.flagged_account.

Here: why each account is a member, rows. Not here: verdicts (judging), names over nights (histories), what a
campaign harvests (harvest), what holds it together (links), texts to show (evidence).
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from detector import campaigns as detect
from pipelines.campaigns.harvest import harvests_of, shares
from pipelines.campaigns.histories import identities
from pipelines.campaigns.judging import Flagged, who_is_in
from pipelines.campaigns.links import Held, detail
from pipelines.campaigns.night import Night
from pipelines.campaigns.unseen import unseen_of
from pipelines.warehouse.arrow import fetch, registered

MOST_REASONS = 6
MOST_COUNTED = 2**63 - 1
SOFTEST = detect.LADDER[0]


def write_candidates(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    groups: Sequence[detect.Group],
    members: detect.Memberships,
    verdicts: Sequence[detect.Verdict],
    evidence: Sequence[Sequence[detect.Evidence]],
    earlier: npt.NDArray[np.float64],
) -> None:
    """Every candidate with its verdict, its accounts and the pieces of evidence it was judged by.

    earlier : float64, shape (n_candidates,): sum of the evidence of earlier nights
    """
    log_odds = np.array([verdict.log_odds for verdict in verdicts], dtype=np.float64)
    table = pa.table(
        {
            "candidate_id": pa.array(range(len(groups)), pa.int32()),
            "n_accounts": pa.array(members.sizes, pa.int32()),
            "evidence": pa.array(log_odds),
            "flagged": pa.array([verdict.flagged for verdict in verdicts], pa.bool_()),
            "is_head": pa.array(members.heads(log_odds)),
            "n_nights": pa.array([verdict.n_nights for verdict in verdicts], pa.int32()),
            "earlier_evidence": pa.array(earlier),
            "has_content": pa.array([group.has_content for group in groups], pa.bool_()),
        }
    )
    with registered(con, "judged", table):
        con.execute(
            "INSERT INTO night.candidate BY NAME SELECT $day AS day, * FROM judged", {"day": night.day}
        )
    with registered(con, "who", who_is_in(night, members)):
        con.execute(
            """INSERT INTO night.candidate_account BY NAME
               SELECT $day AS day, candidate AS candidate_id, account_id FROM who""",
            {"day": night.day},
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


def write_campaigns(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    flagged: Sequence[Flagged],
    held: Sequence[Sequence[Held]],
) -> None:
    """`held` is what holds each of the flagged together."""
    named = identities(con, night, flagged)
    harvests = harvests_of(con, night.day, flagged)
    unseen = unseen_of(con, night.day, flagged)
    own = _own_reasons(con, night.day, flagged)
    campaigns: list[dict[str, Any]] = []
    harvested_rows: list[dict[str, Any]] = []
    link_rows: list[dict[str, Any]] = []
    for found, links, (campaign_id, status), harvest, not_seen in zip(
        flagged, held, named, harvests, unseen, strict=True
    ):
        members = night.accounts[found.candidate.members]
        capabilities, techniques = shares(harvest, "capability"), shares(harvest, "technique")
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
            "capabilities": _named(capabilities),
            "techniques": _named(techniques),
            "profile": harvested,
            "links": [
                {"kind": one.link.kind, "strength": round(one.link.strength, 3), "detail": detail(one.link)}
                for one in links
            ],
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
            "summary": detect.summary(
                **totals,
                harvested=harvested,
                evidence=found.evidence,
                status=status,
                rests_on=[one.link.kind for one in links if not one.stands_without],
                unseen=not_seen,
                by_nights=verdict.n_nights if verdict.by_nights else 0,
            ),
            "status": status,
            "families": families,
        }
        ours = {"day": night.day, "campaign_id": campaign_id}
        campaigns.append(row)
        harvested_rows += [ours | asdict(line) for line in harvest]
        link_rows += [ours | _link_row(one) for one in links]
        _insert(con, "night.flagged_account", _member_rows(night, found, row, own))
    _insert(con, "night.campaign", campaigns)
    _insert(con, "night.campaign_harvest", harvested_rows)
    _insert(con, "night.campaign_link", link_rows)


def _summed(counts: pl.Series) -> int:
    """The sum, up to what a BIGINT holds: counts come from a log, which may say anything."""
    return min(int(counts.sum()), MOST_COUNTED)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    columns = fetch(con, f"FROM {table} LIMIT 0").schema
    with registered(con, "new_rows", pa.Table.from_pylist(rows, schema=columns)):
        con.execute(f"INSERT INTO {table} BY NAME FROM new_rows")


def _first_seen(con: duckdb.DuckDBPyConnection, day: date, campaign_id: str, tonight: datetime) -> datetime:
    earlier = con.execute(
        "SELECT min(first_seen) FROM night.campaign WHERE campaign_id = $id AND day < $day",
        {"id": campaign_id, "day": day},
    ).fetchall()[0][0]
    return min(earlier, tonight) if earlier is not None else tonight


def _named(shares_of: list[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"name": name, "share": share} for name, share in shares_of]


def _link_row(held: Held) -> dict[str, Any]:
    """A row of night.campaign_link; the strength is the one of the finding."""
    return {
        "kind": held.link.kind,
        "strength": round(held.link.strength, 3),
        "reach": held.link.reach,
        "log_odds_without": held.log_odds_without,
        "stands_without": held.stands_without,
    }


def _member_rows(
    night: Night, found: Flagged, campaign: dict[str, Any], own: dict[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """One row per member: the group's score as far as its own membership is sure, and its own reasons.

    Who may be a bystander is only to be watched.
    """
    members = found.candidate.members
    population = night.population
    in_templates = found.group.carried_requests / np.maximum(population.n_requests[members], 1)
    rows = []
    actions = np.where(found.loosely_tied, SOFTEST, campaign["recommended_action"]).tolist()
    frame = night.accounts[members]
    first_sent_at, last_sent_at = frame["first_sent_at"].to_list(), frame["last_sent_at"].to_list()
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
        if found.loosely_tied[index]:
            reasons.append(
                {
                    "code": "ONE_TIE",
                    "detail": "kinds of links that tie it to the campaign, whose texts it hardly used",
                    "value": 1.0,
                    "usual_range": "2 and more, or 5 requests from the shared texts",
                }
            )
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
                "recommended_action": actions[index],
                "reasons": reasons[:MOST_REASONS],
                "first_seen": first_sent_at[index],
                "last_seen": last_sent_at[index],
                "n_requests": int(population.n_requests[members[index]]),
                "output_tokens": int(population.output_tokens[members[index]]),
            }
        )
    return rows


def _own_reasons(
    con: duckdb.DuckDBPyConnection, day: date, flagged: Sequence[Flagged]
) -> dict[str, list[dict[str, Any]]]:
    """Of every account in any of the groups, why it stands out among its peers."""
    account_ids = sorted({account_id for found in flagged for account_id in found.account_ids})
    with registered(con, "member", pa.table({"account_id": pa.array(account_ids, pa.string())})):
        rows = con.execute(
            """SELECT account_id, reasons FROM night.account_score SEMI JOIN member USING (account_id)
               WHERE day = $day""",
            {"day": day},
        ).fetchall()
    return dict(rows)
