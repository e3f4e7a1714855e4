"""One table, five containers: what is read does not depend on how it was packed."""

import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_files import NOON, as_line, read, record

from pipelines.adapters import detect_format, open_log

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
QUIRKS = st.sampled_from(['say "hi", then\ngo', "\r\n", '"', ",", "\u0000x", "é\u200b漢", "null", "1", " "])
IDS = st.integers(0, 10**6).map("r{}".format)

RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "request_id": IDS,
            "ts": st.datetimes(
                min_value=datetime(2020, 1, 1),  # noqa: DTZ001  UTC by contract
                max_value=datetime(2100, 12, 31),  # noqa: DTZ001
            ),
            "account_id": IDS,
            "prompt": st.none() | TEXT | QUIRKS,
            "model": st.none() | TEXT | QUIRKS,
            "tool_names": st.none() | st.lists(TEXT | QUIRKS, max_size=3),
            "max_tokens": st.none() | st.integers(-(2**31), 2**31 - 1),
            "input_tokens": st.none() | st.integers(0, 2**62),
            "temperature": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "stream": st.none() | st.booleans(),
        }
    ),
    min_size=1,
    max_size=8,
)
SCHEMA = pa.schema(
    {
        "request_id": pa.string(),
        "ts": pa.timestamp("us"),
        "account_id": pa.string(),
        "prompt": pa.string(),
        "model": pa.string(),
        "tool_names": pa.list_(pa.string()),
        "max_tokens": pa.int32(),
        "input_tokens": pa.int64(),
        "temperature": pa.float64(),
        "stream": pa.bool_(),
    }
)


def write_all(records: list[dict], folder: Path) -> list[Path]:
    """The same records as Parquet, JSON Lines (plain, .gz, .zst) and CSV."""
    table = pa.Table.from_pylist(records, SCHEMA)
    pq.write_table(table, folder / "log.parquet", row_group_size=3)
    texts = [one | {"ts": one["ts"].isoformat()} for one in records]
    raw = b"".join(map(as_line, texts))
    paths = [folder / "log.parquet", folder / "log.jsonl", folder / "log.jsonl.gz", folder / "log.jsonl.zst"]
    paths[1].write_bytes(raw)
    for path, codec in ((paths[2], "gzip"), (paths[3], "zstd")):
        with pa.CompressedOutputStream(str(path), codec) as out:
            out.write(raw)
    flat = [
        one | {"tool_names": None if one["tool_names"] is None else json.dumps(one["tool_names"])}
        for one in texts
    ]
    as_text = SCHEMA.set(1, pa.field("ts", pa.string())).set(5, pa.field("tool_names", pa.string()))
    pcsv.write_csv(pa.Table.from_pylist(flat, as_text), folder / "log.csv")
    return [*paths, folder / "log.csv"]


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS)
def test_the_same_records_read_alike_from_every_container(tmp_path, records):
    first, *others = [read(path, batch_rows=3) for path in write_all(records, tmp_path)]
    assert first.refused == []
    assert first.column("request_id") == [one["request_id"] for one in records]
    assert first.column("prompt") == [one["prompt"] for one in records]
    assert first.column("temperature") == [one["temperature"] for one in records]
    for other in others:
        assert other.refused == []
        assert without_place(other.rows) == without_place(first.rows)


def without_place(rows: list[dict]) -> list[dict]:
    return [{name: value for name, value in row.items() if name != "row_number"} for row in rows]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    junk=st.lists(st.binary(max_size=30) | st.sampled_from([b'"', b"\n", b"{", b"\x00", b"\xff"]), max_size=8)
)
def test_no_bytes_between_two_good_lines_cost_those_lines(tmp_path, junk):
    path = tmp_path / "log.jsonl"
    path.write_bytes(as_line(record("first")) + b"".join(junk) + b"\n" + as_line(record("last")))
    log = read(path)
    assert {"first", "last"} <= set(log.column("request_id"))
    assert len(log.rows) + len(log.refused) == log.n_rows


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    junk=st.lists(
        st.binary(max_size=30) | st.sampled_from([b'"', b",", b"\r", b"\n", b'""', b"\xff"]), max_size=8
    )
)
def test_junk_in_a_csv_file_is_refused_or_read_but_never_a_crash(tmp_path, junk):
    path = tmp_path / "log.csv"
    head = f"request_id,ts,account_id\nfirst,{NOON},ana\n".encode()
    path.write_bytes(head + b"".join(junk) + b"\n" + f"last,{NOON},ana\n".encode())
    log = read(path)
    assert log.column("request_id")[0] == "first"
    assert len(log.rows) + len(log.refused) == log.n_rows


