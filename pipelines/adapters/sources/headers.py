"""HTTP headers of a logged call: which are read, and how, whoever's log they lie in.

Here: the few that say who called with what. Not here: any that is a secret: of an authorization header a
source keeps no more than the hash (`key_of_header` in `sql/bodies.sql`).
"""

import json
from collections.abc import Mapping
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


def headers_at(path: str, names: Mapping[str, str]) -> Shapes:
    """A step: a struct of the headers, by their names in lower case with underscores for hyphens.

    They are parsed with the record when the log has them in lower case, as HTTP/2 does; else by themselves,
    in the spelling of HTTP/1 (User-Agent).

    Parameters
    ----------
    path : keys to the headers from the top of the record, joined by dots; its structure is `names`
    """
    titled = json.dumps({name.title(): TEXT for name in names})
    by_title = ", ".join(f"'{underscored(name)}': first_value_of(h.\"{name.title()}\")" for name in names)
    as_read = ", ".join(f"'{underscored(name)}': first_value_of(doc.{path}.\"{name}\")" for name in names)
    none_read = " AND ".join(f'doc.{path}."{name}" IS NULL' for name in names)
    is_odd = f"{none_read} AND contains(line, '\"{path.rsplit('.', maxsplit=1)[-1]}\"')"
    other = f"list_transform([json_transform(line -> '$.{path}', '{titled}')], lambda h: {{{by_title}}})[1]"
    return Shapes(
        usual=f"{{{as_read}}}",
        is_odd=is_odd,
        of_any=f"CASE WHEN {is_odd} THEN {other} ELSE {{{as_read}}} END",
    )
