"""The format `portkey`: Portkey's export of logs.

Here: the record around the bodies, nested (`request: {body}`) or flat (`request.body`). Not here: the bodies
(`bodies`).
"""

import json

from pipelines.adapters.source import AS_JSON, TEXT, Shapes, Source, Writing, has
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

_TAGS = json.dumps(dict.fromkeys(("_user", "user_id", "user", "tenant_id", "tenant", "session_id"), TEXT))


def _nested_or_flat(path: str, nested: Shapes, macro: str) -> Shapes:
    """A body in the object it belongs to, or under a key with a dot in it."""
    return Shapes(
        usual=nested.usual,
        is_odd=f'doc."{path}" IS NOT NULL OR ({nested.is_odd})',
        of_any=f'CASE WHEN doc."{path}" IS NULL THEN {nested.of_any} '
        f'ELSE {macro}(opened_text(doc."{path}")) END',
    )


PORTKEY = Source(
    name="portkey",
    title="Portkey, export of logs",
    versions="the export of 2026, virtual keys and metadata where there are any",
    told_by=((has("ai_org"), has("req_units")),),
    structure={
        **dict.fromkeys(
            (
                "id",
                "trace_id",
                "created_at",
                "ai_org",
                "ai_model",
                "req_units",
                "res_units",
                "request_url",
                "response_status_code",
                "response_time",
                "is_success",
                "virtual_key",
                "workspace_slug",
                "stream_mode",
            ),
            TEXT,
        ),
        "metadata": AS_JSON,
        "request": {"body": REQUEST},
        "response": {"body": RESPONSE},
        "request.body": AS_JSON,
        "response.body": AS_JSON,
    },
    steps=(
        {
            "request": _nested_or_flat("request.body", request_at("request.body"), "request_of"),
            "response": _nested_or_flat("response.body", response_at("response.body"), "response_of"),
            "tags": f"TRY(json_transform(opened_text(doc.metadata), '{_TAGS}'))",
        },
        {"messages": MESSAGES},
    ),
    columns={
        **BODY_COLUMNS,
        "request_id": "coalesce(text_or_null(doc.id), concat('line-', md5(line)))",
        "ts": "doc.created_at",
        "org_id": "coalesce(text_or_null(tags.tenant_id), text_or_null(tags.tenant))",
        "project_id": "doc.workspace_slug",
        "api_key_id": "key_name(doc.virtual_key)",
        "end_user_id": "coalesce("
        "text_or_null(tags._user), text_or_null(tags.user_id), text_or_null(tags.user), "
        f"{BODY_COLUMNS['end_user_id']})",
        "session_id": f"coalesce(text_or_null(tags.session_id), {BODY_COLUMNS['session_id']})",
        "trace_id": "doc.trace_id",
        "provider": "doc.ai_org",
        "model": f"coalesce({BODY_COLUMNS['model']}, doc.ai_model)",
        "endpoint": "path_of_url(doc.request_url)",
        "input_tokens": f"coalesce({BODY_COLUMNS['input_tokens']}, doc.req_units)",
        "output_tokens": f"coalesce({BODY_COLUMNS['output_tokens']}, doc.res_units)",
        "status": "coalesce(doc.response_status_code, "
        f"({BODY_COLUMNS['status']})::VARCHAR, "
        "CASE WHEN doc.is_success IN ('0', 'false') THEN '500' END)",
        "latency_ms": "doc.response_time",
        "stream": f"coalesce({BODY_COLUMNS['stream']}, truth_or_null(doc.stream_mode))",
    },
    account=("end_user", "key", "project", "organisation"),
    ignores=frozenset(
        {
            "total_units",
            "cost",
            "cost_currency",
            "request_method",
            "cache_status",
            "cache_type",
            "retry_success_count",
            "mode",
            "config",
            "prompt_slug",
            "request.*",
            "response.*",
            "currency",
        }
    )
    | {f"request.body.{name}" for name in BODY_IGNORES}
    | {f"response.body.{name}" for name in BODY_IGNORES},
    lacks={
        "ip, user_agent": "not exported: links through addresses and clients",
        "end_user_id": "only where calls are tagged (metadata _user): else a virtual key is the account",
    },
    writings={
        "portkey": Writing(
            "portkey",
            carries=CHAT_CARRIED
            | {
                "request_id",
                "ts",
                "account_id",
                "org_id",
                "project_id",
                "api_key_id",
                "session_id",
                "trace_id",
                "provider",
                "endpoint",
                "status",
                "latency_ms",
            },
        )
    },
)
