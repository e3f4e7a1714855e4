"""The first part of the step `load`, where edge logs are joined: they are read before the logs they add to.

Here: edge logs into their rows, their counts and refusals into the warehouse. Not here: the join (adapters),
the logs themselves (load).
"""

from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb

from pipelines import adapters
from pipelines.errors import UnreadableInput
from pipelines.progress import Step
from pipelines.settings import Settings
from pipelines.warehouse.counting import count_file, note_error
from pipelines.warehouse.opening import n_threads


def read_edge_logs(
    con: duckdb.DuckDBPyConnection,
    edges: adapters.Edges,
    file_ids: Mapping[Path, int],
    settings: Settings,
    formats: adapters.Formats,
    step: Step,
    logs_alone: Collection[Path],
) -> list[UnreadableInput]:
    """Read every edge log among these files; returns what could not be read, which is left out.

    Parameters
    ----------
    logs_alone : the logs themselves. A file that is both is counted, and complained of, as a log.
    """
    unreadable: list[UnreadableInput] = []
    for path, opened in adapters.open_edge_logs(
        edges,
        batch_rows=settings.input.batch_rows,
        threads=n_threads(settings),
        account=settings.input.account,
        formats=formats,
    ):
        if path not in file_ids:  # gone since it was listed, which is said already
            continue
        try:
            if isinstance(opened, UnreadableInput):
                raise opened
            if path in logs_alone:
                _read_through(edges, opened)
            else:
                _read_one(con, edges, opened, file_ids[path], step)
        except UnreadableInput as error:  # what stood before the break is kept
            if path not in logs_alone:
                unreadable.append(error)
                note_error(con, file_ids[path], str(error))
    edges.seal()
    return unreadable


def _read_one(
    con: duckdb.DuckDBPyConnection,
    edges: adapters.Edges,
    opened: adapters.LogReader,
    file_id: int,
    step: Step,
) -> None:
    try:
        _read_through(edges, opened)
    finally:
        count_file(con, opened, file_id)
        step.advance(opened.size_bytes)


def _read_through(edges: adapters.Edges, opened: adapters.LogReader) -> None:
    with opened as reader:
        for _ in edges.read(reader):
            pass
