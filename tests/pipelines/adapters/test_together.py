"""Many small files read by one query mean what each of them means alone."""

import gzip
import json

import pytest
from log_files import NOON

from pipelines.adapters import open_log, open_logs, together
from pipelines.adapters.jsonrecords import JsonRecords
from pipelines.errors import UnreadableInput


def own(name):
    return {"request_id": name, "ts": NOON, "account_id": "ana", "prompt": name}


def call(name, **more):
    request = {"model": "m", "messages": [{"role": "user", "content": name}]}
    return {"id": name, "ts": NOON, "account_id": "ana", "request": request, **more}


def text(*records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


FILES = {
    "a1": text(call("a1")),
    "a2": text(call("a2"), call("a2b")),
    "a3": json.dumps([call("a3"), call("a3b")], indent=1).encode(),
    "a4": gzip.compress(text(call("a4", request=json.dumps(call("x")["request"])))),
    "b1": text(own("b1")),
    "b2": text(own("b2"), own("b3")),
    "c1": b"",
    "c2": b"no log at all, in no way",
    "d1": text(call("d1")) + b"{broken\n\n" + text(call("d2", ts="yesterday"), call("d3")),
    "d2": text(call("d4", account_id=None)),
    "d3": gzip.compress(text(*(call(f"e{n}") for n in range(500))))[:-40],
    "d4": text(call("f1")),
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / f"{name}.json").write_bytes(content)
    return sorted(tmp_path.iterdir())


def found(reader):
    if isinstance(reader, UnreadableInput):
        return str(reader)
    rows, broken = [], None
    with reader:
        try:
            for batch in reader.batches():
                rows += batch.to_pylist()
        except UnreadableInput as error:
            broken = str(error)
        return reader.format, rows, broken, reader.problems.to_pylist(), reader.n_rows, reader.n_passed_over


def alone(path):
    try:
        return found(open_log(path, batch_rows=100, threads=2))
    except UnreadableInput as error:
        return str(error)


def test_each_file_gives_what_it_gives_alone(folder):
    both = {path: found(reader) for path, reader in open_logs(folder, batch_rows=100, threads=2)}
    assert list(both) == folder
    for path in folder:
        assert both[path] == alone(path), path.name


def test_one_query_reads_them_and_no_group_outgrows_its_bounds(tmp_path, monkeypatch):
    for n in range(12):
        (tmp_path / f"{n:02}.json").write_bytes(text(call(f"r{n}")))
    sizes = []
    answers = JsonRecords.answers

    def counted(self, *arguments):
        for batch in answers(self, *arguments):
            sizes.append(len(batch))
            yield batch

    monkeypatch.setattr(JsonRecords, "answers", counted)
    monkeypatch.setattr(together, "_GROUP_FILES", 5)
    rows = [found(reader)[1] for _, reader in open_logs(sorted(tmp_path.iterdir()), batch_rows=9, threads=1)]
    assert [row["request_id"] for file in rows for row in file] == [f"r{n}" for n in range(12)]
    assert sizes == [5, 5, 2]


def test_a_file_that_unpacks_to_much_more_is_read_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(together, "_GROUP_BYTES", 100_000)
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(text(call("x" * 200_000))))
    (tmp_path / "b.json").write_bytes(text(call("b")))
    opened = dict(open_logs(sorted(tmp_path.iterdir()), batch_rows=9, threads=1))
    assert [len(found(reader)[1]) for reader in opened.values()] == [1, 1]


def test_a_file_that_is_gone_is_named_and_the_others_are_read(folder, tmp_path):
    names = [folder[0], tmp_path / "gone.json", folder[1]]
    first, gone, last = (found(reader) for _, reader in open_logs(names, batch_rows=9, threads=1))
    assert "no such file" in gone
    assert (len(first[1]), len(last[1])) == (1, 2)


def test_files_of_which_no_line_can_be_read_are_counted_each(tmp_path):
    for n in range(3):
        (tmp_path / f"{n}.json").write_bytes(b"{broken\n" * (n + 1))
    opened = open_logs(sorted(tmp_path.iterdir()), format="gateway", batch_rows=9, threads=1)
    for n, (_, reader) in enumerate(opened):
        _, rows, _, problems, n_rows, _ = found(reader)
        assert (rows, n_rows) == ([], n + 1)
        assert [one["row_number"] for one in problems] == [*range(1, n + 2)]
