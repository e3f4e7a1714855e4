"""A village for whole-night stories: three simulated nights, one campaign, everybody else around it.

Here: making it, scanning it, changing its logs and reading back what was published. Not here: stories.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines import findings, nightly
from pipelines.publish import TABLES
from pipelines.rows import json_lines
from pipelines.settings import Settings
from pipelines.simulate import simulate
from pipelines.workspace import Workspace

NIGHTS = tuple(date(2025, 6, day) for day in (1, 2, 3))
FIRST, SECOND, THIRD = NIGHTS

BENIGN = """
nights = 3
release_night = 2

[benign]
person_chat = 260
coding_agent = 30
single_purpose_app = 8
evaluation_harness = 3
synthetic_data_customer = 2
classroom = 15
"""

KILN = """
[[campaign]]
name = "kiln"
kind = "synchronised"
accounts = 40
requests_per_day = 14
"""


@dataclass(frozen=True)
class Village:
    """A simulated world on disk; stories read it and write their changed copies elsewhere."""

    root: Path

    @property
    def accounts(self) -> Path:
        """The accounts file."""
        return self.root / "accounts.parquet"

    def logs(self, night: date) -> Path:
        """The folder with one night's logs."""
        return self.root / "logs" / f"day={night}"

    def requests(self, night: date) -> pl.DataFrame:
        """One night's requests."""
        return pl.read_parquet(self.logs(night) / "*.parquet", hive_partitioning=False)

    @cached_property
    def kiln(self) -> frozenset[str]:
        """Accounts of the planted campaign."""
        labels = pl.read_parquet(self.root / "labels.parquet")
        return frozenset(labels.filter(pl.col("campaign") == "kiln")["account_id"])


def make_village(root: Path, campaign: str = KILN) -> Village:
    """Simulate the village into `root`, with this campaign in place of its own."""
    scenario = root.with_suffix(".toml")
    scenario.write_text(BENIGN + campaign)
    simulate(root, scenario=scenario, seed=1, first_day=FIRST)
    return Village(root)


def scan(
    workspace: Workspace,
    *logs: Path,
    accounts: Path | None = None,
    settings: Settings | None = None,
    **more: Any,
) -> nightly.ScanSummary:
    """One scan, as the command runs it."""
    return nightly.scan(
        [str(path) for path in logs], workspace, accounts=accounts, settings=settings or Settings(), **more
    )


def changed(
    village: Village,
    folder: Path,
    change: Callable[[pl.DataFrame], pl.DataFrame],
    nights: Sequence[date] = (FIRST,),
) -> list[Path]:
    """Copies of some nights' logs with their rows changed; one file a night."""
    folder.mkdir(exist_ok=True)
    paths = []
    for night in nights:
        paths.append(folder / f"{night}.parquet")
        change(village.requests(night)).write_parquet(paths[-1])
    return paths


def findings_of(workspace: Workspace, day: date | None = None) -> dict[str, bytes]:
    """What `findings --format jsonl` writes, by its `--what`."""
    both = {"campaigns": findings.campaigns, "accounts": findings.accounts}
    return {
        what: "".join(json_lines(findings.rows_of(read(workspace, day)))).encode()
        for what, read in both.items()
    }


def flagged_in(workspace: Workspace, day: date) -> dict[str, set[str]]:
    """Flagged accounts of a night, by campaign."""
    rows = findings.accounts(workspace, day).filter(pl.col("campaign_id").is_not_null())
    grouped = rows.group_by("campaign_id").agg("account_id").iter_rows()
    return {campaign: set(accounts) for campaign, accounts in grouped}


def published_tables(workspace: Workspace) -> dict[str, list[tuple[Any, ...]]]:
    """Every table of the snapshot; but `refused`, which names files."""
    with duckdb.connect(workspace.published, read_only=True) as con:
        return {table: con.execute(f"FROM {table}").fetchall() for table in TABLES if table != "refused"}


def asked(workspace: Workspace, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """Rows of the warehouse, when no scan holds it."""
    with duckdb.connect(workspace.warehouse, read_only=True) as con:
        return con.execute(query, values).fetchall()
