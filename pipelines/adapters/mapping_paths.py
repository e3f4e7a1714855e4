"""Paths of a mapping file: the structure that they add up to, and those that lead nowhere in a log.

Here: keys joined by dots, what a record must be parsed into to hold them, what a log does not have. Not here:
what a path is for (`mapping`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.adapters.adapter import Adapter, Sample, quoted
from pipelines.adapters.containers import Container
from pipelines.adapters.recognition import fields_seen, names_known_to, nowhere_in
from pipelines.adapters.source import Source, Structure
from pipelines.errors import UnreadableInput

_ONE_KEY = r'(?:"[^"]+"|[^."\[\]\s]+)'
_PATH = re.compile(rf"{_ONE_KEY}(?:\.{_ONE_KEY})*")
_KEY = re.compile(_ONE_KEY)


def keys_of(path: str) -> tuple[str, ...] | None:
    """The keys of a path, from the top; None where it is none. A key with dots in it stands in quotes."""
    return tuple(key.strip('"') for key in _KEY.findall(path)) if _PATH.fullmatch(path) else None


def value_at(keys: Sequence[str]) -> str:
    """SQL of the value at a path of the parsed record."""
    return ".".join(["doc", *map(quoted, keys)])


def placed(structure: dict[str, Any], keys: tuple[str, ...], leaf: str | Structure) -> bool:
    """Let the structure hold a value at this path; false where it holds another kind of value there already.

    Parameters
    ----------
    structure : what is read so far. What is no dictionary in it is a whole body, whose fields are fixed.
    """
    level: Any = structure
    may_grow = True
    for key in keys[:-1]:
        if may_grow:
            level = level.setdefault(key, {})
            may_grow = isinstance(level, dict)
        else:
            level = level.get(key) if isinstance(level, Mapping) else None
    if may_grow:
        return bool(level.setdefault(keys[-1], leaf) == leaf)
    return isinstance(level, Mapping) and level.get(keys[-1]) == leaf


def leaves(structure: Structure, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all values in it, those of whole bodies left out."""
    for key, inner in structure.items():
        if isinstance(inner, dict):
            yield from leaves(inner, (*above, key))
        elif not isinstance(inner, Mapping):
            yield (*above, key)


def not_found(source: Source, sample: Sample) -> tuple[str, ...]:
    """Paths that a mapping reads and that the first records of a log do not have, bodies aside."""
    if source.declared_in is None or not sample.names:
        return ()
    return nowhere_in(sample, leaves(source.structure))


def require_needed(
    source: Source, log: Path, container: Container, formats: Iterable[Source | Adapter]
) -> None:
    """Pass when a log has what the columns that every record needs are taken from.

    Parameters
    ----------
    formats : those whose field names may be shown of a CSV file

    Raises
    ------
    UnreadableInput : it has none of it: rather one message than a refusal for each row.
    """
    for column, paths in source.needs.items():
        missing = nowhere_in(container.sample, paths)
        if len(missing) == len(paths):
            seen = fields_seen(container, names_known_to(formats))
            raise UnreadableInput(
                f"{log}: {source.declared_in} takes {column} from {', '.join(missing)}, which none of the "
                f"first records has; their fields are {seen}",
                remedy="correct the path in the mapping, or leave this file out",
            )
