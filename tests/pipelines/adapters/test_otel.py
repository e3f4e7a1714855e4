"""Spans of model calls: one call in every generation of the conventions.

The records are invented, written from the published conventions; none is from anybody's log.
"""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_files import read

from pipelines.errors import UnreadableInput

START_NS = 1_748_779_200_000_000_000  # 2025-06-01T12:00:00Z


def value(of: Any) -> dict[str, Any]:
    """A value as OTLP writes it: 64-bit integers as strings."""
    match of:
        case bool():
            return {"boolValue": of}
        case int():
            return {"intValue": str(of)}
        case float():
            return {"doubleValue": of}
        case list():
            return {"arrayValue": {"values": [value(one) for one in of]}}
        case dict():
            return {"kvlistValue": {"values": attributes(of)}}
        case _:
            return {"stringValue": of}


def attributes(of: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value(one)} for key, one in of.items()]


def span(has: dict[str, Any], name: str = "eee19b7ec3c1b174", **fields: Any) -> dict[str, Any]:
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": name,
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 2_683_000_000),
        "attributes": attributes(has),
        "status": {"code": 0},
        **fields,
    }


def document(*spans: dict[str, Any], service: str = "tutor") -> dict[str, Any]:
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes({"service.name": service})},
                "scopeSpans": [{"scope": {"name": "invented"}, "spans": list(spans)}],
            }
        ]
    }


