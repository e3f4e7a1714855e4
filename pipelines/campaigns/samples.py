"""Bounded samples of groups' requests, however many groups there are and however they overlap.

Here: reading the night's requests once for all groups, and choosing each group's from them. Not here: what is
measured on a sample (slots, turns).

Of a group whole accounts are taken, in the order of a hash, until its share is used up, and of an account a
bounded number of requests. Groups overlap, so that an account's requests are fetched once and chosen often.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.campaigns.asked import Asked
from pipelines.warehouse.arrow import array_of, fetch, registered
from pipelines.warehouse.statements import statement

GROUP_ROWS, ACCOUNT_ROWS = 2_000, 100
"""Requests of one group, and of one of its accounts, that are looked at: enough for an error of a likeness
of one in a hundred."""

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of accounts, one row for each family they follow, by account; of an account, those that a
    sample takes first come first.

    account, family : int32, shape (n,); row_id, sent_at_us : int64; item : uint64, equal for equal prompts
    has_item : bool: the prompt is known; is_first : bool: no retry
    starts : int64, shape (n_accounts + 1,): where each account's rows begin
    """

    account: Int32
    family: Int32
    row_id: Int64
    item: npt.NDArray[np.uint64]
    has_item: Bool
    sent_at_us: Int64
    is_first: Bool
    starts: Int64

    @classmethod
    def of(cls, rows: pa.Table, n_accounts: int) -> "Requests":
        """From a query's rows, in their order."""
        account = array_of(rows, "account").astype(np.int32)
        return cls(
            account=account,
            family=array_of(rows, "family").astype(np.int32),
            row_id=array_of(rows, "row_id").astype(np.int64),
            item=np.array(rows.column("item").fill_null(0)).astype(np.uint64),
            has_item=np.array(rows.column("item").is_valid()),
            sent_at_us=array_of(rows, "sent_at_us").astype(np.int64),
            is_first=array_of(rows, "is_first").astype(np.bool_),
            starts=np.searchsorted(account, np.arange(n_accounts + 1)),
        )

    def by_item(self) -> "Requests":
        """The same rows; of an account, those with the smallest hashes of prompts come first, so that samples
        of two accounts hold the same prompts where they sent the same. Rows without a prompt are gone."""
        # A stable sort: of a request's rows the one of its first family stays the first.
        order = np.lexsort((self.row_id, self.sent_at_us, self.item, self.account))
        return self.at(order[self.has_item[order]])

    def first_attempts(self) -> "Requests":
        """The rows that are no retries."""
        return self.at(np.flatnonzero(self.is_first))

    def at(self, rows: Int64) -> "Requests":
        """Some rows, in this order, which keeps accounts in theirs."""
        account = self.account[rows]
        return Requests(
            account=account,
            family=self.family[rows],
            row_id=self.row_id[rows],
            item=self.item[rows],
            has_item=self.has_item[rows],
            sent_at_us=self.sent_at_us[rows],
            is_first=self.is_first[rows],
            starts=np.searchsorted(account, np.arange(len(self.starts))),
        )

    def chosen(self, accounts: Int32, families: Int32 | None = None) -> Int64:
        """Positions of a group's sample, ascending.

        accounts : ascending, so in the order in which they are taken
        families : that the requests follow; None: any
        """
        n = self.starts[accounts + 1] - self.starts[accounts]
        rows = np.arange(n.sum()) + np.repeat(self.starts[accounts] - (np.cumsum(n) - n), n)
        if families is not None:
            rows = rows[np.isin(self.family[rows], families)]
        # A request that follows two of the families is one: its rows lie side by side.
        rows = rows[np.diff(self.row_id[rows], prepend=-1) != 0]
        _, first, n_of = np.unique(self.account[rows], return_index=True, return_counts=True)
        rows = rows[np.arange(len(rows)) - np.repeat(first, n_of) < ACCOUNT_ROWS]
        n_of = np.minimum(n_of, ACCOUNT_ROWS)
        n_taken = int(n_of[np.cumsum(n_of) - n_of < GROUP_ROWS].sum())
        return np.asarray(rows[:n_taken])


@dataclass(frozen=True, slots=True)
class Samples:
    """Groups, and the requests that their samples are chosen from.

    members, families : int32, ascending, of each group; numbers of accounts and families
    family_ids : of all groups
    templated : the members' requests that follow the families
    account_ids : of all groups, in the order of their numbers
    """

    members: list[Int32]
    families: list[Int32]
    family_ids: list[str]
    templated: Requests
    account_ids: pa.ChunkedArray

    def __len__(self) -> int:
        return len(self.members)


def gather_samples(con: duckdb.DuckDBPyConnection, day: date, groups: Sequence[Asked]) -> Samples:
    """What samples of these groups are chosen from; groups keep their order.

    Needs the temporary tables `tonight_family_request` and `tonight_system_family` that `find_night_families`
    leaves.
    """
    members, account_ids = _members(con, groups)
    family_ids = sorted({family_id for group in groups for family_id in group.family_ids})
    number = {family_id: at for at, family_id in enumerate(family_ids)}
    families = [
        np.array(sorted(number[family_id] for family_id in group.family_ids), np.int32) for group in groups
    ]
    accounts = pa.table({"account": np.arange(len(account_ids), dtype=np.int32), "account_id": account_ids})
    with registered(con, "asked_account", accounts), registered(con, "asked_family", numbered(family_ids)):
        rows = fetch(con, statement("campaigns/templated"), {"day": day, "account_rows": ACCOUNT_ROWS})
    return Samples(members, families, family_ids, Requests.of(rows, len(accounts)), account_ids)


def _members(con: duckdb.DuckDBPyConnection, groups: Sequence[Asked]) -> tuple[list[Int32], pa.ChunkedArray]:
    """Numbers of each group's accounts, ascending, and the ids of all: numbered by a hash of the id."""
    entries = pa.array([name for group in groups for name in group.account_ids], pa.string())
    encoded = entries.dictionary_encode()
    names = pa.table({"account_id": encoded.dictionary, "entry": np.arange(len(encoded.dictionary))})
    with registered(con, "names", names):
        ranked = fetch(con, "SELECT account_id, entry FROM names ORDER BY hash(account_id), account_id")
    number = np.empty(len(names), np.int32)
    number[array_of(ranked, "entry")] = np.arange(len(names), dtype=np.int32)
    of_entry = number[np.array(encoded.indices)]
    starts = np.cumsum([0] + [len(group.account_ids) for group in groups])
    return [np.sort(of_entry[first:after]) for first, after in pairwise(starts)], ranked["account_id"]


def numbered(family_ids: Sequence[str]) -> pa.Table:
    """Families with their numbers."""
    return pa.table(
        {
            "family": np.arange(len(family_ids), dtype=np.int32),
            "family_id": pa.array(family_ids, pa.string()),
        }
    )


def whatever_they_sent(
    con: duckdb.DuckDBPyConnection, day: date, samples: Samples, groups: Int64
) -> Requests:
    """Requests of these groups' first accounts, whatever they follow, by the same numbers of accounts."""
    wanted = np.unique(
        np.concatenate([np.empty(0, np.int32), *(samples.members[at][:GROUP_ROWS] for at in groups)])
    )
    accounts = pa.table({"account": wanted, "account_id": samples.account_ids.take(pa.array(wanted))})
    with registered(con, "asked_account", accounts):
        rows = fetch(con, statement("campaigns/untemplated"), {"day": day, "account_rows": ACCOUNT_ROWS})
    return Requests.of(rows, len(samples.account_ids))
