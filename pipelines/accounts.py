"""The accounts file: who the accounts are.

Here: reading it from Parquet, JSON Lines or CSV, with refusals. Not here: request logs
(`pipelines.adapters`), labels (`pipelines.evaluation`), the warehouse.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.adapters.adapter import quoted
from pipelines.adapters.canonical import Target
from pipelines.adapters.containers import Kind, look
from pipelines.adapters.reader import TableReader
from pipelines.errors import UsageError
from pipelines.record import ACCOUNT_SCHEMA

_BATCH_ROWS = 65_536
_REPEATED = "account_id repeated; the last row counts"
_REPEATED_REMEDY = "keep one row per account"

_ACCOUNTS = Target(
    schema=ACCOUNT_SCHEMA,
    required=("account_id",),
    kept_as_written=frozenset({"account_id"}),
    defaults={},
    times_within=None,
)


def read_accounts(path: Path) -> tuple[pa.Table, pa.Table]:
    """The accounts in a file, and the rows that were not taken.

    Returns
    -------
    accounts : columns of `ACCOUNT_SCHEMA`, one row per account, by account_id. Where an account stands
        more than once, its last row counts.
    refused : columns of `adapters.REFUSED_SCHEMA`; rows that a later one replaced are among them.

    Raises
    ------
    UnreadableInput : the file cannot be read.
    UsageError : it has no column account_id.
    """
    rows, refused = _read(path, _ACCOUNTS, "account_id")
    latest = _last_rows(rows)
    replaced = rows.filter(pc.invert(pc.is_in(rows["row_number"], latest["row_number"])))
    n_replaced = replaced.num_rows
    repeats = pa.table(
        {
            "row_number": replaced["row_number"],
            "column_name": pa.array(["account_id"] * n_replaced, pa.string()),
            "reason": pa.array([_REPEATED] * n_replaced, pa.string()),
            "remedy": pa.array([_REPEATED_REMEDY] * n_replaced, pa.string()),
        }
    )
    refused = pa.concat_tables([refused, repeats]).sort_by("row_number")
    return latest.drop_columns(["row_number"]).sort_by("account_id"), refused


def _read(path: Path, target: Target, *needed: str) -> tuple[pa.Table, pa.Table]:
    """All good rows with `row_number`, and the refused ones."""
    container = look(path)
    if container.kind is not Kind.EMPTY:
        missing = [name for name in needed if name not in container.sample.names]
        if missing:
            raise UsageError(
                f"{path}: no column {missing[0]}", remedy="docs/reference/input.md lists the columns"
            )
    with TableReader(
        path,
        container,
        target=target,
        fields=tuple(target.schema.names),
        select=_each_is_itself,
        batch_rows=_BATCH_ROWS,
        threads=1,
    ) as reader:
        rows = pa.Table.from_batches(reader.batches(), reader.schema)
        return rows, reader.refused


def _each_is_itself(present: Mapping[str, str]) -> Mapping[str, str]:
    return {name: quoted(name) for name in present}


def _last_rows(rows: pa.Table) -> pa.Table:
    """Of each account the row with the highest row number."""
    last = rows.group_by("account_id").aggregate([("row_number", "max")])
    return rows.filter(pc.is_in(rows["row_number"], last["row_number_max"])).sort_by("row_number")
