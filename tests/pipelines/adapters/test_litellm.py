"""LiteLLM's payloads and its table: recorded ones, and invented ones for what goes wrong."""

import json
from pathlib import Path

import pytest
from log_files import NOON, read

from pipelines.adapters import open_log

RECORDED = Path(__file__).parent / "recorded"


def holds(row, **wanted):
    assert {name: row[name] for name in wanted} == wanted
    return True


def recorded(name, lines):
    header, *records = (RECORDED / name).read_text().splitlines()
    assert json.loads(header)["recorded_with"].startswith("litellm 1.")
    return read(lines(*(json.loads(record) for record in records)))


# -- what LiteLLM itself wrote ---------------------------------------------------------------------


def test_what_the_library_hands_to_its_callbacks_is_read(lines):
    log = recorded("litellm.jsonl", lines)
    assert (log.format, log.refused, len(log.rows)) == ("litellm", [], 7)
    plain, with_tools, long, streamed, limited, anthropic, responses = log.rows
    assert holds(
        plain,
        prompt="how long until the tank is full?",
        account_id="usr-17",
        project_id="team-3",
        api_key_id="88dc28d0",
        model="lark-2",
        provider="openai",
        response="The tank is full after 30 minutes.",
        stop_reason="stop",
        status=200,
        input_tokens=61,
        cached_tokens=40,
        output_tokens=12,
        reasoning_tokens=3,
        body_state="full",
    )
    assert holds(
        with_tools,
        system_prompt="Show every step.",
        prompt="merge these intervals",
        tool_names=["run_tests"],
        temperature=0.7,
        top_logprobs=5,
        max_tokens=256,
        end_user_id="customer-7",
    )
    assert len(long["prompt"]) > 9_000
    assert holds(streamed, stream=True, response="The tank is full after 30 minutes. ", output_tokens=8)
    assert holds(limited, status=429, prompt="please be limited", response=None)
    assert holds(anthropic, provider="anthropic", input_tokens=61, cached_tokens=30, stop_reason="stop")
    assert holds(responses, system_prompt="Answer briefly.", prompt="sort these words", input_tokens=61)
    assert all(row["latency_ms"] > 0 for row in log.rows)


def test_the_rows_that_the_proxy_makes_for_its_table_are_read(lines):
    log = recorded("litellm_spend.jsonl", lines)
    assert (log.format, log.refused, len(log.rows)) == ("litellm-spend", [], 6)
    plain, with_tools, long, streamed, anthropic, _ = log.rows
    assert holds(
        plain,
        prompt="how long until the tank is full?",
        account_id="usr-17",
        project_id="team-3",
        model="lark-2",
        response="The tank is full after 30 minutes.",
        input_tokens=61,
        cached_tokens=40,
        reasoning_tokens=3,
        body_state="full",
    )
    assert len(plain["api_key_id"]) == 64
    assert holds(with_tools, tool_names=["run_tests"], top_logprobs=5, max_tokens=256)
    assert holds(long, body_state="truncated")
    assert "(litellm_truncated skipped " in long["prompt"]
    assert holds(streamed, stream=True, output_tokens=8)
    assert holds(anthropic, input_tokens=61, cached_tokens=30, prompt=None, body_state="absent")


def test_what_the_clients_send_is_read_from_a_gateways_capture(lines):
    header, *records = (RECORDED / "sdk.jsonl").read_text().splitlines()
    assert "openai 3." in header
    log = read(lines(*map(json.loads, records)))
    assert (log.format, log.refused, len(log.rows)) == ("gateway", [], 8)
    assert [row["status"] for row in log.rows] == [200, 200, 200, 200, 429, 200, 200, 200]
    assert [row["prompt"][:20] for row in log.rows[3:7]] == [
        "tell it as a stream", "please be limited", "sort these words", "a haiku about rain",
    ]  # fmt: skip
    assert holds(log.rows[3], stream=True, response="The tank is full after 30 minutes. ", output_tokens=8)
    assert holds(log.rows[6], system_prompt="Score from 1 to 10.", input_tokens=61, cached_tokens=30)
    for row in log.rows:
        assert row["client_fingerprint"].startswith("python ")
        assert row["api_key_id"].startswith("sha256:")
        assert "/Python " in row["user_agent"]


