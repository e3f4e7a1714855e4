"""Accounts alone in drawn warehouses: who is judged, what earlier nights show, what is kept, who is
spared."""

import zlib
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from pipelines.lone import flagged_alone, judge_alone, measure_busy
from pipelines.scores import score_accounts
from pipelines.settings import DetectionSettings, LoneSettings, Settings
from tests.detector.models.accounts import crowd, joined
from tests.detector.models.test_lone import EXTRACTOR, MODEST, applications
from tests.detector.models.test_relay import ADDED, Fresh, reseller
from tests.drawn import JUNE_1, warehouse
from tests.pipelines.test_scores import given_account_days

SETTINGS = Settings()


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def given_night(con, day, *extractors, seed=5, prefix="account"):
    """Ordinary applications, then such accounts, scored."""
    given_account_days(con, joined(applications(200, seed=seed), *extractors), day, prefix=prefix)
    score_accounts(con, day, SETTINGS)


def flag(con, day, exclude=(), settings=SETTINGS):
    """Judge a night as the campaign step does; rows of the flagged."""
    flagged = flagged_alone(
        day, judge_alone(con, day, measure_busy(con, day, settings), set(exclude), settings)
    )
    con.register("flagged", flagged)
    con.execute("INSERT INTO night.flagged_account BY NAME FROM flagged")
    con.unregister("flagged")
    return flagged.to_pylist()


def night(n):
    """The n-th night, from 0."""
    return JUNE_1 + timedelta(n)


def test_an_empty_night_has_no_findings(con):
    assert flag(con, JUNE_1) == []


def test_a_lone_extractor_comes_as_a_row_of_the_flagged_table_with_reasons(con):
    given_night(con, night(0), seed=3)
    assert flag(con, night(0)) == []
    given_night(con, night(1), crowd(1, **EXTRACTOR))
    (row,) = flag(con, night(1))
    assert (row["account_id"], row["campaign_id"], row["n_requests"]) == ("account-00200", None, 4_000)
    assert (row["confidence"], row["recommended_action"]) == ("medium", "verify")
    assert [reason["code"] for reason in row["reasons"]][:3] == [
        "lone_extractor",
        "lone_log_odds",
        "reasoning_trace_share",
    ]
    (kept,) = con.execute(
        "SELECT log_odds FROM night.lone_account WHERE account_id = 'account-00200' AND day = $1", [night(1)]
    ).fetchall()
    assert row["reasons"][1]["value"] == round(kept[0], 2)


def test_a_first_night_is_softer_and_says_what_it_asked_for(con):
    given_night(con, night(0), crowd(1, **EXTRACTOR))
    (row,) = flag(con, night(0))
    assert row["recommended_action"] == "limit"
    assert row["reasons"][1]["usual_range"] == "flagged from 5 on"


def test_without_history_every_night_is_a_first_one(con):
    given_night(con, night(0), seed=3)
    flag(con, night(0))
    given_night(con, night(1), crowd(1, **EXTRACTOR))
    (row,) = flag(con, night(1), settings=Settings(detection=DetectionSettings(leave_out=("history",))))
    assert row["reasons"][1]["usual_range"] == "flagged from 5 on"


def test_a_campaigns_accounts_the_approved_and_the_quiet_are_not_flagged(con):
    few = EXTRACTOR | {"n_requests": 150, "n_prompts": 150}
    given_night(con, JUNE_1, crowd(1, **EXTRACTOR), crowd(1, **EXTRACTOR, is_approved=1), crowd(1, **few))
    assert flag(con, JUNE_1, exclude={"account-00200"}) == []
    assert [row["account_id"] for row in flag(con, JUNE_1)] == ["account-00200"]
    thorough = Settings(lone=LoneSettings(least_requests=100))
    assert len(flag(con, JUNE_1, settings=thorough)) == 2


def test_who_was_flagged_and_who_came_half_way_never_becomes_what_is_usual(con):
    """The same five extractors, night after night, are found on the last as on the first."""
    given_night(con, night(0), seed=3)
    flag(con, night(0))
    by_night = []
    for n in range(1, 5):
        given_night(con, night(n), *[crowd(1, **EXTRACTOR) for _ in range(5)], seed=n)
        by_night.append([row["account_id"] for row in flag(con, night(n))])
    assert len(by_night[0]) == 5
    assert by_night[-1] == by_night[0]


def test_a_night_judged_again_gives_the_same_and_looks_at_no_later_one(con):
    for n in range(3):
        given_night(con, night(n), crowd(1, **EXTRACTOR), seed=n)
        flag(con, night(n))
    kept = con.execute("FROM night.lone_account ORDER BY day, account_id").fetchall()
    con.execute("DELETE FROM night.flagged_account WHERE day = $1", [night(1)])
    con.execute("SET threads = 1")
    (row,) = flag(con, night(1))
    assert row["account_id"] == "account-00200"
    assert con.execute("FROM night.lone_account ORDER BY day, account_id").fetchall() == kept


