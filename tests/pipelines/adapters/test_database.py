"""LiteLLM's table in a real PostgreSQL: what comes of it, for which days, and what stays unsaid."""

import errno
import json
import os
import re
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from log_files import read
from running import stillwatch
from typer.testing import CliRunner

from pipelines import cli, nightly
from pipelines.adapters.check import check_logs
from pipelines.adapters.database import _file_name, fetched, is_database
from pipelines.adapters.logs import shown
from pipelines.errors import UnreadableInput, UsageError
from pipelines.workspace import Workspace

pytest.importorskip("adbc_driver_postgresql")

# As LiteLLM's schema.prisma makes it, indexes and columns that nobody reads left out.
TABLE = """CREATE TABLE "LiteLLM_SpendLogs" (
    request_id text PRIMARY KEY, call_type text NOT NULL, api_key text NOT NULL DEFAULT '',
    spend double precision NOT NULL DEFAULT 0, total_tokens integer NOT NULL DEFAULT 0,
    prompt_tokens integer NOT NULL DEFAULT 0, completion_tokens integer NOT NULL DEFAULT 0,
    "startTime" timestamp(3) NOT NULL, "endTime" timestamp(3) NOT NULL, "completionStartTime" timestamp(3),
    model text NOT NULL DEFAULT '', model_group text DEFAULT '', custom_llm_provider text DEFAULT '',
    "user" text DEFAULT '', metadata jsonb DEFAULT '{}', cache_hit text DEFAULT '',
    request_tags jsonb DEFAULT '[]',
    team_id text, organization_id text, end_user text, requester_ip_address text, messages jsonb DEFAULT '{}',
    response jsonb DEFAULT '{}', session_id text, status text, proxy_server_request jsonb DEFAULT '{}')"""


@pytest.fixture
def database(postgresql_url):
    """An engine on a database with the table, and the address for a scan."""
    engine = sa.create_engine(postgresql_url)
    with engine.begin() as con:
        con.execute(sa.text(TABLE))
    yield engine, postgresql_url.replace("+psycopg", "")
    engine.dispose()


def insert(engine, *rows):
    with engine.begin() as con:
        for row in rows:
            values = {
                name: json.dumps(value) if isinstance(value, dict) else value for name, value in row.items()
            }
            names = ", ".join(f'"{name}"' for name in values)
            con.execute(
                sa.text(
                    f'INSERT INTO "LiteLLM_SpendLogs" ({names}) VALUES ({", ".join(":" + n for n in values)})'
                ),
                values,
            )


def a_row(name: str, at: str, **more):
    return {
        "request_id": name,
        "call_type": "acompletion",
        "api_key": "88dc28d0",
        "prompt_tokens": 61,
        "completion_tokens": 12,
        "startTime": at,
        "endTime": at,
        "model": "lark-2-0801",
        "model_group": "lark-2",
        "user": "usr-17",
        "status": "success",
        "metadata": {"user_agent": "curl/8"},
        **more,
    }


BODY = {"model": "lark-2", "messages": [{"role": "user", "content": 'how "long", 漢字?'}], "temperature": 0.7}


def test_the_rows_of_a_day_arrive_as_they_stand_in_the_table(database, tmp_path):
    engine, url = database
    insert(
        engine,
        a_row("late", "2026-11-02T23:59:59.999", proxy_server_request=BODY),
        a_row("early", "2026-11-02T00:00:00"),
        a_row("before", "2026-11-01T23:59:59.999"),
        a_row("after", "2026-11-03T00:00:00"),
    )
    (path,) = fetched([url], tmp_path / "kept", date(2026, 11, 2))
    log = read(Path(path))
    assert (log.format, log.refused) == ("litellm-spend", [])
    assert log.column("request_id") == ["early", "late"]
    assert log.column("prompt") == [None, 'how "long", 漢字?']
    assert log.column("body_state") == ["absent", "full"]
    assert log.column("account_id") == ["usr-17", "usr-17"]
    assert log.rows[1]["ts"] == datetime(2026, 11, 2, 23, 59, 59, 999_000, tzinfo=UTC)
    assert (log.rows[1]["temperature"], log.rows[1]["input_tokens"]) == (0.7, 61)


def test_json_that_was_stored_as_a_text_is_read_all_the_same(database, tmp_path):
    engine, url = database
    told = {"user_agent": "curl/8", "user_api_key_org_id": "org", "error_information": {"error_code": "429"}}
    insert(engine, a_row("plain", "2026-11-02T00:00:00", metadata=told, proxy_server_request=BODY))
    as_texts = {
        "metadata": json.dumps(json.dumps(told)),
        "proxy_server_request": json.dumps(json.dumps(BODY)),
    }
    insert(engine, a_row("texts", "2026-11-02T00:00:01", **as_texts))
    insert(engine, a_row("nulls", "2026-11-02T00:00:02", metadata="null", proxy_server_request="null"))
    (path,) = fetched([url], tmp_path / "kept", date(2026, 11, 2))
    plain, texts, nulls = read(Path(path)).rows
    assert (plain["org_id"], plain["user_agent"], plain["prompt"]) == ("org", "curl/8", 'how "long", 漢字?')
    itself = {"request_id", "provider_request_id", "ts", "row_number"}
    assert [name for name in plain if plain[name] != texts[name] and name not in itself] == []
    assert (nulls["org_id"], nulls["prompt"], nulls["body_state"]) == (None, None, "absent")


