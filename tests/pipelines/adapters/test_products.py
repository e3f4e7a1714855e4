"""Logs of gateway products: Kong's ai-proxy, Cloudflare's AI Gateway.

The records are invented, written from the published schemas; none is from anybody's log.
"""

import json
from typing import Any

from log_files import NOON, read

from pipelines.adapters import open_logs

REQUEST = {
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "how long?"}],
    "temperature": 0.7,
    "logprobs": True,
    "top_logprobs": 20,
}
RESPONSE = {
    "id": "cc-1",
    "choices": [{"finish_reason": "length", "message": {"role": "assistant", "content": "30 minutes"}}],
    "usage": {"prompt_tokens": 60, "completion_tokens": 211},
}


def holds(row: dict[str, Any], **wanted: Any) -> bool:
    assert {name: row[name] for name in wanted} == wanted
    return True


def kong(plugin: str = "proxy", **fields: Any) -> dict[str, Any]:
    return {
        "request": {
            "id": "5f1c",
            "uri": "/llm/chat?x=1",
            "url": "https://llm.example/llm/chat",
            "querystring": {"x": "1"},
            "method": "POST",
            "headers": {
                "user-agent": "client/3.1",
                "authorization": "REDACTED",
                "x-stainless-lang": "python",
            },
            "size": 812,
        },
        "upstream_status": "200",
        "response": {"status": 200, "headers": {"content-type": "application/json"}, "size": 1940},
        "latencies": {"kong": 4, "proxy": 2670, "request": 2683, "receive": 9},
        "tries": [],
        "authenticated_entity": {"id": "cred-1"},
        "consumer": {"id": "con-1", "username": "acme", "custom_id": "ana"},
        "client_ip": "203.0.113.24",
        "started_at": 1_748_779_200_000,
        "workspace": "w1",
        "ai": {
            plugin: {
                "meta": {"plugin_id": "p", "provider_name": "openai", "request_model": "lark-2"},
                "usage": {"time_per_token": 12.6, "prompt_tokens": 61, "completion_tokens": 212, "cost": 0},
                "payload": {"request": json.dumps(REQUEST), "response": json.dumps(RESPONSE)},
            }
        },
        **fields,
    }


KONG_MEANS = {
    "account_id": "ana",
    "api_key_id": "cred-1",
    "project_id": "w1",
    "ip": "203.0.113.24",
    "user_agent": "client/3.1",
    "client_fingerprint": "python",
    "model": "lark-2",
    "provider": "openai",
    "endpoint": "/llm/chat",
    "input_tokens": 61,
    "output_tokens": 212,
    "latency_ms": 2683.0,
    "status": 200,
}


def test_a_payload_is_a_body_whatever_the_plugin_is_called(lines):
    log = read(lines(kong(), kong("ai-proxy"), kong("ai-proxy-advanced")))
    assert (log.format, log.refused) == ("kong", [])
    for row in log.rows:
        assert holds(row, **KONG_MEANS, prompt="how long?", system_prompt="Be brief.", top_logprobs=20)
        assert holds(row, stop_reason="length", response="30 minutes", body_state="full")
        assert row["ts"].isoformat() == "2025-06-01T12:00:00+00:00"


def test_without_payloads_only_content_is_absent(lines):
    bare = kong()
    del bare["ai"]["proxy"]["payload"]
    (row,) = read(lines(bare)).rows
    assert holds(row, **KONG_MEANS, prompt=None, n_turns=None, body_state="absent", top_logprobs=None)


def test_a_payload_that_is_cut_off_leaves_the_call_standing(lines):
    cut = kong()
    cut["ai"]["proxy"]["payload"] = {"request": json.dumps(REQUEST)[:40], "response": "data: {"}
    (row,) = read(lines(cut)).rows
    assert holds(row, **KONG_MEANS, prompt=None, body_state="absent")


def test_calls_that_are_no_models_and_those_of_other_plugins_are_passed_over(lines):
    others = [kong("ai-request-transformer"), kong("my-transformer"), kong(ai=None), kong(ai={"x": "y"})]
    log = read(lines(kong(), *others))
    assert (len(log.rows), log.n_rows, log.refused) == (1, 5, [])


def test_a_plugin_with_a_namespace_of_its_own_is_found_below_ai(lines):
    log = read(lines(kong("our-own-proxy"), kong()))
    assert (log.format, log.refused) == ("kong", [])
    for row in log.rows:
        assert holds(row, **KONG_MEANS, prompt="how long?", response="30 minutes")


