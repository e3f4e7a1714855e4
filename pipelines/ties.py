"""The step `ties`: night.family and what its families share -> night.family_tie.

Here: fetching marks, slots, skeletons and accounts of tonight's and earlier families, storing their ties. Not
here: what a tie is worth (detector.text.ties), marks and slots of a family (families).
"""

from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector import text
from pipelines.warehouse.arrow import fetch, in_one_piece, registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

MEMORY_NIGHTS = 14
"""How long a family that nobody used can be tied to tonight's: a rewriter that comes back after two weeks of
silence is as good as new."""

MOST_FAMILIES = 2_000
"""Families that are compared by their words, tonight's of most accounts first: a few seconds."""


def tie_families(con: duckdb.DuckDBPyConnection, day: date) -> int:
    """Replace the ties of `day`; returns how many there are."""
    n_ties = 0
    with transaction(con):
        con.execute("DELETE FROM night.family_tie WHERE day = $day", {"day": day})
        for kind in ("prompt", "system"):
            n_ties += _tie_kind(con, day, kind)
    return n_ties


def _tie_kind(con: duckdb.DuckDBPyConnection, day: date, kind: str) -> int:
    known = fetch(
        con,
        statement("ties/families"),
        {
            "day": day,
            "kind": kind,
            "nights": MEMORY_NIGHTS,
            "least_shingles": text.TELLING_SHINGLES,
            "most": MOST_FAMILIES,
        },
    )
    if len(known) == 0:
        return 0
    n = len(known)
    numbered = pa.table(
        {
            "family": np.arange(n, dtype=np.int64),
            "family_id": known.column("family_id"),
            "seen_on": known.column("seen_on"),
        }
    )
    with registered(con, "tied_family", numbered):
        slots = fetch(con, statement("ties/slots"))
        used = fetch(con, statement("ties/accounts"))
    ties = _ties(known, slots, used).touching(
        pc.equal(known.column("seen_on"), pa.scalar(day)).to_numpy(zero_copy_only=False)
    )
    ids = in_one_piece(known.column("family_id"))
    kinds = pa.array(text.KINDS)
    table = pa.table(
        {
            "one": ids.take(pa.array(ties.first)),
            "other": ids.take(pa.array(ties.second)),
            "kind": kinds.take(pa.array(ties.kind)),
            "strength": ties.strength,
        }
    )
    with registered(con, "tonight_tie", table):
        con.execute(statement("ties/family_tie"), {"day": day})
    return len(ties)


def _ties(known: pa.Table, slots: pa.Table, used: pa.Table) -> text.Ties:
    n = len(known)
    marks = in_one_piece(known.column("marks"))
    mark_starts = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(pc.list_value_length(marks).to_numpy(zero_copy_only=False), out=mark_starts[1:])
    contract = text.contract_ties(
        marks.flatten().to_numpy(zero_copy_only=False).astype(np.uint32), mark_starts
    )
    source = text.source_ties(
        np.array(slots.column("family")),
        np.array(slots.column("shingle")),
        np.array(slots.column("n_accounts")),
        n,
    )
    accounts = np.array(used.column("account")).astype(np.int64)
    starts = np.searchsorted(np.array(used.column("family")), np.arange(n + 1)).astype(np.int64)
    wording = text.wording_ties(known.column("skeleton").to_pylist(), accounts, starts)
    fragments = text.fragment_ties(accounts, starts, text.Ties.together([contract, wording]))
    return text.Ties.together([contract, source, wording, fragments])
