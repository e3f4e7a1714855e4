"""The format `gateway`: one JSON record per call, the client's and the provider's body inside as they were.

Here: the envelope that any proxy can write in a few lines. Not here: the bodies (`bodies`), which are read
for every source alike and may differ from record to record: Chat Completions, Responses and Messages lie in
one log.
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
from pipelines.adapters.sources.headers import (
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    STAINLESS,
    headers_at,
    underscored,
)

_SDK = ", ".join(f"headers.{underscored(f'x-stainless-{part}')}" for part in STAINLESS)

_ENVELOPE = dict.fromkeys(
    (
        "id",
        "ts",
        "end_ts",
        "latency_ms",
        "method",
        "path",
        "status",
        "attempt",
        "provider",
        "model",
        "account_id",
        "org_id",
        "project_id",
        "key_id",
        "end_user_id",
        "session_id",
        "trace_id",
        "client_ip",
        "country",
        "asn",
        "ja3",
        "ja4",
        "sample_rate",
    ),
    TEXT,
)

_NEEDED = {
    "doc.key_id IS NULL": ("authorization", "x-api-key"),
    "doc.client_ip IS NULL": ("x-forwarded-for",),
}
"""What only headers say where the gateway does not."""

_ENVELOPE_CARRIED = frozenset(
    {
        "request_id",
        "ts",
        "account_id",
        "org_id",
        "project_id",
        "api_key_id",
        "end_user_id",
        "session_id",
        "trace_id",
        "attempt",
        "provider",
        "endpoint",
        "status",
        "latency_ms",
        "ip",
        "country",
        "asn",
        "user_agent",
        "client_fingerprint",
        "sample_rate",
    }
)

GATEWAY = Source(
    name="gateway",
    title="Gateway capture with OpenAI or Anthropic bodies",
    versions="OpenAI API 2.3.0, Anthropic SDK 0.40 to 2.12",
    told_by=(
        (has("ts"), has("request.messages")),
        (has("ts"), has("request.input")),
        (has("ts"), has("request.prompt"), has("request.model")),
        (has("ts"), has("request"), has("response.choices")),
        (has("ts"), has("request"), has("response.object", "response")),
        (has("ts"), has("request"), has("response.type", "message", "error")),
        # Bodies switched off or masked: names that our own columns do not have.
        (has("ts"), has("path"), has("key_id"), lacks("request_id")),
        (has("ts"), has("path"), has("client_ip"), lacks("request_id")),
    ),
    structure={
        **_ENVELOPE,
        "headers": REQUEST_HEADERS,
        "response_headers": RESPONSE_HEADERS,
        "request": REQUEST,
        "response": RESPONSE,
    },
    steps=(
        {
            "request": request_at("request"),
            "response": response_at("response"),
            "headers": headers_at("headers", REQUEST_HEADERS, _NEEDED),
            "response_headers": headers_at("response_headers", RESPONSE_HEADERS),
        },
        {"messages": MESSAGES},
    ),
    is_request="is_question(doc.method, doc.path, messages IS NOT NULL, "
    "len(response.choices) > 0 OR len(response.content) > 0 OR len(response.output) > 0)",
    columns={
        **BODY_COLUMNS,
        "request_id": "coalesce(doc.id, response_headers.x_request_id, "
        "response.id, concat('line-', md5(line)))",
        "ts": "doc.ts",
        "account_id": "doc.account_id",
        "org_id": "coalesce(doc.org_id, "
        "response_headers.openai_organization, "
        "response_headers.anthropic_organization_id)",
        "project_id": "coalesce(doc.project_id, response_headers.openai_project)",
        "api_key_id": "coalesce(key_name(doc.key_id), "
        "key_of_header(headers.authorization), "
        "key_of_header(headers.x_api_key), "
        "key_of_header(headers.api_key), "
        "key_of_header(headers.x_goog_api_key))",
        "end_user_id": f"coalesce(doc.end_user_id, {BODY_COLUMNS['end_user_id']}, "
        "headers.anthropic_user_profile_id)",
        "session_id": f"coalesce(doc.session_id, {BODY_COLUMNS['session_id']})",
        "trace_id": "doc.trace_id",
        "provider_request_id": "coalesce(response.id, response_headers.request_id)",
        "attempt": "CASE WHEN doc.attempt IS NOT NULL THEN doc.attempt "
        "ELSE attempt_of_retries(headers.x_stainless_retry_count) END",
        "provider": "coalesce(doc.provider, CASE WHEN response.type = 'message' THEN 'anthropic' "
        "WHEN response.object = 'response' THEN 'openai' END)",
        "model": f"coalesce({BODY_COLUMNS['model']}, doc.model)",
        "endpoint": "without_query(doc.path)",
        "status": f"coalesce(doc.status, ({BODY_COLUMNS['status']})::VARCHAR)",
        "latency_ms": "CASE WHEN doc.latency_ms IS NOT NULL THEN doc.latency_ms "
        "ELSE ms_between(doc.ts, doc.end_ts)::VARCHAR END",
        "ip": "coalesce(first_address(doc.client_ip), first_address(headers.x_forwarded_for))",
        "country": "doc.country",
        "asn": "doc.asn",
        "user_agent": "dash_to_null(headers.user_agent)",
        "client_fingerprint": f"coalesce(doc.ja4, doc.ja3, nullif(concat_ws(' ', {_SDK}), ''))",
        "sample_rate": "doc.sample_rate",
    },
    ignores=frozenset({"query", "headers.*", "response_headers.*"})
    | {f"request.{name}" for name in BODY_IGNORES}
    | {f"response.{name}" for name in BODY_IGNORES | {"tools", "temperature", "top_p", "metadata"}},
    lacks={
        "refusal_category": "only Anthropic bodies have it: what a provider itself took for extraction",
        "country, asn": "unless the gateway adds them: a mismatch of places within one account",
        "top_logprobs, n_logit_bias": "Anthropic bodies have none: soft labels show in OpenAI bodies alone",
    },
    writings={
        "gateway-chat": Writing("gateway_chat", carries=_ENVELOPE_CARRIED | CHAT_CARRIED),
        "gateway-responses": Writing(
            "gateway_responses",
            carries=_ENVELOPE_CARRIED | CHAT_CARRIED - {"n_choices", "n_logit_bias", "stop_reason"},
        ),
        "gateway-messages": Writing(
            "gateway_messages",
            carries=_ENVELOPE_CARRIED
            | {"refusal_category"}
            | CHAT_CARRIED - {"n_choices", "n_logit_bias", "top_logprobs", "response_format"},
        ),
    },
)
