"""Texts in log records beside the spans: fingerprinted with the scan, and found again for a person."""

import gzip
import json
import os
from pathlib import Path

import pytest

from pipelines.load import load_requests
from pipelines.progress import Silent
from pipelines.rereading import read_wanted
from pipelines.settings import Settings
from pipelines.warehouse.opening import open_warehouse
from pipelines.workspace import Workspace

RECORDED = Path(__file__).parent / "adapters" / "recorded" / "otel-messages.jsonl"
FIRST = "how long until the tank is full?"


@pytest.fixture
def con(tmp_path):
    with open_warehouse(Workspace(tmp_path / "w").create(), Settings()) as con:
        yield con


def scanned(con, *paths):
    return load_requests(
        con,
        [str(path) for path in paths],
        day=None,
        log_format="auto",
        settings=Settings(),
        key=b"the key of a test",
        progress=Silent(),
        scratch=paths[0].parent,
    )


def shown(con):
    con.execute(
        """CREATE OR REPLACE TEMP TABLE wanted AS
           SELECT account_id, 'fam' AS family_id, kind, request_key, file_id, row_number
           FROM core.request, (VALUES ('prompt'), ('system')) AS kinds(kind) WHERE prompt_hash IS NOT NULL"""
    )
    return sorted(read_wanted(con, Settings())["text"].to_pylist())


def laid(folder, kind):
    """The recording in one file, or with its traces and its log records in files of their own."""
    lines = RECORDED.read_text().splitlines()[1:]
    if kind == "one file":
        path = folder / "otel.jsonl"
        path.write_text("\n".join(lines))
        return [path]
    traces, logs = folder / "traces.jsonl", folder / "logs.jsonl.gz"
    traces.write_text("\n".join(line for line in lines if "resourceSpans" in json.loads(line)))
    logs.write_bytes(
        gzip.compress("\n".join(line for line in lines if "resourceLogs" in json.loads(line)).encode())
    )
    return [traces, logs]


@pytest.mark.parametrize("kind", ["one file", "two files"])
def test_a_person_is_shown_texts_that_lie_apart(kind, con, tmp_path):
    paths = laid(tmp_path, kind)
    loaded = scanned(con, *paths)
    assert (loaded.n_loaded, loaded.n_refused, [one.n_matched for one in loaded.joined]) == (5, 0, [5])
    assert con.execute("SELECT count(prompt_hash), count(system_hash) FROM core.request").fetchall() == [
        (5, 1)
    ]
    texts = shown(con)
    assert len(texts) == 6
    assert {FIRST, "Show every step.", "merge these intervals"} < set(texts)


def test_logs_of_other_nights_are_not_read_when_the_nearest_has_all(con, tmp_path, monkeypatch):
    traces, logs = laid(tmp_path, "two files")
    old = tmp_path / "logs-of-may.jsonl"
    old.write_bytes(gzip.decompress(logs.read_bytes()).replace(b"tank", b"wall"))
    os.utime(old, (1, 1))
    scanned(con, traces, logs)
    scanned(con, old, traces)  # as an edge of its own: its ids are the same
    con.execute("UPDATE raw.file SET modified_ns = 1 WHERE path LIKE '%may%'")
    scanned(con, traces, logs)
    opened = []
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *a, **k: (opened.append(path.name), real(path, *a, **k))[1]
    )
    assert FIRST in shown(con)
    assert "logs-of-may.jsonl" not in opened


def test_when_the_records_have_gone_their_texts_have(con, tmp_path):
    traces, logs = laid(tmp_path, "two files")
    scanned(con, traces, logs)
    logs.unlink()
    assert shown(con) == []


def test_nothing_of_the_texts_is_left_on_disk(con, tmp_path):
    paths = laid(tmp_path, "two files")
    scanned(con, *paths)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["logs.jsonl.gz", "traces.jsonl", "w"]
