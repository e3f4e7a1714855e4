"""A gateway's capture: the same call in every shape that a body may have."""

import json
from typing import Any

import pytest
from log_files import NOON, read

CHAT = {
    "model": "lark-2",
    "messages": [
        {"role": "developer", "content": "Show every step."},
        {"role": "user", "content": "first question"},
        {"role": "assistant", "content": "first answer"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "tank holds 240 l"}, {"type": "text", "text": "how long?"}],
        },
    ],
    "max_completion_tokens": 2048,
    "temperature": 0.7,
    "n": 4,
    "logprobs": True,
    "top_logprobs": 20,
    "logit_bias": {"1734": -100, "9": 3},
    "response_format": {"type": "json_schema", "json_schema": {"name": "s"}},
    "tools": [
        {"type": "function", "function": {"name": "run"}},
        {"type": "custom", "custom": {"name": "draw"}},
    ],
    "reasoning_effort": "high",
    "safety_identifier": "u-9",
    "user": "old-9",
    "stream": False,
}
CHAT_ANSWER = {
    "id": "cc-1",
    "object": "chat.completion",
    "model": "lark-2-0801",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "30 minutes"}}
    ],
    "usage": {
        "prompt_tokens": 61,
        "completion_tokens": 212,
        "prompt_tokens_details": {"cached_tokens": 40},
        "completion_tokens_details": {"reasoning_tokens": 160},
    },
}
RESPONSES = {
    "model": "lark-2",
    "instructions": "Answer like an engineer.",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "merge intervals"},
                {"type": "input_image", "image_url": "x"},
            ],
        },
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
    ],
    "max_output_tokens": 4096,
    "top_logprobs": 5,
    "tools": [{"type": "function", "name": "run_tests"}, {"type": "web_search"}],
    "text": {"format": {"type": "json_object"}},
    "reasoning": {"effort": "none"},
    "conversation": {"id": "conv-1"},
}
RESPONSES_ANSWER = {
    "id": "resp-1",
    "object": "response",
    "status": "incomplete",
    "incomplete_details": {"reason": "max_output_tokens"},
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "def merge"}]},
    ],
    "usage": {
        "input_tokens": 212,
        "input_tokens_details": {"cached_tokens": 128},
        "output_tokens": 640,
        "output_tokens_details": {"reasoning_tokens": 480},
    },
}
MESSAGES = {
    "model": "wren-5",
    "max_tokens": 512,
    "system": [{"type": "text", "text": "Score from 1 to 10."}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a haiku about rain"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "grade", "input": {}}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "6"}]}
            ],
        },
    ],
    "tools": [{"name": "grade", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "tool", "name": "grade"},
    "thinking": {"type": "adaptive"},
    "metadata": {"user_id": "u-5"},
}
MESSAGES_ANSWER = {
    "id": "msg-1",
    "type": "message",
    "model": "wren-5",
    "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "graded"}],
    "stop_reason": "refusal",
    "stop_details": {"type": "refusal", "category": "reasoning_extraction"},
    "usage": {
        "input_tokens": 96,
        "cache_creation_input_tokens": 4,
        "cache_read_input_tokens": 1840,
        "output_tokens": 188,
        "output_tokens_details": {"thinking_tokens": 120},
    },
}


def call(request: Any, response: Any = None, **envelope: Any) -> dict[str, Any]:
    return {"id": "r1", "ts": NOON, "account_id": "ana", "request": request, "response": response, **envelope}


def one(lines, *records, **options) -> dict[str, Any]:
    log = read(lines(*records), **options)
    assert (log.format, log.refused) == ("gateway", [])
    (row,) = log.rows
    return row


def holds(row: dict[str, Any], **wanted: Any) -> bool:
    assert {name: row[name] for name in wanted} == wanted
    return True


