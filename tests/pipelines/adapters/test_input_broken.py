"""Damage: one bad row costs itself, one bad file costs itself, and neither is a way to hide."""

import bz2
import gzip
import json
import lzma
import os
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_files import NOON, as_line, read, record

from pipelines.adapters import detect_format, open_log
from pipelines.adapters.block import Block
from pipelines.adapters.blocks import MAX_RECORD_BYTES
from pipelines.adapters.csvfile import csv_blocks
from pipelines.adapters.lines import line_blocks
from pipelines.errors import UnreadableInput, UsageError

HEAD = "request_id,ts,account_id,prompt\n"


def test_a_malformed_line_is_refused_by_its_physical_line(lines):
    log = read(
        lines(
            b"\xef\xbb\xbf",
            record("one"),
            b"\n   \r\n",
            b"{oops\n",
            record("five"),
            b'["not", "an object"]\n',
            b"42\n",
            b'{"request_id": "cut o',
        )
    )
    assert log.column("request_id") == ["one", "five"]
    assert log.column("row_number") == [1, 5]
    assert log.refused == [
        (4, None, "not valid JSON"),
        (6, None, "expected a JSON object"),
        (7, None, "expected a JSON object"),
        (8, None, "not valid JSON"),
    ]
    assert log.n_rows == 6


def test_windows_line_ends_and_a_last_line_without_one_are_ordinary(lines):
    log = read(lines(as_line(record("one")).replace(b"\n", b"\r\n"), as_line(record("two")).rstrip()))
    assert log.refused == []
    assert log.column("row_number") == [1, 2]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"lone \\ud800 surrogate", "lone ? surrogate"),
        (b"raw \x01 control \t character", "raw \x01 control \t character"),
        (b"raw \x00 zero", "raw \x00 zero"),
        (b"escaped \\u0000 zero", "escaped \x00 zero"),
        (b"latin-1 caf\xe9", "latin-1 caf\ufffd"),
        (b"torn \xf0\x9f\x98", "torn \ufffd"),
        (b"encoded surrogate \xed\xa0\x80", "encoded surrogate \ufffd\ufffd\ufffd"),
        (b"emoji \\ud83d\\ude00", "emoji \U0001f600"),
    ],
)
def test_what_a_client_puts_into_its_prompt_cannot_hide_the_row(lines, written, meant):
    odd = as_line(record("odd", prompt="@")).replace(b"@", written)
    log = read(lines(record("before", prompt="naïve"), odd, record("after", prompt="fine")))
    assert log.refused == []
    assert log.column("request_id") == ["before", "odd", "after"]
    assert log.column("prompt") == ["naïve", meant, "fine"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 1_000_000,
        b'{"request_id":"x","ts":' + b"9" * 10_000 + b"}",
        b"\x00" * 10_000,
        b"\xff\xfe\xfd",
        b'"' * 10_001,
    ],
    ids=["nested", "brackets", "digits", "zeros", "bytes", "quotes"],
)
def test_a_monstrous_line_harms_nobody(lines, line):
    log = read(lines(record("before"), line + b"\n", record("after")))
    assert log.column("request_id") == ["before", "after"]
    assert log.column("row_number") == [1, 3]
    assert {row for row, _, _ in log.refused} <= {2}


def test_a_value_of_a_hundred_thousand_levels_is_text_like_any_other(lines):
    deep = b"[" * 100_000 + b"]" * 100_000
    line = as_line(record("deep", prompt="@")).replace(b'"@"', deep)
    assert len(read(lines(line)).column("prompt")[0]) == 200_000


def test_a_line_beyond_all_measure_is_passed_over_without_being_held():
    pieces = iter(
        [as_line(record("one")) + b"x" * 50, b"x" * 60, b"x" * 60, b"x\n" + as_line(record("three"))]
    )
    blocks = list(line_blocks(pieces, max_line_bytes=100))
    assert [number for block in blocks for number in block.rows["row_number"].to_pylist()] == [1, 3]
    assert [(one.row_number, one.fault.reason) for block in blocks for one in block.malformed] == [
        (2, "record longer than 256 MB")
    ]
    assert MAX_RECORD_BYTES == 256 << 20


