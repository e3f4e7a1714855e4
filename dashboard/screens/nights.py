"""Nights: what each scan read, refused and found, so that a quiet night is known to be one."""

import polars as pl

from dashboard import charts, reading
from dashboard.drawing import (
    count,
    empty,
    errors_on_screen,
    paragraph,
    section,
    table,
    title,
    value,
    warning,
    words,
)
from pipelines.findings import REMEDY_FOR_DRIFT


def draw() -> None:
    """The page."""
    title("Nights")
    nights = reading.nights()
    if nights.is_empty():
        empty(
            "No night has been scanned yet.",
            "Run `stillwatch scan LOGS --workspace DIR`, then reload this page.",
        )
        return
    drift = reading.drift().filter(pl.col("day") == nights["day"][0])
    for said in drift.filter("warned")["said"]:
        warning(said, REMEDY_FOR_DRIFT)
    charts.requests_by_night(nights.sort("day"))
    names = (
        "n_requests",
        "n_accounts",
        "n_refused",
        "n_repeated",
        "n_families",
        "n_candidates",
        "n_campaigns",
    )
    table(
        [
            *("Night", "Requests", "Accounts", "Refused", "Repeated", "Templates", "Tested groups"),
            *("Campaigns", "Flagged accounts", "Calibrated on"),
        ],
        [
            [row["day"], *(count(row[name]) for name in (*names, "n_flagged")), row["calibration"]]
            for row in nights.iter_rows(named=True)
        ],
        numbers=range(1, 9),
    )
    _calibration(drift)
    _refused()


def _calibration(drift: pl.DataFrame) -> None:
    section(
        "Calibration",
        "Of accounts and candidates nobody has flagged, one in twenty should have a p-value up to 0.05. "
        "Evidence grows while there are more than tolerated, and is too much for chance at the warning.",
    )
    if drift.is_empty():
        paragraph("The latest night is not yet calibrated on earlier ones.", "sw-hint")
        return
    table(
        ["Group", "Unflagged", "With p of 0.05 or less", "Share", "Tolerated", "Evidence", "Warning at"],
        [
            [
                words(row["lane"]),
                count(row["n_accounts"]),
                count(row["n_low"]),
                f"{row['low_share']:.1%}",
                f"{row['tolerated_share']:.1%}",
                value(row["evidence"]),
                count(round(row["warn_at"])),
            ]
            for row in drift.iter_rows(named=True)
        ],
        numbers=range(1, 7),
    )


def _refused() -> None:
    section("Refused rows", "Rows that could not be read, by place and reason; what they held is not kept.")
    refused = reading.refused()
    if refused.is_empty():
        paragraph("None.", "sw-hint")
        return
    table(
        ["File", "Column", "Reason", "Rows", "First row"],
        [
            [
                row["path"],
                row["column_name"] or "-",
                row["reason"],
                count(row["n_rows"]),
                count(row["first_row"]),
            ]
            for row in refused.head(200).iter_rows(named=True)
        ],
        numbers=[3, 4],
    )


with errors_on_screen():
    draw()
