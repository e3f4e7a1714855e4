"""A foreign log format, declared: how it is told apart, where each canonical column comes from, what it
lacks.

Here: the shape that every module in `sources` fills in, and the SQL it becomes. Not here: the formats
themselves (`sources`), bodies that several formats share (`sources.bodies`), detection (`recognition`).

A source sees one JSON document per record, whatever the container: a line of JSON Lines, an element of a JSON
array, a row of CSV or Parquet turned into JSON. DuckDB parses it once into the declared structure; everything
after that is expressions over typed columns, and no record becomes a Python object.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from pipelines.adapters.adapter import literal, quoted

Structure = Mapping[str, Any]
"""A JSON structure as DuckDB's json_transform takes it: names to "VARCHAR", "JSON",
further structures, or lists of one of these. A key is read exactly as written."""

Level = Literal["account", "end_user", "key", "project", "organisation"]
"""Identity levels that a log may know, from the log's own notion of an account to who pays."""

LEVEL_COLUMN: Mapping[Level, str] = MappingProxyType(
    {
        "account": "account_id",
        "end_user": "end_user_id",
        "key": "api_key_id",
        "project": "project_id",
        "organisation": "org_id",
    }
)

TEXT = "VARCHAR"
AS_JSON = "JSON"


@dataclass(frozen=True, slots=True)
class Clue:
    """One test of a record: a path that is there, and what its value is, when that matters."""

    path: tuple[str, ...]
    """Keys from the top; JSON texts on the way are looked into, of a list its first element. A key with dots
    in it is one key, `*` is any."""

    values: frozenset[str] = frozenset()
    """If not empty, the value is one of these."""

    is_absent: bool = False
    """Rather the other way round: the path leads nowhere."""


def has(path: str, *values: str) -> Clue:
    """The record has this path (keys joined by dots), with one of `values` if there are any."""
    return Clue(tuple(path.split(".")), frozenset(values))


def lacks(path: str) -> Clue:
    """The record does not have this path."""
    return Clue(tuple(path.split(".")), is_absent=True)


@dataclass(frozen=True, slots=True)
class Writing:
    """How `simulate` writes canonical rows in this format; the reader's other half, kept beside it."""

    statement: str
    """Name of the SELECT in `sql/writing` over `request` (canonical columns): one row per log record, its
    columns the record's top-level fields."""

    carries: frozenset[str]
    """Canonical columns that survive the way through this form, value for value."""

    ending: str = ".jsonl"


@dataclass(frozen=True, slots=True)
class Shapes:
    """A step whose value lies in the parsed record as a rule, and now and then elsewhere in its text.

    Choosing between two structures row by row copies them, which costs as much as parsing. So a text file is
    read the usual way first, and only the odd records are asked for again.
    """

    usual: str
    """SQL of the value in the usual shape: the parsed structure itself."""

    is_odd: str
    """SQL: this record may have another shape."""

    of_any: str
    """SQL of the value whatever the shape."""

    body_at: tuple[str, ...] = ()
    """Where the value lies, when a text in its place is the odd shape."""

    lists_at: frozenset[str] = frozenset()
    """Top-level fields that only a record of the odd shape has."""


