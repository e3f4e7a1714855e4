"""Which of a scan's logs are edge logs, and the joins that they make.

Here: telling them apart, one `EdgeRows` for each join, what became of it. Not here: the rows (`joining`),
reading files (`adapters`).

A log is an edge log only where the log that it adds to is there as well: alone it is read as a log like any
other, for what it knows. Of a log in two tables (`source.Halves`) the one that names the callers is both: an
edge first, and after all texts a log, for the requests that it alone tells of.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from pipelines.adapters.adapter import Adapter, Sample
from pipelines.adapters.blocks import compression_of, pieces
from pipelines.adapters.canonical import Problem
from pipelines.adapters.join import TEXTS, Join, Joined
from pipelines.adapters.joining import EdgeRows, with_status
from pipelines.adapters.reader import Complete, LogReader
from pipelines.adapters.recognition import fits
from pipelines.adapters.source import Halves, Source
from pipelines.errors import UnreadableInput, UsageError
from pipelines.record import REQUEST_SCHEMA

Formats = Mapping[str, Source | Adapter]


class Edges:
    """The edge logs of one scan or check. A context manager: their temporary files go with it."""

    def __init__(
        self,
        joins: Sequence[Join],
        formats: Formats,
        *,
        folder: Path | None,
        memory_mb: int,
        threads: int,
    ) -> None:
        """For these joins, between formats of these names.

        Raises
        ------
        UsageError : a join names a format that there is not, joins one with itself, stands there twice, or
            makes an edge of what another adds to.
        """
        _require_order(joins, formats)
        asked = tuple(replace(join, halves=_halves(formats, join)) for join in joins)
        unasked = (
            *_of_texts_apart(formats),
            *_of_halves(formats, {one.content for one in asked if one.halves}),
        )
        self._joins = (*asked, *unasked)
        self._formats = formats
        self._options: dict[str, Any] = {"folder": folder, "memory_mb": memory_mb, "threads": threads}
        self._stack = ExitStack()
        self._rows: dict[Join, EdgeRows] = {}
        self._files: dict[Path, list[EdgeRows]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def split(
        self,
        paths: Sequence[Path],
        recognise: Callable[[Path], tuple[str, Sample]],
        given: str | None = None,
    ) -> list[Path]:
        """The logs that are not edges; those that are come from `files`. Which are both come last.

        Parameters
        ----------
        recognise : a file's format, and its first records; what it cannot read stays among the logs, which
            will say why
        given : the format that somebody said the logs are in: of the joins only its own count then

        Raises
        ------
        UsageError : all files that a join adds to, or one that it names, are the edge of another.
        """
        joins = [join for join in self._joins if given is None or _is_within(join, given)]
        if not joins:
            return list(paths)
        of_format: defaultdict[str, list[Path]] = defaultdict(list)
        with_texts: set[Path] = set()
        is_said = given is not None and not any(join.mark or join.is_told_by_records for join in joins)
        for path in paths:
            if given is not None and is_said:
                of_format[given].append(path)
                continue
            try:
                name, sample = recognise(path)
            except (UnreadableInput, OSError):
                continue
            of_format[name].append(path)
            if _has_texts(self._formats[name], sample):
                with_texts.add(path)
        both: set[Path] = set()
        for join in joins:
            contents = [path for path in of_format[join.content] if join.is_content(path)]
            apart = [path for path in of_format[join.edge] if join.is_edge(path)]
            if join.is_told_by_records:
                contents = [path for path in contents if path in with_texts and path not in self._files]
                apart = [path for path in apart if path not in with_texts and path not in self._files]
            if join in self._rows or not (contents or (join.edge_files and apart)):
                continue
            mixed = [
                path for path in contents if join.mark and path not in self._files and _has(path, join.mark)
            ]
            both.update(mixed)
            # Files that were named and are not there are said, by a join in which nothing fits.
            if apart or mixed or join.edge_files:
                rows = EdgeRows(join, **self._options)
                self._rows[join] = self._stack.enter_context(rows)
                for path in (*apart, *mixed) if contents else ():
                    self._files.setdefault(path, []).append(rows)
        self._require_contents(of_format, both)
        is_also_a_log = {
            path for path, edges in self._files.items() if all(rows.join.halves is not None for rows in edges)
        }
        logs = [path for path in paths if path not in self._files or path in both]
        return [*logs, *(path for path in paths if path in is_also_a_log)]

    def _require_contents(self, of_format: Mapping[str, Sequence[Path]], both: Collection[Path]) -> None:
        """Pass when what a join adds to is read as requests: of an edge of another join nobody would."""
        for join in self._rows:
            if join.mark or join.halves is not None:
                continue
            contents = [path for path in of_format[join.content] if join.is_content(path)]
            lost = [path for path in contents if path in self._files and path not in both]
            if lost and (join.content_files or len(lost) == len(contents)):
                self._stack.close()
                raise UsageError(
                    f"input.join: {lost[0]} is the content of one join and the edge of another",
                    remedy=_ONE_PART,
                )

    @property
    def files(self) -> Mapping[Path, Sequence[EdgeRows]]:
        """Each edge log, and where its rows go."""
        return self._files

    def read(self, reader: LogReader) -> Iterator[int]:
        """Read one of `files` through; yields the number of rows that each batch brought.

        Raises
        ------
        UnreadableInput : the file is damaged somewhere; what was read by then stands.
        """
        for batch in reader.batches():
            for rows in self._files[reader.path]:
                rows.add(batch)
            yield len(batch)

    def seal(self) -> None:
        """When all edge logs were read."""
        for rows in self._rows.values():
            rows.seal()

    def adds_to(self, content: str) -> bool:
        """Whether there is an edge for logs of this format, or for some of them."""
        return any(join.content == content for join in self._rows)

    def complete(self, content: str, path: Path) -> Complete | None:
        """What completes a batch of this log, of this format; None where there is no edge for its format."""
        if not self.adds_to(content):
            return None
        told_by = [rows for rows in self._files.get(path, ()) if rows.join.halves is not None]
        edges = [
            rows
            for join, rows in self._rows.items()
            if join.content == content and join.is_content(path) and rows not in told_by
        ]

        def filled(batch: pa.RecordBatch, meanings: Sequence[Problem]) -> pa.RecordBatch:
            for rows in told_by:
                batch = rows.without_told(batch)
            for rows in edges:
                batch = rows.fill(batch, meanings)
            if not edges:
                batch = pa.record_batch(
                    with_status({name: batch.column(name) for name in batch.schema.names})
                )
            return batch

        return filled

    def joined(self) -> tuple[Joined, ...]:
        """What became of each join that both of its logs were there for."""
        return tuple(rows.joined() for rows in self._rows.values())


_ONE_PART = (
    "an edge's rows are no requests, so nothing can be added to them: leave one of the two joins out, or say "
    "which files each means (content_files, edge_files)"
)


def _require_order(joins: Sequence[Join], formats: Formats) -> None:
    """Pass when these joins can stand beside each other, whichever files there are."""
    for at, join in enumerate(joins):
        unknown = [name for name in (join.content, join.edge) if name not in formats]
        if unknown:
            raise UsageError(
                f"input.join: {unknown[0]}: no such log format", remedy="`stillwatch sources` lists them"
            )
        if join.content == join.edge and not join.edge_files and _halves(formats, join) is None:
            raise UsageError(
                f"input.join: {join.edge} is joined with itself",
                remedy="say which files are the edge (edge_files), or give one of the two logs a name of "
                "its own in a mapping file",
            )
        if join in joins[:at]:
            raise UsageError(
                f"input.join: {join.content} is joined with {join.edge} twice in the same way",
                remedy="leave one of the two out",
            )
        for other in joins:
            if other.edge == join.content and other is not join and _takes_all(other, join):
                raise UsageError(
                    f"input.join: {join.content} is the content of one join and the edge of another",
                    remedy=_ONE_PART,
                )


def _takes_all(edge: Join, content: Join) -> bool:
    """Whether every file that the second adds to is of the first one's edge."""
    return edge.edge_files in ("", content.content_files)


