"""Bedrock's invocation log: Converse and native bodies, and the ways a record is delivered.

The records are invented, written from the published description; none is from anybody's log.
"""

import gzip
import json
from typing import Any

import pytest
from log_files import NOON, read
from typer.testing import CliRunner

from pipelines import cli
from pipelines.adapters import find_logs, open_logs

CONVERSE = {
    "system": [{"text": "Be brief."}],
    "messages": [
        {"role": "user", "content": [{"text": "first item"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "look", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "found"}]}}]},
        {"role": "user", "content": [{"text": "translate item 118"}, {"image": {"format": "png"}}]},
    ],
    "inferenceConfig": {"maxTokens": 512, "temperature": 0.2, "topP": 0.9, "stopSequences": ["END"]},
    "toolConfig": {
        "tools": [
            {"toolSpec": {"name": "look", "inputSchema": {"json": {}}}},
            {"cachePoint": {"type": "default"}},
        ],
        "toolChoice": {"tool": {"name": "look"}},
    },
    "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
}
USAGE = {
    "inputTokens": 57,
    "outputTokens": 40,
    "totalTokens": 97,
    "cacheReadInputTokens": 1000,
    "cacheWriteInputTokens": 3,
}
CONVERSE_ANSWER = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [{"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "an answer"}],
        }
    },
    "stopReason": "max_tokens",
    "metrics": {"latencyMs": 911},
    "usage": USAGE,
}
CONVERSE_EVENTS = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"text": "an "}, "contentBlockIndex": 0}},
    {"contentBlockDelta": {"delta": {"text": "answer"}, "contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "max_tokens"}},
    {"metadata": {"usage": USAGE, "metrics": {"latencyMs": 911}}},
]
MEANS = {
    "prompt": "translate item 118",
    "system_prompt": "Be brief.",
    "n_turns": 4,
    "n_images": 1,
    "max_tokens": 512,
    "temperature": 0.2,
    "top_p": 0.9,
    "tool_names": ["look"],
    "response_format": "tool",
    "thinking": True,
    "input_tokens": 1060,
    "cached_tokens": 1000,
    "output_tokens": 40,
    "latency_ms": 911.0,
    "stop_reason": "length",
    "response": "an answer",
    "status": 200,
    "body_state": "full",
    "account_id": "u-9",
    "project_id": "t-42",
    "org_id": "111122223333",
    "model": "us.wren-5-v1:0",
    "endpoint": "Converse",
    "stream": False,
}


def call(asked: Any = CONVERSE, answered: Any = CONVERSE_ANSWER, **fields: Any) -> dict[str, Any]:
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": NOON,
        "accountId": "111122223333",
        "identity": {"arn": "arn:aws:sts::111122223333:assumed-role/app/i-0abc"},
        "region": "us-east-1",
        "requestId": "q-1",
        "operation": "Converse",
        "modelId": "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.wren-5-v1:0",
        "requestMetadata": {"tenant": "t-42", "user": "u-9"},
        "input": {"inputContentType": "application/json", "inputBodyJson": asked, "inputTokenCount": 57},
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": answered,
            "outputTokenCount": 40,
        },
        **fields,
    }


def holds(row: dict[str, Any], **wanted: Any) -> bool:
    assert {name: row[name] for name in wanted} == wanted
    return True


def test_a_call_means_the_same_whole_as_text_and_streamed(lines):
    log = read(
        lines(
            call(),
            call(json.dumps(CONVERSE), json.dumps(CONVERSE_ANSWER)),
            call(answered=CONVERSE_EVENTS),
            call(answered=json.dumps(CONVERSE_EVENTS)),
        )
    )
    assert (log.format, log.refused) == ("bedrock", [])
    assert all(holds(row, **MEANS) for row in log.rows)
    assert len(log.rows) == 4


