"""Rows of a night grouped by account, and tallies of a column within each account.

Here: the grouping every family shares. Not here: loops (kernels.tally), meanings (the families).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.kernels import tally as kernels

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]
Float64 = npt.NDArray[np.float64]

Counts = npt.NDArray[np.integer]

REPEATS = 4
"""The same value this often was sent over and over on purpose: a client that tries again after a failure, or
a person who asks once more, sends it two or three times."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which rows belong to which account: account i owns order[starts[i]:starts[i + 1]]."""

    order: Int64
    starts: Int64

    @property
    def n_accounts(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True)
class Tally:
    """How each account's values of one column are spread; every array has shape (n_accounts,)."""

    n_known: Int64
    n_distinct: Int64
    n_top: Int64
    """Rows of the most frequent value."""
    n_repeated: Int64
    """Rows of values that occur REPEATS times or more."""
    top_value: UInt64
    """That value (the smallest of those that tie); 0 without any."""
    concentration: Float64
    """Herfindahl index: sum of squared shares, 1 / n_distinct to 1; NaN without any value."""


def group_rows(account_no: Int32, n_accounts: int) -> Grouping:
    """Group rows by account, in two passes.

    Parameters
    ----------
    account_no : int32, shape (n_rows,), 0 to n_accounts - 1, in any order

    Raises
    ------
    ValueError : an account number lies outside 0 to n_accounts - 1.
    """
    if len(account_no) and (account_no.min() < 0 or account_no.max() >= n_accounts):
        raise ValueError("account numbers must lie between 0 and n_accounts - 1")
    starts = np.zeros(n_accounts + 1, np.int64)
    order = np.empty(len(account_no), np.int64)
    kernels.group_kernel(account_no, starts, order)
    return Grouping(order, starts)


def tally(values: UInt64, groups: Grouping) -> Tally:
    """Count the values of one column within each account; 0 stands for null and is not counted.

    Parameters
    ----------
    values : uint64, shape (n_rows,): hashes or codes above 0, in the row order `groups` was made of

    Raises
    ------
    ValueError : `values` and `groups` differ in length.
    """
    check_rows(values, groups)
    n = groups.n_accounts
    out = Tally(
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.uint64),
        np.empty(n),
    )
    kernels.tally_kernel(
        values,
        groups.order,
        groups.starts,
        REPEATS,
        out.n_known,
        out.n_distinct,
        out.n_top,
        out.n_repeated,
        out.top_value,
        out.concentration,
    )
    return out


def add_lists(account_no: Int32, values: Counts, starts: Int64, table: Int64) -> None:
    """Add lists of counts to the rows of a table, in place.

    Parameters
    ----------
    account_no : int32, shape (n_lists,): which row of the table each list belongs to, in any order
    values, starts : the lists, flat; list k is values[starts[k]:starts[k + 1]], cut to the length of a row
    table : int64, shape (n_accounts, n_kinds), changed

    Raises
    ------
    ValueError : an account number has no row, or `starts` does not fit.
    """
    if len(account_no) and (account_no.min() < 0 or account_no.max() >= len(table)):
        raise ValueError("account numbers must be rows of the table")
    if len(starts) != len(account_no) + 1 or starts[-1] > len(values):
        raise ValueError("starts must give every list its place")
    kernels.add_lists_kernel(account_no, values, starts, table)


def median(values: Float64, groups: Grouping) -> Float64:
    """Median of each account's values that are not NaN, shape (n_accounts,); NaN without any.

    Raises
    ------
    ValueError : `values` and `groups` differ in length.
    """
    check_rows(values, groups)
    out = np.empty(groups.n_accounts)
    kernels.median_kernel(values, groups.order, groups.starts, out)
    return out


def check_rows(values: npt.NDArray[np.generic], groups: Grouping) -> None:
    """Raise ValueError unless there is one value a grouped row."""
    if len(values) != len(groups.order):
        raise ValueError("a column must have one value per grouped row")
