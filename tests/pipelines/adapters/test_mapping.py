"""A format of one's own: what a mapping file can say, what it may not, and that the documented one works."""

import json
import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from log_files import NOON, as_line
from running import ROOT
from typer.testing import CliRunner

from pipelines import cli
from pipelines.adapters import detect_format, named, open_log, with_mappings
from pipelines.adapters.check import check_logs
from pipelines.adapters.connection import connect
from pipelines.adapters.expressions import FUNCTIONS, checked_expression
from pipelines.adapters.mapping import read_mapping
from pipelines.adapters.sources.bodies import REQUEST
from pipelines.errors import UnreadableInput, UsageError
from pipelines.record import REQUEST_SCHEMA

PAGE = ROOT / "docs" / "how-to" / "own-format.md"

SMALL = """
name = "mine"
told_by = [{ has = ["who", "kind=call"], lacks = ["spans"] }]
[columns]
request_id = "id"
ts = "at"
account_id = "who"
"""


@pytest.fixture
def mapping(tmp_path):
    def write(text: str, name: str = "mine.toml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def read(path, *mappings, log_format="auto"):
    with open_log(
        path, format=log_format, batch_rows=100, threads=1, formats=with_mappings(mappings)
    ) as reader:
        rows = [row for batch in reader.batches() for row in batch.to_pylist()]
        return rows, reader


def a_call(**fields):
    return {"id": "r1", "at": NOON, "who": "ana", "kind": "call", **fields}


# -- the documented example --------------------------------------------------------------------------


@pytest.fixture
def documented(tmp_path, monkeypatch):
    """The page's log and mapping, as files, and the folder they are in."""
    text = PAGE.read_text(encoding="utf-8")
    record = json.loads(re.search(r"```json\n(.*?)```", text, re.S)[1])
    (tmp_path / "usage.jsonl").write_bytes(as_line(record) + as_line({"kind": "health"}))
    toml = [block for block in re.findall(r"```toml\n(.*?)```", text, re.S) if block.startswith("name")]
    (tmp_path / "acme.toml").write_text(toml[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_documented_mapping_reads_the_documented_record(documented):
    (row,), reader = read(documented / "usage.jsonl", documented / "acme.toml")
    found = {name: value for name, value in row.items() if value is not None and name != "ts"}
    assert found == {
        "request_id": "r-1",
        "account_id": "k-31",
        "prompt": "Name three rivers.",
        "project_id": "t-7",
        "api_key_id": "k-31",
        "model": "m-large",
        "n_turns": 1,
        "input_tokens": 6,
        "output_tokens": 41,
        "status": 200,
        "latency_ms": 1250.0,
        "ip": "203.0.113.9",
        "sample_rate": 1.0,
        "row_number": 1,
    }
    assert (reader.format, reader.n_passed_over) == ("acme", 1)
    assert (reader.not_understood, reader.not_found) == ((), ())


def test_the_documented_commands_run(documented):
    for line in re.findall(r"^stillwatch (.*)$", PAGE.read_text(encoding="utf-8"), re.M):
        done = CliRunner().invoke(cli.app, line.split())
        assert done.exit_code == 0, done.output
    listed = CliRunner().invoke(cli.app, ["sources", "acme.toml"]).stdout
    assert "Acme gateway, usage log" in listed


def test_the_page_lists_every_function_there_is():
    text = PAGE.read_text(encoding="utf-8")
    for kind, names in FUNCTIONS.items():
        assert f"| {kind} | {', '.join(sorted(names))} |" in text


# -- the frame ---------------------------------------------------------------------------------------


def test_a_mapped_format_is_known_by_its_records_before_all_others(lines, mapping):
    path = mapping(SMALL)
    mine = lines(a_call(), name="a.jsonl")
    for other in ({**a_call(), "spans": []}, {**a_call(), "kind": "other"}):
        with pytest.raises(UnreadableInput):
            read(lines(other, name="b.jsonl"), path)
    assert read(mine, path)[1].format == "mine"
    own = lines({"request_id": "r", "ts": NOON, "account_id": "ana"}, name="c.jsonl")
    assert read(own, path)[1].format == "stillwatch"


def test_bodies_of_providers_are_read_as_everywhere(lines, mapping):
    path = mapping(
        SMALL.replace("[columns]", '[bodies]\nrequest = "body.sent"\nresponse = "got"\n[columns]')
        + 'model = "model"\n'
    )
    sent = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.5}
    got = {"id": "x", "choices": [{"finish_reason": "length"}], "usage": {"prompt_tokens": 3}}
    records = [
        a_call(body={"sent": sent}, got=got, model="ours"),
        a_call(id="r2", body={"sent": json.dumps(sent)}, got=json.dumps(got)),
        a_call(id="r3"),
    ]
    rows, reader = read(lines(*records), path)
    assert [row["prompt"] for row in rows] == ["hi", "hi", None]
    assert [row["stop_reason"] for row in rows] == ["length", "length", None]
    assert [row["input_tokens"] for row in rows] == [3, 3, None]
    assert [row["model"] for row in rows] == ["ours", None, None]
    assert [row["body_state"] for row in rows] == ["full", "full", "absent"]
    assert reader.not_understood == ()


def test_a_body_keeps_its_own_fields(lines, mapping):
    text = SMALL.replace("[columns]", '[bodies]\nrequest = "body"\n[columns]')
    (row,), _ = read(
        lines(a_call(body={"metadata": {"user_id": "eve"}})),
        mapping(text + 'org_id = "body.metadata.user_id"\n'),
    )
    assert row["org_id"] == "eve"
    with pytest.raises(UsageError, match=r"columns\.org_id: body\.metadata\.team is also read"):
        read_mapping(mapping(text + 'org_id = "body.metadata.team"\n', name="other.toml"))
    assert "team" not in REQUEST["metadata"]


def test_one_body_is_enough(lines, mapping):
    path = mapping(SMALL.replace("[columns]", '[bodies]\nresponse = "got"\n[columns]'))
    (row,), _ = read(lines(a_call(got={"id": "x", "usage": {"output_tokens": 5}})), path)
    assert (row["output_tokens"], row["prompt"]) == (5, None)


def test_csv_and_parquet_are_read_like_json(lines, csv, mapping, tmp_path):
    path = mapping(
        SMALL.replace("[columns]", '[fields]\nmore = { path = "more", as = "json" }\n[columns]')
        + "model = { sql = \"more ->> '$.model'\" }\n"
    )
    record = a_call(more={"model": "m"})
    as_json, _ = read(lines(record), path)
    text = 'id,at,who,kind,more\nr1,2025-06-01T12:00:00Z,ana,call,"{""model"": ""m""}"\n'
    assert [{**row, "row_number": 1} for row in read(csv(text), path, log_format="mine")[0]] == as_json
    columns = {name: [json.dumps(v) if name == "more" else v] for name, v in record.items()}
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    assert read(tmp_path / "log.parquet", path, log_format="mine")[0] == as_json
    assert as_json[0]["model"] == "m"


def test_a_key_itself_goes_no_further(lines, mapping):
    path = mapping(SMALL.replace("account_id", "api_key_id"))
    secret = "sk-proj-abcdefghijklmnopqrstuvwxyz012345"
    (row,), _ = read(lines(a_call(who=secret)), path)
    assert secret not in str(row)
    assert row["account_id"] == row["api_key_id"]


def test_what_cannot_be_computed_is_absent_and_what_cannot_be_read_is_refused(lines, mapping):
    path = mapping(
        SMALL.replace("[columns]", '[fields]\ntook = "took"\n[columns]')
        + 'latency_ms = { sql = "took::DOUBLE * 1000" }\noutput_tokens = "n"\n'
    )
    rows, reader = read(lines(a_call(took="2"), a_call(took="soon"), a_call(n="many")), path)
    assert [row["latency_ms"] for row in rows] == [2000.0, None]
    assert reader.refused.to_pylist()[0]["column_name"] == "output_tokens"


def test_check_says_which_paths_lead_nowhere(lines, mapping):
    path = mapping(SMALL + 'model = "modle"\n')
    report = check_logs([str(lines(a_call()))], format=str(path))
    assert (report.ok, report.not_found) == (True, ("modle",))
    assert report.files[0].format == "mine"


def test_a_log_without_what_every_record_needs_is_unreadable_as_a_whole(lines, mapping):
    path = mapping(SMALL.replace('"at"', '"meta.at"'))
    report = check_logs([str(lines(a_call(), a_call(id="r2")))], format=str(path))
    assert report.files[0].error is not None
    assert re.search(r"takes ts from meta\.at, which none", report.files[0].error)
    assert not report.ok


def test_a_table_without_a_header_does_not_have_its_values_named_under_a_mapping_either(csv, mapping):
    table = csv("r-1,alice,diary,kind\nr-2,bob,diary,kind\n")
    with pytest.raises(UnreadableInput, match="their fields are kind among 4 columns") as caught:
        read(table, mapping(SMALL), log_format="mine")
    assert "diary" not in str(caught.value)


def test_an_empty_file_is_an_empty_log_in_every_format(lines, mapping):
    assert read(lines(b"\n"), log_format="auto")[0] == []
    assert read(lines(b"\n"), mapping(SMALL), log_format="mine")[0] == []


def test_a_mapping_file_is_read_again_when_it_has_changed(mapping):
    assert read_mapping(mapping(SMALL)).name == "mine"
    changed = mapping(SMALL.replace('"mine"', '"other"'))
    os.utime(changed, ns=(1, 1))
    assert read_mapping(changed).name == "other"


def test_format_names_a_mapping_file_or_a_format(mapping):
    path = mapping(SMALL)
    assert named(str(path), ()) == ("mine", (path,))
    assert named(str(path), (path,)) == ("mine", (path,))
    assert named("gateway", (path,)) == ("gateway", (path,))


@pytest.mark.parametrize("sql", ["1 / (n::INTEGER)", "-1 / (n::INTEGER)", "pow(10, 1000 - n::INTEGER)"])
def test_what_is_no_number_is_absent(sql, lines, mapping):
    path = mapping(
        SMALL.replace("[columns]", '[fields]\nn = "n"\n[columns]').replace("n = ", "nn = ", 1)
        + f'latency_ms = {{ sql = "{sql.replace("n::", "nn::")}" }}\n'
    )
    rows, reader = read(lines(a_call(n=0)), path)
    assert ([row["latency_ms"] for row in rows], reader.refused.to_pylist()) == ([None], [])


# -- mistakes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", r"mine\.toml: .*value"),
        (SMALL.replace('name = "mine"', 'name = "My Format"'), r"mine\.toml, name: "),
        (SMALL.replace('name = "mine"', 'name = "gateway"'), r"name: gateway is taken"),
        (SMALL + 'promt = "p"\n', r"columns\.promt: no such canonical column"),
        (SMALL + 'prompt = "a[0].b"\n', r"columns\.prompt: not a path"),
        (SMALL + 'prompt = "who.name"\n', r"columns\.prompt: who\.name is also read in another way"),
        (SMALL.replace('ts = "at"\n', ""), r"columns\.ts: every record needs it"),
        (SMALL.replace("account_id", "country"), r"account: none of account_id, api_key_id"),
        (SMALL + "[more]\n", r"more: "),
        ("surprise = 1\n" + SMALL, r"surprise: "),
        (SMALL + '[fields]\nline = "x"\n', r"fields\.line: not a name for a field"),
        (SMALL + '[fields]\norder = "x"\n', r"fields\.order: not a name for a field"),
        (SMALL.replace('has = ["who", "kind=call"], ', ""), r"told_by\.0: nothing that the log has"),
        (SMALL + '[bodies]\nrequest = "Body"\n', r"bodies\.request: a body's keys"),
        ("account = []\n" + SMALL, r"account: names no level"),
        (
            SMALL + 'ip = { sqll = "who" }\n',
            r'columns\.ip: expected a path in quotes or \{ sql = "\.\.\." \}$',
        ),
        (
            SMALL + '[fields]\nturns = { paths = "x" }\n',
            r"fields\.turns: expected a path in quotes or \{ path",
        ),
    ],
)
def test_a_mistake_is_told_with_the_file_and_the_entry(mapping, text, said):
    with pytest.raises(UsageError, match=said) as caught:
        with_mappings([mapping(text)])
    assert caught.value.remedy


