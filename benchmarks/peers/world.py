"""A labelled world as a peer sees it: nights of requests and what is known of accounts, no labels.

Here: reading logs in the canonical record, night by night, only the columns asked for. Not here: labels
(judging), which no peer may read.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.record import ACCOUNT_SCHEMA, REQUEST_SCHEMA

_REQUEST_TYPES = dict(pl.DataFrame(REQUEST_SCHEMA.empty_table()).schema)
_ACCOUNT_TYPES = dict(pl.DataFrame(ACCOUNT_SCHEMA.empty_table()).schema)


@dataclass(frozen=True, slots=True)
class World:
    """Logs in `root/logs/day=YYYY-MM-DD/*.parquet`, one folder a night."""

    root: Path
    scratch: Path | None = None
    """Folder for what one peer may make for several (embedding); without one, each makes its own."""

    @property
    def days(self) -> tuple[date, ...]:
        """Nights, oldest first."""
        folders = sorted((self.root / "logs").glob("day=*"))
        if not folders:
            raise SystemExit(f"{self.root}: no logs/day=*; name a folder that `stillwatch simulate` wrote")
        return tuple(date.fromisoformat(folder.name.removeprefix("day=")) for folder in folders)

    def night(self, day: date, *columns: str) -> pl.DataFrame:
        """`account_id, ts` and `columns` of one night's requests, by account and time; absent ones null."""
        names = ("account_id", "ts", *columns)
        rows = pl.scan_parquet(self.root / "logs" / f"day={day}" / "*.parquet", hive_partitioning=False)
        known = rows.collect_schema().names()
        chosen = [
            (pl.col(name) if name in known else pl.lit(None, _REQUEST_TYPES[name])).alias(name)
            for name in names
        ]
        return rows.select(chosen).collect().sort("account_id", "ts", maintain_order=True)

    def accounts(self) -> pl.DataFrame:
        """The accounts file; without one, an empty frame of its columns."""
        path = self.root / "accounts.parquet"
        if not path.is_file():
            return pl.DataFrame(schema=_ACCOUNT_TYPES)
        return pl.read_parquet(path)

    def payments(self) -> pl.DataFrame:
        """`account_id, payment_fingerprint` where one is known."""
        return self.accounts().select("account_id", "payment_fingerprint").drop_nulls()