@pytest.mark.parametrize("name", ["litellm", "litellm_spend"])
def test_of_what_this_version_writes_nothing_is_unknown(name):
    with open_log(RECORDED / f"{name}.jsonl", batch_rows=99, threads=1) as reader:
        n_rows = sum(map(len, reader.batches()))
        assert reader.not_understood == ("n_records", "recorded_with")
        assert (n_rows, reader.n_refused) == (reader.n_rows - 1, 1)  # the line that says who wrote the others


# -- payloads --------------------------------------------------------------------------------------


def payload(**more):
    return {
        "id": "cc-1",
        "call_type": "acompletion",
        "status": "success",
        "startTime": 1793589247.218,
        "endTime": 1793589249.901,
        "model": "lark-2-0801",
        "model_group": "lark-2",
        "metadata": {"user_api_key_hash": "88dc28d0", "user_api_key_user_id": "usr-17"},
        "messages": [{"role": "user", "content": "hi"}],
        "response": {"id": "cc-1", "choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]},
        "model_parameters": {},
        "hidden_params": {},
        **more,
    }


def only(lines, record, log_format="litellm"):
    log = read(lines(record))
    assert (log.format, log.refused) == (log_format, [])
    (row,) = log.rows
    return row


@pytest.mark.parametrize(
    ("written", "prompt"),
    [
        ("a text alone", "a text alone"),
        ([{"role": "user", "content": "a list"}], "a list"),
        ({"messages": [{"role": "user", "content": "an object"}]}, "an object"),
        (None, None),
    ],
)
def test_messages_come_in_any_shape(lines, written, prompt):
    row = only(lines, payload(messages=written))
    assert row["prompt"] == prompt
    assert row["body_state"] == ("absent" if prompt is None else "full")


@pytest.mark.parametrize("mark", ["redacted-by-litellm", "redacted by litellm. 'x=True'"])
def test_what_the_proxy_redacted_is_no_prompt(lines, mark):
    row = only(lines, payload(messages=[{"role": "user", "content": mark}]))
    assert holds(row, prompt=None, response=None, body_state="redacted", n_turns=1)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"error_code": "429", "error_class": "RateLimitError", "error_rate_limit_type": "tokens"}, 429),
        ({"error_code": "429", "error_class": "BudgetExceededError"}, 402),
        ({"error_code": "400", "error_rate_limit_type": "budget"}, 402),
        ({"error_code": "", "error_class": "Timeout"}, 408),
        ({"error_code": "403", "error_class": "PermissionDeniedError"}, 403),
        ({}, 500),
    ],
)
def test_a_spent_budget_is_told_apart_from_a_rate_limit(lines, error, status):
    row = only(lines, payload(status="failure", response={}, error_information=error))
    assert holds(row, status=status, response=None, prompt="hi")


def test_the_administrator_of_the_proxy_is_nobody_so_the_key_is_the_account(lines):
    record = payload(metadata={"user_api_key_hash": "88dc28d0", "user_api_key_user_id": "default_user_id"})
    assert holds(only(lines, record), account_id="88dc28d0", api_key_id="88dc28d0")


def test_a_key_that_is_no_hash_is_hashed_here(lines):
    record = payload(metadata={"user_api_key_hash": "sk-invented-key-0123456789"})
    assert only(lines, record)["api_key_id"].startswith("sha256:")


def test_retries_cached_answers_and_empty_texts(lines):
    metadata = {"user_api_key_hash": "k", "attempted_retries": 2, "user_agent": "curl/8"}
    record = payload(
        id="cc-1_cache_hit1793589247.2",
        response=None,
        metadata=metadata,
        session_id="",
        user_agent="",
        end_user="",
    )
    row = only(lines, record)
    assert holds(row, request_id="cc-1_cache_hit1793589247.2", provider_request_id="cc-1")
    assert holds(row, attempt=3, session_id=None, user_agent="curl/8", end_user_id=None)