IDENTITY = {"user.id": "ana", "client.address": "203.0.113.24", "user_agent.original": "client/3.1"}
MESSAGES = [
    {"role": "user", "parts": [{"type": "text", "content": "first question"}]},
    {
        "role": "assistant",
        "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "an answer"}],
    },
    {
        "role": "user",
        "parts": [
            {"type": "text", "content": "tank holds 240 l"},
            {"type": "blob", "modality": "image", "content": "AAAA"},
            {"type": "text", "content": "how long?"},
        ],
    },
]  # fmt: skip
INSTRUCTIONS = [{"type": "text", "content": "Show every step."}]
ANSWER = [{"role": "assistant", "parts": [{"type": "text", "content": "30 minutes"}]}]
CURRENT = {
    **IDENTITY,
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "lark-2",
    "gen_ai.request.temperature": 0.7,
    "gen_ai.request.max_tokens": 2048,
    "gen_ai.request.choice.count": 4,
    "gen_ai.response.id": "cc-1",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 61,
    "gen_ai.usage.output_tokens": 212,
    "gen_ai.usage.cache_read.input_tokens": 40,
    "gen_ai.tool.definitions": json.dumps([{"type": "function", "name": "run"}]),
}
AS_TEXTS = {
    "gen_ai.system_instructions": json.dumps(INSTRUCTIONS),
    "gen_ai.input.messages": json.dumps(MESSAGES),
    "gen_ai.output.messages": json.dumps(ANSWER),
}
AS_VALUES = {
    "gen_ai.system_instructions": INSTRUCTIONS,
    "gen_ai.input.messages": MESSAGES,
    "gen_ai.output.messages": ANSWER,
}
SPOKEN = [
    {"role": "system", "content": "Show every step."},
    {"role": "user", "content": "first question"},
    {"role": "assistant", "content": "an answer"},
    {"role": "user", "content": "tank holds 240 l\n\nhow long?"},
]
EVENTS = [
    {"name": "gen_ai.system.message", "attributes": attributes({"content": "Show every step."})},
    {"name": "gen_ai.user.message", "attributes": attributes({"content": "first question"})},
    {"name": "gen_ai.assistant.message", "attributes": attributes({"content": "an answer"})},
    {"name": "gen_ai.user.message", "attributes": attributes({"content": "tank holds 240 l\n\nhow long?"})},
    {"name": "gen_ai.choice", "attributes": attributes({"content": "30 minutes", "index": 0})},
    {"name": "exception", "attributes": []},
]
EVENTS_OF_JSON = [  # as Azure's client writes them
    *(
        {
            "name": f"gen_ai.{one['role']}.message",
            "attributes": attributes({"gen_ai.event.content": json.dumps(one)}),
        }
        for one in SPOKEN
    ),
    {
        "name": "gen_ai.choice",
        "attributes": attributes(
            {
                "gen_ai.event.content": json.dumps(
                    {"message": {"role": "assistant", "content": "30 minutes"}, "finish_reason": "stop"}
                )
            }
        ),
    },
]
EVENTS_OF_ALL = [
    {"name": "gen_ai.content.prompt", "attributes": attributes({"gen_ai.prompt": json.dumps(SPOKEN)})},
    {
        "name": "gen_ai.content.completion",
        "attributes": attributes(
            {"gen_ai.completion": json.dumps([{"role": "assistant", "content": "30 minutes"}])}
        ),
    },
]
FLAT = {
    **IDENTITY,
    "gen_ai.system": "openai",
    "llm.request.type": "chat",
    "gen_ai.request.model": "lark-2",
    "gen_ai.request.temperature": 0.7,
    "gen_ai.request.max_tokens": 2048,
    "gen_ai.prompt.3.content": "tank holds 240 l\n\nhow long?",
    "gen_ai.prompt.3.role": "user",
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Show every step.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "first question",
    "gen_ai.prompt.2.role": "assistant",
    "gen_ai.prompt.2.tool_calls.0.name": "run",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "30 minutes",
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.usage.prompt_tokens": 61,
    "gen_ai.usage.completion_tokens": 212,
    "gen_ai.usage.cache_read_input_tokens": 40,
}
CALL = {
    **IDENTITY,
    "openinference.span.kind": "LLM",
    "llm.system": "openai",
    "llm.model_name": "lark-2",
    "llm.token_count.prompt": 61,
    "llm.token_count.completion": 212,
    "llm.token_count.prompt_details.cache_read": 40,
    "llm.invocation_parameters": json.dumps(
        {
            "temperature": 0.7,
            "max_tokens": 2048,
            "logprobs": True,
            "top_logprobs": 20,
            "logit_bias": {"17": -100},
        }
    ),
}  # fmt: skip
BODIES = {
    "input.value": json.dumps(
        {
            "model": "lark-2",
            "messages": SPOKEN,
        }
    ),
    "output.value": json.dumps(
        {
            "id": "cc-1",
            "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "30 minutes"}}],
        }
    ),
}
NUMBERED = {
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Show every step.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.content": "first question",
    "llm.input_messages.2.message.role": "assistant",
    "llm.input_messages.2.message.content": "an answer",
    "llm.input_messages.3.message.role": "user",
    "llm.input_messages.3.message.contents.1.message_content.text": "how long?",
    "llm.input_messages.3.message.contents.0.message_content.text": "tank holds 240 l",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "30 minutes",
    "llm.finish_reason": "stop",
}
GENERATIONS = {
    "messages as texts": span({**CURRENT, **AS_TEXTS}),
    "messages as values": span({**CURRENT, **AS_VALUES}),
    "messages as events": span(CURRENT, events=EVENTS),
    "messages as events of JSON": span(CURRENT, events=EVENTS_OF_JSON),
    "all messages in an event": span(CURRENT, events=EVENTS_OF_ALL),
    "all of a call in an event": span(
        CURRENT,
        events=[
            {"name": "gen_ai.client.inference.operation.details", "attributes": attributes(AS_VALUES)},
        ],
    ),
    "an attribute per message": span(FLAT),
    "OpenInference, bodies": span({**CALL, **BODIES}),
    "OpenInference, an attribute per message": span({**CALL, **NUMBERED}),
}
MEANS = {
    "account_id": "ana",
    "project_id": "tutor",
    "ip": "203.0.113.24",
    "user_agent": "client/3.1",
    "provider": "openai",
    "model": "lark-2",
    "prompt": "tank holds 240 l\n\nhow long?",
    "system_prompt": "Show every step.",
    "n_turns": 3,
    "temperature": 0.7,
    "max_tokens": 2048,
    "input_tokens": 61,
    "output_tokens": 212,
    "cached_tokens": 40,
    "status": 200,
    "stop_reason": "stop",
    "latency_ms": 2683.0,
    "response": "30 minutes",
    "body_state": "full",
}


