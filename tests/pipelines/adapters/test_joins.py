"""An edge log and a content log of the same calls become one record of each call.

`recorded/cloudtrail-from-schema.json` is written by hand from CloudTrail's published event schema; it is
nobody's log.
"""

import random
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from log_files import NOON
from running import ROOT
from typer.testing import CliRunner

from pipelines import cli
from pipelines.adapters import Join, edges_among, joining, open_edge_logs, open_log, open_logs
from pipelines.adapters.check import check_logs
from pipelines.adapters.join import is_named
from pipelines.adapters.joining import EdgeRows
from pipelines.adapters.sources import WRITINGS
from pipelines.errors import UnreadableInput, UsageError
from pipelines.record import REQUEST_SCHEMA
from pipelines.simulate import simulate
from pipelines.simulate.files import WRITERS

EVENTS = Path(__file__).parent / "recorded" / "cloudtrail-from-schema.json"
BEDROCK = Join(content="bedrock", edge="cloudtrail")
GATEWAY = Join(content="gateway", edge="nginx", edge_by="provider_request_id")


def read_joined(paths, *joins, batch_rows=1_000):
    """Requests of all logs by id, what was refused, and what became of the joins."""
    logs, edges = edges_among(paths, joins, memory_mb=300, threads=2)
    rows, refused = [], []
    with edges:
        for _, reader in open_edge_logs(edges, batch_rows=batch_rows, threads=2):
            with reader:
                assert sum(edges.read(reader)) <= reader.n_rows
                refused += reader.refused.to_pylist()
        edges.seal()
        for path, reader in open_logs(logs, batch_rows=batch_rows, threads=2, edges=edges):
            assert not isinstance(reader, UnreadableInput), path
            with reader:
                rows += [row for batch in reader.batches() for row in batch.to_pylist()]
                refused += reader.refused.to_pylist()
        return {row["request_id"]: row for row in rows}, refused, edges.joined()


def a_call(request_id="r1", **fields):
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    return {"id": request_id, "ts": NOON, "account_id": "ana", "request": body, **fields}


def at_edge(answered="r1", **fields):
    """A line of the edge; `answered` is the id in the answer that it passed on."""
    line = {"ts": NOON, "msec": "1748779200.5", "request_id": f"own-{answered}"}
    line |= {"upstream_request_id": answered, "remote_addr": "203.0.113.24", "method": "POST"}
    line |= {"uri": "/v1/messages", "status": "200", "request_time": "0.5"}
    return line | {"ua": "client/1", "key_hash": "9f2c", **fields}


# -- a night written twice is one night --------------------------------------------------------------


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> pa.Table:
    place = tmp_path_factory.mktemp("truth")
    scenario = place / "few.toml"
    scenario.write_text("nights = 1\n[benign]\nperson_chat = 30\ncoding_agent = 8\n")
    simulate(place / "world", scenario=scenario)
    rows = pa.concat_tables(pq.read_table(one) for one in sorted((place / "world").glob("logs/*/*.parquet")))
    return rows.cast(REQUEST_SCHEMA)


@pytest.mark.parametrize(
    ("content", "edge", "by"),
    [("bedrock-converse", "cloudtrail", "request_id"), ("otel", "nginx", "trace_id")],
)
def test_a_night_as_content_and_edge_gives_the_rows_of_the_whole(content, edge, by, truth, tmp_path):
    (read_by, wrote), (edge_read_by, edge_wrote) = WRITINGS[content], WRITINGS[edge]
    join = Join(content=read_by.name, edge=edge_read_by.name, by=by, edge_by=by)
    filled = edge_wrote.carries.intersection(join.columns) - {"account_id"}
    assert {"ip", "user_agent"} <= filled
    alone = truth
    for at, field in enumerate(truth.schema):
        if field.name in filled:
            alone = alone.set_column(at, field, pa.nulls(len(truth), field.type))
    WRITERS[content][1](alone, tmp_path / "content.jsonl")
    shuffled = truth.take(pa.array(random.Random(3).sample(range(len(truth)), len(truth))))
    WRITERS[edge][1](shuffled, tmp_path / "edge.jsonl")
    rows, refused, (joined,) = read_joined([tmp_path / "content.jsonl", tmp_path / "edge.jsonl"], join)
    assert (refused, joined.n_matched, joined.n_alone, joined.n_unused) == ([], len(truth), 0, 0)
    in_order = list(rows.values())
    for column in filled | (wrote.carries - {"request_id"}):
        assert [row[column] for row in in_order] == truth[column].to_pylist(), column


