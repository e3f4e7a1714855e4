"""The step `queues`: what fills the slots of the night's template families -> night.family_queue.

Here: choosing a bounded sample of requests, fetching it a few families at a time, known data sets from files.
Not here: the measures and the verdict (detector.text.queues), which requests follow which template
(families).
"""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from detector import text
from detector.text import queues as measures
from pipelines.errors import UsageError
from pipelines.warehouse.arrow import fetch, in_one_piece, lists_of, registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction

FAMILY_ROWS = (20_000, 10_000, 5_000, 2_000, 1_000, 500, 200)
"""Requests of one family that are judged: as many as MOST_ROWS allows. A likeness of 6 % shows in a few
hundred; the rest is for rare things, an order or a known set."""

MOST_ROWS = 1_000_000
"""Requests of all families that are judged: narrow rows of 40 bytes."""

ACCOUNT_ROWS = 1_000
"""Of one account in one family: no account fills a family's share by itself."""

ROWS_AT_ONCE = 100_000
"""Requests whose shingles are in memory at a time: about 100 MB. A family is not divided."""

OTHER_ROWS = 20_000
"""Requests outside families by which the night's people are known."""

REPEAT_NIGHTS = 7
"""Nights searched for items seen before: a week shows weekly suites as well as nightly ones."""

TEXTS_AT_ONCE = 50_000
"""Items of a known data set that are fingerprinted at a time."""

_CODE = "known_set"
_MEASURES = tuple(
    field.name for field in fields(measures.Queues) if field.name not in {"block_icc", "verdict", _CODE}
)


def judge_queues(con: duckdb.DuckDBPyConnection, day: date, known: measures.KnownSets | None = None) -> int:
    """Replace the rows of `day` in night.family_queue; returns how many families look like a list dealt out.

    Needs the temporary table `tonight_family_request` that `find_night_families` leaves. A family beyond
    FAMILY_ROWS requests is judged by a sample of its accounts, chosen by hash; how many accounts share an
    item is counted over all.
    """
    with transaction(con):
        con.execute("DELETE FROM night.family_queue WHERE day = $day", {"day": day})
        con.execute(statement("queues/rows"), {"day": day})
        con.execute(statement("queues/sizes"))
        families = fetch(con, statement("queues/families"), {"day": day})
        n_requests = families.column("n_requests").to_numpy()
        most = next((n for n in FAMILY_ROWS if np.minimum(n_requests, n).sum() <= MOST_ROWS), FAMILY_ROWS[-1])
        con.execute(statement("queues/sample"), {"family_rows": most, "account_rows": ACCOUNT_ROWS})
        con.execute(statement("queues/items"), {"day": day, "nights": REPEAT_NIGHTS})
        has_past = bool(
            con.execute(
                """SELECT 1 FROM core.request
                   WHERE day < $day AND day >= $day - to_days($nights::INTEGER) LIMIT 1""",
                {"day": day, "nights": REPEAT_NIGHTS},
            ).fetchall()
        )
        usual_icc = _usual_icc(con, day)
        n_dealt = 0
        for group in _groups(families, most):
            result = _judged(con, day, group, known, has_past, usual_icc)
            n_dealt += int((result.verdict == measures.VERDICTS.index("dealt_list")).sum())
            _store(con, day, group, result, known)
        for name in ("queue_row", "queue_load", "queue_use", "queue_item"):
            con.execute(f"DROP TABLE {name}")
    return n_dealt


def _groups(families: pa.Table, most: int) -> Iterator[pa.Table]:
    """Families in groups of at most ROWS_AT_ONCE judged requests, or one by one."""
    # The last account taken of a family may lead beyond `most`, by no more than its own share.
    rows = np.minimum(families.column("n_requests").to_numpy(), most + ACCOUNT_ROWS)
    first, total = 0, 0
    for at, n in enumerate(rows):
        if at > first and total + n > ROWS_AT_ONCE:
            yield families.slice(first, at - first)
            first, total = at, 0
        total += int(n)
    if first < len(families):
        yield families.slice(first)


def _judged(
    con: duckdb.DuckDBPyConnection,
    day: date,
    group: pa.Table,
    known: measures.KnownSets | None,
    has_past: bool,
    usual_icc: float,
) -> measures.Queues:
    numbered = pa.table(
        {"family": np.arange(len(group), dtype=np.int32), "family_id": group.column("family_id")}
    )
    with registered(con, "judged", numbered):
        uses = fetch(con, statement("queues/uses"), {"day": day})
    shingles, starts = lists_of(uses.column("shingles"))
    located: dict[str, Any] = {}
    if known is not None:
        known_set, position = measures.locate(shingles, starts, known)
        located = {"known_set": known_set, "set_position": position, "set_sizes": known.sizes}
    seen: dict[str, Any] = {}
    if has_past:
        seen = {
            "nights_before": np.array(uses.column("nights_before")),
            "earlier_position": np.array(uses.column("first_seen_us")),
        }
    return measures.judge(
        np.array(uses.column("family")),
        account_numbers(uses.column("account_id")),
        np.array(uses.column("item")),
        np.array(uses.column("sent_at_us")),
        traits_of(uses, *lists_of(group.column("shingles"))),
        len(group),
        n_holders=np.array(uses.column("n_holders")),
        usual_icc=usual_icc,
        **located,
        **seen,
    )


