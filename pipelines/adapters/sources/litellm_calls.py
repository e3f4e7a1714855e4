"""What LiteLLM's payloads and its table have in common: they tell of the same calls in the same words.

Here: who called, how it ended, what it cost in tokens, what is no question to a language model. Not here: the
two formats (`litellm`, `litellm_spend`), bodies (`bodies`).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipelines.adapters.adapter import literal
from pipelines.adapters.source import TEXT, Shapes, Structure
from pipelines.adapters.sources.bodies import BODY_COLUMNS

USAGE: Mapping[str, Any] = {
    "prompt_tokens_details": {"cached_tokens": TEXT},
    "completion_tokens_details": {"reasoning_tokens": TEXT},
    "cache_read_input_tokens": TEXT,
}
ERROR = dict.fromkeys(("error_code", "error_class", "error_rate_limit_type"), TEXT)

IDENTITY = dict.fromkeys(
    (
        "user_api_key_user_id",
        "user_api_key_project_id",
        "user_api_key_team_id",
        "user_api_key_org_id",
        "user_api_key_end_user_id",
        "user_api_key_request_route",
        "requester_ip_address",
        "user_agent",
        "attempted_retries",
    ),
    TEXT,
)


def first(*texts: str) -> str:
    """The first that is written: LiteLLM writes empty texts for what it does not know."""
    return f"coalesce({', '.join(f'nullif({text}, {chr(39)}{chr(39)})' for text in texts)})"


def if_text(name: str, shapes: Shapes) -> Shapes:
    """Odd only where this field is a text: a proxy that stores no bodies writes {}."""
    is_text = (
        f"""(contains(line, '"{name}":"') OR contains(line, '"{name}": "') OR contains(line, '"{name}":['))"""
    )
    return replace(shapes, is_odd=f"CASE WHEN {shapes.is_odd} THEN {is_text} ELSE false END")


def metadata_at(structure: Structure) -> Shapes:
    """The step `metadata`: parsed with the record, or by itself where a logger wrote it as a JSON text."""
    opened = f"TRY(json_transform(line ->> '$.metadata', {literal(json.dumps(structure, default=dict))}))"
    is_odd = " AND ".join(f"doc.metadata.{name} IS NULL" for name in IDENTITY)
    shapes = Shapes(
        usual="doc.metadata",
        is_odd=is_odd,
        of_any=f"CASE WHEN {is_odd} THEN coalesce({opened}, doc.metadata) ELSE doc.metadata END",
        body_at=("metadata",),
    )
    return if_text("metadata", shapes)


def outcome(state: str, error: str) -> dict[str, str]:
    """Columns that say how a call ended, from its status in LiteLLM's words and its error information."""
    return {
        "status": f"status_of_litellm({state}, {error}.error_code, {error}.error_class, "
        f"{error}.error_rate_limit_type)",
        "stop_reason": f"coalesce({BODY_COLUMNS['stop_reason']}, "
        f"stop_of_failure_in_litellm({state}, {error}.error_class))",
    }


def tokens(*usages: str) -> dict[str, str]:
    """Token columns, the details from the first of these places that has them; versions differ in it."""
    cached = ", ".join(
        f"{u}.prompt_tokens_details.cached_tokens, {u}.cache_read_input_tokens" for u in usages
    )
    reasoning = ", ".join(f"{u}.completion_tokens_details.reasoning_tokens" for u in usages)
    return {
        "input_tokens": "doc.prompt_tokens",
        "output_tokens": "doc.completion_tokens",
        "cached_tokens": f"coalesce({cached}, {BODY_COLUMNS['cached_tokens']})",
        "reasoning_tokens": f"coalesce({reasoning}, {BODY_COLUMNS['reasoning_tokens']})",
    }


def is_request(key: str, team: str) -> str:
    """SQL of `Source.is_request`: a question to a model, and not one of the proxy's own."""
    return f"is_model_call_of_litellm(doc.call_type) AND NOT is_health_check_of_litellm({key}, {team})"


LACKS = {
    "country, asn": "a mismatch of places within one account; the address alone is there",
    "refusal_category": "LiteLLM answers in OpenAI's words: why a provider refused is lost",
}
IDENTITY_CARRIED = {
    "account_id",
    "org_id",
    "project_id",
    "api_key_id",
    "end_user_id",
    "session_id",
    "request_id",
    "ts",
    "provider",
    "endpoint",
    "attempt",
    "status",
    "latency_ms",
    "ip",
    "user_agent",
}
USAGE_IGNORES = ("*", "prompt_tokens_details.*", "completion_tokens_details.*")
BODY_STATE = (
    "CASE WHEN messages IS NULL THEN 'absent' "
    "WHEN is_redacted_by_litellm(messages[-1].content) THEN 'redacted' "
    "WHEN is_cut_by_litellm(line) THEN 'truncated' ELSE 'full' END"
)
"""SQL of the step `body_state`."""

TEXTS = {
    name: f"CASE WHEN body_state <> 'redacted' THEN {BODY_COLUMNS[name]} END"
    for name in ("prompt", "system_prompt", "response")
}
"""What a redacted body does not tell."""
