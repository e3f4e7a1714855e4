"""Paths of a mapping file, and the structure that they add up to.

Here: keys joined by dots, and what a record must be parsed into to hold them. Not here: what a path is for
(`mapping`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.adapters.adapter import quoted
from pipelines.adapters.source import Structure

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
