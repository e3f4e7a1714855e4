"""Warehouses drawn as tables: a test says only what matters to its story, the rest gets a plain value."""

from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.warehouse.statements import statement

JUNE_1 = date(2026, 6, 1)


def warehouse() -> duckdb.DuckDBPyConnection:
    """An empty warehouse in memory."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(statement("schema"))
    return con


def rows_of(table: str) -> list[dict[str, str | None]]:
    """The rows of a table drawn with `|`; `-` is null, and the second row may be a rule of dashes."""
    lines = [line.strip() for line in table.strip().splitlines() if line.strip()]
    header, *body = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [
        {name: None if cell == "-" else cell for name, cell in zip(header, row, strict=True)} for row in body
    ]


def given_requests(con: duckdb.DuckDBPyConnection, table: str, day: date = JUNE_1) -> None:
    """Insert a drawn table of requests.

    `account` and `sent_at` (a time of the day) are required; any other column of core.request may be
    drawn. `prompt` and `system` may stand for their hashes: like text, like hash.
    """
    insert_requests(con, rows_of(table), day)


def insert_requests(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], day: date = JUNE_1) -> None:
    """Insert requests given as dictionaries, keys as in `given_requests`."""
    (start,) = con.execute("SELECT count(*) FROM core.request").fetchall()[0]
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = {
        name: pa.array([None if (v := row.get(name)) is None else str(v) for row in rows], pa.string())
        for name in names
    }
    con.register("drawn", pa.table(cells | {"drawn_no": list(range(start, start + len(rows)))}))
    computed = {
        "account": "account AS account_id",
        "sent_at": "CAST($day AS DATE) + CAST(sent_at AS TIME) AS sent_at",
        "prompt": "if(prompt IS NULL, NULL, hash(prompt)) AS prompt_hash",
        "system": "if(system IS NULL, NULL, hash(system)) AS system_hash",
    }
    drawn = ", ".join(computed.get(name, f'"{name}"') for name in names)
    con.execute(
        f"""INSERT INTO core.request BY NAME
        SELECT CAST($day AS DATE) AS day, 1 AS file_id,
               drawn_no AS row_number, drawn_no AS request_key, {drawn}
        FROM drawn ORDER BY drawn_no""",
        {"day": day},
    )
    con.unregister("drawn")


def account_days(con: duckdb.DuckDBPyConnection, day: date = JUNE_1) -> dict[str, dict[str, Any]]:
    """The features of every account of a day, by account."""
    result = con.execute("SELECT * FROM night.account_day WHERE day = $day ORDER BY account_id", {"day": day})
    names = [column[0] for column in result.description]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return {row["account_id"]: row for row in rows}
