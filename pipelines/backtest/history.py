"""Past nights as they were judged, in memory: candidates, their accounts and evidence, what was flagged.

Here: reading the warehouse into arrays. Not here: judging anew (replay), comparing (comparison).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_matrix

from detector.campaigns import Evidence
from pipelines.warehouse.arrow import array_of, fetch, in_one_piece
from pipelines.warehouse.statements import statement

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A campaign as a night's scan published it."""

    campaign_id: str
    confidence: str
    recommended_action: str
    accounts: Int64
    """numbers of its accounts"""


@dataclass(frozen=True, slots=True)
class Night:
    """One night as it was judged."""

    day: date
    candidates: range
    """numbers of its candidates"""
    has_pieces: bool
    """whether the evidence of all of them was kept; it was not by scans of earlier versions"""
    campaigns: tuple[Recorded, ...]
    alone: Int64
    """numbers of lone accounts flagged"""


class Pieces:
    """The evidence of the candidates of the nights that were asked for.

    Kept as columns: a year holds millions of pieces, of which one night's are looked at at a time.
    """

    def __init__(self, table: pa.Table, n_candidates: int) -> None:
        """From the rows of backtest/pieces, in its order."""
        candidate = array_of(table, "candidate")
        self._starts = np.searchsorted(candidate, np.arange(n_candidates + 1)).tolist()
        self._words = [_words(table.column(name)) for name in ("family", "code", "usual_range")]
        self._value, self._log_odds = array_of(table, "value"), array_of(table, "log_odds")

    def of(self, candidate: int) -> list[Evidence]:
        """In the order of weighing, without what codes mean in words, which a verdict does not need."""
        rows = slice(self._starts[candidate], self._starts[candidate + 1])
        family, code, usual_range = (
            [names[at] for at in numbers[rows].tolist()] for names, numbers in self._words
        )
        measured = zip(
            family, code, self._value[rows].tolist(), usual_range, self._log_odds[rows].tolist(), strict=True
        )
        return [Evidence(f, c, "", value, usual, points) for f, c, value, usual, points in measured]


def _words(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[Any]]:
    """Distinct words, and which of them stands in each row."""
    coded = in_one_piece(column).dictionary_encode()
    return coded.dictionary.to_pylist(), np.array(coded.indices)


@dataclass(frozen=True, slots=True)
class History:
    """Nights, oldest first; candidates and accounts have numbers from 0 on."""

    nights: tuple[Night, ...]
    candidate_id: Int64
    """of each candidate, within its night"""
    log_odds: Float64
    n_nights: Int64
    """on which each was judged, with its own"""
    earlier_log_odds: Float64
    """their sum over the nights before"""
    flagged: Bool
    has_content: Bool
    members: csr_matrix
    """shape (n_candidates, n_accounts): 1 where the account is in the candidate"""
    number_of: dict[str, int] = field(repr=False)
    """account_id -> number"""
    pieces: Pieces = field(repr=False)
    cleared: Int64 = field(repr=False)
    """numbers of accounts that a person has cleared"""
    labelled: Int64 = field(repr=False)
    """numbers of accounts that a label speaks against"""

    def accounts(self, candidate: int) -> Int64:
        """Numbers of a candidate's accounts."""
        return np.asarray(
            self.members.indices[self.members.indptr[candidate] : self.members.indptr[candidate + 1]]
        )


def read_history(con: duckdb.DuckDBPyConnection, since: date, until: date) -> History:
    """All nights up to `until`; pieces of evidence of those from `since` on."""
    bounds = {"until": until}
    days = [row[0] for row in con.execute(statement("backtest/nights"), bounds).fetchall()]
    candidates = fetch(con, statement("backtest/candidates"), bounds)
    members = fetch(con, statement("backtest/members"), bounds)
    flagged = fetch(con, statement("backtest/flagged"), bounds)
    ids = pa.chunked_array([in_one_piece(t.column("account_id")) for t in (members, flagged)])
    coded = in_one_piece(ids.dictionary_encode())
    numbers = np.array(coded.indices, dtype=np.int64)
    n_candidates, n_accounts = len(candidates), len(coded.dictionary)
    belongs = csr_matrix(
        (np.ones(len(members), np.int64), (array_of(members, "candidate"), numbers[: len(members)])),
        shape=(n_candidates, n_accounts),
    )
    has_content = candidates.column("has_content")
    number_of = {name: number for number, name in enumerate(coded.dictionary.to_pylist())}
    cleared = (row[0] for row in con.execute("SELECT account_id FROM core.cleared").fetchall())
    labelled = (row[0] for row in con.execute("SELECT account_id FROM core.labelled").fetchall())
    return History(
        nights=_nights(days, candidates, flagged, numbers[len(members) :]),
        candidate_id=array_of(candidates, "candidate_id").astype(np.int64),
        log_odds=array_of(candidates, "evidence"),
        n_nights=array_of(candidates, "n_nights").astype(np.int64),
        earlier_log_odds=array_of(candidates, "earlier_evidence"),
        flagged=_booleans(candidates.column("flagged")),
        has_content=_booleans(has_content.fill_null(False)),
        members=belongs,
        number_of=number_of,
        pieces=Pieces(
            fetch(con, statement("backtest/pieces"), {"since": since, "until": until}), n_candidates
        ),
        cleared=np.array([number_of[name] for name in cleared if name in number_of], np.int64),
        labelled=np.array([number_of[name] for name in labelled if name in number_of], np.int64),
    )


def _booleans(column: pa.ChunkedArray) -> Bool:
    return np.asarray(in_one_piece(column).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _nights(
    days: Sequence[date], candidates: pa.Table, flagged: pa.Table, numbers: Int64
) -> tuple[Night, ...]:
    n_of_night = Counter(candidates.column("day").to_pylist())
    first = np.cumsum([0, *(n_of_night[day] for day in days)]).tolist()
    unkept = set(candidates.filter(candidates.column("has_content").is_null()).column("day").to_pylist())
    alone: defaultdict[date, list[int]] = defaultdict(list)
    accounts: defaultdict[tuple[date, str, str, str], list[int]] = defaultdict(list)
    columns = (flagged.column(name).to_pylist() for name in _CAMPAIGN)
    for number, (day, campaign_id, confidence, action) in zip(
        numbers.tolist(), zip(*columns, strict=True), strict=True
    ):
        if campaign_id is None:
            alone[day].append(number)
        else:
            accounts[day, campaign_id, confidence, action].append(number)
    recorded: defaultdict[date, list[Recorded]] = defaultdict(list)
    for (day, campaign_id, confidence, action), held in accounts.items():
        recorded[day].append(Recorded(campaign_id, confidence, action, np.array(held, np.int64)))
    return tuple(
        Night(
            day=day,
            candidates=range(start, end),
            has_pieces=day not in unkept,
            campaigns=tuple(recorded[day]),
            alone=np.array(alone[day], np.int64),
        )
        for day, (start, end) in zip(days, pairwise(first), strict=True)
    )


_CAMPAIGN = ("day", "campaign_id", "confidence", "recommended_action")
