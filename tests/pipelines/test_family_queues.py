"""What fills the slots of a night's families, from request rows to verdicts: on drawn tables and small
files."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from detector.text import fingerprint, secret_of
from pipelines import nightly, queues
from pipelines.errors import UsageError
from pipelines.queues import judge_queues, read_known_sets
from pipelines.settings import Settings, TextSettings
from pipelines.workspace import Workspace
from tests.dealt import given_families, harvest, people, request
from tests.drawn import JUNE_1, insert_requests, rows_of, warehouse


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def judged(con) -> dict[str, dict[str, Any]]:
    result = con.execute("SELECT * FROM night.family_queue ORDER BY family_id")
    names = [column[0] for column in result.description]
    return {row[1]: dict(zip(names, row, strict=True)) for row in result.fetchall()}


def test_a_list_a_crowd_a_class_and_a_suite_are_told_apart(con):
    rng = np.random.default_rng(1)
    suite = [
        request(f"ci-{n % 12:02}", 30 * n, f"test case {n}", int(rng.lognormal(6, 1)), [1, 2, 3])
        for n in range(60)
    ]
    room = [request(f"pupil-{n:02}", 9 * n, "explain photosynthesis", 80, [1, 2, 3]) for n in range(30)]
    for night in (1, 2):
        insert_requests(con, suite, JUNE_1 - timedelta(days=night))
    insert_requests(con, [*harvest(rng), *people(rng), *suite, *room], JUNE_1)
    given_families(con, list="bot", crowd="user", suite="ci", room="pupil")
    assert judge_queues(con, JUNE_1) == 1
    found = judged(con)
    assert {family: row["verdict"] for family, row in found.items()} == {
        "list": "dealt_list", "crowd": "own_texts", "suite": "repeated_suite", "room": "one_text",
    }  # fmt: skip
    assert (found["suite"]["repeat_ratio"], found["suite"]["repeat_nights"]) == (1, 2)
    assert found["suite"]["order"] == pytest.approx(1)
    room_counts = [found["room"][name] for name in ("n_requests", "n_items", "top_item_share")]
    assert room_counts == [30, 1, 1]
    assert found["list"]["evenness"] == 0
    assert found["list"]["known_set"] is None
    assert found["list"]["script_icc"] is None  # they do not differ
    assert found["crowd"]["words_icc"] > 0.3
    assert not any(row["is_sampled"] for row in found.values())


def test_a_small_night_drawn_by_hand_says_what_was_sent_and_nothing_more(con):
    insert_requests(
        con,
        rows_of("""
            account | sent_at  | prompt
            ana     | 09:00:00 | the same
            ana     | 09:01:00 | the same
            ana     | 09:02:00 | a first thing
            abe     | 10:00:00 | the same
            abe     | 10:01:00 | another thing
            bob     | 11:00:00 | -
        """),
    )
    given_families(con, odd="a")
    judge_queues(con, JUNE_1)
    (row,) = judged(con).values()
    assert [row[name] for name in ("n_requests", "n_accounts", "n_items")] == [5, 2, 3]
    assert row["shared_item_ratio"] == pytest.approx(1 / 3)
    assert row["shared_use_ratio"] == pytest.approx(1 / 2)
    assert row["repeat_ratio"] is None  # there is no earlier night
    assert row["verdict"] == "unclear"


def test_a_night_without_families_has_no_queues(con):
    insert_requests(con, [request("ana", 60, "hello")])
    given_families(con, none="nobody")
    assert judge_queues(con, JUNE_1) == 0
    assert judged(con) == {}


def test_a_night_judged_twice_or_in_small_groups_is_the_same_night(con, monkeypatch):
    rng = np.random.default_rng(2)
    insert_requests(con, [*harvest(rng), *people(rng)])
    given_families(con, list="bot", crowd="user")
    judge_queues(con, JUNE_1)
    once = judged(con)
    monkeypatch.setattr(queues, "ROWS_AT_ONCE", 1)
    judge_queues(con, JUNE_1)
    assert judged(con) == once


def test_of_a_large_family_some_accounts_are_judged_and_sharing_is_counted_over_all(con, monkeypatch):
    rng = np.random.default_rng(3)
    rows = harvest(rng, 80, 5)
    # Every item goes to a second account as well, which the sample may not hold.
    again = [row | {"account": f"bot-{(int(row['account'][4:]) + 41) % 80:03}"} for row in rows]
    insert_requests(con, [*rows, *again, *([request("bot-000", 5, "bot item 0")] * 50)])
    given_families(con, list="bot")
    monkeypatch.setattr(queues, "FAMILY_ROWS", (120,))
    monkeypatch.setattr(queues, "ACCOUNT_ROWS", 20)
    judge_queues(con, JUNE_1)
    (row,) = judged(con).values()
    assert 120 <= row["n_requests"] < 140
    assert row["is_sampled"]
    assert row["shared_item_ratio"] == 1
    assert row["verdict"] == "same_items"


def test_families_beyond_the_nights_share_get_smaller_samples(con, monkeypatch):
    rng = np.random.default_rng(4)
    insert_requests(con, [*harvest(rng, 40, 5, "one"), *harvest(rng, 40, 5, "two")])
    given_families(con, one="one", two="two")
    monkeypatch.setattr(queues, "FAMILY_ROWS", (500, 100))
    monkeypatch.setattr(queues, "MOST_ROWS", 250)
    judge_queues(con, JUNE_1)
    assert [row["n_requests"] for row in judged(con).values()] == [100, 100]


# --- known data sets ---------------------------------------------------------------------------------------

WORDS = [
    first + second
    for first in ("ba", "ke", "li", "mo", "nu")
    for second in ("bel", "dor", "fin", "gas", "hem")
]


def questions(n: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 40)) for _ in range(n)]


def test_a_data_set_is_recognised_inside_a_template_and_named(con, tmp_path: Path):
    exam, other = questions(200, 1), questions(50, 2)
    pl.DataFrame({"text": exam}).write_parquet(tmp_path / "exam.parquet")
    pl.DataFrame({"prompt": other, "answer": other}).write_ndjson(tmp_path / "other.jsonl")
    (tmp_path / "README.md").write_text("not a set")
    known = read_known_sets(tmp_path, b"k")
    assert known is not None
    assert (known.names, known.sizes.tolist()) == (("exam", "other"), [200, 50])
    prompts = [f"Solve this with every step written out please: {exam[n]}" for n in range(120)]
    prints = fingerprint(pa.array(prompts), secret=secret_of(b"k")).shingles
    fingerprinted, starts = prints.flatten().to_numpy(), prints.offsets.to_numpy()
    rng = np.random.default_rng(5)
    rows = [
        request(
            f"bot-{n % 30:02}", 60 * n, prompts[n], int(rng.lognormal(6, 1)),
            fingerprinted[starts[n] : starts[n + 1]],
        )
        for n in range(120)
    ]  # fmt: skip
    insert_requests(con, rows)
    given_families(con, list="bot")
    judge_queues(con, JUNE_1, known)
    (row,) = judged(con).values()
    assert (row["known_set"], row["set_pairs"]) == ("exam", 0)
    assert row["known_set_share"] > 0.95
    assert row["order"] > 0.95
    assert row["set_chance_p"] < 1e-9


def test_no_folder_is_no_known_set_and_a_wrong_one_is_named(tmp_path: Path):
    assert read_known_sets(None, b"k") is None
    with pytest.raises(UsageError, match="no known data sets here"):
        read_known_sets(tmp_path / "missing", b"k")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(UsageError, match=r"broken\.parquet: cannot be read"):
        read_known_sets(tmp_path, b"k")
    pl.DataFrame({"question": ["why"]}).write_parquet(tmp_path / "broken.parquet")
    with pytest.raises(UsageError, match="neither a column text nor a column prompt"):
        read_known_sets(tmp_path, b"k")


def test_a_scan_names_the_list_that_is_dealt_out(tmp_path: Path):
    exam = questions(240, 1)
    (tmp_path / "sets").mkdir()
    pl.DataFrame({"text": exam}).write_parquet(tmp_path / "sets" / "exam.parquet")
    frame = (
        "Please work through the exercise below without haste, write down each intermediate step and the "
        "reason why it follows, compare the outcome with an estimate, and close with the result alone on the "
        "last line"
    )
    rows = [
        {
            "request_id": f"r{n}",
            "ts": f"2026-06-01T{n // 60:02}:{n % 60:02}:00Z",
            "account_id": f"acct-{n % 40}",
            "prompt": f"{frame}: {exam[n]}",
        }
        for n in range(240)
    ]
    pl.DataFrame(rows).write_ndjson(tmp_path / "log.jsonl")
    workspace = Workspace(tmp_path / "w")
    known = Settings(text=TextSettings(known_sets=tmp_path / "sets"))
    nightly.scan([str(tmp_path / "log.jsonl")], workspace, settings=known)
    with duckdb.connect(str(workspace.warehouse), read_only=True) as con:
        found = con.execute(
            """SELECT known_set, known_set_share, set_chance_p, "order", n_requests
               FROM night.family_queue ORDER BY n_requests DESC"""
        ).fetchall()
    name, share, p_value, order, n_requests = found[0]
    assert (name, n_requests) == ("exam", 240)
    assert share > 0.95
    assert p_value < 0.01
    assert order > 0.95


def test_a_scan_with_a_folder_that_holds_no_sets_says_so_before_it_reads_anything(tmp_path: Path):
    wrong = Settings(text=TextSettings(known_sets=tmp_path / "none"))
    with pytest.raises(UsageError, match="no known data sets here"):
        nightly.scan(["nothing.jsonl"], Workspace(tmp_path / "w"), settings=wrong)
