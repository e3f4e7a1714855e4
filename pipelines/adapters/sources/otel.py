"""The format `otel`: spans of model calls as OpenTelemetry's collector writes them, OTLP in JSON.

Here: the GenAI conventions of all generations, and OpenInference (Phoenix, Envoy AI Gateway), which may lie
in one file. Not here: reading attributes and messages (`sql/telemetry.sql`).

Only spans of model calls count; those of agents, tools and chains around them would count a call twice. A
span's own id names the request: `gen_ai.response.id` does not, for some servers number answers anew after
each start, and a cached answer keeps its id.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pipelines.adapters.source import AS_JSON, TEXT, Apart, Source, Writing, has
from pipelines.adapters.sources.bodies import BODY_COLUMNS, CHAT_CARRIED, MESSAGES, REFUSED, REQUEST

VALUE = {
    "stringValue": TEXT,
    "intValue": TEXT,
    "doubleValue": TEXT,
    "boolValue": TEXT,
    "arrayValue": AS_JSON,
    "kvlistValue": AS_JSON,
}
ATTRIBUTES = [{"key": TEXT, "value": VALUE}]
_SPAN: Mapping[str, Any] = {
    "traceId": TEXT,
    "spanId": TEXT,
    "startTimeUnixNano": TEXT,
    "endTimeUnixNano": TEXT,
    "attributes": ATTRIBUTES,
    "events": [{"name": TEXT, "attributes": ATTRIBUTES}],
    "status": {"code": TEXT},
}
_TOOLS = json.dumps([REQUEST["tools"][0]])


def _at(*names: str) -> str:
    """SQL of a span's attribute as text; of several names the first that it has."""
    found = [f"texts[list_position(keys, '{name}')]" for name in names]
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def _number(name: str) -> str:
    return f"coalesce(number_or_null({_at(f'gen_ai.request.{name}')}), {BODY_COLUMNS[name]})"


def _whole(name: str, column: str) -> str:
    return f"coalesce(whole_or_null({_at(f'gen_ai.request.{name}')}), {BODY_COLUMNS[column]})"


SERVICE = "value_at(resource, 'service.name')"
_CONVENTIONAL = "'chat', 'generate_content', 'text_completion', 'embeddings'"
# Products have words of their own for a call (acompletion, responses): it says which model was asked.
CALLED = (
    f"operation IN ({_CONVENTIONAL}) THEN true WHEN operation IS NOT NULL THEN "
    f"may_ask_model(lower(operation)) AND {_at('gen_ai.request.model')} IS NOT NULL"
)
"""SQL of the cases in which an operation that a span or record names is a model call."""
_IS_CALL = (
    f"CASE WHEN kind IS NOT NULL THEN kind IN ('LLM', 'EMBEDDING') WHEN {CALLED} "
    # the oldest generation names no operation; what it calls a kind of span is never a model call
    f"ELSE {_at('gen_ai.request.model', 'gen_ai.response.model')} IS NOT NULL "
    f"AND {_at('traceloop.span.kind')} IS NULL END"
)

# CASE for the list: what is chosen by coalesce is copied.
_PARAMETERS_OVER_BODY = (
    "{"
    + ", ".join(
        f"'{name}': CASE WHEN parameters.{name} IS NULL THEN body.{name} ELSE parameters.{name} END"
        for name in REQUEST
    )
    + "}"
)

_CALLER_CARRIED = frozenset(
    {
        "ts",
        "account_id",
        "project_id",
        "end_user_id",
        "session_id",
        "provider",
        "endpoint",
        "status",
        "ip",
        "country",
        "user_agent",
        "client_fingerprint",
    }
)
CARRIED = _CALLER_CARRIED | CHAT_CARRIED - {
    "n_images",
    "n_logit_bias",
    "response_format",
    "stop_reason",
    "thinking",
    "top_logprobs",
}

