"""Azure API Management: bodies in pieces, the gateway's own rows beside them or not.

The records are invented, written from the tables' documented columns; none is from anybody's log.
"""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from log_files import NOON, read

from pipelines.adapters import Join, edges_among, find_logs, open_edge_logs, open_log, open_logs

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
        lines(
            head(), whole, whole, *pieces, head("cut"), *reversed(pieces), piece(3, "cut", RequestMessages="")
        )
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
            outcome("gone", ResponseCode=0),
        )
    )
    assert log.column("request_id") == ["spent", "again", "gone"]
    assert log.column("status") == [429, 200, 499]
    assert log.column("account_id") == ["ana", "sub-7", "ana"]
    assert log.column("body_state") == ["absent"] * 3


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


def stored(category: str, properties: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "time": NOON,
        "resourceId": SERVICE.upper(),
        "category": category,
        "correlationId": "c0ffee",
        "properties": properties,
        **fields,
    }


def test_rows_of_a_storage_account_mean_the_same(lines):
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


# -- the two tables in files of their own ------------------------------------------------------------


def read_as_one(
    folder: Path, *joins: Join, log_format: str = "auto"
) -> tuple[dict[str, dict[str, Any]], Any]:
    """The requests of a folder as a scan reads them, by id, and what became of joins."""
    how: dict[str, Any] = {"batch_rows": 3, "threads": 1}
    logs, edges = edges_among(find_logs([str(folder)]), joins, format=log_format, memory_mb=300, threads=1)
    rows: list[dict[str, Any]] = []
    with edges:
        for _, reader in open_edge_logs(edges, **how):
            with reader:
                assert list(edges.read(reader))
        edges.seal()
        for _, reader in open_logs(logs, format=log_format, edges=edges, **how):
            with reader:
                rows += [row for batch in reader.batches() for row in batch.to_pylist()]
                assert reader.n_refused == 0
        assert len({row["request_id"] for row in rows}) == len(rows)
        return {row["request_id"]: row for row in rows}, edges.joined()


TEXTS = [
    head("a"),
    piece(1, "a", RequestMessages=ASKED),
    head("b"),
    piece(1, "b", RequestMessages=[{"role": "user", "content": "hi"}]),
    head("alone"),
    piece(1, "alone", RequestMessages=ASKED),
]
CALLERS = [
    outcome("spent", ResponseCode=429),
    outcome("a", RequestBody={"temperature": 0.5, "user": "end-1", "logprobs": True}),
    outcome("b", UserId="1", ApimSubscriptionId="sub-8", Url="https://api.example/our-own-path"),
    outcome("other", Url="https://api.example/orders/7"),
]
UNLIKE = {"row_number"}


def as_stored(row: dict[str, Any]) -> dict[str, Any]:
    """The row as a diagnostic setting writes it."""
    category = row["Type"].removeprefix("ApiManagement").replace("LlmLog", "LlmLogs")
    properties = {name[0].lower() + name[1:]: value for name, value in row.items() if name[0] != "_"}
    above = {"callerIpAddress": row.get("CallerIpAddress"), "durationMs": row.get("TotalTime")}
    return stored(category, properties, correlationId=row["CorrelationId"], **above)


def written(folder: Path, **blobs: list[dict[str, Any]]) -> Path:
    """A container as a diagnostic setting fills it: a folder for each category, a blob for each hour."""
    for category, rows in blobs.items():
        hour = folder / f"insights-logs-{category}" / "resourceId=" / "our-gateway" / "h=12" / "m=00"
        hour.mkdir(parents=True)
        (hour / "PT1H.json").write_text("".join(json.dumps(as_stored(row)) + "\n" for row in rows))
    return folder


def test_a_container_with_both_categories_is_read_as_if_they_lay_in_one_file(tmp_path):
    together, none = read_as_one(written(tmp_path / "one", both=[*TEXTS, *CALLERS]))
    apart, (joined,) = read_as_one(written(tmp_path / "two", gatewayllmlogs=TEXTS, gatewaylogs=CALLERS))
    assert none == ()
    assert {name: row["account_id"] for name, row in apart.items()} == {
        "a": "ana", "b": "sub-8", "alone": "our-gateway", "spent": "ana",
    }  # fmt: skip
    for name, row in together.items():
        assert {k: v for k, v in row.items() if k not in UNLIKE} == {
            k: v for k, v in apart[name].items() if k not in UNLIKE
        }
    assert (apart["a"]["prompt"], apart["a"]["temperature"]) == ('a "long" 漢字 question', 0.5)
    assert (apart["spent"]["status"], apart["spent"]["ip"]) == (429, "203.0.113.24")
    assert (joined.n_matched, joined.n_alone, joined.n_unused) == (2, 1, 2)
    assert joined.edge == "azure-apim-storage (GatewayLogs)"


@pytest.mark.parametrize("log_format", ["auto", "azure-apim-storage"])
def test_blobs_of_several_hours_are_joined_whichever_name_comes_first(log_format, tmp_path):
    blobs = {"a-callers": CALLERS[2:], "b-texts": TEXTS[:2], "c-texts": TEXTS[2:], "d-callers": CALLERS[:2]}
    rows, (joined,) = read_as_one(written(tmp_path, **blobs), log_format=log_format)
    accounts = {name: row["account_id"] for name, row in rows.items()}
    assert accounts == {"a": "ana", "b": "sub-8", "alone": "our-gateway", "spent": "ana"}
    assert (rows["b"]["prompt"], joined.n_matched) == ("hi", 2)


def test_whoever_names_the_files_gets_the_same(tmp_path):
    join = Join(
        content="azure-apim-storage",
        edge="azure-apim-storage",
        content_files="insights-logs-texts",
        edge_files="insights-logs-callers",
    )
    rows, (joined,) = read_as_one(written(tmp_path, texts=TEXTS, callers=CALLERS), join)
    assert {name: (row["account_id"], row["status"]) for name, row in rows.items()} == {
        "a": ("ana", 200), "b": ("sub-8", 200), "alone": ("our-gateway", 200), "spent": ("ana", 429),
    }  # fmt: skip
    assert joined.edge == "azure-apim-storage (insights-logs-callers)"


def test_one_table_alone_is_a_log_like_any_other(tmp_path):
    rows, none = read_as_one(written(tmp_path / "callers", gatewaylogs=CALLERS))
    assert (set(rows), none) == ({"spent", "a"}, ())
    rows, none = read_as_one(written(tmp_path / "texts", gatewayllmlogs=TEXTS))
    assert ({row["account_id"] for row in rows.values()}, none) == ({"our-gateway"}, ())


def test_two_tables_exported_one_by_one_as_csv_are_joined(tmp_path):
    for name, rows in {"a": CALLERS, "b": TEXTS}.items():
        text = io.StringIO()
        table = csv.DictWriter(text, list(dict.fromkeys(field for row in rows for field in row)))
        table.writeheader()
        for row in rows:
            in_text = {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()}
            table.writerow(in_text)
        (tmp_path / f"{name}.csv").write_text(text.getvalue())
    rows, (joined,) = read_as_one(tmp_path)
    accounts = {name: row["account_id"] for name, row in rows.items()}
    assert accounts == {"a": "ana", "b": "sub-8", "alone": "our-gateway", "spent": "ana"}
    assert (rows["b"]["prompt"], joined.edge) == ("hi", "azure-apim (ApiManagementGatewayLogs)")