def test_work_of_other_models_is_passed_over_and_counted(lines):
    path = lines(payload(call_type="aembedding"), payload(), payload(call_type="a_add_message"))
    with open_log(path, batch_rows=9, threads=1) as reader:
        assert sum(map(len, reader.batches())) == 1
        assert (reader.n_passed_over, reader.n_refused) == (2, 0)


HEALTH_CHECK = "litellm-internal-health-check"


def test_housekeeping_and_the_proxys_own_health_checks_are_passed_over(lines):
    by_key = {"user_api_key_hash": HEALTH_CHECK, "user_api_key_user_id": "usr-17"}
    by_team = {"user_api_key_hash": "k", "user_api_key_team_id": HEALTH_CHECK}
    kinds = ("aget_responses", "adelete_responses", "acancel_responses", "alist_input_items", "acount_tokens",
             "avector_store_search", "avector_store_create", "aocr", "acreate_video")  # fmt: skip
    others = [payload(call_type=kind) for kind in kinds]
    others += [payload(metadata=by_key), payload(metadata=by_team)]
    calls = [payload(call_type=kind) for kind in ("aresponses", "anthropic_messages", "a new kind", None)]
    calls.append(payload(request_tags=[HEALTH_CHECK]))  # a client's to choose: it hides nobody
    log = read(lines(payload(), *others, *calls))
    assert (len(log.rows), log.n_rows, log.refused) == (6, 17, [])


def test_a_client_that_asks_again_counts_its_retries_itself(lines):
    said = [("0", None), ("1", None), ("1", 3), (None, None)]
    metadata = [
        {
            "user_api_key_hash": "k",
            "requester_custom_headers": {"x-stainless-retry-count": client},
            "attempted_retries": proxy,
        }
        for client, proxy in said
    ]
    log = read(lines(*(payload(id=f"r{n}", metadata=one) for n, one in enumerate(metadata))))
    assert log.column("attempt") == [1, 2, 4, None]


@pytest.mark.parametrize(
    ("error", "stop_reason"),
    [({"error_code": "400", "error_class": "ContentPolicyViolationError"}, "filter"),
     ({"error_code": "429", "error_class": "RateLimitError"}, "error"), ({}, "error")],
)  # fmt: skip
def test_a_failure_says_why_the_answer_ended(lines, error, stop_reason):
    failed = payload(status="failure", response={}, error_information=error)
    assert only(lines, failed)["stop_reason"] == stop_reason
    row = spend(status="failure", metadata={"error_information": error})
    assert only(lines, row, "litellm-spend")["stop_reason"] == stop_reason
    assert only(lines, payload(response=None))["stop_reason"] is None


USAGE = {
    "prompt_tokens_details": {"cached_tokens": 40},
    "completion_tokens_details": {"reasoning_tokens": 7},
}


def test_details_of_tokens_are_found_where_other_versions_write_them(lines):
    row = only(lines, payload(hidden_params={"usage_object": USAGE}))
    assert holds(row, cached_tokens=40, reasoning_tokens=7)
    row = only(lines, spend(metadata={"additional_usage_values": USAGE}), "litellm-spend")
    assert holds(row, cached_tokens=40, reasoning_tokens=7)


def test_a_coding_agents_user_is_one_person_behind_the_proxy_as_well(lines):
    user = "user_9f2c_account_6c1e_session_s-1"
    assert only(lines, payload(end_user=user))["end_user_id"] == "user_9f2c_account_6c1e"
    assert only(lines, spend(end_user=user), "litellm-spend")["end_user_id"] == "user_9f2c_account_6c1e"


# -- rows of the table -----------------------------------------------------------------------------


