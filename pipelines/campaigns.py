"""The step `campaigns`: who belongs together tonight, and is it a campaign? -> night.campaign, its members.

Here: fetching the night into arrays, asking the detector, writing verdicts. Not here: what counts as
evidence (detector.campaigns), texts to show (evidence).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from detector import campaigns as detect
from detector.text import CAPABILITIES, TECHNIQUES
from pipelines import scores
from pipelines.settings import Settings
from pipelines.warehouse.arrow import fetch, registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

LAYER_KINDS = ("template", "system_prompt", "tool_set", "payment", "address", "client", "parameters")
MOST_REASONS = 6
MOST_COUNTED = 2**63 - 1
MEMORY_NIGHTS = 35
"""How long a campaign is remembered: a pool that rests a month and comes back is the same campaign."""


LASTING_NIGHTS = 14
"""Nights over which the use of a text adds up: two weeks show the slowest account of the public record at
eighty requests, and a fashion at two."""


TAINTED = 0.1
"""A community is no reference when this share of its accounts was ever flagged: one in ten is more than
chance and bystanders bring together."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a night's campaign step found."""

    n_candidates: int
    n_campaigns: int
    n_flagged: int
    calibration: str


@dataclass(frozen=True, slots=True)
class _Night:
    """One night in memory: the accounts' frame, the detector's view of it, names of shared objects."""

    day: date
    accounts: pl.DataFrame
    population: detect.Population
    names: dict[str, list[str]]
    """kind of layer -> names of its objects"""


@dataclass(frozen=True, slots=True)
class _Flagged:
    """A candidate that is to be published."""

    group: detect.Group
    candidate: detect.Candidate
    verdict: detect.Verdict
    evidence: list[detect.Evidence]
    account_ids: list[str]
    family_requests: dict[str, float]


def gather_objects(con: duckdb.DuckDBPyConnection, day: date) -> pl.DataFrame:
    """What accounts could share on `day`, for `find_campaigns`: a long query, and it needs no scores."""
    return _frame(
        con,
        "campaigns/objects",
        {
            "day": day,
            "most_common": detect.EVERYBODYS,
            "lasting_nights": LASTING_NIGHTS,
        },
    )


def find_campaigns(
    con: duckdb.DuckDBPyConnection, day: date, settings: Settings, gathered: pl.DataFrame | None = None
) -> Found:
    """Replace the campaigns, flagged accounts and candidates of `day`.

    Only nights before `day` serve as reference and memory, whatever else the warehouse holds. `gathered` is
    what `gather_objects` gave, where it was asked beforehand.
    """
    night = _fetch(con, day, gather_objects(con, day) if gathered is None else gathered)
    objects = detect.shared_objects(night.population)
    candidates = detect.candidates(night.population, objects)
    groups = [detect.group_of(candidate, night.population, objects) for candidate in candidates]
    evidence = [detect.weigh(group) for group in groups]
    policy = settings.detection.policy()
    reference, n_nights = _reference(con, day, policy)
    has_history = len(reference) >= policy.least_reference
    verdicts = detect.decide(
        evidence, reference, has_content=[group.has_content for group in groups], policy=policy
    )
    flagged = _without_overlap(
        [
            _flagged(night, *facts)
            for facts in zip(groups, candidates, verdicts, evidence, strict=True)
            if facts[2].flagged
        ]
    )
    with transaction(con):
        for table in ("campaign", "flagged_account", "candidate", "candidate_account"):
            con.execute(f"DELETE FROM night.{table} WHERE day = $day", {"day": day})
        _write_candidates(con, night, candidates, verdicts)
        _write_campaigns(con, night, flagged)
        in_campaigns = {account for found in flagged for account in found.account_ids}
        alone = scores.flag_lone_accounts(con, day, in_campaigns)
        with registered(con, "alone", alone):
            con.execute("INSERT INTO night.flagged_account BY NAME FROM alone")
    return Found(
        n_candidates=len(candidates),
        n_campaigns=len(flagged),
        n_flagged=len(in_campaigns) + len(alone),
        calibration=_calibration(n_nights) if has_history else "this night alone",
    )


def _calibration(n_nights: int) -> str:
    return f"{n_nights} earlier night{'s' if n_nights > 1 else ''}"


# --- fetching --------------------------------------------------------------------------------------------