def given_texts(con, account_id, systems, prompts, day=JUNE_1):
    """Requests of an account with the shingles of their texts; hashes are made up."""
    tag = zlib.crc32(account_id.encode()) * 1_000_000
    system_ids = [tag + at for at in range(len(systems))]
    con.register("told", pa.table({"system_hash": system_ids, "shingles": systems}))
    con.execute(
        """INSERT INTO core.system_text BY NAME
        SELECT system_hash::UBIGINT AS system_hash, 300 AS training_permille, shingles::UINTEGER[] AS shingles
        FROM told"""
    )
    (first,) = con.execute("SELECT count(*) FROM core.request").fetchall()[0]
    rows = {
        "row_number": list(range(first, first + len(prompts))),
        "prompt_hash": [tag + at for at in range(len(prompts))],
        "system_hash": [None if product is None else system_ids[product] for product, _, _ in prompts],
        "shingles": [text for _, text, _ in prompts],
        "training_permille": [round(1_000 * share) + at % 50 for at, (_, _, share) in enumerate(prompts)],
    }
    con.register("told", pa.table(rows))
    con.execute(
        """INSERT INTO core.request BY NAME
        SELECT $day AS day, 1 AS file_id, row_number, row_number AS request_key, $account AS account_id,
               $day + INTERVAL 1 HOUR AS sent_at, prompt_hash::UBIGINT AS prompt_hash,
               system_hash::UBIGINT AS system_hash, shingles::UINTEGER[] AS shingles, training_permille
        FROM told""",
        {"day": day, "account": account_id},
    )
    con.unregister("told")


RESELLER = {"n_requests": 300, "n_prompts": 300, "n_systems": 20, "n_scripts": 6, "single_turn_share": 0.4}


def given_resellers(con, relay):
    """Six honest resellers and one that adds a text to its customers' requests."""
    fresh = Fresh()
    given_account_days(con, joined(applications(200), *[crowd(1, **RESELLER) for _ in range(7)]))
    score_accounts(con, JUNE_1, SETTINGS)
    for at in range(6):
        given_texts(con, f"account-{200 + at:05}", *reseller(fresh, training=0.3 + 0.01 * at))
    given_texts(con, "account-00206", *reseller(fresh, training=0.6, **relay))


@pytest.mark.parametrize("place", ["in_systems", "in_prompts"])
def test_a_relay_is_watched_and_the_reseller_is_asked(con, place):
    given_resellers(con, {place: ADDED})
    (row,) = flag(con, JUNE_1)
    assert (row["account_id"], row["recommended_action"]) == ("account-00206", "watch")
    codes = [reason["code"] for reason in row["reasons"]]
    assert (codes[0], codes[-1]) == ("relay", "ask_the_reseller")
    assert row["reasons"][1]["value"] == 20


@pytest.mark.parametrize(("kind", "place"), [("system", "in_systems"), ("prompt", "in_prompts")])
def test_a_frameworks_text_is_not_the_resellers(con, kind, place):
    given_resellers(con, {place: ADDED})
    con.execute(
        """INSERT INTO night.family BY NAME SELECT $day AS day, 'f' AS family_id, $kind AS kind, 900 AS
        n_accounts,
               60 AS n_orgs, 9000 AS n_requests, 9 AS n_items, $day AS first_seen, '' AS skeleton,
               $shingles::UINTEGER[] AS shingles""",
        {"day": JUNE_1, "kind": kind, "shingles": ADDED[:24]},
    )
    assert flag(con, JUNE_1) == []
    con.execute("UPDATE night.family SET n_orgs = 49")
    assert len(flag(con, JUNE_1)) == 1


def test_an_account_that_is_both_is_reported_once_as_a_relay(con):
    fresh = Fresh()
    both = EXTRACTOR | {"n_systems": 20, "n_scripts": 6}
    given_account_days(
        con, joined(applications(200), *[crowd(1, **RESELLER) for _ in range(6)], crowd(1, **both))
    )
    score_accounts(con, JUNE_1, SETTINGS)
    for at in range(6):
        given_texts(con, f"account-{200 + at:05}", *reseller(fresh))
    given_texts(con, "account-00206", *reseller(fresh, training=0.6, in_systems=ADDED))
    judged = judge_alone(con, JUNE_1, measure_busy(con, JUNE_1, SETTINGS), set(), SETTINGS)
    assert [len(judged.extractors), len(judged.relays)] == [1, 1]
    (row,) = flagged_alone(JUNE_1, judged).to_pylist()
    assert row["reasons"][0]["code"] == "relay"


def test_what_is_too_little_for_one_night_is_enough_when_it_goes_on(con):
    """On the fourth night it is seen for the third time, and so are ordinary accounts before it."""
    few = Settings(lone=LoneSettings(false_discovery_rate=0.2))  # a hundred are all there are to compare with
    given_night(con, night(0), seed=10)
    assert flag(con, night(0), settings=few) == []
    for number in (1, 2):
        given_night(con, night(number), crowd(1, **MODEST), seed=10 + number)
        assert flag(con, night(number), settings=few) == []
    given_night(con, night(3), crowd(1, **MODEST), seed=13)
    (row,) = flag(con, night(3), settings=few)
    assert (row["account_id"], row["recommended_action"]) == ("account-00200", "watch")
    over_nights = row["reasons"][2]
    assert over_nights["code"] == "lone_log_odds_mean"
    assert over_nights["detail"].endswith("the mean of 3 nights")


def test_without_history_no_earlier_night_counts(con):
    alone = Settings(
        detection=DetectionSettings(leave_out=("history",)), lone=LoneSettings(false_discovery_rate=0.2)
    )
    for number in range(4):
        accounts = [crowd(1, **MODEST)] if number else []
        given_night(con, night(number), *accounts, seed=10 + number)
        assert flag(con, night(number), settings=alone) == []


def test_most_suspicious_first(con):
    given_night(con, night(0), seed=3)
    flag(con, night(0))
    given_night(con, night(1), *[crowd(1, seed=n, **EXTRACTOR) for n in range(4)])
    scores = [row["score"] for row in flag(con, night(1))]
    assert len(scores) == 4
    assert np.all(np.diff(scores) <= 0)
