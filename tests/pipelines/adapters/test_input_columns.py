"""Which values a column takes, whatever container they come in, and how the others are refused."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from log_files import NOON, read, record

from pipelines.adapters import open_log

JUNE_1_NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
SECRET = "the tortoise counts its steps"


def test_only_three_columns_are_needed_and_unknown_ones_are_ignored(lines):
    log = read(lines(record(favourite_colour="teal")))
    assert log.refused == []
    (row,) = log.rows
    assert (row["request_id"], row["ts"], row["account_id"]) == ("r1", JUNE_1_NOON, "ana")
    assert row["prompt"] is None
    assert row["input_tokens"] is None
    assert "favourite_colour" not in row


def test_a_log_without_status_or_sampling_means_200_and_everything(lines):
    (row,) = read(lines(record())).rows
    assert (row["status"], row["sample_rate"]) == (200, 1.0)


@pytest.mark.parametrize("column", ["request_id", "ts", "account_id"])
@pytest.mark.parametrize("value", [None, "", " \t", "\u200b\ufeff", "\u3000"])
def test_nothing_is_not_an_identity(lines, column, value):
    log = read(lines(record("first"), record("second") | {column: value}, record("third")))
    assert log.refused == [(2, column, "missing or empty")]
    assert log.column("request_id") == ["first", "third"]


def test_a_file_without_a_required_column_is_refused_row_by_row(csv):
    log = read(csv("request_id,ts\na,2025-06-01\nb,2025-06-01\n"))
    assert log.refused == [(2, "account_id", "missing or empty"), (3, "account_id", "missing or empty")]


@pytest.mark.parametrize(
    "written",
    [
        "2025-06-01T12:00:00Z",
        "2025-06-01t12:00:00z",
        "2025-06-01 12:00:00",
        "2025-06-01T14:00:00+02:00",
        "2025-06-01T08:30:00-03:30",
        "2025-06-01T12:00:00.000000000Z",
        1748779200,
        1748779200.0,
        "1748779200",
        1748779200000,
        1748779200000000,
        1748779200000000000,
        "1748779200000",
    ],
)
def test_one_instant_written_in_many_ways(lines, written):
    assert read(lines(record(ts=written))).column("ts") == [JUNE_1_NOON]


def test_fractions_of_a_second_are_kept_to_the_microsecond(lines):
    log = read(lines(record(ts=1748779200.25), record(ts="2025-06-01T12:00:00.123456789Z")))
    assert [ts.microsecond for ts in log.column("ts")] == [250_000, 123_456]


@pytest.mark.parametrize(
    "made",
    [
        pa.array([JUNE_1_NOON], pa.timestamp("us", tz="UTC")),
        pa.array([JUNE_1_NOON], pa.timestamp("ns", tz="Asia/Tokyo")),
        pa.array([JUNE_1_NOON.replace(tzinfo=None)], pa.timestamp("s")),
        pa.array([JUNE_1_NOON.replace(tzinfo=None)], pa.timestamp("ms")),
        pa.array([JUNE_1_NOON.replace(tzinfo=None)], pa.timestamp("ns")),
        pa.array([1748779200], pa.int32()),
        pa.array([1748779200000], pa.uint64()),
        pa.array([1748779200.0], pa.float64()),
        pa.array([NOON], pa.large_string()),
        pa.array([NOON]).dictionary_encode(),
        pa.array([NOON.encode()], pa.binary()),
    ],
    ids=lambda made: str(made.type),
)
def test_every_parquet_type_that_can_hold_a_time_does(parquet, made):
    assert read(parquet({"ts": made})).column("ts") == [JUNE_1_NOON]


def test_a_parquet_date_is_its_midnight(parquet):
    midnight = datetime(2025, 6, 1, tzinfo=UTC)
    assert read(parquet({"ts": [date(2025, 6, 1)]})).column("ts") == [midnight]


@pytest.mark.parametrize(
    "written",
    ["2019-12-31T23:59:59Z", "2101-01-01T00:00:00Z", 0, -1, 2025, 9e18, -(2**63), "infinity", "290000-01-01"],
)
def test_years_outside_2020_to_2100_are_refused(lines, written):
    (refusal,) = read(lines(record(ts=written))).refused
    assert refusal[:2] == (1, "ts")
    assert refusal[2] in {"time outside 2020 to 2100", "expected a time"}


def test_the_edges_of_the_years_belong_to_them(lines):
    log = read(lines(record(ts="2020-01-01T00:00:00Z"), record(ts="2100-12-31T23:59:59.999999Z")))
    assert [ts.year for ts in log.column("ts")] == [2020, 2100]


@pytest.mark.parametrize("written", ["yesterday", "2025-13-01", "12:00", True, [1], {"at": 1}, "1e400"])
def test_what_is_no_time_says_so(lines, written):
    assert read(lines(record(ts=written))).refused == [(1, "ts", "expected a time")]


@pytest.mark.parametrize(
    ("column", "written", "meant"),
    [
        ("max_tokens", 4096, 4096),
        ("max_tokens", "4096", 4096),
        ("max_tokens", 4096.0, 4096),
        ("max_tokens", 1e3, 1000),
        ("max_tokens", -1, -1),
        ("max_tokens", "", None),
        ("max_tokens", "NaN", None),
        ("input_tokens", 2**40, 2**40),
        ("output_tokens", 0, 0),
        ("temperature", 1, 1.0),
        ("temperature", "0.7", 0.7),
        ("temperature", "nan", None),
        ("stream", True, True),
        ("stream", "FALSE", False),
        ("stream", 1, True),
        ("stream", "0", False),
        ("tool_names", ["search", "read"], ["search", "read"]),
        ("tool_names", '["search"]', ["search"]),
        ("tool_names", [], []),
        ("tool_names", "", None),
        ("model", 4, "4"),
        ("model", "  ", None),
        ("prompt", "  ", "  "),
        ("prompt", "", ""),
        ("prompt", [{"type": "text", "text": "hi"}], '[{"type":"text","text":"hi"}]'),
        ("sample_rate", 0.25, 0.25),
    ],
)
def test_values_that_mean_what_they_say(lines, column, written, meant):
    log = read(lines(record(**{column: written})))
    assert log.refused == []
    assert log.column(column) == [meant]


@pytest.mark.parametrize(
    ("column", "written", "reason"),
    [
        ("max_tokens", 4096.5, "expected a whole number"),
        ("max_tokens", "lots", "expected a whole number"),
        ("max_tokens", True, "expected a whole number"),
        ("max_tokens", "0x10", "expected a whole number"),
        ("max_tokens", [1], "expected a whole number"),
        ("max_tokens", 2**31, "whole number out of range"),
        ("status", -(2**40), "whole number out of range"),
        ("input_tokens", 2**63, "expected a whole number"),
        ("input_tokens", 10**400, "expected a whole number"),
        ("input_tokens", -1, "must not be negative"),
        ("cached_tokens", "-5", "must not be negative"),
        ("latency_ms", "fast", "expected a number"),
        ("latency_ms", "inf", "expected a finite number"),
        ("temperature", float("-inf"), "expected a finite number"),
        ("sample_rate", 0, "must be above 0 and at most 1"),
        ("sample_rate", 1.5, "must be above 0 and at most 1"),
        ("stream", "maybe", "expected true or false"),
        ("stream", 2, "expected true or false"),
        ("tool_names", "search", "expected a list of names"),
        ("tool_names", {"name": "search"}, "expected a list of names"),
    ],
)
def test_a_value_of_the_wrong_kind_refuses_its_row_and_no_other(lines, column, written, reason):
    log = read(lines(record("first"), record("second", **{column: written}), record("third")))
    assert log.refused == [(2, column, reason)]
    assert log.column("request_id") == ["first", "third"]
    assert log.n_rows == 3


@pytest.mark.parametrize(
    ("column", "made", "expected"),
    [
        ("input_tokens", pa.array([3.0, float("nan"), 3.5]), [3, None]),
        ("input_tokens", pa.array([3, -3, None]), [3, None]),
        ("max_tokens", pa.array([7, 2**31, None], pa.int64()), [7, None]),
        ("max_tokens", pa.array([7, 2**64 - 1, None], pa.uint64()), [7, None]),
        ("temperature", pa.array([0.5, float("inf"), float("nan")]), [0.5, None]),
        ("stream", pa.array([1, 2, 0], pa.int8()), [True, False]),
        ("tool_names", pa.array([["a", None], None, []], pa.list_(pa.string())), [["a", None], None, []]),
        (
            "tool_names",
            pa.array([["a"], ["b"], None], pa.large_list(pa.large_string())),
            [["a"], ["b"], None],
        ),
        ("tool_names", pa.array(['["a"]', "a", None]), [["a"], None]),
        ("model", pa.array([{"name": "m"}, None, None]), ['{"name":"m"}', None, None]),
        ("model", pa.array([b"m", None, b" "], pa.binary()), ["m", None, None]),
    ],
)
def test_typed_columns_follow_the_same_rules_as_text(parquet, column, made, expected):
    log = read(parquet({column: made}))
    assert log.column(column) == expected
    assert log.n_rows == 3
    assert len(log.refused) == 3 - len(expected)


def test_a_column_named_twice_or_in_capitals_counts_once_and_by_its_exact_name(tmp_path, csv):
    names = ["MODEL", "request_id", "ts", "account_id", "model", "Model"]
    table = pa.table([pa.array([value]) for value in ("a", "r1", NOON, "ana", "exact", "b")], names=names)
    pq.write_table(table, tmp_path / "log.parquet")
    assert read(tmp_path / "log.parquet").column("model") == ["exact"]
    log = read(csv(f"Model,model,request_id,ts,account_id,model\na,exact,r1,{NOON},ana,b\n"))
    assert log.column("model") == ["exact"]


def test_a_key_given_twice_in_one_object_counts_once(lines):
    line = b'{"request_id":"r1","ts":1748779200,"account_id":"first","account_id":"second"}\n'
    assert read(lines(line)).column("account_id") == ["first"]


def test_every_fault_of_a_row_is_known_though_it_is_refused_once(lines):
    path = lines(record(input_tokens="x", temperature="y"), record())
    with open_log(path, batch_rows=10, threads=1) as reader:
        assert sum(batch.num_rows for batch in reader.batches()) == 1
        assert reader.n_refused == reader.refused.num_rows == 1
        assert sorted(reader.problems["column_name"].to_pylist()) == ["input_tokens", "temperature"]


def test_refusals_never_repeat_what_a_row_says(lines, csv, parquet):
    logs = [
        lines(record(prompt=SECRET, input_tokens=SECRET), record(ts=SECRET), SECRET.encode() + b"{\n"),
        csv(f'request_id,ts,account_id,prompt\n1,{SECRET},a,"{SECRET}"\n{SECRET}\n"{SECRET}\n'),
        parquet({"prompt": [SECRET], "stream": [SECRET]}),
    ]
    for path in logs:
        log = read(path)
        assert log.refused
        assert SECRET not in repr(log.refused)