def _is_within(join: Join, given: str) -> bool:
    """Whether a join has both its logs where all are said to be of one format."""
    return join.content == given and (bool(join.mark) or join.edge == given)


def _of_texts_apart(formats: Formats) -> Iterator[Join]:
    """The joins of formats whose texts may lie in records of another format; nobody has to ask for them."""
    for name, source in formats.items():
        if isinstance(source, Source) and source.texts_in is not None:
            yield Join(content=name, edge=source.texts_in.format, fills=TEXTS, mark=source.texts_in.mark)


def _of_halves(formats: Formats, asked: Collection[str]) -> Iterator[Join]:
    """The joins of logs in two tables, but for those of which somebody said which files are which."""
    for name, source in formats.items():
        if isinstance(source, Source) and source.halves is not None and name not in asked:
            known = {*source.columns, "account_id"} - {"request_id", "ts"}
            fills = tuple(column for column in REQUEST_SCHEMA.names if column in known)
            yield Join(content=name, edge=name, fills=fills, halves=source.halves)


def _halves(formats: Formats, join: Join) -> Halves | None:
    """The two tables that a join is of, where it is of the two tables of one log."""
    source = formats[join.edge]
    return source.halves if isinstance(source, Source) and join.content == join.edge else None


def _has_texts(source: Source | Adapter, sample: Sample) -> bool:
    """Whether a file holds the table with texts, as far as its first records say."""
    halves = source.halves if isinstance(source, Source) else None
    return halves is None or fits(halves.texts_told_by, sample)


def _has(path: Path, mark: bytes) -> bool:
    """Whether a file has this somewhere; what cannot be read to its end is said when it is read as a log."""
    tail = b""
    try:
        with path.open("rb") as file:
            head = file.read(16)
        for piece in pieces(path, compression_of(head)):
            if mark in piece or mark in tail + piece[: len(mark)]:
                return True
            tail = piece[-len(mark) :]
    except (OSError, UnreadableInput):
        pass
    return False