def test_a_record_means_the_same_however_it_is_delivered(lines):
    second = call(requestId="q-2")
    deliveries = [
        [call(), second],
        [{"Records": [call(), second]}],
        [{"timestamp": NOON, "message": json.dumps(one)} for one in (call(), second)],
        [
            {
                "logGroup": "g",
                "logEvents": [{"id": "1", "message": json.dumps(one)} for one in (call(), second)],
            }
        ],
    ]
    for at, delivery in enumerate(deliveries):
        log = read(lines(*delivery, name=f"{at}.json.gz"))
        assert (log.format, log.column("request_id")) == ("bedrock", ["q-1", "q-2"])
        assert all(holds(row, **MEANS) for row in log.rows)


def test_every_models_own_body_is_read(lines):
    anthropic = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 64,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "sum it up"}],
    }
    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "done"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "cache_read_input_tokens": 5, "output_tokens": 4},
    }
    chunks = [
        {"type": "message_start", "message": {**message, "content": []}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "done"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9}},
    ]
    nova = {
        "messages": [{"role": "user", "content": [{"text": "sum it up"}]}],
        "inferenceConfig": {"max_new_tokens": 64},
    }
    titan = {"inputText": "sum it up", "textGenerationConfig": {"maxTokenCount": 64}}
    bodies = {
        "message": (anthropic, message),
        "chunks": (anthropic, chunks),
        "nova": (
            nova,
            {
                "output": {"message": {"content": [{"text": "done"}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": 9, "cacheReadInputTokenCount": 5, "outputTokens": 4},
            },
        ),
        "titan": (titan, {"results": [{"outputText": "done", "completionReason": "FINISH"}]}),
        "llama": ({"prompt": "sum it up", "max_gen_len": 64}, {"generation": "done", "stop_reason": "stop"}),
        "mistral": (
            {"prompt": "sum it up", "max_tokens": 64},
            {"outputs": [{"text": "done", "stop_reason": "stop"}]},
        ),
        "chat": (
            {"messages": [{"role": "user", "content": "sum it up"}], "max_completion_tokens": 64},
            {"choices": [{"finish_reason": "stop", "message": {"content": "done"}}]},
        ),
    }
    log = read(
        lines(*(call(*body, requestId=name, operation="InvokeModel") for name, body in bodies.items()))
    )
    for row in log.rows:
        assert holds(
            row,
            prompt="sum it up",
            max_tokens=64,
            response="done",
            output_tokens=40 if row["request_id"] in ("titan", "llama", "mistral", "chat") else 4,
        )
    assert log.column("stop_reason") == ["stop"] * len(bodies)
    assert log.column("input_tokens") == [14, 14, 14, 57, 57, 57, 57]


OTHER_MODELS: dict[str, tuple[Any, Any]] = {
    "titan-streamed": (
        {"inputText": "sum it up"},
        [{"outputText": "do"}, {"outputText": "ne", "completionReason": "LENGTH"}],
    ),
    "llama-streamed": (
        {"prompt": "sum it up"},
        [{"generation": "do"}, {"generation": "ne", "stop_reason": "length"}],
    ),
    "mistral-streamed": (
        {"prompt": "sum it up"},
        [{"outputs": [{"text": "do"}]}, {"outputs": [{"text": "ne", "stop_reason": "length"}]}],
    ),
    "mistral-chat": (
        {"messages": [{"role": "user", "content": "sum it up"}]},
        {"choices": [{"message": {"role": "assistant", "content": "done"}, "stop_reason": "length"}]},
    ),
    "mistral-chat-streamed": (
        {"messages": [{"role": "user", "content": "sum it up"}]},
        [{"choices": [{"message": {"content": "done"}, "stop_reason": "length"}]}],
    ),
    "deepseek": ({"prompt": "sum it up"}, {"choices": [{"text": "done", "stop_reason": "length"}]}),
    "claude-2": (
        {"prompt": "sum it up", "max_tokens_to_sample": 64},
        {"completion": "done", "stop_reason": "max_tokens"},
    ),
    "claude-2-streamed": (
        {"prompt": "sum it up", "max_tokens_to_sample": 64},
        [{"completion": "do", "stop_reason": None}, {"completion": "ne", "stop_reason": "max_tokens"}],
    ),
    "cohere": (
        {
            "message": "sum it up",
            "chat_history": [{"role": "USER", "message": "hi"}, {"role": "CHATBOT", "message": "hi you"}],
            "preamble": "Be brief.",
            "p": 0.9,
        },
        {"text": "done", "finish_reason": "MAX_TOKENS"},
    ),
    "cohere-streamed": (
        {"message": "sum it up"},
        [
            {"event_type": "text-generation", "text": "done"},
            {"event_type": "stream-end", "finish_reason": "MAX_TOKENS", "response": {"text": "done"}},
        ],
    ),
    "cohere-command": (
        {"prompt": "sum it up"},
        {"generations": [{"text": "done", "finish_reason": "MAX_TOKENS"}]},
    ),
}


def test_models_that_speak_like_no_other_are_read_whole_and_streamed(lines):
    log = read(
        lines(*(call(*body, requestId=name, operation="InvokeModel") for name, body in OTHER_MODELS.items()))
    )
    wanted = {"prompt": "sum it up", "response": "done", "stop_reason": "length", "body_state": "full"}
    for row in log.rows:
        assert holds(row, **wanted), row["request_id"]
    rows = {row["request_id"]: row for row in log.rows}
    assert holds(rows["cohere"], system_prompt="Be brief.", n_turns=3, top_p=0.9)
    assert holds(rows["claude-2"], max_tokens=64)


def test_what_is_asked_of_models_that_do_not_talk_is_a_prompt(lines):
    bodies = {
        "canvas": {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a red kite"}},
        "embed": {"texts": ["a red", "kite"], "input_type": "search_document"},
        "titan": {"inputText": "a red kite", "inputImage": "aGk="},
        "llama": {"prompt": "a red kite", "images": ["aGk=", "aGk="]},
    }
    log = read(lines(*(call(body, {}, requestId=name) for name, body in bodies.items())))
    assert log.column("prompt") == ["a red kite", "a red\n\nkite", "a red kite", "a red kite"]
    assert log.column("n_images") == [0, 0, 1, 2]
    assert set(log.column("body_state")) == {"full"}


MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "done"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 9, "cache_read_input_tokens": 5, "output_tokens": 4},
}


def test_an_answer_of_a_guardrail_is_a_refusal(lines):
    blocked, passed = ({"amazon-bedrock-guardrailAction": word} for word in ("INTERVENED", "NONE"))
    titan = {"results": [{"outputText": "no", "completionReason": "FINISH"}]}
    stream = [{"outputText": "no", "completionReason": "FINISH", **blocked}]
    quoting = [{"outputText": f"they say {json.dumps(blocked)}", "completionReason": "FINISH"}]
    answers = [
        *({**MESSAGE, **blocked}, {**titan, **blocked}, stream),
        *({**MESSAGE, **passed}, [{**stream[0], **passed}], quoting),
    ]
    log = read(lines(*(call({"prompt": "x"}, one, operation="InvokeModel") for one in answers)))
    assert log.column("stop_reason") == [*["refusal"] * 3, *["stop"] * 3]


def test_no_word_in_a_tools_arguments_changes_how_the_answer_is_read(lines):
    arguments = {"stopReason": "done", "messageStop": {"stopReason": "max_tokens"}, "contentBlockDelta": 1}
    use = {"type": "tool_use", "id": "t", "name": "contentBlockDelta", "input": arguments}
    start = {"type": "message_start", "message": {**MESSAGE, "content": []}}
    stream = [
        start,
        {"type": "content_block_start", "index": 0, "content_block": {**use, "input": {}}},
        {
            "type": "content_block_delta",
            "delta": {"type": "input_json_delta", "partial_json": json.dumps(arguments)},
        },
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 4}},
    ]
    whole = {**MESSAGE, "content": [use], "stop_reason": "tool_use"}
    log = read(lines(*(call({"messages": []}, one, operation="InvokeModel") for one in (whole, stream))))
    for row in log.rows:
        assert holds(row, provider_request_id="m", cached_tokens=5, output_tokens=4, stop_reason="tool")


