"""Rushes of sign-ups: core.account -> which of tonight's accounts signed up in one hour with many others.

Here: fetching, and what counts as a rush. Not here: what it is evidence of (detector.campaigns).
"""

from datetime import date

import duckdb
import polars as pl

from pipelines.campaigns.frames import frame_of

LEAST_OWNERS = 5
"""As many accounts as make a group."""

LEAST_LOG_RATIO = 9.0
"""Of an hour's sign-ups against the usual number: odds of 8,000, one hour in a year by chance."""


def rushes(con: duckdb.DuckDBPyConnection, day: date) -> pl.DataFrame:
    """`account_id` and `object`, the rush, by object and account; nothing without an accounts file."""
    values = {"day": day, "least_owners": LEAST_OWNERS, "least_log_ratio": LEAST_LOG_RATIO}
    return frame_of(con, "campaigns/sign_ups", values)