def test_small_files_read_many_at_a_time_are_joined_like_large_ones(lines):
    edge = lines(*(at_edge(f"r{at}", remote_addr=f"203.0.113.{at}") for at in range(5)), name="edge.jsonl")
    paths = [lines(a_call(f"r{at}"), name=f"{at}.jsonl") for at in range(5)]
    rows, _, _ = read_joined([edge, *paths], GATEWAY)
    assert {name: row["ip"] for name, row in rows.items()} == {f"r{at}": f"203.0.113.{at}" for at in range(5)}


# -- CloudTrail --------------------------------------------------------------------------------------


def test_cloudtrail_events_add_where_a_call_came_from(lines):
    call = {
        "schemaType": "ModelInvocationLog",
        "timestamp": "2025-06-01T12:00:00Z",
        "accountId": "111122223333",
        "identity": {"arn": "arn:aws:sts::111122223333:assumed-role/app-llm/i-0abc"},
        "operation": "Converse",
        "modelId": "m",
        "input": {"inputBodyJson": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}},
    }
    ids = [f"1d6c9f4e-0000-4000-8000-00000000000{at}" for at in (1, 2, 3)]
    content = lines(*({**call, "requestId": one} for one in ids), name="calls.jsonl")
    rows, _, (joined,) = read_joined([content, EVENTS], BEDROCK)
    first, second, third = (rows[one] for one in ids)
    assert (first["ip"], first["status"]) == ("203.0.113.24", 200)
    assert first["user_agent"].startswith("Boto3/1.40")
    assert (second["ip"], second["status"]) == (None, 429)
    assert (third["ip"], third["status"], third["prompt"]) == (None, 200, "hi")
    assert (joined.n_matched, joined.n_alone, joined.n_edge, joined.n_unused) == (2, 1, 2, 0)


def test_an_edge_log_without_its_content_is_a_log_of_its_own():
    with open_log(EVENTS, batch_rows=10, threads=1) as reader:
        rows = [row for batch in reader.batches() for row in batch.to_pylist()]
    assert (reader.format, reader.n_passed_over, reader.n_refused) == ("cloudtrail", 1, 0)
    assert rows[0]["account_id"] == "arn:aws:sts::111122223333:assumed-role/app-llm/i-0abc"
    assert rows[1]["account_id"] == "111122223333"
    assert reader.not_understood == ()
    assert len(read_joined([EVENTS], BEDROCK)[0]) == 2


# -- what fills what ---------------------------------------------------------------------------------


def test_what_the_content_log_knows_is_never_overwritten(lines):
    known = {"client_ip": "198.51.100.1", "status": 500, "latency_ms": 7}
    content = lines(a_call(**known), a_call("r2"), name="a.jsonl")
    edge = lines(at_edge(status="429"), at_edge("r2", status="429"), name="b.jsonl")
    rows, _, _ = read_joined([content, edge], GATEWAY)
    assert [rows["r1"][name] for name in ("ip", "status", "latency_ms")] == ["198.51.100.1", 500, 7.0]
    assert [rows["r2"][name] for name in ("ip", "status", "latency_ms")] == ["203.0.113.24", 429, 500.0]


def test_a_repeated_id_neither_multiplies_rows_nor_changes_the_first(lines):
    content = lines(a_call(), a_call("r2"), name="a.jsonl")
    edge = lines(*(at_edge(remote_addr=f"203.0.113.{at}") for at in range(1, 200)), name="b.jsonl")
    rows, _, (joined,) = read_joined([content, edge], GATEWAY, batch_rows=7)
    assert len(rows) == 2
    assert (rows["r1"]["ip"], rows["r2"]["ip"]) == ("203.0.113.1", None)
    assert (joined.n_edge, joined.n_repeated, joined.n_unused, joined.n_alone) == (199, 198, 0, 1)


def test_the_first_of_several_edge_files_counts(lines):
    content = lines(a_call(), name="a.jsonl")
    first, second = (lines(at_edge(remote_addr=f"203.0.113.{at}"), name=f"e{at}.jsonl") for at in (1, 2))
    assert read_joined([content, first, second], GATEWAY)[0]["r1"]["ip"] == "203.0.113.1"


