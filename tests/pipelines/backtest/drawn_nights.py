"""Nights of candidates drawn as tables, in a workspace on disk: what was weighed, what was flagged."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from drawn import rows_of

from pipelines.publish import publish
from pipelines.warehouse.arrow import fetch, registered
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace

FIRST, SECOND, THIRD = (date(2025, 6, day) for day in (1, 2, 3))

FAMILIES = ("content", "timing", "identity", "lifecycle")

CROWD = [-6.0 + 0.25 * n for n in range(25)]
"""Log-odds of each night's innocent groups: enough of them for a reference, none with much evidence."""


def drawn(root: Path, table: str, *, without_pieces: Iterable[date] = ()) -> Workspace:
    """A workspace whose nights hold the drawn candidates and a crowd of innocent ones.

    `night` (day of June), `accounts` (`k1-k9`, or names with blanks), log-odds of any evidence family, on
    how many `nights` it was seen by then and what those `earlier` said together;
    `flagged` is what the scan said: campaign, confidence and action, or `-`; `alone` in its place is a lone
    account. `without_pieces` are nights scanned before evidence was kept.
    """
    workspace = Workspace(root).create()
    rows = rows_of(table)
    with duckdb.connect(workspace.warehouse) as con:
        con.execute(statement("schema"))
        for night in sorted({date(2025, 6, int(str(row["night"]))) for row in rows}):
            of_night = [row for row in rows if int(str(row["night"])) == night.day]
            _judged(con, night, of_night, has_pieces=night not in set(without_pieces))
        publish(con, workspace)
    return workspace


def _judged(
    con: duckdb.DuckDBPyConnection, night: date, rows: list[dict[str, str | None]], *, has_pieces: bool
) -> None:
    crowd: list[dict[str, str | None]] = [
        {
            "accounts": f"crowd{night.day}x{n}a1-crowd{night.day}x{n}a5",
            "timing": str(points),
            "flagged": None,
            "nights": "3",
            "earlier": str(2 * points),
        }
        for n, points in enumerate(CROWD)
    ]
    candidates = [row for row in rows if not (row["flagged"] or "").startswith("alone")] + crowd
    _add(
        con,
        "night.summary",
        [dict.fromkeys(_COUNTS, 0) | {"day": night, "calibration": "as drawn"}],
    )
    for number, row in enumerate(candidates):
        accounts = _accounts(row)
        pieces = [(family, float(row[family] or 0)) for family in FAMILIES if row.get(family)]
        _add(
            con,
            "night.candidate",
            [
                {
                    "day": night,
                    "candidate_id": number,
                    "n_accounts": len(accounts),
                    "evidence": sum(points for _, points in pieces),
                    "flagged": row["flagged"] is not None,
                    "has_content": True if has_pieces else None,
                    "n_nights": int(row.get("nights") or 1),
                    "earlier_evidence": float(row.get("earlier") or 0),
                }
            ],
        )
        _add(
            con,
            "night.candidate_account",
            [{"day": night, "candidate_id": number, "account_id": account} for account in accounts],
        )
        if has_pieces:
            _add(
                con,
                "night.candidate_evidence",
                [
                    {
                        "day": night,
                        "candidate_id": number,
                        "position": position,
                        "family": family,
                        "code": f"SOME_{family.upper()}",
                        "value": 0.5,
                        "usual_range": "less",
                        "log_odds": points,
                    }
                    for position, (family, points) in enumerate(pieces)
                ],
            )
    for row in rows:
        if row["flagged"] is not None:
            _flag(con, night, _accounts(row), row["flagged"])


_COUNTS = (
    *("n_requests", "n_accounts", "n_refused", "n_repeated", "n_families"),
    *("n_candidates", "n_campaigns", "n_flagged"),
)


def _accounts(row: dict[str, str | None]) -> list[str]:
    """`k2-k4` is k2, k3, k4; blanks separate."""
    names: list[str] = []
    for part in str(row["accounts"]).split():
        first, _, last = part.partition("-")
        stem = first.rstrip("0123456789")
        names += [f"{stem}{n}" for n in range(int(first[len(stem) :]), int((last or first)[len(stem) :]) + 1)]
    return names


def _flag(con: duckdb.DuckDBPyConnection, night: date, accounts: list[str], flagged: str) -> None:
    campaign_id, confidence, action = flagged.split()
    midnight = datetime(night.year, night.month, night.day)  # noqa: DTZ001  the warehouse keeps UTC without a zone
    seen = {"day": night, "first_seen": midnight, "last_seen": midnight, "n_requests": 9, "output_tokens": 9}
    said = {"score": 0.9, "p_value": 0.001, "confidence": confidence, "recommended_action": action}
    name = None if campaign_id == "alone" else campaign_id
    if name is not None:
        nothing = {name: [] for name in ("capabilities", "techniques", "links", "evidence", "families")}
        _add(
            con,
            "night.campaign",
            [
                {"campaign_id": name, "n_accounts": len(accounts), "profile": "p", "summary": "s"}
                | {"status": "new", **nothing, **seen, **said}
            ],
        )
    _add(
        con,
        "night.flagged_account",
        [{"account_id": account, "campaign_id": name, "reasons": []} | seen | said for account in accounts],
    )


def _add(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    columns = fetch(con, f"FROM {table} LIMIT 0").schema
    with registered(con, "new_rows", pa.Table.from_pylist(rows, schema=columns)):
        con.execute(f"INSERT INTO {table} BY NAME FROM new_rows")
