"""The format `otel-records`: what instrumentations write of a model call in log records beside its span.

Here: messages as one record each (`gen_ai.user.message`, `gen_ai.choice`), and all of a call in one
(`gen_ai.client.inference.operation.details`), in attributes or in the body. Not here: the spans (`otel`),
which are the requests: these records fill what they lack, by trace and span.

The records of one span become a span with events, so that whatever reads spans reads them.
"""

from pipelines.adapters.source import TEXT, Gathering, Source, Writing, has
from pipelines.adapters.sources.otel import (
    ATTRIBUTES,
    CALL_COLUMNS,
    CALLED,
    CARRIED,
    DETAILS,
    KEY_STEPS,
    SERVICE,
    call_steps,
)

_MOST_RECORDS = 10_000
"""A conversation of as many messages, one record each."""

_ID = {"traceId": TEXT, "spanId": TEXT}
_TIMES = {"timeUnixNano": TEXT, "observedTimeUnixNano": TEXT}
_BODY = {"stringValue": TEXT, "kvlistValue": {"values": ATTRIBUTES}}
_RECORD = {**_ID, **_TIMES, "eventName": TEXT, "body": _BODY, "attributes": ATTRIBUTES}
# A record outside of any span is of nobody knows which call.
_IS_CALL = (
    "trace_id IS NOT NULL AND span_id IS NOT NULL AND all_keys IS NOT NULL "
    f"AND CASE WHEN {CALLED} ELSE true END"
)
_CHOICE = "name = 'gen_ai.choice'"

OTEL_RECORDS = Source(
    name="otel-records",
    title="OpenTelemetry log records of model calls (GenAI events) as OTLP JSON",
    versions="semantic conventions 1.27 to 1.44 and the GenAI repository; OTLP 1.0 to 1.9; recorded: "
    "opentelemetry-instrumentation-openai-v2 2.3b0 and 2.4b0, opentelemetry-instrumentation-openai 0.62.4",
    told_by=((has("resourceLogs"),),),
    structure={
        "resourceLogs": [{"resource": {"attributes": ATTRIBUTES}, "scopeLogs": [{"logRecords": [_RECORD]}]}]
    },
    each={
        "of_resource": "doc.resourceLogs",
        "of_scope": "of_resource.scopeLogs",
        "record": "of_scope.logRecords",
    },
    gathering=Gathering(
        is_part="contains(line, '\"resourceLogs\"') OR NOT contains(line, '\"resourceSpans\"')",
        steps=(
            {
                "resource": "of_resource.resource.attributes",
                "entries": "CASE WHEN record.body IS NULL THEN record.attributes "
                "ELSE list_concat(record.attributes, entries_of_body(record.body)) END",
                # the last is LiteLLM's
                "written_name": "coalesce(nullif(record.eventName, ''), "
                "value_at(record.attributes, 'event.name'), value_at(record.attributes, 'event_name'))",
            },
            {
                "name": "CASE WHEN written_name ^@ 'gen_ai.content.' "
                "THEN name_of_content(written_name, value_at(entries, 'role')) ELSE written_name END",
            },
        ),
        key="nullif(record.traceId, '') || '-' || nullif(record.spanId, '')",
        place="TRY_CAST(time_of_record(record) AS BIGINT)",
        parts={
            "trace_ids": "nullif(record.traceId, '')",
            "span_ids": "nullif(record.spanId, '')",
            "times": "time_of_record(record)",
            "services": SERVICE,
            "names": "name",
            "keys_of": "attribute_keys(entries)",
            "texts_of": "attribute_texts(entries)",
            "contents": "CASE WHEN is_message_event(name) THEN content_at(entries, 'content')::VARCHAR END",
            "choices": f"CASE WHEN {_CHOICE} THEN choice_text_at(entries) END",
            "reasons": f"CASE WHEN {_CHOICE} THEN value_at(entries, 'finish_reason') END",
        },
        most=_MOST_RECORDS,
    ),
    steps=(
        {
            "trace_id": "trace_ids[1]",
            "span_id": "span_ids[1]",
            "begun": "times[1]",
            "ended": "NULL::VARCHAR",
            "service": "services[1]",
            "is_failed": "false",
            "failure": "NULL::VARCHAR",
            # the record that tells all of a call; of a call told message by message the first
            "nth": f"coalesce(list_position(names, '{DETAILS}'), "
            "list_position(list_transform(names, lambda n: starts_with(n, 'gen_ai.')), true))",
        },
        {"all_keys": "keys_of[nth]", "all_texts": "texts_of[nth]"},
        *KEY_STEPS,
        *call_steps(
            is_call=_IS_CALL,
            told="messages_of_records(names, contents)",
            said="joined(list_filter(choices, lambda t: t IS NOT NULL))",
        ),
    ),
    is_request="is_call",
    columns={
        **CALL_COLUMNS,
        "request_id": "trace_id || '-' || span_id",
        "stop_reason": f"coalesce({CALL_COLUMNS['stop_reason']}, "
        "stop_reason_of(reasons[list_position(names, 'gen_ai.choice')]))",
    },
    account=("account", "end_user", "key", "project"),
    ignores=frozenset({"resourceLogs", "resourceSpans", "resourceMetrics"}),
    lacks={
        "account_id, status, latency_ms": "in the spans: name both, in one file or in two; alone, those that "
        "tell message by message have neither model nor account",
        "completeness": "records without a span's id, as some instrumentations write them, belong to no call",
    },
    writings={"otel-records": Writing("otel_records", carries=CARRIED - {"latency_ms"})},
)
