"""One step ahead: the same items in the same order, the next of them made while one is worked on."""

import gzip
from threading import Event

import pytest
from log_files import as_line, read, record

from pipelines.adapters.ahead import ahead
from pipelines.errors import UnreadableInput


def counted(made, n=5, breaks_at=None):
    for at in range(n):
        if at == breaks_at:
            raise UnreadableInput("broken", remedy="")
        made.append(at)
        yield at


def test_items_come_in_order_and_no_more_than_one_waits():
    made = []
    for at in ahead(counted(made)):
        assert len(made) <= at + 2


def test_the_next_is_made_while_one_is_worked_on():
    is_made = Event()

    def items():
        yield "first"
        is_made.set()
        yield "second"

    coming = ahead(items())
    assert next(coming) == "first"
    assert is_made.wait(timeout=60), "nobody asked for the second, and it is made all the same"
    assert [*coming] == ["second"]


def test_what_was_made_before_a_break_comes_before_it():
    coming = ahead(counted([], breaks_at=3))
    assert [next(coming) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UnreadableInput):
        next(coming)


def test_who_stops_early_has_no_more_made():
    made = []
    coming = ahead(counted(made))
    next(coming)
    coming.close()
    assert len(made) <= 2


def test_of_a_file_that_breaks_off_all_before_the_break_is_read(tmp_path):
    text = b"".join(as_line(record(f"r{n}", prompt=f"{n} " * 50)) for n in range(2_000))
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress(text)[:-2_000])
    log = read(path)
    assert log.error is not None
    assert log.column("request_id") == [f"r{n}" for n in range(len(log.rows))]
    assert len(log.rows) > 1_000
