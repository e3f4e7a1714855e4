"""The format `langfuse`: observations exported from Langfuse, in camelCase (JSON) or snake_case (Parquet).

Here: generations, whose input is whatever an integration wrote: a body, a list of messages, or plain text.
Not here: traces, which hold the user of older versions, and scores; both are known, and passed over.
"""

import json

from pipelines.adapters.source import AS_JSON, TEXT, Source, Writing, has, lacks
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
    "event_ts",
    "updatedAt",
    "updated_at",
)
_VALUES = (
    "input",
    "output",
    "modelParameters",
    "model_parameters",
    "usageDetails",
    "usage_details",
    "toolDefinitions",
    "tool_definitions",
)
_COUNTS = json.dumps(
    dict.fromkeys(
        (
            "input",
            "output",
            "total",
            "cache_read_input_tokens",
            "input_cached_tokens",
            "input_cache_read",
            "cache_creation_input_tokens",
            "input_cache_creation",
            "input_cache_creation_5m",
            "input_cache_creation_1h",
            "output_reasoning_tokens",
            "output_reasoning",
        ),
        TEXT,
    )
)
_CACHED = "coalesce(counts.cache_read_input_tokens, counts.input_cached_tokens, counts.input_cache_read)"
_CREATED = (
    "coalesce(counts.cache_creation_input_tokens, counts.input_cache_creation, plus_tokens("
    "counts.input_cache_creation_5m, counts.input_cache_creation_1h, NULL), counts.input_cache_creation_1h)"
)
_REASONING = "coalesce(counts.output_reasoning_tokens, counts.output_reasoning)"

_SCORED_BY = ("API", "EVAL", "ANNOTATION")
_SCORES = ("NUMERIC", "CATEGORICAL", "BOOLEAN", "CORRECTION", "TEXT")

_CHOSEN = (
    "tool_names", "temperature", "top_p", "max_tokens", "n_choices", "top_logprobs", "n_logit_bias", "stream",
    "thinking", "response_format", "end_user_id", "system_prompt",
)  # fmt: skip
"""What may stand among the parameters as well as in the body."""


def _chosen(name: str) -> str:
    of_body = BODY_COLUMNS[name]
    return f"coalesce({of_body.replace('request.', 'chosen.')}, {of_body})"


_OTHER_TABLES = (
    (has("timestamp"), has("project_id"), has("public"), has("bookmarked"), lacks("type")),
    (has("timestamp"), has("projectId"), has("public"), has("bookmarked"), lacks("type")),
    (has("timestamp"), has("project_id"), has("source", *_SCORED_BY), has("data_type", *_SCORES)),
    (has("timestamp"), has("projectId"), has("source", *_SCORED_BY), has("dataType", *_SCORES)),
)
"""Traces and scores, which an export always holds beside the observations: passed over."""

_ANSWER = (
    f"coalesce({BODY_COLUMNS['response']}, content_text(message -> '$.content'), "
    "content_text(message -> '$.parts'), CASE WHEN message IS NOT NULL THEN NULL "
    "WHEN NOT starts_with(answered, '[') THEN answered "
    "WHEN json_valid(answered) THEN answer_in_messages(answered) ELSE answered END)"
)

LANGFUSE = Source(
    name="langfuse",
    title="Langfuse observations (export, ClickHouse)",
    versions="Langfuse 3 and 4, to 4.16",
    told_by=(
        (has("type"), has("traceId"), has("startTime")),
        (has("type"), has("trace_id"), has("start_time"), has("provided_model_name")),
        (has("type"), has("trace_id"), has("start_time"), has("level")),
        *_OTHER_TABLES,
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
            "tools": "json_object_or_null(opened_text(coalesce(doc.toolDefinitions, doc.tool_definitions)))",
            "began": "coalesce(doc.startTime, doc.start_time)",
            "ended": "coalesce(doc.endTime, doc.end_time)",
        },
        {
            # Two bodies, not one merged: merging parses and writes a long conversation once more.
            "request": "request_of(body_of_input(asked))",
            "chosen": "request_of(parameters)",
            "response": "response_of(answered)",
            "message": "json_object_or_null(answered)",
        },
        {
            "given": "coalesce(request.messages, messages_of(request.input), messages_of(request.prompt), "
            "chosen.messages)"
        },
        {
            "messages": "CASE WHEN given[-1].content IS NOT NULL AND has_roles(given) THEN given "
            "WHEN has_roles(given) AND contains(asked, '\"parts\"') THEN messages_in_parts(asked) "
            "WHEN has_roles(given) THEN given "
            "WHEN asked IS NOT NULL THEN [{'role': 'user', 'content': to_json(asked)}] END"
        },
        {"question": BODY_COLUMNS["prompt"], "answer": _ANSWER},
    ),
    newest_by="us_of_text(coalesce(doc.event_ts, doc.updatedAt, doc.updated_at))",
    is_request="upper(doc.type) = 'GENERATION' AND coalesce(doc.is_deleted, '0') NOT IN ('1', 'true')",
    columns={
        **BODY_COLUMNS,
        **{name: _chosen(name) for name in _CHOSEN},
        "prompt": "unless_mask(question)",
        "tool_names": f"coalesce({_chosen('tool_names')}, "
        "CASE WHEN tools <> '{}' THEN json_keys(tools) END)",
        "request_id": "coalesce(text_or_null(doc.id), doc.span_id)",
        "ts": "began",
        "account_id": "coalesce(text_or_null(doc.userId), doc.user_id)",
        "project_id": "coalesce(doc.projectId, doc.project_id)",
        "session_id": "coalesce(doc.sessionId, doc.session_id)",
        "trace_id": "coalesce(doc.traceId, doc.trace_id)",
        "model": "coalesce(text_or_null(doc.model), text_or_null(doc.provided_model_name), chosen.model, "
        f"{BODY_COLUMNS['model']})",
        "input_tokens": "coalesce(counted_with("
        f"counts.input, counts.output, counts.total, {_CACHED}, {_CREATED}), "
        f"{BODY_COLUMNS['input_tokens']})",
        "output_tokens": "coalesce(counted_with("
        f"counts.output, counts.input, counts.total, {_REASONING}, NULL), "
        f"{BODY_COLUMNS['output_tokens']})",
        "cached_tokens": f"coalesce({_CACHED}, {BODY_COLUMNS['cached_tokens']})",
        "reasoning_tokens": f"coalesce({_REASONING}, {BODY_COLUMNS['reasoning_tokens']})",
        "status": "CASE WHEN doc.level = 'ERROR' THEN coalesce("
        "status_in_message(coalesce(doc.statusMessage, doc.status_message)), '500') END",
        "stop_reason": f"coalesce({BODY_COLUMNS['stop_reason']}, "
        "CASE WHEN doc.level = 'ERROR' THEN 'error' END)",
        "latency_ms": "ms_between(began, ended)",
        "response": "unless_mask(answer)",
        "body_state": "CASE WHEN messages IS NULL THEN 'absent' WHEN is_mask(question) THEN 'redacted' "
        "ELSE 'full' END",
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
            "tool_calls",
            "toolCalls",
            "tool_call_names",
            "toolCallNames",
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
            "timestamp",
            "value",
            "string_value",
            "stringValue",
            "data_type",
            "dataType",
            "comment",
            "observation_id",
            "observationId",
            "dataset_run_id",
            "datasetRunId",
            "author_user_id",
            "authorUserId",
            "config_id",
            "configId",
            "queue_id",
            "queueId",
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
