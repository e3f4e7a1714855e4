"""What each generator of people and coders is known for."""

import numpy as np
import polars as pl
from crowds import a_group, played

from pipelines.simulate.catalog import load_catalog


def hours(rows: pl.DataFrame, country: str) -> np.ndarray:
    """Share of requests per local hour, of accounts in one country."""
    offset = {c["code"]: c["utc_offset_h"] for c in load_catalog().countries}[country]
    local = (rows.filter(country=country)["hour"].to_numpy() + offset) % 24
    return np.bincount(local, minlength=24) / max(1, len(local))


def nightly(rows: pl.DataFrame, n_nights: int = 7) -> list[int]:
    return np.bincount(rows["night"].to_numpy(), minlength=n_nights).tolist()


def test_everyday_people_sleep_and_ask_on() -> None:
    rows = played("person_chat", "everyday", 1_500).rows
    by_hour = hours(rows, "US")
    assert by_hour[1:6].sum() < 0.14 < 5 / 24
    assert (rows["n_turns"] > 1).mean() > 0.4


def test_strangers_share_the_exits_of_carriers_and_tunnels() -> None:
    crowd = played("person_chat", "everyday", 1_500)
    shared = crowd.rows.group_by("ip").agg(pl.col("account_id", "asn", "country").n_unique())
    crowded = shared.filter(pl.col("account_id") >= 5)
    assert crowded.height >= 4
    assert crowded["asn"].max() == 1
    assert crowded["country"].max() > 1  # a tunnel
    assert (shared["account_id"] == 1).mean() > 0.8
    assert crowd.accounts["org_id"].is_unique().all()


def test_evening_chatters_come_after_dinner_on_the_phone() -> None:
    rows = played("person_chat", "evening_chatter", 400).rows
    assert hours(rows, "US")[17:24].sum() > 0.8
    assert rows["user_agent"].str.starts_with("AtlasApp").all()


def test_office_users_rest_at_weekends() -> None:
    counts = nightly(played("person_chat", "office_user", 400).rows)
    assert sum(counts[5:]) / 2 < 0.45 * sum(counts[:5]) / 5


def test_a_student_has_long_nights_before_a_deadline() -> None:
    rows = played("person_chat", "student", 150, 20).rows
    per_night = rows.group_by("account_id", "night").len()
    days = per_night.with_columns(
        pl.col("len").rank("ordinal", descending=True).over("account_id").alias("r")
    )
    busiest = days.filter(pl.col("r") <= 4)["len"].sum()
    assert busiest / rows.height > 0.5  # four of twenty days


def test_night_owls_are_awake_when_others_sleep() -> None:
    by_hour = hours(played("person_chat", "night_owl", 400).rows, "US")
    assert by_hour[[22, 23, 0, 1, 2, 3, 4]].sum() > 0.55
    assert by_hour[9:17].sum() < 0.2


def test_a_round_the_clock_user_is_one_person_with_several_devices() -> None:
    rows = played("power_user", "round_the_clock", 30).rows
    devices = rows.group_by("account_id").agg(pl.col("client_fingerprint").n_unique())
    assert devices["client_fingerprint"].median() >= 2
    everywhere = np.bincount(rows["hour"].to_numpy(), minlength=24)
    assert everywhere.min() > 0.3 * everywhere.mean()
    assert rows["n_turns"].mean() > 8


def test_a_researchers_script_sweeps_temperatures_beside_chats() -> None:
    crowd = played("power_user", "quant_researcher", 20)
    swept = crowd.rows.group_by("account_id").agg(pl.col("temperature").n_unique().alias("t"), pl.len())
    assert (swept.filter(pl.col("len") > 200)["t"] >= 4).all()
    assert swept.filter(pl.col("len") > 200).height >= 10
    per_night = crowd.rows.group_by("account_id", "night").len()
    assert 0.15 < (per_night["len"] > 60).mean() < 0.75  # some evenings, not all


