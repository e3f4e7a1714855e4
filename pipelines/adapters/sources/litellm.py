"""LiteLLM: what its logging callbacks write (StandardLoggingPayload), and its table LiteLLM_SpendLogs.

Here: both, for they tell of the same calls in the same words: the names of keys, users and teams, the ways a
call fails. Not here: the bodies (`bodies`), reading the table from its database (`adapters.postgres`).

A payload has the request's parameters and its messages apart; a row of the table has the client's whole body,
when the proxy is told to store it, with the middle of long texts cut out.
"""

from collections.abc import Mapping
from typing import Any

from pipelines.adapters.source import TEXT, Shapes, Source, Writing, has, lacks
from pipelines.adapters.sources.bodies import (
    BODY_COLUMNS,
    BODY_IGNORES,
    MESSAGES,
    REQUEST,
    RESPONSE,
    request_at,
    response_at,
)
from pipelines.adapters.sources.headers import REQUEST_HEADERS, STAINLESS

_USAGE: Mapping[str, Any] = {
    "prompt_tokens_details": {"cached_tokens": TEXT},
    "completion_tokens_details": {"reasoning_tokens": TEXT},
    "cache_read_input_tokens": TEXT,
}
_ERROR = dict.fromkeys(("error_code", "error_class", "error_rate_limit_type"), TEXT)
_CUSTOM_HEADERS = {name: TEXT for name in REQUEST_HEADERS if name.startswith("x-stainless-")}
_SDK = ", ".join(f'doc.metadata.requester_custom_headers."x-stainless-{part}"' for part in STAINLESS)

