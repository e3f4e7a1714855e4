"""The step `load` on real files: repeats, refusals, broken files, single days, files read again."""

import gzip
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from drawn import rows_of

from pipelines import load
from pipelines.load import Loaded, load_requests
from pipelines.progress import Silent
from pipelines.settings import InputSettings, Settings
from pipelines.warehouse.opening import open_warehouse
from pipelines.workspace import Workspace

JUNE_1, JUNE_2 = date(2025, 6, 1), date(2025, 6, 2)


class Desk:
    """A workspace, and the logs that are laid before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = Workspace(folder / "w").create()
        self.workspace.key_file.write_text("the key of a test\n")  # equal rows in equal workspaces

    def write(self, name: str, table: str) -> Path:
        """A JSON Lines log of a drawn table: `id`, `ts` (day of June and time) and any other column."""
        path = self.folder / name
        lines = [json.dumps(_record(row)) + "\n" for row in rows_of(table)]
        content = "".join(lines).encode()
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        return path

    def load(self, *paths: Path, day: date | None = None, settings: Settings | None = None) -> Loaded:
        """Read logs into the workspace."""
        settings = settings or Settings(input=InputSettings(threads=1))
        with open_warehouse(self.workspace, settings) as con:
            return load_requests(
                con,
                [str(path) for path in paths],
                day=day,
                log_format="auto",
                settings=settings,
                key=self.workspace.key(),
                progress=Silent(),
            )

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with open_warehouse(self.workspace, Settings()) as con:
            return con.execute(query).fetchall()

    def stored(self, columns: str = "account_id") -> list[Any]:
        """What core.request holds, in order; a single column comes as plain values."""
        rows = self.asked(f"SELECT {columns} FROM core.request ORDER BY ALL")
        return [row[0] for row in rows] if "," not in columns else rows


def _record(row: dict[str, str | None]) -> dict[str, Any]:
    said = {
        name: value
        for name, value in row.items()
        if value is not None and name not in ("id", "ts", "account")
    }
    day, time = (row["ts"] or "").split()
    return {"request_id": row["id"], "ts": f"2025-06-0{day}T{time}Z", "account_id": row["account"], **said}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# -- repeats ---------------------------------------------------------------------------------------


def test_a_request_id_that_comes_twice_in_a_file_counts_once_and_the_earlier_one_stays(desk: Desk):
    log = desk.write(
        "log.jsonl",
        """
        id | ts      | account
        r1 | 1 12:00 | late
        r1 | 1 09:00 | early
        r2 | 1 10:00 | other
        """,
    )
    loaded = desk.load(log)
    assert desk.stored() == ["early", "other"]
    assert (loaded.n_rows, loaded.n_loaded, loaded.n_repeated) == (3, 2, 1)


@pytest.mark.parametrize("column", ["ip", "model", "system_prompt", "response", "max_tokens", "session_id"])
def test_which_of_two_twins_stays_does_not_depend_on_the_order_of_files(tmp_path: Path, column: str):
    """The twins agree on everything a careless rule would look at: time, account and prompt."""
    stays = []
    for names in (("a.jsonl", "b.jsonl"), ("b.jsonl", "a.jsonl")):
        (tmp_path / names[0]).mkdir()
        desk = Desk(tmp_path / names[0])
        for name, value in zip(names, ("17", "34"), strict=True):
            desk.write(name, f"id | ts | account | prompt | {column}\n r1 | 1 09:00 | ana | hello | {value}")
        assert desk.load(desk.folder).n_repeated == 1
        stays.append(desk.stored("* EXCLUDE (file_id, row_number), 0"))
    assert stays[0] == stays[1]


def test_a_repeat_on_a_later_night_is_dropped_and_counted_there(desk: Desk):
    desk.load(desk.write("night-1.jsonl", "id | ts | account\n r1 | 1 23:59 | ana"))
    later = desk.load(
        desk.write("night-2.jsonl", "id | ts | account\n r1 | 2 00:01 | ana\n r2 | 2 08:00 | ben")
    )
    assert desk.stored("account_id, day") == [("ana", JUNE_1), ("ben", JUNE_2)]
    assert (later.n_loaded, later.n_repeated) == (1, 1)
    assert desk.asked("SELECT n_loaded, n_repeated FROM raw.file ORDER BY path") == [(1, 0), (1, 1)]


def test_a_file_read_again_is_no_repeat_of_itself(desk: Desk):
    log = desk.write("log.jsonl", "id | ts | account\n r1 | 1 09:00 | ana\n r2 | 1 10:00 | ben")
    first, again = desk.load(log), desk.load(log)
    assert again == first
    assert again.n_repeated == 0
    assert desk.stored() == ["ana", "ben"]


def test_a_file_copied_under_another_name_brings_nothing_new(desk: Desk):
    drawn = "id | ts | account\n r1 | 1 09:00 | ana\n r2 | 1 10:00 | ben"
    desk.load(desk.write("log.jsonl", drawn))
    copied = desk.load(desk.write("copy.jsonl", drawn))
    assert (copied.n_loaded, copied.n_repeated, copied.days) == (0, 2, (JUNE_1,))
    assert desk.stored() == ["ana", "ben"]


def test_ids_are_compared_as_written(desk: Desk):
    """Ids are the sender's: neither case nor blanks nor look-alike letters make two of them one."""
    log = desk.write(
        "log.jsonl", "id | ts | account\n r1 | 1 09:00 | ana\n R1 | 1 09:00 | ana\n r１ | 1 09:00 | ana"
    )
    assert desk.load(log).n_repeated == 0


