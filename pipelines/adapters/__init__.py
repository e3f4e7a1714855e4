"""How logs get in: LOGS arguments, files, format detection, canonical Arrow batches, refusals.

Here: the one door to all of it. Our own format is an `Adapter` (`stillwatch`); those of gateways and
providers are declared, one module each, in `sources`. Not here: the accounts file (`pipelines.accounts`),
loading into the warehouse.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from pipelines.adapters.adapter import Adapter, Sample
from pipelines.adapters.block import Block
from pipelines.adapters.canonical import FIRST_US, LAST_US, Target
from pipelines.adapters.connection import connect
from pipelines.adapters.containers import Container, Kind, look
from pipelines.adapters.edges import Edges
from pipelines.adapters.join import Join, Joined
from pipelines.adapters.logs import find_logs, log_files
from pipelines.adapters.mapping import is_mapping, read_mapping
from pipelines.adapters.mapping_paths import not_found, require_needed
from pipelines.adapters.reader import Complete, LogReader
from pipelines.adapters.recognition import (
    fields_seen,
    names_known_to,
    not_understood,
    reads_something,
    recognises,
    separator_seen,
)
from pipelines.adapters.records import Answered
from pipelines.adapters.refused import REFUSED_SCHEMA
from pipelines.adapters.source import Level, Source, with_account
from pipelines.adapters.sources import SOURCES
from pipelines.adapters.stillwatch import STILLWATCH
from pipelines.adapters.together import Opened, answer_together, gone, read_together
from pipelines.errors import UnreadableInput, UsageError
from pipelines.record import REQUEST_SCHEMA, REQUIRED

__all__ = [
    "FORMATS",
    "REFUSED_SCHEMA",
    "SOURCES",
    "Adapter",
    "Edges",
    "Formats",
    "Join",
    "Joined",
    "Level",
    "LogReader",
    "Sample",
    "Source",
    "detect_format",
    "edges_among",
    "find_logs",
    "log_files",
    "named",
    "open_edge_logs",
    "open_log",
    "open_logs",
    "with_mappings",
]

FORMATS: Mapping[str, Source | Adapter] = MappingProxyType({**SOURCES, STILLWATCH.name: STILLWATCH})
"""Every log format, most particular first: the first that recognises a file reads it. Our own comes last, for
others have columns `ts` and `account_id` too."""

Formats = Mapping[str, Source | Adapter]


def with_mappings(mappings: Sequence[Path]) -> Formats:
    """All formats, those that mapping files declare before all others.

    Raises
    ------
    UsageError : a file declares what cannot be followed, or a name that is taken.
    """
    own: dict[str, Source | Adapter] = {}
    for path in mappings:
        source = read_mapping(path)
        taken = own.get(source.name) or FORMATS.get(source.name)
        if taken is not None and taken is not source:
            raise UsageError(f"{path}, name: {source.name} is taken", remedy="choose another name")
        own[source.name] = source
    return {**own, **FORMATS} if own else FORMATS


def named(log_format: str, mappings: Sequence[Path]) -> tuple[str, tuple[Path, ...]]:
    """What `--format` means: the name of a format, and the mapping files with the one it may have been.

    Raises
    ------
    UsageError : it is a mapping file that cannot be followed.
    """
    if not is_mapping(log_format):
        return log_format, tuple(mappings)
    path = Path(log_format)
    others = [one for one in mappings if one.resolve() != path.resolve()]
    return read_mapping(path).name, (path, *others)


_REQUESTS = Target(
    schema=REQUEST_SCHEMA,
    required=REQUIRED,
    kept_as_written=frozenset({"prompt", "system_prompt", "response", *REQUIRED}),
    defaults={"status": "200", "sample_rate": "1.0"},
    times_within=(FIRST_US, LAST_US),
)


def detect_format(path: Path) -> str:
    """Name of the format a file is in, judged by its content; an empty file is an empty log.

    Raises
    ------
    UnreadableInput : the file cannot be read, or no format fits it.
    """
    return _recognised(path, look(path))


def open_log(
    path: Path,
    *,
    format: str = "auto",  # noqa: A002  the command's own word
    batch_rows: int,
    threads: int,
    columns: Collection[str] | None = None,
    rows: Sequence[int] | None = None,
    account: Sequence[Level] = (),
    formats: Formats = FORMATS,
) -> LogReader:
    """A reader of one log file. Its batches hold at most `batch_rows` rows.

    Parameters
    ----------
    columns : the canonical columns that are wanted; None: all. What is not wanted is not checked either.
    rows : the row numbers that are wanted, ascending; None: all. Of Parquet no more is unpacked than holds
        them, of other files nothing is read beyond the last.
    account : identity levels that stand for the account, the first that a record has; empty: the format's
    own.
    formats : those that are known (`with_mappings`)

    Raises
    ------
    UnreadableInput : the file cannot be read at all, or no format fits it.
    UsageError : there is no format of this name.
    """
    require_format(format, formats)
    container = look(path)
    name = _format_of(path, container, format, formats)
    target = _REQUESTS if columns is None else replace(_REQUESTS, schema=_only(columns))
    return _reader(path, container, formats[name], target, batch_rows, threads, rows=rows, account=account)


def open_logs(
    paths: Sequence[Path],
    *,
    format: str = "auto",  # noqa: A002  the command's own word
    batch_rows: int,
    threads: int,
    account: Sequence[Level] = (),
    formats: Formats = FORMATS,
    edges: Edges | None = None,
) -> Iterator[tuple[Path, Opened]]:
    """A reader of each file in turn, or why it cannot be read; small files of JSON are read many at a time.

    One object a request is how logging callbacks write to object stores: planning a query takes a hundred
    times as long as reading such a file. Parameters as for `open_log`; close each reader before the next.

    Parameters
    ----------
    edges : edge logs, read and sealed, that add to these logs

    Raises
    ------
    UsageError : there is no format of this name.
    """
    require_format(format, formats)

    def answer(name: str, parts: Sequence[Block]) -> list[Answered]:
        adapter, source = formats[name], _source(formats[name])
        with connect(threads) as con:
            return answer_together(
                con,
                parts,
                target=_target(is_added_to=edges is not None and edges.adds_to(name)),
                fields=adapter.fields,
                select=lambda present: _expressions(adapter, present, account),
                source=source,
            )

    return read_together(
        paths,
        recognise=lambda path, container: _format_of(path, container, format, formats),
        source=lambda name: _source(formats[name]),
        answer=answer,
        reader=lambda path, container, name, answered: _reader(
            path,
            container,
            formats[name],
            _target(is_added_to=edges is not None and edges.adds_to(name)),
            batch_rows,
            threads,
            account=account,
            answered=answered,
            complete=edges.complete(name, path) if edges else None,
        ),
    )


def _reader(
    path: Path,
    container: Container,
    adapter: Source | Adapter,
    target: Target,
    batch_rows: int,
    threads: int,
    *,
    rows: Sequence[int] | None = None,
    account: Sequence[Level] = (),
    answered: Answered | None = None,
    complete: Complete | None = None,
) -> LogReader:
    reader = LogReader(
        path,
        container,
        target=target,
        fields=adapter.fields,
        select=lambda present: _expressions(adapter, present, account),
        batch_rows=batch_rows,
        threads=threads,
        rows=rows,
        source=_source(adapter),
        answered=answered,
        complete=complete,
    )
    reader.format = adapter.name
    if isinstance(adapter, Source):
        reader.not_found = not_found(adapter, container.sample)
        reader.not_understood = not_understood(adapter, container.sample)
    return reader


def _source(adapter: Adapter | Source) -> Source | None:
    return adapter if isinstance(adapter, Source) else None


def edges_among(
    paths: Sequence[Path],
    joins: Sequence[Join],
    *,
    format: str = "auto",  # noqa: A002  the command's own word
    formats: Formats = FORMATS,
    folder: Path | None = None,
    memory_mb: int,
    threads: int,
) -> tuple[list[Path], Edges]:
    """The logs without those that are edges to others among them, and those. Close the edges in the end.

    Parameters
    ----------
    format : where the logs' format is given, none of them is an edge, unless it holds texts of that format or
        a join names it as the edge by its place
    folder : for temporary files; None: the system's place

    Raises
    ------
    UsageError : a join names a format that there is not, or the joins contradict each other.
    """
    edges = Edges(joins, formats, folder=folder, memory_mb=memory_mb, threads=threads)
    given = None if format == "auto" else format

    def recognise(path: Path) -> tuple[str, Sample]:
        container = look(path)
        return _recognised(path, container, formats), container.sample

    return edges.split(paths, recognise, given), edges


def open_edge_logs(
    edges: Edges,
    *,
    batch_rows: int,
    threads: int,
    account: Sequence[Level] = (),
    formats: Formats = FORMATS,
) -> Iterator[tuple[Path, Opened]]:
    """A reader of each edge log in turn, or why it cannot be read; hand each on to `Edges.read`."""
    for path, rows in edges.files.items():
        wanted = {name for one in rows for name in one.columns}
        target = replace(_REQUESTS, schema=_only(wanted), required=(), defaults={})
        try:
            adapter = formats[rows[0].join.edge]
            if isinstance(adapter, Source) and any(one.join.halves is not None for one in rows):
                # A row that alone would be no request may belong to one that the table with texts has.
                adapter = replace(adapter, is_request="true")
            yield path, _reader(path, look(path), adapter, target, batch_rows, threads, account=account)
        except UnreadableInput as error:
            yield path, error
        except OSError as error:  # gone since it was listed
            yield path, gone(path, error)


def _target(*, is_added_to: bool) -> Target:
    """What requests must be; the status of those that an edge adds to is not known yet."""
    if not is_added_to:
        return _REQUESTS
    return replace(_REQUESTS, defaults={k: v for k, v in _REQUESTS.defaults.items() if k != "status"})


def _expressions(
    adapter: Source | Adapter, present: Mapping[str, str], account: Sequence[Level]
) -> Mapping[str, str]:
    if isinstance(adapter, Source):
        return adapter.expressions(account)
    own = adapter.select(present)
    return with_account(own, account) if account else own


def _only(columns: Collection[str]) -> pa.Schema:
    return pa.schema([field for field in REQUEST_SCHEMA if field.name in columns])


def require_format(name: str, formats: Formats = FORMATS) -> None:
    """Pass when `name` is a format or `auto`.

    Raises
    ------
    UsageError : there is no such format.
    """
    if name != "auto" and name not in formats:
        raise UsageError(
            f"{name}: no such log format",
            remedy=f"use auto, a mapping file, or one of: {', '.join(formats)}",
        )


def _format_of(path: Path, container: Container, asked: str, formats: Formats) -> str:
    """The name of a file's format, as it was asked for or by what the file holds."""
    name = _recognised(path, container, formats) if asked == "auto" else asked
    adapter = formats[name]
    if isinstance(adapter, Source) and container.kind is not Kind.EMPTY:
        require_needed(adapter, path, container, formats.values())
        if asked != "auto" and not reads_something(adapter, container.sample):
            raise UnreadableInput(
                f"{path}: nothing that {name} logs have is in the first records; their fields are "
                f"{fields_seen(container, names_known_to(formats.values()))}",
                remedy="leave --format out, and each file is told by its records; joins of other formats "
                "hold then, too",
            )
    return name


def _recognised(path: Path, container: Container, formats: Formats = FORMATS) -> str:
    if container.kind is Kind.EMPTY:
        return STILLWATCH.name
    for name, adapter in formats.items():
        sample = container.sample
        if recognises(adapter, sample) if isinstance(adapter, Source) else adapter.recognises(sample):
            return name
    known = names_known_to(formats.values())
    separator = separator_seen(container, known)
    if separator is not None:
        raise UnreadableInput(
            f"{path}: csv records of no known format; their columns are separated by {separator}",
            remedy="separate them by commas, and put fields that hold commas into quotes",
        )
    raise UnreadableInput(
        f"{path}: {_content(container)} of no known format; their fields are {fields_seen(container, known)}",
        remedy="give --format if it is one of those that `stillwatch sources` lists, declare it in a mapping "
        "file (docs/how-to/own-format.md), or name the columns as docs/reference/input.md has them"
        + (", in a header line" if container.kind is Kind.CSV else ""),
    )


def _content(container: Container) -> str:
    """What a file's records may be called: a single column is hardly a table."""
    is_text = container.kind is Kind.CSV and len(container.sample.names) == 1
    return "text lines or csv records" if is_text else f"{container.kind} records"