def test_a_condition_must_be_one(mapping):
    with pytest.raises(UsageError, match="is_request: neither true nor false"):
        read_mapping(mapping('is_request = "kind"\n' + SMALL + '[fields]\nkind = "kind"\n'))


def test_what_duckdb_refuses_is_told_in_its_words(mapping):
    for sql, said in (("lower(kind, 1)", "lower"), ("kind +", "syntax error"), ("kind::WRONG", "WRONG")):
        with pytest.raises(UsageError, match=rf"columns\.prompt: .*{said}"):
            read_mapping(mapping(SMALL + f'prompt = {{ sql = "{sql}" }}\n[fields]\nkind = "kind"\n'))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("regexp_extract(kind, '(')", "missing"),
        ("strptime(kind, '%q')", "format"),
        ("date_trunc('fortnight', kind::TIMESTAMP)", "fortnight"),
        ("timezone('Mars/Base', kind::TIMESTAMP)", "time zone that is not known"),
        ("timezone(kind, TIMESTAMP '2025-06-01')", "time zone that is no constant"),
        ("make_timestamptz(2025, 6, 1, 12, 0, 0.0, kind)", "time zone that is no constant"),
        ("strptime(kind, '%Y %Z')", r"time zone \(%Z\) that is not known"),
    ],
)
def test_an_expression_that_would_stop_a_scan_is_told_before_it(sql, said, mapping):
    text = SMALL + f'prompt = {{ sql = "({sql})::VARCHAR" }}\n[fields]\nkind = "kind"\n'
    with pytest.raises(UsageError, match=rf"mine\.toml, columns\.prompt: .*{said}") as caught:
        read_mapping(mapping(text))
    assert caught.value.remedy


