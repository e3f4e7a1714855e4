"""LiteLLM's logging callbacks: the StandardLoggingPayload that S3, GCS, Azure Blob and HTTP loggers write.

Here: its declaration; it has a request's parameters and its messages apart. Not here: the table of spend logs
(`litellm_spend`), what both have in common (`litellm_calls`).
"""

from pipelines.adapters.source import TEXT, Shapes, Source, Writing, has
from pipelines.adapters.sources.bodies import (
    BODY_COLUMNS,
    BODY_IGNORES,
    CHAT_CARRIED,
    REQUEST,
    RESPONSE,
    response_at,
)
from pipelines.adapters.sources.headers import REQUEST_HEADERS, STAINLESS
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
    is_request,
    metadata_at,
    outcome,
    tokens,
)

_CUSTOM_HEADERS = {name: TEXT for name in REQUEST_HEADERS if name.startswith("x-stainless-")}
_SDK = ", ".join(f'metadata.requester_custom_headers."x-stainless-{part}"' for part in STAINLESS)

_METADATA = {
    **IDENTITY,
    "user_api_key_hash": TEXT,
    "requester_custom_headers": _CUSTOM_HEADERS,
    "usage_object": USAGE,
}
_FAILED = "doc.status IS NOT DISTINCT FROM 'failure'"
_ANSWER = response_at("response")
_PAYLOAD_MESSAGES = Shapes(
    usual="doc.messages",
    is_odd="doc.messages IS NULL",
    of_any="coalesce(doc.messages, messages_of(line -> '$.messages'), "
    "messages_of(line -> '$.messages.messages'))",
)
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
        "metadata": _METADATA,
        "hidden_params": {"usage_object": USAGE},
        "error_information": ERROR,
        "model_parameters": {name: REQUEST[name] for name in REQUEST if name not in {"messages", "model"}},
        "messages": REQUEST["messages"],
        "response": RESPONSE,
    },
    steps=(
        {
            "metadata": metadata_at(_METADATA),
            "request": "struct_insert(doc.model_parameters, model := NULL::VARCHAR)",
            "messages": _PAYLOAD_MESSAGES,
            # A failed call has no answer, so nothing odd is looked for.
            "response": Shapes(
                usual=_ANSWER.usual, is_odd=f"NOT ({_FAILED}) AND {_ANSWER.is_odd}", of_any=_ANSWER.of_any
            ),
        },
        {
            "body_state": BODY_STATE
        },
    ),
    is_request=is_request("metadata.user_api_key_hash", "metadata.user_api_key_team_id"),
    columns={
        **BODY_COLUMNS,
        **TEXTS,
        **tokens("metadata.usage_object", "doc.hidden_params.usage_object"),
        **outcome("doc.status", "doc.error_information"),
        "request_id": f"coalesce({first('doc.id', 'doc.litellm_call_id')}, concat('line-', md5(line)))",
        "ts": "doc.startTime",
        "account_id": "person_of_litellm(metadata.user_api_key_user_id)",
        "org_id": "metadata.user_api_key_org_id",
        "project_id": first("metadata.user_api_key_project_id", "metadata.user_api_key_team_id"),
        "api_key_id": "key_name(metadata.user_api_key_hash)",
        "end_user_id": first(
            "person_of_agent(doc.end_user)", "metadata.user_api_key_end_user_id", BODY_COLUMNS["end_user_id"]
        ),
        "session_id": first("doc.session_id", BODY_COLUMNS["session_id"]),
        "trace_id": "doc.trace_id",
        "provider_request_id": f"without_cache_hit({first('response.id', 'doc.id')})",
        # the proxy's retries or the client's, which asks anew
        "attempt": "(1 + greatest(whole_or_null(metadata.attempted_retries), whole_or_null("
        'metadata.requester_custom_headers."x-stainless-retry-count")))::VARCHAR',
        "provider": "doc.custom_llm_provider",
        "model": first("doc.model_group", "doc.model"),
        "endpoint": f"without_query({first('metadata.user_api_key_request_route', 'doc.call_type')})",
        "stream": f"coalesce({first('doc.stream')}, ({BODY_COLUMNS['stream']})::VARCHAR)",
        "latency_ms": "ms_between(doc.startTime, doc.endTime)",
        "ip": f"first_address({first('doc.requester_ip_address', 'metadata.requester_ip_address')})",
        "user_agent": first("doc.user_agent", "metadata.user_agent"),
        "client_fingerprint": f"nullif(concat_ws(' ', {_SDK}), '')",
        "body_state": "body_state",
    },
    ignores=frozenset(
        {
            "status_fields", "saved_cache_cost", "cost_finalized", "response_cost", "cost_breakdown",
            "cache_hit",
            "cache_key", "total_tokens", "completionStartTime", "response_time", "request_tags", "api_base",
            "model_id", "hidden_params", "guardrail_information", "model_map_information", "error_str",
            "response_cost_failure_debug_info", "standard_built_in_tools_params",
            "request_model_access_groups",
            "error_information.*", "metadata.*", "model_parameters.*",
            "metadata.requester_custom_headers.*",
            *(f"metadata.usage_object.{part}" for part in USAGE_IGNORES),
        }
    )
    | {f"response.{name}" for name in BODY_IGNORES | {"tools", "tool_choice", "temperature", "top_p"}}
    | {"response.usage.*"},
    lacks=LACKS,
    writings={
        "litellm": Writing(
            "litellm",
            carries=frozenset(
                IDENTITY_CARRIED | CHAT_CARRIED | {"trace_id", "client_fingerprint"}
            ),
        )
    },
)  # fmt: skip