def _fetch(con: duckdb.DuckDBPyConnection, day: date, objects: pl.DataFrame) -> _Night:
    accounts = _frame(con, "campaigns/accounts", {"day": day})
    position = pl.DataFrame({"account_id": accounts["account_id"], "account": np.arange(len(accounts))})
    objects = objects.join(position, on="account_id", how="inner", maintain_order="left")
    layers = []
    names: dict[str, list[str]] = {}
    for kind in LAYER_KINDS:
        rows = objects.filter(pl.col("kind") == kind)
        if rows.is_empty():
            continue
        # Rows come ordered by object, so a run's number is the object's position.
        number = rows["object"].rle_id().to_numpy().astype(np.int64)
        names[kind] = rows["object"].unique(maintain_order=True).to_list()
        layers.append(
            detect.Layer(kind, rows["account"].to_numpy(), number, rows["share"].to_numpy(), len(names[kind]))
        )
    population = detect.Population(
        n_requests=_floats(accounts, "n_requests"),
        output_tokens=_floats(accounts, "output_tokens"),
        hour_counts=accounts["hour_counts"].explode().to_numpy().astype(np.float64).reshape(-1, 24),
        single_turn_share=_floats(accounts, "single_turn_share"),
        training_share=_floats(accounts, "training_share"),
        repeat_share=_floats(accounts, "repeat_share"),
        output_tokens_mean=_floats(accounts, "output_tokens_mean"),
        account_age_days=_floats(accounts, "account_age_days"),
        new_model_share=_floats(accounts, "new_model_share"),
        account_score=_floats(accounts, "account_score"),
        organisation=_codes(accounts["org_id"]),
        payment=_codes(accounts["payment_fingerprint"]),
        approved=accounts["is_approved"].to_numpy().astype(np.bool_),
        layers=tuple(layers),
        templates=_uses(objects, "template"),
        systems=_uses(objects, "system_prompt"),
    )
    return _Night(day, accounts, population, names)


def _uses(objects: pl.DataFrame, kind: str) -> detect.Uses:
    rows = objects.filter(pl.col("kind") == kind)
    columns = ("n_requests", "n_earlier_requests", "n_items", "n_shared_items", "n_training")
    return detect.Uses(*(rows[name].to_numpy() for name in columns))


def _frame(con: duckdb.DuckDBPyConnection, name: str, values: dict[str, Any]) -> pl.DataFrame:
    frame = pl.from_arrow(fetch(con, statement(name), values))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _floats(frame: pl.DataFrame, column: str) -> npt.NDArray[np.float64]:
    return frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _codes(names: pl.Series) -> npt.NDArray[np.int64]:
    """Equal names, equal numbers; -1 where there is none."""
    return names.rank("dense").cast(pl.Int64).fill_null(-1).to_numpy()


def _reference(
    con: duckdb.DuckDBPyConnection, day: date, policy: detect.Policy
) -> tuple[npt.NDArray[np.float64], int]:
    """Evidence of earlier nights' innocent communities, and the number of those nights."""
    values = {"day": day, "least": policy.least_log_odds, "tainted": TAINTED}
    rows = con.execute(statement("campaigns/reference"), values).fetchall()
    return np.array([row[0] for row in rows], dtype=np.float64), len({row[1] for row in rows})


# --- choosing --------------------------------------------------------------------------------------------


def _flagged(
    night: _Night,
    group: detect.Group,
    candidate: detect.Candidate,
    verdict: detect.Verdict,
    evidence: list[detect.Evidence],
) -> _Flagged:
    layer = night.population.layer(group.layer)
    family_requests: dict[str, float] = {}
    if layer is not None:
        for row, n_requests in zip(group.rows, group.uses.n_requests, strict=True):
            name = night.names[group.layer][layer.object[row]]
            family_requests[name] = family_requests.get(name, 0.0) + float(n_requests)
    account_ids = night.accounts["account_id"].gather(candidate.members).to_list()
    return _Flagged(group, candidate, verdict, evidence, account_ids, family_requests)


def _without_overlap(found: list[_Flagged]) -> list[_Flagged]:
    """Largest first; a group half of whose accounts are in a larger one is a part of it, not one more."""
    kept: list[_Flagged] = []
    largest = sorted(found, key=lambda one: (-len(one.account_ids), -one.verdict.log_odds, one.account_ids))
    for candidate in largest:
        mine = set(candidate.account_ids)
        if all(len(mine & set(other.account_ids)) < 0.5 * len(mine) for other in kept):
            kept.append(candidate)
    return kept


# --- writing ---------------------------------------------------------------------------------------------


def _write_candidates(
    con: duckdb.DuckDBPyConnection,
    night: _Night,
    candidates: Sequence[detect.Candidate],
    verdicts: Sequence[detect.Verdict],
) -> None:
    table = pa.table(
        {
            "candidate_id": pa.array(range(len(candidates)), pa.int32()),
            "n_accounts": pa.array([len(candidate.members) for candidate in candidates], pa.int32()),
            "evidence": pa.array([verdict.log_odds for verdict in verdicts], pa.float64()),
            "flagged": pa.array([verdict.flagged for verdict in verdicts], pa.bool_()),
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


def _write_campaigns(con: duckdb.DuckDBPyConnection, night: _Night, flagged: Sequence[_Flagged]) -> None:
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
    con: duckdb.DuckDBPyConnection, day: date, flagged: Sequence[_Flagged]
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
    con: duckdb.DuckDBPyConnection, day: date, found: _Flagged
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


def _links(night: _Night, found: _Flagged) -> list[dict[str, Any]]:
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
    con: duckdb.DuckDBPyConnection, night: _Night, found: _Flagged, campaign: dict[str, Any]
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
