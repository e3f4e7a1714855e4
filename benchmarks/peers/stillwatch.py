"""Stillwatch itself, as a row among the others: its nightly scan of the same files, default settings.

Flags: what `stillwatch findings` lists of every night, `watch` and above; above `watch` is a second point,
fixed as well. Calibrated on earlier nights, and stricter on the first, as it is for its users. Labels are
not in reach.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.peers.peer import Found, as_flags
from benchmarks.peers.world import World
from pipelines import findings, nightly
from pipelines.workspace import Workspace

_SEVERITY = {"watch": 1.0, "limit": 2.0, "verify": 3.0, "suspend": 4.0}


@dataclass(frozen=True, slots=True)
class Stillwatch:
    """See the module."""

    name: str = "Stillwatch"

    def find(self, world: World) -> Found:
        """Scan every night in order into a workspace that is thrown away afterwards."""
        accounts = world.root / "accounts.parquet"
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(Path(folder) / "workspace").create()
            workspace.key_file.write_text("the key of a benchmark\n")  # the same figures every time
            for day in world.days:
                logs = [str(world.root / "logs" / f"day={day}")]
                nightly.scan(logs, workspace, day=day, accounts=accounts if accounts.is_file() else None)
            listed = findings.flags(workspace)
        severity = pl.col("recommended_action").replace_strict(_SEVERITY, return_dtype=pl.Float64)
        rated = listed.with_columns(severity.alias("score"))
        return Found(
            flags=as_flags([rated]),
            point="watch and above",
            stated=(("above watch", as_flags([rated.filter(pl.col("score") > 1)])),),
        )
