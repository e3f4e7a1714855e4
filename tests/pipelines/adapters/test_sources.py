"""Every foreign format keeps the promises of the frame: round trip, detection, containers, traps."""

import json
import random
from dataclasses import replace

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from log_files import NOON, as_line, read
from typer.testing import CliRunner

from pipelines import cli
from pipelines.adapters import _REQUESTS, SOURCES, LogReader, detect_format, open_log
from pipelines.adapters.check import check_logs
from pipelines.adapters.containers import look
from pipelines.adapters.documents import outermost
from pipelines.adapters.overview import overview
from pipelines.adapters.source import TEXT, Shapes, Source, has
from pipelines.adapters.sources import WRITINGS
from pipelines.errors import UnreadableInput
from pipelines.record import REQUEST_SCHEMA
from pipelines.simulate import simulate
from pipelines.simulate.files import WRITERS


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> pa.Table:
    """A night of simulated requests, with what no simulated request has planted into a few."""
    place = tmp_path_factory.mktemp("truth")
    scenario = place / "few.toml"
    scenario.write_text("nights = 1\n[benign]\nperson_chat = 20\ncoding_agent = 8\n")
    simulate(place / "world", scenario=scenario)
    rows = pl.concat([pl.read_parquet(path) for path in sorted((place / "world").glob("logs/*/*.parquet"))])
    place_of = pl.int_range(pl.len())
    planted = {
        "end_user_id": pl.lit("user-1"),
        "trace_id": pl.lit("trace-1"),
        "n_images": pl.lit(2, pl.Int32),
        "top_logprobs": pl.lit(5, pl.Int32),
        "n_logit_bias": pl.lit(3, pl.Int32),
        "n_choices": pl.lit(4, pl.Int32),
        "response": pl.lit('An answer:\n"quoted", with é, 漢字 and \\ in it.'),
        "response_format": pl.lit("json_object"),
        "sample_rate": pl.lit(0.5),
    }
    rows = rows.with_columns(
        pl.when(place_of % 3 == 0).then(value).otherwise(pl.col(name)).cast(rows.schema[name]).alias(name)
        for name, value in planted.items()
    )
    stops = ["stop", "length", "tool", "pause", "refusal", "filter", "error", "other"]
    is_refused = place_of % len(stops) == stops.index("refusal")
    rows = rows.with_columns(
        pl.Series("stop_reason", [stops[i % len(stops)] for i in range(len(rows))]),
        pl.when(is_refused).then(pl.lit("reasoning_extraction")).alias("refusal_category"),
    )
    return rows.to_arrow().cast(REQUEST_SCHEMA)


JSON_WRITINGS = [name for name, (_, writing) in WRITINGS.items() if writing.ending == ".jsonl"]


@pytest.mark.parametrize("name", WRITINGS)
def test_what_is_written_in_a_format_reads_back_the_same(name, truth, tmp_path):
    source, writing = WRITINGS[name]
    ending, write = WRITERS[name]
    path = tmp_path / f"log{ending}"
    write(truth, path)
    with open_log(path, batch_rows=1_000, threads=2) as reader:
        back = pa.Table.from_batches(reader.batches())
    assert reader.format == source.name
    assert (reader.n_rows, reader.n_refused, reader.n_passed_over) == (len(truth), 0, 0)
    assert reader.not_understood == ()
    for column in REQUEST_SCHEMA.names:
        if column in writing.carries:
            assert back[column].to_pylist() == truth[column].to_pylist(), column


def test_a_promise_to_carry_something_is_tested_on_something(truth):
    promised = set().union(*(writing.carries for _, writing in WRITINGS.values()))
    assert {name for name in promised if truth[name].null_count == len(truth)} == set()


@pytest.fixture
def written(truth, tmp_path):
    """A few records of each writing, as Python objects."""

    def records(name: str, n_rows: int = 5) -> list[dict]:
        path = tmp_path / f"{name}{WRITERS[name][0]}"
        WRITERS[name][1](truth.slice(0, n_rows), path)
        return [json.loads(line) for line in path.read_text().splitlines()]

    return records


