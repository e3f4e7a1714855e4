"""The format `otel-records`: what instrumentations write of a model call in log records beside its span.

Here: messages as one record each (`gen_ai.user.message`, `gen_ai.choice`), and all of a call in one
(`gen_ai.client.inference.operation.details`), in attributes or in the body. Not here: the spans (`otel`),
which are the requests: these records fill what they lack, by trace and span.

The records of one span become a span with events, so that whatever reads spans reads them.
"""

from pipelines.adapters.source import TEXT, Gathering, Source, Writing, has
from pipelines.adapters.sources.otel import ATTRIBUTES, CALL_COLUMNS, CALL_STEPS, CALLS, CARRIED

_MOST_RECORDS = 10_000
"""A conversation of as many messages, one record each."""

_ID = {"traceId": TEXT, "spanId": TEXT}
_TIMES = {"timeUnixNano": TEXT, "observedTimeUnixNano": TEXT}
_BODY = {"stringValue": TEXT, "kvlistValue": {"values": ATTRIBUTES}}
# A record outside of any span is of nobody knows which call.
_IS_CALL = (
    "span.traceId IS NOT NULL AND span.spanId IS NOT NULL AND span.attributes IS NOT NULL "
    f"AND coalesce(operation IN ({CALLS}), true)"
)
_FIRST = "doc.parts[1].record"

OTEL_RECORDS = Source(
    name="otel-records",
    title="OpenTelemetry log records of model calls (GenAI events) as OTLP JSON",
    versions="semantic conventions 1.27 to 1.44 and the GenAI repository; OTLP 1.0 to 1.9; recorded: "
    "opentelemetry-instrumentation-openai-v2 2.3b0 and 2.4b0, opentelemetry-instrumentation-openai 0.62.4",
    told_by=((has("resourceLogs"),),),
    structure={
        "resource": {"attributes": ATTRIBUTES},
        "record": {**_ID, **_TIMES, "eventName": TEXT, "body": _BODY, "attributes": ATTRIBUTES},
    },
    gathering=Gathering(
        structure={"record": {**_ID, **_TIMES}},
        key="nullif(doc.record.traceId, '') || '-' || nullif(doc.record.spanId, '')",
        place="TRY_CAST(time_of_record(doc.record) AS BIGINT)",
        most=_MOST_RECORDS,
        unpacked="log_records_of(line)",
        packed=("resourceLogs",),
    ),
    steps=(
        {
            "events": "list_transform(doc.parts, lambda p: event_of_record(p.record))",
            "resource": "doc.parts[1].resource.attributes",
        },
        {
            "span": f"{{'traceId': nullif({_FIRST}.traceId, ''), 'spanId': nullif({_FIRST}.spanId, ''), "
            f"'startTimeUnixNano': time_of_record({_FIRST}), 'endTimeUnixNano': NULL::VARCHAR, "
            "'attributes': details_of_events(events), 'events': events, 'status': {'code': NULL::VARCHAR}}",
        },
        *({**step, "is_call": _IS_CALL} if "is_call" in step else step for step in CALL_STEPS),
    ),
    is_request="is_call",
    columns={
        **CALL_COLUMNS,
        "stop_reason": f"coalesce({CALL_COLUMNS['stop_reason']}, stop_reason_of(reason_of_events(events)))",
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
