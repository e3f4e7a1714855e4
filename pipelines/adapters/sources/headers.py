"""HTTP headers of a logged call: which are read, and how, whoever's log they lie in.

Here: the few that say who called with what. Not here: any that is a secret: of an authorization header a
source keeps no more than the hash (`key_of_header` in `sql/bodies.sql`).
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pipelines.adapters.source import TEXT, Shapes

STAINLESS = ("lang", "package-version", "os", "arch", "runtime", "runtime-version")
"""What the official OpenAI and Anthropic clients say of themselves, each as header x-stainless-..."""

REQUEST_HEADERS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "user-agent",
            "x-forwarded-for",
            "authorization",
            "x-api-key",
            "api-key",
            "x-goog-api-key",
            "anthropic-user-profile-id",
            "x-stainless-retry-count",
            *(f"x-stainless-{part}" for part in STAINLESS),
        ),
        TEXT,
    )
)

RESPONSE_HEADERS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "x-request-id",
            "request-id",
            "openai-organization",
            "openai-project",
            "anthropic-organization-id",
        ),
        TEXT,
    )
)


def underscored(name: str) -> str:
    """A header's name as SQL can say it without quotes."""
    return name.replace("-", "_")


_SPELLED = MappingProxyType(
    {
        "x-stainless-os": "X-Stainless-OS",
        "x-api-key": "X-API-Key",
        "x-request-id": "X-Request-ID",
        "openai-organization": "OpenAI-Organization",
        "openai-project": "OpenAI-Project",
    }
)
"""Headers whose senders spell them otherwise than by capitals after hyphens."""

_TELLING = ("user-agent", "x-stainless-lang")
_CLIENTS = ("OpenAI/", "AsyncOpenAI/", "Anthropic/", "AsyncAnthropic/")
"""How the user agents of those clients begin."""


def headers_at(
    path: str, names: Mapping[str, str], needed: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Shapes:
    """A step: a struct of the headers, by their names in lower case with underscores for hyphens.

    They are parsed with the record when the log has them in lower case, as HTTP/2 does; else by themselves,
    in the spelling of HTTP/1 (User-Agent). One call may have both: over HTTP/1 the official clients write the
    retry count small and the rest large, or the other way round.

    Parameters
    ----------
    path : keys to the headers from the top of the record, joined by dots; its structure is `names`
    needed : SQL that says what the record does not say itself, to headers that would: these are looked for
        in capitals as well where there are none in lower case
    """
    titled = json.dumps({name.title(): TEXT for name in names})
    as_read = ", ".join(f"'{underscored(name)}': first_value_of({_read(path, name)})" for name in names)
    either = ", ".join(f"'{underscored(name)}': {_in_any_spelling(path, name)}" for name in names)
    is_odd = " OR ".join(
        f"({sql})"
        for sql in (
            _none_read(path, names),
            _mixed(path, names),
            *(_missed(path, without, wanted) for without, wanted in needed.items()),
        )
    )
    parsed = f"list_transform([json_transform(t, '{titled}')], lambda h: {{{either}}})[1]"
    both = f"list_transform([line -> '$.{path}'], lambda t: {parsed})[1]"
    return Shapes(
        usual=f"{{{as_read}}}",
        is_odd=is_odd,
        of_any=f"CASE WHEN {is_odd} THEN {both} ELSE {{{as_read}}} END",
    )


def small_headers_at(path: str, names: Mapping[str, str]) -> str:
    """The same for logs that have all headers in lower case, as servers on OpenResty write them."""
    as_read = ", ".join(f"'{underscored(name)}': first_value_of({_read(path, name)})" for name in names)
    return f"{{{as_read}}}"


def _in_any_spelling(path: str, name: str) -> str:
    """SQL over `t`, the headers' text, and `h`, those in HTTP/1's spelling, which is Go's too."""
    values = [_read(path, name), f'h."{name.title()}"']
    if name in _SPELLED:  # a struct of DuckDB's cannot hold two names that differ in case alone
        values.append(f"(t ->> '$.\"{_SPELLED[name]}\"')")
    return f"coalesce({', '.join(f'first_value_of({value})' for value in values)})"


def _read(path: str, name: str) -> str:
    return f'doc.{path}."{name}"'


def _none_read(path: str, names: Mapping[str, str]) -> str:
    """There are headers, and none of them in lower case."""
    none = " AND ".join(f"{_read(path, name)} IS NULL" for name in names)
    return f"doc.{path} IS NOT NULL AND {none}"


def _mixed(path: str, names: Mapping[str, str]) -> str:
    """Some in lower case, others not; the text is searched only where a telling header was not read."""
    if not set(_TELLING) <= names.keys():
        return "false"
    agent, language = (_read(path, name) for name in _TELLING)
    is_client = " OR ".join(f"starts_with({agent}, '{start}')" for start in _CLIENTS)
    return (
        f"CASE WHEN doc.{path} IS NULL THEN false WHEN {agent} IS NULL THEN contains(line, 'User-Agent') "
        f"WHEN {language} IS NULL AND ({is_client}) THEN contains(line, 'X-Stainless-Lang') ELSE false END"
    )


def _missed(path: str, without: str, wanted: Sequence[str]) -> str:
    """None of these in lower case, though the record needs one, and one in capitals somewhere in its text."""
    none = " AND ".join(f"{_read(path, name)} IS NULL" for name in wanted)
    spellings = [s for name in wanted for s in (name.title(), _SPELLED.get(name)) if s]
    in_capitals = " OR ".join(f"contains(line, '{spelling}')" for spelling in spellings)
    return (
        f"CASE WHEN doc.{path} IS NULL THEN false WHEN {without} AND {none} THEN {in_capitals} ELSE false END"
    )