def test_a_clients_first_retry_is_the_second_attempt(lines):
    again = kong()
    again["request"]["headers"]["x-stainless-retry-count"] = "1"
    assert read(lines(kong(), again)).column("attempt") == [None, 2]


def of_kong_37() -> dict[str, Any]:
    """The request's body stands above the plugins, and one `prompt_token` is counted."""
    call = kong("ai-proxy")
    inner = call["ai"]["ai-proxy"]
    call["ai"]["payload"] = {"request": inner["payload"].pop("request")}
    inner["usage"] = {"prompt_token": 61, "completion_token": 212, "total_tokens": 273}
    return call


def test_prompts_of_older_versions_lie_elsewhere_and_are_found(lines):
    newer, older, oldest = kong(), of_kong_37(), kong()
    oldest["ai"] = {**oldest["ai"]["proxy"], "usage": older["ai"]["ai-proxy"]["usage"]}
    for records in ([newer, older, oldest], [older], [oldest]):
        log = read(lines(*records))
        assert (log.format, log.refused) == ("kong", [])
        for row in log.rows:
            assert holds(row, **KONG_MEANS, prompt="how long?", response="30 minutes", body_state="full")


def test_payloads_without_statistics_are_calls_too(lines):
    log = kong()
    log["ai"]["proxy"] = {"payload": log["ai"]["proxy"]["payload"]}
    older = of_kong_37()
    del older["ai"]["ai-proxy"]
    for call in (log, older):
        (row,) = read(lines(call)).rows
        assert holds(row, account_id="ana", prompt="how long?", provider=None)


def test_what_kong_refuses_itself_is_a_call_where_somebody_is_named(lines):
    def refused(status: int, **fields: Any) -> dict[str, Any]:
        return kong(ai=None, response={"status": status, "headers": {}, "size": 40}, **fields)

    page = {"id": "p", "uri": "/pages/1", "method": "POST", "headers": {}}
    nobody = {"consumer": None, "authenticated_entity": None}
    others = [refused(401, **nobody), refused(429, request=page), refused(200), refused(404)]
    log = read(lines(kong(), refused(429), refused(403, consumer=None), *others))
    assert log.column("status") == [200, 429, 403]
    assert log.column("account_id") == ["ana", "ana", "cred-1"]
    assert (log.n_rows, log.refused, log.rows[1]["model"]) == (7, [], None)


def test_tokens_of_anthropics_bodies_have_those_of_the_cache_in_them(lines):
    call = kong()
    usage = {"input_tokens": 5, "output_tokens": 212, "cache_read_input_tokens": 10}
    answer = {"id": "msg_1", "type": "message", "usage": {**usage, "cache_creation_input_tokens": 2}}
    call["ai"]["proxy"]["usage"] |= {"prompt_tokens": 5}
    call["ai"]["proxy"]["payload"]["response"] = json.dumps(answer)
    (row,) = read(lines(call)).rows
    assert holds(row, input_tokens=17, cached_tokens=10, output_tokens=212)


def test_who_has_no_consumer_is_the_credential(lines):
    (row,) = read(lines(kong(consumer=None))).rows
    assert holds(row, account_id="cred-1")


def cloudflare(**fields: Any) -> dict[str, Any]:
    return {
        "id": "01J",
        "created_at": NOON,
        "provider": "openai",
        "model": "lark-2",
        "model_type": "",
        "path": "chat/completions",
        "duration": 2683,
        "status_code": 200,
        "success": True,
        "cached": False,
        "tokens_in": 61,
        "tokens_out": 212,
        "cost": 0.004,
        "metadata": json.dumps({"user_id": "u-9", "team": "t-1", "step": 3}),
        **fields,
    }


CLOUDFLARE_MEANS = {
    "account_id": "u-9",
    "end_user_id": "u-9",
    "org_id": "t-1",
    "model": "lark-2",
    "input_tokens": 61,
    "output_tokens": 212,
    "latency_ms": 2683.0,
    "status": 200,
    "endpoint": "chat/completions",
}


def test_tags_are_a_json_text_or_an_object_and_say_who_called(lines):
    log = read(lines(cloudflare(), cloudflare(metadata={"user_id": "u-9", "team": "t-1"})))
    assert (log.format, log.refused) == ("cloudflare", [])
    for row in log.rows:
        assert holds(row, **CLOUDFLARE_MEANS, prompt=None, body_state="absent")