def test_a_novelist_keeps_at_one_long_conversation() -> None:
    rows = played("power_user", "novelist", 20).rows
    assert rows.group_by("session_id").len()["len"].mean() > 12
    assert rows["output_tokens"].median() > 700
    assert rows["input_tokens"].quantile(0.9) > 60_000


def test_a_family_is_several_people_at_once() -> None:
    rows = played("power_user", "family_account", 30).rows
    busy = rows.group_by("account_id", "night", "hour").agg(pl.col("session_id").n_unique().alias("talks"))
    assert (busy["talks"] >= 2).mean() > 0.12
    assert rows.group_by("account_id").agg(pl.col("user_agent").n_unique())["user_agent"].median() >= 2


def test_a_law_firm_sits_behind_one_address_and_one_payment() -> None:
    crowd = played("enterprise_seats", "law_firm", 60)
    firms = crowd.accounts["org_id"].n_unique()
    assert 1 <= firms < 15
    assert crowd.accounts["payment_fingerprint"].n_unique() == firms
    by_firm = crowd.rows.group_by("org_id").agg(pl.col("asn").n_unique(), pl.col("ip").n_unique())
    assert by_firm["asn"].max() == 1
    assert by_firm["ip"].max() <= 4
    assert crowd.rows["input_tokens"].quantile(0.75) > 2_000


def test_a_consultancy_shares_its_system_prompt_and_travels() -> None:
    rows = played("enterprise_seats", "consultancy", 60).rows
    assert rows["system_prompt"].null_count() == 0
    assert rows.group_by("org_id").agg(pl.col("system_prompt").n_unique())["system_prompt"].max() == 1
    assert rows["ip"].n_unique() > rows["account_id"].n_unique()


def test_a_call_centre_never_sleeps_though_every_seat_does() -> None:
    rows = played("enterprise_seats", "call_centre", 60).rows
    together = np.bincount(rows["hour"].to_numpy(), minlength=24)
    assert together.min() > 0.5 * together.mean()
    own = rows.group_by("account_id").agg(pl.col("hour").n_unique())
    assert own["hour"].median() <= 11
    loads = played("enterprise_seats", "call_centre", 60).per_account()
    assert loads.std() / loads.mean() < 0.35  # one queue of calls: evener than people are


def test_homework_is_pasted_within_the_lesson_by_same_day_accounts() -> None:
    crowd = played("classroom", "homework_hour", 90)
    first = crowd.rows.unique("account_id", keep="first", maintain_order=True)
    lesson = first.group_by("ip").agg(pl.col("ts").dt.epoch("ms").std().alias("spread"), pl.len())
    assert (lesson.filter(pl.col("len") > 5)["spread"] < 90 * 60_000).all()
    joined = first.join(crowd.accounts, on="account_id")
    same_day = (joined["ts"].dt.date() == joined["created_at"].dt.date()).mean()
    assert 0.75 < same_day < 1.0  # a few had an account
    assert crowd.rows.filter(pl.col("n_turns") > 1).height > crowd.rows.height / 2
    assert crowd.accounts["payment_fingerprint"].null_count() == 90


def test_a_hackathon_is_one_voucher_full_speed_and_an_end() -> None:
    crowd = played("classroom", "hackathon", 90)
    assert crowd.accounts["payment_fingerprint"].null_count() == 0
    assert crowd.accounts["payment_fingerprint"].n_unique() <= 6
    by_event = crowd.rows.join(crowd.accounts.select("account_id", "payment_fingerprint"), on="account_id")
    nights = by_event.group_by("payment_fingerprint", "night").len()
    first_two = nights.sort("night").group_by("payment_fingerprint", maintain_order=True).head(2)
    assert first_two["len"].sum() / crowd.rows.height > 0.9
    assert crowd.rows["tool_names"].null_count() == 0
    first = crowd.rows.unique("account_id", keep="first", maintain_order=True).join(
        crowd.accounts, on="account_id"
    )
    assert ((first["ts"] - first["created_at"]).dt.total_hours() < 40).mean() > 0.9


