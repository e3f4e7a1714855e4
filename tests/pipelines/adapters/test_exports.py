"""Exports of observability products and of a serving platform: Langfuse, Helicone, Portkey, Databricks.

The records are invented, written from the published schemas; none is from anybody's log.
"""

import json
from typing import Any

import pytest
from log_files import NOON, as_line, read

from pipelines.adapters import SOURCES
from pipelines.adapters.check import check_logs

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "first"},
    {"role": "assistant", "content": "yes"},
    {"role": "user", "content": "how long?"},
]
REQUEST = {"model": "lark-2", "messages": MESSAGES, "temperature": 0.7, "top_logprobs": 20, "logprobs": True}
RESPONSE = {
    "id": "cc-1",
    "choices": [{"finish_reason": "length", "message": {"role": "assistant", "content": "30 minutes"}}],
    "usage": {"prompt_tokens": 61, "completion_tokens": 212},
}
MEANS = {
    "prompt": "how long?",
    "system_prompt": "Be brief.",
    "n_turns": 3,
    "temperature": 0.7,
    "top_logprobs": 20,
    "model": "lark-2",
    "input_tokens": 61,
    "output_tokens": 212,
    "latency_ms": 2683.0,
    "response": "30 minutes",
    "body_state": "full",
}


def holds(row: dict[str, Any], **wanted: Any) -> bool:
    assert {name: row[name] for name in wanted} == wanted
    return True


# -- Langfuse --------------------------------------------------------------------------------------


def observed(**fields: Any) -> dict[str, Any]:
    return {
        "id": "o-1",
        "traceId": "t-1",
        "projectId": "p-1",
        "type": "GENERATION",
        "startTime": NOON,
        "endTime": "2025-06-01T12:00:02.683Z",
        "name": "chat",
        "model": "lark-2",
        "modelParameters": {"temperature": 0.7, "logprobs": True, "top_logprobs": 20},
        "input": MESSAGES,
        "output": {"role": "assistant", "content": "30 minutes"},
        "usageDetails": {"input": 61, "output": 212, "total": 273},
        "level": "DEFAULT",
        "metadata": {"tenant": "t-42"},
        "userId": "ana",
        "sessionId": "s-1",
        **fields,
    }


def in_snake_case(one: dict[str, Any]) -> dict[str, Any]:
    names = {
        "traceId": "trace_id", "projectId": "project_id", "startTime": "start_time", "endTime": "end_time",
        "model": "provided_model_name", "modelParameters": "model_parameters", "userId": "user_id",
        "usageDetails": "usage_details", "sessionId": "session_id",
    }  # fmt: skip
    return {
        names.get(name, name): json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in one.items()
    }


def test_a_generation_means_the_same_in_both_spellings_and_with_any_input(lines):
    given = [
        observed(),
        in_snake_case(observed()),
        observed(input=REQUEST, output=RESPONSE),
        observed(input=json.dumps(REQUEST), output="30 minutes"),
    ]
    log = read(lines(*given))
    assert (log.format, log.refused) == ("langfuse", [])
    assert len(log.rows) == 4
    for row in log.rows:
        assert holds(row, **MEANS, account_id="ana", project_id="p-1", session_id="s-1", trace_id="t-1")


def test_a_plain_text_is_the_prompt_whatever_it_looks_like(lines):
    for text in ("how long?", "[how long?", '{"question": "how long?"}', "[1, 2]"):
        (row,) = read(lines(observed(input=text))).rows
        assert holds(row, prompt=text, n_turns=1)


def test_spans_and_deleted_rows_are_passed_over(lines):
    log = read(lines(observed(type="SPAN"), observed(type="EVENT"), observed(is_deleted=1), observed()))
    assert (len(log.rows), log.n_rows) == (1, 4)


