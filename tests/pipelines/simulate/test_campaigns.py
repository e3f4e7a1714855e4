"""What each campaign kind does, told as stories; and what all of them keep to."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from played import Played, delivered, play

from pipelines.record import REQUEST_SCHEMA
from pipelines.simulate.campaigns import CAMPAIGNS
from pipelines.simulate.campaigns.dispatch import customers, fail_over, spread
from pipelines.simulate.campaigns.fronts import HYDRA_COVER
from pipelines.simulate.campaigns.plan import Style
from pipelines.simulate.campaigns.techniques import SAMPLES
from pipelines.simulate.group import NEVER
from pipelines.simulate.population import DAY_US, NEWEST_MODEL
from pipelines.simulate.spec import EVASIONS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "simulation-campaigns.md"
KINDS = sorted(CAMPAIGNS)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def loads(rows: pl.DataFrame) -> pl.Series:
    return rows.group_by("account").len()["len"]


def banned_from(played: Played, night: int, accounts: range) -> np.ndarray:
    bans = played.nobody_banned()
    bans[list(accounts)] = night
    return bans


# --- all kinds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_night_alone_is_the_same_night_in_sequence(kind: str) -> None:
    first, again = play(kind, accounts=12), play(kind, accounts=12)
    for number in range(2):
        first.night(number)
    assert first.night(2).equals(again.night(2))
    assert not first.night(2).equals(first.night(1))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_whole_and_labels_say_what_it_is(kind: str) -> None:
    played = play(kind, "paraphrase", accounts=12)
    rows = played.night(1)
    assert set(REQUEST_SCHEMA.names) <= set(rows.columns)
    assert rows["request_id"].is_unique().all()
    for column in ("ts", "account_id", "prompt", "model", "ip", "user_agent", "status"):
        assert rows[column].null_count() == 0, column
    labels = pl.from_arrow(played.group.crowd.labels)
    assert set(labels["generator"]) == {kind}
    assert set(labels["regime"]) == {played.spec.reported_regime}
    assert set(labels["evasions"]) == {"paraphrase"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_rate_is_the_scenarios(kind: str) -> None:
    played = play(kind, accounts=60, rate=20)
    sent = played.night(2)
    answered = sent.filter(pl.col("status") == 200)
    assert 0.75 < answered.height / (60 * 20) < 1.25


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"relay", "multi_sample"}])
def test_no_item_is_answered_twice_whoever_is_banned(kind: str) -> None:
    played = play(kind, accounts=24)
    bans = banned_from(played, 2, range(10))
    rows = delivered(played.nights(range(5), bans))
    # A bias of the vocabulary has a queue of its own, as has each campaign of a shared pool.
    key = ["theme", "item"] + (["top_logprobs"] if kind == "soft_labels" else [])
    assert rows.height > 200
    assert rows.select(key).is_unique().all()


@pytest.mark.parametrize("kind", KINDS)
def test_banned_accounts_are_replaced_by_newcomers(kind: str) -> None:
    played = play(kind, accounts=24, nights=5)
    bans = banned_from(played, 1, range(12))
    assert played.group.signups is not None
    signups = played.group.signups(bans)
    joined = np.flatnonzero((signups >= DAY_US) & (signups < NEVER))
    before = np.flatnonzero(played.group.signups(played.nobody_banned()) < NEVER)
    fresh = np.setdiff1d(joined, before)
    assert (signups == played.group.signups(bans)).all()
    assert len(fresh) == 12
    rows = played.nights(range(1, 3), bans).filter(~pl.col("account").is_in(list(range(12))))
    assert set(rows["account"]) & set(fresh.tolist())
    first_seen = rows.group_by("account").agg(pl.col("ts").min().dt.epoch("us"))
    for account, at in first_seen.iter_rows():
        assert at >= signups[account]
    payments = played.group.crowd.accounts["payment_fingerprint"].to_pylist()
    assert not {payments[a] for a in fresh} & {p for p in payments[:24] if p}


def test_later_bans_do_not_change_who_came_before() -> None:
    played = play("hydra", accounts=20)
    assert played.group.signups is not None
    early = banned_from(played, 1, range(5))
    late = np.where(np.arange(len(early)) == 9, 3, early)
    one, two = played.group.signups(early), played.group.signups(late)
    assert (two[one < NEVER] == one[one < NEVER]).all()
    assert (two < NEVER).sum() == (one < NEVER).sum() + 1
    assert played.night(2, early).equals(played.night(2, late))


def test_a_replacement_can_be_banned_as_well() -> None:
    played = play("low_and_wide", accounts=10)
    assert played.group.signups is not None
    bans = banned_from(played, 1, range(10))
    second = np.flatnonzero((played.group.signups(bans) > 0) & (played.group.signups(bans) < NEVER))
    bans[second[:4]] = 3
    signups = played.group.signups(bans)
    third = np.flatnonzero((signups >= 3 * DAY_US) & (signups < NEVER))
    assert len(third) == 0  # the reserve is as large as the pool, and used up
    assert set(played.night(4, bans)["account"]) <= set(second[4:].tolist())


def test_reserves_that_nobody_needed_are_in_no_file() -> None:
    played = play("hydra", accounts=20)
    assert played.group.signups is not None
    signups = played.group.signups(played.nobody_banned())
    assert (signups < 0).sum() == 20
    assert (signups == NEVER).sum() == len(signups) - 20


@pytest.mark.parametrize("number", [0, 1, 4, 5])
def test_nobody_works_before_the_campaign_begins_or_after_it_ends(number: int) -> None:
    played = play("synchronised", begins=3, ends=4)
    assert played.night(number).is_empty()
    assert played.night(2).height > 0


# --- who gets what when ----------------------------------------------------------------------------------


def test_dealt_loads_differ_by_one_at_most() -> None:
    staff = rng().permutation(40)
    arrivals = spread(Style(), 1_003, staff, np.zeros(40, np.int64), rng())
    counts = np.bincount(arrivals.account, minlength=40)
    assert counts.max() - counts.min() == 1


def test_what_failed_comes_back_on_a_sibling_within_seconds_and_the_account_rests() -> None:
    staff = np.arange(6)
    arrivals = spread(Style(), 6_000, staff, np.zeros(6, np.int64), rng())
    style = Style(trips=0.002, cool_down_s=300.0)
    sent = fail_over(arrivals, staff, np.zeros(6), style, rng(2))
    assert len(sent.row) == 6_000 + sent.failed.sum()
    assert sent.failed.sum() > 5
    for row in sent.row[sent.failed].tolist():
        lost = np.flatnonzero((sent.row == row) & sent.failed)[0]
        again = np.flatnonzero((sent.row == row) & sent.retried)[0]
        assert sent.account[lost] != sent.account[again]
        assert 0 < sent.second[again] - sent.second[lost] < 60 or sent.second[again] > 86_390
        mine = (sent.account == sent.account[lost]) & ~sent.failed & ~sent.retried
        planned_here = arrivals.account[sent.row] == sent.account[lost]
        rest = sent.second[mine & planned_here] - sent.second[lost]
        assert not ((rest > 0) & (rest < 260.0)).any()


def test_an_account_alone_waits_and_tries_again_itself() -> None:
    arrivals = spread(Style(), 800, np.array([3]), np.zeros(1, np.int64), rng())
    sent = fail_over(arrivals, np.array([3]), np.zeros(4), Style(trips=0.01, cool_down_s=60.0), rng())
    assert set(sent.account.tolist()) == {3}
    assert sent.retried.sum() == sent.failed.sum() > 0


def test_a_conversation_stays_an_hour_with_one_account_and_then_moves() -> None:
    people = customers(30_000, np.arange(200), 6.0, rng())
    a = people.arrivals
    frame = pl.DataFrame(
        {"talk": people.conversation, "session": a.session, "account": a.account, "at": a.second}
    )
    by_session = frame.group_by("session").agg(
        pl.col("account").n_unique(), pl.col("at").max() - pl.col("at").min()
    )
    assert by_session["account"].max() == 1
    assert by_session["at"].max() <= 3_600
    moved = frame.group_by("talk").agg(pl.col("session").n_unique(), pl.col("account").n_unique())
    assert (moved.filter(pl.col("session") > 1)["account"] > 1).mean() > 0.9
    by_account = frame.unique("session").group_by("account").len()["len"]
    assert by_account.max() - by_account.min() <= 1


def test_newcomers_do_a_whole_nights_share_in_the_hours_left() -> None:
    played = play("synchronised", accounts=20, rate=30)
    bans = banned_from(played, 2, range(10))
    counts = loads(played.night(2, bans))
    assert counts.len() > 17
    assert counts.min() > 0.7 * counts.mean()


# --- stories ---------------------------------------------------------------------------------------------


def test_synchronised_loads_are_even_and_payments_shared() -> None:
    played = play("synchronised", accounts=60, rate=26)
    counts = loads(played.night(2).filter(pl.col("status") == 200))
    assert (abs(counts - counts.median()) <= 2).mean() > 0.9
    payments = pl.Series(played.group.crowd.accounts["payment_fingerprint"].to_pylist())
    assert payments.value_counts()["count"].max() == 6
    assert set(delivered(played.night(2))["theme"]) == {"reasoning", "grading", "safety_rewrite"}


def test_pivot_moves_half_of_its_traffic_within_a_day() -> None:
    played = play("pivot", accounts=40)
    newest = played.night(0)["model"].unique().to_list()
    after = played.night(3)
    share = (~after["model"].is_in(newest)).mean()
    assert share is not None
    assert 0.4 < share < 0.6
    assert NEWEST_MODEL > 0


def test_multi_path_comes_in_by_many_doors_and_halves_its_rate_after_bans() -> None:
    played = play("multi_path", accounts=50)
    rows = played.night(2)
    themes = {"tool_use", "coding", "data_analysis", "computer_use", "vision"}
    assert set(delivered(rows)["theme"]) == themes
    per_account = delivered(rows).group_by("account").agg(pl.col("theme").n_unique())
    assert (per_account["theme"] == 1).mean() > 0.8  # siblings take over what failed
    assert len(set(played.group.crowd.accounts["plan"].to_pylist())) >= 4
    careful = played.night(2, banned_from(played, 2, range(5)))
    assert careful.height < 0.65 * rows.height
    assert played.night(3, banned_from(played, 2, range(5))).height > 0.8 * rows.height


def test_a_hydra_hides_in_its_customers_and_its_queue_outlives_bans() -> None:
    played = play("hydra", accounts=40, rate=30)
    bans = banned_from(played, 3, range(40))
    rows = played.nights(range(1, 6), bans)
    cover = rows["item"].is_null().mean()
    assert cover is not None
    assert HYDRA_COVER[0] - 0.08 < cover < HYDRA_COVER[1] + 0.04
    items = delivered(rows)
    for theme in ("extract", "coding"):
        numbers = items.filter(theme=theme)["item"].sort()
        assert numbers.is_unique().all()
        assert numbers[-1] - numbers[0] + 1 == numbers.len()
    before = set(rows.filter(pl.col("night") < 3)["account"])
    after = set(rows.filter(pl.col("night") >= 3)["account"])
    assert not before & after
    assert rows["client_fingerprint"].n_unique() <= 3
    assert rows["ip"].n_unique() <= 5


def test_low_and_wide_sends_six_a_day_from_its_own_homes_by_its_own_clock() -> None:
    played = play("low_and_wide", accounts=400, rate=5.6)
    rows = played.night(1)
    assert 5.0 < loads(rows).mean() < 7.0
    offset = pl.Series(played.group.crowd.utc_offset_h[rows["account"].to_numpy()])
    local = (rows["ts"].dt.hour().cast(pl.Int64) + offset) % 24
    assert ((local >= 2) & (local < 5)).mean() < 0.5 * ((local >= 18) & (local < 21)).mean()
    assert rows.filter(pl.col("item").is_not_null())["theme"].unique().to_list() == ["extract"]


def test_high_and_narrow_retires_accounts_and_misses_a_banned_one_for_a_night() -> None:
    played = play("high_and_narrow", accounts=8, rate=700)
    rows = played.nights([1, 5])
    assert loads(rows.filter(night=1)).mean() > 500
    assert set(rows.filter(night=1)["account"]) != set(rows.filter(night=5)["account"])
    bans = banned_from(played, 2, range(2, 8))
    assert played.group.signups is not None
    signups = played.group.signups(bans)
    assert (signups[signups < NEVER] >= 3 * DAY_US).sum() >= 4
    assert played.night(2, bans)["account"].n_unique() < 8
    assert len(set(delivered(rows)["theme"])) == 4


def test_a_burst_is_followed_by_silence() -> None:
    played = play("burst", accounts=5, rate=860)
    assert [played.night(n).height > 3_000 for n in range(6)] == [True, True, True, False, False, False]
    assert played.spec.reported_regime == "burst"


def test_a_relay_speaks_for_many_people_around_one_instruction() -> None:
    played = play("relay", accounts=4, rate=400, cover=0.2)
    rows = played.night(1)
    assert rows["account"].n_unique() == 4
    starts = rows["prompt"].str.slice(0, 40).value_counts()["count"]
    ends = rows["prompt"].str.slice(-40).value_counts()["count"]
    injected = max(starts.max(), ends.max()) / rows.height
    systems = rows["system_prompt"].value_counts()
    in_system = systems.filter(pl.col("system_prompt").is_not_null())["count"].max() or 0
    assert max(injected, in_system / rows.height) > 0.5
    assert rows["session_id"].n_unique() > 200
    assert rows["system_prompt"].n_unique() > 50
    scripts = [r"\p{Latin}", r"\p{Han}", r"\p{Cyrillic}", r"\p{Arabic}"]
    assert all(rows["prompt"].str.contains(script).any() for script in scripts)
    assert rows["n_turns"].max() > 5


def test_a_sweep_tries_thousands_of_tricks_and_scales_the_winner() -> None:
    played = play("probe_sweep", accounts=40, rate=60)
    sweep, scaled = played.nights([0, 1]), played.night(3)
    tricks = delivered(sweep)
    assert tricks.height > 3_000
    assert set(tricks["theme"]) == {"probe"}
    assert tricks["item"].is_unique().all()
    assert (tricks["stop_reason"] == "refusal").mean() > 0.75
    won = delivered(
        scaled.with_columns(pl.col("prompt").str.extract(r"\(reasoning (\d+)\)").cast(pl.Int64).alias("item"))
    )
    assert won["prompt"].str.extract(r"^((?s).*?)\(reasoning").n_unique() == 1
    assert (won["stop_reason"] == "refusal").mean() < 0.1
    assert won.height > 1_500


def test_samples_of_one_item_are_many_at_temperature_one() -> None:
    rows = delivered(play("multi_sample", accounts=20, rate=40).nights([1, 2]))
    again, at_once = rows.filter(pl.col("n_choices").is_null()), rows.filter(pl.col("n_choices") == SAMPLES)
    times = again.group_by("item").agg(pl.len(), pl.col("account").n_unique())
    assert times["len"].median() == SAMPLES
    assert times["account"].median() > SAMPLES / 2
    assert at_once["item"].is_unique().all()
    assert set(rows["temperature"]) == {1.0}


def test_soft_labels_ask_for_probabilities_and_hardly_a_word() -> None:
    rows = delivered(play("soft_labels").night(1))
    assert (rows["top_logprobs"] >= 5).all()
    assert rows["max_tokens"].max() <= 8
    assert rows["output_tokens"].max() <= 8
    assert 0.2 < rows["n_logit_bias"].is_not_null().mean() < 0.6


def test_rounds_narrow_towards_the_weakest_area() -> None:
    narrower = 0
    for seed in range(1, 5):
        played = play("weakness_driven", accounts=30, rate=30, seed=seed)
        rows = delivered(played.nights([0, 1, 2, 3, 4]))
        by_night = rows.with_columns((pl.col("item") // 5_000).alias("area")).group_by("night", "area").len()
        top = (
            by_night.group_by("night")
            .agg((pl.col("len").max() / pl.col("len").sum()).alias("top"))
            .sort("night")
        )
        assert top["top"][0] < 0.4
        assert top["top"][1] > 0.4
        narrower += top["top"].max() > 0.75
        assert rows["item"].is_unique().all()
    assert narrower >= 2


def test_traces_are_cleaned_and_then_judged() -> None:
    rows = delivered(play("trace_cleaning").night(1))
    shares = rows.group_by("theme").len().sort("theme")
    assert shares["theme"].to_list() == ["judging", "trace_cleaning"]
    assert shares["len"][1] > 1.5 * shares["len"][0]


def test_a_lone_extractor_comes_back_under_another_payment() -> None:
    played = play("lone_extractor", accounts=1, rate=600)
    bans = banned_from(played, 2, range(1))
    rows = played.nights(range(4), bans)
    assert played.spec.reported_regime == "other"
    assert rows.filter(pl.col("night") < 2)["account"].unique().to_list() == [0]
    (heir,) = rows.filter(pl.col("night") >= 2)["account"].unique().to_list()
    assert heir != 0
    assert rows.filter(night=3).height > 400
    payments = played.group.crowd.accounts["payment_fingerprint"].to_pylist()
    assert payments[heir] != payments[0]


def test_two_campaigns_share_part_of_a_pool_and_their_accounts_carry_both_names() -> None:
    played = play("shared_pool", accounts=40)
    labels = pl.from_arrow(played.group.crowd.labels)
    assert isinstance(labels, pl.DataFrame)
    names = labels.group_by("account_id").agg(pl.col("campaign").sort())
    both = set(names.filter(pl.col("campaign").list.len() == 2)["account_id"])
    assert set(labels["campaign"]) == {"tallow-a", "tallow-b"}
    bans = banned_from(played, 2, range(40))
    rows = delivered(played.nights([1, 3], bans)).with_columns(
        pl.col("theme").is_in(["reasoning", "grading"]).alias("of_a")
    )
    for account, serves_a, serves_b in (
        rows.group_by("account_id")
        .agg(pl.col("of_a").any(), (~pl.col("of_a")).any().alias("of_b"))
        .iter_rows()
    ):
        wanted = [n for n, serves in (("tallow-a", serves_a), ("tallow-b", serves_b)) if serves]
        mine = labels.filter(account_id=account)["campaign"].to_list()
        assert set(wanted) <= set(mine)
    assert 0.1 < len(both & set(rows["account_id"])) / rows["account_id"].n_unique() < 0.4


def test_one_order_in_many_languages_and_each_account_keeps_to_one() -> None:
    rows = delivered(play("multilingual", accounts=90).night(1))
    assert rows["thinking"].all()
    words = pl.concat_str(pl.col("system_prompt").fill_null(""), pl.col("prompt"))
    scripts = {
        "han": r"\p{Han}",
        "cyrillic": r"\p{Cyrillic}",
        "arabic": r"\p{Arabic}",
        "hangul": r"\p{Hangul}",
    }
    written = rows.select("account", *(words.str.contains(p).alias(name) for name, p in scripts.items()))
    assert all(written[name].mean() > 0.02 for name in scripts)
    by_account = written.group_by("account").agg(pl.col(*scripts).any())
    in_one = by_account.select(pl.sum_horizontal(pl.col(*scripts).cast(pl.Int64))).to_series()
    assert (in_one <= 1).mean() > 0.8  # siblings take over what failed


def test_twenty_five_thousand_accounts_are_quick() -> None:
    played = play("low_and_wide", accounts=25_000, rate=2, nights=3)
    bans = banned_from(played, 1, range(5_000))
    assert played.night(1, bans)["account"].n_unique() > 15_000


def test_the_page_names_exactly_what_is_registered() -> None:
    def first_column(heading: str) -> list[str]:
        section = PAGE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
        cells = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| `")]
        return [cell.strip("`") for cell in cells]

    assert first_column("Kinds") == list(CAMPAIGNS)
    assert first_column("Evasions") == list(EVASIONS)
