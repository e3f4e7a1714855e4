"""Publication: the warehouse's findings become the snapshot that everything else reads.

Here: which tables are copied, and the rename that makes them appear at once. Not here: what the tables
mean (warehouse/sql/publish/*.sql), nor who reads them (findings).
"""

import os
from pathlib import Path

import duckdb

from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace

LIKE_THE_WAREHOUSE = (
    "campaign",
    "campaign_harvest",
    "campaign_link",
    "campaign_event",
    "flagged_account",
    "drift",
    "learned_order",
    "learned_case",
)
"""Tables whose columns are those of the query's answer; snapshot.sql declares the others."""

TABLES = (
    "night",
    *LIKE_THE_WAREHOUSE,
    "campaign_family",
    "activity",
    "account_activity",
    "account_exemplar",
    "account_terms",
    "account_refusals",
    "refused",
)


def publish(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Replace the workspace's published snapshot by what the warehouse holds now, all nights.

    Parameters
    ----------
    con : the open warehouse; it is only read.
    workspace : where the snapshot goes. A reader sees the old snapshot or the new one, never half of
        one; when anything fails, the old one stays and nothing is left beside it.
    """
    workspace.create()
    beside = workspace.published.with_name(workspace.published.name + ".new")
    _remove(beside)  # a scan that was killed here leaves its half behind
    try:
        _write(con, beside)
        _sync(beside)
        beside.replace(workspace.published)
        _sync(workspace.root)  # the rename itself must survive a power cut
    finally:
        _remove(beside)


def _write(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    with duckdb.connect(path) as snapshot:
        snapshot.execute(statement("snapshot"))
        for table in TABLES:
            rows = con.sql(statement(f"publish/{table}")).to_arrow_table()
            snapshot.register("incoming", rows)
            if table in LIKE_THE_WAREHOUSE:
                snapshot.execute(f"CREATE TABLE {table} AS SELECT * FROM incoming")
            else:
                snapshot.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
            snapshot.unregister("incoming")
        snapshot.execute("CHECKPOINT")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    for leftover in (path, path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)