def test_without_a_day_each_day_that_has_rows_becomes_a_file(database, tmp_path):
    engine, url = database
    assert fetched([url], tmp_path, None) == []
    insert(engine, a_row("a", "2026-11-01T12:00:00"), a_row("b", "2026-11-03T12:00:00"))
    first, last = fetched(["other.jsonl", url], tmp_path, None)[1:]
    assert (first[-18:-8], last[-18:-8]) == ("2026-11-01", "2026-11-03")


def test_a_row_with_a_wrong_clock_costs_no_more_than_its_own_day(database, tmp_path):
    engine, url = database
    insert(engine, *(a_row(at, at) for at in ("1970-01-01T00:00:01", "2026-11-01T12:00:00", "4026-11-01")))
    days = [path[-18:-8] for path in fetched([url], tmp_path, None)]
    assert days == ["1970-01-01", "2026-11-01", "4026-11-01"]


def test_databases_behind_two_sockets_or_of_several_hosts_have_names_of_their_own():
    urls = [
        "postgresql:///litellm?host=/run/a",
        "postgresql:///litellm?host=/run/b",
        "postgresql://u:p@one:1,two:2/litellm",
        "postgresql://one/litellm",
    ]
    names = [_file_name(url, date(2026, 11, 2)) for url in urls]
    assert len(set(names)) == len(urls)
    assert _file_name("postgresql://me:secret@one:5432/litellm", date(2026, 11, 2)) == names[-1]


def test_the_address_may_be_the_one_that_litellm_itself_has(database, tmp_path):
    engine, url = database
    with engine.begin() as con:
        con.execute(sa.text('CREATE SCHEMA "our proxy"'))
        table = '"our proxy"."LiteLLM_SpendLogs"'
        con.execute(sa.text(f'CREATE TABLE {table} (LIKE "LiteLLM_SpendLogs" INCLUDING DEFAULTS)'))
        con.execute(
            sa.text(f"""INSERT INTO {table} (request_id, call_type, "startTime", "endTime")
                        VALUES ('elsewhere', 'acompletion', '2026-11-02', '2026-11-02')""")
        )
    insert(engine, a_row("here", "2026-11-02T12:00:00"))
    more = f"{'&' if '?' in url else '?'}connection_limit=10&pool_timeout=60&pgbouncer=true&connect_timeout=5"
    found = {}
    for schema in ("public", "our%20proxy"):
        (path,) = fetched([f"{url}{more}&schema={schema}"], tmp_path, date(2026, 11, 2))
        found[schema] = pq.read_table(path)["request_id"].to_pylist()
    assert found == {"public": ["here"], "our%20proxy": ["elsewhere"]}
    assert len(list(tmp_path.iterdir())) == 2
    unreachable = "postgresql://watch:open-sesame@127.0.0.1:1/x?schema=s&password=open-sesame"
    with pytest.raises(UnreadableInput) as caught:
        fetched([unreachable], tmp_path, None)
    assert "open-sesame" not in str(caught.value)


def test_of_a_day_that_breaks_off_nothing_is_left_behind(database, tmp_path):
    engine, url = database
    insert(engine, *(a_row(f"r{n:05}", "2026-11-02T12:00:00") for n in range(3)))
    with engine.begin() as con:
        con.execute(sa.text('ALTER TABLE "LiteLLM_SpendLogs" RENAME TO kept'))
        con.execute(
            sa.text("""CREATE VIEW "LiteLLM_SpendLogs" AS SELECT request_id, "startTime",
                       (1 / (right(request_id, 1) <> '2')::int)::text AS "user" FROM kept""")
        )
    with pytest.raises(UnreadableInput, match="division by zero"):
        fetched([url], tmp_path, date(2026, 11, 2))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_not_the_databases_fault(database, tmp_path, monkeypatch):
    engine, url = database
    insert(engine, a_row("a", "2026-11-02T12:00:00"))
    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(UsageError, match=r"cannot be written \(No space left on device\)"):
        fetched([url], tmp_path, date(2026, 11, 2))


def full(self, mode=0o666):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_day_is_fetched_again_whole_and_readable_by_its_owner_alone(database, tmp_path):
    engine, url = database
    insert(engine, a_row("a", "2026-11-02T12:00:00"))
    (path,) = fetched([url], tmp_path, date(2026, 11, 2))
    insert(engine, a_row("written late", "2026-11-02T11:00:00"))
    assert fetched([url], tmp_path, date(2026, 11, 2)) == [path]
    assert read(Path(path)).column("request_id") == ["written late", "a"]
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    with engine.begin() as con:
        con.execute(sa.text('DELETE FROM "LiteLLM_SpendLogs"'))
    assert fetched([url], tmp_path, date(2026, 11, 2)) == []
    assert list(tmp_path.iterdir()) == []


