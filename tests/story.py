"""A small drawn story for everything that reads findings: a warehouse filled by hand, then published.

Three nights in June 2025. `cmp-kiln` harvests worked-out reasoning with twelve accounts that are replaced
on the third night; `cmp-loom` grades answers with six; `solo-9` is alone; `reseller-1` belongs to
`cmp-kiln` and has a contract. On the third night calibration has drifted. `HOSTILE` strings are written
wherever a log lets a client write.
"""

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from pipelines.publish import publish
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace

FIRST, SECOND, THIRD = (date(2025, 6, day) for day in (1, 2, 3))
NIGHTS = (FIRST, SECOND, THIRD)
NOON = datetime(2025, 6, 4, 12, tzinfo=UTC)
"""When people look at the three nights."""

HOSTILE = {
    "script": "<script>window.stillwatchWasHere=1</script>",
    "image": "![x](http://evil.example/pixel.png)",
    "link": "[click](http://evil.example/)",
    "markup": ":red[owned] :material/home: $x^2$",
    "html": '<img src="http://evil.example/p.png" onerror="window.stillwatchWasHere=1">',
    "formula": '=HYPERLINK("http://evil.example/","open")',
    "bidi": "acct\u202egnp.exe",
}
"""What an adversary might write into an account id, a model name or a prompt."""

KILN_FIRST = tuple(f"kiln-{n:02d}" for n in range(10))
KILN_HOSTILE = (HOSTILE["html"], HOSTILE["formula"])
KILN_LATER = tuple(f"kiln-{n:02d}" for n in range(5, 15))
LOOM = tuple(f"loom-{n:02d}" for n in range(6))

KILN_SKELETON = (
    "solve the following problem and write out every step of your reasoning <text> put the final answer in"
)


def told(root: Path, *, nights: Sequence[date] = NIGHTS, hostile: bool = True) -> Workspace:
    """The story so far, published; `hostile` adds accounts, models and prompts of an adversary."""
    shutil.copytree(_told_once(tuple(nights), hostile), root, dirs_exist_ok=True)
    return Workspace(root)


@cache
def _told_once(nights: tuple[date, ...], hostile: bool) -> Path:
    """Written row by row it takes a second: each story is written once, then copied."""
    kept = tempfile.mkdtemp(prefix="stillwatch-story-")
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    workspace = Workspace(Path(kept))
    with duckdb.connect(workspace.warehouse) as con:
        con.execute(statement("schema"))
        _who(con)
        for night in nights:
            _one_night(con, night, hostile=hostile)
        publish(con, workspace)
    return workspace.root


def go_on(workspace: Workspace, night: date, *, hostile: bool = True) -> None:
    """One more night, published over the snapshot that readers may have open."""
    with duckdb.connect(workspace.warehouse) as con:
        _one_night(con, night, hostile=hostile)
        publish(con, workspace)


def members_of_kiln(night: date, *, hostile: bool = True) -> tuple[str, ...]:
    """Accounts of `cmp-kiln` on that night."""
    pool = KILN_LATER if night == THIRD else KILN_FIRST
    return (*pool, "reseller-1", *(KILN_HOSTILE if hostile else ()))


