"""Requests of one size: what a template around short items leaves in a log that carries no prompts.

Here: fetching, and what counts as one size. Not here: what it is evidence of (detector.campaigns).
"""

from datetime import date

import duckdb
import polars as pl

from pipelines.campaigns.frames import frame_of

LEAST_SHARE = 0.5
"""Part of an account's requests from which they are of one size: half of them."""

LEAST_REQUESTS = 5
"""Of fewer, half within a band is chance."""

NIGHTS_BEFORE = 3
"""With tonight they show some twenty requests of the slowest accounts of the public record."""


def sizes(con: duckdb.DuckDBPyConnection, day: date) -> pl.DataFrame:
    """`account_id`, `object`, the number of a size, and `share`, the part of its requests that are of it, by
    object and account; only of accounts whose prompts tonight's log does not carry."""
    values = {
        "day": day,
        "nights": NIGHTS_BEFORE,
        "least_share": LEAST_SHARE,
        "least_requests": LEAST_REQUESTS,
    }
    return frame_of(con, "campaigns/sizes", values)