def test_cached_and_reasoning_tokens_are_within_the_counts_or_added(lines):
    counts = {
        "input": 20,
        "input_cached_tokens": 41,
        "output": 100,
        "output_reasoning_tokens": 112,
        "total": 273,
    }
    apart = observed(usageDetails=counts)
    within = observed(usageDetails={**counts, "input": 61, "output": 212})
    for row in read(lines(apart, within)).rows:
        assert holds(row, input_tokens=61, output_tokens=212, cached_tokens=41, reasoning_tokens=112)


def test_an_empty_model_is_the_one_of_the_parameters(lines):
    log = read(lines(observed(model="", modelParameters={"model": "lark-3"})))
    assert log.column("model") == ["lark-3"]


def test_a_failure_is_one_and_without_a_user_the_project_is_the_account(lines):
    (row,) = read(
        lines(observed(level="ERROR", statusMessage="RateLimitError", output=None, userId=None))
    ).rows
    assert holds(row, status=429, stop_reason="error", account_id="p-1")


def test_an_observation_counts_as_it_was_last_written_and_not_once_it_is_deleted(lines):
    log = read(
        lines(
            observed(updatedAt="2025-06-01T12:00:01Z", output=None),
            observed(updatedAt="2025-06-01T12:00:02Z"),
            observed(id="o-2", updatedAt="2025-06-01T12:00:01Z"),
            observed(id="o-2", updatedAt="2025-06-01T12:00:02Z", is_deleted=1),
        )
    )
    assert log.column("request_id") == ["o-1"]
    assert log.column("response") == ["30 minutes"]
    assert log.n_rows == 4


def test_messages_in_parts_and_answers_in_lists_are_read(lines):
    """As tracers have them that follow OpenTelemetry's conventions, and chains of messages."""
    asked = [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "how long?"}, {"type": "blob"}]},
    ]
    answered = {"role": "assistant", "parts": [{"type": "text", "content": "30 minutes"}]}
    log = read(
        lines(
            observed(input=asked, output=[answered]),
            observed(input={"messages": asked}, output=answered),
            observed(
                input=json.dumps(asked), output=[*MESSAGES, {"role": "assistant", "content": "30 minutes"}]
            ),
        )
    )
    for row in log.rows:
        assert holds(row, prompt="how long?", system_prompt="Be brief.", n_turns=1, response="30 minutes")
    for text in ("[30 minutes", "[30] minutes"):
        assert read(lines(observed(output=text))).column("response") == [text]


def test_tools_of_version_4_stand_in_a_column_of_their_own(lines):
    definitions = {"search": '{"description":"of pages"}', "calculate": "{}"}
    log = read(
        lines(
            observed(tool_definitions=definitions),
            observed(tool_definitions=json.dumps(definitions)),
            observed(tool_definitions={}),
            observed(tool_definitions=definitions, input={**REQUEST, "tools": [{"name": "of the body"}]}),
        )
    )
    assert log.column("tool_names") == [["search", "calculate"]] * 2 + [None, ["of the body"]]


def test_what_was_masked_before_it_was_sent_is_no_prompt(lines):
    for mask in (
        "<REDACTED>",
        "[redacted]",
        "redacted-by-litellm",
        "<fully masked due to failed mask function>",
    ):
        for asked in (mask, [{"role": "user", "content": mask}]):
            (row,) = read(lines(observed(input=asked, output=mask))).rows
            assert holds(row, prompt=None, response=None, body_state="redacted")
    for text in ("call [REDACTED] at noon", "[REDACTED] and [REDACTED]", "**bold**", "redacted?"):
        (row,) = read(lines(observed(input=text))).rows
        assert holds(row, prompt=text, body_state="full")