def test_a_page_as_the_api_answers_is_its_logs(lines):
    page = {"success": True, "result": [cloudflare(), cloudflare(id="01K")], "result_info": {"page": 1}}
    log = read(lines(page, name="page.json"))
    assert (log.format, log.column("request_id")) == ("cloudflare", ["01J", "01K"])
    assert holds(log.rows[1], **CLOUDFLARE_MEANS)


def test_a_single_log_as_the_api_answers_is_a_request(lines):
    log = read(lines({"success": True, "errors": [], "result": cloudflare()}, name="one.json"))
    assert (log.format, log.column("request_id"), log.n_rows) == ("cloudflare", ["01J"], 1)
    assert holds(log.rows[0], **CLOUDFLARE_MEANS)


def test_cached_tokens_that_the_gateway_left_out_are_in_the_count(lines):
    usage = {"input_tokens": 3, "cache_read_input_tokens": 50, "output_tokens": 7}
    message = {"id": "m", "type": "message", "content": [], "usage": usage}
    log = read(
        lines(
            cloudflare(tokens_in=3, response=message),
            cloudflare(id="01K", tokens_in=3, response={**RESPONSE, "usage": {"prompt_tokens": 9}}),
            cloudflare(id="01L", tokens_in=None, response=RESPONSE),
        )
    )
    assert (log.column("input_tokens"), log.column("cached_tokens")) == ([53, 3, 60], [50, None, None])


def test_what_a_filter_stopped_is_no_mishap(lines):
    errors = [
        {"code": "content_filter", "message": "m", "innererror": {"code": "ResponsibleAIPolicyViolation"}},
        {"code": "content_policy_violation", "type": "invalid_request_error"},
        {"code": "bad", "message": "it was not the content_filter"},
    ]
    log = read(
        lines(
            *(
                cloudflare(id=f"{at}", status_code=400, request=REQUEST, response={"error": one})
                for at, one in enumerate(errors)
            )
        )
    )
    assert log.column("stop_reason") == ["filter", "filter", "error"]
    assert log.column("status") == [400] * 3


def test_bodies_fetched_beside_the_log_are_read(lines):
    log = read(
        lines(
            cloudflare(request=REQUEST, response=RESPONSE),
            cloudflare(request=json.dumps(REQUEST), response=json.dumps(RESPONSE)),
        )
    )
    for row in log.rows:
        assert holds(row, **CLOUDFLARE_MEANS, prompt="how long?", stop_reason="length", top_logprobs=20)


def test_a_failure_without_a_status_is_one_and_who_is_nobody_is_refused(lines):
    log = read(
        lines(
            cloudflare(status_code=None, success=False),
            cloudflare(metadata=None),
            cloudflare(metadata="[{"),
        )
    )
    assert log.column("status") == [500]
    assert [(row, column) for row, column, _ in log.refused] == [(2, "account_id"), (3, "account_id")]


def test_pushed_logs_are_told_apart_by_bodies_that_cannot_be_read(lines):
    def pushed(body: str) -> dict[str, Any]:
        return {
            "Datetime": NOON,
            "Gateway": "g-1",
            "Provider": "openai",
            "Model": "lark-2",
            "Endpoint": "chat/completions",
            "StatusCode": 429,
            "Cached": False,
            "RateLimited": True,
            "RequestBody": {"type": "encrypted", "data": body},
        }

    log = read(lines(pushed("AAA"), pushed("BBB")))
    assert (log.format, log.refused) == ("cloudflare-logpush", [])
    assert len(set(log.column("request_id"))) == 2
    assert holds(
        log.rows[0], account_id="g-1", status=429, body_state="redacted", prompt=None, model="lark-2"
    )


def test_pushed_logs_without_payloads_are_told_apart_by_their_places(lines):
    one = {
        "Datetime": NOON,
        "Gateway": "g-1",
        "Provider": "openai",
        "Model": "lark-2",
        "Endpoint": "chat/completions",
        "StatusCode": 200,
        **dict.fromkeys(("Metadata", "RequestBody", "ResponseBody")),
    }
    assert read(lines({**one, "StatusCode": 0})).column("status") == [499]
    log = read(lines(*[one] * 5))
    assert len(set(log.column("request_id"))) == 5
    assert set(log.column("body_state")) == {"absent"}
    assert read(lines(*[one] * 5, name="again.jsonl")).column("request_id") == log.column("request_id")
    small = [lines(one, one, name=f"{at}.jsonl") for at in range(2)]
    for _, reader in open_logs(small, batch_rows=9, threads=1):
        with reader:
            (batch,) = reader.batches()
            assert batch["request_id"].to_pylist() == log.column("request_id")[:2]
