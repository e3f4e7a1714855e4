"""A user's own log format: a mapping file, turned into a `Source` like those of this package.

Here: reading and checking the TOML, with the file and the entry in every message. Not here: what an
expression may be made of (`expressions`), reading logs with it (`reader`, which cannot tell the difference).
docs/how-to/own-format.md describes the file.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pydantic import ValidationError

from pipelines.adapters.connection import connect
from pipelines.adapters.expressions import checked_expression
from pipelines.adapters.mapping_file import Clues, Expression, MappingFile, NamedField
from pipelines.adapters.mapping_paths import keys_of, placed, value_at
from pipelines.adapters.source import (
    AS_JSON,
    LEVEL_COLUMN,
    TEXT,
    Clue,
    Shapes,
    Source,
)
from pipelines.adapters.sources.bodies import (
    BODY_COLUMNS,
    BODY_IGNORES,
    MESSAGES,
    REQUEST,
    RESPONSE,
    request_at,
    response_at,
)
from pipelines.errors import UsageError
from pipelines.record import REQUEST_SCHEMA

ENDING = ".toml"
"""`--format` with this ending is a mapping file; no format's name has one."""

_HOW_TO = "docs/how-to/own-format.md describes the file"
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_RECORD = ("doc", "line")
_BODIES = ("request", "response", "messages")
_TAKEN = frozenset({*_RECORD, *_BODIES, "item", "row_number", "is_read", "is_request"})


def is_mapping(log_format: str) -> bool:
    """Whether a `--format` is a mapping file rather than a format's name."""
    return log_format.lower().endswith(ENDING)


