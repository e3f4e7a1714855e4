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
    "usage": {
        "prompt_tokens": TEXT,
        "completion_tokens": TEXT,
        "prompt_token": TEXT,
        "completion_token": TEXT,
    },
    "payload": {"request": TEXT, "response": TEXT},
}
"""Kong 3.6 to 3.8 count one `prompt_token`, and keep the request's body above the plugins' namespaces."""

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

_IS_NAMED = (
    "coalesce(doc.consumer.custom_id, doc.consumer.username, doc.consumer.id, doc.authenticated_entity.id) "
    "IS NOT NULL"
)
_IS_REFUSED_CALL = (
    f"CASE WHEN doc.response.status IN ('401', '403', '429') AND doc.request.method = 'POST' AND {_IS_NAMED} "
    "THEN is_model_path(doc.request.uri) ELSE false END"
)
"""What Kong refuses itself never comes to the proxy, which logs nothing of it; without a caller it is
noise."""

KONG = Source(
    name="kong",
    title="Kong with ai-proxy, any log plugin",
    versions="ai-proxy of Kong 3.6 to main of 2026-07",
    told_by=tuple(
        (has("latencies"), has(path))
        for path in (
            "ai.*.meta.provider_name",
            "ai.meta.provider_name",
            "ai.*.payload.request",
            "ai.payload.request",
        )
    ),
    structure={
        "request": {"id": TEXT, "uri": TEXT, "method": TEXT, "headers": REQUEST_HEADERS},
        "response": {"status": TEXT, "headers": RESPONSE_HEADERS},
        "latencies": {"request": TEXT},
        "authenticated_entity": {"id": TEXT},
        "consumer": {"id": TEXT, "username": TEXT, "custom_id": TEXT},
        "client_ip": TEXT,
        "started_at": TEXT,
        "workspace": TEXT,
        "workspace_name": TEXT,
        "ai": {**dict.fromkeys(_PLUGINS, _CALL), "payload": {"request": TEXT}},
    },
    steps=(
        {
            "call": _CALL_AT,
            "headers": small_headers_at("request.headers", REQUEST_HEADERS),
            "response_headers": small_headers_at("response.headers", RESPONSE_HEADERS),
        },
        {
            "request": "request_of(coalesce(call.payload.request, doc.ai.payload.request))",
            "response": "response_of(call.payload.response)",
        },
        {"messages": MESSAGES},
    ),
    is_request="CASE WHEN call IS NOT NULL THEN true WHEN doc.ai.payload.request IS NOT NULL THEN true "
    f"ELSE {_IS_REFUSED_CALL} END",
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
        # What Kong counts of Anthropic's leaves cached tokens out: there the body counts.
        "input_tokens": "coalesce(CASE WHEN response.usage.cache_read_input_tokens IS NULL "
        "AND response.usage.cache_creation_input_tokens IS NULL "
        "THEN coalesce(call.usage.prompt_tokens, call.usage.prompt_token) END, "
        f"{BODY_COLUMNS['input_tokens']}, call.usage.prompt_tokens)",
        "output_tokens": "coalesce(call.usage.completion_tokens, call.usage.completion_token, "
        f"{BODY_COLUMNS['output_tokens']})",
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
            "ai.payload.*",
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
