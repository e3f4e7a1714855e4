"""The format `kong`: what any log plugin of Kong writes of calls through its ai-proxy.

Here: the log serializer's record with the statistics, and the payloads where they are switched on. Not here:
the bodies themselves (`bodies`).
"""

import json

from pipelines.adapters.source import TEXT, Shapes, Source, Writing, has
from pipelines.adapters.sources.bodies import BODY_COLUMNS, CHAT_CARRIED, MESSAGES
from pipelines.adapters.sources.headers import (
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    STAINLESS,
    small_headers_at,
    underscored,
)

_PLUGINS = ("proxy", "ai-proxy", "ai-proxy-advanced")
"""Names under which versions keep the proxied call; calls that other plugins make are not a consumer's."""

_CALL = {
    "meta": {"provider_name": TEXT, "request_model": TEXT, "response_model": TEXT},
    "usage": {"prompt_tokens": TEXT, "completion_tokens": TEXT},
    "payload": {"request": TEXT, "response": TEXT},
}
_FOUND = f"coalesce({', '.join(f'doc.ai.{chr(34)}{name}{chr(34)}' for name in _PLUGINS)})"
_IS_ELSEWHERE = f"CASE WHEN {_FOUND} IS NULL THEN contains(line, '\"provider_name\"') ELSE false END"
_CALL_AT = Shapes(
    usual=_FOUND,
    is_odd=_IS_ELSEWHERE,
    of_any=f"CASE WHEN {_IS_ELSEWHERE} THEN call_of_any_plugin(line, '{json.dumps(_CALL)}') "
    f"ELSE {_FOUND} END",
)
"""A plugin may have a namespace of its own below `ai`."""
_SDK = ", ".join(f"headers.{underscored(f'x-stainless-{part}')}" for part in STAINLESS)

KONG = Source(
    name="kong",
    title="Kong with ai-proxy, any log plugin",
    versions="ai-proxy of Kong 3.6 to main of 2026-07",
    told_by=((has("latencies"), has("ai.*.meta.provider_name")),),
    structure={
        "request": {"id": TEXT, "uri": TEXT, "headers": REQUEST_HEADERS},
        "response": {"status": TEXT, "headers": RESPONSE_HEADERS},
        "latencies": {"request": TEXT},
        "authenticated_entity": {"id": TEXT},
        "consumer": {"id": TEXT, "username": TEXT, "custom_id": TEXT},
        "client_ip": TEXT,
        "started_at": TEXT,
        "workspace": TEXT,
        "workspace_name": TEXT,
        "ai": dict.fromkeys(_PLUGINS, _CALL),
    },
    steps=(
        {
            "call": _CALL_AT,
            "headers": small_headers_at("request.headers", REQUEST_HEADERS),
            "response_headers": small_headers_at("response.headers", RESPONSE_HEADERS),
        },
        {
            "request": "request_of(call.payload.request)",
            "response": "response_of(call.payload.response)",
        },
        {"messages": MESSAGES},
    ),
    is_request="call IS NOT NULL",
    columns={
        **BODY_COLUMNS,
        "request_id": "coalesce(doc.request.id, concat('line-', md5(line)))",
        "ts": "doc.started_at",
        "account_id": "coalesce(doc.consumer.custom_id, doc.consumer.username, doc.consumer.id)",
        "org_id": "coalesce(response_headers.openai_organization, "
        "response_headers.anthropic_organization_id)",
        "project_id": "coalesce(doc.workspace_name, doc.workspace)",
        "api_key_id": "coalesce(key_name(doc.authenticated_entity.id), key_of_header(headers.authorization), "
        "key_of_header(headers.x_api_key))",
        "provider_request_id": "coalesce(response.id, response_headers.x_request_id, "
        "response_headers.request_id)",
        "attempt": "attempt_of_retries(headers.x_stainless_retry_count)",
        "provider": "call.meta.provider_name",
        "model": f"coalesce(call.meta.request_model, {BODY_COLUMNS['model']}, call.meta.response_model)",
        "endpoint": "split_part(doc.request.uri, '?', 1)",
        "input_tokens": f"coalesce(call.usage.prompt_tokens, {BODY_COLUMNS['input_tokens']})",
        "output_tokens": f"coalesce(call.usage.completion_tokens, {BODY_COLUMNS['output_tokens']})",
        "status": f"coalesce(doc.response.status, ({BODY_COLUMNS['status']})::VARCHAR)",
        "latency_ms": "doc.latencies.request",
        "ip": "client_address(doc.client_ip, headers.x_forwarded_for)",
        "user_agent": "headers.user_agent",
        "client_fingerprint": f"nullif(concat_ws(' ', {_SDK}), '')",
    },
    account=("account", "key", "project"),
    ignores=frozenset(
        {
            "request.*",
            "request.headers.*",
            "response.*",
            "response.headers.*",
            "latencies.*",
            "consumer.*",
            "authenticated_entity.*",
            "upstream_uri",
            "upstream_status",
            "tries",
            "route",
            "service",
            "source",
            "ai.*",
            *(f"ai.{name}.{part}.*" for name in _PLUGINS for part in ("meta", "usage", "payload")),
            *(f"ai.{name}.*" for name in _PLUGINS),
        }
    ),
    lacks={
        "prompt, system_prompt, tool_names, sampling, logits": "only with logging.log_payloads: "
        "everything about content",
        "input_tokens, output_tokens": "only with logging.log_statistics: output economy and volume",
        "org_id, country, asn": "ties through payers and places",
    },
    writings={
        "kong": Writing(
            "kong",
            carries=CHAT_CARRIED
            | {
                "request_id",
                "account_id",
                "project_id",
                "api_key_id",
                "attempt",
                "provider",
                "endpoint",
                "status",
                "latency_ms",
                "ip",
                "user_agent",
                "client_fingerprint",
            },
        ),
        "kong-metadata": Writing(
            "kong_metadata",
            carries=frozenset(
                [
                    "request_id",
                    "account_id",
                    "project_id",
                    "api_key_id",
                    "attempt",
                    "provider",
                    "model",
                    "endpoint",
                    "input_tokens",
                    "output_tokens",
                    "status",
                    "latency_ms",
                    "ip",
                    "user_agent",
                    "client_fingerprint",
                ]
            ),
        ),
    },
)
