"""The formats `cloudflare` and `cloudflare-logpush`: logs of Cloudflare's AI Gateway.

Here: what its API answers (one log per record, or a page of them or a single one in `result`), and the
Logpush data set, whose bodies are encrypted to the customer's key and so count as redacted, where they are
collected. Not here: deciphering them.
"""

import json

from pipelines.adapters.source import AS_JSON, TEXT, Source, Writing, alone, has
from pipelines.adapters.sources.bodies import BODY_COLUMNS, MESSAGES

_USERS = ("user_id", "userId", "user", "end_user_id", "customer_id", "customerId")
_TENANTS = ("tenant_id", "tenantId", "tenant", "org_id", "orgId", "team")
_TAGS = json.dumps(dict.fromkeys((*_USERS, *_TENANTS), TEXT))


def _tag(names: tuple[str, ...]) -> str:
    return f"coalesce({', '.join(f'tags.{name}' for name in names)})"


_STRUCTURE = {
    **dict.fromkeys(
        (
            "id",
            "created_at",
            "provider",
            "model",
            "path",
            "duration",
            "status_code",
            "success",
            "tokens_in",
            "tokens_out",
            "metadata",
            "request",
            "response",
        ),
        TEXT,
    ),
    "result": AS_JSON,
}
_EACH = (
    "CASE WHEN doc.result IS NULL THEN NULL WHEN starts_with(doc.result, '[') "
    "THEN from_json(doc.result, '[\"JSON\"]')::VARCHAR[] ELSE [doc.result::VARCHAR] END"
)

CLOUDFLARE = Source(
    name="cloudflare",
    title="Cloudflare AI Gateway, logs of its API",
    versions="API v4 of 2026",
    told_by=(
        (has("tokens_in"), has("created_at"), has("provider"), has("model")),
        (has("result.tokens_in"), has("result.created_at"), has("result.provider")),
    ),
    structure=_STRUCTURE,
    each={"item": _EACH},
    steps=(
        {"record": alone(_EACH, _STRUCTURE, {"result"})},
        {
            "tags": f"TRY(json_transform(record.metadata, '{_TAGS}'))",
            "request": "request_of(record.request)",
            "response": "response_of(record.response)",
        },
        {"messages": MESSAGES},
    ),
    is_request="record.created_at IS NOT NULL AND record.provider IS NOT NULL",
    columns={
        **BODY_COLUMNS,
        "request_id": "coalesce(record.id, concat('line-', md5(coalesce(item, line))))",
        "ts": "record.created_at",
        "org_id": _tag(_TENANTS),
        "end_user_id": f"coalesce({_tag(_USERS)}, {BODY_COLUMNS['end_user_id']})",
        "provider": "record.provider",
        "model": f"coalesce(record.model, {BODY_COLUMNS['model']})",
        "endpoint": "split_part(record.path, '?', 1)",
        # Anthropic's bodies count cached tokens apart, and the gateway leaves those out.
        "input_tokens": "CASE WHEN response.usage.input_tokens IS NULL AND record.tokens_in IS NOT NULL "
        f"THEN record.tokens_in ELSE coalesce({BODY_COLUMNS['input_tokens']}, record.tokens_in) END",
        "output_tokens": f"coalesce(record.tokens_out, {BODY_COLUMNS['output_tokens']})",
        "status": "coalesce(record.status_code, CASE record.success WHEN 'false' THEN '500' END)",
        "latency_ms": "record.duration",
    },
    account=("end_user", "organisation"),
    ignores=frozenset(
        {
            "model_type",
            "cached",
            "cost",
            "custom_cost",
            "step",
            "request_type",
            "request_content_type",
            "response_content_type",
            "request_size",
            "request_head",
            "response_size",
            "response_head",
            "event_id",
            "errors",
            "messages",
            "result_info",
        }
    ),
    lacks={
        "account_id": "only where calls are tagged (cf-aig-metadata user_id, tenant_id): without any tag "
        "a record names nobody and is refused",
        "bodies": "the API gives them by a call per log; kept as `request` and `response` they are read",
    },
    writings={
        "cloudflare": Writing(
            "cloudflare",
            carries=frozenset(
                [
                    "request_id",
                    "ts",
                    "account_id",
                    "org_id",
                    "provider",
                    "model",
                    "endpoint",
                    "input_tokens",
                    "output_tokens",
                    "status",
                    "latency_ms",
                ]
            ),
        )
    },
)


def _is_collected(name: str) -> str:
    """SQL: a payload is in the record, and no null, "" or {} that stands for one that is not collected."""
    return f"strlen(doc.{name}::VARCHAR) > 4"


CLOUDFLARE_LOGPUSH = Source(
    name="cloudflare-logpush",
    title="Cloudflare AI Gateway, Logpush data set ai_gateway_events",
    versions="the data set of 2026",
    told_by=((has("Gateway"), has("Provider"), has("StatusCode"), has("Endpoint")),),
    structure={
        **dict.fromkeys(
            ("Timestamp", "Datetime", "Gateway", "Provider", "Model", "Endpoint", "StatusCode"), TEXT
        ),
        # read for nothing but telling records of one second apart
        **dict.fromkeys(("Metadata", "RequestBody", "ResponseBody"), AS_JSON),
    },
    columns={
        # Without what was said nothing but its place tells a record from the others of its second. Above 32
        # bits stands a file's place among those that are read together.
        "request_id": f"concat('record-', md5(CASE WHEN {_is_collected('RequestBody')} "
        f"OR {_is_collected('ResponseBody')} OR {_is_collected('Metadata')} THEN to_json(doc)::VARCHAR "
        "ELSE concat(row_number & 4294967295, ' ', to_json(doc)) END))",
        "ts": "coalesce(doc.Datetime, doc.Timestamp)",
        "project_id": "doc.Gateway",
        "provider": "doc.Provider",
        "model": "doc.Model",
        "endpoint": "split_part(doc.Endpoint, '?', 1)",
        # 0 is written of a client that went before there was an answer.
        "status": "CASE doc.StatusCode WHEN '0' THEN '499' ELSE doc.StatusCode END",
        "body_state": f"CASE WHEN {_is_collected('RequestBody')} THEN 'redacted' ELSE 'absent' END",
    },
    account=("project",),
    ignores=frozenset({"Cached", "RateLimited", "Metadata.*", "RequestBody.*", "ResponseBody.*"}),
    lacks={
        "account_id": "who called lies in encrypted metadata: a gateway is one account, what its users do "
        "together cannot be told apart",
    },
    writings={
        "cloudflare-logpush": Writing(
            "cloudflare_logpush",
            carries=frozenset(["ts", "provider", "model", "endpoint", "status"]),
        )
    },
)