def test_tokens_that_were_written_to_a_cache_are_input_too(lines):
    counts = {"input": 10, "output": 5}
    log = read(
        lines(
            observed(
                usageDetails={**counts, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 30}
            ),
            observed(
                usageDetails={**counts, "input_cache_read": 1000, "input_cache_creation": 30, "total": 1045}
            ),
            observed(
                usageDetails={**counts, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 5000}
            ),
        )
    )
    assert log.column("input_tokens") == [1040, 1040, 5010]
    assert log.column("cached_tokens") == [1000, 1000, 0]
    kept = [{"input_cache_creation_5m": 30}, {"input_cache_creation_1h": 7}]
    log = read(lines(*(observed(usageDetails={**counts, **one}) for one in (*kept, {**kept[0], **kept[1]}))))
    assert log.column("input_tokens") == [40, 17, 47]


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Error code: 429 - rate limit", 429),
        ("Error code: 400 - {'message': 'no rate limit of 429'}", 400),
        ("503 Service Unavailable", 503),
        ("HTTP/1.1 404 Not Found", 404),
        ('{"statusCode": 529}', 529),
        ("rate limit reached", 429),
        ("a prompt of 450 words failed", 500),
        (None, 500),
    ],
)
def test_the_number_in_a_failures_message_is_its_status(lines, message, status):
    assert read(lines(observed(level="ERROR", statusMessage=message))).column("status") == [status]


def test_traces_and_scores_of_an_export_are_passed_over(tmp_path):
    trace = {
        "id": "t-1", "timestamp": NOON, "name": "chat", "environment": "default", "project_id": "p-1",
        "metadata": {}, "user_id": "ana", "session_id": None, "release": None, "version": None,
        "public": False, "bookmarked": False, "tags": [], "input": "how long?", "output": "30 minutes",
        "created_at": NOON, "updated_at": NOON,
    }  # fmt: skip
    score = {
        "id": "s-1", "timestamp": NOON, "project_id": "p-1", "environment": "default", "trace_id": "t-1",
        "observation_id": None, "name": "helpful", "value": 1, "source": "EVAL", "comment": None,
        "data_type": "NUMERIC", "string_value": None,
    }  # fmt: skip
    for name, row in (("observations", observed()), ("traces", trace), ("scores", score)):
        (tmp_path / f"{name}.jsonl").write_bytes(as_line(row))
    header = ",".join(score) + "\n" + ",".join(str(value or "") for value in score.values()) + "\n"
    (tmp_path / "scores.csv").write_text(header)
    report = check_logs([str(tmp_path)])
    assert (report.ok, report.not_understood) == (True, ())
    assert (report.n_rows, report.n_passed_over) == (4, 3)


# -- Helicone --------------------------------------------------------------------------------------


def helicone(**fields: Any) -> dict[str, Any]:
    return {
        "request_id": "q-1",
        "request_created_at": "2025-06-01 12:00:00.000",
        "response_id": "r-1",
        "user_id": "ana",
        "organization_id": "org",
        "proxy_key_id": "key-1",
        "status": 200,
        "latency": 2683,
        "model": "lark-2-0801",
        "provider": "OPENAI",
        "target_url": "https://llm.example/v1/chat/completions?x=1",
        "country_code": "SE",
        "prompt_tokens": 61,
        "completion_tokens": 212,
        "properties": {"Helicone-Session-Id": "s-1", "team": "blue"},
        "request_body": json.dumps(REQUEST),
        "response_body": json.dumps(RESPONSE),
        **fields,
    }


def test_a_row_of_helicone_has_the_bodies_within(lines):
    log = read(lines(helicone()))
    assert (log.format, log.refused) == ("helicone", [])
    assert holds(log.rows[0], **MEANS, account_id="ana", org_id="org", api_key_id="key-1", session_id="s-1")
    assert holds(log.rows[0], endpoint="/v1/chat/completions", country="SE", provider="openai")


def test_states_below_zero_are_statuses(lines):
    log = read(lines(*(helicone(status=state) for state in (-2, -3, -4, 429))))
    assert log.column("status") == [200, 499, 403, 429]


def test_after_three_months_the_counts_are_left(lines):
    (row,) = read(lines(helicone(request_body="", response_body=""))).rows
    assert holds(
        row, prompt=None, body_state="absent", input_tokens=61, output_tokens=212, model="lark-2-0801"
    )


