"""From requests to one row per account and day: what counts, what repeats, what stays unknown."""

from datetime import date, timedelta

import duckdb
import pytest

from detector.features import FEATURES
from pipelines import features
from pipelines.asked_again import note_asked_again
from pipelines.features import build_features
from tests.drawn import JUNE_1, account_days, given_requests, insert_requests, warehouse


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def test_the_table_has_the_columns_the_registry_lists(con):
    columns = [row[0] for row in con.execute("DESCRIBE night.account_day").fetchall()]
    assert columns == ["day", "account_id", *(feature.name for feature in FEATURES)]


def test_a_template_repeats_itself_and_a_person_does_not(con):
    given_requests(
        con,
        """
        account | sent_at  | prompt              | system   | n_turns | capability | technique
        ana     | 09:12:40 | fix my cover letter | -        | 1       | 0          | 0
        ana     | 09:14:00 | shorter please      | -        | 3       | 0          | 0
        ana     | 21:00:10 | capital of Peru     | -        | 1       | 3          | 0
        bot     | 00:00:00 | reason about A      | be clear | 1       | 2          | 1
        bot     | 06:00:00 | reason about B      | be clear | 1       | 2          | 1
        bot     | 12:00:00 | reason about B      | be clear | 1       | 2          | 1
        bot     | 18:00:00 | grade C             | be sharp | 1       | 9          | 2
    """,
    )
    assert build_features(con, JUNE_1) == 2
    night = account_days(con)
    ana, bot = night["ana"], night["bot"]
    assert (ana["item_novelty"], bot["item_novelty"]) == (1, 0.75)
    assert (ana["n_systems"], bot["n_systems"]) == (None, 2)
    assert (ana["top_system_share"], bot["top_system_share"]) == (None, 0.75)
    assert (ana["single_turn_share"], bot["single_turn_share"]) == (pytest.approx(2 / 3), 1)
    assert (ana["median_turns"], bot["median_turns"]) == (1, 1)
    assert (ana["top_capability"], bot["top_capability"]) == (0, 2)
    assert bot["capability_concentration"] == pytest.approx(0.75**2 + 0.25**2)
    assert (bot["reasoning_trace_share"], bot["preference_labels_share"]) == (0.75, 0.25)
    assert (ana["any_technique_share"], bot["any_technique_share"]) == (0, 1)
    assert bot["burstiness"] == pytest.approx(-1)
    assert bot["hour_mask"] == 1 | 1 << 6 | 1 << 12 | 1 << 18
    assert (bot["active_hours"], bot["hour_entropy_bits"], bot["longest_pause_h"]) == (4, 2, 6)
    assert bot["hour_counts"] == [int(hour % 6 == 0) for hour in range(24)]


def test_without_prompts_content_is_unknown_and_rhythm_is_not(con):
    given_requests(
        con,
        """
        account | sent_at
        dark    | 01:00:00
        dark    | 01:00:10
        dark    | 01:00:20
    """,
    )
    build_features(con, JUNE_1)
    dark = account_days(con)["dark"]
    # fmt: off
    known = {
        "day", "account_id", "n_requests", "n_retries", "first_sent_at", "last_sent_at", "hour_mask",
        "active_hours", "hour_counts", "hour_entropy_bits", "busiest_hour_share", "longest_pause_h",
        "median_gap_s", "floor_gap_s", "burstiness", "n_prompts", "peak_requests_per_h", "sleepless_hours",
    }
    # fmt: on
    assert {name for name, value in dark.items() if value is not None} == known
    assert (dark["n_requests"], dark["n_prompts"], dark["median_gap_s"]) == (3, 0, 10)


def test_retries_are_not_volume_unless_there_is_nothing_else(con):
    given_requests(
        con,
        """
        account | sent_at  | attempt | output_tokens
        honest  | 10:00:00 | 1       | 100
        honest  | 10:00:01 | 2       | 100
        honest  | 10:00:02 | -       | 100
        masked  | 10:00:00 | 7       | 100
        masked  | 10:00:05 | 2       | 100
    """,
    )
    build_features(con, JUNE_1)
    night = account_days(con)
    assert [night["honest"][name] for name in ("n_requests", "n_retries", "output_tokens")] == [2, 1, 200]
    assert [night["masked"][name] for name in ("n_requests", "n_retries", "output_tokens")] == [2, 0, 200]
    assert night["masked"]["median_gap_s"] == 5


def test_sampled_rows_stand_for_the_requests_they_were_drawn_from(con):
    given_requests(
        con,
        """
        account | sent_at  | sample_rate | output_tokens | input_tokens
        tenth   | 10:00:00 | 0.1         | 30            | 10
        tenth   | 10:00:01 | 0.1         | 30            | 20
        liar    | 10:00:01 | 1e-300      | 9223372036854775807 | 9223372036854775807
        broken  | 10:00:01 | nan         | 5             | 0
    """,
    )
    build_features(con, JUNE_1)
    night = account_days(con)
    assert [night["tenth"][name] for name in ("n_requests", "output_tokens", "output_ratio")] == [20, 600, 2]
    assert night["liar"]["n_requests"] == 1_000_000
    assert night["liar"]["output_tokens"] == 9_000_000_000_000_000_000
    assert [night["broken"][name] for name in ("n_requests", "output_ratio")] == [1, None]


