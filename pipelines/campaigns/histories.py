"""Campaigns over nights: which of tonight's groups continues which, and what became of each.

Here: fetching earlier campaigns and ties, writing night.campaign_event. Not here: who is whose successor
(detector.campaigns.identity), what counts as an event (detector.campaigns.history).
"""

from collections.abc import Sequence
from dataclasses import asdict

import duckdb
import polars as pl
import pyarrow as pa

from detector import campaigns as detect
from detector import text
from pipelines.campaigns.judging import Flagged
from pipelines.campaigns.night import Night
from pipelines.warehouse.arrow import fetch, registered
from pipelines.warehouse.statements import statement

MEMORY_NIGHTS = 35
"""How long a campaign is remembered: a pool that rests a month and comes back is the same campaign."""


def identities(
    con: duckdb.DuckDBPyConnection, night: Night, flagged: Sequence[Flagged]
) -> list[tuple[str, str]]:
    """Id and status of each of the flagged; what happened tonight to them and to earlier campaigns is
    written down."""
    nights = MEMORY_NIGHTS if night.remembers else 0
    rows = con.execute(statement("campaigns/known"), {"day": night.day, "nights": nights}).fetchall()
    known = [detect.Known(row[0], row[1], *map(frozenset, row[2:])) for row in rows]
    sightings = [detect.Sighting(frozenset(found.account_ids), found.family_requests) for found in flagged]
    tied = con.execute(
        statement("campaigns/ties"), {"day": night.day, "least": text.GROUP_STRENGTH}
    ).fetchall()
    earlier = sorted(set().union(*(campaign.accounts for campaign in known)))
    sent = night.accounts["account_id"]
    active = frozenset(sent.filter(sent.is_in(pl.Series(earlier, dtype=pl.String).implode())).to_list())
    ties = {row[0]: frozenset(row[1]) for row in tied}
    named = detect.identify(sightings, known, night.day, ties, active)
    _write(con, night, detect.events(sightings, named, known, active))
    return named


def _write(con: duckdb.DuckDBPyConnection, night: Night, happened: Sequence[detect.Event]) -> None:
    columns = fetch(con, "FROM night.campaign_event LIMIT 0").schema
    rows = [{"day": night.day} | asdict(event) for event in happened]
    with registered(con, "happened", pa.Table.from_pylist(rows, schema=columns)):
        con.execute("INSERT INTO night.campaign_event BY NAME FROM happened")
