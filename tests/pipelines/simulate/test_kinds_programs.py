"""What each generator of programs, suites and resellers is known for."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from crowds import FIRST_DAY, a_group, played


def nightly(rows: pl.DataFrame, n_nights: int = 7) -> np.ndarray:
    return np.bincount(rows["night"].to_numpy(), minlength=n_nights)


def nights_per_text(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("account_id", "prompt").agg(pl.col("night").n_unique().alias("nights"), pl.len())


def users_per_account(rows: pl.DataFrame) -> pl.Series:
    return rows.group_by("account_id").agg(pl.col("end_user_id").n_unique())["end_user_id"]


def gini(loads: pl.Series) -> float:
    ordered = np.sort(loads.to_numpy().astype(float))
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum()))


# Tests and suites


def test_fixed_cases_come_after_every_commit_from_many_runners() -> None:
    rows = played("test_automation", "ci_fixed_cases", 12).rows
    assert nights_per_text(rows)["nights"].mean() > 2.5
    many = rows.group_by("account_id").agg(pl.col("ip", "user_agent").n_unique())
    assert many["ip"].median() > 5
    assert many["user_agent"].median() > 3
    assert nightly(rows)[5:].mean() < 0.6 * nightly(rows)[:5].mean()


def test_flaky_cases_are_tried_again_until_they_pass() -> None:
    rows = played("test_automation", "flaky_retries", 12).rows
    assert rows["attempt"].max() == 4
    failed = rows.group_by("attempt").agg((pl.col("status") != 200).mean().alias("failed"))
    assert dict(failed.iter_rows())[4] == 0.0  # the last attempt passes or is given up
    assert (rows.filter(pl.col("status") != 200)["attempt"] < 4).all()
    assert (rows["attempt"] > 1).mean() > 0.08


def test_a_load_test_is_an_hour_of_three_prompts() -> None:
    rows = played("test_automation", "load_test", 12).rows
    hour = rows.group_by("account_id", "night").agg(
        pl.len(), pl.col("hour").n_unique(), pl.col("prompt").n_unique()
    )
    busy = hour.filter(pl.col("len") > 300)
    assert busy.height >= 8
    assert busy["hour"].max() <= 2
    assert busy["prompt"].max() <= 3
    assert (rows["status"] != 200).mean() > 0.1
    assert rows["output_tokens"].max() <= 64


def test_a_browser_agent_clicks_the_same_journeys_every_night() -> None:
    rows = played("test_automation", "browser_agent_tests", 6).rows
    assert rows["n_images"].min() == 1
    assert rows.group_by("account_id").agg(pl.col("prompt").n_unique())["prompt"].max() <= 8 * 14
    assert nights_per_text(rows)["nights"].median() >= 5
    assert rows["tool_names"].null_count() == 0


def test_labs_run_the_same_items_in_one_week_and_stop_at_the_end() -> None:
    rows = played("evaluation_harness", "exact_match", 20, 21).rows
    assert rows["night"].n_unique() <= 8  # a week, and a night for what broke off
    labs = rows.group_by("prompt").agg(pl.col("account_id").n_unique())
    assert labs["account_id"].median() >= 5
    per_run = rows.group_by("account_id").agg(pl.col("prompt").n_unique())
    assert per_run["prompt"].max() <= 3 * 400
    assert rows["temperature"].unique().to_list() == [0.0]


def test_keys_of_one_lab_share_a_benchmark_out() -> None:
    crowd = played("evaluation_harness", "exact_match", 20, 21)
    keys = crowd.rows.group_by("org_id").agg(pl.col("account_id").n_unique().alias("keys"))
    assert keys["keys"].max() > 1
    several = keys.filter(pl.col("keys") > 1)["org_id"].to_list()
    texts = crowd.rows.filter(pl.col("org_id").is_in(several)).unique(["account_id", "org_id", "prompt"])
    assert texts.group_by("org_id", "prompt").len()["len"].mean() < 1.15  # texts may repeat in a set


def test_a_judge_reads_every_pair_twice() -> None:
    rows = played("evaluation_harness", "model_judge", 10).rows
    times = rows.group_by("account_id", "prompt").len()["len"]
    assert (times >= 2).mean() > 0.95


def test_tool_benchmarks_offer_the_same_tools_and_hear_little() -> None:
    rows = played("evaluation_harness", "tool_calls", 10).rows
    assert rows["tool_names"].n_unique() == 1
    assert rows["tool_names"].null_count() == 0
    assert rows["output_tokens"].median() < 120


def test_pass_at_k_takes_many_samples_of_a_small_set() -> None:
    rows = played("evaluation_harness", "pass_at_k", 16).rows
    assert rows["temperature"].unique().to_list() == [0.8]
    per_lab = rows.group_by("account_id").agg(
        pl.col("n_choices").max().alias("samples"), (pl.len() / pl.col("prompt").n_unique()).alias("repeats")
    )
    at_once = per_lab["samples"].fill_null(1) >= 5
    assert 0 < at_once.sum() < len(at_once)
    assert (per_lab.filter(~at_once)["repeats"] >= 4).all()
    assert rows.group_by("account_id").agg(pl.col("prompt").n_unique())["prompt"].max() <= 160


def test_multiple_choice_reads_the_log_probabilities_of_one_token() -> None:
    rows = played("evaluation_harness", "choice_by_logprobs", 10).rows
    assert rows["max_tokens"].unique().to_list() == [1]
    assert rows["output_tokens"].max() <= 1
    assert rows["top_logprobs"].min() >= 4


def test_a_rubric_is_applied_to_the_same_items_every_night() -> None:
    rows = played("regression_suite", "nightly_rubric", 6).rows
    nights = rows.group_by("org_id", "prompt").agg(pl.col("night").n_unique())
    assert (nights["night"] == 7).mean() > 0.98
    two = rows.group_by("org_id", "prompt").agg(pl.col("account_id").n_unique())
    assert two["account_id"].mean() < 1.2  # two keys, each its half


def test_a_release_gate_runs_twice_a_week_on_two_models() -> None:
    rows = played("regression_suite", "release_gate", 8, 14).rows
    assert (rows.group_by("account_id").agg(pl.col("night").n_unique())["night"] == 4).all()
    models = rows.group_by("account_id", "night").agg(pl.col("model").n_unique())
    assert (models["model"] >= 2).all()


def test_a_bisection_sends_the_same_items_under_version_after_version() -> None:
    rows = played("regression_suite", "prompt_bisection", 8).rows
    versions = rows.group_by("account_id", "night").agg(
        pl.col("system_prompt").n_unique().alias("versions"), pl.col("prompt").n_unique().alias("items")
    )
    hunts = versions.filter(pl.col("versions") > 1)
    assert hunts.height >= 5
    assert hunts["versions"].max() >= 4
    assert versions["items"].max() <= 60
    assert (versions["versions"] == 1).any()


# Applications and batches


def output_median(kind: str, generator: str, n: int = 12) -> float:
    return float(
        played(kind, generator, n).rows.filter(pl.col("status") == 200)["output_tokens"].median() or 0
    )


def test_a_classifier_answers_in_a_few_tokens_for_many_customers() -> None:
    crowd = played("single_purpose_app", "ticket_classifier", 12)
    assert output_median("single_purpose_app", "ticket_classifier") < 15
    assert crowd.rows["end_user_id"].n_unique() > 300
    assert crowd.rows["prompt"].str.len_bytes().median() > 4 * 15


def test_a_support_bot_is_asked_on() -> None:
    rows = played("single_purpose_app", "support_bot", 12).rows
    assert (rows["n_turns"] > 1).mean() > 0.35
    talks = rows.drop_nulls("session_id").group_by("session_id").agg(pl.col("end_user_id").n_unique())
    assert talks["end_user_id"].max() == 1


def test_extraction_keeps_its_schema_and_office_hours() -> None:
    rows = played("single_purpose_app", "json_extraction", 12).rows
    assert rows["response_format"].unique().to_list() == ["json_schema"]
    assert nightly(rows)[5:].mean() < 0.35 * nightly(rows)[:5].mean()


def test_translation_says_as_much_as_it_reads_day_and_night() -> None:
    rows = played("single_purpose_app", "ticket_translation", 12).rows
    by_hour = np.bincount(rows["hour"].to_numpy(), minlength=24)
    assert by_hour.min() > 0.3 * by_hour.mean()
    assert 60 < output_median("single_purpose_app", "ticket_translation") < 250


def test_a_review_bot_judges_code_for_one_team_on_working_days() -> None:
    rows = played("single_purpose_app", "code_review_bot", 12).rows
    assert users_per_account(rows).max() <= 40
    assert nightly(rows)[5:].mean() < 0.7 * nightly(rows)[:5].mean()
    assert output_median("single_purpose_app", "code_review_bot") > 120


def test_a_big_application_has_no_night_and_thousands_of_users() -> None:
    crowd = played("single_purpose_app", "big_app", 8)
    assert crowd.per_account().median() / 7 > 700
    assert (
        crowd.rows.group_by("account_id").agg(pl.col("end_user_id").n_unique())["end_user_id"].min() > 1_000
    )


def test_a_backfill_is_one_night_at_full_speed() -> None:
    rows = played("batch_job", "rag_backfill", 12).rows
    assert rows.group_by("account_id").agg(pl.col("night").n_unique())["night"].max() == 1
    assert rows.group_by("account_id").len()["len"].median() > 400


def test_a_migration_ends_with_a_shorter_night() -> None:
    rows = played("batch_job", "migration", 40).rows
    per_night = rows.group_by("account_id", "night").len().sort("account_id", "night")
    ended = (
        per_night.group_by("account_id")
        .agg(
            pl.col("len").last().alias("last"),
            pl.col("len").max().alias("most"),
            pl.col("night").max(),
            pl.len().alias("n"),
        )
        .filter((pl.col("night") < 6) & (pl.col("n") > 1))
    )
    assert ended.height > 5
    assert (ended["last"] < ended["most"]).all()
    assert per_night.group_by("account_id").len()["len"].max() <= 5


def test_a_nightly_batch_keeps_to_its_quarter_of_an_hour() -> None:
    rows = played("batch_job", "nightly_batch", 12).rows
    first = rows.group_by("account_id", "night").agg(
        pl.col("ts").min().dt.time().cast(pl.Duration).dt.total_minutes()
    )
    spread = first.group_by("account_id").agg(pl.col("ts").max() - pl.col("ts").min())
    assert spread["ts"].median() < 15
    assert rows.group_by("account_id").agg(pl.col("night").n_unique())["night"].min() >= 6


def test_an_archive_is_dealt_evenly_over_new_keys_of_one_organisation() -> None:
    crowd = played("batch_job", "archive_workers", 60)
    for _, team in crowd.rows.group_by("org_id"):
        if team["account_id"].n_unique() > 3:
            assert gini(team.group_by("account_id").len()["len"]) < 0.05
            texts = team.group_by("prompt").agg(pl.col("account_id").n_unique())
            assert (texts["account_id"] == 1).mean() > 0.9  # a queue hands an item out once
    assert crowd.accounts["payment_fingerprint"].n_unique() == crowd.accounts["org_id"].n_unique() < 20
    assert crowd.rows["output_tokens"].median() < 20
    young = (crowd.accounts["created_at"].dt.date() > FIRST_DAY - timedelta(days=8)).mean()
    assert young > 0.6


def test_a_catalogue_is_translated_once_under_six_instructions() -> None:
    rows = played("batch_job", "translation_batch", 12).rows
    assert rows.group_by("account_id").agg(pl.col("night").n_unique())["night"].max() == 1
    assert rows.group_by("account_id").len()["len"].min() % 6 == 0


# Contracts


@pytest.mark.parametrize("generator", ["own_tickets", "persona_dialogues", "code_tests", "contract_ending"])
def test_data_customers_have_a_contract_that_still_holds(generator: str) -> None:
    accounts = played("synthetic_data_customer", generator, 12).accounts
    assert accounts["approved_use"].unique().to_list() == ["synthetic_data"]
    assert (accounts["approved_until"] > FIRST_DAY + timedelta(days=6)).all()


def test_own_tickets_are_varied_around_the_clock() -> None:
    by_hour = np.bincount(played("synthetic_data_customer", "own_tickets", 40).rows["hour"], minlength=24)
    assert by_hour.min() > 0.35 * by_hour.mean()


def test_personas_talk_over_several_turns_under_many_system_prompts() -> None:
    rows = played("synthetic_data_customer", "persona_dialogues", 12).rows
    assert rows["system_prompt"].n_unique() > 100
    assert (rows["n_turns"] > 1).mean() > 0.7


def test_tests_for_own_code_are_written_on_working_days() -> None:
    rows = played("synthetic_data_customer", "code_tests", 12).rows
    assert nightly(rows)[5:].mean() < 0.6 * nightly(rows)[:5].mean()
    assert output_median("synthetic_data_customer", "code_tests") > 700


def test_a_contract_that_ends_soon_is_used_while_it_lasts() -> None:
    crowd = played("synthetic_data_customer", "contract_ending", 40)
    assert (crowd.accounts["approved_until"] < FIRST_DAY + timedelta(days=7 + 22)).all()
    counts = nightly(crowd.rows)
    assert counts[4:].sum() > 1.08 * counts[:3].sum()


def test_a_gateway_passes_on_who_asked() -> None:
    crowd = played("gateway", "with_end_users", 4)
    assert crowd.rows["end_user_id"].null_count() == 0
    assert users_per_account(crowd.rows).min() > 400
    assert crowd.rows["system_prompt"].n_unique() > 100
    one = crowd.rows.group_by("end_user_id").agg(pl.col("temperature").n_unique())
    assert one["temperature"].max() == 1  # an end user's program keeps its parameters
    assert crowd.accounts["approved_use"].unique().to_list() == ["reseller"]


def test_a_gateway_may_strip_every_id() -> None:
    crowd = played("gateway", "without_end_users", 4)
    assert crowd.rows["end_user_id"].null_count() == crowd.rows.height
    assert crowd.accounts["approved_use"].unique().to_list() == ["reseller"]


def test_a_regional_reseller_has_one_regions_night() -> None:
    rows = played("gateway", "regional_reseller", 4).rows
    for _, account in rows.group_by("account_id"):
        by_hour = np.sort(np.bincount(account["hour"].to_numpy(), minlength=24))
        assert by_hour[:4].sum() < 0.08 * by_hour.sum() < 4 / 24 * by_hour.sum()


def test_a_company_gateway_has_no_resale_contract_and_keeps_office_hours() -> None:
    crowd = played("gateway", "company_gateway", 6)
    assert crowd.accounts["approved_use"].null_count() == 6
    assert nightly(crowd.rows)[5:].mean() < 0.35 * nightly(crowd.rows)[:5].mean()


# Resellers without a contract


def test_a_resellers_pool_is_evener_than_its_buyers_are() -> None:
    rows = played("shadow_api_user", "device_passthrough", 60).rows.filter(pl.col("night") < 5)
    per_account = rows.group_by("account_id").len()["len"]
    per_buyer = rows.group_by("end_user_id").len()["len"]
    assert gini(per_account) < 0.6 * gini(per_buyer)
    assert users_per_account(rows).median() > 15


def test_a_device_appears_on_several_accounts_and_talks_go_on_under_new_sessions() -> None:
    rows = played("shadow_api_user", "device_passthrough", 60).rows
    devices = rows.group_by("end_user_id").agg(pl.col("account_id").n_unique())
    assert devices["account_id"].median() >= 2
    sessions = rows.group_by("session_id").agg(pl.col("account_id").n_unique(), pl.col("n_turns").min())
    assert sessions["account_id"].max() == 1
    assert 0.005 < (sessions["n_turns"] > 1).mean() < 0.3  # moved in the middle


def test_what_fails_on_one_account_goes_on_within_seconds_on_a_sibling() -> None:
    rows = played("shadow_api_user", "device_passthrough", 60).rows
    later = rows.sort("end_user_id", "ts").with_columns(
        pl.col("prompt", "account_id", "session_id", "status")
        .shift(-1)
        .over("end_user_id")
        .name.prefix("next_"),
        (pl.col("ts").shift(-1).over("end_user_id") - pl.col("ts")).alias("wait"),
    )
    moved = later.filter((pl.col("status") != 200) & (pl.col("prompt") == pl.col("next_prompt")))
    assert moved.height > 30
    assert (moved["account_id"] != moved["next_account_id"]).all()
    assert (moved["session_id"] != moved["next_session_id"]).all()
    assert moved["wait"].max() < timedelta(minutes=1)


def test_a_minted_client_is_one_device_with_unrelated_talks_in_a_queue() -> None:
    crowd = played("shadow_api_user", "minted_client", 40)
    per_account = crowd.rows.group_by("account_id").agg(
        pl.col("end_user_id").n_unique(), pl.col("client_fingerprint").n_unique()
    )
    assert per_account["end_user_id"].max() == per_account["client_fingerprint"].max() == 1
    gaps = crowd.rows.select(pl.col("ts").diff().over("account_id").dt.total_milliseconds().alias("ms"))["ms"]
    assert gaps.drop_nulls().min() >= 199  # everything waits its turn
    busiest = crowd.rows.group_by("account_id", "night", "hour").agg(pl.col("session_id").n_unique())
    assert busiest["session_id"].max() >= 3


def test_students_benchmarks_are_dealt_over_a_pool() -> None:
    rows = played("shadow_api_user", "academic_pool", 40).rows
    paper = rows.filter(pl.col("temperature") == 0.0)
    assert 0.1 < paper.height / rows.height < 0.8
    assert paper["account_id"].n_unique() > 20
    lab = played("evaluation_harness", "exact_match", 20, 21).rows["prompt"]
    assert paper["prompt"].is_in(lab.implode()).mean() > 0.5  # the very items that labs run
    assert rows["end_user_id"].null_count() == rows.height


def test_shadow_accounts_share_exits_and_cards_but_pay_for_themselves() -> None:
    _, group = a_group("shadow_api_user", "device_passthrough", 60)
    payers = group.crowd.accounts["payment_fingerprint"].combine_chunks().unique()
    assert len(payers) == 20
    rows = played("shadow_api_user", "device_passthrough", 60).rows
    assert rows["ip"].n_unique() < 45


# Safety research


def test_a_probe_sweep_is_refused_and_never_scaled_up() -> None:
    crowd = played("safety_research", "probe_sweep", 10)
    assert 0.5 < (crowd.rows["stop_reason"] == "refusal").mean() < 0.75
    assert crowd.accounts["approved_use"].unique().to_list() == ["safety_research"]
    assert crowd.rows["prompt"].n_unique() > 0.5 * crowd.rows.height


def test_a_fuzzer_works_for_an_hour_or_two() -> None:
    rows = played("safety_research", "jailbreak_fuzzing", 10).rows
    span = rows.group_by("account_id", "night").agg(
        (pl.col("ts").max() - pl.col("ts").min()).dt.total_minutes()
    )
    assert span["ts"].max() <= 120
    assert (rows["stop_reason"] == "refusal").mean() > 0.7


def test_a_chairs_members_share_an_address_and_some_are_not_enrolled_yet() -> None:
    crowd = played("safety_research", "university_group", 40)
    not_yet = crowd.accounts["approved_use"].null_count()
    assert 0 < not_yet < 16
    enrolled = crowd.accounts.group_by("org_id").agg(pl.col("approved_use").null_count() < pl.len())
    assert enrolled["approved_use"].all()
    assert crowd.rows.group_by("org_id").agg(pl.col("asn").n_unique())["asn"].max() == 1
