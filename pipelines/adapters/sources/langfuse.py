"""The format `langfuse`: observations exported from Langfuse, in camelCase (JSON) or snake_case (Parquet).

Here: generations, whose input is whatever an integration wrote: a body, a list of messages, or plain text.
Not here: traces, which hold the user of older versions.
"""

import json

from pipelines.adapters.source import AS_JSON, TEXT, Source, Writing, has
from pipelines.adapters.sources.bodies import BODY_COLUMNS, CHAT_CARRIED

_TEXTS = (
    "id",
    "span_id",
    "type",
    "traceId",
    "trace_id",
    "projectId",
    "project_id",
    "startTime",
    "start_time",
    "endTime",
    "end_time",
    "model",
    "provided_model_name",
    "level",
    "statusMessage",
    "status_message",
    "userId",
    "user_id",
    "sessionId",
    "session_id",
    "is_deleted",
)
_VALUES = ("input", "output", "modelParameters", "model_parameters", "usageDetails", "usage_details")
_COUNTS = json.dumps(
    dict.fromkeys(
        (
            "input",
            "output",
            "total",
            "cache_read_input_tokens",
            "input_cached_tokens",
            "input_cache_read",
            "output_reasoning_tokens",
        ),
        TEXT,
    )
)
_CACHED = "coalesce(counts.cache_read_input_tokens, counts.input_cached_tokens, counts.input_cache_read)"

LANGFUSE = Source(
    name="langfuse",
    title="Langfuse observations (export, ClickHouse)",
    versions="Langfuse 3 and 4, to 4.16",
    told_by=(
        (has("type"), has("traceId"), has("startTime")),
        (has("type"), has("trace_id"), has("start_time"), has("provided_model_name")),
        (has("type"), has("trace_id"), has("start_time"), has("level")),
    ),
    structure={**dict.fromkeys(_TEXTS, TEXT), **dict.fromkeys(_VALUES, AS_JSON)},
    steps=(
        {
            "asked": "opened_text(doc.input)",
            "answered": "opened_text(doc.output)",
            "parameters": "json_object_or_null("
            "opened_text(coalesce(doc.modelParameters, doc.model_parameters)))",
            "counts": "TRY(json_transform(opened_text(coalesce(doc.usageDetails, doc.usage_details)), "
            f"'{_COUNTS}'))",
            "began": "coalesce(doc.startTime, doc.start_time)",
            "ended": "coalesce(doc.endTime, doc.end_time)",
        },
        {
            "request": "request_of(merged_body(body_of_input(asked), parameters))",
            "response": "response_of(answered)",
            "message": "json_object_or_null(answered)",
        },
        {"given": "coalesce(request.messages, messages_of(request.input), messages_of(request.prompt))"},
        {
            "messages": "CASE WHEN has_roles(given) THEN given "
            "WHEN asked IS NOT NULL THEN [{'role': 'user', 'content': to_json(asked)}] END"
        },
    ),
    is_request="upper(doc.type) = 'GENERATION' AND coalesce(doc.is_deleted, '0') NOT IN ('1', 'true')",
    columns={
        **BODY_COLUMNS,
        "request_id": "coalesce(doc.id, doc.span_id)",
        "ts": "began",
        "account_id": "coalesce(doc.userId, doc.user_id)",
        "project_id": "coalesce(doc.projectId, doc.project_id)",
        "session_id": "coalesce(doc.sessionId, doc.session_id)",
        "trace_id": "coalesce(doc.traceId, doc.trace_id)",
        "model": f"coalesce(doc.model, doc.provided_model_name, {BODY_COLUMNS['model']})",
        "input_tokens": f"coalesce(counted_with(counts.input, counts.output, counts.total, {_CACHED}), "
        f"{BODY_COLUMNS['input_tokens']})",
        "output_tokens": "coalesce(counted_with("
        "counts.output, counts.input, counts.total, counts.output_reasoning_tokens), "
        f"{BODY_COLUMNS['output_tokens']})",
        "cached_tokens": f"coalesce({_CACHED}, {BODY_COLUMNS['cached_tokens']})",
        "reasoning_tokens": f"coalesce(counts.output_reasoning_tokens, {BODY_COLUMNS['reasoning_tokens']})",
        "status": "CASE WHEN doc.level = 'ERROR' THEN coalesce("
        "status_of_exception(coalesce(doc.statusMessage, doc.status_message)), 500) END",
        "stop_reason": f"coalesce({BODY_COLUMNS['stop_reason']}, "
        "CASE WHEN doc.level = 'ERROR' THEN 'error' END)",
        "latency_ms": "ms_between(began, ended)",
        "response": f"coalesce({BODY_COLUMNS['response']}, content_text(message -> '$.content'), "
        "CASE WHEN message IS NULL AND NOT starts_with(answered, '[') THEN answered END)",
    },
    account=("account", "project"),
    ignores=frozenset(
        {
            "parentObservationId",
            "parent_observation_id",
            "parent_span_id",
            "name",
            "metadata",
            "version",
            "release",
            "environment",
            "completionStartTime",
            "completion_start_time",
            "createdAt",
            "created_at",
            "updatedAt",
            "updated_at",
            "event_ts",
            "internal_model_id",
            "modelId",
            "model_id",
            "promptId",
            "prompt_id",
            "promptName",
            "prompt_name",
            "promptVersion",
            "prompt_version",
            "usage",
            "unit",
            "costDetails",
            "cost_details",
            "totalCost",
            "total_cost",
            "provided_usage_details",
            "provided_cost_details",
            "trace_name",
            "tags",
            "tool_definitions",
            "tool_calls",
            "tool_call_names",
            "latency",
            "timeToFirstToken",
            "metadata_names",
            "metadata_values",
            "source",
            "service_name",
            "service_version",
            "scope_name",
            "scope_version",
            "telemetry_sdk_language",
            "telemetry_sdk_name",
            "telemetry_sdk_version",
            "ingestion_api_key",
            "ingestion_sdk_name",
            "ingestion_sdk_version",
            "event_bytes",
            "public",
            "bookmarked",
        }
    ),
    lacks={
        "account_id": "in exports of version 3 the user is in the traces, not here: without it "
        "a project is one account",
        "api_key_id, org_id": "the model's key is not known to a tracer: ties through keys and payers",
    },
    writings={
        "langfuse": Writing(
            "langfuse",
            carries=CHAT_CARRIED
            - {"provider_request_id", "reasoning_tokens", "response_format", "stop_reason"}
            | {"request_id", "ts", "account_id", "project_id", "session_id"},
        )
    },
)
