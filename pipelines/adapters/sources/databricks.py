"""The format `databricks`: inference tables of Databricks model serving.

Here: the row around OpenAI-shaped bodies, which are JSON texts. Not here: the bodies (`bodies`).
"""

from pipelines.adapters.source import AS_JSON, TEXT, Source, Writing, has
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

DATABRICKS = Source(
    name="databricks",
    title="Databricks inference tables",
    versions="the tables of AI Gateway endpoints, 2025 and 2026, and those of serving endpoints before",
    told_by=((has("databricks_request_id"),),),
    structure={
        **dict.fromkeys(
            (
                "databricks_request_id",
                "request_time",
                "status_code",
                "sampling_fraction",
                "execution_duration_ms",
                "timestamp_ms",
                "execution_time_ms",
                "served_entity_id",
                "requester",
            ),
            TEXT,
        ),
        "request_metadata": {"endpoint_name": TEXT},
        "logging_error_codes": AS_JSON,
        "request": REQUEST,
        "response": RESPONSE,
    },
    steps=({"request": request_at("request"), "response": response_at("response")}, {"messages": MESSAGES}),
    columns={
        **BODY_COLUMNS,
        "request_id": "doc.databricks_request_id",
        "ts": "coalesce(doc.request_time, doc.timestamp_ms)",
        "account_id": "doc.requester",
        "project_id": "coalesce(doc.served_entity_id, doc.request_metadata.endpoint_name)",
        "status": "doc.status_code",
        "latency_ms": "coalesce(doc.execution_duration_ms, doc.execution_time_ms)",
        "sample_rate": "doc.sampling_fraction",
        "body_state": "CASE WHEN messages IS NOT NULL THEN 'full' "
        "WHEN contains(doc.logging_error_codes::VARCHAR, 'MAX_REQUEST_SIZE') THEN 'truncated' "
        "WHEN is_json_text(line ->> '$.request') AND NOT json_valid(line ->> '$.request') THEN 'truncated' "
        "ELSE 'absent' END",
    },
    account=("account", "end_user", "project"),
    ignores=frozenset({"client_request_id", "request_date", "date", "request_metadata.*", "workspace_id"})
    | {f"request.{name}" for name in BODY_IGNORES}
    | {f"response.{name}" for name in BODY_IGNORES},
    lacks={
        "account_id": "tables of serving endpoints before AI Gateway name nobody: an endpoint is one account",
        "ip, user_agent": "not in the table: links through addresses and clients",
        "failed calls": "refused calls (401, 403, 429) may be missing: fail-over after limits and bans",
        "bodies over 10 MiB": "they are dropped: content of the longest prompts",
    },
    writings={
        "databricks": Writing(
            "databricks",
            carries=CHAT_CARRIED
            | {"request_id", "ts", "account_id", "project_id", "status", "latency_ms", "sample_rate"},
        )
    },
)
