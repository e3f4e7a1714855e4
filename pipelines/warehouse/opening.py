"""Opening the warehouse: the one writer's connection, its limits and its tables; and a reader's.

Here: how a connection is made. Not here: the lock that keeps scans and readers apart (workspace), SQL (sql/).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

import duckdb

from detector import text
from pipelines.errors import UsageError
from pipelines.settings import Settings
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace


def n_threads(settings: Settings) -> int:
    """The asked-for number of threads, or one per processor this process may use."""
    return settings.input.threads or len(os.sched_getaffinity(0))


@contextmanager
def open_warehouse(workspace: Workspace, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The workspace's warehouse, its tables made if missing; closed at the end of the block.

    Raises
    ------
    UsageError : the file is no warehouse of this version.
    """
    workspace.create()
    try:
        con = duckdb.connect(str(workspace.warehouse))
    except duckdb.Error as error:
        raise UsageError(
            f"{workspace.warehouse}: cannot be opened as a warehouse ({type(error).__name__})",
            remedy="a warehouse of another version must be scanned anew: move it away and scan again",
        ) from None
    try:
        con.execute(f"SET threads = {n_threads(settings)}")
        con.execute(f"SET memory_limit = '{settings.input.memory_mb}MB'")
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET preserve_insertion_order = false")
        con.execute(statement("schema"))
        _check_fingerprints(con, workspace)
        yield con
    finally:
        con.close()


@contextmanager
def read_warehouse(workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    """The workspace's warehouse, read-only; for whoever holds `workspace.reading()`.

    Raises
    ------
    UsageError : the file is no warehouse of this version.
    """
    try:
        with duckdb.connect(str(workspace.warehouse), read_only=True) as con:
            yield con
    except duckdb.Error as error:
        raise UsageError(
            f"{workspace.warehouse}: this warehouse cannot be read ({type(error).__name__})",
            remedy="scan any night again with this version, or name another workspace",
        ) from None


def _check_fingerprints(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Refuse a warehouse whose fingerprints mean something else: families would silently be lost."""
    made_with = con.execute("FROM core.made_with").fetchall()
    now = (text.FINGERPRINT_VERSION, blake2b(workspace.key(), digest_size=8, person=b"which key").hexdigest())
    if not made_with and not con.execute("SELECT 1 FROM core.request LIMIT 1").fetchall():
        con.execute("INSERT INTO core.made_with VALUES ($version, $key)", {"version": now[0], "key": now[1]})
    elif not made_with or made_with[0][0] != now[0]:
        raise UsageError(
            f"{workspace.warehouse}: its texts were fingerprinted by another version",
            remedy="move it away and scan the nights anew; decisions are kept elsewhere and stay",
        )
    elif made_with != [now]:
        raise UsageError(
            f"{workspace.key_file}: another key than the one this warehouse was made with",
            remedy="restore the file from a backup, or move the warehouse away and scan the nights anew",
        )
