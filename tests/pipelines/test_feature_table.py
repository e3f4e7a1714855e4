"""The feature table as a product: what columns need, comparisons with others, the queries of its page."""

import importlib.util
import re
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from detector.features import FEATURES, SOURCES
from pipelines.features import build_features
from pipelines.warehouse.statements import statement
from tests.drawn import JUNE_1, account_days, given_requests, insert_requests, warehouse

ROOT = Path(__file__).resolve().parents[2]
JUNE_2 = JUNE_1 + timedelta(1)


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def full(n: int = 30, **changed: object) -> list[dict[str, object]]:
    """Requests of one account that say everything a log can say."""
    row = {
        "account": "ana", "attempt": 1, "model": "m1", "n_turns": 1, "n_tools": 1, "toolset_hash": 5,
        "n_images": 0,
        "temperature": 0, "max_tokens": 100, "n_choices": 2, "top_logprobs": 3, "thinking": True,
        "response_format": "json_schema", "input_tokens": 10, "output_tokens": 20, "cached_tokens": 5,
        "reasoning_tokens": 5, "status": 200, "stop_reason": "stop", "ip": "a", "asn": "n", "country": "DE",
        "user_agent": "u", "client_fingerprint": "c", "end_user_hash": 7, "session_hash": 8, "api_key_id":
        "k",
        "script": 1, "capability": 1, "technique": 0, "training_permille": 500, "system": "be brief",
    }  # fmt: skip
    rows = [
        row | {"sent_at": f"{i % 12:02}:00:{i % 60:02}.{i:03}", "prompt": f"question {i}"} for i in range(n)
    ]
    return [each | changed for each in rows]


def known_accounts(con: duckdb.DuckDBPyConnection, created: str = "2026-06-01 08:00") -> None:
    con.execute(f"""INSERT INTO core.account BY NAME
        SELECT 'ana' AS account_id, TIMESTAMP '{created}' AS created_at, 'FR' AS country, 'free' AS plan""")


def known(con: duckdb.DuckDBPyConnection, day=JUNE_1) -> set[str]:
    return {name for name, value in account_days(con, day)["ana"].items() if value is not None}


def test_on_a_first_night_all_is_known_but_what_says_that_it_needs_more(con):
    insert_requests(con, full())
    known_accounts(con)
    build_features(con, JUNE_1)
    waiting = {"past", "models", "peers", "plan", "templates"}
    wanted = {f.name for f in FEATURES if not waiting & set(f.needs)}
    assert known(con) == wanted | {"day", "account_id"}


def test_without_prompts_what_needs_them_is_null_and_nothing_else(con):
    texts = {"prompt": None, "system": None, "script": None, "capability": None, "technique": None}
    insert_requests(con, full(**texts, training_permille=None))
    known_accounts(con)
    build_features(con, JUNE_1)
    waiting = {"past", "models", "peers", "plan", "templates", "prompts"}
    assert known(con) == {f.name for f in FEATURES if not waiting & set(f.needs)} | {"day", "account_id"}


def test_the_second_night_knows_the_account_again(con):
    for day in (JUNE_1, JUNE_2):
        insert_requests(con, full(), day)
        build_features(con, day)
    with_past = {f.name for f in FEATURES if f.needs in {("past",), ("prompts", "past")}}
    # three nights make a habit of volume, a week's silence a dormancy
    assert with_past - known(con, JUNE_2) == {"volume_z", "wake_ratio", "first_night_share"}
    ana = account_days(con, JUNE_2)["ana"]
    assert (ana["parameters_constancy"], ana["hour_shift_bits"], ana["capability_shift_bits"]) == (1, 0, 0)
    assert (ana["repeat_share"], ana["week_sleepless_hours"], ana["capability_narrowing"]) == (1, 0, 0)


def test_shares_of_one_drawn_night(con):
    given_requests(con, """
        account | sent_at  | prompt | stop_reason | reasoning_tokens | output_tokens
        ana     | 10:00:00 | same   | refusal     | 5                | 10
        ana     | 10:00:01 | same   | refusal     | 90               | 10
        ana     | 10:00:02 | same   | stop        | -                | 10
        ana     | 11:00:03 | same   | stop        | -                | 10
        ana     | 12:00:04 | other  | stop        | -                | 10
    """)  # fmt: skip
    given_requests(con, """
        account | sent_at  | client_fingerprint | user_agent
        relay   | 10:00:00 | c                  | x
        relay   | 10:00:01 | c                  | y
        relay   | 10:00:02 | c                  | -
        relay   | 10:00:03 | d                  | x
    """)  # fmt: skip
    build_features(con, JUNE_1)
    night = account_days(con)
    ana, relay = night["ana"], night["relay"]
    assert (ana["multi_sample_share"], ana["refused_item_share"], ana["peak_requests_per_h"]) == (0.8, 0.5, 3)
    assert (ana["reasoning_token_share"], ana["cached_token_share"]) == (0.75, None)
    assert (relay["agents_per_client"], ana["agents_per_client"]) == (2, None)