def test_a_stream_that_broke_off_has_the_records_count_and_the_last_chunk_the_time(lines):
    opening = {
        **MESSAGE,
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 9, "output_tokens": 1},
    }
    broken = [
        {"type": "message_start", "message": opening},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "do"}},
    ]
    metrics = {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"invocationLatency": 1500}}
    log = read(
        lines(*(call({"prompt": "x"}, one, operation="InvokeModel") for one in (broken, [*broken, metrics])))
    )
    assert log.column("output_tokens") == [40, 40]
    assert log.column("response") == ["do", "do"]
    assert log.column("latency_ms") == [None, 1500.0]


def test_the_records_own_counts_leave_cached_tokens_out(lines):
    counted = {"inputTokenCount": 57, "cacheReadInputTokenCount": 100, "cacheWriteInputTokenCount": 3}
    (row,) = read(lines(call(input=counted, output={"outputTokenCount": 40}))).rows
    assert holds(row, input_tokens=160, cached_tokens=100, output_tokens=40)


def test_a_large_body_in_a_file_that_is_not_there_is_elsewhere_and_the_call_counts(lines):
    elsewhere = {"inputBodyS3Path": "s3://bucket/data/q-1_input.json.gz", "inputTokenCount": 90_000}
    (row,) = read(lines(call(input=elsewhere))).rows
    assert holds(row, body_state="elsewhere", prompt=None, n_turns=None, n_images=None, input_tokens=1060)