def test_a_time_zone_that_is_known_is_taken(lines, mapping):
    text = SMALL.replace('ts = "at"', """ts = { sql = "timezone('Europe/Berlin', told::TIMESTAMP)" }""")
    path = mapping(text.replace("[columns]", '[fields]\ntold = "at"\n[columns]'))
    rows, _ = read(lines(a_call(at="2025-06-01 14:00:00")), path)
    assert rows[0]["ts"].isoformat() == "2025-06-01T12:00:00+00:00"


def test_a_file_that_is_not_there_is_a_mistake(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="cannot be read"):
        read_mapping(tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        read_mapping(Path("none.toml"))
    assert f"looked for in {tmp_path}" in caught.value.remedy


# -- expressions: closed on purpose ------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "kind",
        "CASE WHEN kind = 'a' THEN 1 ELSE 2 END",
        "list_transform(parts, lambda p, i: concat(p.text, i))",
        "parts -> '$[0]' ->> 'text'",
        "coalesce(kind, 'x') || kind IN ('a', 'b')",
        "kind LIKE 'a%' AND kind NOT SIMILAR TO 'b.*'",
        "kind::TIMESTAMP + INTERVAL 1 HOUR",
        "trim(both 'x' from kind) /* a remark */ -- and another",
        "parts[1].text",
    ],
)
def test_plain_expressions_are_taken(text):
    written = checked_expression(connect(1), text, ["kind", "parts"], where="here")
    assert "--" not in written
    assert "/*" not in written


