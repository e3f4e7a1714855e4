"""Casts and checks: from whatever types a format's columns have to the canonical ones, in one query.

Here: the SQL that turns a relation `record` into typed columns plus one bit per fault. Not here: where
`record` comes from (containers), which column means what (formats), the casts (`sql/casts.sql`).

All identifiers in the SQL come from our own schemas and from an adapter's closed list; values of a log
are only ever data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.adapters import refusals
from pipelines.adapters.adapter import quoted
from pipelines.adapters.refusals import Fault

FIRST_US = 1_577_836_800_000_000
"""2020-01-01: no public model API kept request logs of interest before."""

LAST_US = 4_133_980_800_000_000
"""2101-01-01, exclusive."""

UNREAD = -1
"""`problems` of a record that could not be parsed; no combination of faults is negative."""

PASSED_OVER = -2
"""`problems` of a record that is no request, for example a health check among the calls."""

_INT32 = "BETWEEN -2147483648 AND 2147483647"
_WHOLE_TYPES = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_WIDE_TYPES = {"UBIGINT", "HUGEINT", "UHUGEINT"}
_COUNTS = {"input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in one column; `column` is None when the row as a whole is malformed."""

    column: str | None
    fault: Fault


@dataclass(frozen=True, slots=True)
class Target:
    """What a table's columns must be, beyond their Arrow types."""

    schema: pa.Schema
    required: tuple[str, ...]
    kept_as_written: frozenset[str]
    """Texts where blank is a value of its own; any other blank text is absent."""
    defaults: Mapping[str, str]
    """Value of a column the log does not have, as SQL."""
    times_within: tuple[int, int] | None
    """Microseconds since 1970, from and before; None takes any time the type can hold."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query over some source of records, and what each bit of its column `problems` means."""

    body: str
    problems: tuple[Problem, ...]

    def over(self, source: str) -> str:
        """The whole query; `source` is a SELECT with `row_number`, `is_read`, `is_request` and the fields of
        the log.

        Where `is_read` is false the record could not even be parsed: its `problems` are `UNREAD`. Where
        `is_request` is false they are `PASSED_OVER`.
        """
        return f"WITH record AS ({source}),\n{self.body}"


@dataclass(frozen=True, slots=True)
class _Column:
    """SQL of one column: helper columns, its value, and its faults as conditions."""

    value: str
    helpers: Mapping[str, str]
    faults: Sequence[tuple[Fault, str]]


def canonical_query(
    con: duckdb.DuckDBPyConnection,
    target: Target,
    expressions: Mapping[str, str],
    source: str,
    newest_by: str | None = None,
    values: Mapping[str, Any] | None = None,
) -> Query:
    """The query that casts and checks records.

    Parameters
    ----------
    expressions : canonical column to SQL expression over the fields of `source`
    source : a SELECT like those the query will read; only its types are looked at
    newest_by : SQL of a number over the fields of `source`, handed on as the column `version`
    values : parameters of `source`, where it has any
    """
    types = _types_of(con, expressions, source, values)
    raw, helpers, selected, conditions = [], [], [], []
    problems: list[Problem] = []
    for field in target.schema:
        name = field.name
        column = _column(field, types.get(name), target)
        if name in types:
            raw.append(f"{expressions[name]} AS {_raw(name)}")
        helpers += [f"{sql} AS {alias}" for alias, sql in column.helpers.items()]
        selected.append(f"{column.value} AS {quoted(name)}")
        for fault, condition in column.faults:
            conditions.append(f"CASE WHEN {condition} THEN {1 << len(problems)} ELSE 0 END")
            problems.append(Problem(name, fault))
    if newest_by is not None:
        raw.append(f"{newest_by} AS version")
        selected.append("version")
    body = "\n".join(
        [
            f"picked AS (SELECT {', '.join(['row_number', 'is_read', 'is_request', *raw])} FROM record),",
            f"cast_once AS (SELECT {', '.join(['*', *helpers])} FROM picked)",
            f"SELECT {', '.join(selected)}, row_number,",
            f"CASE WHEN NOT is_read THEN {UNREAD} WHEN NOT is_request THEN {PASSED_OVER} "
            f"ELSE {' | '.join(conditions) or '0'} END AS problems",
            "FROM cast_once",
        ]
    )
    return Query(body, tuple(problems))


