"""The night's fail-overs: core.request -> night.fail_over, and what links and evidence need of them.

Here: fetching, storing, numbering. Not here: what a fail-over is worth and whom they chain together
(detector.campaigns.fail_over).
"""

from datetime import date

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from detector import campaigns as detect
from detector.campaigns import fail_over
from pipelines.campaigns.frames import frame_of
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

_DELAYS = {"delays_s": list(fail_over.DELAYS_S)}


def note_fail_overs(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Replace the fail-overs of `day`, weighed by what chance brings that night."""
    con.execute(
        statement("campaigns/fail_over"),
        {
            "day": day,
            "refused": list(fail_over.REFUSED),
            "most_senders": fail_over.MOST_SENDERS,
            "within_s": fail_over.DELAYS_S[-1],
        },
    )
    by_chance = frame_of(con, "campaigns/fail_over_null", _DELAYS)
    with transaction(con):
        con.execute("DELETE FROM night.fail_over WHERE day = $day", {"day": day})
        with registered(con, "fail_over_ratio", _ratios(by_chance)):
            con.execute(
                statement("campaigns/fail_over_pairs"),
                _DELAYS | {"day": day, "least": fail_over.LEAST_LOG_RATIO, "passed_on": fail_over.PASSED_ON},
            )
    con.execute("DROP TABLE fail_over_run")


def _ratios(by_chance: pl.DataFrame) -> pa.Table:
    """The log-likelihood ratio of every popularity and delay, given counts of the night's answered
    requests."""
    n_classes = int(fail_over.popularity(np.array([fail_over.MOST_SENDERS - 1]))[0]) + 1
    n_delays = len(fail_over.DELAYS_S)
    counts = np.zeros((n_classes, n_delays))
    answered = np.zeros(n_classes)
    popularity = by_chance["popularity"].to_numpy()
    n = by_chance["n"].to_numpy()
    np.add.at(answered, popularity, n)
    is_followed = by_chance["after"].is_not_null().to_numpy()
    after = by_chance["after"].fill_null(0).to_numpy()
    counts[popularity[is_followed], after[is_followed]] = n[is_followed]
    ratios = fail_over.log_ratios(answered, counts)
    return pa.table(
        {
            "popularity": np.repeat(np.arange(n_classes), n_delays),
            "after": np.tile(np.arange(n_delays), n_classes),
            "log_ratio": ratios.ravel(),
        }
    )


def circles(con: duckdb.DuckDBPyConnection, day: date, nights: int) -> pl.DataFrame:
    """Accounts that fail-overs of so many nights and this one chain together: `account_id`, `object`, the
    circle's name, by object and account. Whoever has an approved use tonight is in none."""
    known = frame_of(con, "campaigns/fail_overs", {"day": day, "lasting_nights": nights})
    approved = con.sql(
        "SELECT account_id FROM night.account_day WHERE day = $day AND is_approved", params={"day": day}
    ).pl()["account_id"]
    pairs = known.filter(
        pl.col("heir_id").is_not_null()
        & ~pl.col("account_id").is_in(approved.implode())
        & ~pl.col("heir_id").is_in(approved.implode())
    )
    names = pl.concat([pairs["account_id"], pairs["heir_id"]]).unique().sort()
    refused, heir = (
        np.asarray(names.search_sorted(pairs[side]), np.int64).reshape(-1)
        for side in ("account_id", "heir_id")
    )
    circle = fail_over.circles(refused, heir, len(names))
    return pl.DataFrame({"account_id": names, "object": pl.Series(circle).cast(pl.String)}).sort(
        "object", "account_id"
    )


def known_fail_overs(
    con: duckdb.DuckDBPyConnection, day: date, nights: int, position: pl.DataFrame
) -> detect.FailOvers:
    """Fail-overs of so many nights and this one, as positions of tonight's accounts.

    position : `account_id` and `account`, where each stands
    """
    known = frame_of(con, "campaigns/fail_overs", {"day": day, "lasting_nights": nights})
    heirs = position.rename({"account_id": "heir_id", "account": "heir"})
    known = (
        known.join(position, on="account_id", how="inner")
        .join(heirs, on="heir_id", how="left")
        .with_columns(pl.col("heir").fill_null(-1))
        .sort("account", "heir")
    )
    return detect.FailOvers(
        known["account"].to_numpy().astype(np.int64),
        known["heir"].to_numpy().astype(np.int64),
        known["n_requests"].to_numpy(),
    )
