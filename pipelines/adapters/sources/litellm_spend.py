"""LiteLLM's table LiteLLM_SpendLogs: exports of it in any container, and rows fetched from its database.

Here: its declaration; a row has the client's whole body when the proxy is told to store it, with the middle
of long texts cut out. Not here: payloads of callbacks (`litellm`), what both have in common
(`litellm_calls`), fetching (`adapters.database`).
"""

from pipelines.adapters.source import TEXT, Source, Writing, has, lacks
from pipelines.adapters.sources.bodies import (
    BODY_COLUMNS,
    BODY_IGNORES,
    CHAT_CARRIED,
    MESSAGES,
    REQUEST,
    RESPONSE,
    request_at,
    response_at,
)
from pipelines.adapters.sources.litellm_calls import (
    BODY_STATE,
    ERROR,
    IDENTITY,
    IDENTITY_CARRIED,
    LACKS,
    TEXTS,
    USAGE,
    USAGE_IGNORES,
    first,
    if_text,
    is_request,
    metadata_at,
    outcome,
    tokens,
)

_BODY = request_at("proxy_server_request")
_STORED = response_at("response")
_USAGES = ("usage_object", "additional_usage_values")
"""Where versions write what a provider counted."""
_METADATA = {
    **IDENTITY,
    "status": TEXT,
    "user_api_key": TEXT,
    "error_information": ERROR,
    **dict.fromkeys(_USAGES, USAGE),
}

SPEND = Source(
    name="litellm-spend",
    title="LiteLLM's table LiteLLM_SpendLogs: exports, or the table itself in PostgreSQL",
    versions="LiteLLM 1.109.1 and 1.110.2 (schema read)",
    told_by=(
        (
            *map(has, ("request_id", "api_key", "call_type", "startTime", "endTime")),
            lacks("model_parameters"),
        ),
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
        "metadata": _METADATA,
        "messages": REQUEST["messages"],
        "response": RESPONSE,
        "proxy_server_request": REQUEST,
    },
    steps=(
        {
            "metadata": metadata_at(_METADATA),
            "request": if_text("proxy_server_request", _BODY),
            "response": if_text("response", _STORED),
        },
        {"messages": f"coalesce({MESSAGES}, doc.messages)"},
        {
            "body_state": BODY_STATE
        },
    ),
    is_request=is_request("doc.api_key", "doc.team_id"),
    columns={
        **BODY_COLUMNS,
        **TEXTS,
        **tokens(*(f"metadata.{name}" for name in _USAGES)),
        **outcome("coalesce(doc.status, metadata.status)", "metadata.error_information"),
        "request_id": "doc.request_id",
        "ts": "doc.startTime",
        "account_id": f"person_of_litellm({first('doc.user', 'metadata.user_api_key_user_id')})",
        "org_id": first("doc.organization_id", "metadata.user_api_key_org_id"),
        "project_id": first("metadata.user_api_key_project_id", "doc.team_id"),
        "api_key_id": f"key_name({first('doc.api_key', 'metadata.user_api_key')})",
        "end_user_id": first("person_of_agent(doc.end_user)", BODY_COLUMNS["end_user_id"]),
        "session_id": first("doc.session_id", BODY_COLUMNS["session_id"]),
        "provider_request_id": "without_cache_hit(doc.request_id)",
        "attempt": "attempt_of_retries(metadata.attempted_retries)",
        "provider": "doc.custom_llm_provider",
        "model": first("doc.model_group", BODY_COLUMNS["model"], "doc.model"),
        "endpoint": f"without_query({first('metadata.user_api_key_request_route', 'doc.call_type')})",
        "latency_ms": "ms_between(doc.startTime, doc.endTime)",
        "ip": f"first_address({first('doc.requester_ip_address', 'metadata.requester_ip_address')})",
        "user_agent": "metadata.user_agent",
        "body_state": "body_state",
    },
    ignores=frozenset(
        {
            "spend", "total_tokens", "completionStartTime", "request_duration_ms", "model_id", "api_base",
            "cache_hit", "cache_key", "request_tags", "mcp_namespaced_tool_name", "billing_agent_id",
            "agent_id",
            "litellm_call_id", "created_at", "updated_at", "metadata.*", "metadata.error_information.*",
            *(f"metadata.{name}.{part}" for name in _USAGES for part in USAGE_IGNORES),
        }
    )
    | {f"proxy_server_request.{name}" for name in BODY_IGNORES}
    | {f"response.{name}" for name in BODY_IGNORES | {"tools", "tool_choice", "temperature", "top_p"}}
    | {"response.usage.*"},
    lacks={
        **LACKS,
        "prompt, system_prompt, tool_names, sampling, logits, response": "unless the proxy has "
        "store_prompts_in_spend_logs: everything about content",
        "trace_id, client_fingerprint": "links through traces and through what clients say of themselves",
    },
    writings={
        "litellm-spend": Writing(
            "litellm_spend", carries=CHAT_CARRIED - {"provider_request_id"} | IDENTITY_CARRIED
        )
    },
)  # fmt: skip
