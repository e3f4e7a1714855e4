"""The format `helicone`: Helicone's table of requests and responses, exported from ClickHouse.

Here: the row around the provider's own bodies. Not here: the bodies (`bodies`), which Helicone keeps for
three months.
"""

from pipelines.adapters.source import TEXT, Source, Writing, has
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

_INPUT_TOKENS = (
    "CASE WHEN lower(doc.provider) = 'anthropic' "
    "OR whole_of_text(doc.prompt_cache_read_tokens) > whole_of_text(doc.prompt_tokens) "
    "THEN plus_tokens(doc.prompt_tokens, doc.prompt_cache_read_tokens, doc.prompt_cache_write_tokens) "
    "ELSE doc.prompt_tokens END"
)
"""Anthropic's own count leaves out what the cache has, whoever hosts the model: a part exceeds no whole."""

HELICONE = Source(
    name="helicone",
    title="Helicone, table request_response_rmt",
    versions="the ClickHouse schema of 2026",
    told_by=(
        (has("request_created_at"), has("proxy_key_id"), has("organization_id")),
        (has("request_created_at"), has("target_url"), has("organization_id")),
    ),
    structure={
        **dict.fromkeys(
            (
                "request_id",
                "request_created_at",
                "response_id",
                "user_id",
                "organization_id",
                "proxy_key_id",
                "status",
                "latency",
                "model",
                "provider",
                "target_url",
                "country_code",
                "prompt_tokens",
                "completion_tokens",
                "prompt_cache_read_tokens",
                "prompt_cache_write_tokens",
                "updated_at",
            ),
            TEXT,
        ),
        "properties": {"Helicone-Session-Id": TEXT, "Helicone-Rate-Limit-Status": TEXT},
        "request_body": REQUEST,
        "response_body": RESPONSE,
    },
    steps=(
        {"request": request_at("request_body"), "response": response_at("response_body")},
        {"messages": MESSAGES},
    ),
    newest_by="us_of_text(doc.updated_at)",
    columns={
        **BODY_COLUMNS,
        "request_id": "doc.request_id",
        "ts": "doc.request_created_at",
        "org_id": "doc.organization_id",
        "api_key_id": "key_name(doc.proxy_key_id)",
        "end_user_id": f"coalesce(text_or_null(doc.user_id), {BODY_COLUMNS['end_user_id']})",
        "session_id": 'coalesce(text_or_null(doc.properties."Helicone-Session-Id"), '
        f"{BODY_COLUMNS['session_id']})",
        "provider": "lower(doc.provider)",
        "model": f"coalesce({BODY_COLUMNS['model']}, doc.model)",
        "endpoint": "path_of_url(doc.target_url)",
        "input_tokens": f"coalesce({BODY_COLUMNS['input_tokens']}, {_INPUT_TOKENS})",
        "output_tokens": f"coalesce({BODY_COLUMNS['output_tokens']}, doc.completion_tokens)",
        "cached_tokens": f"coalesce({BODY_COLUMNS['cached_tokens']}, doc.prompt_cache_read_tokens)",
        # Its own states: in the background, given up by the caller, stopped as a threat.
        "status": "CASE doc.status WHEN '-2' THEN '200' WHEN '-3' THEN '499' WHEN '-4' THEN '403' "
        f"ELSE coalesce(doc.status, ({BODY_COLUMNS['status']})::VARCHAR) END",
        "latency_ms": "doc.latency",
        "country": "doc.country_code",
        "body_state": "CASE WHEN messages IS NOT NULL THEN 'full' "
        "WHEN is_cut_json(line ->> '$.request_body') THEN 'truncated' ELSE 'absent' END",
    },
    account=("end_user", "key", "organisation"),
    ignores=frozenset(
        {
            "response_created_at",
            "prompt_audio_tokens",
            "completion_audio_tokens",
            "auth_id",
            "threat",
            "time_to_first_token",
            "properties.*",
            "scores",
            "assets",
            "cache_enabled",
            "cache_reference_id",
            "cost",
            "prompt_id",
            "prompt_version",
            "request_referrer",
            "gateway_router_id",
            "gateway_deployment_target",
            "gateway_endpoint_version",
        }
    )
    | {f"request_body.{name}" for name in BODY_IGNORES}
    | {f"response_body.{name}" for name in BODY_IGNORES},
    lacks={
        "ip, user_agent": "only the country is kept: links through addresses and clients",
        "bodies after three months": "they are deleted: content of older nights",
    },
    writings={
        "helicone": Writing(
            "helicone",
            carries=CHAT_CARRIED
            | {
                "request_id",
                "ts",
                "account_id",
                "org_id",
                "api_key_id",
                "session_id",
                "endpoint",
                "status",
                "latency_ms",
                "country",
            },
        )
    },
)
