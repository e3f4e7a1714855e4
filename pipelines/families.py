"""The step `families`: the night's texts -> night.family and night.family_account.

Here: fetching texts' fingerprints, naming families after their earlier selves, storing who used which. Not
here: how families are found (detector.text.families), their readable forms (evidence).
"""

from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector import text
from pipelines.warehouse.arrow import fetch, in_one_piece, registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

KEPT_SHINGLES = 128
"""Smallest shingles of a family that are kept to recognise it: hashes, so the smallest are a fair sample."""

MEMORY_NIGHTS = 35
"""How long a family that nobody used is remembered by name."""


def find_night_families(con: duckdb.DuckDBPyConnection, day: date, threads: int = 1) -> int:
    """Replace the families of `day`; returns how many prompt families there are.

    Leaves the temporary table `tonight_family_request` for later steps: row_id of core.request, family_id,
    and place, 0 for the family that the request holds most of.
    """
    with transaction(con):
        con.execute("DELETE FROM night.family WHERE day = $day", {"day": day})
        con.execute("DELETE FROM night.family_account WHERE day = $day", {"day": day})
        n_families = _prompt_families(con, day, threads)
        _system_families(con, day, threads)
    return n_families


def _prompt_families(con: duckdb.DuckDBPyConnection, day: date, threads: int) -> int:
    texts = fetch(con, statement("families/prompts"), {"day": day})
    accounts, account = _positions(texts.column("account_id"))
    families = _find(texts, account, threads)
    text, place = np.nonzero(families.of_text >= 0)
    family = families.of_text[text, place]
    uses = pa.table(
        {
            "family": family,
            "account": account[text],
            "item": texts.column("text_hash").take(pa.array(text)),
            "training_permille": texts.column("training_permille").take(pa.array(text)),
        }
    )
    ids = pa.array(_store(con, day, "prompt", families, accounts, uses), pa.string())
    of_request = pa.table(
        {
            "row_id": texts.column("row_id").take(pa.array(text)),
            "family_id": ids.take(pa.array(family)),
            "place": pa.array(place).cast(pa.int8()),
        }
    )
    with registered(con, "of_request", of_request):
        con.execute("CREATE OR REPLACE TEMP TABLE tonight_family_request AS FROM of_request")
    return len(ids)


def _system_families(con: duckdb.DuckDBPyConnection, day: date, threads: int) -> None:
    texts = fetch(con, statement("families/systems"), {"day": day})
    accounts, account = _positions(texts.column("account_id"))
    families = _find(texts, account, threads)
    belongs = families.best >= 0  # a system prompt is one text of one author
    hashes, first = np.unique(texts.column("text_hash").to_numpy()[belongs], return_index=True)
    system_family = pa.table({"system_hash": hashes, "family": families.best[belongs][first]})
    with (
        registered(con, "system_family", system_family),
        registered(con, "tonight_account", _numbered("account", accounts)),
    ):
        uses = fetch(con, statement("families/system_uses"), {"day": day})
    _store(con, day, "system", families, accounts, uses)


def _find(texts: pa.Table, account: npt.NDArray[np.int32], threads: int) -> text.Families:
    shingles = in_one_piece(texts.column("shingles"))
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(pc.list_value_length(shingles).to_numpy(zero_copy_only=False), out=starts[1:])
    return text.find_families(
        shingles.flatten().to_numpy(zero_copy_only=False),
        starts,
        account,
        texts.column("text_hash").to_numpy(),
        threads=threads,
    )


def _numbered(name: str, ids: pa.Array) -> pa.Table:
    return pa.table({name: np.arange(len(ids), dtype=np.int32), f"{name}_id": ids})


def _store(
    con: duckdb.DuckDBPyConnection,
    day: date,
    kind: str,
    families: text.Families,
    accounts: pa.Array,
    uses: pa.Table,
) -> list[str]:
    """Name the families of one kind of text and write them with their uses; their ids by number."""
    kept = _kept(families)
    ids = _names(con, day, kind, kept)
    named = _numbered("family", pa.array(ids, pa.string())).append_column(
        "shingles", pa.ListArray.from_arrays(kept.starts.astype(np.int32), kept.shingles)
    )
    with (
        registered(con, "tonight_use", uses),
        registered(con, "tonight_family", named),
        registered(con, "tonight_account", _numbered("account", accounts)),
    ):
        con.execute(statement("families/sent"))
        con.execute(statement("families/family"), {"day": day, "kind": kind})
        con.execute(statement("families/family_account"), {"day": day})
        con.execute("DROP TABLE sent")
    return ids


def _positions(account_id: pa.ChunkedArray) -> tuple[pa.Array, npt.NDArray[np.int32]]:
    """Distinct ids in ascending order, and the position of each row's among them."""
    encoded = in_one_piece(account_id).dictionary_encode()
    ascending = pc.sort_indices(encoded.dictionary).to_numpy()
    place = np.empty(len(ascending), dtype=np.int32)
    place[ascending] = np.arange(len(ascending), dtype=np.int32)
    return encoded.dictionary.take(pa.array(ascending)), place[encoded.indices.to_numpy()]


def _kept(families: text.Families) -> text.Families:
    """The same families with at most KEPT_SHINGLES of their shingles."""
    sizes = np.minimum(np.diff(families.starts), KEPT_SHINGLES)
    within = np.arange(len(families.shingles)) - np.repeat(families.starts[:-1], np.diff(families.starts))
    starts = np.zeros(len(families) + 1, dtype=np.int64)
    np.cumsum(sizes, out=starts[1:])
    return text.Families(families.shingles[within < KEPT_SHINGLES], starts, families.of_text, families.held)


def _names(con: duckdb.DuckDBPyConnection, day: date, kind: str, families: text.Families) -> list[str]:
    """The id of each family: that of its earlier self if it has one, else a new one. No two share an id."""
    earlier = fetch(con, statement("families/earlier"), {"day": day, "kind": kind, "nights": MEMORY_NIGHTS})
    shingles = in_one_piece(earlier.column("shingles"))
    n_shingles = pc.list_value_length(shingles).to_numpy(zero_copy_only=False).astype(np.int64)
    match = text.same_family(
        families,
        shingles.flatten().to_numpy(zero_copy_only=False),
        np.repeat(np.arange(len(n_shingles)), n_shingles),
        n_shingles,
    )
    earlier_ids = earlier.column("family_id").to_pylist()
    ids: list[str] = []
    taken: set[str] = set()
    for family, there in enumerate(match):
        name = earlier_ids[there] if there >= 0 else text.family_id(families.shingles_of(family), kind)
        if name in taken:  # a template that split: its first part keeps the name
            name = text.family_id(families.shingles_of(family), kind)
        while name in taken:
            name += "x"
        taken.add(name)
        ids.append(name)
    return ids