def as_array(records) -> bytes:
    return json.dumps(records).encode()


def as_pretty_array(records) -> bytes:
    return json.dumps(records, indent=2).encode()


def as_pretty_objects(records) -> bytes:
    return "\n".join(json.dumps(one, indent=2) for one in records).encode()


def as_csv(records) -> bytes:
    frame = pl.DataFrame(
        [{k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in one.items()} for one in records],
        infer_schema_length=None,
    )
    return frame.write_csv().encode()


@pytest.mark.parametrize("name", JSON_WRITINGS)
@pytest.mark.parametrize("form", [as_array, as_pretty_array, as_pretty_objects, as_csv])
@pytest.mark.parametrize("ending", [".json", ".json.gz", ".json.zst"])
def test_a_record_means_the_same_in_every_container(name, form, ending, written, lines):
    records = written(name)
    plain = read(lines(*records))
    other = read(lines(form(records), name=f"log{ending}"))
    assert (other.format, other.refused) == (plain.format, [])
    # Where nothing but its place tells a record from others, its place in this file is in its id.
    placed = ("row_number", "request_id") if name == "cloudflare-logpush" else ("row_number",)
    assert other.rows == [
        {**row, **{column: got[column] for column in placed}}
        for row, got in zip(plain.rows, other.rows, strict=True)
    ]
    assert len(set(other.column("request_id"))) == len(other.rows)


@pytest.mark.parametrize("name", JSON_WRITINGS)
def test_a_record_means_the_same_in_parquet(name, written, lines, tmp_path):
    records = written(name)
    columns = {key: [one.get(key) for one in records] for key in records[0]}
    as_texts = {
        k: [json.dumps(v) for v in vs] if isinstance(vs[0], dict | list) else vs for k, vs in columns.items()
    }
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table(as_texts), path)
    assert read(path).rows == read(lines(*records)).rows


def test_nested_columns_of_parquet_are_read_as_they_are(lines, tmp_path):
    records = [a_call(id="r1"), a_call(id="r2")]
    path = tmp_path / "log.parquet"
    pq.write_table(pa.Table.from_pylist(records), path)
    assert read(path).rows == read(lines(*records)).rows


@pytest.mark.parametrize("name", JSON_WRITINGS)
def test_detection_knows_a_format_by_its_first_records(name, written, lines):
    source, _ = WRITINGS[name]
    assert detect_format(lines(b"not json\n", {"health": "ok"}, *written(name))) == source.name


def test_simulated_nights_are_known_in_every_format(tmp_path):
    scenario = tmp_path / "few.toml"
    scenario.write_text("nights = 1\n[benign]\nperson_chat = 5\n")
    simulate(tmp_path / "world", scenario=scenario)
    rows = pq.read_table(next((tmp_path / "world").glob("logs/*/*.parquet")))
    for name, (source, _) in WRITINGS.items():
        ending, write = WRITERS[name]
        path = tmp_path / f"{name}{ending}"
        write(rows, path)
        assert detect_format(path) == source.name


def test_every_format_has_its_own_name_and_says_what_it_carries():
    rows = overview()
    assert len({row.name for row in rows}) == len(rows) == len(SOURCES) + 1
    for source in SOURCES.values():
        assert set(source.columns) <= set(REQUEST_SCHEMA.names)
        assert source.writings, "without a writer nobody can rehearse it"
        assert set(source.lacks.values()).isdisjoint({""})


def test_what_a_format_can_carry_and_no_row_has_is_said_not_to_be_looked_for(truth, tmp_path):
    whole, bare = tmp_path / "whole.jsonl", tmp_path / "bare.jsonl"
    WRITERS["kong"][1](truth.slice(0, 20), whole)
    WRITERS["kong-metadata"][1](truth.slice(0, 20), bare)
    assert check_logs([str(whole)]).unseen == {}
    assert set(check_logs([str(bare)]).unseen["kong"]) == {"prompt", "system", "tools", "sampling", "logits"}
    done = CliRunner().invoke(cli.app, ["scan", str(bare), "--workspace", str(tmp_path / "watch")])
    assert "Not looked for: everything about content" in " ".join(done.output.split())