def _usual_icc(con: duckdb.DuckDBPyConnection, day: date) -> float:
    """How alike one account's texts are among requests outside families; NaN when too few tell."""
    others = fetch(
        con, statement("queues/others"), {"day": day, "most_rows": OTHER_ROWS, "account_rows": ACCOUNT_ROWS}
    )
    nothing = np.empty(0, np.uint32), np.zeros(2, np.int64)
    judged = measures.judge(
        np.array(others.column("family")),
        account_numbers(others.column("account_id")),
        np.array(others.column("item")),
        np.array(others.column("sent_at_us")),
        traits_of(others, *nothing),
        1,
    )
    enough = measures.said_of_likeness(judged)[0]
    return float(judged.own_text_icc[0]) if enough else float("nan")


def traits_of(
    uses: pa.Table, family_shingles: npt.NDArray[np.uint32], family_starts: npt.NDArray[np.int64]
) -> measures.Traits:
    shingles, starts = lists_of(uses.column("shingles"))
    projection, n_slot = measures.project_slots(
        shingles, starts, np.array(uses.column("family")), family_shingles, family_starts
    )
    return measures.slot_traits(
        np.array(uses.column("n_bytes")),
        np.array(uses.column("n_tokens")),
        np.array(uses.column("script")),
        np.array(uses.column("capability")),
        projection,
        n_slot,
    )


def account_numbers(account_id: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Accounts by number, in the order of their ids."""
    encoded = in_one_piece(account_id).dictionary_encode()
    place = np.empty(len(encoded.dictionary), np.int32)
    place[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(place), dtype=np.int32)
    numbers: npt.NDArray[np.int32] = place[encoded.indices.to_numpy()]
    return numbers


def _store(
    con: duckdb.DuckDBPyConnection,
    day: date,
    group: pa.Table,
    result: measures.Queues,
    known: measures.KnownSets | None,
) -> None:
    columns = {name: pa.array(getattr(result, name), from_pandas=True) for name in _MEASURES}
    for at, block in enumerate(measures.TRAIT_BLOCKS):
        columns[f"{block}_icc"] = pa.array(result.block_icc[:, at], from_pandas=True)
    names = known.names if known is not None else ()
    columns[_CODE] = pa.array([names[code] if code >= 0 else None for code in result.known_set], pa.string())
    columns["verdict"] = pa.array([measures.VERDICTS[code] for code in result.verdict], pa.string())
    columns["is_sampled"] = pa.array(result.n_requests < group.column("n_requests").to_numpy())
    with registered(con, "measured", pa.table({"family_id": group.column("family_id"), **columns})):
        con.execute(statement("queues/store"), {"day": day})


# --- known data sets ---------------------------------------------------------------------------------------


def read_known_sets(folder: Path | None, key: bytes) -> measures.KnownSets | None:
    """Known data sets from a folder of Parquet or JSON Lines files, one set a file, named after it.

    Items are the column `text`, else `prompt`, in the order of the file. None without a folder. `key` is
    the workspace's.

    Raises
    ------
    UsageError : the folder is missing or holds no such file, or a file cannot be read or has neither column.
    """
    if folder is None:
        return None
    paths = sorted(path for path in folder.glob("*") if path.suffix in {".parquet", ".jsonl"})
    if not paths:
        raise UsageError(
            f"{folder}: no known data sets here",
            remedy="text.known_sets names a folder of .parquet or .jsonl files with a column text or prompt",
        )
    return measures.known_sets(
        [path.stem for path in paths], [_fingerprinted(_texts(path), text.secret_of(key)) for path in paths]
    )


def _texts(path: Path) -> pl.Series:
    try:
        frame = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_ndjson(path)
        names = frame.collect_schema().names()
        column = next((name for name in ("text", "prompt") if name in names), None)
        if column is not None:
            return frame.select(pl.col(column).cast(pl.String).fill_null("")).collect().to_series()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UsageError(
            f"{path}: cannot be read as a known data set ({type(error).__name__})",
            remedy="take it out of the folder text.known_sets, or write it anew",
        ) from None
    raise UsageError(
        f"{path}: has neither a column text nor a column prompt",
        remedy="rename the column that holds the items, or take the file out of the folder text.known_sets",
    )


def _fingerprinted(
    texts: pl.Series, secret: text.Secret
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    flat, lengths = [np.empty(0, np.uint32)], [np.zeros(1, np.int64)]
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        array = pa.array(texts.slice(first, TEXTS_AT_ONCE).to_list(), pa.large_string())
        shingles, starts = lists_of(
            pa.chunked_array([text.fingerprint(measures.padded(array), secret=secret).shingles])
        )
        flat.append(shingles)
        lengths.append(np.diff(starts))
    return np.concatenate(flat), np.cumsum(np.concatenate(lengths))