def holds(row: dict[str, Any], **wanted: Any) -> bool:
    assert {name: row[name] for name in wanted} == wanted
    return True


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_call_means_the_same_in_every_generation(lines, generation):
    log = read(lines(document(GENERATIONS[generation])))
    assert (log.format, log.refused) == ("otel", [])
    assert holds(log.rows[0], **MEANS)


def test_only_the_conventions_of_now_say_how_many_answers_and_what_is_a_picture(lines):
    (row,) = read(lines(document(GENERATIONS["messages as texts"]))).rows
    assert holds(row, n_choices=4, n_images=1, tool_names=["run"], top_logprobs=None)


def test_invocation_parameters_show_soft_labels(lines):
    (row,) = read(lines(document(GENERATIONS["OpenInference, bodies"]))).rows
    assert holds(row, top_logprobs=20, n_logit_bias=1)


OTHER_BODIES = {
    "LangChain": {
        "messages": [[{"lc": 1, "type": "constructor", "kwargs": {"content": "how long?", "type": "human"}}]]
    },
    "LlamaIndex": {"messages": [{"role": "user", "blocks": [{"block_type": "text", "text": "how long?"}]}]},
    "texts": {"messages": ["user: how long?"]},
    "none": {"messages": []},
}


@pytest.mark.parametrize("body", OTHER_BODIES)
def test_a_body_of_another_shape_does_not_hide_numbered_messages(body, lines):
    has = {**CALL, **NUMBERED, "input.value": json.dumps(OTHER_BODIES[body])}
    (row,) = read(lines(document(span(has)))).rows
    assert holds(row, **MEANS)


def test_pictures_in_numbered_messages_count_beside_a_body_of_another_shape(lines):
    numbered = {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": "what is this?",
        "llm.input_messages.0.message.contents.1.message_content.type": "image",
        "llm.input_messages.0.message.contents.1.message_content.image.image.url": "data:image/png;base64,AA",
    }
    has = {**CALL, "input.value": json.dumps(OTHER_BODIES["LangChain"]), **numbered}
    assert holds(read(lines(document(span(has)))).rows[0], prompt="what is this?", n_images=1)


def test_a_body_that_nobody_reads_is_no_conversation(lines):
    (row,) = read(lines(document(span({**CALL, "input.value": json.dumps(OTHER_BODIES["LangChain"])})))).rows
    assert holds(row, prompt=None, n_turns=None, body_state="absent")


def test_a_list_of_messages_alone_is_read_as_what_it_is(lines):
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "how long?"}]
    (row,) = read(lines(document(span({**CALL, "input.value": json.dumps(said)})))).rows
    assert holds(row, prompt="how long?", system_prompt="Be brief.", n_turns=1)


