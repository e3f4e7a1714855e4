"""SQL that somebody else wrote: single expressions over named values, and nothing beyond them.

Here: what an expression may be made of, judged on DuckDB's own parse of it. Not here: where expressions come
from (`mapping`), the SQL that the sources of this package are written in.

An expression decides what a log's columns mean, so it must give the same answer for the same record, whoever
scans it and when, and must not reach anything but the record. Rather than naming what is dangerous, which
grows with every version of DuckDB, a closed list names what is useful.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import duckdb

from pipelines.errors import UsageError

_CLASSES = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "OPERATOR",
        "TYPE",
    }
)
"""Kinds of nodes in a parsed expression. What is missing: subqueries, windows, stars, parameters."""

FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "texts": (
        "ascii", "base64", "char_length", "chr", "concat", "concat_ws", "contains", "ends_with",
        "from_base64", "hex", "instr", "lcase", "left", "length", "lower", "ltrim", "nfc_normalize",
        "position", "prefix", "regexp_extract", "regexp_extract_all", "regexp_full_match", "regexp_matches",
        "regexp_replace", "regexp_split_to_array", "replace", "reverse", "right", "rtrim", "split",
        "split_part", "starts_with", "str_split", "string_split", "string_to_array", "strip_accents",
        "strlen", "strpos", "substr", "substring", "suffix", "translate", "trim", "ucase", "unhex", "upper",
        "url_decode", "array_to_string",
    ),
    "hashes": ("md5", "sha1", "sha256"),
    "numbers": (
        "abs", "ceil", "ceiling", "exp", "floor", "greatest", "isfinite", "isinf", "isnan", "least", "ln",
        "log", "log10", "log2", "mod", "pow", "power", "round", "sign", "sqrt", "trunc",
    ),
    "choices": ("coalesce", "if", "ifnull", "nullif"),
    "times": (
        "date_add", "date_diff", "date_part", "date_trunc", "datediff", "epoch", "epoch_ms", "epoch_ns",
        "epoch_us", "make_date", "make_timestamp", "make_timestamptz", "strftime", "strptime", "timezone",
        "to_days", "to_hours", "to_microseconds", "to_milliseconds", "to_minutes", "to_seconds",
        "to_timestamp", "try_strptime",
    ),
    "lists and structures": (
        "array_length", "element_at", "flatten", "len", "list_aggregate", "list_apply", "list_concat",
        "list_contains", "list_distinct", "list_element", "list_extract", "list_filter", "list_has",
        "list_max", "list_min", "list_position", "list_reverse", "list_slice", "list_sort", "list_sum",
        "list_transform", "list_value", "map_extract", "map_keys", "map_values", "struct_extract",
        "struct_pack", "array_extract", "array_slice",
    ),
    "JSON": (
        "from_json", "json_array_length", "json_contains", "json_exists", "json_extract",
        "json_extract_path_text", "json_extract_string", "json_keys", "json_type", "json_valid",
        "json_value", "to_json",
    ),
    "Stillwatch's own": (
        "answer_text", "client_address", "content_text", "dash_to_null", "first_address", "first_value_of",
        "is_json_text", "is_model_path", "json_object_or_null", "key_name", "key_of_header",
        "last_user_text", "messages_of", "ms_between", "n_images_of", "n_keys", "n_turns_of",
        "number_or_null", "opened_text", "path_of_url", "plus_tokens", "status_of_error",
        "status_of_exception", "stop_reason_of", "system_text", "tool_names_of", "truth_or_null",
        "whole_or_null",
    ),
}  # fmt: skip
"""What an expression may call. All of it depends on nothing but its arguments and costs in proportion to
them: no clock, chance, setting, variable, file, and nothing that repeats a text or counts up a range."""

_ZONE_OF = {"timezone": 0, "make_timestamptz": 6}
"""Functions that take a time zone, to the place of that argument."""

_OPERATORS = frozenset(
    {"+", "-", "*", "/", "//", "%", "||", "^", "**", "->", "->>", "~~", "!~~", "~~*", "!~~*", "~~~", "^@"}
)
_ALLOWED = frozenset(name for names in FUNCTIONS.values() for name in names) | _OPERATORS


def checked_expression(
    con: duckdb.DuckDBPyConnection, text: str, names: Collection[str], *, where: str
) -> str:
    """The expression as DuckDB writes it back, without comments, ready to stand in another statement.

    Parameters
    ----------
    names : values that it may speak of
    where : what a message calls it, for example `mapping.toml, columns.ts`

    Raises
    ------
    UsageError : it is no single expression, or uses what it may not.
    """
    (parsed,) = con.execute("SELECT json_serialize_sql($sql)", {"sql": f"SELECT (\n{text}\n)"}).fetchall()[0]
    tree = json.loads(parsed)
    if tree["error"]:
        raise UsageError(
            f"{where}: {_one_line(tree['error_message'])}",
            remedy="write one SQL expression as DuckDB has them",
        )
    node = tree["statements"][0]["node"] if len(tree["statements"]) == 1 else {}
    if not _is_one_expression(node):
        raise UsageError(
            f"{where}: more than one expression", remedy="write one SQL expression and nothing else"
        )
    for why, remedy in _faults(node["select_list"][0], frozenset(names)):
        raise UsageError(f"{where}: {why}", remedy=remedy)
    for zone in _zones(node["select_list"][0]):
        # Where a zone is unknown DuckDB stops even within TRY: a log must not name it, nor may it be wrong.
        if zone is None or not _is_zone(con, zone):
            raise UsageError(
                f"{where}: a time zone that is {'no constant' if zone is None else 'not known'}",
                remedy="write its name as the time zone database has it: timezone('Europe/Berlin', ...)",
            )
    (written,) = con.execute("SELECT json_deserialize_sql($tree)", {"tree": parsed}).fetchall()[0]
    return str(written).removeprefix("SELECT ")


def _is_one_expression(node: Mapping[str, Any]) -> bool:
    """A bare `SELECT expression`: no second column, no FROM, nothing around it."""
    around = ("where_clause", "group_expressions", "group_sets", "having", "sample", "qualify", "modifiers")
    return (
        node.get("type") == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"]["type"] == "EMPTY"
        and not node["cte_map"]["map"]
        and not any(node[part] for part in around)
    )


def _faults(node: Any, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a part of the tree and everything in it, with remedies."""
    if isinstance(node, list):
        for part in node:
            yield from _faults(part, names)
    elif isinstance(node, dict):
        if node.get("syntax_type") == "LAMBDA_KEYWORD":
            parameters = frozenset(_column_names(node["lhs"]))
            if not all(len(name) == 1 for name in parameters):
                yield "a lambda's parameter has more than one letter", "name it with one: lambda m: m.text"
            yield from _faults(node["expr"], names | parameters)
            return
        if "class" in node:
            yield from _own_faults(node, names)
        for part in node.values():
            yield from _faults(part, names)