CHAT_MEANS = {
    "prompt": "tank holds 240 l\n\nhow long?",
    "system_prompt": "Show every step.",
    "n_turns": 3,
    "n_images": 0,
    "model": "lark-2",
    "end_user_id": "u-9",
    "provider_request_id": "cc-1",
    "temperature": 0.7,
    "max_tokens": 2048,
    "n_choices": 4,
    "top_logprobs": 20,
    "n_logit_bias": 2,
    "response_format": "json_schema",
    "tool_names": ["run", "draw"],
    "thinking": True,
    "stream": False,
    "input_tokens": 61,
    "output_tokens": 212,
    "cached_tokens": 40,
    "reasoning_tokens": 160,
    "status": 200,
    "stop_reason": "stop",
    "response": "30 minutes",
    "body_state": "full",
}
RESPONSES_MEANS = {
    "prompt": "merge intervals",
    "system_prompt": "Answer like an engineer.",
    "n_images": 1,
    "max_tokens": 4096,
    "top_logprobs": 5,
    "tool_names": ["run_tests", "web_search"],
    "response_format": "json_object",
    "thinking": False,
    "session_id": "conv-1",
    "provider_request_id": "resp-1",
    "input_tokens": 212,
    "cached_tokens": 128,
    "output_tokens": 640,
    "reasoning_tokens": 480,
    "stop_reason": "length",
    "response": "def merge",
}
MESSAGES_MEANS = {
    "prompt": "a haiku about rain",
    "system_prompt": "Score from 1 to 10.",
    "n_turns": 3,
    "max_tokens": 512,
    "tool_names": ["grade"],
    "response_format": "tool",
    "thinking": True,
    "end_user_id": "u-5",
    "provider": "anthropic",
    "input_tokens": 1940,
    "cached_tokens": 1840,
    "output_tokens": 188,
    "reasoning_tokens": 120,
    "stop_reason": "refusal",
    "refusal_category": "reasoning_extraction",
    "response": "graded",
}
BODIES = {
    "chat": (CHAT, CHAT_ANSWER, CHAT_MEANS),
    "responses": (RESPONSES, RESPONSES_ANSWER, RESPONSES_MEANS),
    "messages": (MESSAGES, MESSAGES_ANSWER, MESSAGES_MEANS),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("as_text", [False, True], ids=["objects", "JSON texts"])
def test_a_body_means_the_same_as_an_object_and_as_a_text(lines, body, as_text):
    request, response, means = BODIES[body]
    form = json.dumps if as_text else lambda same: same
    assert holds(one(lines, call(form(request), form(response))), **means)


def test_one_log_may_hold_all_three(lines):
    log = read(lines(*(call(request, answer, id=name) for name, (request, answer, _) in BODIES.items())))
    assert log.format == "gateway"
    for row in log.rows:
        assert holds(row, **BODIES[row["request_id"]][2])


def sse(*events: dict[str, Any]) -> str:
    return (
        "".join(f"event: {e.get('type', 'x')}\ndata: {json.dumps(e)}\n\n" for e in events)
        + "data: [DONE]\n\n"
    )


CHAT_CHUNKS = [
    {
        "id": "cc-1",
        "object": "chat.completion.chunk",
        "choices": [{"delta": {"role": "assistant", "content": "30 "}}],
    },
    {"id": "cc-1", "choices": [{"delta": {"content": "minutes"}}]},
    {"id": "cc-1", "choices": [{"delta": {}, "finish_reason": "stop"}]},
    {"id": "cc-1", "choices": [], "usage": CHAT_ANSWER["usage"]},
]
RESPONSES_CHUNKS = [
    {"type": "response.created", "response": {"id": "resp-1", "status": "in_progress"}},
    {"type": "response.output_text.delta", "delta": "def "},
    {"type": "response.incomplete", "response": RESPONSES_ANSWER},
]
MESSAGES_CHUNKS = [
    {
        "type": "message_start",
        "message": {**MESSAGES_ANSWER, "content": [], "stop_reason": None, "stop_details": None},
    },
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "grad"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ed"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "refusal", "stop_details": MESSAGES_ANSWER["stop_details"]},
        "usage": {"output_tokens": 188},
    },
    {"type": "message_stop"},
]
STREAMS = {"chat": CHAT_CHUNKS, "responses": RESPONSES_CHUNKS, "messages": MESSAGES_CHUNKS}


@pytest.mark.parametrize("body", STREAMS)
@pytest.mark.parametrize(
    "form", [list, json.dumps, lambda chunks: sse(*chunks)], ids=["array", "text", "events"]
)
def test_a_stream_is_folded_into_the_answer_it_was(lines, body, form):
    request, _, means = BODIES[body]
    assert holds(one(lines, call(request, form(STREAMS[body]))), **means)


def test_a_refused_stream_without_any_text_is_a_refusal(lines):
    chunks = [MESSAGES_CHUNKS[0], {"type": "content_block_stop", "index": 0}, MESSAGES_CHUNKS[6]]
    row = one(lines, call(MESSAGES, chunks))
    assert holds(row, stop_reason="refusal", response=None, output_tokens=188)


