"""A night of any size as the text stage leaves it, with nights before it, written straight into a warehouse.

Here: how much of what there is, and the warehouse it is written to. Not here: what accounts do
(detect_world.sql, detect_world_history.sql, no loop over rows), measuring (detect_scale).
"""

import shutil
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from pipelines import features
from pipelines.settings import InputSettings, Settings
from pipelines.warehouse.opening import open_warehouse
from pipelines.workspace import Workspace

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "bench-data"

RECIPE = 1
"""Changes when the statements make another world, so that old ones are made anew."""

DAY = date(2025, 6, 8)
NIGHTS_BEFORE = 3
"""The fewest from which an account has a habit (volume_z)."""

MAKING_MB = 4_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much of what; counts of whole worlds."""

    n_accounts: int
    n_requests: int
    n_campaigns: int
    n_lookalikes: int
    n_families: int
    largest_group: int = 0
    one_object: int = 0
    n_hoarders: int = 0
    n_hoarded: int = 1
    n_nights: int = NIGHTS_BEFORE

    @property
    def name(self) -> str:
        """A folder's name that no other size has."""
        hostile = f"{self.n_campaigns}-{self.largest_group}-{self.one_object}-{self.n_hoarders}"
        return f"detect-{self.n_accounts}-{self.n_requests}-{hostile}-recipe-{RECIPE}"


def ordinary(n_accounts: int, n_requests: int) -> Size:
    """At a million accounts: 300 campaigns, 500 groups that look alike, 10,000 template families."""
    return Size(
        n_accounts,
        n_requests,
        n_campaigns=max(n_accounts * 3 // 10_000, 6),
        n_lookalikes=max(n_accounts // 2_000, 6),
        n_families=max(n_accounts * 8 // 1_000, 20),
    )


def make_world(size: Size, folder: Path = DATA) -> Workspace:
    """The workspace of that size; made when it is missing."""
    root = folder / size.name
    if not root.exists():
        print(f"making {size.n_accounts:,} accounts in {root.name} (once)", file=sys.stderr)
        unfinished = root.with_name(root.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        write_world(Workspace(unfinished), size)
        unfinished.rename(root)
    return Workspace(root)


def write_world(workspace: Workspace, size: Size) -> None:
    settings = Settings(input=InputSettings(memory_mb=MAKING_MB))
    with open_warehouse(workspace, settings) as con:
        for name in Size.__dataclass_fields__:
            con.execute(f"SET VARIABLE {name} = {getattr(size, name)}")
        con.execute(f"SET VARIABLE day = DATE '{DAY}'")
        con.execute((HERE / "detect_world.sql").read_text(encoding="utf-8"))
        features.build_features(con, DAY)
        con.execute((HERE / "detect_world_history.sql").read_text(encoding="utf-8"))


def after_text(con: duckdb.DuckDBPyConnection) -> None:
    """What the text stage leaves beside its tables."""
    con.execute("CREATE OR REPLACE TEMP TABLE tonight_family_request AS FROM world.family_request")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE tonight_system_family AS
           SELECT DISTINCT hash('system', system) AS text_hash, 'S-' || system AS family_id
           FROM world.account WHERE system IS NOT NULL"""
    )
