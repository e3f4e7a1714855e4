"""The step `families`: the night's texts -> night.family, night.family_account and night.family_slot.

Here: fetching texts' fingerprints, naming families after their earlier selves, storing who used which. Not
here: how families are found (detector.text.families), their readable forms (templates).
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector import text
from pipelines.asked_again import note_asked_again
from pipelines.warehouse.arrow import array_of, fetch, lists_of, registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

KEPT_SHINGLES = 128
"""Smallest shingles of a family that are kept to recognise it: hashes, so the smallest are a fair sample."""

MEMORY_NIGHTS = 35
"""How long a family that nobody used is remembered by name."""

CHOSEN_AT_ONCE = 4_000_000
"""Prompts among which a sample is chosen at a time, 20 bytes each; a larger night takes part after part of
its accounts."""

READ_AT_ONCE = 32_768
"""Prompts whose shingles are in memory at a time, for each thread and one more: about 15 MB."""

SLOT_SAMPLE = 32
"""Of the shingles that fill slots one in so many is kept, a power of two, told by its value: the same ones in
every text."""

MOST_SLOTS = 512
"""Slot shingles kept of a family, the smallest: two families of one list of ten thousand items share
dozens."""

NAMED_TOOLS = 24
"""Tools of a set that are listed to show it."""


def find_night_families(con: duckdb.DuckDBPyConnection, day: date, key: bytes, threads: int = 1) -> int:
    """Replace the families of `day`, and what was asked before; returns how many prompt families there are.

    Leaves two temporary tables for later steps: `tonight_family_request`, row_id of core.request, family_id,
    and place, 0 for the family that the request holds most of; `tonight_system_family`, text_hash of
    core.system_text and family_id. `key` is the workspace's. Memory does not grow with the night's requests.
    """
    with transaction(con):
        for table in ("family", "family_account", "family_slot"):
            con.execute(f"DELETE FROM night.{table} WHERE day = $day", {"day": day})
        note_asked_again(con, day)
        con.execute(statement("families/accounts"), {"day": day})
        n_families = _prompt_families(con, day, threads)
        _system_families(con, day, threads)
        _tool_families(con, day, key, threads)
        for table in ("tonight_use", "tonight_slot", "tonight_account"):
            con.execute(f"DROP TABLE {table}")
    return n_families


# --- prompts ---------------------------------------------------------------------------------------------


def _prompt_families(con: duckdb.DuckDBPyConnection, day: date, threads: int) -> int:
    index = _learned(con, day, threads).telling()
    con.execute(
        """CREATE OR REPLACE TEMP TABLE tonight_use
           (row_id BIGINT, account INTEGER, item UBIGINT, training_permille INTEGER, family INTEGER,
            place TINYINT)"""
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE tonight_slot (family INTEGER, account INTEGER, shingle UINTEGER)"
    )
    for uses, slots in _looked_up(_prompts(con, day), index, threads):
        with registered(con, "uses", uses):
            con.execute("INSERT INTO tonight_use BY NAME FROM uses")
        with registered(con, "slots", slots):
            con.execute("INSERT INTO tonight_slot BY NAME FROM slots")
    ids = _store(con, day, "prompt", index, [""] * len(index))
    with registered(con, "tonight_family", _named(ids)):
        con.execute(
            """CREATE OR REPLACE TEMP TABLE tonight_family_request AS
               SELECT row_id, family_id, place FROM tonight_use JOIN tonight_family USING (family)"""
        )
        con.execute(statement("families/slots"), {"day": day, "most": MOST_SLOTS})
    return len(ids)


def _learned(con: duckdb.DuckDBPyConnection, day: date, threads: int) -> text.FamilyIndex:
    """The templates of the night's prompts, learned from a sample of them."""
    (n_prompts,) = con.execute("SELECT coalesce(sum(n_prompts), 0)::BIGINT FROM tonight_account").fetchall()[
        0
    ]
    n_of_account = con.execute("SELECT n_prompts FROM tonight_account ORDER BY account").fetchnumpy()[
        "n_prompts"
    ]
    most = text.texts_per_account(np.asarray(n_of_account))
    n_parts = 1 + n_prompts // CHOSEN_AT_ONCE
    parts = []
    for part in range(n_parts):
        texts = fetch(con, statement("families/texts"), {"day": day, "part": part, "n_parts": n_parts})
        rows = text.sampled(array_of(texts, "account"), array_of(texts, "text_hash"), most)
        parts.append(texts.select(["row_id", "account"]).take(pa.array(rows)))
    with registered(con, "chosen", pa.concat_tables(parts)):
        sample = fetch(con, statement("families/sample"))
    shingles, starts = lists_of(sample.column("shingles"), copied=False)
    account, text_hash = array_of(sample, "account"), array_of(sample, "text_hash")
    rows = np.lexsort((text_hash, account))  # a fraction of what sorting the shingles, too, takes DuckDB
    return text.learn_families(shingles, starts, account, text_hash, rows, threads=threads)


