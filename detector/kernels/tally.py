"""Loops that count the values of a column within each account. Twin: tests/reference/tally.py.

Here: grouping rows by account, and tallies of the values of one account. Not here: what is counted
(the columns are hashes or small codes), and what a tally means (detector.features).
"""

import numpy as np
from numba import njit

ABSENT = 0
"""The value that stands for null in a column of hashes: it is never counted."""


@njit(nogil=True, cache=True)
def group_kernel(account_no, starts, order):
    """Fill starts (n_accounts + 1) and order (n_rows): rows of account i are order[starts[i]:starts[i + 1]].

    A counting sort: two passes over the rows, and rows of one account keep their order.
    """
    starts[:] = 0
    for row in range(len(account_no)):
        starts[account_no[row] + 1] += 1
    for i in range(1, len(starts)):
        starts[i] += starts[i - 1]
    place = starts.copy()
    for row in range(len(account_no)):
        i = account_no[row]
        order[place[i]] = row
        place[i] += 1


@njit(nogil=True, cache=True)
def sort_times_kernel(sent_at_us, order, starts, out):
    """Fill out with the times grouped by account and ascending within each."""
    for k in range(len(order)):
        out[k] = sent_at_us[order[k]]
    for i in range(len(starts) - 1):
        if starts[i + 1] - starts[i] > 1:
            out[starts[i] : starts[i + 1]].sort()


@njit(nogil=True, cache=True)
def tally_kernel(
    values, order, starts, n_repeats, n_known, n_distinct, n_top, n_repeated, top_value, concentration
):
    """Fill, for account i, how its values that are not absent are spread.

    n_known: rows with a value; n_distinct: different values; n_top: rows of the most frequent one
    (top_value, the smaller of two that tie, so that the answer does not depend on the order of
    rows); n_repeated: rows of values that occur n_repeats times or more; concentration: sum of
    squared shares. Values are sorted in a scratch array per account.
    """
    longest = 0
    for i in range(len(starts) - 1):
        longest = max(longest, starts[i + 1] - starts[i])
    scratch = np.empty(longest, values.dtype)
    for i in range(len(starts) - 1):
        n = 0
        for k in range(starts[i], starts[i + 1]):
            value = values[order[k]]
            if value != ABSENT:
                scratch[n] = value
                n += 1
        n_known[i] = n
        n_distinct[i] = 0
        n_top[i] = 0
        n_repeated[i] = 0
        top_value[i] = ABSENT
        concentration[i] = np.nan
        if n == 0:
            continue
        known = scratch[:n]
        known.sort()
        squares = 0.0
        run_start = 0
        for k in range(1, n + 1):
            if k == n or known[k] != known[run_start]:
                run = k - run_start
                n_distinct[i] += 1
                share = run / n
                squares += share * share
                if run > n_top[i]:
                    n_top[i] = run
                    top_value[i] = known[run_start]
                if run >= n_repeats:
                    n_repeated[i] += run
                run_start = k
        concentration[i] = squares


@njit(nogil=True, cache=True)
def add_lists_kernel(account_no, values, starts, table):
    """Add list k, values[starts[k]:starts[k + 1]], to row account_no[k] of table, position by position.

    Several lists may go to one row. A list shorter than the row leaves the rest as it is (a null is an
    empty list); what is longer is cut, so that a row never writes into its neighbour.
    """
    width = table.shape[1]
    for k in range(len(account_no)):
        n = min(width, starts[k + 1] - starts[k])
        for position in range(n):
            table[account_no[k], position] += values[starts[k] + position]


@njit(nogil=True, cache=True)
def median_kernel(values, order, starts, out):
    """Fill out[i] with the median of account i's values that are not NaN, NaN without any."""
    longest = 0
    for i in range(len(starts) - 1):
        longest = max(longest, starts[i + 1] - starts[i])
    scratch = np.empty(longest, np.float64)
    for i in range(len(starts) - 1):
        n = 0
        for k in range(starts[i], starts[i + 1]):
            value = values[order[k]]
            if not np.isnan(value):
                scratch[n] = value
                n += 1
        if n == 0:
            out[i] = np.nan
            continue
        known = scratch[:n]
        known.sort()
        out[i] = (known[(n - 1) // 2] + known[n // 2]) / 2