# What LiteLLM says of its caller. One look at a span's keys decides for all of it.
_CALLER = {
    "person": f"person_of_litellm({_at('metadata.user_api_key_user_id')})",
    "organisation": _at("metadata.user_api_key_org_id"),
    "project": _at("metadata.user_api_key_project_id", "metadata.user_api_key_team_id"),
    "key": _at("metadata.user_api_key_hash"),
    "end_user": _at("metadata.user_api_key_end_user_id"),
    "route": _at("metadata.user_api_key_request_route"),
    "ip": _at("metadata.requester_ip_address"),
    "user_agent": _at("metadata.user_agent"),
    "cached_tokens": f"counted_by_litellm({_at('metadata.usage_object')}, 'cached_tokens')",
    "reasoning_tokens": f"counted_by_litellm({_at('metadata.usage_object')}, 'reasoning_tokens')",
}
_CALLER_OF_LITELLM = (
    "CASE WHEN list_contains(keys, 'metadata.user_api_key_hash') THEN {"
    + ", ".join(f"'{name}': {sql}" for name, sql in _CALLER.items())
    + "} END"
)
_OWN_TOOLS = (
    "CASE WHEN NOT is_call THEN NULL WHEN definitions IS NOT NULL THEN tools_of_definitions(definitions, "
    f"TRY(json_transform(definitions, '{_TOOLS}'))) "
    "WHEN list_contains(keys, 'llm.tools.0.tool.json_schema') "
    "OR list_contains(keys, 'llm.request.functions.0.name') THEN numbered_tool_names(keys, texts) END"
)

_OTHERS = "list_transform(are_asked, lambda a: NOT a)"
# Whole lists are handed on as they are where no key is one of a conversation's: what a CASE chooses is copied
# only where its rows differ.
KEY_STEPS: tuple[Mapping[str, str], ...] = (
    {"are_asked": "list_transform(all_keys, lambda k: is_asked(k))"},
    {"n_asked": "len(list_filter(are_asked, lambda a: a))"},
    {
        "keys": f"CASE WHEN n_asked > 0 THEN list_where(all_keys, {_OTHERS}) ELSE all_keys END",
        "texts": f"CASE WHEN n_asked > 0 THEN list_where(all_texts, {_OTHERS}) ELSE all_texts END",
    },
)
"""What is computed of `all_keys` and `all_texts`: the keys that are looked up by name, and their texts."""

_HAS_EVENTS = "len(span.events) > 0"
DETAILS = "gen_ai.client.inference.operation.details"
"""The event that tells all of a call; of some instrumentations one of the span's own."""

SPAN_STEPS: tuple[Mapping[str, str], ...] = (
    {
        "all_keys": "attribute_keys(entries)",
        "all_texts": "attribute_texts(entries)",
        "service": SERVICE,
        "trace_id": "span.traceId",
        "span_id": "span.spanId",
        "begun": "span.startTimeUnixNano",
        "ended": "span.endTimeUnixNano",
        "is_failed": "coalesce(span.status.code IN ('2', 'STATUS_CODE_ERROR'), false)",
    },
    *KEY_STEPS,
    # OpenInference says what failed in an event alone.
    {
        "failure": "CASE WHEN is_failed THEN "
        f"coalesce({_at('error.type', 'exception.type')}, exception_of(span.events)) END",
    },
)
"""What is computed of the steps `span`, `resource` and `entries` (attributes, an event's among them)."""


_ASKS_IN_PIECES = "is_call AND n_asked > 0 AND input_text IS NULL AND body_messages IS NULL"