def test_rows_without_an_id_match_nothing(lines):
    content = lines(a_call(), name="a.jsonl")
    edge = lines(at_edge(""), at_edge("-"), name="b.jsonl")
    rows, refused, (joined,) = read_joined([content, edge], GATEWAY)
    assert (rows["r1"]["ip"], refused) == (None, [])
    assert (joined.n_without_id, joined.n_matched, joined.n_unused) == (2, 0, 0)


def test_an_account_that_only_the_edge_knows_saves_its_row_and_the_others_are_refused(lines):
    content = lines(*(a_call(one, account_id=None) for one in ("r1", "r2")), name="a.jsonl")
    edge = lines(at_edge(), name="b.jsonl")
    rows, refused, _ = read_joined([content, edge], GATEWAY)
    assert {name: row["account_id"] for name, row in rows.items()} == {"r1": "9f2c"}
    assert [(row["row_number"], row["column_name"]) for row in refused] == [(2, "account_id")]
    assert refused[0]["remedy"]


def test_only_the_named_columns_are_filled(lines):
    content, edge = lines(a_call(), name="a.jsonl"), lines(at_edge(), name="b.jsonl")
    rows, _, _ = read_joined([content, edge], replace(GATEWAY, fills=("ip",)))
    assert (rows["r1"]["ip"], rows["r1"]["user_agent"]) == ("203.0.113.24", None)


def test_by_trace_the_outcome_of_one_call_is_not_that_of_the_others():
    assert "status" not in Join(content="otel", edge="nginx", by="trace_id").columns
    assert "status" in Join(content="otel", edge="nginx").columns


# -- a slow twin -------------------------------------------------------------------------------------


def test_looking_up_agrees_with_a_dictionary(monkeypatch):
    monkeypatch.setattr(joining, "_ROWS_PER_PIECE", 5)  # so that ids lie across pieces
    draw = random.Random(11)
    join = Join(content="gateway", edge="nginx", fills=("ip", "status"))
    for _ in range(25):
        ids = [draw.choice([None, "", *"abcdefghij"]) for _ in range(draw.randrange(40))]
        edge = [(name, f"10.0.0.{at}", at) for at, name in enumerate(ids)]
        asked = [draw.choice([None, "", *"abcdefghijklm"]) for _ in range(draw.randrange(1, 30))]
        first = {}
        for name, *row in edge:
            if name:
                first.setdefault(name, row)
        with EdgeRows(join, folder=None, memory_mb=300, threads=2) as rows:
            for start in range(0, len(edge), 7):
                names, ips, statuses = zip(*edge[start : start + 7], strict=True)
                columns = [pa.array(names, pa.string()), pa.array(ips), pa.array(statuses, pa.int32())]
                rows.add(pa.record_batch(columns, ["request_id", "ip", "status"]))
            rows.seal()
            batch = {
                "request_id": pa.array(asked, pa.string()),
                "ip": pa.nulls(len(asked), pa.string()),
                "status": pa.nulls(len(asked), pa.int32()),
                "problems": pa.array([0] * len(asked), pa.int64()),
            }
            filled = rows.fill(pa.record_batch(batch), ()).to_pylist()
            joined = rows.joined()
        expected = [first.get(name, [None, 200]) for name in asked]
        assert [[row["ip"], row["status"]] for row in filled] == expected
        n_with_id = sum(bool(name) for name, *_ in edge)
        assert joined.n_matched == sum(name in first for name in asked)
        assert joined.n_unused == len(set(first) - set(asked))
        assert (joined.n_repeated, joined.n_without_id) == (n_with_id - len(first), len(edge) - n_with_id)


def test_what_an_edge_keeps_on_disk_goes_with_it(tmp_path):
    with EdgeRows(BEDROCK, folder=tmp_path, memory_mb=300, threads=1) as rows:
        rows.seal()
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


# -- mistakes and damage -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("join", "said"),
    [
        (Join(content="bedrok", edge="nginx"), "bedrok: no such"),
        (Join(content="nginx", edge="nginx"), "with itself"),
    ],
)
def test_a_join_that_cannot_be_is_a_mistake(join, said, lines):
    with pytest.raises(UsageError, match=said) as caught:
        read_joined([lines(a_call())], join)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "joins",
    [
        [Join(content="kong", edge="nginx"), Join(content="nginx", edge="kong")],
        [Join(content="otel", edge="kong", edge_by="trace_id"), Join(content="kong", edge="nginx")],
        [GATEWAY, GATEWAY],
        [
            Join(content="gateway", edge="nginx", edge_files="front"),
            Join(content="nginx", edge="envoy", content_files="front"),
        ],
    ],
    ids=["each the other's edge", "a chain", "twice the same", "a chain of the same files"],
)
def test_joins_that_would_leave_a_log_without_requests_are_a_mistake(joins, lines):
    with pytest.raises(UsageError, match=r"^input\.join: ") as caught:
        read_joined([lines(a_call())], *joins)
    assert caught.value.remedy