# -- files read again ------------------------------------------------------------------------------


def test_a_corrected_file_replaces_what_it_brought(desk: Desk):
    log = desk.write("log.jsonl", "id | ts | account\n r1 | 1 09:00 | anna\n r2 | 1 10:00 | ben")
    desk.load(log)
    desk.write("log.jsonl", "id | ts | account\n r1 | 1 09:00 | ana")
    corrected = desk.load(log)
    assert desk.stored() == ["ana"]
    assert (corrected.n_loaded, corrected.n_repeated) == (1, 0)


def test_a_file_whose_clock_was_corrected_leaves_the_wrong_day(desk: Desk):
    log = desk.write("log.jsonl", "id | ts | account\n r1 | 2 00:30 | ana")
    desk.load(log)
    desk.write("log.jsonl", "id | ts | account\n r1 | 1 22:30 | ana")
    assert desk.load(log).days == (JUNE_1, JUNE_2)  # both nights are to be scanned again
    assert desk.stored("day") == [JUNE_1]


def test_a_gateway_that_writes_each_night_to_the_same_name_keeps_the_nights_before(desk: Desk):
    log = desk.write("requests.jsonl", "id | ts | account\n r1 | 1 09:00 | ana")
    desk.load(log)
    desk.write("requests.jsonl", "id | ts | account\n r2 | 2 09:00 | ben")
    rotated = desk.load(log)
    assert (rotated.days, rotated.n_loaded) == ((JUNE_2,), 1)
    assert desk.stored("account_id, day") == [("ana", JUNE_1), ("ben", JUNE_2)]
    assert desk.load(log) == rotated


def test_a_file_that_cannot_be_read_any_more_does_not_take_back_its_night(desk: Desk):
    log = desk.write("log.jsonl", "id | ts | account\n r1 | 1 09:00 | ana")
    desk.load(log)
    log.write_bytes(b"PAR1 half a parquet file")
    broken = desk.load(log)
    assert [str(log) in str(error) for error in broken.unreadable] == [True]
    assert broken.days == ()
    assert desk.stored() == ["ana"]


# -- refusals --------------------------------------------------------------------------------------


def test_a_refused_row_is_kept_by_place_and_reason_and_the_good_rows_are_loaded(desk: Desk):
    log = desk.folder / "log.jsonl"
    log.write_text(
        '{"request_id": "r1", "ts": "2025-06-01T09:00:00Z", "account_id": "ana"}\n'
        '{"request_id": "r2", "ts": "yesterday", "account_id": "ben", "prompt": "the planted prompt"}\n'
        '{"request_id": "r3", "ts": "2025-06-01T09:00:00Z", "prompt": "the planted prompt"}\n'
        '{"request_id": "r4", "ts": "2025-06-01T09:00:00Z", the planted prompt\n'
        '{"request_id": "r5", "ts": "2025-06-01T09:00:00Z", "account_id": "eve"}\n'
    )
    loaded = desk.load(log)
    assert desk.stored() == ["ana", "eve"]
    assert (loaded.n_rows, loaded.n_loaded, loaded.n_refused) == (5, 2, 3)
    kept = desk.asked("SELECT row_number, column_name, reason, remedy FROM raw.reject ORDER BY row_number")
    assert [(row, column) for row, column, _, _ in kept] == [(2, "ts"), (3, "account_id"), (4, None)]
    assert all(reason and remedy for _, _, reason, remedy in kept)
    assert "planted" not in str(kept)
    assert {(told.n_rows, told.first_row, told.path) for told in loaded.refused} == {
        (1, row, str(log)) for row in (2, 3, 4)
    }


def test_refusals_of_a_file_read_again_are_not_counted_twice(desk: Desk):
    log = desk.write("log.jsonl", "id | ts | account\n r1 | 1 09:00 | ana\n r2 | 9 99:00 | ben")
    assert desk.load(log).n_refused == desk.load(log).n_refused == 1
    assert desk.asked("SELECT count(*) FROM raw.reject") == [(1,)]


# -- broken and empty files ------------------------------------------------------------------------


def test_a_file_that_is_no_log_is_named_and_the_others_are_read(desk: Desk):
    good = desk.write("good.jsonl", "id | ts | account\n r1 | 1 09:00 | ana")
    bad = desk.folder / "bad.parquet"
    bad.write_bytes(b"PAR1 and then nothing that makes sense PAR1")
    loaded = desk.load(good, bad)
    assert desk.stored() == ["ana"]
    (error,) = loaded.unreadable
    assert "bad.parquet" in str(error)
    assert error.remedy
    assert desk.asked("SELECT error IS NOT NULL, n_loaded FROM raw.file ORDER BY path") == [
        (True, 0),
        (False, 1),
    ]


