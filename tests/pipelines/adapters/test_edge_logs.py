"""Access logs without bodies: nginx in the format llm_edge, Envoy AI Gateway.

The records are invented, written from the documented formats; none is from anybody's log.
"""

from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from log_files import NOON, read
from typer.testing import CliRunner

from pipelines import cli
from pipelines.simulate import simulate


def holds(row: dict[str, Any], **wanted: Any) -> bool:
    assert {name: row[name] for name in wanted} == wanted
    return True


def edge(**fields: str) -> dict[str, str]:
    return {
        "ts": "2025-06-01T12:00:03+00:00",
        "msec": "1748779202.683",
        "request_id": "6c1e",
        "remote_addr": "203.0.113.24",
        "xff": "",
        "ua": "client/3.1",
        "method": "POST",
        "uri": "/v1/chat/completions",
        "status": "200",
        "request_length": "812",
        "bytes_sent": "1940",
        "request_time": "2.683",
        "upstream_time": "0.010, 2.670",
        "key_hash": "9f2c",
        "sdk": "python",
        "sdk_version": "3.54.0",
        "sdk_os": "Linux",
        "sdk_runtime": "3.11.7",
        "ja4": "",
        "upstream_request_id": "up-1",
        **fields,
    }


def test_a_line_is_written_after_the_answer_and_the_call_came_before(lines):
    log = read(lines(edge()))
    assert (log.format, log.refused) == ("nginx", [])
    assert holds(
        log.rows[0],
        ts=datetime(2025, 6, 1, 12, tzinfo=UTC),
        latency_ms=2683.0,
        account_id="9f2c",
        api_key_id="9f2c",
        endpoint="/v1/chat/completions",
        status=200,
        ip="203.0.113.24",
        user_agent="client/3.1",
        client_fingerprint="python 3.54.0 Linux 3.11.7",
        provider_request_id="up-1",
        body_state="absent",
        prompt=None,
        n_turns=None,
        n_images=None,
        input_tokens=None,
    )


def test_pages_and_health_checks_are_passed_over(lines):
    others = [edge(uri="/health"), edge(method="GET"), edge(uri="/v1/files"), edge(uri="/")]
    calls = [
        edge(uri=uri)
        for uri in ("/v1/messages", "/v1/responses", "/v1beta/models/m:generateContent", "/model/m/converse")
    ]
    log = read(lines(*others, *calls))
    assert (len(log.rows), log.n_rows, log.refused) == (4, 8, [])


def test_what_nginx_has_not_got_is_absent_whether_empty_or_a_dash(lines):
    bare = dict.fromkeys(("ua", "sdk", "sdk_version", "sdk_os", "sdk_runtime", "upstream_request_id"), "-")
    (row,) = read(lines(edge(**bare, ja4=""))).rows
    assert holds(row, user_agent=None, client_fingerprint=None, provider_request_id=None)