def test_bodies_that_are_texts_as_a_rule_are_not_looked_for_in_another_shape_first():
    texts, objects = helicone(), helicone(request_body=REQUEST, response_body=RESPONSE)
    assert SOURCES["helicone"].is_odd_as_a_rule([texts, texts, objects])
    assert not SOURCES["helicone"].is_odd_as_a_rule([texts, objects, objects])
    assert not SOURCES["helicone"].is_odd_as_a_rule([])


def test_of_a_row_that_was_updated_the_newest_counts(lines):
    versions = [
        helicone(updated_at="2025-06-01 12:00:01", status=-2),
        helicone(request_id="q-2", updated_at="2025-06-01 12:00:01", status=429),
        helicone(updated_at="2025-06-01 12:00:09", status=500),
        helicone(updated_at="2025-06-01 12:00:05", status=200),
    ]
    log = read(lines(*versions))
    assert log.column("request_id") == ["q-2", "q-1"]
    assert (log.column("status"), log.n_rows, log.refused) == ([429, 500], 4, [])


def test_what_a_cache_read_and_wrote_is_input_also_without_bodies(lines):
    counts = {"prompt_tokens": 10, "prompt_cache_read_tokens": 1000, "prompt_cache_write_tokens": 30}
    no_bodies = {"request_body": "", "response_body": ""}
    log = read(
        lines(
            helicone(**no_bodies, **counts, provider="ANTHROPIC"),
            helicone(**no_bodies, **counts, provider="AWS"),
            helicone(**no_bodies, **{**counts, "prompt_tokens": 1050}),
        )
    )
    assert log.column("input_tokens") == [1040, 1040, 1050]
    assert log.column("cached_tokens") == [1000] * 3


def test_an_empty_user_is_none_in_json_as_in_csv(lines, csv):
    request = json.dumps({**REQUEST, "user": "bob"})
    row = helicone(user_id="", proxy_key_id="", request_body=request)
    (of_json,) = read(lines(row)).rows
    quoted = [
        '"' + (value if isinstance(value, str) else json.dumps(value)).replace('"', '""') + '"'
        for value in row.values()
    ]
    (of_csv,) = read(csv(",".join(row) + "\n" + ",".join(quoted) + "\n")).rows
    assert holds(of_json, account_id="bob", end_user_id="bob", api_key_id=None)
    assert holds(of_csv, account_id="bob", end_user_id="bob", api_key_id=None)


def test_a_body_that_breaks_off_is_cut_and_not_absent(lines):
    log = read(lines(helicone(request_body=json.dumps(REQUEST)[:-40]), helicone(request_body="gone")))
    assert log.column("body_state") == ["truncated", "absent"]


# -- Portkey ---------------------------------------------------------------------------------------


def portkey(**fields: Any) -> dict[str, Any]:
    return {
        "id": "q-1",
        "created_at": NOON,
        "ai_org": "openai",
        "ai_model": "lark-2",
        "req_units": 61,
        "res_units": 212,
        "request_url": "https://llm.example/v1/chat/completions",
        "response_status_code": 200,
        "response_time": 2683,
        "is_success": 1,
        "cost": 0.4,
        "virtual_key": "vk-1",
        "metadata": {"_user": "ana", "tenant": "t-1"},
        **fields,
    }


def test_bodies_are_nested_or_flat_objects_or_texts(lines):
    nested = {"request": {"body": REQUEST}, "response": {"body": RESPONSE}}
    nested_texts = {"request": {"body": json.dumps(REQUEST)}, "response": {"body": json.dumps(RESPONSE)}}
    flat = {"request.body": REQUEST, "response.body": RESPONSE}
    flat_texts = {name: json.dumps(value) for name, value in flat.items()}
    log = read(lines(*(portkey(**bodies) for bodies in (nested, nested_texts, flat, flat_texts))))
    assert (log.format, log.refused) == ("portkey", [])
    assert len(log.rows) == 4
    for row in log.rows:
        assert holds(row, **MEANS, account_id="ana", org_id="t-1", api_key_id="vk-1", provider="openai")
        assert holds(row, endpoint="/v1/chat/completions")


