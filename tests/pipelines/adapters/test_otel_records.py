"""Texts in log records beside the spans: one request of each call, wherever its records lie.

`recorded/otel-*.jsonl`, `recorded/openinference.jsonl` and `recorded/openllmetry*.jsonl` were written by the
instrumentations themselves (tools/record/otel.py); their first lines name the versions.
"""

import json
from pathlib import Path

import pytest
from test_joins import read_joined
from test_otel import CURRENT, MEANS, SPOKEN, START_NS, attributes, document, holds, span, value

from pipelines.adapters.check import check_logs

RECORDED = Path(__file__).parent / "recorded"
WAYS = (
    "otel-messages",
    "otel-details",
    "otel-attributes",
    "openinference",
    "openllmetry",
    "openllmetry-events",
)
ANSWER = "The tank is full after 30 minutes."


def recorded(name):
    """The version that wrote a recording, and its lines."""
    header, *rest = (RECORDED / f"{name}.jsonl").read_text().splitlines()
    assert json.loads(header)["n_records"] == len(rest)
    return json.loads(header)["recorded_with"], [json.loads(line) for line in rest]


def requests_of(*paths):
    rows, refused, joined = read_joined(list(paths))
    assert refused == []
    return sorted(rows.values(), key=lambda row: row["ts"]), joined


# -- what real instrumentations write ----------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_calls_mean_what_the_client_was_told_to_send(way, lines):
    version, records = recorded(way)
    assert version.startswith("opentelemetry-sdk 1.")
    rows, _ = requests_of(lines(*records, name="otel.jsonl"))
    first, second, long, stream, limited = rows[:5]
    asked = {"account_id": "usr-17", "project_id": "tutor", "ip": "203.0.113.24", "model": "lark-2"}
    for row in rows[:5]:
        assert holds(row, **asked, provider="openai", n_turns=1, body_state="full")
    answered = {
        "response": ANSWER,
        "input_tokens": 61,
        "output_tokens": 12,
        "status": 200,
        "stop_reason": "stop",
    }
    assert holds(first, prompt="how long until the tank is full?", **answered)
    assert holds(
        second, system_prompt="Show every step.", temperature=0.7, top_p=0.9, max_tokens=256, **answered
    )
    assert long["prompt"] == "Problem 4817: " + "a tank holds 240 litres; " * 400 + "how long does it take?"
    assert holds(stream, prompt="tell it as a stream", input_tokens=9, output_tokens=8)
    assert holds(limited, prompt="please be limited", status=429, stop_reason="error", response=None)
    # The newest openai-v2 drops content that is a list of parts, in whatever way it writes.
    is_dropped = way in {"otel-details", "otel-attributes"}
    assert second["prompt"] == (None if is_dropped else "merge these intervals")


@pytest.mark.parametrize("way", ["openinference", "openllmetry"])
def test_other_apis_end_users_tools_and_cached_tokens_are_recorded_by_some(way, lines):
    rows, _ = requests_of(lines(*recorded(way)[1], name="otel.jsonl"))
    responses, messages = rows[5:]
    assert holds(
        rows[1], end_user_id="customer-7", tool_names=["run_tests"], cached_tokens=40, reasoning_tokens=3
    )
    assert holds(rows[3], stream=True)
    assert holds(responses, prompt="sort these words", system_prompt="Answer briefly.", response=ANSWER)
    assert holds(
        messages, provider="anthropic", model="wren-5", prompt="a haiku about rain", max_tokens=64,
        system_prompt="Score from 1 to 10.", input_tokens=61, cached_tokens=30, stop_reason="stop",
    )  # fmt: skip


def test_records_that_name_no_span_belong_to_no_call(lines):
    rows, (joined,) = requests_of(lines(*recorded("openllmetry-events")[1], name="otel.jsonl"))
    assert holds(rows[6], provider="anthropic", prompt=None, body_state="absent")
    assert (joined.n_matched, joined.n_alone, joined.n_unused) == (5, 2, 0)


@pytest.mark.parametrize("way", ["otel-messages", "otel-details"])
def test_traces_and_logs_in_files_of_their_own_are_one_log(way, lines):
    _, records = recorded(way)
    together, _ = requests_of(lines(*records, name="both.jsonl"))
    traces = lines(*(one for one in records if "resourceSpans" in one), name="traces.jsonl")
    logs = lines(*(one for one in records if "resourceLogs" in one), name="logs.jsonl.gz")
    apart, (joined,) = requests_of(logs, traces)
    assert apart == [
        {**row, "row_number": got["row_number"]} for row, got in zip(together, apart, strict=True)
    ]
    assert (joined.content, joined.edge, joined.n_alone) == ("otel", "otel-records", 0)


# -- invented ones, for what goes wrong --------------------------------------------------------------


def record(name, body=None, has=None, span_id="eee19b7ec3c1b174", at=0, **fields):
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": span_id,
        "timeUnixNano": str(START_NS + at),
        "eventName": name,
        **({} if body is None else {"body": value(body)}),
        "attributes": attributes(has or {}),
        **fields,
    }