def test_quoted_line_breaks_do_not_upset_the_count_of_lines(csv):
    log = read(csv(HEAD + f'a,{NOON},ana,"one\ntwo, ""three""\r\n"\n\n\nb,{NOON},ana,\nc,{NOON},ana,""\n'))
    assert log.column("prompt") == ['one\ntwo, "three"\r\n', None, ""]
    assert log.column("row_number") == [2, 7, 8]


def test_csv_records_with_too_few_or_too_many_fields(csv):
    log = read(csv(HEAD + f"a,{NOON},ana,x\nb,{NOON}\nc,{NOON},ana,x,y\nd,{NOON},ana,\n"))
    assert log.column("request_id") == ["a", "d"]
    assert log.refused == [
        (3, None, "fewer fields than the header"),
        (4, None, "more fields than the header"),
    ]


def test_a_stray_quote_costs_at_most_its_own_record(csv):
    stray = f'a,{NOON},ana,5" disk\nb,{NOON},ana,"open\nc,{NOON},ana,fine\n'
    log = read(csv(HEAD + stray))
    assert log.column("request_id") == ["a", "c"]
    assert log.column("prompt") == ['5" disk', "fine"]
    assert log.refused == [(3, None, "quote is never closed")]


def test_csv_from_windows_with_a_mark_and_latin_1(csv):
    text = b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode()
    log = read(csv(text + f"a,{NOON},ana,caf".encode() + b'\xe9\r\nb,2025-06-01,ana,"\xff\n"\r\n'))
    assert log.refused == []
    assert log.column("prompt") == ["caf\ufffd", "\ufffd\n"]
    assert log.column("row_number") == [2, 3]


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(["a", ",", '"', '""', "\n", "\r\n", "\r", "x,y\n", '"q,\n""",y\n', "é"]), max_size=14
    ),
    piece_bytes=st.integers(1, 9),
)
def test_where_a_file_is_cut_into_pieces_does_not_show(text, piece_bytes):
    raw = ("one,two\n" + "".join(text)).encode()
    cut = [raw[at : at + piece_bytes] for at in range(0, len(raw), piece_bytes)]
    for blocks_of in (line_blocks, lambda pieces: csv_blocks(pieces, ["one", "two"])):
        assert all_of(blocks_of(iter(cut))) == all_of(blocks_of(iter([raw])))


def all_of(blocks: Iterable[Block]) -> tuple[list[dict], list[tuple[int, str]]]:
    rows, malformed = [], []
    for block in blocks:
        rows += block.rows.to_pylist()
        malformed += [(one.row_number, one.fault.reason) for one in block.malformed]
    return rows, sorted(malformed)


def test_a_csv_record_that_never_ends_is_given_up_line_by_line():
    text = HEAD + f'a,{NOON},ana,"open\nb,{NOON},ana,fine\n' + "c" * 400
    pieces = (text[at : at + 40].encode() for at in range(0, len(text), 40))
    blocks: list[Block] = list(csv_blocks(pieces, ["request_id"], max_record_bytes=200))
    assert [one for block in blocks for one in block.rows["request_id"].to_pylist()] == ["b"]
    assert [(one.row_number, one.fault.reason) for block in blocks for one in block.malformed] == [
        (2, "quote is never closed"),
        (4, "record longer than 256 MB"),
    ]


def test_a_gzip_that_breaks_off_gives_what_came_before_and_says_so(tmp_path):
    records = [record(f"r{at}", prompt=os.urandom(300).hex()) for at in range(500)]
    packed = gzip.compress(b"".join(map(as_line, records)))
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    log = read(path)
    assert log.error is not None
    assert "breaks off" in str(log.error)
    assert log.error.remedy
    assert 200 < len(log.rows) < 300
    assert log.column("request_id") == [f"r{at}" for at in range(len(log.rows))]
    assert log.refused == [(len(log.rows) + 1, None, "not valid JSON")]
    assert log.n_rows == len(log.rows) + 1


def test_rotated_gzip_members_are_one_log(tmp_path):
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress(as_line(record("a"))) + gzip.compress(as_line(record("b"))) + b"\0" * 512)
    assert read(path).column("request_id") == ["a", "b"]