BEGUN = [
    {"type": f"response.{name}", "response": {"id": "resp-1", "model": "lark-2", "status": status}}
    for name, status in (("created", "queued"), ("in_progress", "in_progress"))
]
SAID = [
    {"type": "response.reasoning_text.delta", "delta": "hm"},
    {"type": "response.output_text.delta", "delta": "def "},
    {"type": "response.output_text.delta", "delta": "mer"},
    {"type": "response.function_call_arguments.delta", "delta": "{"},
]
FAILED = [{"type": "error", "code": "server_error", "message": "gone"}]


@pytest.mark.parametrize("form", [list, lambda chunks: sse(*chunks)], ids=["array", "events"])
@pytest.mark.parametrize(
    ("chunks", "stop_reason", "response", "status"),
    [
        (BEGUN, "pause", None, 200),
        (BEGUN + SAID, None, "def mer", 200),
        (BEGUN + FAILED, "error", None, 500),
        (BEGUN + SAID + FAILED, "error", "def mer", 500),
        (FAILED, "error", None, 500),
        ([*BEGUN, *SAID, RESPONSES_CHUNKS[-1], {"type": "done"}], "length", "def merge", 200),
    ],
    ids=["only begun", "cut", "failed", "failed half-way", "failed at once", "whole"],
)
def test_a_stream_that_broke_off_says_how_far_it_came(lines, form, chunks, stop_reason, response, status):
    row = one(lines, call(RESPONSES, form(chunks)))
    assert holds(row, stop_reason=stop_reason, response=response, status=status, model="lark-2")
    if chunks != FAILED:
        assert row["provider_request_id"] == "resp-1"


def test_an_error_ends_a_stream_of_any_kind(lines):
    error = {"type": "error", "error": {"type": "overloaded_error"}}
    row = one(lines, call(MESSAGES, [*MESSAGES_CHUNKS[:5], error]))
    assert holds(row, stop_reason="error", response="graded", status=529)


@pytest.mark.parametrize("together", [False, True], ids=["by turns", "in one piece"])
def test_choices_that_come_by_turns_are_put_together_each_by_itself(lines, together):
    ends = {0: "stop", 1: "length", 10: "stop"}
    told = [(0, "Yes"), (1, "No"), (10, "Well"), (0, " sir"), (1, " way"), (10, "...")]
    pieces = [{"index": index, "delta": {"content": text}} for index, text in told]
    pieces += [{"index": index, "delta": {}, "finish_reason": end} for index, end in ends.items()]
    chunks = [{"id": "cc-1", "choices": pieces if together else [piece]} for piece in pieces]
    if together:
        chunks = chunks[:1]
    row = one(lines, call(CHAT, [*chunks, CHAT_CHUNKS[-1]]))
    assert sorted(row["response"].split("\n\n")) == ["No way", "Well...", "Yes sir"]
    assert holds(row, stop_reason="stop", output_tokens=212)