def logs(*records):
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": attributes({"service.name": "tutor"})},
                "scopeLogs": [{"scope": {"name": "invented"}, "logRecords": list(records)}],
            }
        ]
    }


SAID = [
    record(
        "gen_ai.choice", {"index": 0, "message": {"content": "30 minutes"}, "finish_reason": "stop"}, at=9
    ),
    record("gen_ai.system.message", {"content": "Show every step."}),
    record("gen_ai.user.message", {"content": "first question"}, at=1),
    record("gen_ai.assistant.message", {"content": "an answer"}, at=2),
    record("gen_ai.user.message", {"content": "tank holds 240 l\n\nhow long?"}, at=3),
]


def test_messages_count_in_the_order_of_their_times(lines):
    path = lines(logs(*SAID[:2]), document(span(CURRENT)), logs(*SAID[2:]), name="otel.jsonl")
    ((row,), _) = requests_of(path)
    assert holds(row, **MEANS)


def test_litellm_names_messages_in_a_way_of_its_own(lines):
    def said(event, body, at):
        return record("", body, {"event_name": event, "gen_ai.system": "openai"}, at=at)

    answer = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": "30 minutes"},
    }
    records = [
        *(said("gen_ai.content.prompt", one, at) for at, one in enumerate(SPOKEN)),
        said("gen_ai.content.completion", answer, 9),
    ]
    ((row,), _) = requests_of(lines(document(span(CURRENT)), logs(*records), name="otel.jsonl"))
    assert holds(row, **MEANS)


@pytest.mark.parametrize(
    "named", [{"eventName": "", "attributes": attributes({"event.name": "gen_ai.user.message"})}, {}]
)
@pytest.mark.parametrize("body", [{"content": "hi"}, json.dumps({"content": "hi"}), "hi"])
def test_a_message_is_found_whichever_way_it_is_named_and_written(named, body, lines):
    path = lines(
        document(span(CURRENT)), logs(record("gen_ai.user.message", body) | named), name="otel.jsonl"
    )
    ((row,), _) = requests_of(path)
    assert holds(row, prompt="hi", n_turns=1)


def test_a_message_that_looks_like_parts_is_the_text_that_it_is(lines):
    text = '[{"type": "image", "hidden": "in plain sight"}]'
    path = lines(
        document(span(CURRENT)), logs(record("gen_ai.user.message", {"content": text})), name="o.jsonl"
    )
    ((row,), _) = requests_of(path)
    assert row["prompt"] == text


def test_a_lone_surrogate_in_one_record_costs_no_other_its_place(lines):
    other = span(CURRENT, "00000000000000a2")
    broken = json.dumps(
        logs(*SAID, record("gen_ai.user.message", {"content": "b @@"}, span_id="00000000000000a2"))
    )
    line = broken.replace("@@", "\\ud800").encode() + b"\n"
    rows, _ = requests_of(lines(document(span(CURRENT), other), line, name="otel.jsonl"))
    assert sorted(row["prompt"][:4] for row in rows) == ["b ?", "tank"]


def test_what_the_span_says_itself_stays(lines):
    said = {"gen_ai.input.messages": json.dumps([{"role": "user", "content": "mine"}])}
    other = logs(record("gen_ai.user.message", {"content": "other"}))
    path = lines(document(span({**CURRENT, **said})), other, name="otel.jsonl")
    ((row,), _) = requests_of(path)
    assert row["prompt"] == "mine"


def test_other_log_records_are_no_calls_and_no_texts(lines):
    noise = [
        record("", "connection lost"),
        record("gen_ai.user.message", {"content": "hi"}, traceId="", spanId=""),
    ]
    path = lines(document(span(CURRENT)), logs(*noise), name="otel.jsonl")
    ((row,), (joined,)) = requests_of(path)
    assert (row["prompt"], row["body_state"], joined.n_edge) == (None, "absent", 0)


def test_records_outside_of_any_span_are_counted_one_by_one(lines):
    alone = [record("gen_ai.user.message", {"content": "hi"}, spanId="") for _ in range(3)]
    (file,) = check_logs([str(lines(logs(*alone, *SAID), name="otel.jsonl"))]).files
    assert (file.format, file.n_rows, file.n_passed_over) == ("otel-records", 4, 3)


def test_a_file_of_both_is_checked_as_the_one_log_it_is(lines):
    path = lines(document(span(CURRENT)), logs(*SAID), b"{no json\n", name="otel.jsonl")
    (file,) = check_logs([str(path)]).files
    assert (file.format, file.n_rows, file.n_refused, file.n_passed_over) == ("otel", 3, 1, 1)


def test_a_given_format_finds_its_texts_all_the_same(lines):
    path = lines(document(span(CURRENT)), logs(*SAID), name="otel.jsonl")
    report = check_logs([str(path)], format="otel")
    assert [one.n_matched for one in report.joined] == [1]