def _own_faults(node: Mapping[str, Any], names: frozenset[str]) -> Iterator[tuple[str, str]]:
    kind = node["class"]
    if kind == "COLUMN_REF" and node["column_names"][0] not in names:
        yield (
            f"{_one_line(node['column_names'][0])} is not a value here",
            f"values here are {', '.join(sorted(names))}; name others under [fields]",
        )
    elif kind == "FUNCTION" and (node["schema"] or node["catalog"] or node["function_name"] not in _ALLOWED):
        yield (
            f"{_one_line(node['function_name'])} is not a function that a mapping may call",
            "docs/how-to/own-format.md lists those it may; write f(x) rather than x.f()",
        )
    elif kind == "FUNCTION" and node["function_name"] == "strptime" and "%Z" in json.dumps(node["arguments"]):
        yield "strptime stops at a time zone (%Z) that is not known", "write try_strptime"
    elif kind not in _CLASSES or node["type"] == "OPERATOR_UNPACK":
        yield (
            f"{kind.lower().replace('_', ' ')} is not part of a plain expression",
            "use values, operators, CASE, casts and functions of the record alone",
        )


def _zones(node: Any) -> Iterator[str | None]:
    """The time zones that a part of the tree names; None for one that is not written out."""
    if isinstance(node, list):
        for part in node:
            yield from _zones(part)
    elif isinstance(node, dict):
        at = _ZONE_OF.get(node["function_name"]) if node.get("class") == "FUNCTION" else None
        if at is not None and len(node["arguments"]) > at:
            zone = node["arguments"][at]["expression"].get("literal", {})
            yield zone["text"] if zone.get("kind") == "STRING" else None
        for part in node.values():
            yield from _zones(part)


def _is_zone(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    try:
        con.execute(
            "SELECT epoch_us(timezone($name::VARCHAR, TIMESTAMP '2025-06-01 12:00:00'))", {"name": name}
        ).fetchall()
    except duckdb.Error:
        return False
    return True


def _column_names(node: Any) -> Iterator[str]:
    """First names of all columns in a part of the tree."""
    if isinstance(node, list):
        for part in node:
            yield from _column_names(part)
    elif isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            yield node["column_names"][0]
        for part in node.values():
            yield from _column_names(part)


def _one_line(text: str) -> str:
    return " ".join(text.split())