def test_counts_that_the_end_of_a_stream_leaves_out_are_those_of_its_start(lines):
    start = {"input_tokens": 25, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 100}
    unsaid = {**dict.fromkeys(start), "server_tool_use": None, "output_tokens": 77}
    chunks = [
        {"type": "message_start", "message": {"id": "msg-1", "type": "message", "usage": start}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": unsaid},
    ]
    for stream in (chunks, sse(*chunks)):
        row = one(lines, call(MESSAGES, stream))
        assert holds(row, input_tokens=130, cached_tokens=100, output_tokens=77, stop_reason="stop")


def test_a_stream_without_usage_leaves_tokens_absent(lines):
    assert holds(
        one(lines, call(CHAT, CHAT_CHUNKS[:3])), input_tokens=None, output_tokens=None, stop_reason="stop"
    )


@pytest.mark.parametrize("junk", ["data: {broken\n\n", "[{]", "[1, 2]", "plain text", "", "{", "[]", "data:"])
def test_an_answer_that_is_none_leaves_the_request_standing(lines, junk):
    assert holds(
        one(lines, call(CHAT, junk)), prompt=CHAT_MEANS["prompt"], stop_reason=None, input_tokens=None
    )


def test_an_error_body_gives_the_status_that_the_log_lacks(lines):
    log = read(
        lines(
            call(CHAT, {"error": {"type": "invalid_request_error", "code": "429"}}, id="a"),
            call(MESSAGES, {"type": "error", "error": {"type": "overloaded_error"}}, id="b"),
            call(CHAT, {"error": {"message": "?"}}, id="c", status=503),
            call(CHAT, {"error": "upstream gone"}, id="d"),
        )
    )
    assert log.column("status") == [429, 529, 503, 500]
    assert log.column("stop_reason") == ["error"] * 4


HEADERS = {
    "user-agent": "client/3.1",
    "x-stainless-lang": "python",
    "x-stainless-os": "Linux",
    "x-stainless-retry-count": "2",
    "x-forwarded-for": "203.0.113.24, 10.0.0.1",
    "authorization": "Bearer sk-abcdefghijklmnopqrstuvwxyz0123",
}


@pytest.mark.parametrize("spelled", [str.lower, str.title], ids=["HTTP/2", "HTTP/1"])
@pytest.mark.parametrize("valued", [lambda v: v, lambda v: [v]], ids=["one", "list"])
def test_headers_say_who_called_with_what_in_either_spelling(lines, spelled, valued):
    headers = {spelled(name): valued(value) for name, value in HEADERS.items()}
    row = one(lines, call(CHAT, CHAT_ANSWER, headers=headers))
    assert holds(
        row, user_agent="client/3.1", attempt=3, ip="203.0.113.24", client_fingerprint="python Linux"
    )
    assert row["api_key_id"].startswith("sha256:")


def test_a_client_counts_the_retries_it_made_so_the_first_one_is_the_second_attempt(lines):
    counted = ["0", "1", "7", "soon", None]
    log = read(
        lines(
            *(call(CHAT, CHAT_ANSWER, headers={"x-stainless-retry-count": said}) for said in counted),
            call(CHAT, CHAT_ANSWER, attempt=2, headers={"x-stainless-retry-count": "0"}),
        )
    )
    assert log.column("attempt") == [1, 2, 8, None, None, 2]


@pytest.mark.parametrize("small", ["user-agent", "x-stainless-lang", "x-forwarded-for"])
@pytest.mark.parametrize("key", ["Authorization", "X-API-Key", "X-Api-Key"])
def test_one_header_in_lower_case_does_not_hide_those_in_capitals(lines, small, key):
    values = {**HEADERS, key: HEADERS["authorization"]}
    del values["authorization"]
    headers = {name if name in (small, key) else name.title(): value for name, value in values.items()}
    spelled = "Anthropic/Python 2.1" if small == "user-agent" else "client/3.1"
    headers["user-agent" if small == "user-agent" else "User-Agent"] = spelled
    row = one(lines, call(CHAT, CHAT_ANSWER, headers=headers))
    assert holds(row, user_agent=spelled, ip="203.0.113.24", client_fingerprint="python Linux")
    assert row["api_key_id"].startswith("sha256:")


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-key", "api-key", "Api-Key", "x-goog-api-key"])
def test_a_key_has_one_name_whatever_header_it_came_in(lines, name):
    secret = "sk-abcdefghijklmnopqrstuvwxyz0123"
    log = read(
        lines(call(CHAT, headers={"authorization": f"Bearer {secret}"}), call(CHAT, headers={name: secret}))
    )
    assert len(set(log.column("api_key_id"))) == 1


@pytest.mark.parametrize("nobody", ["unknown", "-", "", "None"])
def test_what_a_proxy_writes_for_no_address_is_none(lines, nobody):
    forwarded = {"x-forwarded-for": f"{nobody}, 198.51.100.7"}
    log = read(
        lines(
            call(CHAT, client_ip=nobody, headers={"user-agent": "-"}),
            call(CHAT, client_ip=nobody, headers=forwarded),
            call(CHAT, headers=forwarded),
            call(CHAT, client_ip=f"{nobody}, {nobody}"),
            call(CHAT, client_ip="[2001:db8::1]:443"),
            call(CHAT, client_ip="pseudonym-17"),
        )
    )
    assert log.column("ip") == [None, "198.51.100.7", "198.51.100.7", None, "2001:db8::1", "pseudonym-17"]
    assert log.rows[0]["user_agent"] is None


def test_an_empty_refusal_is_none(lines):
    choice = {"finish_reason": "stop", "message": {"content": "yes", "refusal": ""}}
    row = one(lines, call(CHAT, {**CHAT_ANSWER, "choices": [choice]}))
    assert holds(row, stop_reason="stop", response="yes")
    choice["message"]["refusal"] = "I will not."
    assert holds(one(lines, call(CHAT, {**CHAT_ANSWER, "choices": [choice]})), stop_reason="refusal")


PERSON = "user_9f2c_account_6c1e"


@pytest.mark.parametrize(
    ("written", "person", "session"),
    [
        (f"{PERSON}_session_s-1", PERSON, "s-1"),
        ("user_9f2c_account__session_s-1", "user_9f2c_account_", "s-1"),
        ('{"device_id":"9f2c","account_uuid":"6c1e","session_id":"s-1"}', PERSON, "s-1"),
        ("user_17", "user_17", None),
        ("{broken", "{broken", None),
        ('{"name":"u"}', '{"name":"u"}', None),
        ("u-5", "u-5", None),
    ],
)
def test_a_coding_agents_user_is_one_person_in_all_its_sessions(lines, written, person, session):
    row = one(lines, call({**MESSAGES, "metadata": {"user_id": written}}, MESSAGES_ANSWER))
    assert holds(row, end_user_id=person, session_id=session)


def test_no_secret_survives_and_the_same_key_keeps_its_name(lines):
    secret = "sk-abcdefghijklmnopqrstuvwxyz0123"
    log = read(
        lines(
            call(CHAT, id="a", headers={"authorization": f"Bearer {secret}"}),
            call(CHAT, id="b", headers={"x-api-key": secret}),
            call(CHAT, id="c", key_id=secret),
            call(CHAT, id="d", key_id="key-17"),
            call(CHAT, id="e", headers={"authorization": "REDACTED"}),
        )
    )
    keys = log.column("api_key_id")
    assert keys[0] == keys[1] == keys[2] != keys[3] == "key-17"
    assert keys[4] is None
    assert secret not in json.dumps(log.rows, default=str)


@pytest.mark.parametrize(
    ("field", "value"),
    [("temperature", "hot"), ("n", 10**12), ("max_tokens", 1.5), ("top_logprobs", []), ("logit_bias", "x"),
     ("tools", {"a": 1}), ("messages", "x"), ("stream", "maybe"), ("response_format", "text"), ("n", None),
     ("user", {"id": 1}), ("metadata", "x"), ("temperature", float("nan")), ("tool_choice", [1])],
)  # fmt: skip
def test_what_a_client_wrote_into_its_request_never_refuses_the_row(lines, field, value):
    row = one(lines, call({"model": "lark-2", "messages": CHAT["messages"], field: value}, CHAT_ANSWER))
    assert row["output_tokens"] == 212


@pytest.mark.parametrize(
    "prompt",
    [
        "[1, 2]",
        '[{"type": "text", "text": "innocent"}]',
        '{"text": "innocent"}',
        '"',
        "null",
        "data: {}",
        '\\"type\\":\\"image',
    ],
)
def test_a_prompt_that_looks_like_json_is_the_text_it_is(lines, prompt):
    row = one(lines, call({"model": "m", "messages": [{"role": "user", "content": prompt}]}))
    assert holds(row, prompt=prompt, n_images=0)


def test_images_are_counted_and_never_read(lines):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 3_000_000}}
    row = one(
        lines,
        call(
            {
                "model": "m",
                "messages": [{"role": "user", "content": [{"type": "text", "text": "what?"}, image, image]}],
            }
        ),
    )
    assert holds(row, prompt="what?", n_images=2)


