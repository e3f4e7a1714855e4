"""Access logs that real edges wrote of the same calls (tools/record/edges.py).

Each recording's first line names the version that wrote it.
"""

from pathlib import Path

import pytest
from log_files import read

RECORDED = Path(__file__).parent / "recorded"
AGENT = "OpenAI/Python 3.57.0"
STATUSES = [200, 200, 200, 200, 429, 200]
"""Five calls of the client, and one of a stranger who puts quotes and no UTF-8 into what is logged."""


def recorded(name, lines):
    first, _, rest = (RECORDED / name).read_bytes().partition(b"\n")
    return first, read(lines(rest, name=name))


def test_nginx_writes_what_our_own_guide_asks_of_it(lines):
    first, log = recorded("nginx.jsonl", lines)
    assert b"nginx 1." in first
    assert (log.format, log.refused, log.n_rows, log.column("status")) == ("nginx", [], 7, STATUSES)
    assert len(set(log.column("request_id"))) == 6
    assert set(log.column("account_id")) == {"9f2c"}
    assert log.column("user_agent") == [AGENT] * 5 + ['"\\x00\ufffd{']
    assert set(log.column("client_fingerprint")[:5]) == {"python 3.57.0 Linux 3.11.7"}
    assert set(log.column("ip")) == {"127.0.0.1"}
    assert all(0 <= took < 10_000 for took in log.column("latency_ms"))


def test_envoy_writes_the_keys_of_its_gateway(lines):
    first, log = recorded("envoy.jsonl", lines)
    assert b"envoy 1." in first
    assert (log.format, log.n_rows) == ("envoy", 7)
    assert log.column("status") == STATUSES[:5], "the stranger's call names no account"
    assert [(row, column) for row, column, _ in log.refused] == [(7, "account_id")]
    assert set(log.column("account_id")) == {"usr-17"}
    assert set(log.column("model")) == {"lark-2"}
    assert set(log.column("user_agent")) == {AGENT}
    assert set(log.column("endpoint")) == {"/v1/chat/completions"}
    assert set(log.column("ip")) == {"203.0.113.24"}
    assert len(set(log.column("request_id"))) == 5


def test_uvicorn_writes_lines_that_a_client_cannot_break(lines):
    first, log = recorded("uvicorn.log", lines)
    assert b"uvicorn 0." in first
    assert (log.format, log.refused) == ("uvicorn", [])
    assert log.column("status") == [200] * 6
    assert set(log.column("endpoint")) == {"/v1/chat/completions"}
    assert set(log.column("ip")) == set(log.column("account_id")) == {"127.0.0.1"}


@pytest.mark.parametrize("name", ["nginx.jsonl", "envoy.jsonl", "uvicorn.log"])
def test_health_checks_are_passed_over(name, lines):
    _, log = recorded(name, lines)
    assert not any("/healthz" in row["endpoint"] for row in log.rows)