def test_files_may_tell_the_edge_of_one_join_from_the_content_of_another(lines, tmp_path):
    (tmp_path / "front").mkdir()
    front = a_call("f1", client_ip="203.0.113.9", status=429, response={"id": "r1"})
    paths = [
        lines(front, name="front/a.jsonl"),
        lines(a_call("r1"), a_call("r2"), name="back.jsonl"),
        lines(at_edge("r2"), name="edge.jsonl"),
    ]
    rows, _, joined = read_joined(paths, SAME, GATEWAY)
    assert {name: row["ip"] for name, row in rows.items()} == {"r1": "203.0.113.9", "r2": "203.0.113.24"}
    assert [one.n_matched for one in joined] == [1, 1]
    named = replace(GATEWAY, content_files="front/a.jsonl")
    with pytest.raises(UsageError, match=r"a\.jsonl is the content of one join and the edge of another"):
        read_joined(paths, SAME, named)


@pytest.mark.parametrize(
    ("edge_files", "said"),
    [("Front", "upper and lower case apart"), ("*.jsonl", "no file is left to add to")],
)
def test_files_of_an_edge_that_are_none_or_all_are_said(edge_files, said, lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "front").mkdir()
    (tmp_path / "joins.toml").write_text(
        f'[[input.join]]\ncontent = "gateway"\nedge = "gateway"\nedge_files = "{edge_files}"\n'
    )
    lines(a_call("f1"), name="front/a.jsonl")
    lines(a_call("r1"), name="back.jsonl")
    done = CliRunner().invoke(cli.app, ["check", "front", "back.jsonl", "--config", "joins.toml"])
    assert done.exit_code == 0, done.output
    assert said in " ".join(done.output.split())


def test_a_join_of_two_logs_of_one_format_holds_also_when_their_format_is_named(lines, tmp_path):
    (tmp_path / "front").mkdir()
    front = a_call("f1", client_ip="203.0.113.9", response={"id": "r1"})
    paths = [lines(front, name="front/a.jsonl"), lines(a_call("r1"), name="back.jsonl")]
    report = check_logs([str(one) for one in paths], format="gateway", joins=[SAME])
    assert report.joined[0].n_matched == 1


def test_check_names_file_row_and_remedy_of_an_edge_and_goes_on(lines):
    content = lines(a_call(), name="a.jsonl")
    edge = lines(at_edge(status="often"), b"{broken\n", at_edge(), name="b.jsonl")
    report = check_logs([str(content.parent)], joins=[GATEWAY])
    problems = [(one.path.name, one.row_number, one.column) for one in report.findings()]
    assert problems == [("b.jsonl", 1, "status"), ("b.jsonl", 2, None)]
    assert all(one.remedy for one in report.findings())
    assert (report.joined[0].n_matched, report.ok) == (1, False)
    assert edge.exists()


def test_a_damaged_edge_file_gives_what_stood_before_the_damage(lines):
    content = lines(a_call(), name="a.jsonl")
    edge = lines(*(at_edge(f"r{at}") for at in range(1, 3_000)), name="b.jsonl.gz")
    edge.write_bytes(edge.read_bytes()[:-4_000])
    report = check_logs([str(content), str(edge)], joins=[GATEWAY])
    assert report.joined[0].n_matched == 1
    assert [file.error is not None for file in report.files] == [True, False]


# -- the commands ------------------------------------------------------------------------------------


