"""Azure API Management: bodies in pieces, the gateway's own rows beside them or not.

The records are invented, written from the tables' documented columns; none is from anybody's log.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from log_files import NOON, read

from pipelines.adapters import open_log

SERVICE = "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.ApiManagement/service/our-gateway"
ASKED = [{"role": "system", "content": "Be exact."}, {"role": "user", "content": 'a "long" 漢字 question'}]


def piece(number: int, call: str = "c0ffee", **fields: Any) -> dict[str, Any]:
    return {
        "TimeGenerated": NOON,
        "CorrelationId": call,
        "_ResourceId": SERVICE,
        "SequenceNumber": number,
        "Type": "ApiManagementGatewayLlmLog",
        **fields,
    }


def head(call: str = "c0ffee", **fields: Any) -> dict[str, Any]:
    counts = {"ModelName": "lark-2", "DeploymentName": "prod", "PromptTokens": 61, "CompletionTokens": 12}
    return piece(0, call, RequestId="up-1", IsStreamCompletion=False, **counts, **fields)


def outcome(call: str = "c0ffee", **fields: Any) -> dict[str, Any]:
    return {
        "TimeGenerated": NOON,
        "CorrelationId": call,
        "_ResourceId": SERVICE,
        "Type": "ApiManagementGatewayLogs",
        "ApimSubscriptionId": "sub-7",
        "UserId": "ana",
        "ProductId": "starter",
        "Url": "https://api.example/openai/deployments/prod/chat/completions?api-version=1",
        "ResponseCode": 200,
        "TotalTime": 830,
        "CallerIpAddress": "203.0.113.24",
        "RequestHeaders": {"User-Agent": "client/3.1"},
        **fields,
    }


def test_a_body_in_pieces_is_put_together_whatever_lies_between_them(lines):
    text = json.dumps(ASKED)
    cut = [text[:40], text[40:61], text[61:]]
    answer = json.dumps([{"role": "assistant", "content": "42, of course"}])
    log = read(
        lines(
            piece(3, RequestMessages=cut[2]),
            head("other"),
            piece(1, RequestMessages=cut[0]),
            outcome(),
            piece(5, ResponseMessages=answer[9:]),
            piece(2, RequestMessages=cut[1]),
            piece(4, ResponseMessages=answer[:9]),
            head(),
        )
    )
    assert (log.format, log.refused, log.n_rows) == ("azure-apim", [], 2)
    row = log.rows[0]
    wanted = {
        "request_id": "c0ffee",
        "ts": datetime(2025, 6, 1, 12, tzinfo=UTC),
        "prompt": 'a "long" 漢字 question',
        "system_prompt": "Be exact.",
        "response": "42, of course",
        "body_state": "full",
        "account_id": "ana",
        "api_key_id": "sub-7",
        "project_id": "starter",
        "org_id": "our-gateway",
        "provider_request_id": "up-1",
        "model": "lark-2",
        "input_tokens": 61,
        "output_tokens": 12,
        "status": 200,
        "latency_ms": 830.0,
        "ip": "203.0.113.24",
        "user_agent": "client/3.1",
        "endpoint": "/openai/deployments/prod/chat/completions",
        "row_number": 1,
    }
    assert {name: row[name] for name in wanted} == wanted


def test_a_body_of_which_a_piece_is_missing_is_truncated_and_the_call_counts(lines):
    text = json.dumps(ASKED)
    row = read(lines(head(), piece(1, RequestMessages=text[:40]), piece(3, RequestMessages=text[61:]))).rows[
        0
    ]
    assert (row["prompt"], row["body_state"], row["input_tokens"]) == (None, "truncated", 61)


def test_a_row_that_is_delivered_twice_is_one_piece(lines):
    text, answer = json.dumps(ASKED), json.dumps([{"role": "assistant", "content": "42"}])
    whole = piece(1, RequestMessages=text, ResponseMessages=answer)
    pieces = [piece(1, "cut", RequestMessages=text[:40]), piece(2, "cut", RequestMessages=text[40:])]
    log = read(
        lines(head(), whole, whole, *pieces, head("cut"), *reversed(pieces), piece(3, "cut", RequestMessages=""))
    )
    assert log.column("prompt") == ['a "long" 漢字 question'] * 2
    assert (log.column("body_state"), log.column("response")) == (["full", "full"], ["42", None])


def test_without_the_gateways_own_table_the_service_is_the_account(lines):
    row = read(lines(head(), piece(1, RequestMessages=ASKED))).rows[0]
    assert (row["account_id"], row["status"], row["ip"]) == ("our-gateway", 200, None)
    assert row["prompt"] == 'a "long" 漢字 question'


def test_a_call_that_never_reached_a_model_counts_and_other_apis_do_not(lines):
    log = read(
        lines(
            outcome("spent", ResponseCode=429),
            outcome("other", Url="https://api.example/orders/7"),
            outcome("again", UserId="1"),
        )
    )
    assert log.column("request_id") == ["spent", "again"]
    assert log.column("status") == [429, 200]
    assert log.column("account_id") == ["ana", "sub-7"]
    assert log.column("body_state") == ["absent", "absent"]


def test_bodies_that_the_gateway_logs_tell_how_it_was_asked(lines):
    body = {"model": "m", "temperature": 0.5, "logprobs": True, "top_logprobs": 5, "messages": ASKED}
    answer = {"id": "x", "choices": [{"finish_reason": "length", "message": {"content": "so"}}]}
    log = read(
        lines(
            outcome("a", RequestBody=json.dumps(body), ResponseBody=json.dumps(answer)),
            outcome("b", RequestBody=json.dumps(body)[:60], ResponseBody="<html>"),
        )
    )
    assert log.column("temperature") == [0.5, None]
    assert log.column("top_logprobs") == [5, None]
    assert log.column("prompt") == ['a "long" 漢字 question', None]
    assert log.column("stop_reason") == ["length", None]


def test_rows_of_a_storage_account_mean_the_same(lines):
    def stored(category: str, properties: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {
            "time": NOON,
            "resourceId": SERVICE.upper(),
            "category": category,
            "correlationId": "c0ffee",
            "properties": properties,
            **fields,
        }

    log = read(
        lines(
            stored("GatewayLlmLogs", {"sequenceNumber": 0, "modelName": "lark-2", "promptTokens": 61}),
            stored("GatewayLlmLogs", {"sequenceNumber": 1, "requestMessages": json.dumps(ASKED)}),
            stored("GatewayLogs", {"userId": "ana", "responseCode": 200}, callerIpAddress="203.0.113.24"),
        )
    )
    assert (log.format, log.refused) == ("azure-apim-storage", [])
    row = log.rows[0]
    assert (row["account_id"], row["org_id"], row["ip"]) == ("ana", "our-gateway", "203.0.113.24")
    assert (row["model"], row["input_tokens"], row["prompt"]) == ("lark-2", 61, 'a "long" 漢字 question')


@pytest.mark.parametrize("clock", ["11/2/2026, 3:14:09.900 PM", "2026-11-02T15:14:09.9Z"])
def test_the_portals_table_as_csv_has_a_heading_and_times_of_its_own(lines, clock):
    asked = json.dumps(ASKED).replace('"', '""')
    text = (
        '"TimeGenerated [UTC]",CorrelationId,SequenceNumber,ModelName,RequestMessages,"_ResourceId"\n'
        f'"{clock}",c1,0,lark-2,,{SERVICE}\n'
        f'"{clock}",c1,1,,"{asked}",{SERVICE}\n'
    )
    log = read(lines(text.encode(), name="log.csv"))
    assert (log.format, log.refused) == ("azure-apim", [])
    assert log.column("ts") == [datetime(2026, 11, 2, 15, 14, 9, 900_000, tzinfo=UTC)]
    assert log.column("prompt") == ['a "long" 漢字 question']


def test_the_text_of_a_call_is_found_again_by_its_row(lines):
    path = lines(
        head("a"), head("b"), piece(1, "a", RequestMessages=ASKED), piece(1, "b", RequestMessages=ASKED)
    )
    with open_log(path, batch_rows=9, threads=1, rows=[2]) as reader:
        (batch,) = reader.batches()
    assert (batch["request_id"].to_pylist(), batch["prompt"][0].as_py()) == (["b"], ASKED[1]["content"])
