"""What a log format is: a name, how to know it, and where the canonical columns come from.

Here: the shape every format module fills in. Not here: the formats themselves (one module each),
containers and compression (`parquet`, `lines`, `csvfile`), casts and checks (`canonical`).

A format names the top-level fields it reads. The container delivers each of them as one column of a
relation: Parquet with its own type; JSON Lines and CSV as text, nested JSON values as JSON text. The
format answers with one SQL expression per canonical column over those columns; whatever type the
expressions have, `canonical` casts, checks and refuses the same way for all formats.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of a file before a format is chosen."""

    names: frozenset[str]
    """Top-level field names: the schema of a Parquet file, the header of a CSV file, the keys of the
    first records of a JSON Lines file."""

    records: tuple[Mapping[str, Any], ...] = ()
    """The first records of a JSON Lines file; empty for other containers."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One log format."""

    name: str

    fields: tuple[str, ...]
    """Top-level fields it reads; a closed list, so names never come from a file into SQL."""

    recognises: Callable[[Sample], bool]

    select: Callable[[Mapping[str, str]], Mapping[str, str]]
    """Given the fields that are present (name to DuckDB type), canonical column to SQL expression. A
    canonical column without an expression is null."""


def literal(text: str) -> str:
    """A text as DuckDB reads it literally."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """An identifier as DuckDB reads it literally."""
    return '"' + name.replace('"', '""') + '"'
