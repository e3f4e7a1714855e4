"""Versions of one record in different files, blocks and scans: the newest counts, of whoever was first."""

import json

import pytest
from test_load import Desk, desk  # noqa: F401  the fixture


def version(second, status, request_id="q-1", user="ana", created="12:00:00"):
    """A row of Helicone's table, which is written anew whenever something is learned of the request."""
    return {
        "request_id": request_id,
        "request_created_at": f"2025-06-01 {created}",
        "response_created_at": "2025-06-01 12:00:02",
        "updated_at": f"2025-06-01 12:00:{second:02}",
        "organization_id": "org-1",
        "proxy_key_id": "key-1",
        "user_id": user,
        "provider": "OPENAI",
        "model": "lark-2",
        "status": status,
        "request_body": "",
        "response_body": "",
    }


@pytest.fixture
def log(desk: Desk):  # noqa: F811
    def write(name, *records):
        path = desk.folder / name
        path.write_text("".join(json.dumps(one) + "\n" for one in records))
        return path

    return write


def statuses(desk):  # noqa: F811
    return desk.stored("status")


@pytest.mark.parametrize("order", [(5, 9), (9, 5)])
@pytest.mark.parametrize("scans", [1, 2])
def test_the_newest_of_two_files_counts_whichever_is_read_first(order, scans, desk, log):  # noqa: F811
    paths = [log(f"{at}.jsonl", version(second, 200 + second)) for at, second in enumerate(order)]
    for some in [paths] if scans == 1 else [[one] for one in paths]:
        loaded = desk.load(*some)
    assert statuses(desk) == [209]
    counted = desk.asked("SELECT sum(n_loaded)::INTEGER, sum(n_repeated)::INTEGER FROM raw.file")
    assert counted == [(1, 1)]
    assert loaded.n_refused == 0


def test_scanning_the_older_file_again_does_not_bring_the_older_version_back(desk, log):  # noqa: F811
    older, newer = log("a.jsonl", version(5, 205)), log("b.jsonl", version(9, 209))
    for path in (older, newer, older, newer):
        desk.load(path)
    assert statuses(desk) == [209]


def test_the_night_that_lost_a_row_is_due_again(desk, log):  # noqa: F811
    desk.load(log("a.jsonl", version(5, 205)))
    moved = version(9, 209) | {"request_created_at": "2025-06-02 12:00:00"}
    assert [day.day for day in desk.load(log("b.jsonl", moved)).days] == [1, 2]


@pytest.mark.parametrize("scans", [1, 2])
def test_nobody_replaces_the_record_of_another_account(scans, desk, log):  # noqa: F811
    """Ids may be written by clients: a later version of a stranger's is a repeat like any other."""
    paths = [log("a.jsonl", version(5, 205)), log("b.jsonl", version(9, 209, user="eve", created="12:00:01"))]
    for some in [paths] if scans == 1 else [[one] for one in paths]:
        loaded = desk.load(*some)
    assert desk.stored("account_id, status") == [("ana", 205)]
    assert loaded.n_repeated == 1
