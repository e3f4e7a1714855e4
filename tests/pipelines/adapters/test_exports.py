"""Exports of observability products and of a serving platform: Langfuse, Helicone, Portkey, Databricks.

The records are invented, written from the published schemas; none is from anybody's log.
"""

import json
from typing import Any

from log_files import NOON, read

from pipelines.adapters import SOURCES

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


def test_a_body_that_was_too_large_is_cut_and_one_that_is_none_absent(lines):
    log = read(
        lines(
            served(request=None, logging_error_codes=["MAX_REQUEST_SIZE_EXCEEDED"]),
            served(request=None),
            served(request="not json"),
        )
    )
    assert log.column("body_state") == ["truncated", "absent", "absent"]
    assert log.column("output_tokens") == [212] * 3


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