def test_bodies_that_were_not_copied_are_counted_and_the_remedy_is_said(lines, tmp_path):
    log = lines(call(input=ELSEWHERE), call(requestId="q-2"))
    for command in (["check"], ["scan", "--workspace", str(tmp_path / "watch")]):
        done = CliRunner().invoke(cli.app, [*command, str(log)])
        assert done.exit_code == 0, done.output
        said = " ".join(done.output.split())
        assert "Bodies of 1 request lie in files of their own that are not there" in said
        assert "remedy: copy the folders `data` with the logs" in said
    beside(log, "q-1_input.json.gz", json.dumps(CONVERSE).encode())
    assert "not there" not in CliRunner().invoke(cli.app, ["check", str(log)]).output


ELSEWHERE = {"inputBodyS3Path": "s3://bucket/logs/data/q-1_input.json.gz", "inputTokenCount": 90_000}
ANSWERED_ELSEWHERE = {"outputBodyS3Path": "s3://bucket/logs/data/q-1_output.json.gz", "outputTokenCount": 40}


def beside(path, name, body):
    (path.parent / "data").mkdir(exist_ok=True)
    (path.parent / "data" / name).write_bytes(body)


def test_a_body_that_lies_beside_the_log_is_read_as_if_it_were_in_it(lines):
    path = lines(call(input=ELSEWHERE, output=ANSWERED_ELSEWHERE), call(requestId="q-2"))
    beside(path, "q-1_input.json.gz", gzip.compress(json.dumps(CONVERSE).encode()))
    beside(path, "q-1_output.json.gz", json.dumps(CONVERSE_ANSWER).encode())
    log = read(path)
    assert log.refused == []
    for row in log.rows:
        assert holds(row, **MEANS)


@pytest.mark.parametrize(
    "body", [b"", b"{broken", gzip.compress(b"{}" * 500)[:-9], b'"\\ud800"', b"[" * 100_000], ids=range(5)
)
def test_a_body_beside_the_log_that_cannot_be_read_leaves_the_record_standing(lines, body):
    path = lines(call(input=ELSEWHERE))
    beside(path, "q-1_input.json.gz", body)
    (row,) = read(path).rows
    assert holds(row, body_state="elsewhere", prompt=None, input_tokens=1060)