def with_canonical_types(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The same columns with exactly the schema's types; times carry UTC."""
    return batch.select(schema.names).cast(schema)


def _types_of(
    con: duckdb.DuckDBPyConnection,
    expressions: Mapping[str, str],
    source: str,
    values: Mapping[str, Any] | None,
) -> dict[str, str]:
    if not expressions:
        return {}
    picked = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in expressions.items())
    described = con.execute(f"DESCRIBE SELECT {picked} FROM ({source})", values).fetchall()
    return {row[0]: row[1] for row in described}


def _raw(name: str) -> str:
    return quoted(f"raw {name}")


def _column(field: pa.Field, kind: str | None, target: Target) -> _Column:
    name, wanted = field.name, field.type
    if kind is None:
        value = target.defaults.get(name, f"NULL::{_sql_type(wanted)}")
        faults = [(refusals.MISSING, "true")] if name in target.required else []
        return _Column(value, {}, faults)
    column = _cast(field, kind, target)
    faults = list(column.faults)
    if name in target.required:
        faults.insert(0, (refusals.MISSING, _absent(_raw(name), kind)))
    value = column.value
    if name in target.defaults:
        value = f"coalesce({value}, {target.defaults[name]})"
    return _Column(value, column.helpers, faults)


def _cast(field: pa.Field, kind: str, target: Target) -> _Column:
    raw, name, wanted = _raw(field.name), field.name, field.type
    if pa.types.is_string(wanted):
        return _Column(_text(raw, kind, blank_is_null=name not in target.kept_as_written), {}, [])
    if pa.types.is_timestamp(wanted):
        return _instant(name, kind, target.times_within)
    if pa.types.is_integer(wanted):
        return _whole(name, kind, is_int32=pa.types.is_int32(wanted))
    if pa.types.is_floating(wanted):
        return _number(name, kind)
    by_type = {pa.bool_(): _truth, pa.date32(): _date, pa.list_(pa.string()): _names}
    return by_type[wanted](name, kind)


def _sql_type(wanted: pa.DataType) -> str:
    if pa.types.is_list(wanted):
        return "VARCHAR[]"
    if pa.types.is_timestamp(wanted):
        return "TIMESTAMP"
    return {
        pa.string(): "VARCHAR",
        pa.int32(): "INTEGER",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.bool_(): "BOOLEAN",
        pa.date32(): "DATE",
    }[wanted]


def _is_nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))


def _is_fraction(kind: str) -> bool:
    return kind in {"FLOAT", "DOUBLE"} or kind.startswith("DECIMAL")


def _as_text(raw: str, kind: str) -> str:
    """Text of a value of any type; a nested value becomes its JSON text."""
    if kind == "VARCHAR":
        return raw
    return f"to_json({raw})::VARCHAR" if _is_nested(kind) else f"{raw}::VARCHAR"


def _absent(raw: str, kind: str) -> str:
    return f"{raw} IS NULL OR is_blank({raw})" if kind == "VARCHAR" else f"{raw} IS NULL"


def _unread(value: str, raw: str, kind: str) -> str:
    """Condition: there is something to read, and it could not be read.

    CASE, not AND: DuckDB then looks at the raw value only where the cast gave nothing.
    """
    if kind == "VARCHAR":
        present = f"is_written({raw})"
    elif kind in {"FLOAT", "DOUBLE"}:
        present = f"{raw} IS NOT NULL AND NOT is_nan({raw})"
    else:
        present = f"{raw} IS NOT NULL"
    return f"CASE WHEN {value} IS NULL THEN {present} ELSE false END"


def _text(raw: str, kind: str, *, blank_is_null: bool) -> str:
    text = _as_text(raw, kind)
    return f"text_or_null({text})" if blank_is_null and kind == "VARCHAR" else text


