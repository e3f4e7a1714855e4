"""Bringing labels in: files of notices and decisions -> the case store.

Here: which account a notice is about, and what becomes of each row. Not here: the formats (notices), the
store (pipelines.cases).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.cases import CaseStore, Label, Said
from pipelines.errors import UnreadableInput, UsageError
from pipelines.labels.notices import NOTICE_SCHEMA, read_notices
from pipelines.warehouse.arrow import fetch, registered
from pipelines.warehouse.opening import read_warehouse
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace

_NO_IDS = pa.table({"subject": pa.array([], pa.string()), "account_id": pa.array([], pa.string())})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A row that was not taken."""

    path: Path
    row_number: int
    column: str | None
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummary:
    """What became of the files' rows."""

    n_notices: int
    n_new: int
    """labels that were not there before"""
    n_known: int
    """labels that were there already"""
    n_by_said: Counter[Said]
    """of the new ones"""
    unknown: tuple[str, ...]
    """accounts of decisions that no scan and no accounts file knows, and subjects of notices that lead to no
    account; sorted"""
    ambiguous: tuple[str, ...]
    """subjects that several accounts use, sorted"""
    n_cases: int
    """notices that name nothing but a case of the provider"""
    n_passed_over: int
    refused: tuple[Refused, ...]
    unreadable: tuple[UnreadableInput, ...]


def import_labels(
    workspace: Workspace, store: CaseStore, files: Sequence[Path], *, ids: Path | None = None
) -> ImportSummary:
    """Add what the files say to the labels of the case store; a notice that is there already is left as it
    is.

    Decisions about accounts that are not known yet are kept, for they name the account. A notice whose
    subject leads to no account, or to several, is not, and can be brought in again later.

    Parameters
    ----------
    ids : a table with columns `subject` and `account_id`: whom the ids stand for that the provider was given

    Raises
    ------
    UsageError : nothing was scanned into this workspace, or `ids` cannot be followed.
    WorkspaceBusy : a scan holds the workspace.
    """
    workspace.require_published()
    named = _read_ids(ids) if ids is not None else _NO_IDS
    tables, refused, unreadable, n_passed_over = [NOTICE_SCHEMA.empty_table()], [], [], 0
    for path in files:
        try:
            notices = read_notices(path)
        except UnreadableInput as error:
            unreadable.append(error)
            continue
        tables.append(notices.rows)
        n_passed_over += notices.n_passed_over
        for row in notices.refused.to_pylist():
            refused.append(Refused(path=path, column=row.pop("column_name"), **row))
    said = pa.concat_tables(tables)
    with workspace.reading(), read_warehouse(workspace) as con:
        found = {(subject, level): (account, n) for subject, level, account, n in _resolved(con, said, named)}
    outcome = _Outcome()
    for row in said.to_pylist():
        outcome.take(row, *found[row["subject"], row["level"]])
    new = store.add_labels(outcome.labels)
    return ImportSummary(
        n_notices=said.num_rows,
        n_new=len(new),
        n_known=len({(one.notice_id, one.account_id) for one in outcome.labels}) - len(new),
        n_by_said=Counter(label.said for label in new),
        unknown=tuple(sorted(outcome.unknown)),
        ambiguous=tuple(sorted(outcome.ambiguous)),
        n_cases=outcome.n_cases,
        n_passed_over=n_passed_over,
        refused=tuple(refused),
        unreadable=tuple(unreadable),
    )


class _Outcome:
    """Notices as they find their accounts, or do not."""

    def __init__(self) -> None:
        self.labels: list[Label] = []
        self.unknown: set[str] = set()
        self.ambiguous: set[str] = set()
        self.n_cases = 0

    def take(self, row: dict[str, Any], account_id: str | None, n_accounts: int) -> None:
        """One notice, the account its subject led to, and how many accounts fitted."""
        if row["level"] == "account":
            self.unknown.update([row["subject"]] if account_id is None else [])
            account_id = row["subject"]
        if account_id is not None:
            self.labels.append(_label(row, account_id))
        elif row["level"] == "case":
            self.n_cases += 1
        else:
            (self.ambiguous if n_accounts else self.unknown).add(row["subject"])


def _resolved(
    con: duckdb.DuckDBPyConnection, said: pa.Table, named: pa.Table
) -> list[tuple[str, str, str | None, int]]:
    """`subject, level, account_id, n_accounts` of every subject."""
    with (
        registered(con, "asked", said.select(["subject", "level", "other_subject"])),
        registered(con, "named", named),
    ):
        found = fetch(con, statement("labels/resolve"))
    return list(zip(*(found[name].to_pylist() for name in found.column_names), strict=True))


def _label(row: dict[str, Any], account_id: str) -> Label:
    names = ("notice_id", "source", "kind", "category", "reason", "said_by", "said_at")
    return Label(account_id=account_id, said=Said(row["verdict"]), **{name: row[name] for name in names})


def _read_ids(path: Path) -> pa.Table:
    """Columns `subject` and `account_id` of a table, each pair once."""
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".csv": lambda table: pl.read_csv(table, infer_schema=False),
        ".parquet": pl.read_parquet,
        ".jsonl": pl.read_ndjson,
    }
    if path.suffix not in readers:
        raise UsageError(f"{path}: no table of ids", remedy="give .csv, .jsonl or .parquet")
    try:
        frame = readers[path.suffix](path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"{path}: cannot be read ({type(error).__name__})", remedy="check the file and its form"
        ) from None
    if not {"subject", "account_id"} <= set(frame.columns):
        raise UsageError(f"{path}: no columns subject and account_id", remedy="name the columns so")
    return frame.select(pl.col("subject", "account_id").cast(pl.String)).unique().to_arrow()