def test_a_scan_joins_says_how_it_went_and_leaves_nothing_behind(lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "how-to" / "joins.md").read_text(encoding="utf-8")
    documented = re.search(r"```toml\n(.*?)```", text, re.S)[1]
    ours = documented.replace("bedrock", "gateway").replace("cloudtrail", "nginx")
    (tmp_path / "joins.toml").write_text(ours)
    calls = lines(*(a_call(f"r{at}", client_ip=None) for at in range(20)), name="calls.jsonl")
    edge = lines(*(at_edge(f"x{at}", request_id=f"r{at}") for at in range(15)), name="edge.jsonl")
    arguments = [str(calls), str(edge), "--config", "joins.toml"]
    checked = CliRunner().invoke(cli.app, ["check", *arguments])
    assert checked.exit_code == 0, checked.output
    for _ in range(2):
        done = CliRunner().invoke(cli.app, ["scan", *arguments, "--workspace", "watch"])
        assert done.exit_code == 0, done.output
        for output in (checked.output, done.output):
            assert "joined with nginx by request_id: 15 requests found their row, 5 did not." in output
            assert "Rows of nginx: 0 without a request" in output
    assert not list((tmp_path / "watch").glob(".edge-*"))
    with duckdb.connect("watch/warehouse.duckdb") as con:
        (found,) = con.sql("SELECT (count(*), count(ip), count(DISTINCT ip)) FROM core.request").fetchall()
    assert found[0] == (20, 15, 1)


def test_what_an_edge_adds_is_not_said_to_be_missing(lines, truth, tmp_path):
    few = truth.slice(0, 5)
    WRITERS["bedrock-converse"][1](few, tmp_path / "a.jsonl")
    WRITERS["cloudtrail"][1](few, tmp_path / "b.jsonl")
    alone = check_logs([str(tmp_path / "a.jsonl")])
    both = check_logs([str(tmp_path)], joins=[BEDROCK])
    assert "network" in alone.unseen["bedrock"]
    assert "bedrock" not in both.unseen
    assert pc.sum(pc.is_valid(few["ip"])).as_py() == 5


def test_an_edge_none_of_whose_rows_fits_adds_nothing(truth, tmp_path):
    WRITERS["bedrock-converse"][1](truth.slice(0, 5), tmp_path / "a.jsonl")
    WRITERS["cloudtrail"][1](truth.slice(5, 5), tmp_path / "b.jsonl")
    report = check_logs([str(tmp_path)], joins=[BEDROCK])
    assert (report.joined[0].n_matched, set(report.unseen["bedrock"])) == (0, {"network"})


# -- two logs of one format ----------------------------------------------------------------------------------


SAME = Join(content="gateway", edge="gateway", edge_by="provider_request_id", edge_files="front")


def test_two_logs_of_one_format_are_told_apart_by_where_they_lie(lines, tmp_path):
    (tmp_path / "front").mkdir()
    front = a_call("f1", client_ip="203.0.113.9", status=429, response={"id": "r1"})
    paths = [lines(front, name="front/a.jsonl"), lines(a_call("r1"), a_call("r2"), name="back.jsonl")]
    rows, refused, (joined,) = read_joined(paths, SAME)
    assert {name: (row["ip"], row["status"]) for name, row in rows.items()} == {
        "r1": ("203.0.113.9", 429), "r2": (None, 200),
    }  # fmt: skip
    assert (refused, joined.n_matched, joined.edge) == ([], 1, "gateway (front)")


def test_files_that_no_join_names_are_logs_like_any_other(lines, tmp_path):
    for folder in ("front", "back", "elsewhere"):
        (tmp_path / folder).mkdir()
    front = a_call("f1", client_ip="203.0.113.9", status=429, response={"id": "r1"})
    paths = [
        lines(front, name="front/a.jsonl"),
        *(
            lines(a_call(call), name=f"{folder}/{call}.jsonl")
            for folder, call in [("back", "r1"), ("elsewhere", "x1")]
        ),
    ]
    rows, _, (joined,) = read_joined(paths, replace(SAME, content_files="back"))
    assert {name: row["status"] for name, row in rows.items()} == {"r1": 429, "x1": 200}
    assert (joined.n_matched, joined.n_alone) == (1, 0)


@pytest.mark.parametrize(
    ("pattern", "path", "is_one"),
    [
        ("", "logs/a.jsonl", True),
        ("edge", "logs/edge/day=1/a.jsonl", True),
        ("edge", "logs/edges/a.jsonl", False),
        ("edge-*.jsonl", "/logs/edge-3.jsonl", True),
        ("day=*/edge", "logs/day=2025-06-01/edge/a.jsonl", True),
        ("/logs/edge/", "/logs/edge/a.jsonl", True),
        ("logs/edge", "/srv/otherlogs/edge/a.jsonl", False),
    ],
)
def test_a_pattern_names_files_folders_or_the_end_of_a_path(pattern, path, is_one):
    assert is_named(Path(path), pattern) is is_one