def call_steps(*, is_call: str, told: str, said: str) -> tuple[Mapping[str, str], ...]:
    """What is computed on the way from what `SPAN_STEPS` gives to the columns.

    Parameters
    ----------
    is_call : SQL over the steps before and `kind` and `operation`
    told, said : SQL of messages and of an answer's text where no attribute has them
    """
    return (
        {
            "kind": _at("openinference.span.kind"),
            "operation": _at("gen_ai.operation.name"),
            "input_text": _at("gen_ai.input.messages"),
            "output_text": _at("gen_ai.output.messages"),
            "instructions_text": _at("gen_ai.system_instructions"),
            "input_value": _at("input.value"),
            "output_value": _at("output.value"),
            "input_kind": _at("input.mime_type"),
            "definitions": _at("gen_ai.tool.definitions"),
            "caller": _CALLER_OF_LITELLM,
        },
        {"is_call": is_call},
        # Of spans that are no calls nothing is parsed: an agent's span repeats the bodies of its calls.
        {
            "body": "CASE WHEN is_call AND input_value IS NOT NULL THEN request_of(input_value) END",
            "parameters": f"CASE WHEN is_call THEN request_of({_at('llm.invocation_parameters')}) END",
            "response": "CASE WHEN is_call AND output_value IS NOT NULL THEN response_of(output_value) END",
            "output": "CASE WHEN is_call THEN span_messages_of(output_text) END",
            "own_instructions": "CASE WHEN is_call THEN instructions_of(instructions_text) END",
            "own_tools": _OWN_TOOLS,
        },
        # Invocation parameters overrule the body: libraries fill in what the caller left to them.
        {
            "request": "CASE WHEN parameters IS NULL THEN body ELSE " + _PARAMETERS_OVER_BODY + " END",
            "own_answer": "CASE WHEN output IS NOT NULL THEN "
            "joined(list_transform(output, lambda m: content_text(m.content))) END",
            "own_messages": "CASE WHEN is_call THEN span_messages_of(input_text) END",
        },
        # LangChain and LlamaIndex put their own objects into input.value, beside messages as attributes.
        {
            "given_messages": f"CASE WHEN is_call AND own_messages IS NULL THEN {MESSAGES} END",
        },
        {
            "body_messages": "CASE WHEN own_messages IS NOT NULL THEN own_messages "
            "WHEN tells_messages(given_messages, n_asked) THEN given_messages END",
            "body_answer": "CASE WHEN own_answer IS NOT NULL THEN own_answer "
            f"WHEN is_call THEN {BODY_COLUMNS['response']} END",
        },
        # Sorting out numbered attributes is spared where the messages are one attribute or in a body.
        {
            "asked_keys": f"CASE WHEN {_ASKS_IN_PIECES} THEN list_where(all_keys, are_asked) END",
            "asked_texts": f"CASE WHEN {_ASKS_IN_PIECES} THEN list_where(all_texts, are_asked) END",
            "completions": "CASE WHEN is_call AND output_text IS NULL AND body_answer IS NULL "
            "THEN numbered(keys, texts, 'gen_ai.completion') END",
        },
        {
            "in_turns": "CASE WHEN are_in_turns(asked_keys) AND NOT may_be_parts(asked_keys, asked_texts) "
            "THEN messages_in_turns(asked_texts) END",
            "answered": "CASE WHEN len(completions) = 0 THEN numbered(keys, texts, 'llm.output_messages') "
            "ELSE completions END",
        },
        {
            "prompts": "CASE WHEN asked_keys IS NOT NULL AND in_turns IS NULL "
            "THEN numbered(asked_keys, asked_texts, 'gen_ai.prompt') END",
        },
        {
            "asked": "CASE WHEN len(prompts) = 0 "
            "THEN numbered(asked_keys, asked_texts, 'llm.input_messages') ELSE prompts END",
        },
        {
            "messages": "CASE WHEN body_messages IS NOT NULL THEN body_messages "
            "WHEN in_turns IS NOT NULL THEN in_turns "
            f"WHEN is_call THEN coalesce(numbered_messages(asked, len(prompts) > 0), {told}, "
            "CASE WHEN body IS NULL THEN messages_of_value(input_value, input_kind) END) END",
            "answer": "CASE WHEN body_answer IS NOT NULL THEN body_answer WHEN is_call THEN coalesce("
            f"numbered_text(answered), {said}, "
            "CASE WHEN NOT starts_with(output_value, '{') THEN output_value END) END",
            "instructions": "CASE WHEN own_instructions IS NOT NULL THEN own_instructions "
            "ELSE coalesce(request.instructions, request.system) END",
        },
        {
            # a refusal ends as any answer does: its message alone tells
            "is_refused": f"CASE WHEN response IS NOT NULL THEN {REFUSED} "
            "WHEN output IS NOT NULL THEN refuses(output) END",
            "user_text": BODY_COLUMNS["prompt"],
            "all_system_text": "system_text(messages, instructions)",
        },
    )