HIDDEN = "__REDACTED__"
WAYS_OF_HIDING = {
    "bodies": {"input.value": HIDDEN, "output.value": HIDDEN},
    "messages": {
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": HIDDEN,
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": HIDDEN,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": HIDDEN,
    },
    "parts of messages": {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.contents.0.message_content.text": HIDDEN,
        "llm.input_messages.0.message.contents.1.message_content.text": HIDDEN,
        "output.value": HIDDEN,
    },
    "LiteLLM": {
        "gen_ai.input.messages": json.dumps([{"role": "user", "content": "redacted-by-litellm"}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": "redacted-by-litellm"}]),
    },
}


@pytest.mark.parametrize("way", WAYS_OF_HIDING)
def test_what_was_hidden_is_no_prompt_that_everybody_shares(way, lines):
    (row,) = read(lines(document(span({**CALL, **WAYS_OF_HIDING[way]})))).rows
    assert holds(row, prompt=None, system_prompt=None, response=None, body_state="redacted", input_tokens=61)


def test_an_answer_alone_may_be_hidden(lines):
    (row,) = read(lines(document(span({**CALL, **BODIES, "output.value": HIDDEN})))).rows
    assert holds(row, prompt=MEANS["prompt"], response=None, body_state="full")


def test_a_prompt_that_speaks_of_hiding_is_a_prompt(lines):
    said = f"{HIDDEN} stands for what?"
    (row,) = read(lines(document(span({**CALL, "input.value": said})))).rows
    assert holds(row, prompt=said, body_state="full")


@pytest.mark.parametrize(
    "cut",
    [
        {**CURRENT, "gen_ai.input.messages": json.dumps(MESSAGES)[:60]},
        {**CALL, "input.mime_type": "application/json", "input.value": BODIES["input.value"][:60]},
    ],
)
def test_messages_that_were_cut_off_are_not_absent(cut, lines):
    assert holds(read(lines(document(span(cut)))).rows[0], prompt=None, body_state="truncated")


def test_an_agent_over_a_chat_is_one_call_and_tools_are_none(lines):
    spans = [
        span({**CURRENT, **AS_TEXTS, "gen_ai.operation.name": "invoke_agent"}, "a1"),
        span({**CURRENT, **AS_TEXTS}, "a2", parentSpanId="a1"),
        span({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "run"}, "a3", parentSpanId="a1"),
        span({"http.request.method": "POST", "user.id": "ana"}, "a4"),
        span({**FLAT, "traceloop.span.kind": "workflow"}, "a5"),
        span({**CALL, "openinference.span.kind": "CHAIN"}, "a6"),
        span({**CALL, **BODIES}, "a7"),
    ]
    log = read(lines(document(*spans), document()))
    assert [row["request_id"][-2:] for row in log.rows] == ["a2", "a7"]
    assert (log.n_rows, log.refused) == (8, [])


BY_LITELLM = {
    "metadata.user_api_key_hash": "88dc" * 16,
    "metadata.user_api_key_alias": "",
    "metadata.user_api_key_team_id": "",
    "metadata.user_api_key_org_id": "org-9",
    "metadata.user_api_key_user_id": "usr-17",
    "metadata.user_api_key_end_user_id": "",
    "metadata.user_api_key_request_route": "",
    "metadata.requester_ip_address": "203.0.113.9",
    "metadata.user_agent": "",
    "metadata.usage_object": "{'completion_tokens': 212, 'prompt_tokens': 61, 'completion_tokens_details': "
    "{'audio_tokens': None, 'reasoning_tokens': 160}, 'prompt_tokens_details': {'cached_tokens': 20}}",
    "gen_ai.request.model": "lark-2",
    "llm.request.type": "acompletion",
    "gen_ai.system": "",
    "llm.user": "customer-7",
    "gen_ai.usage.output_tokens": 212,
    "gen_ai.usage.input_tokens": 61,
    "llm.request.functions.0.name": "run_tests",
    "llm.request.functions.0.parameters": '{"type": "object"}',
    "gen_ai.input.messages": json.dumps(MESSAGES),
    "gen_ai.operation.name": "acompletion",
    "gen_ai.response.finish_reasons": '["tool_calls"]',
}
"""As LiteLLM 1.110.2 writes them, blanks for what it does not know among them."""


def test_litellm_calls_its_operations_by_names_of_its_own(lines):
    ours = [
        "acompletion",
        "aresponses",
        "anthropic_messages",
        "agenerate_content",
        "text.completions",
        "Chat",
    ]
    others = ["aembedding", "moderation", "acreate_file", "call_mcp_tool", "list_mcp_tools"]
    spans = [span({**BY_LITELLM, "gen_ai.operation.name": name}) for name in (*ours, *others)]
    log = read(lines(document(*spans)))
    # embeddings by this name are no question to a language model, as in LiteLLM's own logs
    assert log.column("endpoint") == ours


@pytest.mark.parametrize(
    "around", ["invoke_agent", "execute_tool", "create_agent", "run_chain", "workflow", "retrieval", "plan"]
)
def test_what_goes_on_around_calls_is_none_even_where_it_names_a_model(around, lines):
    log = read(lines(document(span({**CURRENT, "gen_ai.operation.name": around}), span(CURRENT))))
    assert log.column("endpoint") == ["chat"]


def test_an_operation_nobody_knows_is_a_call_only_where_it_names_a_model(lines):
    bare = {"user.id": "ana", "gen_ai.operation.name": "converse"}
    log = read(lines(document(span(bare, "d1"), span({**bare, "gen_ai.request.model": "m"}, "d2"))))
    assert [row["request_id"][-2:] for row in log.rows] == ["d2"]


def test_litellm_says_who_called_and_what_was_cached(lines):
    (row,) = read(lines(document(span(BY_LITELLM)))).rows
    assert holds(row, account_id="usr-17", end_user_id="customer-7", org_id="org-9", api_key_id="88dc" * 16)
    assert holds(row, ip="203.0.113.9", user_agent=None, provider=None, project_id="tutor")
    assert holds(row, cached_tokens=20, reasoning_tokens=160, tool_names=["run_tests"], stop_reason="tool")


def test_a_key_without_a_user_is_an_account_of_its_own(lines):
    nobody = {**BY_LITELLM, "metadata.user_api_key_user_id": "default_user_id", "llm.user": ""}
    (row,) = read(lines(document(span(nobody)))).rows
    assert row["account_id"] == "88dc" * 16


def test_two_resources_in_one_line_keep_their_names(lines):
    both = {"resourceSpans": [*document(span(CURRENT, "b1"), service="one")["resourceSpans"],
                              *document(span(CURRENT, "b2"), service="two")["resourceSpans"]]}  # fmt: skip
    log = read(lines(both))
    assert log.column("project_id") == ["one", "two"]
    assert log.column("row_number") == [1, 1]


def test_without_messages_content_is_absent_and_the_call_still_counts(lines):
    (row,) = read(lines(document(span(CURRENT)))).rows
    assert holds(row, prompt=None, system_prompt=None, n_turns=None, n_images=None, response=None)
    assert holds(row, body_state="absent", input_tokens=61)


FAILURES = {
    "429": 429, "RateLimitError": 429, "ThrottlingException": 429, "AuthenticationError": 401, "timeout": 408,
    "BadRequestError": 400, "PermissionDeniedError": 403, "Strange": 500, None: 500,
}  # fmt: skip


def test_a_failed_span_says_how_it_failed(lines):
    bare = {"user.id": "ana", "gen_ai.operation.name": "chat"}
    spans = [
        span({**bare, **({} if kind is None else {"error.type": kind})}, status={"code": 2})
        for kind in FAILURES
    ]
    log = read(lines(document(*spans)))
    assert log.column("status") == list(FAILURES.values())
    assert set(log.column("stop_reason")) == {"error"}


def test_who_has_no_user_is_the_end_user_or_the_service(lines):
    bare = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    log = read(lines(document(span({**bare, "enduser.id": "eve"}, "c1"), span(bare, "c2"))))
    assert log.column("account_id") == ["eve", "tutor"]


def test_a_blank_id_does_not_hide_the_next_one(lines):
    has = {**CURRENT, "gen_ai.conversation.id": "", "session.id": "s-1", "user.id": "", "enduser.id": "eve"}
    (row,) = read(lines(document(span(has)))).rows
    assert holds(row, session_id="s-1", account_id="eve")


def test_tools_are_named_however_they_are_written(lines):
    run, search = {"type": "function", "name": "run"}, {"type": "function", "function": {"name": "search"}}
    ways = [
        {**CURRENT, "gen_ai.tool.definitions": json.dumps([run, search])},
        {**CURRENT, "gen_ai.tool.definitions": [run, search]},
        {
            **CALL,
            "llm.tools.0.tool.json_schema": json.dumps(run),
            "llm.tools.1.tool.json_schema": json.dumps(search),
        },
        {**FLAT, "llm.request.functions.0.name": "run", "llm.request.functions.1.name": "search"},
    ]
    log = read(lines(document(*map(span, ways))))
    assert log.column("tool_names") == [["run", "search"]] * len(ways)


def test_tools_whose_names_are_cut_off_are_not_none(lines):
    (row,) = read(lines(document(span({**CALL, "llm.tools.0.tool.json_schema": '{"type": "func'})))).rows
    assert row["tool_names"] is None


def test_no_secret_of_a_recorded_header_survives(lines):
    secret = "Bearer sk-abcdefghijklmnopqrstuvwxyz0123"
    (row,) = read(lines(document(span({**CURRENT, "http.request.header.authorization": [secret]})))).rows
    assert row["api_key_id"].startswith("sha256:")
    assert "abcdefghij" not in json.dumps(row, default=str)


JUNK = ["[{", "[1, 2]", "{}", "null", '{"values"', '{"values": 3}', "", '["a"]', '[[{"role": 1}]]', '{"a":']


@pytest.mark.parametrize("key", [
    "gen_ai.input.messages", "gen_ai.system_instructions", "gen_ai.output.messages", "output.value",
    "gen_ai.tool.definitions", "input.value", "llm.invocation_parameters", "gen_ai.request.temperature",
    "gen_ai.response.finish_reasons", "gen_ai.prompt.0.role",
    "llm.input_messages.99999999999.message.content",
])  # fmt: skip
def test_what_stands_in_an_attribute_never_refuses_the_span(lines, key):
    spans = [span({**kept, key: junk}) for kept in (CURRENT, CALL) for junk in JUNK]
    assert read(lines(document(*spans))).column("account_id") == ["ana"] * len(spans)


def test_an_attribute_that_comes_twice_counts_once(lines):
    twice = span(CURRENT)
    twice["attributes"] += attributes({"user.id": "eve", "gen_ai.request.model": "other"})
    assert holds(read(lines(document(twice))).rows[0], account_id="ana", model="lark-2")


WAYS_OF_NUMBERING = {
    "OpenLLMetry": ("gen_ai.prompt.{}.role", "gen_ai.prompt.{}.content"),
    "OpenInference": ("llm.input_messages.{}.message.role", "llm.input_messages.{}.message.content"),
}
CONVERSATIONS = st.lists(
    st.tuples(
        st.sampled_from(["user", "assistant", "system", "tool"]), st.sampled_from(["", "hi", 'é "[', "[1]"])
    ),
    max_size=12,
)


@pytest.mark.parametrize("way", WAYS_OF_NUMBERING)
@given(said=CONVERSATIONS, seed=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbered_messages_mean_the_same_in_turns_and_in_disorder(way, said, seed, lines):
    """In turns, as every instrumentation writes them, they are read without being taken apart."""
    role_key, text_key = WAYS_OF_NUMBERING[way]
    pieces = [
        (key.format(n), part)
        for n, message in enumerate(said)
        for key, part in zip((role_key, text_key), message, strict=True)
    ]
    shuffled = seed.sample(pieces, len(pieces))
    bare = {"gen_ai.operation.name": "chat", "user.id": "ana"}
    rows = read(lines(*(document(span({**bare, **dict(of)})) for of in (pieces, shuffled)))).rows
    in_turns, in_disorder = ({**row, "row_number": 0} for row in rows)
    assert in_turns == in_disorder
    spoken = [text for role, text in said if role == "user" and text]
    assert in_turns["prompt"] == (spoken[-1] if spoken else None)
    assert in_turns["n_turns"] == (sum(role != "system" for role, _ in said) if said else None)


PARTS = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "https://x.example/a"}}]