def test_a_regression_suite_repeats_its_items_and_a_harvester_does_not(con):
    for offset in range(2):
        given_requests(con, f"""
            account   | sent_at  | prompt
            suite     | 02:00:00 | item one
            suite     | 02:00:01 | item two
            harvester | 02:00:00 | item {offset}a
            harvester | 02:00:01 | item {offset}b
        """, JUNE_1 + timedelta(offset))  # fmt: skip
    given_requests(con, "account | sent_at | prompt \n late | 03:00:00 | item one", JUNE_1 + timedelta(1))
    for offset in range(2):
        build_features(con, JUNE_1 + timedelta(offset))
    first, second = account_days(con), account_days(con, JUNE_1 + timedelta(1))
    assert [first[name]["repeat_share"] for name in ("suite", "harvester")] == [None, None]
    assert [second[name]["repeat_share"] for name in ("suite", "harvester", "late")] == [1, 0, None]


def test_history_shows_a_leap_a_silence_and_a_new_face(con):
    days = [JUNE_1 + timedelta(n) for n in range(6)]
    for n, day in enumerate(days):
        loads = {
            "steady": 10,
            "leaper": 100 if n == 5 else 10,
            "sleeper": 10 if n in {0, 5} else 0,
            "new": 3 * (n == 5),
        }
        insert_requests(con, [{"account": name, "sent_at": f"10:{i // 60:02}:{i % 60:02}"}
                              for name, load in loads.items() for i in range(load)], day)  # fmt: skip
        build_features(con, day)
    night = account_days(con, days[5])
    assert night["steady"]["volume_z"] == pytest.approx(0, abs=1e-5)
    assert night["leaper"]["volume_z"] > 5
    assert (night["leaper"]["usual_requests"], night["leaper"]["most_requests"]) == (10, 10)
    assert night["leaper"]["growth_ratio"] == 10
    assert (night["sleeper"]["dormant_days"], night["sleeper"]["volume_z"]) == (4, None)
    assert (night["steady"]["nights_seen"], night["steady"]["days_since_first_seen"]) == (5, 5)
    assert [night["new"][name] for name in ("nights_seen", "dormant_days", "growth_ratio")] == [0, None, None]
    assert account_days(con, days[0])["steady"]["nights_seen"] is None


def test_a_rush_to_a_new_model_is_seen_once_there_is_a_past(con):
    for n in range(4):
        model = "model-2" if n == 3 else "model-1"
        given_requests(con, f"""
            account | sent_at  | model
            pivot   | 10:00:00 | {model}
            pivot   | 10:00:01 | {model}
            loyal   | 10:00:00 | model-1
        """, JUNE_1 + timedelta(n))  # fmt: skip
        build_features(con, JUNE_1 + timedelta(n))
    shares = [account_days(con, JUNE_1 + timedelta(n))["pivot"]["new_model_share"] for n in range(4)]
    assert shares == [None, None, 0, 1]
    assert account_days(con, JUNE_1 + timedelta(3))["loyal"]["new_model_share"] == 0


def test_fan_in_parameters_and_the_approved_use(con):
    given_requests(
        con,
        """
        account | sent_at  | end_user_hash | ip | country | script | temperature | top_logprobs | n_choices
        relay   | 10:00:00 | 11            | a  | X       | 1      | 0           | 5            | 1
        relay   | 10:00:01 | 12            | b  | Y       | 2      | 0           | 5            | 4
        relay   | 10:00:02 | 13            | c  | -       | 3      | 0           | 5            | 1
        plain   | 10:00:02 | -             | c  | X       | 1      | -           | -            | 1
    """,
    )
    con.execute("""
        INSERT INTO core.account BY NAME FROM (VALUES
            ('relay', TIMESTAMP '2026-05-30 23:00', 'reseller', DATE '2026-05-31'),
            ('plain', TIMESTAMP '2027-01-01', 'evaluation', NULL)
        ) AS a(account_id, created_at, approved_use, approved_until)
    """)
    build_features(con, JUNE_1)
    night = account_days(con)
    relay, plain = night["relay"], night["plain"]
    fan_in = [relay[name] for name in ("n_end_users", "n_ips", "n_countries", "n_scripts")]
    assert fan_in == [3, 3, 2, 3]
    assert [relay[name] for name in ("n_parameter_sets", "zero_temperature_share", "soft_label_share")] == [
        2,
        1,
        1,
    ]
    assert relay["multi_choice_share"] == pytest.approx(1 / 3)
    assert [plain[name] for name in ("n_end_users", "zero_temperature_share", "soft_label_share")] == [
        None,
        None,
        0,
    ]
    assert (relay["account_age_days"], relay["is_approved"]) == (2, False)
    assert (plain["account_age_days"], plain["is_approved"]) == (None, True)


