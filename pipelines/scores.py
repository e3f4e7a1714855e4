"""The step `scores`: night.account_day -> night.account_score.

Here: which rows the models read, and how their answers, and findings of single accounts, become rows. Not
here: the models and their calibration (detector.models), who is a finding alone (lone), campaigns.
"""

from collections.abc import Collection
from datetime import date
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.campaigns import Part
from detector.features import FAMILIES, SCORED
from detector.models import lone, scoring
from pipelines.settings import Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

ROWS_AT_ONCE = 100_000
"""Rows written at a time: reasons are long, and a million rows of them, sorted, do not fit into the memory
that the warehouse may use while other queries run beside."""

REFERENCE_NIGHTS = 28
"""Nights that calibrate: four weeks, each weekday four times, yet recent enough to be today's customers."""

REFERENCE_ROWS = 40_000
"""Earlier accounts read at most: enough for a p-value of 1 in some thousands in every larger peer group."""

OUTGROWN = 4.0
"""Times its beginnings (the median of its first three nights against that of its last three) from which an
account is no example of the ordinary: people's weeks differ by two or three, and 15 % a night makes four
in ten nights."""

OUTGROWN_NIGHTS = 10
"""Nights an account must have been seen before it can have outgrown anything: a newcomer's first nights
say little."""

FEATURES_OF: dict[Part, tuple[str, ...]] = {
    "content": ("templating", "targeting", "conversation", "economy", "fan-in"),
    "timing": ("timing",),
    "identity": ("identity", "parameters"),
    "lifecycle": ("lifecycle",),
}
"""Families of features that belong to a part of the judgement; volume is every part's."""

OF_HISTORY = (
    "usual_requests",
    "most_requests",
    "volume_z",
    "repeat_share",
    "new_model_share",
    "nights_seen",
    "days_since_first_seen",
    "dormant_days",
    "growth_ratio",
)
"""Features that compare with earlier nights."""

CONTRACT = "is_approved"
"""What is allowed by contract is no evidence, and is never left out."""

Float64 = npt.NDArray[np.float64]

REASON = pa.struct(
    [("code", pa.string()), ("detail", pa.string()), ("value", pa.float64()), ("usual_range", pa.string())]
)

FLAGGED_COLUMNS = (
    "day",
    "account_id",
    "campaign_id",
    "score",
    "p_value",
    "confidence",
    "recommended_action",
    "reasons",
    "first_seen",
    "last_seen",
    "n_requests",
    "output_tokens",
)

PROFILES = {
    "lone extractor": "one account that makes training data at volume, without partners in sight",
    "relay": "one text, added to the requests of many products, makes them ask for training material",
    "beyond approval": "an approved use does not cover what this account does",
}

CODES = {"beyond approval": "BEYOND_APPROVAL"}
"""Codes of profiles that have one of their own."""


def score_accounts(con: duckdb.DuckDBPyConnection, day: date, settings: Settings) -> int:
    """Replace the scores of `day` in night.account_score, in one transaction; returns their number.

    Earlier nights' ordinary accounts (`read_reference`) calibrate the p-values where a peer group has enough
    of them; features of what `settings.detection.leave_out` names count as unknown.
    """
    left_out = settings.detection.leave_out
    accounts = con.sql(statement("account_scored"), params={"day": day}).to_arrow_table()
    account_ids, tonight = accounts["account_id"], columns_of(accounts, left_out)
    del accounts  # a million of them are half a gigabyte, and as much again as columns
    nights = 0 if "history" in left_out else REFERENCE_NIGHTS
    scores = scoring.score_night(tonight, columns_of(read_reference(con, day, nights), left_out))
    table = pa.table(
        {
            "day": pa.array([day] * len(account_ids), pa.date32()),
            "account_id": account_ids,
            "peer_group": pa.DictionaryArray.from_arrays(
                scores.group, scores.group_names
            ).dictionary_decode(),
            "score": scores.score,
            "p_value": scores.p_value,
            "reasons": _reasons(scores, tonight),
        }
    )
    with transaction(con):
        con.execute("DELETE FROM night.account_score WHERE day = $day", {"day": day})
        for first in range(0, len(table), ROWS_AT_ONCE):
            with registered(con, "scored", table.slice(first, ROWS_AT_ONCE)):
                con.execute("INSERT INTO night.account_score BY NAME FROM scored ORDER BY account_id")
    return len(account_ids)


