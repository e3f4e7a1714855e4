"""Which files LOGS arguments name, and what `check` says of them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from log_files import as_line, record

from pipelines.adapters import find_logs, log_files
from pipelines.adapters.check import check_logs
from pipelines.errors import UsageError
from pipelines.summary import show_check

SECRET = "the tortoise counts its steps"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder as `simulate` writes it, with what else lies about in such folders."""
    for name in [
        "logs/day=2025-06-01/b.parquet",
        "logs/day=2025-06-01/a.jsonl.gz",
        "logs/day=2025-06-02/c.csv.zst",
        "logs/day=2025-06-02/part.parquet/part-0.parquet",
        "logs/day=2025-06-02/d.out",
        "logs/day=2025-06-02/.e.jsonl.swp.jsonl",
        "logs/day=2025-06-02/_metadata.json",
        "logs/_delta_log/0000.json",
        "logs/.hidden/f.jsonl",
        "accounts.parquet",
        "labels.csv",
        "notes.txt",
    ]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_line(record()))
    return tmp_path


def names(paths: list[Path], world: Path) -> list[str]:
    return [str(path.relative_to(world)) for path in paths]


def test_a_folder_gives_its_logs_and_not_the_tables_beside_them(world):
    assert names(find_logs([str(world)]), world) == [
        "logs/day=2025-06-01/a.jsonl.gz",
        "logs/day=2025-06-01/b.parquet",
        "logs/day=2025-06-02/c.csv.zst",
        "logs/day=2025-06-02/part.parquet/part-0.parquet",
    ]


def test_logs_are_known_once_they_were_rotated_and_without_any_ending(tmp_path):
    """A rotation numbers or dates a log; LiteLLM names an object in a store by the answer's id alone."""
    logs = [
        "a.json.1",
        "b.log-20250601.gz",
        "c.jsonl.2025-06-01",
        "2025-06-01/chatcmpl-1",
        "2025-06-01/failure-f",
    ]
    others = ["d.json.bak", "e.jsonl.bz2", "f.tmp", "LICENSE"]
    for name in (*logs, *others):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"Free for all" if name == "LICENSE" else b"\xef\xbb\xbf\n" + as_line(record(name)))
    found = log_files([str(tmp_path), str(tmp_path / "f.tmp")])
    assert names(found.paths, tmp_path) == sorted([*logs, "f.tmp"])
    assert names(list(found.not_taken), tmp_path) == ["LICENSE", "d.json.bak", "e.jsonl.bz2"]


def test_files_left_alone_for_their_names_are_said(tmp_path, capsys):
    for name in ("a.jsonl", "b.tmp", "c.tmp", "d.tmp", "e.tmp"):
        (tmp_path / name).write_bytes(as_line(record(name)))
    report = check_logs([str(tmp_path)])
    assert (report.ok, report.n_rows) == (True, 1)
    show_check(report)
    said = " ".join(capsys.readouterr().out.split())
    assert "Left alone for their names: 4 files" in said
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(UsageError, match=r"no log files here but 4 files \(.*b\.tmp"):
        find_logs([str(tmp_path)])


