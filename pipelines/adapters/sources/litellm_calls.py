"""What LiteLLM's payloads and its table have in common: they tell of the same calls in the same words.

Here: who called, how it ended, what it cost in tokens, what is no question to a language model. Not here: the
two formats (`litellm`, `litellm_spend`), bodies (`bodies`).
"""

from collections.abc import Mapping
from typing import Any

from pipelines.adapters.source import TEXT
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


OUTCOME = "status_of_litellm(doc.status, {0}.error_code, {0}.error_class, {0}.error_rate_limit_type)"
TOKENS = {
    "input_tokens": "doc.prompt_tokens",
    "output_tokens": "doc.completion_tokens",
    "cached_tokens": "coalesce(doc.metadata.usage_object.prompt_tokens_details.cached_tokens, "
    f"doc.metadata.usage_object.cache_read_input_tokens, {BODY_COLUMNS['cached_tokens']})",
    "reasoning_tokens": "coalesce(doc.metadata.usage_object.completion_tokens_details.reasoning_tokens, "
    f"{BODY_COLUMNS['reasoning_tokens']})",
}
IS_REQUEST = "is_model_call_of_litellm(doc.call_type)"
RETRIED = "(1 + whole_or_null(doc.metadata.attempted_retries))::VARCHAR"
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
