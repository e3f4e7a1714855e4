"""The step `features`: core.request -> night.account_day, one row per account of the night.

Here: the order of the parts and the transaction. Not here: sums and joins (warehouse/sql/account_day*.sql),
meanings and the functions of sorted rows (detector.features), comparisons with other nights and accounts
(pipelines.comparisons).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector import features as f
from detector.features import timing
from detector.text import CAPABILITIES
from pipelines import comparisons
from pipelines.asked_again import note_asked_again
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

HABIT_NIGHTS = 7
"""Nights searched for an account's habits: a week."""

ROWS_AT_ONCE = 4_000_000
"""Requests held in memory at a time for the loops over sorted rows: about 600 MB."""

TALLIED = (
    "prompt",
    "system",
    "toolset",
    "session",
    "end_user",
    "api_key",
    "ip",
    "asn",
    "country",
    "user_agent",
    "client",
    "client_agent",
    "script",
    "capability",
    "parameters",
)
"""Columns of account_day_rows.sql whose values are counted within each account."""

Rows = dict[str, npt.NDArray[Any]]


def build_features(con: duckdb.DuckDBPyConnection, day: date) -> int:
    """Replace the rows of `day` in night.account_day, in one transaction; returns their number.

    Reads that day's core.request, the requests of the seven days before it (for repeats), earlier
    rows of night.account_day, night.family_account where the families are known, and core.account.
    The same input gives the same rows, whatever the order of requests or the number of threads.
    """
    note_asked_again(con, day)
    return store_features(con, day, gather_features(con, day))


def gather_features(con: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """What the day's requests alone can tell, one row per account: most of the work, and no need of families.

    Leaves the temporary table account_total on `con` for `store_features`.
    """
    con.execute(statement("account_day_totals"), {"day": day})
    return comparisons.compared(con, day, _sorted_features(con, day))


def store_features(con: duckdb.DuckDBPyConnection, day: date, gathered: pa.Table) -> int:
    """Join what was gathered on this connection with histories, families and accounts, and write it."""
    try:
        with transaction(con):
            con.register("account_sorted", gathered)
            con.execute("DELETE FROM night.account_day WHERE day = $day", {"day": day})
            con.execute(statement("account_day"), {"day": day, "habit_nights": HABIT_NIGHTS})
            (n_rows,) = con.execute("SELECT count(*) FROM account_total").fetchall()[0]
            con.execute("DROP TABLE account_total")
    finally:
        con.unregister("account_sorted")  # after the rollback: a broken transaction takes no orders
    return int(n_rows)


def _sorted_features(con: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """Features that need an account's rows in order, one row per account_no of account_total."""
    parts = []
    for first_no, last_no in _account_ranges(con):
        bounds = {"day": day, "first_no": first_no, "last_no": last_no}
        rows: Rows = con.execute(statement("account_day_rows"), bounds).fetchnumpy()
        parts.append(_part(rows, first_no, last_no - first_no + 1))
    empty: Rows = {name: np.empty(0, np.uint64) for name in TALLIED}
    empty |= {
        "account_no": np.empty(0, np.int32),
        "sent_at_us": np.empty(0, np.int64),
        "n_turns": np.empty(0),
        "max_tokens": np.empty(0),
    }
    return pa.concat_tables(parts) if parts else _part(empty, 0, 0)


def _account_ranges(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int]]:
    """Runs of account numbers, each of at most ROWS_AT_ONCE requests (or one account of more)."""
    n_rows = con.execute("SELECT n_rows FROM account_total ORDER BY account_no").fetchnumpy()["n_rows"]
    first, held = 0, 0
    for account_no, n in enumerate(n_rows.tolist()):
        if held and held + n > ROWS_AT_ONCE:
            yield first, account_no - 1
            first, held = account_no, 0
        held += n
    if len(n_rows):
        yield first, len(n_rows) - 1


def _part(rows: Rows, first_no: int, n_accounts: int) -> pa.Table:
    groups = f.group_rows(rows["account_no"] - np.int32(first_no), n_accounts)
    columns: dict[str, Any] = {"account_no": np.arange(first_no, first_no + n_accounts, dtype=np.int32)}
    with ThreadPoolExecutor() as pool:  # the loops hold no lock, and no column waits for another
        tallies = pool.map(lambda name: f.tally(rows[name], groups), TALLIED)
    for name, tally in zip(TALLIED, tallies, strict=True):
        columns[f"{name}_known"] = tally.n_known
        columns[f"{name}_distinct"] = tally.n_distinct
        columns[f"{name}_top"] = tally.n_top
        if name == "prompt":
            columns["prompt_repeated"] = tally.n_repeated
        if name in {"capability", "parameters"}:
            columns[f"{name}_value"] = tally.top_value
        if name == "capability":
            columns["capability_concentration"] = tally.concentration
    for column, name in (("n_turns", "median_turns"), ("max_tokens", "median_max_tokens")):
        columns[name] = f.median(np.ma.filled(rows[column], np.nan), groups)
    columns["capability_counts"] = _capability_counts(rows, first_no, n_accounts)
    columns |= _timing(timing.sort_times(rows["sent_at_us"], groups), groups)
    # NaN is the detector's way to say unknown; a table says null
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


def _capability_counts(rows: Rows, first_no: int, n_accounts: int) -> pa.Array:
    """Requests of each account for each capability, in the order of CAPABILITIES."""
    width = len(CAPABILITIES)
    code = rows["capability"].astype(np.int64) - 1  # 0 stands for null
    known = (code >= 0) & (code < width)
    place = (rows["account_no"].astype(np.int64) - first_no) * width + code
    counts = np.bincount(place[known], minlength=n_accounts * width).astype(np.int32)
    return pa.FixedSizeListArray.from_arrays(counts, width)


def _timing(sent_at_us: npt.NDArray[np.int64], groups: f.Grouping) -> dict[str, Any]:
    floor_s, median_s, longest_h = timing.gaps(sent_at_us, groups.starts)
    counts = timing.hour_counts(sent_at_us, groups.starts)
    return {
        "hour_counts": pa.FixedSizeListArray.from_arrays(counts.ravel(), timing.HOURS),
        "hour_entropy_bits": timing.hour_entropy_bits(counts),
        "busiest_hour_share": timing.busiest_hour_share(counts),
        "longest_pause_h": longest_h,
        "median_gap_s": median_s,
        "floor_gap_s": floor_s,
        "burstiness": timing.burstiness(sent_at_us, groups.starts),
    }
