"""Worlds of a few requests, drawn as rows: what a peer sees, and what it should make of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.peers.world import World
from pipelines.record import ACCOUNT_SCHEMA, REQUEST_SCHEMA

JUNE_1 = date(2026, 6, 1)


def world_of(folder: Path, rows: Sequence[dict[str, Any]], payments: dict[str, str] | None = None) -> World:
    """Write a world. A row needs `account` and `hour`; `night` counts from 0, other keys are columns."""
    types = pl.DataFrame(REQUEST_SCHEMA.empty_table()).schema
    by_night: dict[int, list[dict[str, Any]]] = {}
    for number, row in enumerate(rows):
        given = {key: value for key, value in row.items() if key not in ("account", "hour", "night")}
        night = row.get("night", 0)
        midnight = datetime(JUNE_1.year, JUNE_1.month, JUNE_1.day, tzinfo=UTC) + timedelta(days=night)
        by_night.setdefault(night, []).append(
            {
                "request_id": f"r{number}",
                "ts": midnight + timedelta(hours=row["hour"]),
                "account_id": row["account"],
                **given,
            }
        )
    for night, drawn in by_night.items():
        out = folder / "logs" / f"day={JUNE_1 + timedelta(days=night)}"
        out.mkdir(parents=True)
        pl.DataFrame(drawn, schema_overrides=types, infer_schema_length=None).write_parquet(
            out / "part-0.parquet"
        )
    if payments is not None:
        known = [
            {"account_id": account, "payment_fingerprint": payment} for account, payment in payments.items()
        ]
        schema = pl.DataFrame(ACCOUNT_SCHEMA.empty_table()).schema
        pl.DataFrame(known, schema=schema).write_parquet(folder / "accounts.parquet")
    return World(folder)


def groups_of(flags: pl.DataFrame) -> set[frozenset[str]]:
    """The groups that were flagged, over all nights, by their accounts."""
    named = flags.drop_nulls("campaign_id").group_by("campaign_id").agg("account_id")
    return {frozenset(accounts) for accounts in named["account_id"].to_list()}


def alone_in(flags: pl.DataFrame) -> set[str]:
    """Accounts flagged without a group."""
    return set(flags.filter(pl.col("campaign_id").is_null())["account_id"])
