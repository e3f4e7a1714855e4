"""An edge log joined to a content log of the same calls, by an id that both wrote down.

Here: the rows of the edge, kept on disk and found by id, and what they fill of a batch of requests. Not
here: which files are which (`edges`), reading them (`reader`).

Whatever the edge's size, memory holds two numbers and one bit a row of it: the rows lie sorted in a file that
is mapped, and a batch looks up its ids by bisection. A join of each batch with the whole edge would read the
edge once a batch.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.adapters.adapter import quoted
from pipelines.adapters.canonical import PASSED_OVER, Problem
from pipelines.adapters.join import Join, Joined, labelled
from pipelines.adapters.refusals import MISSING
from pipelines.record import REQUEST_SCHEMA
from pipelines.warehouse.arrow import in_one_piece, registered

DEFAULT_STATUS = 200
"""Of a request of which neither log has a status."""

_ROWS_PER_PIECE = 122_880


class EdgeRows:
    """All rows of an edge log, found by id. A context manager: what it keeps on disk goes with it.

    First `add` everything, then `seal` once, then `fill` as often as there are batches.
    """

    def __init__(self, join: Join, *, folder: Path | None, memory_mb: int, threads: int) -> None:
        """Nothing is kept yet; temporary files go into `folder`, or to the system's place for them."""
        self.join = join
        self._schema = pa.schema([REQUEST_SCHEMA.field(name) for name in join.columns])
        self._place = tempfile.TemporaryDirectory(prefix=".edge-", dir=folder)
        self._con = duckdb.connect(str(Path(self._place.name, "edge.duckdb")))
        self._con.execute(f"SET memory_limit = '{int(memory_mb)}MB'")
        self._con.execute(f"SET threads = {int(threads)}")
        self._con.execute("SET preserve_insertion_order = false")
        columns = ", ".join(
            f"{quoted(name)} {_SQL[REQUEST_SCHEMA.field(name).type]}" for name in join.columns
        )
        self._con.execute(f"CREATE TABLE edge (upper UBIGINT, lower UBIGINT, place BIGINT, {columns})")
        self._n_edge = self._n_without_id = self._n_repeated = self._n_matched = self._n_alone = 0
        self._upper: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._lower = self._upper
        self._is_used = np.zeros(0, np.bool_)
        self._pieces: list[pa.RecordBatch] = []
        self._starts = np.zeros(1, np.int64)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pieces.clear()
        self._con.close()
        self._place.cleanup()

    @property
    def columns(self) -> list[str]:
        """Canonical columns that are wanted of the edge log."""
        return list(dict.fromkeys([self.join.edge_by, *self.join.columns]))

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep some rows of the edge: `columns`, in the order of the log."""
        names = ", ".join(map(quoted, self.join.columns))
        by = quoted(self.join.edge_by)
        place = pa.array(np.arange(self._n_edge, self._n_edge + len(batch)))
        with registered(self._con, "batch", pa.Table.from_batches([batch]).append_column("place", place)):
            self._con.execute(
                f"""INSERT INTO edge SELECT md5_number_upper({by}), md5_number_lower({by}), place, {names}
                    FROM batch WHERE {by} <> ''"""
            )
        self._n_edge += len(batch)

    def seal(self) -> None:
        """Put the rows in order, the first of each id alone."""
        (n_kept,) = self._con.execute("SELECT count(*) FROM edge").fetchall()[0]
        self._n_without_id = self._n_edge - n_kept
        names = ", ".join(map(quoted, self.join.columns))
        ordered = self._con.sql(f"SELECT upper, lower, {names} FROM edge ORDER BY upper, lower, place")
        path = Path(self._place.name, "rows.arrow")
        uppers, lowers = [self._upper], [self._lower]
        last: tuple[int, int] | None = None
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, self._schema) as writer:
            for batch in ordered.to_arrow_reader(_ROWS_PER_PIECE):
                upper, lower = (np.asarray(batch.column(name)) for name in ("upper", "lower"))
                is_first = _is_first(upper, lower, last)
                last = (int(upper[-1]), int(lower[-1])) if len(upper) else last
                uppers.append(upper[is_first])
                lowers.append(lower[is_first])
                self._n_repeated += int((~is_first).sum())
                rows = batch.select(self._schema.names).filter(pa.array(is_first))
                writer.write_batch(rows.cast(self._schema))
        self._con.execute("DROP TABLE edge")
        self._upper, self._lower = np.concatenate(uppers), np.concatenate(lowers)
        self._is_used = np.zeros(len(self._upper), np.bool_)
        kept = pa.ipc.open_file(pa.memory_map(str(path)))
        self._pieces = [kept.get_batch(at) for at in range(kept.num_record_batches)]
        self._starts = np.cumsum([0, *map(len, self._pieces)])

    def fill(self, batch: pa.RecordBatch, meanings: Sequence[Problem]) -> pa.RecordBatch:
        """A batch of the canonical query's answer, with what the edge knows where the content log has
        nothing.

        Parameters
        ----------
        batch : canonical columns, whatever of them was asked for, and `problems`
        meanings : what each bit of `problems` means: who has no account but by the edge is not refused
        """
        is_request = np.asarray(batch.column("problems")) >= 0
        places = self._places(batch.column(self.join.by), is_request)
        found = places >= 0
        self._is_used[places[found]] = True
        self._n_matched += int(found.sum())
        self._n_alone += int((is_request & ~found).sum())
        columns = {name: batch.column(name) for name in batch.schema.names}
        edge = self._rows_at(places)
        for name in self.join.columns:
            if name in columns:
                own = columns[name].cast(self._schema.field(name).type)
                if name == "body_state":
                    own = pc.if_else(pc.equal(own, "absent"), None, own)
                theirs = in_one_piece(edge[name])
                knows_better = self.join.halves is not None and name in self.join.halves.known_better
                columns[name] = pc.coalesce(theirs, own) if knows_better else pc.coalesce(own, theirs)
        if "body_state" in self.join.columns and "body_state" in columns:
            columns["body_state"] = columns["body_state"].fill_null("absent")
        columns = with_status(columns)
        if "account_id" in columns:
            columns["problems"] = _without_missing_account(columns, meanings)
        return pa.record_batch(columns)

    def without_told(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch of the edge itself, read as a log: rows that a request has found are passed over."""
        problems = np.asarray(batch.column("problems"))
        places = self._places(batch.column(self.join.edge_by), problems >= 0)
        is_told = places >= 0
        is_told[is_told] = self._is_used[places[is_told]]
        at = batch.schema.get_field_index("problems")
        return batch.set_column(at, "problems", pa.array(np.where(is_told, PASSED_OVER, problems)))

    def joined(self) -> Joined:
        """What became of it so far."""
        halves = self.join.halves
        return Joined(
            content=labelled(self.join.content, self.join.content_files or (halves.texts if halves else "")),
            edge=labelled(self.join.edge, self.join.edge_files or (halves.callers if halves else "")),
            by=self.join.by,
            edge_by=self.join.edge_by,
            n_matched=self._n_matched,
            n_alone=self._n_alone,
            n_edge=self._n_edge,
            n_unused=int((~self._is_used).sum()),
            n_repeated=self._n_repeated,
            n_without_id=self._n_without_id,
        )

    def _places(self, ids: pa.Array, is_request: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Place of each id among the rows; -1 where it has none."""
        asked = pa.table({"id": ids.cast(pa.string()), "place": np.arange(len(ids))})
        with registered(self._con, "ids", asked):
            answer = self._con.sql(
                """SELECT coalesce(md5_number_upper(id), 0) AS upper,
                          coalesce(md5_number_lower(id), 0) AS lower,
                          coalesce(id <> '', false) AS is_there
                   FROM ids ORDER BY place"""
            ).to_arrow_table()
        upper, lower, is_there = (np.asarray(answer[name]) for name in ("upper", "lower", "is_there"))
        places = np.searchsorted(self._upper, upper)
        inside = np.minimum(places, max(len(self._upper) - 1, 0))
        if len(self._upper) == 0:
            return np.full(len(upper), -1)
        same = (self._upper[inside] == upper) & (self._lower[inside] == lower) & is_there & is_request
        return np.where(same, inside, -1)

    def _rows_at(self, places: npt.NDArray[np.int64]) -> pa.Table:
        """The rows at these places, null where there is none."""
        order = np.argsort(places, kind="stable")
        wanted = places[order]
        ends = np.searchsorted(wanted, self._starts)  # of each piece, where its places begin
        nothing = pa.nulls(int(ends[0]) if len(ends) else len(wanted))
        parts = [pa.table({name: nothing.cast(self._schema.field(name).type) for name in self._schema.names})]
        for at, piece in enumerate(self._pieces):
            of_it = wanted[ends[at] : ends[at + 1]] - self._starts[at]
            if len(of_it):
                parts.append(pa.Table.from_batches([piece.take(pa.array(of_it))]))
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_tables(parts).combine_chunks().take(pa.array(back))


def with_status(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The columns with a status where there is none yet."""
    if "status" not in columns:
        return columns
    return columns | {"status": columns["status"].cast(pa.int32()).fill_null(DEFAULT_STATUS)}


_SQL = {
    pa.string(): "VARCHAR",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.float64(): "DOUBLE",
    pa.list_(pa.string()): "VARCHAR[]",
}


def _is_first(
    upper: npt.NDArray[np.uint64], lower: npt.NDArray[np.uint64], last: tuple[int, int] | None
) -> npt.NDArray[np.bool_]:
    """Which rows of a sorted piece begin a new id, after the last id of the piece before."""
    is_first = np.ones(len(upper), np.bool_)
    is_first[1:] = (upper[1:] != upper[:-1]) | (lower[1:] != lower[:-1])
    if last is not None and len(upper):
        is_first[0] = (int(upper[0]), int(lower[0])) != last
    return is_first


def _without_missing_account(columns: dict[str, pa.Array], meanings: Sequence[Problem]) -> pa.Array:
    """The problems without that of a missing account, where there is one now."""
    problems = np.asarray(columns["problems"])
    missing = Problem("account_id", MISSING)
    if missing not in meanings:
        return columns["problems"]
    bit = 1 << meanings.index(missing)
    has_account = np.asarray(pc.fill_null(pc.not_equal(columns["account_id"], ""), False))
    return pa.array(np.where((problems >= 0) & has_account, problems & ~bit, problems))
