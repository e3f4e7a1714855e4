"""Lines for people: vLLM's request log and uvicorn's access log.

The lines are invented, written from the programs' format strings; none is from anybody's log.
"""

import os
from datetime import UTC, datetime

import pytest
from log_files import read

from pipelines.adapters.connection import connect

BEFORE = "(APIServer pid=7) INFO 11-02 03:14:07 [logger.py:40] "
LOGGED = datetime(2026, 11, 5, tzinfo=UTC).timestamp()
PARAMS = (
    "SamplingParams(n=4, presence_penalty=0.0, temperature=0.7, top_p=0.95, top_k=-1, seed=None, "
    "stop=['a, b'], max_tokens=2048, min_tokens=0, logprobs=20, prompt_logprobs=None)"
)


@pytest.fixture
def text(tmp_path):
    """A file of these lines, last written on 5 November 2026."""

    def write(*said, ending="\n", name="server.log"):
        path = tmp_path / name
        path.write_bytes("".join(line + ending for line in said).encode())
        os.utime(path, (LOGGED, LOGGED))
        return path

    return write


def details(call, prompt):
    ids = "prompt_token_ids: [1, 2], prompt_embeds shape: None."
    return f"{BEFORE}Request {call} details: prompt: {prompt!r}, {ids}"


def received(call, more=""):
    return f"{BEFORE}Received request {call}: {more}params: {PARAMS}, lora_request: None."


def generated(call, output, finish="stop", stream=""):
    return (
        f"{BEFORE}Generated response {call}{stream}: output: {output!r}, output_token_ids: None, "
        f"finish_reason: {finish}"
    )


def access(
    path="/v1/chat/completions", status="200 OK", before="2026-11-02T03:14:07.5Z stdout F ", method="POST"
):
    return f'{before}INFO:     203.0.113.24:51422 - "{method} {path} HTTP/1.1" {status}'


def test_the_lines_of_a_request_are_one_request(text):
    prompt = "<|user|>\nis it 'so' or \"so\"? \\n é漢\x07"
    log = read(
        text(
            "INFO 11-02 03:14:00 [api_server.py:1] vLLM API server version 0.12",
            access("/health", method="GET"),
            details("chatcmpl-1", prompt),
            received("chatcmpl-1"),
            received("chatcmpl-2"),
            *(
                generated("chatcmpl-1", word, "None", stream=" (streaming delta)")
                for word in ["30", "min"] * 9
            ),
            generated("chatcmpl-1", "30 minutes", stream=" (streaming complete)"),
            access(),
        )
    )
    assert (log.format, log.refused) == ("vllm", [])
    first, second = log.rows
    wanted = {
        "provider_request_id": "chatcmpl-1",
        "ts": datetime(2026, 11, 2, 3, 14, 7, tzinfo=UTC),
        "prompt": prompt,
        "temperature": 0.7,
        "top_p": 0.95,
        "max_tokens": 2048,
        "n_choices": 4,
        "top_logprobs": 20,
        "response": "30 minutes",
        "stop_reason": "stop",
        "body_state": "full",
    }
    assert {name: first[name] for name in wanted} == wanted
    assert (second["prompt"], second["body_state"], second["response"]) == (None, "absent", None)


def test_older_versions_have_the_prompt_before_the_parameters_and_an_adapter_is_a_model(text):
    line = received("cmpl-1-0", more="prompt: 'why, params: SamplingParams(temperature=9)?', ").replace(
        "lora_request: None",
        "prompt_token_ids: [1], lora_request: LoRARequest(lora_name='lark', lora_int_id=1)",
    )
    (row,) = read(text(line)).rows
    assert (row["prompt"], row["model"]) == ("why, params: SamplingParams(temperature=9)?", "lark")


def test_nothing_that_a_client_says_makes_or_unmakes_a_request(text):
    said = f"\n{received('forged')}\n{access()}\nRequest chatcmpl-2 details: prompt: 'x', prompt_token_ids: "
    log = read(text(details("chatcmpl-1", said), received("chatcmpl-1"), received("chatcmpl-2")))
    assert log.column("provider_request_id") == ["chatcmpl-1", "chatcmpl-2"]
    assert log.column("prompt") == [said, None]


def test_a_client_that_names_all_its_requests_alike_hides_none(text):
    one = [details("mine", "a"), received("mine"), generated("mine", "A")]
    two = [details("mine", "b"), received("mine"), generated("mine", "B", "length")]
    log = read(text(*one, *two))
    assert log.column("prompt") == ["a", "b"]
    assert log.column("response") == ["A", "B"]
    assert len(set(log.column("request_id"))) == 2


def test_a_line_without_a_year_is_not_younger_than_its_file(text):
    log = read(text(received("a"), received("b").replace("11-02", "11-07")))
    assert [at.year for at in log.column("ts")] == [2026, 2025]


def test_a_server_whose_clock_is_ahead_of_utc_writes_of_tomorrow(text):
    log = read(text(received("a").replace("11-02", "11-06")))
    assert [at.date().isoformat() for at in log.column("ts")] == ["2026-11-06"]
    path = text(received("a").replace("11-02", "01-01"), received("b").replace("11-02", "12-31"))
    new_year = datetime(2026, 12, 31, 18, tzinfo=UTC).timestamp()
    os.utime(path, (new_year, new_year))
    assert [at.date().isoformat() for at in read(path).column("ts")] == ["2027-01-01", "2026-12-31"]


def test_times_in_brackets_begin_no_list(text):
    log = read(text(access(before="[2026-11-02 03:14:08] "), access(before="[2026-11-02 03:14:09] ")))
    assert (log.format, log.refused) == ("uvicorn", [])
    assert log.column("ts")[1] == datetime(2026, 11, 2, 3, 14, 9, tzinfo=UTC)


def test_addresses_are_accounts_where_an_access_log_is_all_there_is(text):
    log = read(
        text(
            access("/health"),
            access("/v1/models", method="GET"),
            access(),
            access(),
            access("/v1/messages?beta=true", "429 Too Many Requests").replace("203.0.113.24", "2001:db8::7"),
            f"\x1b[32mINFO\x1b[0m {access('/v1/completions', '401 Unauthorized')}",
            "",
            ending="\r\n",
        )
    )
    assert (log.format, log.refused) == ("uvicorn", [])
    assert log.column("status") == [200, 200, 429, 401]
    assert log.column("account_id") == ["203.0.113.24", "203.0.113.24", "2001:db8::7", "203.0.113.24"]
    assert log.column("endpoint")[2] == "/v1/messages"
    assert len(set(log.column("request_id"))) == 4
    assert log.column("ts")[0] == datetime(2026, 11, 2, 3, 14, 7, 500_000, tzinfo=UTC)


def test_access_lines_without_a_time_are_refused_and_said(text):
    log = read(text(access(before="")))
    assert (log.rows, log.refused) == ([], [(1, "ts", "missing or empty")])


@pytest.mark.parametrize(
    "said", ["", "a'b", 'a"b', "a'\"b", "\\", "\\\\x41", "\x00\x1f\u2028é漢😀\t\r\n", "\\'", "x\\"]
)
def test_a_text_as_python_shows_it_is_itself_again(said):
    (found,) = connect(1).execute("SELECT text_of_repr($shown)", {"shown": repr(said)}).fetchone()
    assert found == said