def test_behind_a_balancer_the_caller_is_whom_it_speaks_for_and_nobody_else_may(lines):
    log = read(
        lines(
            edge(remote_addr="10.0.3.7", xff="203.0.113.9, 10.0.0.1"),
            edge(remote_addr="203.0.113.24", xff="198.51.100.1"),
            edge(remote_addr="10.0.3.7", xff=""),
        )
    )
    assert log.column("ip") == ["203.0.113.9", "203.0.113.24", "10.0.3.7"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("10.0.0.5", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "1.2.3.4, 203.0.113.9, 172.16.0.4", "203.0.113.9"),
        ("10.0.0.5", "a-word, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "203.0.113.9, a-word", "203.0.113.9"),
        ("10.0.0.5", "unknown", "10.0.0.5"),
        ("10.0.0.5", "10.8.0.1, 10.0.0.4", "10.8.0.1"),
        ("10.0.0.5", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.5", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.5", "1.2.3.4, ::ffff:203.0.113.9", "::ffff:203.0.113.9"),
        ("100.64.0.9", "203.0.113.9", "203.0.113.9"),
        ("100.128.0.9", "203.0.113.9", "100.128.0.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("unix:", "203.0.113.9", "203.0.113.9"),
        ("unix:", "", None),
        ("2001:db8::1", "203.0.113.9", "2001:db8::1"),
        ("", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "," * 5_000, "10.0.0.5"),
    ],
)
def test_of_whom_a_balancer_speaks_for_the_last_that_is_not_ours_called(peer, forwarded, caller, lines):
    assert read(lines(edge(remote_addr=peer, xff=forwarded))).column("ip") == [caller]


def test_a_call_without_a_key_is_refused_by_its_row_and_a_raw_key_is_never_kept(lines):
    log = read(lines(edge(key_hash=""), edge(key_hash="sk-abcdefghijklmnopqrstuvwxyz0123")))
    assert [(row, column) for row, column, _ in log.refused] == [(1, "account_id")]
    assert log.rows[0]["account_id"].startswith("sha256:")


def test_a_broken_time_is_refused_not_guessed(lines):
    log = read(lines(edge(msec="soon", ts="soon"), edge(request_time="-")))
    assert [(row, column) for row, column, _ in log.refused] == [(1, "ts")]
    assert holds(log.rows[0], latency_ms=None, ts=datetime(2025, 6, 1, 12, 0, 2, 683_000, tzinfo=UTC))


def envoy(**fields: Any) -> dict[str, Any]:
    return {
        "start_time": NOON,
        "method": "POST",
        "x-envoy-origin-path": "/v1/chat/completions?x=1",
        "response_code": 200,
        "response_flags": "-",
        "bytes_received": 812,
        "bytes_sent": 1940,
        "duration": 2683,
        "x-forwarded-for": "203.0.113.24",
        "user-agent": "client/3.1",
        "x-request-id": "6c1e",
        "downstream_remote_address": "10.0.3.7:51422",
        "account.id": "ana",
        "gen_ai.request.model": "lark-2",
        "gen_ai.response.model": "lark-2-0801",
        "gen_ai.provider.name": "backend-1",
        "gen_ai.usage.input_tokens": 61,
        "gen_ai.usage.output_tokens": "212",
        "session.id": "s-1",
        **fields,
    }


def test_dotted_keys_are_keys_and_numbers_may_be_texts(lines):
    log = read(lines(envoy()))
    assert (log.format, log.refused) == ("envoy", [])
    assert holds(
        log.rows[0],
        account_id="ana",
        model="lark-2",
        provider="backend-1",
        endpoint="/v1/chat/completions",
        input_tokens=61,
        output_tokens=212,
        latency_ms=2683.0,
        status=200,
        ip="203.0.113.24",
        session_id="s-1",
        body_state="absent",
        prompt=None,
        n_turns=None,
    )


def test_a_dash_is_nothing_and_a_caller_who_left_is_no_success(lines):
    bare = envoy(**{"gen_ai.usage.output_tokens": "-", "gen_ai.response.model": "-", "x-forwarded-for": "-",
                    "user-agent": None, "session.id": "-", "response_code": 0, "duration": "-"})  # fmt: skip
    (row,) = read(lines(bare)).rows
    assert holds(row, output_tokens=None, user_agent=None, session_id=None, status=499, latency_ms=None)
    assert holds(row, ip="10.0.3.7")


def test_who_called_is_what_the_operator_mapped(lines):
    def called(**names: str) -> dict[str, Any]:
        return envoy(**{"account.id": "-", **names})

    log = read(
        lines(
            called(**{"user.id": "u-9"}),
            called(**{"api_key.hash": "9f2c"}),
            called(**{"tenant.id": "t-1"}),
            called(),
        )
    )
    assert log.column("account_id") == ["u-9", "9f2c", "t-1"]
    assert [row for row, _, _ in log.refused] == [4]


@pytest.mark.parametrize("name", ["nginx", "envoy"])
def test_a_night_without_bodies_is_scanned_and_says_what_was_not_looked_for(name, tmp_path):
    few = tmp_path / "few.toml"
    few.write_text("nights = 1\n[benign]\nperson_chat = 30\ncoding_agent = 5\n")
    simulate(tmp_path / "world", scenario=few, log_format=name)
    watch = str(tmp_path / "watch")
    done = CliRunner().invoke(cli.app, ["scan", str(tmp_path / "world" / "logs"), "--workspace", watch])
    assert done.exit_code == 0, done.output
    assert f"{name} logs have no prompt, system, tools" in " ".join(done.stdout.split())
    assert "templates, capability, technique" in " ".join(done.stdout.split())
    with duckdb.connect(tmp_path / "watch" / "warehouse.duckdb", read_only=True) as con:
        (n_rows, *n_known) = con.execute(
            """SELECT count(*), count(top_family_share), count(repeat_share), count(capability_counts),
                      count(any_technique_share), count(soft_label_share), count(single_turn_share)
               FROM night.account_day"""
        ).fetchall()[0]
    assert n_rows > 10
    assert n_known == [0] * len(n_known), "what cannot be known is null, never zero"