@pytest.mark.parametrize(
    "text",
    [
        "(SELECT 1)",
        "EXISTS (FROM read_csv('accounts.csv'))",
        "kind IN (SELECT content FROM read_text('text.key'))",
        "kind) AS a, (kind",
        "kind) FROM read_csv('x') --",
        "kind); DROP TABLE x; SELECT (1",
        "read_text('text.key')",
        "getvariable('request_structure')",
        "current_setting('home_directory')",
        "current_user",
        "now()",
        "current_timestamp",
        "random()",
        "uuid()",
        "nextval('s')",
        "getenv('HOME')",
        "error('stop')",
        "sleep_ms(1000)",
        "write_log('x')",
        "repeat('x', 1000000000)",
        "range(1000000000)",
        "count(*)",
        "sum(kind)",
        "row_number() OVER ()",
        "unnest(parts)",
        "*",
        "COLUMNS('k.*')",
        "$structure",
        "#1",
        "doc.kind",
        "kind.lower()",
        "system.main.lower(kind)",
        "list_transform(parts, lambda current_user: current_user)",
        "current_user -> '$.x'",
        "json_serialize_sql('SELECT 1')",
        "",
    ],
)
def test_nothing_beyond_the_record_can_be_reached(text):
    with pytest.raises(UsageError, match=r"^here: ") as caught:
        checked_expression(connect(1), text, ["kind", "parts"], where="here")
    assert caught.value.remedy


def test_canonical_columns_are_all_mappable(lines, mapping):
    others = [name for name in REQUEST_SCHEMA.names if name not in ("request_id", "ts", "account_id")]
    path = mapping(SMALL + "".join(f'{name} = "c.{name}"\n' for name in others))
    assert detect_format(lines({"request_id": "a", "ts": NOON, "account_id": "b"})) == "stillwatch"
    rows, reader = read(lines(a_call()), path, log_format="mine")
    assert len(rows) == 1
    assert len(reader.not_found) == len(others)