def test_a_zstd_that_breaks_off_gives_what_came_before(lines):
    records = [record(f"r{at}", prompt=os.urandom(3_000).hex()) for at in range(600)]
    path = lines(*records, name="log.jsonl.zst")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    log = read(path)
    assert "breaks off" in str(log.error)
    assert 0 < len(log.rows) < 600


def bad_texts(n_rows: int, bad_rows: set[int]) -> pa.Array:
    texts = [b"caf\xe9 \xf0\x9f" if at in bad_rows else f"row {at}".encode() for at in range(n_rows)]
    return pa.Array.from_buffers(pa.string(), n_rows, pa.array(texts, pa.binary()).buffers())


def test_invalid_utf8_in_parquet_is_repaired_and_no_row_is_lost_or_read_twice(parquet):
    bad_rows = {3_001, 3_002, 7_999}
    path = parquet({"prompt": bad_texts(9_000, bad_rows), "max_tokens": [7] * 9_000}, row_group_size=1_000)
    log = read(path, batch_rows=500)
    assert log.error is None
    assert log.refused == []
    assert log.column("row_number") == list(range(1, 9_001))
    assert {at for at, prompt in enumerate(log.column("prompt")) if "\ufffd" in prompt} == bad_rows
    assert log.column("prompt")[3_001] == "caf\ufffd \ufffd"
    assert set(log.column("max_tokens")) == {7}


def test_wanted_rows_of_a_file_with_invalid_utf8_come_once_each(tmp_path):
    path = tmp_path / "log.parquet"
    ids = {"request_id": [f"r{at}" for at in range(9)], "account_id": ["ana"] * 9, "ts": [NOON] * 9}
    table = pa.table({**ids, "prompt": bad_texts(9, {5})})
    pq.write_table(table, path, row_group_size=3)
    with open_log(path, batch_rows=10, threads=1, columns=["prompt"], rows=[2, 6, 8]) as reader:
        found = [row for batch in reader.batches() for row in batch.to_pylist()]
    assert [row["row_number"] for row in found] == [2, 6, 8]
    assert found[1]["prompt"] == "caf\ufffd \ufffd"


def test_invalid_utf8_in_a_list_or_a_struct_is_repaired_too(parquet):
    names = pa.ListArray.from_arrays([0, 1, 2], bad_texts(2, {1}))
    nested = pa.StructArray.from_arrays([bad_texts(2, {0})], ["text"])
    log = read(parquet({"tool_names": names, "prompt": nested}))
    assert log.column("tool_names") == [["row 0"], ["caf\ufffd \ufffd"]]
    assert log.column("prompt") == ['{"text":"caf\ufffd \ufffd"}', '{"text":"row 1"}']


def test_refusals_in_a_repaired_file_keep_their_rows(parquet):
    log = read(parquet({"prompt": bad_texts(5, {1}), "input_tokens": [1, 2, -3, 4, 5]}))
    assert log.column("row_number") == [1, 2, 4, 5]
    assert log.refused == [(3, "input_tokens", "must not be negative")]