def test_no_success_is_a_failure_and_without_a_tag_the_key_is_the_account(lines):
    (row,) = read(lines(portkey(is_success=0, response_status_code=None, metadata="{}"))).rows
    assert holds(row, status=500, account_id="vk-1", prompt=None)


def test_tags_that_are_empty_are_none_and_a_stream_is_said_in_capitals(lines):
    tags = {"_user": "", "user": "bob", "tenant_id": " ", "tenant": "t-1", "session_id": ""}
    body = {**REQUEST, "user": "eve"}
    log = read(
        lines(
            portkey(metadata=tags, request={"body": body}, stream_mode="TRUE"),
            portkey(metadata={"_user": ""}, request={"body": body}, stream_mode="FALSE"),
            portkey(stream_mode="TRUE", request={"body": {**body, "stream": False}}),
        )
    )
    assert log.column("account_id") == ["bob", "eve", "ana"]
    assert log.column("org_id") == ["t-1", None, "t-1"]
    assert log.column("stream") == [True, False, False]


# -- Databricks ------------------------------------------------------------------------------------


def served(**fields: Any) -> dict[str, Any]:
    return {
        "databricks_request_id": "q-1",
        "client_request_id": "c-1",
        "request_date": "2025-06-01",
        "request_time": NOON,
        "status_code": 200,
        "sampling_fraction": 0.5,
        "execution_duration_ms": 2683,
        "request": json.dumps(REQUEST),
        "response": json.dumps(RESPONSE),
        "served_entity_id": "e-1",
        "logging_error_codes": [],
        "requester": "ana",
        **fields,
    }


def test_an_inference_table_has_texts_of_bodies_and_says_how_much_it_sampled(lines):
    log = read(lines(served()))
    assert (log.format, log.refused) == ("databricks", [])
    assert holds(log.rows[0], **MEANS, account_id="ana", project_id="e-1", sample_rate=0.5)


def test_a_table_of_before_names_an_endpoint_and_nobody(lines):
    row = served(timestamp_ms=1_748_779_200_000, execution_time_ms=2683, date="2025-06-01")
    row["request_metadata"] = {"endpoint_name": "ask", "model_name": "m", "model_version": "3"}
    later = ("request_time", "request_date", "execution_duration_ms", "served_entity_id", "requester")
    log = read(lines({name: value for name, value in row.items() if name not in later}))
    assert (log.format, log.refused) == ("databricks", [])
    assert holds(log.rows[0], **MEANS, account_id="ask")
    assert log.rows[0]["ts"].isoformat() == "2025-06-01T12:00:00+00:00"


def test_a_body_that_was_too_large_is_cut_and_one_that_is_none_absent(lines):
    log = read(
        lines(
            served(request=None, logging_error_codes=["MAX_REQUEST_SIZE_EXCEEDED"]),
            served(request=None),
            served(request="not json"),
            served(request='{"messages":[{"role":"user","content":"cut'),
        )
    )
    assert log.column("body_state") == ["truncated", "absent", "absent", "truncated"]
    assert log.column("output_tokens") == [212] * 4


def test_what_a_client_wrote_never_refuses_any_of_the_rows(lines):
    for junk in ("[{", "[1]", "{}", '{"messages": 3}', 7, [], [[]], {"messages": [{"content": {}}]}):
        text = json.dumps(junk)
        rows = (
            observed(input=junk, output=junk, modelParameters=text),
            helicone(request_body=text, response_body=text),
        )
        for one in (
            *rows,
            portkey(request={"body": junk}, metadata=text),
            served(request=text, response=text),
        ):
            log = read(lines(one))
            assert (len(log.rows), log.refused) == (1, [])
