"""Record what OpenTelemetry's instrumentations of the OpenAI and Anthropic clients write of a call.

    pip install openai anthropic opentelemetry-sdk opentelemetry-exporter-otlp-proto-common \\
        opentelemetry-instrumentation-openai-v2 openinference-instrumentation-openai \\
        openinference-instrumentation-anthropic opentelemetry-instrumentation-openai \\
        opentelemetry-instrumentation-anthropic
    python tools/record/otel.py tests/pipelines/adapters/recorded

Development only: none of these is a dependency of ours, and the newest of them may ask for different
versions of one library: what an environment lacks is named and left out. Messages as log records of their
own (`otel-messages`) were written by opentelemetry-instrumentation-openai-v2 up to 2.3b0 (with wrapt below 2)
alone; 2.4b0 takes opentelemetry-util-genai 1.1b0. Each way of writing is recorded by a process of its own,
for all of them wrap the same functions. The calls go to a local server that answers in the wire formats
(`calls`), so nothing leaves the machine and every text is invented. Spans and log records go through the
exporter's own encoding into OTLP and out as the collector's file exporter writes it: JSON with ids in hex,
one export request a line, traces and logs in one file. Each file's first line names the versions that wrote
it; times and ids differ from run to run.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from calls import answering

USER = "usr-17"
RECORDS_PER_LINE = 4


class Way(NamedTuple):
    """One way of writing the same calls."""

    packages: tuple[str, ...]
    instrument: Callable[[Any, Any], None]
    environment: Mapping[str, str] = {}


def _openai_v2(tracers: Any, loggers: Any) -> None:
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=tracers, logger_provider=loggers)


def _openinference(tracers: Any, loggers: Any) -> None:
    from openinference.instrumentation.anthropic import AnthropicInstrumentor
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=tracers)
    AnthropicInstrumentor().instrument(tracer_provider=tracers)


def _openllmetry(as_attributes: bool) -> Callable[[Any, Any], None]:
    def instrument(tracers: Any, loggers: Any) -> None:
        from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor

        for kind in (OpenAIInstrumentor, AnthropicInstrumentor):
            kind(use_attributes=as_attributes).instrument(tracer_provider=tracers, logger_provider=loggers)

    return instrument


_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_NEWEST = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
_V2 = ("opentelemetry-instrumentation-openai-v2",)
_V2_NEWEST = (*_V2, "opentelemetry-util-genai")
_OPENLLMETRY = ("opentelemetry-instrumentation-openai", "opentelemetry-instrumentation-anthropic")

WAYS: Mapping[str, Way] = {
    "otel-messages": Way(_V2, _openai_v2, {_CONTENT: "true"}),
    "otel-details": Way(_V2_NEWEST, _openai_v2, {_CONTENT: "EVENT_ONLY", **_NEWEST}),
    "otel-attributes": Way(_V2_NEWEST, _openai_v2, {_CONTENT: "SPAN_ONLY", **_NEWEST}),
    "openinference": Way(
        ("openinference-instrumentation-openai", "openinference-instrumentation-anthropic"), _openinference
    ),
    "openllmetry": Way(_OPENLLMETRY, _openllmetry(as_attributes=True)),
    "openllmetry-events": Way(_OPENLLMETRY, _openllmetry(as_attributes=False)),
}


def record(way: Way, url: str) -> list[dict[str, Any]]:
    """What is exported of the calls, as the collector would write it."""
    from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    class OfTheUser(SpanProcessor):
        """What an application adds to its spans, for no instrumentation knows it."""

        def on_start(self, span: Any, parent_context: Any = None) -> None:
            span.set_attributes({"user.id": USER, "client.address": "203.0.113.24"})

    resource = Resource({"service.name": "tutor"})
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
    tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    tracers.add_span_processor(OfTheUser())
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    way.instrument(tracers, loggers)
    from clients import call  # when the instrumentation is in place

    call(url)
    finished, written = spans.get_finished_spans(), logs.get_finished_logs()
    lines = [_as_json(encode_spans(one)) for one in _batches(finished)]
    return lines + [_as_json(encode_logs(one)) for one in _batches(written)]


def _batches(records: Any) -> list[Any]:
    return [records[at : at + RECORDS_PER_LINE] for at in range(0, len(records), RECORDS_PER_LINE)]


def _as_json(request: Any) -> dict[str, Any]:
    """OTLP's JSON: protobuf's own, but ids in hex and enumerations as numbers."""
    from google.protobuf.json_format import MessageToDict

    written: dict[str, Any] = _with_hex_ids(MessageToDict(request, use_integers_for_enums=True))
    return written


def _with_hex_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: base64.b64decode(inner).hex()
            if name in {"traceId", "spanId", "parentSpanId"}
            else _with_hex_ids(inner)
            for name, inner in value.items()
        }
    return [_with_hex_ids(inner) for inner in value] if isinstance(value, list) else value


def _without_places(value: Any) -> Any:
    """The same without stack traces, which name folders of the machine."""
    if isinstance(value, dict):
        if value.get("key") == "exception.stacktrace":
            return {"key": value["key"], "value": {"stringValue": ""}}
        return {name: _without_places(inner) for name, inner in value.items()}
    return [_without_places(inner) for inner in value] if isinstance(value, list) else value


def write(name: str, path: Path) -> None:
    """Record one way into a file."""
    way = WAYS[name]
    with answering() as url:
        records = _without_places(record(way, url))
    wrote = ("opentelemetry-sdk", *way.packages, "openai", "anthropic")
    versions = ", ".join(f"{package} {version(package)}" for package in wrote)
    header = {"recorded_with": versions, "n_records": len(records)}
    text = "".join(json.dumps(one) + "\n" for one in (header, *records))
    port = url.rsplit(":", maxsplit=1)[1]
    path.write_text(text.replace(url, "http://provider.example").replace(f'"{port}"', '"8080"'))


HERE = "--here"
"""To record in this process. Each way has one of its own: what it needs of the environment is read while
libraries are imported."""


def main() -> None:
    if sys.argv[1] == HERE:
        write(sys.argv[2], Path(sys.argv[3]))
        return
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    for name in filter(_is_installed, names or WAYS):
        command = [sys.executable, __file__, HERE, name, str(folder / f"{name}.jsonl")]
        subprocess.run(command, check=True, env={**os.environ, **WAYS[name].environment})


def _is_installed(name: str) -> bool:
    try:
        return bool([version(package) for package in WAYS[name].packages])
    except PackageNotFoundError as missing:
        print(f"{name}: not recorded, {missing.name} is not installed", file=sys.stderr)
        return False


if __name__ == "__main__":
    main()
