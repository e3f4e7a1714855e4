"""JSON records as the canonical query sees them: blocks of texts, each parsed, cast and checked at once.

Here: JSON Lines and other JSON, odd records asked for again. Not here: cutting a file into records (`lines`,
`documents`), the query itself (`canonical`), tables (`records`).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.adapters.beside import with_bodies
from pipelines.adapters.block import Block, Malformed
from pipelines.adapters.blocks import pieces
from pipelines.adapters.canonical import UNREAD, Query, Target, canonical_query
from pipelines.adapters.connection import as_block, ask
from pipelines.adapters.containers import Container, Kind
from pipelines.adapters.documents import document_blocks
from pipelines.adapters.lines import LINES, json_source, line_blocks, mended
from pipelines.adapters.records import Select, in_batches, newest_by
from pipelines.adapters.refusals import NOT_JSON
from pipelines.adapters.refused import Refusals
from pipelines.adapters.source import Source


def json_blocks(
    path: Path, container: Container, source: Source | None, rows: npt.NDArray[np.int64] | None = None
) -> Iterator[Block]:
    """The records of a file of JSON Lines or of other JSON, with the bodies that lie beside it.

    Parameters
    ----------
    rows : the row numbers whose bodies are wanted; None: all
    """
    text = pieces(path, container.compression)
    is_lines = container.kind is Kind.JSON_LINES
    blocks = line_blocks(text) if is_lines else document_blocks(text, str(path))
    if source is None or source.beside is None:
        return blocks
    return with_bodies(blocks, path, source.beside, rows)


class JsonRecords:
    """Blocks of JSON texts, by one query each.

    Lines that DuckDB does not parse are mended where that is possible, and their block asked again.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        fields: Sequence[str],
        blocks: Iterator[Block],
        source: Source | None,
        sample: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """`sample` : some of the records, to tell whether looking for their usual shape first is worth it."""
        self._con = con
        rows = LINES if source is None or source.gathering is None else "FROM block"
        self._foreign = source
        self._source = json_source(fields) if source is None else source.over(rows)
        self._is_usual = source is not None and source.has_odd_shapes and not source.is_odd_as_a_rule(sample)
        self._is_trusted = source is not None and source.gathering is None
        self._newest_by = newest_by(source)
        self._types = dict.fromkeys(fields, "VARCHAR")
        self._blocks = blocks

    def answers(
        self, select: Select, target: Target, batch_rows: int, refusals: Refusals
    ) -> Iterator[pa.RecordBatch]:
        query: Query | None = None
        for block in self._blocks:
            refusals.add_malformed(block.malformed)
            if query is None:
                query = self._query(select, target, block.rows)
                refusals.meanings = query.problems
            answer = self._usual_answer(query, block.rows)
            unread = _unread(answer, block.rows)
            if len(unread):
                lines, malformed = mended(unread)
                refusals.add_malformed(malformed)
                again = self._ask(query, lines) if lines.num_rows else answer.slice(0, 0)
                still = _unread(again, lines)["row_number"].to_pylist() if lines.num_rows else []
                refusals.add_malformed([Malformed(number, NOT_JSON) for number in still])
                answer = _merged(answer, unread, _read(again))
            yield from in_batches(answer, batch_rows)

    def _query(self, select: Select, target: Target, rows: pa.Table) -> Query:
        """The query, made once for all files: of lines of text its types follow from what it asks alone."""
        expressions = select(self._types)
        wanted = (tuple(target.schema), target.required, target.kept_as_written, target.times_within)
        asked = (self._source, tuple(expressions.items()), tuple(target.defaults.items()), wanted)
        if asked not in _QUERIES:
            with as_block(self._con, rows):
                _QUERIES[asked] = canonical_query(
                    self._con, target, expressions, self._source, self._newest_by
                )
        return _QUERIES[asked]

    def _usual_answer(self, query: Query, rows: pa.Table) -> pa.Table:
        """The answer, by way of the usual shapes as long as most records have them."""
        answer = self._first_answer(query, rows)
        if not self._is_usual:
            return answer
        odd = _unread(answer, rows)
        if len(odd) > len(rows) // 2:
            self._is_usual = False
        return _merged(answer, odd, self._ask(query, odd)) if len(odd) else answer

    def _first_answer(self, query: Query, rows: pa.Table) -> pa.Table:
        """The answer, trusting that no line is broken until one was: then never again in this file."""
        if self._foreign is None or not (self._is_usual or self._is_trusted):
            return self._ask(query, rows)
        if self._is_trusted:
            trusting = self._foreign.over(LINES, usual_only=self._is_usual, trusting=True)
            try:
                return ask(self._con, query.over(trusting), rows)
            except duckdb.InvalidInputException:
                self._is_trusted = False
        return ask(self._con, query.over(self._foreign.over(LINES, usual_only=self._is_usual)), rows)

    def _ask(self, query: Query, lines: pa.Table) -> pa.Table:
        return ask(self._con, query.over(self._source), lines)


_QUERIES: dict[tuple[object, ...], Query] = {}
"""Queries over lines, by what they ask: finding their types costs as much as reading some thousand lines."""


def _problems(answer: pa.Table) -> np.ndarray:
    return np.asarray(answer["problems"])


def _unread(answer: pa.Table, rows: pa.Table) -> pa.Table:
    """The lines of `rows` that an answer could not read."""
    is_unread = _problems(answer) == UNREAD
    if not is_unread.any():
        return rows.slice(0, 0)
    # By number, not by place: a line may hold several requests.
    numbers = np.unique(np.asarray(answer["row_number"])[is_unread])
    return rows.take(pa.array(np.searchsorted(np.asarray(rows["row_number"]), numbers)))


def _read(answer: pa.Table) -> pa.Table:
    return answer.filter(pa.array(_problems(answer) != UNREAD))


def _merged(answer: pa.Table, asked: pa.Table, again: pa.Table) -> pa.Table:
    """An answer with `again` in the place of the lines that were asked for again, by row number.

    All requests of such a line make room: of a document that holds several, one alone may have been odd.
    """
    is_kept = ~np.isin(np.asarray(answer["row_number"]), np.asarray(asked["row_number"]))
    both = pa.concat_tables([answer.filter(pa.array(is_kept)), again])
    return both.take(pa.array(np.argsort(np.asarray(both["row_number"]), kind="stable")))