def test_a_crowd_shows_who_is_large_among_its_kind_and_on_its_plan(con):
    for sample_rate in (1, 0.5):
        con.execute("DELETE FROM core.request")
        con.execute("DELETE FROM core.account")
        loads = {f"a{i:02}": 30 for i in range(60)} | {"big": 3_000}
        insert_requests(con, [
            {"account": name, "sent_at": f"{i % 20:02}:00:00.{i:06}", "n_turns": 1,
             "sample_rate": sample_rate}
            for name, load in loads.items() for i in range(int(load * sample_rate))
        ])  # fmt: skip
        con.execute(
            "INSERT INTO core.account BY NAME SELECT DISTINCT account_id, 'free' AS plan FROM core.request"
        )
        build_features(con, JUNE_1)
        night = account_days(con)
        assert (night["a00"]["volume_plan_z"], night["a00"]["volume_peer_z"]) == (0, 0)
        # ln(3001 / 31) over the least spread; a sampled log gives the same
        assert night["big"]["volume_plan_z"] == pytest.approx(18.29, abs=0.01)


def test_a_debut_a_ramp_and_an_awakening(con):
    known_accounts(con)
    insert_requests(con, full(1, account="old"))
    for n, load in ((0, 30), (1, 10), (9, 60)):
        day = JUNE_1 + timedelta(n)
        insert_requests(con, full(load), day)
        build_features(con, day)
    ana = account_days(con, JUNE_1 + timedelta(9))["ana"]
    assert (ana["debut_requests"], ana["first_night_share"], ana["first_burst_age_days"]) == (30, 0.5, 0)
    assert (ana["dormant_days"], ana["wake_ratio"]) == (7, 3)
    con.execute("UPDATE core.account SET created_at = TIMESTAMP '2026-01-01'")
    build_features(con, JUNE_1 + timedelta(9))
    ana = account_days(con, JUNE_1 + timedelta(9))["ana"]
    assert (ana["debut_requests"], ana["first_night_share"]) == (None, None)  # it may have been there before


def test_how_soon_an_account_is_at_a_new_model(con):
    for n in range(4):
        model = "m2" if n == 3 else "m1"
        given_requests(con, f"""
            account | sent_at  | model
            first   | 01:00:00 | {model}
            later   | 13:00:00 | {model}
            loyal   | 10:00:00 | m1
        """, JUNE_1 + timedelta(n))  # fmt: skip
    build_features(con, JUNE_1 + timedelta(3))
    night = account_days(con, JUNE_1 + timedelta(3))
    assert [night[name]["new_model_lag_h"] for name in ("first", "later", "loyal")] == [0, 12, None]


def test_every_feature_says_why_and_names_a_source_of_the_list():
    for feature in FEATURES:
        assert feature.why, feature.name
        for source in feature.source.split("; "):
            assert any(source.startswith(name) for name in SOURCES), feature.name


def test_a_warehouse_from_before_gains_the_columns(con):
    new = re.findall(r"account_day ADD COLUMN IF NOT EXISTS (\w+)", statement("schema"))
    assert len(new) > 30
    for name in new:
        con.execute(f"ALTER TABLE night.account_day DROP COLUMN {name}")
    con.execute(statement("schema"))
    insert_requests(con, full())
    build_features(con, JUNE_1)
    assert set(account_days(con)["ana"]) == {"day", "account_id", *(f.name for f in FEATURES)}


def queries() -> list[tuple[str, str]]:
    page = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    found = re.findall(r"^```sql\n(.*?)^```", page, re.M | re.S)
    return [(f"query {n}", sql) for n, sql in enumerate(found)]


@pytest.mark.parametrize("sql", [sql for _, sql in queries()], ids=[name for name, _ in queries()])
def test_the_queries_of_the_page_run(con, sql, tmp_path, monkeypatch):
    assert 5 <= len(queries()) <= 8
    monkeypatch.chdir(tmp_path)
    insert_requests(con, full())
    build_features(con, JUNE_1)
    con.execute("UPDATE night.account_day SET day = DATE '2025-06-02'")
    con.execute(sql)
    if sql.startswith("COPY"):
        assert con.sql("FROM 'account_day.parquet'").fetchall()[0][1] == "ana"


def test_the_page_holds_the_queries_of_the_tool():
    spec = importlib.util.spec_from_file_location("maker", ROOT / "tools" / "make_feature_reference.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert [sql for _, sql in maker.queries()] == [sql.strip() for _, sql in queries()]
