"""The step `drift`: does calibration still hold for those who are not flagged? -> night.drift.

Here: which accounts and candidates count as ordinary, and each lane's row. Not here: the bets and their
guarantee (detector.models.drift), the p-values (scores, campaigns).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from detector import campaigns as detect
from detector.features import SCORED
from detector.models import drift
from detector.models.base import Float64
from detector.models.calibration import MIN_REFERENCE
from detector.models.peers import PEER_GROUPS, QUIET_FEATURES, peer_group
from detector.models.scoring import MAX_REFERENCE
from pipelines.campaigns.judging import reference
from pipelines.scores import REFERENCE_NIGHTS, columns_of, read_reference
from pipelines.settings import Settings
from pipelines.warehouse.arrow import array_of, fetch, registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

LANES = (*PEER_GROUPS, drift.CANDIDATES)
"""What is watched, each by itself: one group of accounts may drift while the others hide it."""

COMPARED = 4_000
"""Accounts whose features are compared on either side: two distributions that differ by a twentieth show."""

Columns = Mapping[str, Float64]


@dataclass(frozen=True, slots=True)
class _Count:
    """One lane tonight."""

    n_accounts: int
    n_low: int
    n_reference: int


def check_calibration(con: duckdb.DuckDBPyConnection, day: date, settings: Settings) -> int:
    """Replace the rows of `day` in night.drift, in one transaction; returns the number of warnings.

    Reads the scores, flags and candidates of `day`, and of night.drift only earlier nights. A lane without
    calibration on earlier nights has no row.
    """
    left_out = settings.detection.leave_out
    nights = 0 if "history" in left_out else REFERENCE_NIGHTS
    known = columns_of(read_reference(con, day, nights), left_out)  # as the scores were made
    earlier_groups = peer_group(known)
    counts = _of_accounts(con, day, np.bincount(earlier_groups, minlength=len(PEER_GROUPS)).tolist())
    counts |= _of_candidates(con, day, settings.detection.policy())
    rows = []
    for lane in LANES:
        if lane not in counts:
            continue
        row = _row(con, day, lane, counts[lane])
        if row["warned"] and lane in PEER_GROUPS:
            at = np.flatnonzero(earlier_groups == PEER_GROUPS.index(lane))[:COMPARED]
            row["moved"] = _moved(con, day, lane, {f.name: known[f.name][at] for f in SCORED})
        rows.append(row)
    with transaction(con):
        con.execute("DELETE FROM night.drift WHERE day = $day", {"day": day})
        columns = fetch(con, "FROM night.drift LIMIT 0").schema
        with registered(con, "judged", pa.Table.from_pylist(rows, schema=columns)):
            con.execute("INSERT INTO night.drift BY NAME FROM judged")
    return sum(row["warned"] for row in rows)


def _row(con: duckdb.DuckDBPyConnection, day: date, lane: str, counted: _Count) -> dict[str, Any]:
    """The row of night.drift: tonight's bet, and what all nights up to this one have come to."""
    warn_at = drift.threshold(len(LANES))
    earlier = con.execute(statement("drift/earlier"), {"day": day, "lane": lane}).fetchall()
    factor = drift.night_factor(counted.n_low, counted.n_accounts, counted.n_reference)
    days = [*(row[0] for row in earlier), day]
    now = drift.standing(np.array([*(row[1] for row in earlier), factor]), warn_at)
    return {
        "day": day,
        "lane": lane,
        "n_accounts": counted.n_accounts,
        "n_low": counted.n_low,
        "n_reference": counted.n_reference,
        "tolerated_share": drift.tolerated_share(counted.n_accounts, counted.n_reference),
        "factor": factor,
        "evidence": now.evidence,
        "warn_at": warn_at,
        "warned": now.warned,
        "since": days[now.began],
        "moved": [],
    }


def _of_accounts(con: duckdb.DuckDBPyConnection, day: date, n_reference: list[int]) -> dict[str, _Count]:
    """Tonight's ordinary accounts by peer group, where earlier nights calibrate the group."""
    rows = con.execute(statement("drift/accounts"), {"day": day, "alpha": drift.ALPHA}).fetchall()
    of_group = dict(zip(PEER_GROUPS, n_reference, strict=True))
    return {
        group: _Count(n_accounts, n_low, min(of_group[group], MAX_REFERENCE))
        for group, n_accounts, n_low in rows
        if of_group.get(group, 0) >= MIN_REFERENCE
    }


def _of_candidates(con: duckdb.DuckDBPyConnection, day: date, policy: detect.Policy) -> dict[str, _Count]:
    """Tonight's candidates that would be the reference of tomorrow, against the reference of tonight."""
    innocent = reference(con, day, policy).log_odds
    bounds = {"day": day, "least": policy.least_log_odds, "tainted": detect.TAINTED}
    tonight = array_of(fetch(con, statement("drift/candidates"), bounds), "evidence")
    if len(innocent) < policy.least_reference or not len(tonight):
        return {}
    n_low = int((detect.tail_p_values(tonight, innocent) <= drift.ALPHA).sum())
    return {drift.CANDIDATES: _Count(len(tonight), n_low, len(innocent))}


def _moved(con: duckdb.DuckDBPyConnection, day: date, lane: str, earlier: Columns) -> list[dict[str, Any]]:
    """What moved most in one peer group, for the reader of its warning."""
    values = {"day": day, "peer_group": lane, "rows": COMPARED}
    tonight = columns_of(fetch(con, statement("drift/compared"), values))
    features = [f.name for f in SCORED if lane != "quiet" or f.name in QUIET_FEATURES]
    return [
        {"feature": moved.feature, "distance": moved.distance}
        for moved in drift.moved_features(tonight, earlier, features)
    ]