def test_what_a_request_with_a_body_did_not_ask_for_was_looked_for(lines):
    assert set(check_logs([str(lines(a_call()))]).unseen["gateway"]) == {"network", "tokens", "latency"}


def test_a_mixed_folder_is_read_file_by_file(truth, tmp_path):
    for name, (_, write) in WRITERS.items():
        write(truth.slice(0, 3), tmp_path / f"{name.replace('.', '-')}{WRITERS[name][0]}")
    report = check_logs([str(tmp_path)])
    assert report.ok
    assert report.n_rows == 3 * len(WRITERS)
    assert {file.format for file in report.files} == {"stillwatch", *(s.name for s, _ in WRITINGS.values())}


def test_a_file_of_no_known_format_is_named_with_what_was_seen(lines):
    path = lines({"user": "ana", "text": "hi", "bad\x1bname": 1, "secret prompt in a key": 2})
    with pytest.raises(UnreadableInput, match=r"their fields are text, user$") as caught:
        open_log(path, batch_rows=1, threads=1)
    assert "stillwatch sources" in caught.value.remedy


def test_format_overrules_what_the_data_look_like(lines):
    path = lines({"request_id": "r1", "ts": NOON, "account_id": "ana", "prompt": "hi"})
    assert read(path).format == "stillwatch"
    forced = read(path, log_format="gateway")
    assert (forced.format, forced.column("prompt")) == ("gateway", [None])


@pytest.mark.parametrize("name", ["envoy", "kong", "vllm"])
def test_a_format_that_reads_nothing_of_a_file_is_not_taken_for_its_own(name, lines):
    path = lines({"id": "r1", "ts": NOON, "account": "ana", "response": {"usage": {"input_tokens": 1}}})
    with pytest.raises(UnreadableInput, match=rf"log\.jsonl: nothing that {name} logs have") as caught:
        read(path, log_format=name)
    assert "--format" in caught.value.remedy
    done = CliRunner().invoke(cli.app, ["check", str(path), "--format", name])
    assert done.exit_code != 0
    assert read(lines(b"\n"), log_format=name).rows == [], "an empty log is a log of any format"