def test_a_failed_call_without_any_body_is_still_a_request(lines):
    log = read(
        lines(
            call(CHAT, CHAT_ANSWER, id="a"),
            {"id": "b", "ts": NOON, "account_id": "ana", "status": 401, "request": None},
        )
    )
    assert log.column("status") == [200, 401]
    assert log.column("body_state") == ["full", "absent"]


def test_a_record_without_an_id_gets_one_that_is_its_own(lines):
    records = [call(CHAT, id=None, ts=f"2025-06-01T12:00:0{i}Z") for i in range(2)]
    first, again = read(lines(*records)), read(lines(*records))
    assert first.column("request_id") == again.column("request_id")
    assert len(set(first.column("request_id"))) == 2


def test_time_may_come_in_any_unit(lines):
    at = 1_748_779_200
    times = [
        at,
        at + 0.5,
        at * 1_000,
        at * 10**6,
        str(at * 10**9),
        "2025-06-01T12:00:00",
        "2025-06-01T14:00:00+02:00",
    ]
    log = read(lines(*(call(CHAT, id=str(i), ts=t, end_ts=t) for i, t in enumerate(times))))
    assert {row["ts"].isoformat()[:19] for row in log.rows} == {"2025-06-01T12:00:00"}


def test_whole_numbers_beyond_two_to_the_53rd_keep_every_digit(lines):
    assert one(lines, call(CHAT, id=98765432101234567890))["request_id"] == "98765432101234567890"