def _prompts(con: duckdb.DuckDBPyConnection, day: date) -> Iterator[pa.Table]:
    """The night's prompts as fingerprints, some at a time."""
    accounts = fetch(con, "FROM tonight_account")
    # A connection of its own, since the other is written to meanwhile; temporary tables do not show on it.
    with con.cursor() as reading, registered(reading, "tonight_account", accounts):
        answer = reading.sql(statement("families/prompts"), params={"day": day})
        for batch in answer.to_arrow_reader(READ_AT_ONCE):
            yield pa.Table.from_batches([batch])


def _looked_up(
    prompts: Iterator[pa.Table], index: text.FamilyIndex, threads: int
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Uses and slots of the families of some prompts after others, in order; each thread takes its own."""

    def look_up(some: pa.Table) -> tuple[pa.Table, pa.Table]:
        shingles, starts = lists_of(some.column("shingles"), copied=False)
        of_text, _ = index.held_by(shingles, starts)
        return _uses(some, of_text), _slots(index, some, of_text[:, 0], shingles, starts)

    with ThreadPoolExecutor(threads) as pool:
        under_way: deque[Future[tuple[pa.Table, pa.Table]]] = deque()
        for some in prompts:
            under_way.append(pool.submit(look_up, some))
            if len(under_way) > threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _uses(prompts: pa.Table, of_text: npt.NDArray[np.int32]) -> pa.Table:
    """One row for each family that a prompt belongs to."""
    row, place = np.nonzero(of_text >= 0)
    uses = prompts.select(["row_id", "account", "item", "training_permille"]).take(pa.array(row))
    return uses.append_column("family", pa.array(of_text[row, place])).append_column(
        "place", pa.array(place.astype(np.int8))
    )


def _slots(
    index: text.FamilyIndex,
    prompts: pa.Table,
    family: npt.NDArray[np.int32],
    shingles: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
) -> pa.Table:
    """Some shingles of the prompts of a family that belong to no family."""
    chosen = np.flatnonzero(shingles & np.uint32(SLOT_SAMPLE - 1) == 0)
    row = np.searchsorted(starts, chosen, "right") - 1
    of_family = family[row] >= 0
    row, shingle = row[of_family], shingles[chosen[of_family]]
    in_slot = ~np.isin(shingle, index.shingles)
    row = row[in_slot]
    account = array_of(prompts, "account")[row]
    return pa.table({"family": family[row], "account": account, "shingle": shingle[in_slot]})


# --- system prompts and sets of tools --------------------------------------------------------------------


def _system_families(con: duckdb.DuckDBPyConnection, day: date, threads: int) -> None:
    texts = fetch(con, statement("families/systems"), {"day": day})
    families = _found(texts, threads)
    with registered(con, "of_text", _of_text(texts, families)):
        _use(con, statement("families/system_uses"), day)
        ids = _store(con, day, "system", families.index, [""] * len(families))
        with registered(con, "tonight_family", _named(ids)):
            con.execute(
                """CREATE OR REPLACE TEMP TABLE tonight_system_family AS
                   SELECT text_hash, family_id FROM of_text JOIN tonight_family USING (family)"""
            )


def _tool_families(con: duckdb.DuckDBPyConnection, day: date, key: bytes, threads: int) -> None:
    texts = fetch(con, statement("families/toolsets"), {"day": day, "salt": key.decode("latin-1")})
    families = _found(texts, threads)
    with registered(con, "of_text", _of_text(texts, families)):
        _use(con, statement("families/toolset_uses"), day)
    first = np.full(len(families), -1, dtype=np.int64)
    belongs = np.flatnonzero(families.best >= 0)[::-1]
    first[families.best[belongs]] = belongs
    names = texts.column("tool_names").take(pa.array(first)).to_pylist() if len(families) else []
    shown = [text.presentable(", ".join(tools[:NAMED_TOOLS]), 600) for tools in names]
    _store(con, day, "tools", families.index, shown)


def _found(texts: pa.Table, threads: int) -> text.Families:
    """The families of texts of which each account has few: one row for each account and text."""
    shingles, starts = lists_of(texts.column("shingles"), copied=False)
    return text.find_families(
        shingles, starts, array_of(texts, "account"), array_of(texts, "text_hash"), threads=threads
    )


def _of_text(texts: pa.Table, families: text.Families) -> pa.Table:
    """The family of each text of one: a system prompt is one text of one author."""
    belongs = families.best >= 0
    hashes, first = np.unique(array_of(texts, "text_hash")[belongs], return_index=True)
    return pa.table({"text_hash": hashes, "family": families.best[belongs][first]})


def _use(con: duckdb.DuckDBPyConnection, uses: str, day: date) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE tonight_use AS {uses}", {"day": day})


# --- storing ---------------------------------------------------------------------------------------------


def _store(
    con: duckdb.DuckDBPyConnection, day: date, kind: str, index: text.FamilyIndex, skeletons: list[str]
) -> list[str]:
    """Name the families of one kind of text and write them with their uses of tonight_use; their ids by
    number."""
    kept = _kept(index)
    ids = _names(con, day, kind, kept)
    named = (
        _named(ids)
        .append_column("shingles", pa.ListArray.from_arrays(kept.starts.astype(np.int32), kept.shingles))
        .append_column("skeleton", pa.array(skeletons, pa.string()))
    )
    with registered(con, "tonight_family", named):
        con.execute(statement("families/sent"))
        con.execute(statement("families/family"), {"day": day, "kind": kind})
        con.execute(statement("families/family_account"), {"day": day})
        con.execute("DROP TABLE sent")
    return ids


def _named(ids: list[str]) -> pa.Table:
    return pa.table({"family": np.arange(len(ids), dtype=np.int32), "family_id": pa.array(ids, pa.string())})


def _kept(index: text.FamilyIndex) -> text.FamilyIndex:
    """The same families with at most KEPT_SHINGLES of their shingles."""
    sizes = np.minimum(np.diff(index.starts), KEPT_SHINGLES)
    within = np.arange(len(index.shingles)) - np.repeat(index.starts[:-1], np.diff(index.starts))
    starts = np.zeros(len(index) + 1, dtype=np.int64)
    np.cumsum(sizes, out=starts[1:])
    return replace(index, shingles=index.shingles[within < KEPT_SHINGLES], starts=starts)


def _names(con: duckdb.DuckDBPyConnection, day: date, kind: str, index: text.FamilyIndex) -> list[str]:
    """The id of each family: that of its earlier self if it has one, else a new one. No two share an id."""
    earlier = fetch(con, statement("families/earlier"), {"day": day, "kind": kind, "nights": MEMORY_NIGHTS})
    shingles, starts = lists_of(earlier.column("shingles"))
    n_shingles = np.diff(starts)
    match = text.same_family(index, shingles, np.repeat(np.arange(len(n_shingles)), n_shingles), n_shingles)
    earlier_ids = earlier.column("family_id").to_pylist()
    ids: list[str] = []
    taken: set[str] = set()
    for family, there in enumerate(match):
        name = earlier_ids[there] if there >= 0 else text.family_id(index.shingles_of(family), kind)
        if name in taken:  # a template that split: its first part keeps the name
            name = text.family_id(index.shingles_of(family), kind)
        while name in taken:
            name += "x"
        taken.add(name)
        ids.append(name)
    return ids