def add(con: duckdb.DuckDBPyConnection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows by column name; columns the story does not name are null, or 0 where one must be."""
    unsaid = dict.fromkeys(_required_numbers(con, table), 0)
    for row in rows:
        whole = unsaid | row
        names, marks = ", ".join(whole), ", ".join(f"${name}" for name in whole)
        con.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", whole)


def _required_numbers(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    schema, name = table.split(".")
    asked = """
        SELECT column_name FROM duckdb_columns()
        WHERE schema_name = $schema AND table_name = $name AND NOT is_nullable
          AND data_type IN ('INTEGER', 'BIGINT', 'DOUBLE', 'UINTEGER', 'UBIGINT', 'FLOAT')
    """
    return [column for (column,) in con.execute(asked, {"schema": schema, "name": name}).fetchall()]


def _who(con: duckdb.DuckDBPyConnection) -> None:
    add(
        con,
        "core.account",
        [
            {
                "account_id": "reseller-1",
                "org_id": "org-r",
                "created_at": datetime(2024, 11, 2),  # noqa: DTZ001  the warehouse keeps UTC without a zone
                "plan": "enterprise",
                "country": "NL",
                "verified": True,
                "use_case": "resale to research groups",
                "approved_use": "reseller",
                "approved_until": date(2025, 12, 31),
            },
            {
                "account_id": "solo-9",
                "org_id": "org-s",
                "created_at": datetime(2025, 5, 30),  # noqa: DTZ001
                "plan": "pay-as-you-go",
                "country": "DE",
                "verified": False,
                "approved_use": "evaluation",
                "approved_until": date(2025, 1, 31),
            },
        ],
    )
    add(con, "raw.file", [{"file_id": 1, "path": "logs/gateway-03.jsonl", "n_rows": 900, "n_refused": 2}])
    add(
        con,
        "raw.reject",
        [
            {"file_id": 1, "row_number": n, "column_name": "ts", "reason": "year 1970", "remedy": "send UTC"}
            for n in (17, 48)
        ],
    )


def _one_night(con: duckdb.DuckDBPyConnection, night: date, *, hostile: bool) -> None:
    kiln = members_of_kiln(night, hostile=hostile)
    for account_id in kiln:
        model = HOSTILE["html"] if account_id in KILN_HOSTILE else "sonde-4"
        _requests(con, night, account_id, model=model, n=40, first_hour=2)
    for account_id in LOOM:
        _requests(con, night, account_id, model="sonde-4", n=12, first_hour=9)
    _requests(con, night, "solo-9", model="sonde-4-mini", n=90, first_hour=0)
    _families(con, night, kiln)
    _exemplars(con, night, kiln, hostile=hostile)
    _campaigns(con, night, kiln, hostile=hostile)
    _harvest(con, night, kiln)
    _links(con, night)
    _events(con, night, kiln)
    _flagged(con, night, kiln, hostile=hostile)
    _drift(con, night)
    add(
        con,
        "night.summary",
        [
            {
                "day": night,
                "n_requests": 40 * len(kiln) + 162,
                "n_accounts": len(kiln) + 7,
                "n_refused": 2 if night == FIRST else 0,
                "n_repeated": 3,
                "n_families": 2,
                "n_candidates": 9,
                "n_campaigns": 2,
                "n_flagged": len(kiln) + 7,
                "calibration": "this night alone"
                if night == FIRST
                else f"{(night - FIRST).days} earlier nights",
            }
        ],
    )


def _requests(
    con: duckdb.DuckDBPyConnection, night: date, account_id: str, *, model: str, n: int, first_hour: int
) -> None:
    con.execute(
        """
        INSERT INTO core.request
            (day, file_id, row_number, request_key, sent_at, account_id, model, output_tokens)
        SELECT $night, 1, i, i::HUGEINT, $night::TIMESTAMP
               + to_hours(CAST($first_hour AS INTEGER)) + to_seconds(i * 611), $account_id, $model, 500
        FROM range($n) AS t(i)
        """,
        {"night": night, "account_id": account_id, "model": model, "n": n, "first_hour": first_hour},
    )


def _families(con: duckdb.DuckDBPyConnection, night: date, kiln: Sequence[str]) -> None:
    drawn = (
        ("fam-solve", KILN_SKELETON, kiln, 36),
        ("fam-grade", "rate the answer below from one to ten <text> and explain each point", LOOM, 12),
    )
    for family_id, skeleton, accounts, n in drawn:
        add(
            con,
            "night.family",
            [
                {
                    "day": night,
                    "family_id": family_id,
                    "kind": "prompt",
                    "n_accounts": len(accounts),
                    "n_requests": n * len(accounts),
                    "n_items": n * len(accounts),
                    "first_seen": FIRST,
                    "skeleton": skeleton,
                    "shingles": [1, 2, 3],
                }
            ],
        )
        add(
            con,
            "night.family_account",
            [
                {
                    "day": night,
                    "family_id": family_id,
                    "account_id": account_id,
                    "n_requests": n,
                    "n_items": n,
                    "n_shared_items": 0,
                }
                for account_id in accounts
            ],
        )


def _exemplars(con: duckdb.DuckDBPyConnection, night: date, kiln: Sequence[str], *, hostile: bool) -> None:
    texts = [
        f"Problem {n}: a kiln cools by {n} degrees an hour. Write out every step." for n in range(len(kiln))
    ]
    if hostile:
        texts[:5] = [HOSTILE[name] for name in ("script", "image", "link", "markup", "html")]
    drawn = [(account_id, "fam-solve", text) for account_id, text in zip(sorted(kiln), texts, strict=True)]
    drawn += [(account_id, "fam-grade", f"Rate the answer below, {account_id}.") for account_id in LOOM]
    drawn += [("solo-9", None, "Write a riddle and solve it aloud.")]
    add(
        con,
        "night.exemplar",
        [
            {
                "day": night,
                "account_id": account_id,
                "family_id": family_id,
                "request_key": n,
                "request_id": f"req-{night:%d}-{n:03d}",
                "text": text,
            }
            for n, (account_id, family_id, text) in enumerate(drawn)
        ],
    )


def _campaigns(con: duckdb.DuckDBPyConnection, night: date, kiln: Sequence[str], *, hostile: bool) -> None:
    said = f" One client calls itself {HOSTILE['markup']} {HOSTILE['link']}." if hostile else ""
    first, last = _span(night)
    add(
        con,
        "night.campaign",
        [
            {
                "day": night,
                "campaign_id": "cmp-kiln",
                "score": 0.97,
                "p_value": 0.0004,
                "confidence": "high",
                "recommended_action": "suspend",
                "n_accounts": len(kiln),
                "n_requests": 40 * len(kiln),
                "output_tokens": 20_000 * len(kiln),
                "first_seen": _span(FIRST)[0],
                "last_seen": last,
                "capabilities": [
                    {"name": "math_reasoning", "share": 0.81},
                    {"name": "coding", "share": 0.19},
                ],
                "techniques": [{"name": "reasoning_trace", "share": 0.9}, {"name": "none", "share": 0.1}],
                "profile": "synchronised reasoning-trace harvest",
                "links": [
                    {"kind": "template", "strength": 41.2, "detail": "13 accounts share fam-solve"},
                    {"kind": "payment", "strength": 12.5, "detail": "two cards pay for 6 accounts"},
                ],
                "evidence": [
                    _evidence("content", "requests made from one template", 0.9, "0 to 0.2", 6.1),
                    _evidence("content", "asks for worked-out reasoning", 0.9, "0 to 0.05", 3.4),
                    _evidence("timing", "accounts start together", 0.93, "0 to 0.3", 4.0),
                    _evidence("timing", "requests that follow closely", 0.31, "0.2 to 0.5", -0.04),
                    _evidence("lifecycle", "accounts younger than a week", 0.85, "0 to 0.1", 2.2),
                ],
                "summary": f"{len(kiln)} accounts work through one list of problems.{said}",
                "status": {FIRST: "new", SECOND: "steady"}.get(night, "growing"),
                "families": ["fam-solve"],
            },
            {
                "day": night,
                "campaign_id": "cmp-loom",
                "score": 0.71,
                "p_value": 0.02,
                "confidence": "medium",
                "recommended_action": "limit",
                "n_accounts": len(LOOM),
                "n_requests": 72,
                "output_tokens": 36_000,
                "first_seen": first,
                "last_seen": last,
                "capabilities": [{"name": "rubric_grading", "share": 1.0}],
                "techniques": [{"name": "preference_labels", "share": 1.0}],
                "profile": "rubric grading",
                "links": [{"kind": "template", "strength": 9.0, "detail": "6 accounts share fam-grade"}],
                "evidence": [_evidence("content", "requests made from one template", 1.0, "0 to 0.2", 5.0)],
                "summary": "6 accounts grade answers with one rubric.",
                "status": "steady",
                "families": ["fam-grade"],
            },
        ],
    )


def _harvest(con: duckdb.DuckDBPyConnection, night: date, kiln: Sequence[str]) -> None:
    drawn = (
        ("cmp-kiln", "math_reasoning", "reasoning_trace", 29 * len(kiln), 16_000 * len(kiln)),
        ("cmp-kiln", "coding", "reasoning_trace", 7 * len(kiln), 3_500 * len(kiln)),
        ("cmp-kiln", "math_reasoning", "none", 4 * len(kiln), 500 * len(kiln)),
        ("cmp-loom", "rubric_grading", "preference_labels", 72, 36_000),
    )
    names = ("campaign_id", "capability", "technique", "n_requests", "output_tokens")
    rows = [{"day": night} | dict(zip(names, line, strict=True)) for line in drawn]
    add(con, "night.campaign_harvest", rows)


def _links(con: duckdb.DuckDBPyConnection, night: date) -> None:
    names = ("campaign_id", "kind", "strength", "reach", "log_odds_without", "stands_without")
    drawn = (
        ("cmp-kiln", "template", 41.2, 1.0, 8.1, False),
        ("cmp-kiln", "payment", 12.5, 0.5, 13.2, True),
        ("cmp-loom", "template", 9.0, 1.0, None, False),
    )
    add(con, "night.campaign_link", [{"day": night} | dict(zip(names, line, strict=True)) for line in drawn])


def _events(con: duckdb.DuckDBPyConnection, night: date, kiln: Sequence[str]) -> None:
    what = {FIRST: "new", SECOND: "steady"}.get(night, "growing")
    rows = [
        {"day": night, "campaign_id": "cmp-kiln", "event": what, "n_accounts": len(kiln)},
        {"day": night, "campaign_id": "cmp-loom", "event": "steady", "n_accounts": len(LOOM)},
    ]
    if night == THIRD:
        replaced = {"event": "replaced", "n_accounts": 5, "n_stopped": 5}
        rows.append({"day": night, "campaign_id": "cmp-kiln"} | replaced)
    add(con, "night.campaign_event", rows)


def _drift(con: duckdb.DuckDBPyConnection, night: date) -> None:
    """From the second night on; on the third there is a warning for the accounts of people."""
    if night == FIRST:
        return
    warned = night == THIRD
    person = {"lane": "person", "n_accounts": 400, "n_low": 72 if warned else 20, "n_reference": 3_000}
    betted = {"factor": 3.0, "evidence": 21_900.0 if warned else 12.0, "warned": warned, "since": SECOND}
    moved = [{"feature": "n_ips", "distance": 0.41}] if warned else []
    quiet = {"lane": "quiet", "n_accounts": 900, "n_low": 30, "n_reference": 5_000}
    unmoved = {"factor": 0.4, "evidence": 0.4, "warned": False, "since": night, "moved": []}
    common = {"day": night, "tolerated_share": 0.1, "warn_at": 21_900.0}
    add(con, "night.drift", [common | quiet | unmoved, common | person | betted | {"moved": moved}])


def _evidence(family: str, detail: str, value: float, usual_range: str, log_odds: float) -> dict[str, Any]:
    return {
        "family": family,
        "code": detail.upper().replace(" ", "_"),
        "detail": detail,
        "value": value,
        "usual_range": usual_range,
        "log_odds": log_odds,
    }


def _reason(code: str, detail: str, value: float, usual_range: str) -> dict[str, Any]:
    return {"code": code, "detail": detail, "value": value, "usual_range": usual_range}


def _flagged(con: duckdb.DuckDBPyConnection, night: date, kiln: Sequence[str], *, hostile: bool) -> None:
    first, last = _span(night)
    scores = dict.fromkeys(kiln, ("cmp-kiln", 0.9, "suspend", 40))
    scores |= dict.fromkeys(LOOM, ("cmp-loom", 0.6, "limit", 12))
    alone = {"solo-9": (None, 0.8, "verify", 90)} | (
        {HOSTILE["link"]: (None, 0.3, "watch", 9)} if hostile else {}
    )
    rows = [*scores.items(), *alone.items()]
    add(
        con,
        "night.flagged_account",
        [
            {
                "day": night,
                "account_id": account_id,
                "campaign_id": campaign_id,
                "score": score,
                "p_value": 0.01,
                "confidence": "medium",
                "recommended_action": action,
                "reasons": [
                    _reason("VOLUME", "far above its peers", float(n), "1 to 8"),
                    _reason("ONE_TEMPLATE", "most requests from one template", 0.9, "0 to 0.2"),
                ],
                "first_seen": first,
                "last_seen": last,
                "n_requests": n,
                "output_tokens": 500 * n,
            }
            for account_id, (campaign_id, score, action, n) in rows
        ],
    )


def _span(night: date) -> tuple[datetime, datetime]:
    midnight = datetime(night.year, night.month, night.day)  # noqa: DTZ001
    return midnight + timedelta(hours=2), midnight + timedelta(hours=9, minutes=30)