def test_rows_of_other_days_are_never_touched(database, tmp_path):
    engine, url = database
    insert(engine, *(a_row(f"r{n}", f"2026-11-0{1 + n % 5}T12:00:00") for n in range(50)))
    with engine.begin() as con:
        con.execute(sa.text('ALTER TABLE "LiteLLM_SpendLogs" RENAME TO kept'))
        con.execute(
            sa.text("""CREATE FUNCTION only_the_fourth(t timestamp) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
                IF t::date <> '2026-11-04' THEN RAISE 'touched %', t; END IF; RETURN 'usr'; END $$""")
        )
        con.execute(
            sa.text("""CREATE VIEW "LiteLLM_SpendLogs" AS
                       SELECT request_id, call_type, api_key, "startTime", "endTime",
                       only_the_fourth("startTime") AS "user" FROM kept""")
        )
    (path,) = fetched([url], tmp_path, date(2026, 11, 4))
    assert read(Path(path)).column("account_id") == ["usr"] * 10
    with pytest.raises(UnreadableInput, match="touched"):
        fetched([url], tmp_path, date(2026, 11, 5))


def test_a_scan_reads_the_table_like_any_log_and_again(database, tmp_path):
    engine, url = database
    insert(
        engine, *(a_row(f"r{n}", f"2026-11-02T12:00:{n:02}", proxy_server_request=BODY) for n in range(50))
    )
    place = Workspace(tmp_path / "watch")
    for _ in range(2):
        summary = nightly.scan([url], place, day=date(2026, 11, 2))
        assert (summary.n_loaded, summary.n_refused, summary.unreadable) == (50, 0, ())


def test_check_reads_the_live_table_as_a_scan_does_and_keeps_nothing(database, tmp_path, monkeypatch):
    engine, url = database
    insert(
        engine,
        a_row("good", "2026-11-02T00:00:00"),
        a_row("bad", "2026-11-02T12:00:00", api_key="", user=""),
        a_row("other", "2026-11-03T00:00:00"),
    )
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(kept))
    report = check_logs([url], day=date(2026, 11, 2))
    assert (report.n_rows, report.n_refused) == (2, 1)
    (problem,) = report.findings()
    assert re.match(r"LiteLLM_SpendLogs-\w+-2026-11-02, row 2, account_id: missing or empty", str(problem))
    assert check_logs([url]).n_rows == 3
    assert list(kept.iterdir()) == []


def test_the_command_checks_a_database_without_its_password(database):
    engine, url = database
    insert(engine, a_row("good", "2026-11-02T00:00:00"))
    done = CliRunner().invoke(cli.app, ["check", url, "--day", "2026-11-02"])
    assert done.exit_code == 0, done.output
    assert "1 row in 1 file: 0 would be refused" in done.output
    nobody = CliRunner().invoke(cli.app, ["check", "postgresql://ana:hunter2@127.0.0.1:1/none"])
    assert nobody.exit_code == 1
    assert "hunter2" not in nobody.output


def test_the_command_keeps_no_password(database, tmp_path):
    engine, url = database
    insert(engine, *(a_row(f"r{n}", f"2026-11-02T12:00:{n:02}") for n in range(9)))
    named = url.replace("watch@", "watch:open-sesame@")  # the server trusts whoever calls, so any will do
    place = tmp_path / "watch"
    done = stillwatch("scan", named, "--day", "2026-11-02", "--workspace", str(place), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for kept in (path for path in place.rglob("*") if path.is_file()):
        assert b"open-sesame" not in kept.read_bytes(), kept
    assert "open-sesame" not in done.stdout + done.stderr


def test_what_cannot_be_reached_is_said_without_the_password(postgresql_server, tmp_path):
    url = f"postgresql://watch:open-sesame@127.0.0.1:{postgresql_server}/postgres?sslmode=disable"
    with pytest.raises(UnreadableInput, match="no table LiteLLM_SpendLogs") as caught:
        fetched([url], tmp_path, None)
    with pytest.raises(UnreadableInput) as unreachable:
        fetched(["postgresql://watch:open-sesame@127.0.0.1:1/x"], tmp_path, None)
    said = f"{caught.value} {unreachable.value} {unreachable.value.remedy}"
    assert "127.0.0.1" in said
    assert "open-sesame" not in said


def test_what_is_printed_of_a_database_is_its_place():
    assert is_database("postgres://h/d")
    assert shown("postgresql://ana:p%40ss@db.internal:5432/litellm?password=x") == (
        "postgresql://db.internal:5432/litellm"
    )
    assert shown("logs/*.jsonl?") == "logs/*.jsonl?"