def read_reference(con: duckdb.DuckDBPyConnection, day: date, nights: int = REFERENCE_NIGHTS) -> pa.Table:
    """What ordinary accounts did on earlier nights: rows of night.account_day, one per account.

    Accounts that were ever flagged stay out until a person has cleared them, and so do those that have
    outgrown their own beginnings.
    """
    bounds = {
        "day": day,
        "nights": nights,
        "rows": REFERENCE_ROWS,
        "outgrown": OUTGROWN,
        "least_nights": OUTGROWN_NIGHTS,
    }
    return con.sql(statement("account_reference"), params=bounds).to_arrow_table()


def as_flagged_accounts(day: date, accounts: pa.Table, found: list[lone.LoneFinding]) -> pa.Table:
    """Findings as rows of night.flagged_account, most suspicious first.

    accounts : the answer of account_lone, whose positions the findings name
    """
    ids, score = accounts["account_id"], accounts["score"].to_numpy()
    kept = sorted(found, key=lambda finding: (-float(score[finding.row]), ids[finding.row].as_py()))
    rows = pa.array([finding.row for finding in kept], pa.int64())
    of_kept = accounts.take(rows)
    return pa.Table.from_arrays(
        [
            pa.array([day] * len(kept), pa.date32()),
            of_kept["account_id"],
            pa.nulls(len(kept), pa.string()),
            of_kept["score"],
            of_kept["p_value"],
            pa.array([finding.confidence for finding in kept], pa.string()),
            pa.array([finding.recommended_action for finding in kept], pa.string()),
            pa.array([_lone_reasons(finding) for finding in kept], pa.list_(REASON)),
            of_kept["first_seen"],
            of_kept["last_sent_at"],
            of_kept["n_requests"],
            of_kept["output_tokens"].fill_null(0),
        ],
        names=list(FLAGGED_COLUMNS),
    )


def _lone_reasons(finding: lone.LoneFinding) -> list[dict[str, Any]]:
    """Its profile in a word, then its evidence."""
    code = CODES.get(finding.profile, finding.profile.replace(" ", "_"))
    profile = {"code": code, "detail": PROFILES[finding.profile]}
    return [
        profile | {"value": None, "usual_range": None},
        *(
            {"code": r.code, "detail": r.detail, "value": r.value, "usual_range": r.usual_range}
            for r in finding.reasons
        ),
    ]


def columns_of(table: pa.Table, left_out: Collection[Part] = ()) -> dict[str, Float64]:
    """The number columns of night.account_day as float64, null as NaN; those of parts left out are NaN."""
    numbers = (
        field.name
        for field in table.schema
        if pa.types.is_integer(field.type)
        or pa.types.is_floating(field.type)
        or pa.types.is_boolean(field.type)
    )
    hidden = {
        feature.name for part in left_out for of in FEATURES_OF.get(part, ()) for feature in FAMILIES[of]
    }
    hidden.update(OF_HISTORY if "history" in left_out else ())
    unknown = np.full(len(table), np.nan)
    return {name: unknown if name in hidden - {CONTRACT} else _as_float(table[name]) for name in numbers}


def _as_float(column: pa.ChunkedArray) -> Float64:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _reasons(scores: scoring.AccountScores, tonight: dict[str, Float64]) -> pa.ListArray:
    """The reasons of every account as list<struct>, built column by column: no object per account."""
    rows, ranks = np.nonzero(scores.reason >= 0)
    feature = scores.reason[rows, ranks].astype(np.int32)
    values = np.empty(len(rows))
    for at, scored in enumerate(SCORED):
        mine = feature == at
        values[mine] = tonight[scored.name][rows[mine]]
    ranges = [
        scoring.readable_range(usual, f)
        for of_group in scores.usual
        for usual, f in zip(of_group, SCORED, strict=True)
    ]
    struct = pa.StructArray.from_arrays(
        [
            _texts(feature, [f.name for f in SCORED]),
            _texts(feature, [f.meaning for f in SCORED]),
            pa.array(values, pa.float64()),
            _texts(scores.group[rows].astype(np.int32) * len(SCORED) + feature, ranges),
        ],
        fields=list(REASON),
    )
    starts = np.searchsorted(rows, np.arange(len(scores.score) + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(starts, struct)


def _texts(codes: npt.NDArray[np.int32], texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(codes, pa.int32()))