def test_hashes_of_log_files_are_no_logs(tmp_path):
    for name in ("CloudTrail/a.json.gz", "CloudTrail-Digest/b.json.gz"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(as_line(record()))
    found = log_files([str(tmp_path)])
    assert (names(found.paths, tmp_path), found.not_taken) == (["CloudTrail/a.json.gz"], ())


def test_patterns_reach_into_folders_and_take_any_ending(world):
    assert names(find_logs([f"{world}/**/*.out"]), world) == ["logs/day=2025-06-02/d.out"]
    assert names(find_logs([f"{world}/logs/day=*-01"]), world) == [
        "logs/day=2025-06-01/a.jsonl.gz",
        "logs/day=2025-06-01/b.parquet",
    ]
    assert "accounts.parquet" not in names(find_logs([f"{world}/*"]), world)


def test_a_file_named_outright_is_taken_whatever_its_name(world):
    named = [str(world / "accounts.parquet"), str(world / "logs/.hidden/f.jsonl"), str(world / "notes.txt")]
    assert names(find_logs(named), world) == ["accounts.parquet", "logs/.hidden/f.jsonl", "notes.txt"]


def test_order_and_repetition_of_arguments_do_not_matter(world):
    once = find_logs([str(world / "logs")])
    assert find_logs([str(path) for path in reversed(once)] + [str(world / "logs")]) == once
    (world / "logs" / "z.jsonl.gz").symlink_to(once[0])
    assert len(find_logs([str(world / "logs")])) == len(once)


def test_a_name_with_brackets_is_first_of_all_a_name(tmp_path):
    (tmp_path / "a[1].jsonl").write_bytes(as_line(record()))
    assert find_logs([str(tmp_path / "a[1].jsonl")]) == [tmp_path / "a[1].jsonl"]


@pytest.mark.parametrize("argument", ["absent.jsonl", "nothing/**/*.jsonl", "empty"])
def test_an_argument_that_names_nothing_is_a_usage_error(tmp_path, argument):
    (tmp_path / "empty").mkdir()
    (tmp_path / "good.jsonl").write_bytes(as_line(record()))
    with pytest.raises(UsageError, match="no log files") as caught:
        find_logs([str(tmp_path / "good.jsonl"), str(tmp_path / argument)])
    assert caught.value.exit_code == 2
    assert caught.value.remedy


def test_a_clean_folder_passes_the_check(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(as_line(record("a")) + as_line(record("b")))
    pq.write_table(pa.Table.from_pylist([record("c")]), tmp_path / "b.parquet")
    report = check_logs([str(tmp_path)])
    assert report.ok
    assert (report.n_rows, report.n_refused, report.n_repeated) == (3, 0, 0)
    assert list(report.findings()) == []


def test_check_names_every_problem_with_its_file_and_row(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(
        as_line(record("a", stream=SECRET, input_tokens=-1, prompt=SECRET)) + b"{" + SECRET.encode() + b"\n"
    )
    (tmp_path / "b.parquet").write_bytes(b"PAR1" + SECRET.encode())
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(f"account_id,verified\nana,{SECRET}\nbob,true\n")
    report = check_logs([str(tmp_path)], accounts=accounts)
    assert not report.ok
    assert (report.n_rows, report.n_refused) == (4, 3)
    said = [(one.path.name, one.row_number, one.column, one.reason) for one in report.findings()]
    assert said == [
        ("a.jsonl", 1, "stream", "expected true or false"),
        ("a.jsonl", 1, "input_tokens", "must not be negative"),
        ("a.jsonl", 2, None, "not valid JSON"),
        ("b.parquet", None, None, said[3][3]),
        ("accounts.csv", 2, "verified", "expected true or false"),
    ]
    assert "footer" in said[3][3]
    assert str(next(report.findings())) == f"{tmp_path}/a.jsonl, row 1, stream: expected true or false"
    assert all(one.remedy for one in report.findings())
    assert SECRET not in " ".join(f"{one} {one!r} {one.remedy}" for one in report.findings())


def test_a_repeated_request_is_counted_but_not_held_against_the_log(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"".join(map(as_line, [record("a"), record("b"), record("a")])))
    (tmp_path / "b.jsonl").write_bytes(b"".join(map(as_line, [record("c"), record("b")])))
    report = check_logs([str(tmp_path / "b.jsonl"), str(tmp_path / "a.jsonl")])
    assert report.ok
    assert report.n_repeated == 2
    assert [(one.path.name, one.row_number, one.reason) for one in report.findings()] == [
        ("a.jsonl", 3, "request_id seen before"),
        ("b.jsonl", 2, "request_id seen before"),
    ]
