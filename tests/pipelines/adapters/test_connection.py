"""A statement is planned once, and what it is asked of each time is the rows of that time alone."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Barrier
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.adapters import connection, open_log
from pipelines.adapters.connection import as_block, ask, connect
from pipelines.adapters.sources import WRITINGS
from pipelines.record import REQUEST_SCHEMA
from pipelines.simulate.files import WRITERS

CALL = {
    "request_id": "r1", "ts": datetime(2025, 6, 1, 12, tzinfo=UTC), "account_id": "ana", "org_id": "org",
    "prompt": "how long?", "n_turns": 1, "model": "lark-2", "endpoint": "/v1/chat/completions",
    "ip": "203.0.113.7", "provider": "openai", "status": 200, "response": "an hour", "stop_reason": "stop",
    "provider_request_id": "p1", "input_tokens": 4, "output_tokens": 3, "end_user_id": "u1",
}  # fmt: skip
DOUBLED = "SELECT row_number, line || line AS twice FROM block WHERE line <> 'no'"


def block(texts, first=1):
    numbers = pa.array(range(first, first + len(texts)), pa.int64())
    return pa.table({"row_number": numbers, "line": pa.array(texts, pa.large_string())})


@given(st.lists(st.lists(st.sampled_from(["a", "bc", "no", ""]), max_size=5), max_size=5))
@settings(deadline=None)  # the first makes the database
def test_each_block_has_its_own_answer(blocks):
    con = connect(2)
    for texts in blocks:
        answer = ask(con, DOUBLED, block(texts)).to_pydict()
        kept = [(at, text) for at, text in enumerate(texts, 1) if text != "no"]
        assert answer == {"row_number": [at for at, _ in kept], "twice": [text * 2 for _, text in kept]}


def test_rows_keep_their_order_over_all_threads():
    texts = [str(n) for n in range(50_000)]
    answer = ask(connect(2), DOUBLED, block(texts))
    assert answer["row_number"].to_pylist() == list(range(1, 50_001))
    assert answer["twice"].to_pylist() == [text * 2 for text in texts]


def test_rows_of_one_number_keep_their_order_over_all_threads():
    """A line that holds many requests may be read by several threads."""
    texts = [str(n) for n in range(50_000)]
    numbers = [n // 9_000 for n in range(50_000)]
    rows = pa.table({"row_number": pa.array(numbers, pa.int64()), "line": pa.array(texts, pa.large_string())})
    answer = ask(connect(2), "SELECT row_number, unnest([line, line || '+']) AS line FROM block", rows)
    assert answer["row_number"].to_pylist() == [n for n in numbers for _ in range(2)]
    assert answer["line"].to_pylist() == [text + end for text in texts for end in ("", "+")]


@contextmanager
def meeting(con, wait_s):
    """A function `meet` of one column, in which two of DuckDB's threads wait for each other."""
    door = Barrier(2, timeout=wait_s)

    def meet(numbers):
        door.wait()
        return numbers

    con.create_function("meet", meet, ["BIGINT"], "BIGINT", type="arrow")
    try:
        yield
    finally:
        con.remove_function("meet")


def test_a_block_is_read_by_all_threads():
    """Of two portions each waits for the other to be begun: one thread, however fast, would wait in vain."""
    with meeting(connection._database(2, is_ordered=False), wait_s=60):
        answer = ask(connect(2), "SELECT meet(row_number) AS row_number FROM block", block(["x"] * 4_096))
    assert answer["row_number"].to_pylist() == list(range(1, 4_097))


def test_a_plan_that_keeps_the_order_is_executed_by_one_thread():
    """Why the database behind the plans does not keep it."""
    con = connect(2)
    with meeting(con, wait_s=0.2), as_block(con, block(["x"] * 4_096)):
        con.execute("PREPARE ordered AS SELECT meet(row_number) AS row_number FROM block")
        with pytest.raises(duckdb.Error, match="BrokenBarrierError"):
            con.execute("EXECUTE ordered")


def test_readers_in_several_threads_do_not_get_each_others_rows():
    def asked(n):
        return ask(connect(2), DOUBLED, block([f"{n}-{at}" for at in range(3_000)]))["twice"][-1].as_py()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(asked, range(20))) == [f"{n}-2999{n}-2999" for n in range(20)]


def test_the_same_statement_over_columns_of_another_type_is_another_plan():
    con, statement = connect(1), "SELECT row_number, line FROM block"
    for kind, value in ((pa.large_string(), "7"), (pa.int64(), 7), (pa.large_string(), "8")):
        rows = pa.table({"row_number": pa.array([1], pa.int64()), "line": pa.array([value], kind)})
        assert ask(con, statement, rows)["line"].to_pylist() == [value]


def test_rows_are_let_go_when_they_were_answered():
    con = connect(1)
    ask(con, DOUBLED, block(["once"]))
    before = pa.total_allocated_bytes()
    ask(con, DOUBLED, block(["x" * 1_000] * 10_000))
    assert pa.total_allocated_bytes() < before + 1_000_000


class Timed(connection._Plan):
    """A plan that knows what it cost and how little it may cost to ask."""

    made: ClassVar[list["Timed"]] = []

    def __init__(self, *of: Any) -> None:
        begun = time.process_time()
        super().__init__(*of)
        self.planning_s = time.process_time() - begun
        self.asking_s: list[float] = []
        self.made.append(self)

    def ask(self, rows: pa.Table) -> pa.Table:
        begun = time.process_time()
        answer = super().ask(rows)
        self.asking_s.append(time.process_time() - begun)
        return answer


@pytest.mark.parametrize("name", WRITINGS)
def test_a_second_file_of_a_format_is_not_planned_again(name, tmp_path, monkeypatch):
    """A variable or a parameter in any source's SQL would have it planned with every block."""
    monkeypatch.setattr(connection, "_Plan", Timed)
    connection._planned.cache_clear()
    Timed.made.clear()
    source, writing = WRITINGS[name]
    path = tmp_path / f"log{writing.ending}"
    WRITERS[name][1](pa.Table.from_pylist([CALL], schema=REQUEST_SCHEMA), path)
    for _ in range(6):
        with open_log(path, format=source.name, batch_rows=100, threads=1) as reader:
            assert sum(len(batch) for batch in reader.batches()) > 0
    assert 0 < len(Timed.made) <= 2
    for plan in Timed.made:
        assert min(plan.asking_s) < plan.planning_s * 0.75
    connection._planned.cache_clear()