CALL_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        **BODY_COLUMNS,
        "request_id": "coalesce(trace_id || '-' || span_id, concat('span-', md5(to_json(span)::VARCHAR)))",
        "ts": "begun",
        "account_id": f"coalesce({_at('user.id')}, caller.person)",
        "org_id": f"coalesce({_at('organization.id')}, caller.organisation)",
        "project_id": "coalesce(caller.project, service)",
        "api_key_id": f"coalesce(key_of_header(first_text_of({_at('http.request.header.authorization')})), "
        f"key_name(caller.key))",
        "end_user_id": f"coalesce({_at('enduser.id', 'enduser.pseudo.id', 'gen_ai.user', 'llm.user')}, "
        f"caller.end_user, {BODY_COLUMNS['end_user_id']})",
        "session_id": _at("gen_ai.conversation.id", "session.id"),
        "trace_id": "trace_id",
        "provider_request_id": f"coalesce({_at('gen_ai.response.id')}, response.id)",
        "provider": _at("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
        # llm.model_name is the answer's model where the answer names one
        "model": f"coalesce({_at('gen_ai.request.model', 'llm.request.model_name')}, request.model, "
        f"{_at('llm.model_name')}, {BODY_COLUMNS['model']}, {_at('gen_ai.response.model')})",
        "endpoint": f"coalesce({_at('url.path')}, caller.route, operation)",
        "prompt": "unless_masked(user_text)",
        "system_prompt": "unless_masked(all_system_text)",
        # Whether there is any is told by one look at the text that the messages were in.
        "n_images": "CASE WHEN in_turns IS NOT NULL THEN 0 "
        "WHEN len(own_messages) > 0 AND NOT may_name_image(input_text) THEN 0 "
        "ELSE n_images_of(messages) + n_span_images_of(messages) END",
        "tool_names": f"CASE WHEN own_tools IS NOT NULL THEN own_tools ELSE {BODY_COLUMNS['tool_names']} END",
        "temperature": _number("temperature"),
        "top_p": _number("top_p"),
        "max_tokens": _whole("max_tokens", "max_tokens"),
        "n_choices": _whole("choice.count", "n_choices"),
        "stream": "coalesce(truth_or_null("
        f"{_at('gen_ai.request.stream', 'gen_ai.is_streaming', 'llm.is_streaming')}), "
        f"{BODY_COLUMNS['stream']})",
        "thinking": f"coalesce({_at('gen_ai.request.reasoning.level')} NOT IN ('none', 'disabled'), "
        f"{BODY_COLUMNS['thinking']})",
        "response_format": f"coalesce(CASE {_at('gen_ai.output.type')} WHEN 'json' THEN 'json_object' "
        f"WHEN 'text' THEN 'text' END, {_at('gen_ai.openai.request.response_format')}, "
        f"{BODY_COLUMNS['response_format']})",
        "input_tokens": "coalesce("
        f"{_at('gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens', 'llm.token_count.prompt')}, "
        f"{BODY_COLUMNS['input_tokens']})",
        "output_tokens": "coalesce("
        + _at(
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
        )
        + f", {BODY_COLUMNS['output_tokens']})",
        "cached_tokens": "coalesce("
        + _at(
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "llm.token_count.prompt_details.cache_read",
        )
        + f", {BODY_COLUMNS['cached_tokens']}, "
        "caller.cached_tokens)",
        "reasoning_tokens": "coalesce("
        + _at(
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "llm.token_count.completion_details.reasoning",
        )
        + f", {BODY_COLUMNS['reasoning_tokens']}, "
        "caller.reasoning_tokens)",
        "status": f"coalesce(whole_or_null({_at('http.response.status_code')}), "
        "CASE WHEN is_failed THEN coalesce(status_of_exception(failure), 500) END)",
        "stop_reason": "coalesce(CASE WHEN is_refused THEN 'refusal' END, stop_reason_of(coalesce("
        f"first_text_of({_at('gen_ai.response.finish_reasons')}), "
        f"{_at('gen_ai.completion.0.finish_reason', 'llm.finish_reason')})), {BODY_COLUMNS['stop_reason']}, "
        "CASE WHEN is_failed THEN 'error' END)",
        "latency_ms": "ms_between(begun, ended)",
        "ip": f"first_address(coalesce({_at('client.address', 'http.client_ip')}, caller.ip))",
        "country": _at("geo.country.iso_code"),
        "user_agent": f"coalesce({_at('user_agent.original', 'http.user_agent')}, caller.user_agent)",
        "client_fingerprint": _at("tls.client.ja3"),
        "response": "unless_masked(answer)",
        "body_state": "CASE WHEN messages IS NOT NULL THEN "
        "CASE WHEN is_masked(user_text) THEN 'redacted' ELSE 'full' END "
        "WHEN is_masked(input_value) THEN 'redacted' "
        "WHEN is_cut_value(input_text) OR is_cut_value(input_value) THEN 'truncated' ELSE 'absent' END",
    }
)
"""Canonical column to SQL over what `SPAN_STEPS` and `call_steps` give."""