def _whole(name: str, kind: str, *, is_int32: bool) -> _Column:
    raw, helper = _raw(name), quoted(f"whole {name}")
    if kind in _WHOLE_TYPES:
        whole = f"{raw}::BIGINT"
    elif kind in _WIDE_TYPES:
        whole = f"TRY_CAST({raw} AS BIGINT)"
    elif _is_fraction(kind):
        whole = f"whole_of_double({raw}::DOUBLE)"
    else:
        whole = f"whole_of_text({_as_text(raw, kind)})"
    faults = [(refusals.NOT_WHOLE, _unread(helper, raw, kind))]
    value = helper
    if is_int32:
        value = f"CASE WHEN {helper} {_INT32} THEN {helper}::INTEGER END"
        faults.append((refusals.TOO_LARGE, f"{helper} NOT {_INT32}"))
    if name in _COUNTS:
        faults.append((refusals.NEGATIVE, f"{helper} < 0"))
    return _Column(value, {helper: whole}, faults)


def _number(name: str, kind: str) -> _Column:
    raw, helper = _raw(name), quoted(f"number {name}")
    if kind in _WHOLE_TYPES | _WIDE_TYPES or _is_fraction(kind):
        number = f"nan_to_null({raw}::DOUBLE)"
    else:
        number = f"nan_to_null(TRY_CAST({_as_text(raw, kind)} AS DOUBLE))"
    faults = [
        (refusals.NOT_NUMBER, _unread(helper, raw, kind)),
        (refusals.NOT_FINITE, f"isinf({helper})"),
    ]
    if name == "sample_rate":
        faults.append((refusals.BAD_RATE, f"{helper} <= 0 OR {helper} > 1"))
    return _Column(helper, {helper: number}, faults)


def _truth(name: str, kind: str) -> _Column:
    raw, helper = _raw(name), quoted(f"truth {name}")
    if kind == "BOOLEAN":
        truth = raw
    elif kind in _WHOLE_TYPES | _WIDE_TYPES or _is_fraction(kind):
        truth = f"truth_of_whole({raw})"
    else:
        truth = f"truth_of_text({_as_text(raw, kind)})"
    return _Column(helper, {helper: truth}, [(refusals.NOT_TRUTH, _unread(helper, raw, kind))])


def _instant(name: str, kind: str, within: tuple[int, int] | None) -> _Column:
    raw, helper = _raw(name), quoted(f"us {name}")
    us = _microseconds(raw, kind)
    faults = [(refusals.NOT_TIME, _unread(helper, raw, kind))]
    if within is None:
        # Outside the years 1 to 9999 Python itself could not show the value.
        return _Column(
            f"CASE WHEN {helper} BETWEEN -62135596800000000 AND 253402300799999999 "
            f"THEN make_timestamp({helper}) END",
            {helper: us},
            faults,
        )
    first, last = within
    faults.append((refusals.TIME_OUT_OF_RANGE, f"{helper} < {first} OR {helper} >= {last}"))
    value = f"CASE WHEN {helper} >= {first} AND {helper} < {last} THEN make_timestamp({helper}) END"
    return _Column(value, {helper: us}, faults)


def _microseconds(raw: str, kind: str) -> str:
    if kind.startswith(("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")):
        return f"us_of_instant(TRY_CAST({raw} AS TIMESTAMPTZ))"
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return f"us_of_instant(TRY_CAST({raw} AS TIMESTAMP))"
    if kind in _WHOLE_TYPES:
        return f"us_of_whole({raw}::BIGINT)"
    if kind in _WIDE_TYPES:
        return f"us_of_whole(TRY_CAST({raw} AS BIGINT))"
    if _is_fraction(kind):
        return f"us_of_double({raw}::DOUBLE)"
    return f"us_of_text({_as_text(raw, kind)})"


def _date(name: str, kind: str) -> _Column:
    raw, helper = _raw(name), quoted(f"date {name}")
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        date = f"TRY_CAST({raw} AS DATE)"
    else:
        text = _as_text(raw, kind)
        date = f"coalesce(TRY_CAST({text} AS DATE), TRY_CAST(TRY_CAST({text} AS TIMESTAMP) AS DATE))"
    finite = f"CASE WHEN isfinite({date}) THEN {date} END"
    return _Column(helper, {helper: finite}, [(refusals.NOT_DATE, _unread(helper, raw, kind))])


def _names(name: str, kind: str) -> _Column:
    raw, helper = _raw(name), quoted(f"names {name}")
    if kind == "VARCHAR[]":
        return _Column(raw, {}, [])
    names = f"names_of_text({_as_text(raw, kind)})"
    return _Column(helper, {helper: names}, [(refusals.NOT_NAMES, _unread(helper, raw, kind))])