ENVELOPE = {"id": "r1", "ts": NOON, "account_id": "ana", "status": 200, "path": "/v1/chat/completions"}


@pytest.mark.parametrize(
    "told", [{"key_id": "key-17"}, {"client_ip": "203.0.113.24"}], ids=["key", "address"]
)
@pytest.mark.parametrize(
    "bodies",
    [{}, {"request": None, "response": None}, {"request": "[REDACTED]", "response": "[REDACTED]"}],
    ids=["without", "null", "masked"],
)
def test_a_capture_without_bodies_is_a_gateways_all_the_same(lines, bodies, told):
    row = one(lines, {**ENVELOPE, **told, **bodies})
    assert holds(row, request_id="r1", account_id="ana", endpoint="/v1/chat/completions", prompt=None)
    assert holds(row, body_state="absent")


def test_our_own_columns_are_ours_whatever_else_lies_in_a_record(lines):
    ours = {"request_id": "r1", "ts": NOON, "account_id": "ana", "path": "/v1/chat", "key_id": "key-17"}
    assert read(lines(ours)).format == "stillwatch"


PASSED_OVER = [
    ("GET", "/v1/responses/resp_1"), ("GET", "/health"), ("GET", "/v1/models"), ("HEAD", "/"),
    ("OPTIONS", "/v1/chat/completions"), ("get", "/anything"), ("DELETE", "/v1/responses/resp_1"),
    ("POST", "/v1/messages/count_tokens"), ("POST", "/v1/messages/count_tokens?beta=true"),
    ("POST", "/v1/responses/resp_1/cancel"), ("POST", "/v1/embeddings"), ("POST", "/v1/moderations"),
    ("POST", "/v1/images/generations"), ("POST", "/v1/messages/batches"),
    ("POST", "/v1/files/file_1/content"), (None, "/healthz"), (None, "/v1/models"),
    (None, "/v1/responses/resp_1"), (None, "/"),
]  # fmt: skip
CALLS = [
    ("POST", "/v1/chat/completions"), ("post", "/v1/messages?beta=true"), ("POST", "/v1/responses/compact"),
    ("POST", "/openai/deployments/models/chat/completions"), ("POST", "/ask"), ("POST", None),
    (None, "/v1/messages/"), (None, "/v1/responses"), (None, "/v1beta/models/wren-5:generateContent"),
    (None, None), ("", "/v1/files-chat"),
]  # fmt: skip


def test_polls_lists_health_and_other_models_work_are_passed_over_and_counted(lines):
    answer = {"id": "resp_1", "object": "response", "status": "completed", "usage": {"output_tokens": 640}}
    told = [call(None, answer, method=method, path=path) for method, path in PASSED_OVER]
    asked = [call({"model": "m", "input": "hi"}, method=m, path=p, id=f"{m} {p}") for m, p in CALLS]
    log = read(lines(*told, *asked))
    assert log.column("request_id") == [one["id"] for one in asked]
    assert (log.n_rows, log.refused) == (len(told) + len(asked), [])


def test_a_question_that_came_over_a_socket_is_one_though_it_began_with_get(lines):
    row = one(lines, call(RESPONSES, RESPONSES_ANSWER, method="GET", path="/v1/responses"))
    assert holds(row, **RESPONSES_MEANS)


@pytest.mark.parametrize("path", ["/", "/api/models", "/v1/batches/../messages/", "/health/"])
def test_what_was_answered_was_asked_whatever_path_the_client_wrote(path, lines):
    row = one(lines, call(RESPONSES, RESPONSES_ANSWER, method="POST", path=path))
    assert holds(row, **RESPONSES_MEANS)


def test_a_text_that_is_no_question_is_no_prompt(lines):
    kinds = ("embeddings", "moderations", "images/generations")
    asked = {"model": "m", "input": "some text", "prompt": "some text"}
    log = read(lines(call(CHAT), *(call(asked, method="POST", path=f"/v1/{kind}") for kind in kinds)))
    assert log.column("prompt") == [CHAT_MEANS["prompt"]]