def a_call(**fields):
    return {
        "id": "r1",
        "ts": NOON,
        "account_id": "ana",
        "request": {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
        **fields,
    }


def test_what_a_newer_version_added_or_retyped_is_said(lines):
    path = lines(a_call(region="eu", response={"id": "x", "novel": 1, "usage": 7, "choices": []}))
    with open_log(path, batch_rows=9, threads=1) as reader:
        assert sum(len(batch) for batch in reader.batches()) == 1
        assert reader.not_understood == ("region", "response.novel", "response.usage (of another type)")


@pytest.mark.parametrize(
    ("account", "is_account", "organisation"),
    [
        ((), "ana", "org"),
        (("end_user",), "eve", "org"),
        (("organisation",), "org", "org"),
        (("project", "key"), "key", "org"),
    ],
)
def test_the_settings_choose_which_identity_is_the_account(lines, account, is_account, organisation):
    path = lines(a_call(end_user_id="eve", org_id="org", key_id="key"))
    with open_log(path, batch_rows=9, threads=1, account=account) as reader:
        (batch,) = reader.batches()
        row = batch.to_pylist()[0]
    assert (row["account_id"], row["org_id"], row["end_user_id"]) == (is_account, organisation, "eve")


def test_our_own_format_takes_the_setting_too_and_the_old_account_stays_a_tie(lines):
    path = lines({"request_id": "r1", "ts": NOON, "account_id": "ana", "api_key_id": "key"})
    with open_log(path, batch_rows=9, threads=1, account=("key",)) as reader:
        (batch,) = reader.batches()
    assert (batch["account_id"][0].as_py(), batch["org_id"][0].as_py()) == ("key", "ana")


def test_a_record_without_the_chosen_identity_is_refused_by_its_row(lines):
    path = lines(a_call(id="a", end_user_id="eve"), a_call(id="b"))
    with open_log(path, batch_rows=9, threads=1, account=("end_user",)) as reader:
        assert sum(len(batch) for batch in reader.batches()) == 1
        assert reader.refused.to_pylist()[0]["row_number"] == 2


SPANS = Source(
    name="spans",
    title="Many calls in one document, some of them no model calls",
    versions="invented",
    told_by=((has("spans"),),),
    structure={"host": TEXT, "spans": [{"id": TEXT, "kind": TEXT, "at": TEXT, "who": TEXT}]},
    each={"item": "doc.spans"},
    steps=({"caller": "concat(item.who, '@', doc.host)"},),
    is_request="item.kind = 'chat'",
    columns={"request_id": "item.id", "ts": "item.at", "account_id": "caller"},
)


def test_a_document_of_many_calls_gives_a_row_for_each_and_counts_what_is_no_call(lines):
    def span(name, kind="chat", at=NOON):
        return {"id": name, "kind": kind, "at": at, "who": "ana"}

    path = lines(
        {"host": "h1", "spans": [span("a"), span("t", kind="tool"), span("b")]},
        b"{broken\n",
        {"host": "h2", "spans": []},
        b'{"host": "h\\ud800", "spans": [{"id": "c", "kind": "chat", "at": "2025-06-01", "who": "eve"}]}\n',
        {"host": "h3", "spans": [span("d", at="yesterday")]},
    )
    rows, refused, reader = read_spans(path, SPANS)
    assert [(row["request_id"], row["row_number"]) for row in rows] == [("a", 1), ("b", 1), ("c", 4)]
    assert rows[0]["account_id"] == "ana@h1"
    assert refused == [(2, None), (5, "ts")]
    assert (reader.n_passed_over, reader.n_rows) == (2, 7)


def read_spans(path, source):
    """Rows as (request, row number), refused row numbers, and the reader, of a log of `SPANS`."""
    with LogReader(
        path,
        look(path),
        target=_REQUESTS,
        fields=source.fields,
        select=lambda present: source.expressions(),
        batch_rows=100,
        threads=2,
        source=source,
    ) as reader:
        rows = [row for batch in reader.batches() for row in batch.to_pylist()]
        return rows, [(row["row_number"], row["column_name"]) for row in reader.refused.to_pylist()], reader


def test_a_document_of_which_one_call_has_an_odd_shape_gives_each_call_once(lines):
    caller = Shapes(usual="item.who", is_odd="item.who IS NULL", of_any="coalesce(item.who, 'nobody')")
    source = replace(SPANS, steps=({"caller": caller},))
    callers = {"a": "ana", "b": None, "c": "eve"}
    calls = [{"id": name, "kind": "chat", "at": NOON, "who": who} for name, who in callers.items()]
    rows, refused, _ = read_spans(lines({"spans": calls}, {"spans": calls[:1]}), source)
    assert [(row["request_id"], row["account_id"], row["row_number"]) for row in rows] == [
        ("a", "ana", 1), ("b", "nobody", 1), ("c", "eve", 1), ("a", "ana", 2),
    ]  # fmt: skip
    assert refused == []


# -- traps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prompt",
    [b'"a\\ud800b"', b'"a\\u0000b"', b'"a\x00b"', b'"a\xff\xfeb"', b'"a\tb"', b'"\xed\xa0\x80"'],
    ids=["surrogate", "escaped NUL", "raw NUL", "not UTF-8", "raw tab", "encoded surrogate"],
)
@pytest.mark.parametrize("is_array", [False, True])
def test_bytes_that_a_client_chose_are_replaced_and_never_stop_a_scan(lines, prompt, is_array):
    text = as_line(a_call()).strip().replace(b'"hi"', prompt)
    whole = as_line(a_call(id="r2")).strip()
    log = read(lines(b"[" + text + b"," + whole + b"]" if is_array else text + b"\n" + whole + b"\n"))
    assert log.column("request_id") == ["r1", "r2"]
    assert log.refused == []
    assert log.column("prompt")[1] == "hi"


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b""])
def test_records_sent_in_batches_are_as_many_records(ending, lines):
    calls = [a_call(id=f"r{at}") for at in range(6)]
    batches = [json.dumps(batch).encode() + ending for batch in (calls[:3], calls[3:5], [], calls[5:], [7])]
    log = read(lines(*batches))
    assert log.column("request_id") == [f"r{at}" for at in range(6)]
    assert [reason for _, _, reason in log.refused] == ["expected a JSON object"] * 2


