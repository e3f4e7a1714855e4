"""Which format a file is in, told by its first records.

Here: evaluating a source's clues, naming what was looked at, and what a log has that we do not understand.
Not here: the clues themselves (each source declares its own), containers.

It looks at no more than the sample of a file, twenty records, so loops over Python objects are in order here.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pipelines.adapters.adapter import Adapter, Sample
from pipelines.adapters.containers import Container, Kind
from pipelines.adapters.source import TEXT, Clue, Source, Structure

_SHOWN_FIELDS = 12
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,40}")
_NOTHING = object()
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def recognises(source: Source, sample: Sample) -> bool:
    """Whether one of the sample's records is of this source; where there are only names, whether they fit."""
    return fits(source.told_by, sample)


def fits(told_by: Iterable[Iterable[Clue]], sample: Sample) -> bool:
    """Whether all clues of one of these hold for one of the sample's records."""
    return any(
        all(_holds(clue, record) for clue in clues) for record in _records_of(sample) for clues in told_by
    )


def _records_of(sample: Sample) -> tuple[Mapping[str, Any], ...]:
    """The sample's records, or one in which every name is there and nothing more is known."""
    return sample.records or (dict.fromkeys(sample.names, _NOTHING),)


def nowhere_in(sample: Sample, paths: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Those of these paths, keys joined by dots, that lead to something in none of the sample's records."""
    records = _records_of(sample)
    return tuple(".".join(path) for path in paths if all(_at(record, path) is None for record in records))


def reads_something(source: Source, sample: Sample) -> bool:
    """Whether one of the sample's records has any value that the source reads; where there are only names,
    any of them. Not to be told where nothing could be read, or the source reads a record's text alone."""
    is_told = bool(sample.names and source.structure)
    return not is_told or any(_has_leaf(record, source.structure) for record in _records_of(sample))


def _has_leaf(record: Mapping[str, Any], structure: Structure) -> bool:
    for name, wanted in structure.items():
        value = record.get(name)
        inner = _opened(value) if isinstance(wanted, Mapping) else None
        # What is no object where one is expected, a list or a text of another kind, is read in its own way.
        if value is not None and (not isinstance(inner, Mapping) or _has_leaf(inner, wanted)):
            return True
    return False


def _holds(clue: Clue, record: Mapping[str, Any]) -> bool:
    found = _at(record, clue.path)
    if clue.is_absent:
        return found is None
    if found is None:
        return False
    # Without a record (a header, a schema) only the name at the top can be tested.
    return found is _NOTHING or not clue.values or str(found) in clue.values


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """What lies at a path, null counting as nothing."""
    for at, key in enumerate(path):
        value = _opened(value)
        if value is _NOTHING:
            return _NOTHING
        if not isinstance(value, Mapping):
            return None
        if key == "*":
            found = (_at(one, path[at + 1 :]) for one in value.values())
            return next((one for one in found if one is not None), None)
        literal = ".".join(path[at:])
        if literal in value:
            return value[literal]
        value = value.get(key)
    return value


def _opened(value: Any) -> Any:
    """The object that a JSON text holds, or the first element of a list; else the value itself."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, list):
        return value[0] if value else None
    return value


def names_known_to(formats: Iterable[Source | Adapter]) -> frozenset[str]:
    """Every field name at the top of a record that one of these formats has."""
    names: set[str] = set()
    for one in formats:
        names.update(one.fields)
        if isinstance(one, Source):
            names.update(clue.path[0] for clues in one.told_by for clue in clues)
            names.update(path.split(".")[0] for path in one.ignores)
    return frozenset(names)


def fields_seen(container: Container, known: Collection[str]) -> str:
    """What fields a file has, for a message: few names, and only such as a program would write.

    The first line of CSV need not be a header, it may be somebody's request: of it no names are shown but
    those in `known`, and how many columns there are.
    """
    all_names = container.sample.names
    if container.kind is not Kind.CSV:
        return _listed(name for name in all_names if _NAME.fullmatch(name)) or "none whose name can be shown"
    shown = _listed(all_names.intersection(known))
    n_columns = f"{len(all_names)} column{'s' if len(all_names) != 1 else ''}"
    return f"{shown} among {n_columns}" if shown else f"{n_columns} of no known name"


def separator_seen(container: Container, known: Collection[str]) -> str | None:
    """What lies between known names of a CSV header instead of commas, in words; None where nothing does."""
    if container.kind is not Kind.CSV:
        return None
    for mark, word in _SEPARATORS.items():
        names = {part.strip(' "') for name in container.sample.names for part in name.split(mark)}
        if len(names.intersection(known)) > max(1, len(container.sample.names.intersection(known))):
            return word
    return None


def _listed(names: Iterable[str]) -> str:
    in_order = sorted(names)
    return ", ".join(in_order[:_SHOWN_FIELDS]) + (", ..." if len(in_order) > _SHOWN_FIELDS else "")


def not_understood(source: Source, sample: Sample) -> tuple[str, ...]:
    """Paths in the sample that the source neither reads nor knows, and known ones of another type.

    That is how a log of another version shows: it is read as far as it can be, and says what it is not.
    """
    found: set[str] = set()
    for record in sample.records:
        found.update(_strangers(record, source.structure, "", source.ignores))
    return tuple(sorted(found))


def _strangers(
    record: Mapping[str, Any], structure: Structure, above: str, ignores: frozenset[str]
) -> Iterator[str]:
    for name, value in record.items():
        path = f"{above}{name}"
        if path in ignores or value is None or not _NAME.fullmatch(name):
            continue
        if name not in structure:
            if f"{above}*" not in ignores:
                yield path
            continue
        wanted = structure[name]
        inner = _opened(value) if isinstance(wanted, Mapping) else value
        if isinstance(wanted, Mapping) and isinstance(inner, Mapping):
            # Of a list only its being one is looked at: tools and messages have fields without end.
            if not isinstance(value, list):
                yield from _strangers(inner, wanted, f"{path}.", ignores)
        elif isinstance(value, Mapping | list) if wanted == TEXT else isinstance(value, bool | int | float):
            yield f"{path} (of another type)"