def test_parquet_with_a_damaged_row_group_gives_the_rows_before_it(tmp_path):
    path = tmp_path / "log.parquet"
    records = [record(f"r{at}", prompt=os.urandom(50).hex()) for at in range(4_000)]
    pq.write_table(pa.Table.from_pylist(records), path, row_group_size=1_000, compression="zstd")
    column = pq.ParquetFile(path).metadata.row_group(2).column(3)
    raw = bytearray(path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    raw[start : start + column.total_compressed_size] = os.urandom(column.total_compressed_size)
    path.write_bytes(raw)
    log = read(path)
    assert log.error is not None
    assert "log.parquet" in str(log.error)
    assert log.column("request_id") == [f"r{at}" for at in range(2_000)]


def test_one_long_shared_system_prompt_does_not_burst_a_batch(parquet):
    path = parquet({"system_prompt": ["s" * 200_000] * 2_000})
    with open_log(path, batch_rows=65_536, threads=2) as reader:
        sizes = [batch.nbytes for batch in reader.batches()]
    assert reader.n_rows == 2_000
    assert max(sizes) < 200_000_000


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.csv", "empty.parquet", "empty.jsonl.gz"])
@pytest.mark.parametrize("content", [b"", b"\n\n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_an_empty_log(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    log = read(path)
    assert (log.rows, log.refused, log.n_rows, log.format) == ([], [], 0, "stillwatch")


def test_tables_without_rows_are_empty_logs(csv, parquet):
    assert read(csv(HEAD)).rows == []
    assert read(csv(HEAD.strip())).rows == []
    assert read(parquet({"prompt": pa.array([], pa.string())})).rows == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PAR1 and then nothing of the kind", "footer"),
        (b"PAR1", "footer"),
        (b"\x1f\x8b\x08broken from the start", "gzip"),
        (b"\x28\xb5\x2f\xfdbroken from the start", "zstd"),
        (json.dumps(record()).encode("utf-16"), "UTF-16"),
        (b"dear diary, nothing happened today\n", "no known format"),
        (b'{"user": "ana", "text": "hi"}\n', "no known format"),
        (os.urandom(4) + b"\x00\x01\x02" * 1_000, "no"),
        (gzip.compress(b"PAR1....", mtime=0), "Parquet file inside gzip"),
        (bz2.compress(as_line(record())), "packed with bzip2"),
        (lzma.compress(as_line(record())), "packed with xz"),
        (b"PK\x03\x04...", "packed with zip"),
        (b"\0\0\0\x12" + b'{"resourceSpans":[]}', "length before each"),
        (b"\0\0\0\x08" + b"\n\x06\n\x04\x12\x02\x08\x01", "length before each"),
        (b"\0\0\0\x10" + pa.compress(b"{}" * 99, "zstd", asbytes=True), "length before each"),
        (b"request_id;ts;account_id\nr1;1;diary\n", "separated by semicolons"),
        (b"request_id\tts\taccount_id\nr1\t1\tdiary\n", "separated by tabs"),
    ],
)
def test_a_file_that_is_no_log_is_named_with_what_to_do(tmp_path, content, said):
    path = tmp_path / "strange.jsonl"
    path.write_bytes(content)
    with pytest.raises(UnreadableInput, match=r"strange\.jsonl.*") as caught:
        detect_format(path)
    assert said in str(caught.value)
    assert caught.value.remedy
    assert "diary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "r-1,acompletion,alice,203.0.113.24,diary\nr-2,acompletion,bob,203.0.113.25,diary\n",
            "5 columns of no",
        ),
        ("alice,diary,model,tuesday\n", "model among 4 columns"),
        ("alice\n", "1 column of no known name"),
    ],
)
def test_a_table_without_a_header_does_not_have_its_values_taken_for_names(csv, text, said):
    path = csv(text)
    with pytest.raises(UnreadableInput, match=said) as caught:
        detect_format(path)
    assert not re.search("alice|diary|acompletion|203|tuesday", f"{caught.value} {caught.value.remedy}")
    assert "header" in caught.value.remedy


def test_folders_pipes_and_absent_files_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.parquet").mkdir()
    began = time.monotonic()
    for name in ("pipe.jsonl", "folder.parquet", "absent.csv"):
        with pytest.raises(UnreadableInput, match=name):
            open_log(tmp_path / name, batch_rows=10, threads=1)
    assert time.monotonic() - began < 5


def test_an_unknown_format_is_a_usage_error_that_lists_the_known_ones(lines):
    with pytest.raises(UsageError, match="carrier-pigeon") as caught:
        open_log(lines(record()), format="carrier-pigeon", batch_rows=10, threads=1)
    assert "stillwatch" in caught.value.remedy


def test_a_named_format_is_not_second_guessed(lines):
    log = read(lines(b'{"id": 1}\n'), log_format="stillwatch")
    assert log.refused == [(1, "request_id", "missing or empty")]


def test_a_path_full_of_wildcards_and_a_hive_folder_is_just_a_path(tmp_path):
    folder = tmp_path / "day=2025-06-01" / "model=x"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([record("right")]), folder / "a[1]*?.parquet")
    pq.write_table(pa.Table.from_pylist([record("wrong")]), folder / "a1.parquet")
    log = read(folder / "a[1]*?.parquet")
    assert log.column("request_id") == ["right"]
    assert log.column("model") == [None]
    assert log.column("ts") == [datetime(2025, 6, 1, 12, tzinfo=UTC)]