def test_broken_lines_are_counted_by_number_and_the_others_read(lines):
    log = read(lines(a_call(), b"{broken\n", b"\n", b'["a list"]\n', a_call(id="r2"), b'{"id": "r3", "ts'))
    assert log.column("request_id") == ["r1", "r2"]
    assert [(row, reason) for row, _, reason in log.refused] == [
        (2, "not valid JSON"), (4, "expected a JSON object"), (6, "not valid JSON"),
    ]  # fmt: skip
    assert log.n_rows == 5


def test_an_array_that_breaks_off_gives_what_was_whole(lines):
    text = as_array([a_call(), a_call(id="r2"), a_call(id="r3")])
    log = read(lines(text[: text.rindex(b"messages")], name="log.json"))
    assert log.column("request_id") == ["r1", "r2"]
    assert [row for row, _, _ in log.refused] == [3]


def test_a_line_of_many_megabytes_is_one_record(lines):
    row = read(
        lines(a_call(request={"model": "m", "messages": [{"role": "user", "content": "x" * 40_000_000}]}))
    ).rows[0]
    assert len(row["prompt"]) == 40_000_000


def outermost_slow(text: str) -> list[str]:
    """Character by character: the objects and arrays that lie in nothing else."""
    found, depth, start, is_inside, is_escaped = [], 0, 0, False, False
    for at, char in enumerate(text):
        if is_inside:
            is_inside, is_escaped = (is_escaped or char != '"'), (not is_escaped and char == "\\")
        elif char == '"':
            is_inside = True
        elif char in "{[":
            start, depth = (at, 1) if depth == 0 else (start, depth + 1)
        elif char in "}]" and depth:
            depth -= 1
            if depth == 0:
                found.append(text[start : at + 1])
    return found


def test_documents_are_cut_where_a_slow_reader_cuts_them():
    draw = random.Random(7)
    for _ in range(300):
        values = [
            {
                "a" * draw.randrange(3): draw.choice(
                    ['"', "\\", '\\"', "{", "}]", "x\\\\", [1, {"b": "]"}], None]
                )
            }
            for _ in range(draw.randrange(5))
        ]
        text = (
            draw.choice(["", "]", "}{} "])
            + ",\n".join(json.dumps(v) for v in values)
            + draw.choice(["", "]", '{"'])
        )
        starts, ends = outermost(text.encode())
        cut = [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        assert cut == outermost_slow(text)


# -- the command -----------------------------------------------------------------------------------


def test_the_command_lists_every_format_as_table_and_as_json_lines():
    table = CliRunner().invoke(cli.app, ["sources"])
    rows = CliRunner().invoke(cli.app, ["sources", "--format", "jsonl"])
    assert (table.exit_code, rows.exit_code) == (0, 0)
    listed = [json.loads(line) for line in rows.stdout.splitlines()]
    assert {row["name"] for row in listed} == {"stillwatch", *SOURCES}
    for name in SOURCES:
        assert name in table.stdout
