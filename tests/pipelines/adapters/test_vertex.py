"""Vertex AI's request-response log: Gemini's bodies and those of partners' models.

The records are invented, written from the published schema; none is from anybody's log.
"""

import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from log_files import NOON, read

ASKED = {
    "systemInstruction": {"parts": [{"text": "Be exact."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "first"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {}}}]},
        {
            "role": "user",
            "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "AA"}},
                {"inlineData": {"mimeType": "audio/wav", "data": "AA"}},
                {"text": "item 118"},
                {"text": "name the capital"},
            ],
        },
    ],
    "tools": [{"functionDeclarations": [{"name": "look"}, {"name": "add"}]}, {"googleSearch": {}}],
    "generationConfig": {
        "temperature": 1.0,
        "topK": 40,
        "candidateCount": 2,
        "maxOutputTokens": 256,
        "responseLogprobs": True,
        "logprobs": 5,
        "responseMimeType": "application/json",
        "thinkingConfig": {"thinkingBudget": 0},
    },
    "labels": {"user_id": "ana", "tenant": "t-1"},
}
USAGE = {
    "promptTokenCount": 30,
    "candidatesTokenCount": 6,
    "thoughtsTokenCount": 10,
    "cachedContentTokenCount": 20,
    "totalTokenCount": 46,
}
ANSWERED = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [{"text": "hm", "thought": True}, {"text": "a ci"}, {"text": "ty"}],
            },
            "finishReason": "MAX_TOKENS",
        }
    ],
    "usageMetadata": USAGE,
    "responseId": "g-1",
}
STREAM = [
    {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}], "responseId": "g-1"},
    {"candidates": [{"content": {"parts": [{"text": "a ci"}]}}], "usageMetadata": {"promptTokenCount": 30}},
    {
        "candidates": [{"content": {"parts": [{"text": "ty"}]}, "finishReason": "MAX_TOKENS"}],
        "usageMetadata": USAGE,
    },
]
MEANS = {
    "account_id": "ana",
    "org_id": "t-1",
    "project_id": "p1",
    "model": "finch-3",
    "prompt": "item 118\n\nname the capital",
    "system_prompt": "Be exact.",
    "n_turns": 4,
    "n_images": 1,
    "tool_names": ["look", "add"],
    "temperature": 1.0,
    "max_tokens": 256,
    "n_choices": 2,
    "top_logprobs": 5,
    "response_format": "json_object",
    "thinking": False,
    "input_tokens": 30,
    "output_tokens": 16,
    "cached_tokens": 20,
    "reasoning_tokens": 10,
    "stop_reason": "length",
    "response": "a city",
    "latency_ms": 812.0,
    "provider_request_id": "g-1",
    "body_state": "full",
    "status": 200,
}
BEYOND_A_DOUBLE = 98765432101234567890


def holds(row: dict[str, Any], **wanted: Any) -> bool:
    assert {name: row[name] for name in wanted} == wanted
    return True


def call(asked: Any = ASKED, answered: Any = ANSWERED, **fields: Any) -> dict[str, Any]:
    return {
        "endpoint": "projects/p1/locations/us-central1/publishers/google/models/finch-3",
        "deployed_model_id": None,
        "logging_time": NOON,
        "request_id": BEYOND_A_DOUBLE,
        "request_payload": [],
        "response_payload": [],
        "model": "finch-3",
        "model_version": "001",
        "api_method": "generateContent",
        "full_request": asked,
        "full_response": answered,
        "metadata": {"request_latency": 812},
        **fields,
    }


def test_a_call_means_the_same_as_objects_as_texts_and_streamed(lines):
    log = read(
        lines(
            call(),
            call(json.dumps(ASKED), json.dumps(ANSWERED), metadata='{"request_latency": 812}'),
            call(answered=STREAM),
            call(None, None, request_payload=[json.dumps(ASKED)], response_payload=[json.dumps(ANSWERED)]),
        )
    )
    assert (log.format, log.refused) == ("vertex", [])
    assert len(log.rows) == 4
    for row in log.rows:
        assert holds(row, **MEANS)


def test_ids_beyond_a_double_keep_every_digit_in_json_and_in_parquet(lines, tmp_path):
    path = tmp_path / "log.parquet"
    texts = {
        "request_id": pa.array([Decimal(BEYOND_A_DOUBLE)], pa.decimal128(38, 9)),
        "logging_time": [NOON],
        "api_method": ["generateContent"],
        "full_request": [json.dumps(ASKED)],
    }
    pq.write_table(pa.table(texts), path)
    for one in (read(lines(call())), read(lines(call(request_id=str(BEYOND_A_DOUBLE)))), read(path)):
        assert one.column("request_id") == [str(BEYOND_A_DOUBLE)]


def test_a_partners_model_is_called_with_its_own_body(lines):
    asked = {
        "anthropic_version": "vertex-2023-10-16",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "sum it up"}],
    }
    answered = {
        "id": "m-1",
        "type": "message",
        "content": [{"type": "text", "text": "done"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "cache_read_input_tokens": 5, "output_tokens": 4},
    }
    (row,) = read(lines(call(asked, answered, api_method="streamRawPredict"))).rows
    assert holds(row, prompt="sum it up", max_tokens=64, input_tokens=14, response="done", stop_reason="stop")
    assert holds(row, stream=True, account_id="p1")


def test_how_an_answer_ended_or_why_there_is_none(lines):
    def ended(**answer: Any) -> dict[str, Any]:
        return call(answered=answer)

    log = read(
        lines(
            ended(candidates=[{"finishReason": "SAFETY"}]),
            ended(promptFeedback={"blockReason": "PROHIBITED_CONTENT"}),
            ended(candidates=[{"finishReason": "STOP", "content": {"parts": [{"functionCall": {}}]}}]),
            ended(candidates=[{"finishReason": "MALFORMED_FUNCTION_CALL"}]),
            ended(error={"code": 429, "status": "RESOURCE_EXHAUSTED"}),
        )
    )
    assert log.column("stop_reason") == ["refusal", "refusal", "tool", "error", "error"]
    assert log.column("status") == [200, 200, 200, 200, 429]


def test_counting_tokens_is_no_call_and_without_a_label_the_project_is_the_account(lines):
    log = read(lines(call(api_method="countTokens"), call({**ASKED, "labels": None})))
    assert (log.column("account_id"), log.n_rows) == (["p1"], 2)


def test_what_a_client_wrote_never_refuses_the_row(lines):
    junk = [
        "x",
        [],
        [1],
        "[{",
        "{",
        {"contents": 3},
        {"contents": [{"parts": "x"}]},
        {"generationConfig": []},
        {"generationConfig": {"temperature": "hot", "candidateCount": 10**12}},
        {"tools": {}},
    ]
    log = read(lines(*(call(one, one, request_id=at) for at, one in enumerate(junk))))
    assert (len(log.rows), log.refused) == (len(junk), [])


def test_a_call_whose_columns_say_little_keeps_its_model_and_is_not_refused_for_a_time(lines):
    row = call(ASKED, {**ANSWERED, "modelVersion": "finch-3-001"})
    row |= {"model": None, "endpoint": None, "metadata": {"request_latency": "0.8s"}}
    log = read(lines(row))
    assert log.refused == []
    assert (log.column("model"), log.column("latency_ms")) == (["finch-3-001"], [None])