BESIDE_PARTS = {
    "nothing": {},
    "a tool's call": {"gen_ai.prompt.0.tool_calls.0.name": "run"},
    "a message without a text": {"gen_ai.prompt.1.role": "assistant"},
}


@pytest.mark.parametrize("beside", BESIDE_PARTS)
def test_a_list_of_parts_is_no_text(beside, lines):
    """OpenLLMetry writes it as JSON where OpenInference has an attribute for each part."""
    has = {
        "user.id": "ana",
        "gen_ai.request.model": "m",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": json.dumps(PARTS),
        **BESIDE_PARTS[beside],
    }
    (row,) = read(lines(document(span(has)))).rows
    assert holds(row, prompt="look", n_images=1)


def test_a_text_of_openinference_that_looks_like_parts_is_a_text(lines):
    has = {
        **CALL,
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": json.dumps(PARTS),
    }
    assert holds(read(lines(document(span(has)))).rows[0], prompt=json.dumps(PARTS), n_images=0)


def test_an_answer_in_json_is_no_message(lines):
    """Only a text with a message's role is taken for one."""
    for said, means in (
        ({"role": "assistant", "content": "30 minutes"}, "30 minutes"),
        ({"content": "30 minutes"}, '{"content": "30 minutes"}'),
    ):
        choice = {"name": "gen_ai.choice", "attributes": attributes({"message": json.dumps(said)})}
        (row,) = read(lines(document(span(CURRENT, events=[choice])))).rows
        assert row["response"] == means


