"""LiteLLM's table of calls, fetched from its live PostgreSQL database a day at a time.

Here: `postgresql://...` among the logs of a scan, and the Parquet files that come of it. Not here: what the
columns mean (`sources.litellm_spend`); loading, which reads those files like any others.

The rows arrive as Arrow through ADBC, by COPY and never all at once. They are kept as files, because a scan
reads its logs again when it shows evidence, and because a row number must mean the same row then.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.adapters.logs import shown
from pipelines.adapters.source import TEXT
from pipelines.adapters.sources.litellm_spend import SPEND
from pipelines.errors import UnreadableInput, UsageError

TABLE = "LiteLLM_SpendLogs"

_SCHEMES = ("postgresql://", "postgres://")
_ROW_GROUP = 65_536
_PRISMA_ONLY = frozenset(
    {
        "schema",
        "connection_limit",
        "pool_timeout",
        "socket_timeout",
        "pgbouncer",
        "statement_cache_size",
        "single_use_connections",
        "max_connection_lifetime",
        "max_idle_connection_lifetime",
        "sslaccept",
        "sslidentity",
    }
)
"""Parameters of an address that Prisma takes, and with it LiteLLM's DATABASE_URL, and that libpq refuses."""


def is_database(argument: str) -> bool:
    """Whether one of a scan's logs is a database rather than files."""
    return argument.startswith(_SCHEMES)


def fetched(logs: Sequence[str], folder: Path, day: date | None) -> list[str]:
    """The logs with files in place of databases: one of each UTC day that has rows, written into `folder`.

    Parameters
    ----------
    day : the one day that is fetched; None: every day the table has

    Raises
    ------
    UsageError : the driver is not installed.
    UnreadableInput : the database cannot be reached, or its table not be read.
    """
    found: list[str] = []
    for argument in logs:
        found += map(str, _fetch(argument, folder, day)) if is_database(argument) else [argument]
    return found


def _fetch(url: str, folder: Path, day: date | None) -> list[Path]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _cursor(url) as cursor:
        columns = _columns(cursor)
        if not {"request_id", "startTime"} <= columns.keys():
            raise UnreadableInput(
                f"{shown(url)}: no table {TABLE} that this user may read",
                remedy=f'name LiteLLM\'s own database, and GRANT SELECT ON "{TABLE}" to the user',
            )
        days = _days(cursor) if day is None else [day]
        paths = [_fetch_day(cursor, columns, one, folder / _file_name(url, one)) for one in days]
    return [path for path in paths if path is not None]


@contextmanager
def _cursor(url: str) -> Iterator[Any]:
    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise UsageError(
            f"{shown(url)}: the driver for PostgreSQL is not installed",
            remedy="pip install 'stillwatch[postgres]'",
        ) from None
    address = _as_libpq_takes_it(url)
    try:
        with dbapi.connect(address) as connection, connection.cursor() as cursor:
            yield cursor
    except (Error, OSError, pa.ArrowException) as error:  # OSError: what fails while rows already come
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].replace(address, shown(url))
        raise UnreadableInput(
            f"{shown(url)}: {reason}",
            remedy="check address, user and rights; psql with the same address must reach it",
        ) from None


def _as_libpq_takes_it(url: str) -> str:
    """The address without what only Prisma knows; its schema as the search path."""
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    kept = {name: value for name, value in given if name not in _PRISMA_ONLY}
    if len(kept) == len(given):
        return url
    schema = _schema(url)
    if schema:
        escaped = schema.replace('"', '""').replace("\\", "\\\\").replace(" ", "\\ ")
        kept["options"] = f'{kept.get("options", "")} -csearch_path="{escaped}"'.strip()
    return parts._replace(query=urlencode(kept, quote_via=quote)).geturl()


def _schema(url: str) -> str:
    """The schema that the address names, if it is not where tables are anyway."""
    named = parse_qs(urlsplit(url).query).get("schema", [""])[0]
    return "" if named == "public" else named


def _columns(cursor: Any) -> dict[str, str]:
    """The columns that are wanted and there, with their PostgreSQL types: older versions have fewer."""
    cursor.execute(
        "SELECT attname::text AS name, atttypid::regtype::text AS kind FROM pg_attribute "
        f"WHERE attrelid = to_regclass('\"{TABLE}\"') AND attnum > 0 AND NOT attisdropped"
    )
    there = {row["name"]: row["kind"] for row in cursor.fetch_arrow_table().to_pylist()}
    return {name: there[name] for name in SPEND.fields if name in there}


def _days(cursor: Any) -> list[date]:
    """The UTC days that have rows, ascending.

    Each is looked up from the one before, by the index on startTime: a row with a wrong clock costs no more
    than its own day.
    """
    days: list[date] = []
    after = ""
    while True:
        cursor.execute(f'SELECT min("startTime")::date AS day FROM "{TABLE}"{after}')
        (row,) = cursor.fetch_arrow_table().to_pylist()
        if row["day"] is None:
            return days
        days.append(row["day"])
        after = f" WHERE \"startTime\" >= TIMESTAMP '{row['day'] + timedelta(days=1)}'"


def _fetch_day(cursor: Any, columns: dict[str, str], day: date, path: Path) -> Path | None:
    """One day's rows as a file, replaced whole; None when there are none.

    The bounds are dates of ours, written into the statement: with bound parameters the driver would not COPY
    but hold the whole answer.
    """
    picked = ", ".join(_picked(name, kind) for name, kind in columns.items())
    cursor.execute(
        f'SELECT {picked} FROM "{TABLE}" WHERE "startTime" >= TIMESTAMP \'{day}\' '
        f'AND "startTime" < TIMESTAMP \'{day + timedelta(days=1)}\' ORDER BY "startTime", request_id'
    )
    unfinished = path.with_name(f".{path.name}")
    try:
        with cursor.fetch_record_batch() as reader:
            n_rows = _write(reader, unfinished)
        if n_rows == 0:
            path.unlink(missing_ok=True)
            return None
        return unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)  # half a day holds prompts as well


def _write(reader: pa.RecordBatchReader, path: Path) -> int:
    """Write all rows; their number. What cannot be written is the disk's fault, not the database's."""
    n_rows = 0
    with _about_the_disk(path):
        path.touch(mode=0o600)
        writer = pq.ParquetWriter(path, reader.schema, compression="zstd")
    try:
        for batch in reader:
            n_rows += len(batch)
            with _about_the_disk(path):
                writer.write_batch(batch, row_group_size=_ROW_GROUP)
    finally:
        with _about_the_disk(path):
            writer.close()
    return n_rows


@contextmanager
def _about_the_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{path.parent}: cannot be written ({error.strerror or type(error).__name__})",
            remedy="make room, and let the user who scans write there",
        ) from None


def _picked(name: str, kind: str) -> str:
    """A column, JSON as its text; a JSON string as the text in it, for some loggers write their JSON so."""
    if kind in {"json", "jsonb"}:
        return f'"{name}" #>> \'{{}}\' AS "{name}"'
    as_text = SPEND.structure.get(name) == TEXT and kind == "uuid"
    return f'"{name}"::text AS "{name}"' if as_text else f'"{name}"'


def _file_name(url: str, day: date) -> str:
    """A name of its own for each database: two scanned into one workspace must not replace each other."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    if ":" not in hosts:
        hosts += ":5432"
    socket = parse_qs(parts.query).get("host", [""])[0]
    place = f"{hosts}{parts.path}{socket}{_schema(url)}"
    return f"{TABLE}-{hashlib.sha256(place.encode()).hexdigest()[:8]}-{day}.parquet"