def spend(**more):
    return {
        "request_id": "r1",
        "call_type": "acompletion",
        "api_key": "88dc28d0",
        "spend": 0.004,
        "startTime": "2025-06-01T12:00:00.000",
        "endTime": "2025-06-01T12:00:02.683",
        "model": "lark-2-0801",
        "model_group": "",
        "user": "usr-17",
        "metadata": {"user_api_key_org_id": "org", "status": "success"},
        "status": None,
        "messages": {},
        "response": {},
        "proxy_server_request": {},
        **more,
    }


def test_without_stored_bodies_the_row_is_there_and_its_texts_are_absent(lines):
    row = only(lines, spend(), "litellm-spend")
    assert holds(row, prompt=None, n_turns=None, body_state="absent", model="lark-2-0801", org_id="org")
    assert holds(row, latency_ms=2683.0, status=200)
    assert row["ts"].isoformat() == NOON.replace("Z", "+00:00")  # naive times are UTC


CUT = "Problem 48... (litellm_truncated skipped 911 chars. See the docs.) ...end with ANSWER:"
BODIES = {
    "chat": {
        "model": "lark-2",
        "messages": [{"role": "user", "content": CUT}],
        "top_logprobs": 20,
        "logprobs": True,
    },
    "responses": {"model": "lark-2", "input": CUT},
    "messages": {
        "model": "wren",
        "system": "s",
        "messages": [{"role": "user", "content": CUT}],
        "max_tokens": 9,
    },
}


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("shape", BODIES)
def test_a_body_whose_middle_was_cut_out_says_so(lines, shape, as_text):
    body = BODIES[shape]
    row = only(lines, spend(proxy_server_request=json.dumps(body) if as_text else body), "litellm-spend")
    assert holds(row, prompt=CUT, body_state="truncated", model=body["model"])


def test_bodies_of_rows_that_are_usual_and_odd_stay_in_order(lines):
    plain, odd = BODIES["chat"], json.dumps(BODIES["messages"])
    records = [spend(request_id=f"r{n}", proxy_server_request=odd if n % 3 else plain) for n in range(30)]
    log = read(lines(*records))
    assert log.column("request_id") == [f"r{n}" for n in range(30)]
    assert log.column("system_prompt") == ["s" if n % 3 else None for n in range(30)]


def test_failures_name_their_reason_in_the_metadata(lines):
    metadata = {
        "status": "failure",
        "error_information": {"error_code": "400", "error_rate_limit_type": "budget"},
    }
    assert only(lines, spend(metadata=metadata), "litellm-spend")["status"] == 402


TOLD = {
    "user_api_key_user_id": "usr-9",
    "user_api_key_org_id": "org-z",
    "user_agent": "client/3.1",
    "requester_ip_address": "198.51.100.3",
    "attempted_retries": 1,
    "status": "failure",
    "error_information": {"error_code": "429"},
}


@pytest.mark.parametrize("texts", [{1}, {0, 1, 2}], ids=["now and then", "always"])
def test_metadata_that_a_logger_wrote_as_a_text_is_read_as_the_object_it_is(lines, texts):
    records = [
        spend(request_id=f"r{n}", user="", metadata=json.dumps(TOLD) if n in texts else TOLD)
        for n in range(3)
    ]
    log = read(lines(*records))
    assert (log.format, log.refused) == ("litellm-spend", [])
    for row in log.rows:
        assert holds(row, account_id="usr-9", org_id="org-z", status=429, user_agent="client/3.1")
        assert holds(row, ip="198.51.100.3", attempt=2)


@pytest.mark.parametrize("junk", ["{broken", "redacted", "", "[]", None])
def test_metadata_that_is_none_leaves_the_row_standing(lines, junk):
    assert holds(only(lines, spend(metadata=junk), "litellm-spend"), account_id="usr-17", status=200)


def test_the_proxys_health_checks_are_no_account_of_the_table(lines):
    log = read(lines(spend(), spend(api_key=HEALTH_CHECK), spend(team_id=HEALTH_CHECK)))
    assert (len(log.rows), log.n_rows, log.refused) == (1, 3, [])