REFUSALS = {
    "in a body": {
        **CALL,
        "llm.finish_reason": "stop",
        "output.value": json.dumps(
            {"choices": [{"finish_reason": "stop", "message": {"content": None, "refusal": "I cannot."}}]}
        ),
    },
    "as a part": {
        **CURRENT,
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "refusal", "content": "I cannot."}]}]
        ),
    },
}


@pytest.mark.parametrize("where", REFUSALS)
def test_a_refusal_is_one_although_the_answer_ended_as_any_other(where, lines):
    assert read(lines(document(span(REFUSALS[where])))).column("stop_reason") == ["refusal"]


def test_the_words_of_another_sdk_for_why_an_answer_ended(lines):
    said = ["tool-calls", "content-filter", "stop"]
    log = read(lines(document(*(span({**CURRENT, "gen_ai.response.finish_reasons": [w]}) for w in said))))
    assert log.column("stop_reason") == ["tool", "filter", "stop"]


def test_a_key_with_a_line_break_is_one_key(lines):
    """Keys are compared as lines of one text: this one must not stand for two."""
    forged = {
        "gen_ai.prompt.0.role\ngen_ai.prompt.0.content": "user",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": "how long?",
    }
    bare = {"gen_ai.operation.name": "chat", "user.id": "ana"}
    assert holds(read(lines(document(span({**bare, **forged})))).rows[0], prompt="how long?", n_turns=1)


def test_a_conversation_of_many_messages_takes_time_in_proportion(lines):
    def seconds(n_messages: int) -> float:
        said = {
            f"gen_ai.prompt.{i}.{part}": "user" for i in range(n_messages) for part in ("role", "content")
        }
        path = lines(document(span({**CURRENT, **said})))
        started = time.process_time()
        assert holds(read(path).rows[0], n_turns=n_messages)
        return time.process_time() - started

    seconds(10)
    few, many = seconds(2_000), seconds(20_000)
    assert many < 20 * few, "ten times the messages may not cost a hundred times"


def test_length_prefixed_protobuf_is_no_log(lines):
    log = lines(b"\x00\x00\x00\x10\x0a\x0e\x0a\x0c\x0a\x0a\x0a\x04name\x12\x02\xff\xfe", name="spans.json")
    with pytest.raises(UnreadableInput):
        read(log)