_IDENTITY = dict.fromkeys(
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


def _first(*texts: str) -> str:
    """The first that is written: LiteLLM writes empty texts for what it does not know."""
    return f"coalesce({', '.join(f'nullif({text}, {chr(39)}{chr(39)})' for text in texts)})"


_OUTCOME = "status_of_litellm(doc.status, {0}.error_code, {0}.error_class, {0}.error_rate_limit_type)"
_TOKENS = {
    "input_tokens": "doc.prompt_tokens",
    "output_tokens": "doc.completion_tokens",
    "cached_tokens": "coalesce(doc.metadata.usage_object.prompt_tokens_details.cached_tokens, "
    f"doc.metadata.usage_object.cache_read_input_tokens, {BODY_COLUMNS['cached_tokens']})",
    "reasoning_tokens": "coalesce(doc.metadata.usage_object.completion_tokens_details.reasoning_tokens, "
    f"{BODY_COLUMNS['reasoning_tokens']})",
}
_IS_REQUEST = "is_model_call_of_litellm(doc.call_type)"
_RETRIED = "(1 + whole_or_null(doc.metadata.attempted_retries))::VARCHAR"
_LACKS = {
    "country, asn": "a mismatch of places within one account; the address alone is there",
    "refusal_category": "LiteLLM answers in OpenAI's words: why a provider refused is lost",
}
_IDENTITY_COLUMNS = {
    "account_id",
    "org_id",
    "project_id",
    "api_key_id",
    "end_user_id",
    "session_id",
    "request_id",
    "ts",
    "provider",
    "model",
    "endpoint",
    "attempt",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "status",
    "latency_ms",
    "ip",
    "user_agent",
}
_BODY_CARRIED = {
    "prompt",
    "system_prompt",
    "n_turns",
    "n_images",
    "temperature",
    "top_p",
    "max_tokens",
    "stream",
    "tool_names",
    "n_choices",
    "top_logprobs",
    "n_logit_bias",
    "response_format",
    "thinking",
    "response",
}

# -- the payload -----------------------------------------------------------------------------------

_FAILED = "doc.status IS NOT DISTINCT FROM 'failure'"
_ANSWER = response_at("response")
_PAYLOAD_MESSAGES = Shapes(
    usual="doc.messages",
    is_odd="doc.messages IS NULL",
    of_any="coalesce(doc.messages, messages_of(line -> '$.messages'), messages_of(line -> '$.messages.messages'))",
)
_READ_FROM_PAYLOAD = {
    name: f"CASE WHEN body_state <> 'redacted' THEN {BODY_COLUMNS[name]} END"
    for name in ("prompt", "system_prompt", "response")
}

LITELLM = Source(
    name="litellm",
    title="LiteLLM logging callbacks: StandardLoggingPayload in S3, GCS, Azure Blob or over HTTP",
    versions="LiteLLM 1.109.1 (read), 1.110.2 (recorded)",
    told_by=(
        (has("model_parameters"), has("hidden_params"), has("startTime"), has("call_type")),
        (has("model_parameters"), has("metadata.user_api_key_hash"), has("startTime")),
    ),
    structure={
        **dict.fromkeys(
            (
                "id",
                "trace_id",
                "session_id",
                "litellm_call_id",
                "call_type",
                "stream",
                "status",
                "custom_llm_provider",
                "model",
                "model_group",
                "prompt_tokens",
                "completion_tokens",
                "startTime",
                "endTime",
                "end_user",
                "requester_ip_address",
                "user_agent",
            ),
            TEXT,
        ),
        "metadata": {
            **_IDENTITY,
            "user_api_key_hash": TEXT,
            "requester_custom_headers": _CUSTOM_HEADERS,
            "usage_object": _USAGE,
        },
        "error_information": _ERROR,
        "model_parameters": {name: kind for name, kind in REQUEST.items() if name not in {"messages", "model"}},
        "messages": REQUEST["messages"],
        "response": RESPONSE,
    },
    steps=(
        {
            "request": "struct_insert(doc.model_parameters, model := NULL::VARCHAR)",
            "messages": _PAYLOAD_MESSAGES,
            # A failed call has no answer, so nothing odd is looked for.
            "response": Shapes(
                usual=_ANSWER.usual, is_odd=f"NOT ({_FAILED}) AND {_ANSWER.is_odd}", of_any=_ANSWER.of_any
            ),
        },
        {
            "body_state": "CASE WHEN messages IS NULL THEN 'absent' "
            "WHEN is_redacted_by_litellm(messages[-1].content) THEN 'redacted' "
            "WHEN is_cut_by_litellm(line) THEN 'truncated' ELSE 'full' END"
        },
    ),
    is_request=_IS_REQUEST,
    columns={
        **BODY_COLUMNS,
        **_READ_FROM_PAYLOAD,
        **_TOKENS,
        "request_id": f"coalesce({_first('doc.id', 'doc.litellm_call_id')}, concat('line-', md5(line)))",
        "ts": "doc.startTime",
        "account_id": "person_of_litellm(doc.metadata.user_api_key_user_id)",
        "org_id": "doc.metadata.user_api_key_org_id",
        "project_id": _first("doc.metadata.user_api_key_project_id", "doc.metadata.user_api_key_team_id"),
        "api_key_id": "key_name(doc.metadata.user_api_key_hash)",
        "end_user_id": _first(
            "doc.end_user", "doc.metadata.user_api_key_end_user_id", BODY_COLUMNS["end_user_id"]
        ),
        "session_id": _first("doc.session_id", BODY_COLUMNS["session_id"]),
        "trace_id": "doc.trace_id",
        "provider_request_id": f"without_cache_hit({_first('response.id', 'doc.id')})",
        "attempt": _RETRIED,
        "provider": "doc.custom_llm_provider",
        "model": _first("doc.model_group", "doc.model"),
        "endpoint": f"without_query({_first('doc.metadata.user_api_key_request_route', 'doc.call_type')})",
        "stream": f"coalesce({_first('doc.stream')}, ({BODY_COLUMNS['stream']})::VARCHAR)",
        "status": _OUTCOME.format("doc.error_information"),
        "latency_ms": "ms_between(doc.startTime, doc.endTime)",
        "ip": f"first_address({_first('doc.requester_ip_address', 'doc.metadata.requester_ip_address')})",
        "user_agent": _first("doc.user_agent", "doc.metadata.user_agent"),
        "client_fingerprint": f"nullif(concat_ws(' ', {_SDK}), '')",
        "body_state": "body_state",
    },
    ignores=frozenset(
        {
            "status_fields", "saved_cache_cost", "cost_finalized", "response_cost", "cost_breakdown", "cache_hit",
            "cache_key", "total_tokens", "completionStartTime", "response_time", "request_tags", "api_base",
            "model_id", "hidden_params", "guardrail_information", "model_map_information", "error_str",
            "response_cost_failure_debug_info", "standard_built_in_tools_params", "request_model_access_groups",
            "error_information.*", "metadata.*", "metadata.usage_object.*", "model_parameters.*",
            "metadata.requester_custom_headers.*", "metadata.usage_object.prompt_tokens_details.*",
            "metadata.usage_object.completion_tokens_details.*",
        }
    )
    | {f"response.{name}" for name in BODY_IGNORES | {"tools", "tool_choice", "temperature", "top_p"}}
    | {"response.usage.*"},
    lacks=_LACKS,
    writings={
        "litellm": Writing(
            "litellm",
            carries=frozenset(
                _IDENTITY_COLUMNS | _BODY_CARRIED | {"trace_id", "provider_request_id", "client_fingerprint"}
            ),
        )
    },
)  # fmt: skip

# -- the table -------------------------------------------------------------------------------------

_BODY = request_at("proxy_server_request")
_STORED = response_at("response")


def _if_text(name: str, shapes: Shapes) -> Shapes:
    """Odd only where the body is a text: a proxy that stores none writes {}."""
    is_text = (
        f"""(contains(line, '"{name}":"') OR contains(line, '"{name}": "') OR contains(line, '"{name}":['))"""
    )
    return Shapes(shapes.usual, f"{shapes.is_odd} AND {is_text}", shapes.of_any)


SPEND = Source(
    name="litellm-spend",
    title="LiteLLM's table LiteLLM_SpendLogs: exports, or the table itself in PostgreSQL",
    versions="LiteLLM 1.109.1 and 1.110.2 (schema read)",
    told_by=(
        (has("request_id"), has("api_key"), has("call_type"), has("startTime"), has("endTime"), lacks("model_parameters")),
    ),
    structure={
        **dict.fromkeys(
            (
                "request_id",
                "call_type",
                "api_key",
                "prompt_tokens",
                "completion_tokens",
                "startTime",
                "endTime",
                "request_duration_ms",
                "model",
                "model_group",
                "custom_llm_provider",
                "user",
                "team_id",
                "organization_id",
                "end_user",
                "requester_ip_address",
                "session_id",
                "status",
            ),
            TEXT,
        ),
        "metadata": {
            **_IDENTITY,
            "status": TEXT,
            "user_api_key": TEXT,
            "error_information": _ERROR,
            "usage_object": _USAGE,
        },
        "messages": REQUEST["messages"],
        "response": RESPONSE,
        "proxy_server_request": REQUEST,
    },
    steps=(
        {
            "request": _if_text("proxy_server_request", _BODY),
            "response": _if_text("response", _STORED),
        },
        {"messages": f"coalesce({MESSAGES}, doc.messages)"},
        {
            "body_state": "CASE WHEN messages IS NULL THEN 'absent' "
            "WHEN is_redacted_by_litellm(messages[-1].content) THEN 'redacted' "
            "WHEN is_cut_by_litellm(line) THEN 'truncated' ELSE 'full' END"
        },
    ),
    is_request=_IS_REQUEST,
    columns={
        **BODY_COLUMNS,
        **_READ_FROM_PAYLOAD,
        **_TOKENS,
        "request_id": "doc.request_id",
        "ts": "doc.startTime",
        "account_id": f"person_of_litellm({_first('doc.user', 'doc.metadata.user_api_key_user_id')})",
        "org_id": _first("doc.organization_id", "doc.metadata.user_api_key_org_id"),
        "project_id": _first("doc.metadata.user_api_key_project_id", "doc.team_id"),
        "api_key_id": f"key_name({_first('doc.api_key', 'doc.metadata.user_api_key')})",
        "end_user_id": _first("doc.end_user", BODY_COLUMNS["end_user_id"]),
        "session_id": _first("doc.session_id", BODY_COLUMNS["session_id"]),
        "provider_request_id": "without_cache_hit(doc.request_id)",
        "attempt": _RETRIED,
        "provider": "doc.custom_llm_provider",
        "model": _first("doc.model_group", BODY_COLUMNS["model"], "doc.model"),
        "endpoint": f"without_query({_first('doc.metadata.user_api_key_request_route', 'doc.call_type')})",
        "status": _OUTCOME.replace("doc.status", "coalesce(doc.status, doc.metadata.status)").format(
            "doc.metadata.error_information"
        ),
        "latency_ms": "ms_between(doc.startTime, doc.endTime)",
        "ip": f"first_address({_first('doc.requester_ip_address', 'doc.metadata.requester_ip_address')})",
        "user_agent": "doc.metadata.user_agent",
        "body_state": "body_state",
    },
    ignores=frozenset(
        {
            "spend", "total_tokens", "completionStartTime", "request_duration_ms", "model_id", "api_base",
            "cache_hit", "cache_key", "request_tags", "mcp_namespaced_tool_name", "billing_agent_id", "agent_id",
            "litellm_call_id", "created_at", "updated_at", "metadata.*", "metadata.error_information.*",
            "metadata.usage_object.*", "metadata.usage_object.prompt_tokens_details.*",
            "metadata.usage_object.completion_tokens_details.*",
        }
    )
    | {f"proxy_server_request.{name}" for name in BODY_IGNORES}
    | {f"response.{name}" for name in BODY_IGNORES | {"tools", "tool_choice", "temperature", "top_p"}}
    | {"response.usage.*"},
    lacks={
        **_LACKS,
        "prompt, system_prompt, tool_names, sampling, logits": "unless the proxy has store_prompts_in_spend_logs: "
        "everything about content",
        "response": "the same",
        "trace_id, client_fingerprint": "links through traces and through what clients say of themselves",
    },
    writings={
        "litellm-spend": Writing("litellm_spend", carries=frozenset(_IDENTITY_COLUMNS | _BODY_CARRIED))
    },
)  # fmt: skip