def read_mapping(path: Path) -> Source:
    """The format that a mapping file declares.

    Raises
    ------
    UsageError : the file cannot be read, is not TOML, or declares what cannot be followed; the message names
        the entry.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        place = "" if path.is_absolute() else f"; it is looked for in {Path.cwd()}, where the command runs"
        raise UsageError(
            f"{path}: cannot be read ({error.strerror})",
            remedy=f"name a mapping file, or a format of `sources`{place}",
        ) from None


@lru_cache(maxsize=32)
def _read(path: Path, modified_ns: int) -> Source:
    """The format, read once for each state of the file: checking its expressions takes some tenths of a
    second, and a scan opens many logs with it."""
    try:
        file = MappingFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        where, why = _first_fault(error)
        raise UsageError(f"{path}, {where}: {why}", remedy=_HOW_TO) from None
    except ValueError as error:  # not TOML, not UTF-8
        raise UsageError(f"{path}: {error}", remedy="the file must be TOML") from None
    with connect(1) as con:
        return _Declaration(path, file, con).source()


_FORMS = {"str": "a path in quotes", "Expression": '{ sql = "..." }', "NamedField": '{ path = "..." }'}
"""What an entry may be that has two forms, by the names that pydantic gives them."""


def _first_fault(error: ValidationError) -> tuple[str, str]:
    """The entry that is wrong, as the file has it, and why."""
    first = error.errors()[0]
    entry = [str(part) for part in first["loc"]]
    if entry[0] in ("columns", "fields") and len(entry) > 2 and entry[2] in _FORMS:
        forms = _FORMS["str"], _FORMS["Expression" if entry[0] == "columns" else "NamedField"]
        return ".".join(entry[:2]), f"expected {' or '.join(forms)}"
    return ".".join(entry), first["msg"]


class _Declaration:
    """One mapping file on its way to a source."""

    def __init__(self, path: Path, file: MappingFile, con: duckdb.DuckDBPyConnection) -> None:
        self._path = path
        self._file = file
        self._con = con
        self._structure: dict[str, Any] = {}
        self._path_of: dict[str, tuple[str, ...]] = {}
        """Name of a field to where it lies."""

    def source(self) -> Source:
        """The source, every expression of it accepted by DuckDB."""
        file = self._file
        unknown = [name for name in file.columns if name not in REQUEST_SCHEMA.names]
        if unknown:
            raise self._error(
                f"columns.{unknown[0]}",
                "no such canonical column",
                "docs/reference/input.md lists the columns",
            )
        bodies = self._bodies()
        first = self._fields() | bodies
        names = [*self._path_of, *_RECORD, *(_BODIES if bodies else ())]
        mine = {name: self._column(name, how, names) for name, how in file.columns.items()}
        columns = {**(BODY_COLUMNS if bodies else {}), **{name: sql for name, (sql, _) in mine.items()}}
        self._require(columns)
        source = Source(
            name=file.name,
            title=file.title or f"{file.name}, a format of your own",
            versions=f"as {self._path.name} declares it",
            told_by=tuple(self._clues(at, clues) for at, clues in enumerate(file.told_by)),
            structure=self._structure,
            steps=(first, {"messages": MESSAGES}) if bodies else ((first,) if first else ()),
            is_request=self._checked("is_request", file.is_request, names),
            columns=columns,
            account=file.account,
            ignores=frozenset(self._ignored()),
            declared_in=str(self._path),
            needs=self._needs(mine),
        )
        infinite = self._try_out(
            source, [name for name, how in file.columns.items() if isinstance(how, Expression)]
        )
        finite = {name: f"finite_or_null({source.columns[name]})" for name in infinite}
        return replace(source, columns={**source.columns, **finite})

    # -- what is read of a record ------------------------------------------------------------------

    def _bodies(self) -> dict[str, str | Shapes]:
        """The steps `request` and `response`, where the log carries a body."""
        file = self._file.bodies
        if file.request is None and file.response is None:
            return {}
        steps: dict[str, str | Shapes] = {
            # An empty body: of a constant null DuckDB would not know the structure.
            "request": "request_of(left(line, 0))",
            "response": "response_of(left(line, 0))",
        }
        for name, path, body, at in (
            ("request", file.request, REQUEST, request_at),
            ("response", file.response, RESPONSE, response_at),
        ):
            if path is not None:
                keys = self._keys(f"bodies.{name}", path)
                if not all(_PLAIN.fullmatch(key) for key in keys):
                    raise self._error(
                        f"bodies.{name}",
                        "a body's keys must be lower-case letters, digits and underscores",
                        "name the body's parts one by one under [columns] instead",
                    )
                self._place(f"bodies.{name}", keys, body)
                steps[name] = at(".".join(keys))
        return steps

    def _fields(self) -> dict[str, str | Shapes]:
        steps: dict[str, str | Shapes] = {}
        for name, how in self._file.fields.items():
            where = f"fields.{name}"
            if not _PLAIN.fullmatch(name) or len(name) == 1 or name in _TAKEN or self._is_reserved(name):
                raise self._error(
                    where,
                    "not a name for a field",
                    "use two or more lower-case letters, digits and underscores, no word that SQL reserves, "
                    f"and none of {', '.join(sorted(_TAKEN))}",
                )
            given = NamedField(path=how) if isinstance(how, str) else how
            keys = self._keys(where, given.path)
            self._place(where, keys, AS_JSON if given.kind == "json" else TEXT)
            self._path_of[name] = keys
            steps[name] = value_at(keys)
        return steps

    def _is_reserved(self, name: str) -> bool:
        """Whether SQL takes the word for something else."""
        try:
            self._con.execute(f"SELECT {name} FROM (SELECT 1 AS {name})")
        except duckdb.Error:
            return True
        return False

    def _keys(self, where: str, path: str) -> tuple[str, ...]:
        keys = keys_of(path)
        if keys is None:
            raise self._error(
                where,
                "not a path",
                "write keys joined by dots, a key with dots in it in double quotes; for an element of a list "
                'read the list as = "json" and take it in sql',
            )
        return keys

    def _place(self, where: str, keys: tuple[str, ...], leaf: Any) -> None:
        """Let the structure hold this path."""
        if not placed(self._structure, keys, leaf):
            raise self._error(
                where,
                f"{'.'.join(keys)} is also read in another way, or lies in a body that has no such field",
                'read it once, as = "json" under [fields], and take its parts in sql',
            )

    def _ignored(self) -> list[str]:
        bodies = (self._file.bodies.request, self._file.bodies.response)
        of_bodies = [f"{body}.{name}" for body in bodies if body is not None for name in BODY_IGNORES]
        told_by = (
            self._keys("told_by", text.partition("=")[0])[0] for one in self._file.told_by for text in one.has
        )
        return [*self._file.ignores, *of_bodies, *(key for key in told_by if key not in self._structure)]

    # -- what it means -----------------------------------------------------------------------------

    def _column(self, name: str, how: str | Expression, names: Sequence[str]) -> tuple[str, list[str]]:
        """SQL of a column, and what it is taken from: names of fields, or a path of its own."""
        where = f"columns.{name}"
        if isinstance(how, str):
            keys = self._keys(where, how)
            self._place(where, keys, TEXT)
            sql = value_at(keys)
            self._path_of[where] = keys
            used = [where]
        else:
            sql = self._checked(where, how.sql, names)
            used = [one for one in names if re.search(rf"\b{one}\b", how.sql)]
        # Whatever the log calls a key, the key itself goes no further.
        return (f"key_name(({sql})::VARCHAR)" if name == "api_key_id" else sql), used

    def _checked(self, where: str, text: str, names: Sequence[str]) -> str:
        """The expression; null where it cannot be computed, for a log's value must never stop a scan."""
        return f"TRY({checked_expression(self._con, text, names, where=f'{self._path}, {where}')})"

    def _require(self, columns: Mapping[str, str]) -> None:
        for name in ("request_id", "ts"):
            if name not in columns:
                remedy = 'where the log has no id of its own, write { sql = "md5(line)" }'
                raise self._error(
                    f"columns.{name}",
                    "every record needs it",
                    remedy if name == "request_id" else "name the time of the request",
                )
        if not self._file.account:
            raise self._error("account", "names no level", "leave it out, or name one level at least")
        if not any(LEVEL_COLUMN[level] in columns for level in self._file.account):
            wanted = ", ".join(LEVEL_COLUMN[level] for level in self._file.account)
            raise self._error(
                "account",
                f"none of {wanted} is declared",
                "declare one of them, or name other levels in account",
            )

    def _needs(self, mine: Mapping[str, tuple[str, list[str]]]) -> dict[str, tuple[tuple[str, ...], ...]]:
        """What each column that no record can be without hangs on, where that is paths of ours alone."""
        levels = [LEVEL_COLUMN[level] for level in self._file.account if LEVEL_COLUMN[level] in mine]
        groups = {"request_id": ["request_id"], "ts": ["ts"], "account_id": levels}
        needs = {}
        for column, parts in groups.items():
            used = [one for part in parts if part in mine for one in mine[part][1]]
            if used and all(one in self._path_of for one in used):
                needs[column] = tuple(dict.fromkeys(self._path_of[one] for one in used))
        return needs

    def _clues(self, at: int, clues: Clues) -> tuple[Clue, ...]:
        where = f"told_by.{at}"
        found = []
        for text in clues.has:
            path, _, value = text.partition("=")
            found.append(Clue(self._keys(where, path), frozenset({value} if value else ())))
        found += [Clue(self._keys(where, path), is_absent=True) for path in clues.lacks]
        if not clues.has:
            raise self._error(where, "nothing that the log has", "name at least one path under has")
        return tuple(found)

    def _try_out(self, source: Source, names: Sequence[str]) -> list[str]:
        """Let DuckDB compute every expression of an empty record; returns the columns that may be infinite.

        Binding is not enough: a regular expression or a format that is wrong is found when it is first used,
        and TRY does not catch that.
        """
        empty = "SELECT 1::BIGINT AS row_number, '{}' AS line"
        tried = {f"columns.{name}": source.columns[name] for name in names} | {
            "is_request": source.is_request
        }
        infinite = []
        for where, sql in tried.items():
            # Over the steps alone: the condition itself is part of the whole.
            query = replace(source, is_request="true").over(empty)
            try:
                (kind,) = self._con.sql(f"SELECT {sql} AS tried FROM ({query})").to_arrow_table().schema.types
            except duckdb.Error as error:
                raise self._error(
                    where, str(error).split("\n", 1)[0], "correct the expression; DuckDB's words are above"
                ) from None
            if where == "is_request" and not pa.types.is_boolean(kind):
                raise self._error(where, "neither true nor false", "compare something: kind = 'completion'")
            if pa.types.is_floating(kind):
                infinite.append(where.removeprefix("columns."))
        self._con.execute(f"DESCRIBE {source.over(empty)}")
        return infinite

    def _error(self, where: str, why: str, remedy: str) -> UsageError:
        return UsageError(f"{self._path}, {where}: {why}", remedy=remedy)