@pytest.mark.parametrize("name", ["../secret.json", "..", ".", "a/../../secret.json", "", "\x00"])
def test_a_record_cannot_name_a_file_outside_the_folder(lines, name):
    path = lines(call(input={**ELSEWHERE, "inputBodyS3Path": f"s3://bucket/{name}"}))
    beside(path, "other.json", json.dumps(CONVERSE).encode())
    (path.parent / "secret.json").write_text(json.dumps(CONVERSE))
    (row,) = read(path).rows
    assert holds(row, body_state="elsewhere", prompt=None)


def test_of_many_small_logs_each_finds_its_bodies(tmp_path):
    for hour in ("03", "04"):
        folder = tmp_path / hour
        folder.mkdir()
        path = folder / "log.json"
        path.write_text(json.dumps(call(requestId=hour, input=ELSEWHERE)))
        asked = {**CONVERSE, "messages": [{"role": "user", "content": [{"text": hour}]}]}
        beside(path, "q-1_input.json.gz", json.dumps(asked).encode())
    paths = [tmp_path / hour / "log.json" for hour in ("03", "04")]
    prompts = []
    for _, reader in open_logs(paths, batch_rows=9, threads=1):
        with reader:
            prompts += [row["prompt"] for batch in reader.batches() for row in batch.to_pylist()]
    assert prompts == ["03", "04"]


def test_folders_are_searched_without_the_bodies_beside_the_records(tmp_path):
    hour = tmp_path / "AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/2025/06/01/12"
    (hour / "data").mkdir(parents=True)
    (hour / "records.json.gz").touch()
    (hour / "data" / "q-1_input.json.gz").touch()
    (hour / "amazon-bedrock-logs-permission-check").touch()
    digests = tmp_path / "AWSLogs/111122223333/CloudTrail-Digest"
    digests.mkdir()
    (digests / "digest.json.gz").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "other.jsonl").touch()
    assert [path.name for path in find_logs([str(tmp_path)])] == ["records.json.gz", "other.jsonl"]


def test_an_error_code_is_a_status(lines):
    codes = {
        "ThrottlingException": 429,
        "AccessDeniedException": 403,
        "ValidationException": 400,
        "ModelTimeoutException": 408,
        "ServiceUnavailableException": 503,
        "Novel": 500,
    }
    log = read(lines(*(call(None, None, errorCode=code) for code in codes)))
    assert log.column("status") == list(codes.values())
    assert set(log.column("stop_reason")) == {"error"}
    assert set(log.column("body_state")) == {"absent"}


def test_a_prompt_inside_a_guardrails_wrapping_is_the_prompt(lines):
    wrapped = [{"role": "user", "content": [{"guardContent": {"text": {"text": "hidden?"}}}, {"image": {}}]}]
    (row,) = read(lines(call({"messages": wrapped}))).rows
    assert holds(row, prompt="hidden?", n_images=1)


def test_without_tags_a_roles_session_is_the_account(lines):
    (row,) = read(lines(call(requestMetadata=None))).rows
    assert holds(row, account_id="arn:aws:sts::111122223333:assumed-role/app/i-0abc", end_user_id=None)


def test_what_a_client_wrote_never_refuses_the_row(lines):
    junk = [
        "x",
        [],
        [1],
        {"messages": "x"},
        {"messages": [{"content": {"guardContent": 1}}]},
        "[{",
        "{",
        {"inferenceConfig": {"temperature": "hot", "maxTokens": 10**12}},
        {"toolConfig": {"tools": {}}},
    ]
    log = read(lines(*(call(one, one, requestId=f"r{at}") for at, one in enumerate(junk))))
    assert (len(log.rows), log.refused) == (len(junk), [])