def test_a_gzip_file_that_breaks_off_keeps_the_rows_before_the_break(desk: Desk):
    n_rows = 20_000
    table = "id | ts | account\n" + "\n".join(f"r{n} | 1 09:00 | a{n * 7919}" for n in range(n_rows))
    log = desk.write("log.jsonl.gz", table)
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    loaded = desk.load(log, settings=Settings(input=InputSettings(threads=1, batch_rows=500)))
    (error,) = loaded.unreadable
    assert "log.jsonl.gz" in str(error)
    assert 0 < loaded.n_loaded < n_rows
    assert desk.asked("SELECT count(*) FROM core.request") == [(loaded.n_loaded,)]


def test_a_log_that_is_rotated_away_under_the_scan_is_named_and_the_others_are_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    good = desk.write("good.jsonl", "id | ts | account\n r1 | 1 09:00 | ana")
    going = desk.write("going.jsonl", "id | ts | account\n r2 | 1 09:00 | ben")
    once_listed = load._set_aside_earlier_readings

    def meanwhile(*arguments: Any) -> None:
        going.rename(going.with_name("going.jsonl.1"))
        once_listed(*arguments)

    monkeypatch.setattr(load, "_set_aside_earlier_readings", meanwhile)
    loaded = desk.load(good, going)
    assert desk.stored() == ["ana"]
    (error,) = loaded.unreadable
    assert "going.jsonl" in str(error)
    assert error.remedy


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.csv", "empty.parquet"])
def test_an_empty_file_is_an_empty_night_and_no_error(desk: Desk, name: str):
    (desk.folder / name).write_bytes(b"")
    loaded = desk.load(desk.folder / name)
    assert (loaded.n_files, loaded.n_rows, loaded.unreadable, loaded.days) == (1, 0, (), ())


def test_an_error_in_the_middle_leaves_what_was_there(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk.load(desk.write("one.jsonl", "id | ts | account\n r1 | 1 09:00 | ana"))
    two = desk.write("two.jsonl", "id | ts | account\n r2 | 1 10:00 | ben")

    def breaks(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pipelines.load._settle", breaks)
    with pytest.raises(MemoryError):
        desk.load(desk.folder / "one.jsonl", two)
    assert desk.stored() == ["ana"]
    assert desk.asked("SELECT count(*) FROM raw.file") == [(1,)]
    assert desk.asked("SELECT count(*) FROM core.request WHERE file_id < 0") == [(0,)]


# -- one day ---------------------------------------------------------------------------------------

TWO_DAYS = """
    id | ts      | account
    r1 | 1 09:00 | ana
    r2 | 1 23:59 | ben
    r3 | 2 00:00 | cem
"""


def test_other_days_are_counted_and_left_out(desk: Desk):
    loaded = desk.load(desk.write("log.jsonl", TWO_DAYS), day=JUNE_2)
    assert desk.stored() == ["cem"]
    assert (loaded.n_rows, loaded.n_loaded, loaded.n_other_day, loaded.days) == (3, 1, 2, (JUNE_2,))


def test_a_file_scanned_day_by_day_keeps_every_day(desk: Desk):
    log = desk.write("log.jsonl", TWO_DAYS)
    for day in (JUNE_1, JUNE_2, JUNE_1):
        assert desk.load(log, day=day).n_repeated == 0
    assert desk.stored() == ["ana", "ben", "cem"]


def test_a_day_that_no_row_is_of_changes_nothing(desk: Desk):
    log = desk.write("log.jsonl", TWO_DAYS)
    desk.load(log)
    loaded = desk.load(log, day=date(2025, 6, 9))
    assert (loaded.n_loaded, loaded.n_other_day, loaded.days) == (0, 3, ())
    assert desk.stored() == ["ana", "ben", "cem"]


def test_rows_are_the_same_whatever_the_size_of_batches(tmp_path: Path):
    table = "id | ts | account | prompt | system_prompt\n" + "\n".join(
        f"r{n} | 1 {n % 24:02}:00 | a{n % 7} | tell me about {n} lighthouses | be brief {n % 3}"
        for n in range(300)
    )
    kept: list[Sequence[Any]] = []
    for batch_rows, threads in ((7, 1), (100_000, 2)):
        (tmp_path / str(threads)).mkdir()
        desk = Desk(tmp_path / str(threads))
        settings = Settings(input=InputSettings(threads=threads, batch_rows=batch_rows))
        desk.load(desk.write("log.jsonl", table), settings=settings)
        kept.append(desk.stored("*") + desk.asked("FROM core.system_text ORDER BY ALL"))
    assert kept[0] == kept[1]
    assert len(kept[0]) == 303