def test_what_an_account_asked_on_a_night_before_is_noted_once(con):
    """Not what others asked, what was asked longer ago, or what is not asked tonight."""
    for nights_ago, prompts in ((8, ["long ago"]), (7, ["a week ago"]), (1, ["nightly", "no more"])):
        rows = [{"account": "suite", "sent_at": "10:00:00", "prompt": prompt} for prompt in prompts]
        insert_requests(con, rows, JUNE_1 - timedelta(nights_ago))
    given_requests(con, "account | sent_at | prompt \n other | 10:00:00 | once", JUNE_1 - timedelta(1))
    given_requests(
        con,
        """
        account | sent_at  | prompt
        suite   | 10:00:00 | long ago
        suite   | 10:00:01 | a week ago
        suite   | 10:00:02 | nightly
        suite   | 10:00:03 | nightly
        suite   | 10:00:04 | once
    """,
    )
    for _ in range(2):  # scanned once more, noted no more than once
        note_asked_again(con, JUNE_1)
    noted = con.sql("FROM night.asked_again").fetchall()
    (hashes,) = con.sql("SELECT [hash('a week ago'), hash('nightly')]").fetchall()[0]
    assert sorted(noted) == sorted(("suite", asked) for asked in hashes)


def test_families_join_when_they_are_known(con):
    given_requests(
        con,
        """
        account | sent_at  | prompt
        user    | 10:00:00 | one
        user    | 10:00:01 | two
    """,
    )
    for family, kind in (("f1", "prompt"), ("s1", "system")):
        con.execute(
            """INSERT INTO night.family BY NAME
            SELECT $day AS day, $family AS family_id, $kind AS kind, 1 AS n_accounts, 1 AS n_requests,
                   1 AS n_items, $day AS first_seen, '...' AS skeleton, [1] AS shingles""",
            {"day": JUNE_1, "family": family, "kind": kind},
        )
    con.execute(
        """INSERT INTO night.family_account (day, family_id, account_id, n_requests, n_items, n_shared_items)
        VALUES ($day, 'f1', 'user', 1, 1, 0), ($day, 's1', 'user', 2, 2, 0)""",
        {"day": JUNE_1},
    )
    build_features(con, JUNE_1)
    user = account_days(con)["user"]
    assert (user["top_family_share"], user["n_families"]) == (0.5, 1)


def test_the_order_of_rows_the_threads_and_the_parts_change_nothing(monkeypatch):
    rows = [
        {
            "account": f"a{i % 7}",
            "sent_at": f"{i % 24:02}:{i % 60:02}:00.{i:06}",
            "prompt": f"p{i % 11}",
            "ip": f"ip{i % 5}",
            "sample_rate": 0.3,
            "output_tokens": i * 37,
            "input_tokens": i,
            "capability": i % 4,
            "n_turns": i % 3,
        }
        for i in range(500)
    ]
    nights = []
    for order, threads, at_once in ((1, 1, 10**6), (-1, 2, 100), (1, 2, 1)):
        monkeypatch.setattr(features, "ROWS_AT_ONCE", at_once)
        with warehouse() as con:
            con.execute(f"SET threads = {threads}")
            for n in range(4):
                insert_requests(con, rows[:: n + 1][::order], JUNE_1 + timedelta(n))
                build_features(con, JUNE_1 + timedelta(n))
            nights.append(account_days(con, JUNE_1 + timedelta(3)))
    assert nights[0] == nights[1] == nights[2]


def test_a_second_run_replaces_the_day_and_leaves_the_others(con):
    for day in (JUNE_1, JUNE_1 + timedelta(1)):
        given_requests(con, "account | sent_at \n a | 10:00:00 \n b | 11:00:00", day)
        build_features(con, day)
    con.execute("DELETE FROM core.request WHERE day = $day AND account_id = 'b'", {"day": JUNE_1})
    assert build_features(con, JUNE_1) == 1
    assert (list(account_days(con)), list(account_days(con, JUNE_1 + timedelta(1)))) == (["a"], ["a", "b"])


def test_a_day_without_requests_is_empty_not_an_error(con):
    assert build_features(con, date(2026, 1, 1)) == 0


def test_a_broken_step_leaves_the_day_as_it_was(con, monkeypatch):
    given_requests(con, "account | sent_at \n a | 10:00:00")
    build_features(con, JUNE_1)
    monkeypatch.setattr(features, "HABIT_NIGHTS", "not a number")
    with pytest.raises(duckdb.Error, match="Binder"):
        build_features(con, JUNE_1)
    assert list(account_days(con)) == ["a"]
    monkeypatch.undo()
    assert build_features(con, JUNE_1) == 1
