"""An account's night beside others: its own last week, and accounts of the same kind or plan that night.

Here: fetching what is compared, a batch at a time, and the columns that come of it. Not here: distances
(detector.features), kinds of use (detector.models), comparisons that are plain sums
(warehouse/sql/account_day.sql)."""

from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector import features as f
from detector.features import shift, timing, volume
from detector.models import peer_group
from pipelines.warehouse.arrow import fetch, lists_of
from pipelines.warehouse.statements import statement

HABIT_NIGHTS = 7
"""Nights that make a habit: each day of the week once."""

Int64 = npt.NDArray[np.int64]


def compared(con: duckdb.DuckDBPyConnection, day: date, tonight: pa.Table) -> pa.Table:
    """Add the comparisons to `tonight`: one row per account_no of the temporary table account_total, in
    order."""
    tonight = tonight.combine_chunks()
    accounts = fetch(con, statement("account_day_plans"))
    columns = _with_peers(accounts, tonight) | _with_last_week(con, day, accounts, tonight)
    for name, values in columns.items():
        # NaN is the detector's way to say unknown; a table says null
        tonight = tonight.append_column(name, pa.array(values, from_pandas=True))
    return tonight


def _with_peers(accounts: pa.Table, tonight: pa.Table) -> dict[str, npt.NDArray[np.float64]]:
    requests = _numbers(accounts, "requests")
    hour_mask = np.asarray(accounts["hour_mask"].to_numpy())
    with np.errstate(invalid="ignore"):  # nothing known of nothing: 0 / 0
        top_system_share = _numbers(tonight, "system_top") / _numbers(tonight, "system_known")
    kinds = peer_group(
        {
            "n_requests": requests,
            "single_turn_share": _numbers(accounts, "single_turn_share"),
            "tools_share": _numbers(accounts, "tools_share"),
            "top_system_share": top_system_share,
            "active_hours": np.bitwise_count(hour_mask).astype(np.float64),
        }
    )
    plans = np.asarray(accounts["plan"].to_numpy(), np.int64)
    return {"volume_peer_z": volume.peer_z(requests, kinds), "volume_plan_z": volume.peer_z(requests, plans)}


def _with_last_week(
    con: duckdb.DuckDBPyConnection, day: date, accounts: pa.Table, tonight: pa.Table
) -> dict[str, npt.NDArray[np.float64]]:
    mask = np.array(accounts["hour_mask"].to_numpy(), np.int64)
    sleepless = timing.sleepless_hours(mask)
    hours, capabilities = (_table_of(tonight[name]) for name in ("hour_counts", "capability_counts"))
    earlier_hours, earlier_capabilities = np.zeros_like(hours), np.zeros_like(capabilities)
    has_week = np.zeros(len(mask), np.bool_)
    past = con.sql(statement("account_day_past"), params={"day": day, "nights": HABIT_NIGHTS})
    for batch in past.to_arrow_reader(100_000):  # a week of a large night is not held at once
        nights = pa.Table.from_batches([batch])
        account_no = np.array(nights["account_no"].to_numpy(), np.int32)
        f.add_lists(account_no, *lists_of(nights["hour_counts"]), earlier_hours)
        f.add_lists(account_no, *lists_of(nights["capability_counts"]), earlier_capabilities)
        in_week = nights["nights_ago"].to_numpy() < HABIT_NIGHTS  # with tonight, seven nights
        np.bitwise_or.at(mask, account_no[in_week], nights["hour_mask"].to_numpy()[in_week])
        has_week[account_no[in_week]] = True
    return {
        "sleepless_hours": sleepless,
        "week_sleepless_hours": np.where(has_week, timing.sleepless_hours(mask), np.nan),
        "hour_shift_bits": shift.shift_bits(hours, earlier_hours),
        "capability_shift_bits": shift.shift_bits(capabilities, earlier_capabilities),
    }


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    return np.asarray(table[name].cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _table_of(column: pa.ChunkedArray) -> Int64:
    """A column of lists of one length as a table of counts, shape (n_rows, length)."""
    lists = column.combine_chunks()
    width = lists.type.list_size
    return np.array(lists.flatten(), np.int64).reshape(-1, width)