def alone(each: str, structure: Structure, lists_at: Collection[str]) -> Shapes:
    """A step of a source whose documents are one record each as a rule, and sometimes hold several.

    Parameters
    ----------
    each : `Source.each`; its elements are JSON texts
    structure : `Source.structure`
    lists_at : top-level fields in which a document holds its records
    """
    item = f"TRY(json_transform(item, {literal(json.dumps(structure, default=dict))}))"
    return Shapes(
        usual="doc",
        is_odd=f"len({each}) > 0",
        of_any=f"CASE WHEN item IS NULL THEN doc ELSE {item} END",
        lists_at=frozenset(lists_at),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Which records of a file tell of one request together: a body in pieces, a call and its outcome.

    Each record is parsed once, into the source's structure. What `parts` takes of it is gathered: the steps
    of the source see lists of these, an element for each record of the request.
    """

    steps: Sequence[Mapping[str, str]] = ()
    """Values computed on the way, as those of a source are."""

    is_part: str = "true"
    """SQL over `line`: whether there may be a record of this kind in it; other lines are not even counted."""

    key: str
    """SQL over `doc`, `line`, the elements of `each` and the steps: equal for the records of one request;
    null for one that stands alone."""

    place: str
    """SQL over the same: a whole number that orders them."""

    parts: Mapping[str, str]
    """Names to SQL over the same: texts or lists of texts."""

    most: int
    """Of a request with more records no more than these are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Bodies in files of their own, in a folder beside the log."""

    folder: str

    mark: str
    """What the text of a record has that names one."""

    fields: Sequence[tuple[str, str, str]]
    """Of each body: the object of the record, the field in it that names the file (a path that ends with its
    name), and the field that takes the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Texts in records of another format, in files of their own or among the records of this one."""

    format: str

    mark: bytes
    """What the line of such a record has, and no line without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """A log in two tables, which may lie in files of their own: texts, and who called and what came of it."""

    texts: str
    """The table with texts, for people."""

    callers: str
    """The other table, for people. It may tell of requests that have no texts."""

    texts_told_by: tuple[tuple[Clue, ...], ...]
    """A file has texts when all clues of one of these hold for one of its first records."""

    known_better: tuple[str, ...]
    """Canonical columns in which the callers' table counts whatever the table with texts has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One log format that others write."""

    name: str
    """What `--format` takes: lower case, hyphens."""

    title: str
    """Its name for people."""

    versions: str
    """Of which product versions the fields are known."""

    told_by: Sequence[Sequence[Clue]]
    """It is this format when all clues of one of these hold for a record."""

    structure: Structure
    """The fields that are read, nested as they are nested in the log."""

    steps: Sequence[Mapping[str, str | Shapes]] = ()
    """Values computed on the way, by name: SQL over `doc` (the parsed record), `line` (its text) and the
    values of earlier steps. Each step is computed once per record, however often it is used."""

    each: Mapping[str, str] = field(default_factory=dict)
    """Where one document holds several requests: names of elements to SQL of the lists that hold them, over
    `doc`, `line` and the elements before; the steps know all of these."""

    gathering: Gathering | None = None
    """How records that tell of one request together are found, when they are several."""

    beside: Beside | None = None
    """Where large bodies lie that are not in the records."""

    texts_in: Apart | None = None
    """Where texts lie that are in records of another kind, each with the id of its request."""

    halves: Halves | None = None
    """The two tables it may come in; files of the one are joined with files of the other unasked."""

    newest_by: str | None = None
    """SQL: a number that grows with each version of a record, where an export may hold several of one; of
    those in one batch only the newest counts."""

    is_request: str = "true"
    """SQL: whether this record is a request at all. Others are passed over and counted."""

    columns: Mapping[str, str]
    """Canonical column to SQL, over everything above. Of `account_id` only what the log itself calls so."""

    account: Sequence[Level] = ("account", "key", "project", "organisation")
    """Levels that stand for the account, first present one wins; `input.account` overrules it."""

    ignores: frozenset[str] = frozenset()
    """Paths (keys joined by dots) that are known and deliberately not read; `headers.*` is whatever else
    there is in `headers`."""

    lacks: Mapping[str, str] = field(default_factory=dict)
    """What the log does not carry, to what detection loses without it, for people."""

    writings: Mapping[str, Writing] = field(default_factory=dict)
    """`simulate --log-format` name to how it is written."""

    declared_in: str | None = None
    """The mapping file of a user's own format; None: a module of this package."""

    needs: Mapping[str, Sequence[tuple[str, ...]]] = field(default_factory=dict)
    """Of a mapping file: a column that no record can be without, to the paths (keys from the top) it is taken
    from. A log that has none of them is not in this format."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Top-level fields; a closed list, so names never come from a file into SQL."""
        return tuple(self.structure)

    def expressions(self, account: Sequence[Level] = ()) -> dict[str, str]:
        """Canonical column to SQL, the account chosen by `account` or else by the format itself."""
        return with_account(self.columns, account or self.account)

    def as_lines(self, present: Mapping[str, str], rows: str) -> str:
        """A SELECT of `row_number` and `line`: each row of a table as the JSON document it stands for.

        Parameters
        ----------
        present : columns of the table, by name, with their DuckDB types
        rows : a SELECT of `row_number` and these columns

        A column that holds JSON as text, as CSV and many Parquet exports do, becomes that JSON where the
        source reads more of it than its text.
        """
        names = [name for name in self.fields if name in present]
        if not names:
            return f"SELECT row_number, '{{}}' AS line FROM ({rows})"
        packed = ", ".join(f"{quoted(name)} := {self._as_json(name, present[name])}" for name in names)
        return f"SELECT row_number, to_json(struct_pack({packed}))::VARCHAR AS line FROM ({rows})"

    def _as_json(self, name: str, kind: str) -> str:
        column = quoted(name)
        if kind.startswith("DECIMAL") and self.structure.get(name) == TEXT:
            return f"{column}::VARCHAR"  # as a number of JSON it would lose digits beyond a double's
        if kind != "VARCHAR" or self.structure.get(name) == TEXT:
            return column
        return (
            f"CASE WHEN is_json_text({column}) AND json_valid({column}) THEN {column}::JSON "
            f"ELSE to_json({column}) END"
        )

    def over(self, lines: str, *, usual_only: bool = False, trusting: bool = False) -> str:
        """A SELECT of `row_number`, `is_read`, `is_request`, `line`, `doc` and every step's values.

        Parameters
        ----------
        lines : a SELECT of `row_number` and `line`; of a source that gathers, of what `parts_of` gives
        usual_only : read every record in its usual shape, which is faster; where one is odd `is_read` is
            false, and it is to be asked for again without this
        trusting : no line is broken, which is faster; where one is, the statement fails
        """
        if self.gathering is None:
            query = self._parsed(lines, usual_only=usual_only, trusting=trusting)
        else:
            query = f"SELECT *, true AS is_read FROM ({lines})"
        odd = [step.is_odd for step in self._shapes] if usual_only else []
        for step in self.steps:
            values = ", ".join(f"{_step_sql(sql, usual_only)} AS {name}" for name, sql in step.items())
            query = f"SELECT *, {values} FROM ({query})"
        if odd:
            is_odd = " OR ".join(f"({sql})" for sql in odd)
            query = f"SELECT * REPLACE (is_read AND ({is_odd}) IS NOT TRUE AS is_read) FROM ({query})"
        return f"SELECT *, coalesce({self.is_request}, false) AS is_request FROM ({query})"

    def parts_of(self, lines: str, gathering: Gathering, *, trusting: bool = False) -> str:
        """A SELECT of `row_number`, `is_read`, `key`, `place` and the parts of every record.

        Parameters
        ----------
        trusting : as of `over`
        """
        query = self._parsed(f"SELECT * FROM ({lines}) WHERE {gathering.is_part}", trusting=trusting)
        for step in gathering.steps:
            values = ", ".join(f"{sql} AS {name}" for name, sql in step.items())
            query = f"SELECT *, {values} FROM ({query})"
        parts = ", ".join(f"{sql} AS {name}" for name, sql in gathering.parts.items())
        place = f"coalesce({gathering.place}, 0)::BIGINT"
        return f"SELECT row_number, is_read, {gathering.key} AS key, {place} AS place, {parts} FROM ({query})"

    def _parsed(self, lines: str, *, usual_only: bool = False, trusting: bool = False) -> str:
        """The lines parsed, a row for each element of `each`."""
        parse = _documents_sql()
        parse = parse.replace("THEN TRY(", "THEN (") if trusting else parse
        parse = parse.replace("$structure", literal(json.dumps(self.structure, default=dict)))
        query = parse.replace("FROM lines", f"FROM ({lines})")
        for name, items in self.each.items():
            if usual_only and self._is_alone_as_a_rule:
                query = f"SELECT *, NULL::VARCHAR AS {name} FROM ({query})"
            else:  # a document without requests stays one row, so that it is counted
                at_least_one = f"CASE WHEN len({items}) > 0 THEN {items} ELSE [NULL] END"
                query = f"SELECT *, unnest({at_least_one}) AS {name} FROM ({query})"
        return query

    @property
    def has_odd_shapes(self) -> bool:
        """Whether reading with `usual_only` differs from reading without."""
        return bool(self._shapes)

    def is_odd_as_a_rule(self, records: Sequence[Mapping[str, Any]]) -> bool:
        """Whether most of these records have texts where the usual shape is a body, or are several in one: to
        look for the usual shape first would be to read twice."""
        n_odd = sum(any(_is_odd(one, step) for step in self._shapes) for one in records)
        return n_odd > len(records) // 2

    @property
    def _is_alone_as_a_rule(self) -> bool:
        return any(step.lists_at for step in self._shapes)

    @property
    def _shapes(self) -> list[Shapes]:
        return [value for step in self.steps for value in step.values() if isinstance(value, Shapes)]


def with_account(columns: Mapping[str, str], account: Sequence[Level]) -> dict[str, str]:
    """The same columns with the account taken from the first of these levels that a record has.

    What the log itself calls an account becomes its organisation where it has no other, so that it still
    ties accounts together.
    """
    chosen = [columns[LEVEL_COLUMN[level]] for level in account if LEVEL_COLUMN[level] in columns]
    result = dict(columns)
    if not chosen:
        return result
    result["account_id"] = _first_written(chosen)
    if account[0] != "account" and "account_id" in columns:
        result["org_id"] = _first_written(
            [columns[name] for name in ("org_id", "account_id") if name in columns]
        )
    return result


@cache
def _documents_sql() -> str:
    return files("pipelines.adapters").joinpath("sql/json_documents.sql").read_text(encoding="utf-8")


def _is_odd(record: Mapping[str, Any], step: Shapes) -> bool:
    return _is_text(record, step.body_at) or not step.lists_at.isdisjoint(record)


def _is_text(record: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether a text that could be JSON lies at this path."""
    value: Any = record if path else None
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return isinstance(value, str) and value.lstrip().startswith(("{", "["))


def _step_sql(value: str | Shapes, usual_only: bool) -> str:
    if isinstance(value, str):
        return value
    return value.usual if usual_only else value.of_any


def _first_written(expressions: Sequence[str]) -> str:
    if len(expressions) == 1:
        return expressions[0]
    # CASE, not coalesce: what DuckDB finds twice in a coalesce it computes for every row beforehand.
    cases = "".join(f" WHEN NOT is_blank(({sql})::VARCHAR) THEN ({sql})::VARCHAR" for sql in expressions)
    return f"CASE{cases} END"
