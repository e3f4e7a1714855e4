"""LiteLLM's table LiteLLM_SpendLogs: exports of it in any container, and rows fetched from its database.

Here: its declaration; a row has the client's whole body when the proxy is told to store it, with the middle
of long texts cut out. Not here: payloads of callbacks (`litellm`), what both have in common
(`litellm_calls`), fetching (`adapters.database`).
"""

from pipelines.adapters.source import TEXT, Shapes, Source, Writing, has, lacks
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
    IS_REQUEST,
    LACKS,
    OUTCOME,
    RETRIED,
    TEXTS,
    TOKENS,
    USAGE,
    first,
)

_BODY = request_at("proxy_server_request")
_STORED = response_at("response")


def _if_text(name: str, shapes: Shapes) -> Shapes:
    """Odd only where the body is a text: a proxy that stores none writes {}."""
    is_text = (
        f"""(contains(line, '"{name}":"') OR contains(line, '"{name}": "') OR contains(line, '"{name}":['))"""
    )
    return Shapes(shapes.usual, f"CASE WHEN {shapes.is_odd} THEN {is_text} ELSE false END", shapes.of_any)


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
        "metadata": {
            **IDENTITY,
            "status": TEXT,
            "user_api_key": TEXT,
            "error_information": ERROR,
            "usage_object": USAGE,
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
            "body_state": BODY_STATE
        },
    ),
    is_request=IS_REQUEST,
    columns={
        **BODY_COLUMNS,
        **TEXTS,
        **TOKENS,
        "request_id": "doc.request_id",
        "ts": "doc.startTime",
        "account_id": f"person_of_litellm({first('doc.user', 'doc.metadata.user_api_key_user_id')})",
        "org_id": first("doc.organization_id", "doc.metadata.user_api_key_org_id"),
        "project_id": first("doc.metadata.user_api_key_project_id", "doc.team_id"),
        "api_key_id": f"key_name({first('doc.api_key', 'doc.metadata.user_api_key')})",
        "end_user_id": first("doc.end_user", BODY_COLUMNS["end_user_id"]),
        "session_id": first("doc.session_id", BODY_COLUMNS["session_id"]),
        "provider_request_id": "without_cache_hit(doc.request_id)",
        "attempt": RETRIED,
        "provider": "doc.custom_llm_provider",
        "model": first("doc.model_group", BODY_COLUMNS["model"], "doc.model"),
        "endpoint": f"without_query({first('doc.metadata.user_api_key_request_route', 'doc.call_type')})",
        "status": OUTCOME.replace("doc.status", "coalesce(doc.status, doc.metadata.status)").format(
            "doc.metadata.error_information"
        ),
        "latency_ms": "ms_between(doc.startTime, doc.endTime)",
        "ip": f"first_address({first('doc.requester_ip_address', 'doc.metadata.requester_ip_address')})",
        "user_agent": "doc.metadata.user_agent",
        "body_state": "body_state",
    },
    ignores=frozenset(
        {
            "spend", "total_tokens", "completionStartTime", "request_duration_ms", "model_id", "api_base",
            "cache_hit", "cache_key", "request_tags", "mcp_namespaced_tool_name", "billing_agent_id",
            "agent_id",
            "litellm_call_id", "created_at", "updated_at", "metadata.*", "metadata.error_information.*",
            "metadata.usage_object.*", "metadata.usage_object.prompt_tokens_details.*",
            "metadata.usage_object.completion_tokens_details.*",
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