def test_a_seminars_question_is_asked_all_week_and_changes_with_the_week() -> None:
    rows = played("classroom", "weekly_seminar", 80, 14).rows
    assert min(nightly(rows, 14)) > 0
    opening = rows.filter((pl.col("n_turns") == 1) & (pl.col("prompt").str.len_bytes() > 150))
    weeks = [set(opening.filter(pl.col("night") // 7 == week)["prompt"]) for week in (0, 1)]
    assert len(weeks[0]) > 10
    assert weeks[0].isdisjoint(weeks[1])
    assert played("classroom", "weekly_seminar", 80, 14).per_account().mean() < 60


def uses_of(generator: str, n: int) -> pl.DataFrame:
    """Requests of the fashionable prompt: one sitting, one message, in words many accounts share."""
    rows = played("viral_prompt", generator, n).rows.filter(pl.col("prompt").str.len_bytes() > 60)
    return rows.with_columns(pl.col("prompt").str.slice(0, 25).alias("head")).filter(
        pl.col("account_id").n_unique().over("head") > n // 4
    )


def test_a_fashion_grows_and_is_tried_once_or_twice() -> None:
    uses = uses_of("organic_growth", 300)
    counts = nightly(uses)
    assert counts[0] < max(counts) / 2
    assert uses.group_by("account_id").len()["len"].mean() < 2.5
    assert uses["country"].n_unique() > 8


def test_a_challenge_stays_in_one_country_and_brings_newcomers() -> None:
    crowd = played("viral_prompt", "country_challenge", 300)
    assert crowd.rows["country"].n_unique() == 1
    counts = sorted(nightly(uses_of("country_challenge", 300)), reverse=True)
    assert sum(counts[:3]) > 0.7 * sum(counts)
    during = (crowd.accounts["created_at"].dt.date() >= crowd.rows["ts"].dt.date().min()).mean()
    assert 0.3 < during < 0.6


def test_a_newsletter_is_copied_word_for_word_on_one_morning() -> None:
    rows = played("viral_prompt", "newsletter_morning", 300).rows
    copies = rows.filter(pl.col("prompt") == rows["prompt"].mode()[0])
    assert copies["account_id"].n_unique() > 120
    assert max(nightly(copies)) > 0.75 * copies.height
    assert hours(copies, "US")[6:12].sum() > 0.8


def moved(rows: pl.DataFrame, night: int) -> float:
    return float((rows.filter(night=night)["model"] == "atlas-4").mean())


def test_enthusiasts_move_wholly_on_the_day() -> None:
    rows = played("new_model_mover", "enthusiasts", 300).rows
    assert [moved(rows, night) for night in (2, 5)] == [0.0, 1.0]
    assert 0.4 < moved(rows, 3) < 1.0
    counts = nightly(rows)
    assert counts[3] > 2 * counts[2]


def test_companies_run_both_models_side_by_side() -> None:
    rows = played("new_model_mover", "side_by_side", 20).rows
    asked = rows.filter(night=5).group_by("account_id", "prompt").agg(pl.col("model").n_unique(), pl.len())
    assert (asked["model"] == 2).mean() > 0.3
    assert rows.filter(pl.col("night") < 3).group_by("account_id", "prompt").len()["len"].mean() < 1.6


def test_a_blogger_asks_every_model_the_same_questions_on_the_day() -> None:
    rows = played("new_model_mover", "comparison_blogger", 20).rows
    day = rows.filter(night=3).group_by("account_id", "prompt").agg(pl.col("model").n_unique())
    assert (day["model"] == 4).mean() > 0.5
    assert nightly(rows)[3] > 10 * max(nightly(rows)[:3])


def test_terminal_sessions_are_long_and_share_a_popular_system_prompt() -> None:
    rows = played("coding_agent", "terminal_sessions", 150).rows
    assert rows["system_prompt"].n_unique() == 2
    assert rows.group_by("session_id").len()["len"].mean() > 5
    assert rows["tool_names"].null_count() == 0
    assert sum(nightly(rows)[5:]) / 2 < 0.8 * sum(nightly(rows)[:5]) / 5


def test_pairing_in_an_editor_is_many_short_talks_in_office_hours() -> None:
    rows = played("coding_agent", "editor_pairing", 150).rows
    assert rows["n_turns"].mean() < 8
    assert hours(rows, "US")[8:18].sum() > 0.7
    assert rows["stream"].all()


def test_plan_and_act_loops_run_at_machine_pace() -> None:
    rows = played("coding_agent", "plan_and_act", 150).rows
    gaps = rows.filter(pl.col("n_turns") > 1).select(
        pl.col("ts").diff().over("account_id").dt.total_seconds().alias("gap")
    )
    assert gaps["gap"].median() < 15
    assert rows["n_turns"].quantile(0.9) > 80


def roles(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("account_id").agg(pl.col("system_prompt").n_unique().alias("roles"), pl.len())


def graded(rows: pl.DataFrame) -> float:
    """Share of requests that open a conversation of their own with a long text: the judge's."""
    return float(((rows["n_turns"] == 1) & (rows["prompt"].str.len_bytes() > 150)).mean())


def test_a_code_audit_is_one_developers_army_of_roles() -> None:
    crowd = played("agent_orchestration", "code_audit", 12)
    assert roles(crowd.rows).filter(pl.col("len") > 100)["roles"].min() >= 3
    assert crowd.per_account().max() / 7 > 400
    assert 0.1 < graded(crowd.rows) < 0.6
    assert crowd.accounts["payment_fingerprint"].is_unique().all()


def test_a_crew_builds_in_parallel_and_rests_on_some_days() -> None:
    rows = played("agent_orchestration", "plan_build_review", 12).rows
    at_once = rows.group_by("account_id", "night", "hour").agg(pl.col("session_id").drop_nulls().n_unique())
    assert at_once["session_id"].max() >= 4
    per_day = rows.group_by("account_id", "night").len()["len"]
    assert (per_day < 0.2 * per_day.mean()).any()


def test_a_debate_asks_for_several_votes_all_night() -> None:
    rows = played("agent_orchestration", "research_debate", 12).rows
    votes = rows.filter(pl.col("n_choices") == 3)
    assert 0.2 < votes.height / rows.height < 0.5
    by_hour = np.bincount(rows["hour"].to_numpy(), minlength=24)
    assert by_hour.min() > 0.4 * by_hour.mean()


def test_a_crowd_without_a_team_has_no_shared_payment() -> None:
    for kind, generator in (("person_chat", "everyday"), ("coding_agent", "plan_and_act")):
        _, group = a_group(kind, generator, 60)
        paid = group.crowd.accounts["payment_fingerprint"].combine_chunks().drop_null()
        assert len(paid.unique()) == len(paid)


def test_a_class_that_asks_too_fast_is_refused_and_tries_again_or_asks_its_neighbour() -> None:
    rows = played("classroom", "homework_hour", 600).rows.sort("ts")
    refused = rows.filter(pl.col("status") == 429).select("prompt", "account_id", "ts")
    later = refused.join(rows.filter(status=200), on="prompt", suffix="_next")
    soon = later.filter((pl.col("ts_next") - pl.col("ts")).dt.total_seconds().is_between(0, 300))
    own = (soon["account_id"] == soon["account_id_next"]).sum()
    assert own > 20
    assert 0.05 < (len(soon) - own) / len(refused) < 0.5
    addresses = rows.select("account_id", "ip").unique()
    pairs = soon.filter(pl.col("account_id") != pl.col("account_id_next"))
    both = pairs.join(addresses, on="account_id").join(
        addresses, left_on="account_id_next", right_on="account_id", suffix="_next"
    )
    assert (both["ip"] == both["ip_next"]).mean() > 0.95  # who sits beside