OTEL = Source(
    name="otel",
    title="OpenTelemetry spans (GenAI conventions, OpenInference) as OTLP JSON",
    versions="semantic conventions 1.27 to 1.44 and the GenAI repository, OpenLLMetry attributes of 2024, "
    "OpenInference of 2026, LiteLLM 1.110.2; OTLP 1.0 to 1.9; recorded: "
    "opentelemetry-instrumentation-openai-v2 2.3b0 and 2.4b0, opentelemetry-instrumentation-openai and "
    "-anthropic 0.62.4, openinference-instrumentation-openai 0.1.66 and -anthropic 3.1.0",
    told_by=((has("resourceSpans"),),),
    structure={
        "resourceSpans": [
            {"resource": {"attributes": ATTRIBUTES}, "scopeSpans": [{"spans": [_SPAN]}]},
        ]
    },
    each={"of_resource": "doc.resourceSpans", "of_scope": "of_resource.scopeSpans", "span": "of_scope.spans"},
    steps=(
        {
            "resource": "of_resource.resource.attributes",
            "entries": f"CASE WHEN {_HAS_EVENTS} THEN list_concat(span.attributes, "
            f"list_filter(span.events, lambda e: e.name = '{DETAILS}')[1].attributes) "
            "ELSE span.attributes END",
        },
        *SPAN_STEPS,
        *call_steps(
            is_call=_IS_CALL,
            told=f"CASE WHEN {_HAS_EVENTS} THEN "
            "coalesce(event_messages(span.events), prompt_event_messages(span.events)) END",
            said=f"CASE WHEN {_HAS_EVENTS} THEN "
            "coalesce(event_text(span.events), completion_event_text(span.events)) END",
        ),
    ),
    is_request="is_call",
    columns=CALL_COLUMNS,
    texts_in=Apart(format="otel-records", mark=b'"resourceLogs"'),
    account=("account", "end_user", "key", "project"),
    ignores=frozenset({"resourceLogs", "resourceMetrics"}),
    lacks={
        "top_logprobs, n_logit_bias": "the GenAI conventions have no attribute for them: soft labels and "
        "logit extraction show in OpenInference's invocation parameters alone",
        "prompt, system_prompt, tool_names, response": "recorded only when the instrumentation was told to, "
        "in the span or in log records beside it (otel-records); some drop content that is a list of parts: "
        "everything about content",
        "api_key_id, org_id": "no attribute of the conventions: ties through keys and payers, unless LiteLLM "
        "wrote the span or, of keys alone, the header authorization is recorded",
        "completeness": "where traces are sampled: queues, pace and volume are those of the sample; where "
        "two instrumentations of one program tell of a call (LangChain and its client): it counts twice",
        "unknown fields": "attributes are pairs of a key and a value: of keys not known none is named",
    },
    writings={
        "otel": Writing("otel", carries=CARRIED),
        "otel-flat": Writing("otel_flat", carries=CARRIED - {"tool_names", "reasoning_tokens", "n_choices"}),
        "openinference": Writing("openinference", carries=_CALLER_CARRIED | CHAT_CARRIED),
    },
)