@pytest.mark.parametrize(
    "name", ["gateway.log", "gateway", "gateway.csv", "gateway.parquet", "gateway.jsonl.gz"]
)
def test_the_content_tells_the_container_whatever_the_name_says(lines, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(as_line(record()))
    assert detect_format(path) == "stillwatch"
    assert len(read(path).rows) == 1


def test_a_first_line_that_makes_no_sense_does_not_hide_the_format(lines):
    log = read(lines(b"-- log opened --\n", record()))
    assert log.format == "stillwatch"
    assert log.refused == [(1, None, "not valid JSON")]


def test_a_first_line_that_was_cut_off_after_a_comma_costs_itself(lines):
    log = read(lines(b'{"request_id": "cut",\n', record("two"), record("three")))
    assert log.column("request_id") == ["two", "three"]
    assert log.refused == [(1, None, "not valid JSON")]


def test_objects_over_several_lines_are_told_from_cut_ones(lines):
    over_lines = b'{"request_id": "one",\n"ts": "%s",\n"account_id": "ana",\n"tool_names":\n[]\n}\n'
    log = read(lines(over_lines % NOON.encode()))
    assert (log.column("request_id"), log.refused) == (["one"], [])
    inner = b'{"request_id": "one", "prompt": [\n{"x": 1},\n{"x": 2}\n], "ts": "%s", "account_id": "ana"}\n'
    log = read(lines(inner % NOON.encode()))
    assert (log.column("request_id"), log.refused) == (["one"], [])


def test_records_right_behind_one_another_are_as_many_requests(lines):
    """Kinesis Firehose puts nothing between them."""
    records = [as_line(record(name, prompt="}{")).rstrip() for name in ("one", "two", "three")]
    log = read(lines(b"".join(records)))
    assert (log.column("request_id"), log.refused) == (["one", "two", "three"], [])
    assert log.column("row_number") == [1, 2, 3]


def test_what_lies_deep_in_a_first_record_does_not_name_the_format(lines):
    """None of the records is whole within what is looked at: only keys at the top say what they are."""
    long = {"inner": {"resourceSpans": [], "x": '"resourceSpans": '}, **record(prompt="long " * 400_000)}
    assert read(lines(long)).format == "stillwatch"
    assert read(lines(b"[", long, b"]")).format == "stillwatch"


@pytest.mark.parametrize("text", [b"[]", b"\n[\n]\n", b"\xef\xbb\xbf[ ]"])
def test_an_export_without_rows_is_an_empty_log(lines, text):
    log = read(lines(text))
    assert (log.rows, log.refused, log.n_rows) == ([], [], 0)


def test_a_first_record_of_many_megabytes_is_recognised(lines):
    assert len(read(lines(record(prompt="long " * 600_000))).rows[0]["prompt"]) == 3_000_000


@pytest.mark.parametrize("form", ["lines", "one line", "array", "spread out"])
def test_of_a_long_first_record_the_names_within_it_do_not_tell_the_format(form, tmp_path):
    body = {"model": "m", "messages": [{"role": "user", "content": "long " * 400_000}]}
    about = {"request_id": "x", "ts": "x", "account_id": "x", "latencies": 1, "spans": [], "startTime": 2}
    call = {"request": {**body, "metadata": about}, "id": "r1", "ts": NOON, "account_id": "ana"}
    shapes = {
        "lines": json.dumps(call) + "\n" + json.dumps(call | {"id": "r2"}) + "\n",
        "one line": json.dumps(call),
        "array": json.dumps([call, call | {"id": "r2"}]),
        "spread out": json.dumps(call, indent=1),
    }
    path = tmp_path / "log.json"
    path.write_text(shapes[form])
    log = read(path)
    assert (log.format, log.refused, log.column("account_id")[0]) == ("gateway", [], "ana")
    assert len(log.rows[0]["prompt"]) > 1_000_000


def test_threads_and_batches_change_nothing(tmp_path):
    records = [record(f"r{at}", prompt="x" * (at % 97), input_tokens=at) for at in range(5_000)]
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "log.parquet", row_group_size=700)
    (tmp_path / "log.jsonl").write_bytes(b"".join(map(as_line, records)))
    for name in ("log.parquet", "log.jsonl"):
        one = read(tmp_path / name, batch_rows=64, threads=1)
        many = read(tmp_path / name, batch_rows=10_000, threads=4)
        assert one == many
        assert one.column("row_number") == list(range(1, 5_001))


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS, drawn=st.sets(st.integers(0, 9)))
def test_wanted_rows_are_read_as_in_the_whole_file(tmp_path, records, drawn):
    columns = ("request_id", "prompt", "max_tokens")
    for path in write_all(records, tmp_path):
        whole = read(path).rows
        rows = sorted(row["row_number"] for at, row in enumerate(whole) if at in drawn)
        with open_log(path, batch_rows=3, threads=2, columns=columns, rows=rows) as reader:
            found = [row for batch in reader.batches() for row in batch.to_pylist()]
        wanted = [row for row in whole if row["row_number"] in rows]
        assert found == [{name: row[name] for name in (*columns, "row_number")} for row in wanted]
