"""Each evasion does what it says and leaves the rest; all of them together still make a campaign."""

import re

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from played import delivered, play

from detector.text.fingerprint import fingerprint
from pipelines.simulate.campaigns import CAMPAIGNS
from pipelines.simulate.evasions import COVERED, FEW_A_NIGHT, paced, speaks_for_itself, worded
from pipelines.simulate.group import NEVER
from pipelines.simulate.lookalikes import sprinkled
from pipelines.simulate.population import DAY_US
from pipelines.simulate.sentences import halves
from pipelines.simulate.spec import EVASIONS
from pipelines.simulate.texts import Framed
from pipelines.simulate.texts.workqueue import Around, Queue, equal_areas

KINDS = sorted(CAMPAIGNS)
SEVERAL = ("synchronised", "low_and_wide", "relay", "soft_labels", "lone_extractor")
TAG = re.compile(r"</?[a-z_]{2,20}>")


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def same_fingerprints(one: pa.Array, other: pa.Array) -> bool:
    a, b = fingerprint(one), fingerprint(other)
    return bool(a.text_hash.equals(b.text_hash) and a.shingles.equals(b.shingles))


# --- together --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_all_evasions_together_still_make_a_campaign(kind: str) -> None:
    played = play(kind, *EVASIONS, accounts=20, nights=3)
    rows, again = played.night(1), play(kind, *EVASIONS, accounts=20, nights=3).night(1)
    assert rows.equals(again)
    assert rows.height > 8
    assert rows["account"].value_counts()["count"].max() <= FEW_A_NIGHT
    assert rows["prompt"].null_count() == 0
    assert rows["prompt"].str.len_bytes().min() > 0
    labels = pl.from_arrow(played.group.crowd.labels)
    assert set(labels["evasions"]) == {"+".join(sorted(EVASIONS))}


@pytest.mark.parametrize("evasion", [e for e in EVASIONS if e not in {"throttling", "day_night"}])
@pytest.mark.parametrize("kind", ["synchronised", "low_and_wide", "weakness_driven"])
def test_as_much_is_harvested_as_without_it(kind: str, evasion: str) -> None:
    if evasion == "cover_traffic":
        hidden, plain = (delivered(play(kind, *names, accounts=40).night(2)) for names in ((evasion,), ()))
        assert set(hidden["theme"]) == set(plain["theme"])
    else:
        hidden, plain = (play(kind, *names, accounts=40, cover=0.0).night(2) for names in ((evasion,), ()))
    assert hidden.height == pytest.approx(plain.height, rel=0.06)


# --- words -----------------------------------------------------------------------------------------------


def test_lookalikes_fold_back_to_the_same_words() -> None:
    order = "Explain every step of the proof and PUT it into <answer> tags."
    texts = pa.array([order, None, "", "Что это?"] * 50)
    hidden = sprinkled(texts, rng())
    assert hidden.null_count == 50
    assert sum(a != b for a, b in zip(texts.to_pylist(), hidden.to_pylist(), strict=True)) > 45
    assert same_fingerprints(texts, hidden)
    assert all("<answer>" in text for text in hidden.to_pylist()[::4])
    assert len(set(hidden.to_pylist())) > 45  # at other places in every request


@pytest.mark.parametrize("kind", SEVERAL)
def test_lookalikes_change_the_spelling_and_nothing_else(kind: str) -> None:
    hidden, plain = (play(kind, *names, accounts=15).night(1) for names in (("lookalike_characters",), ()))
    assert hidden.height == plain.height
    for column in ("account", "ts", "model", "temperature", "max_tokens", "user_agent"):
        assert hidden[column].equals(plain[column]), column
    changed = (hidden["prompt"] != plain["prompt"]) | (
        hidden["system_prompt"].fill_null("") != plain["system_prompt"].fill_null("")
    )
    assert (changed.mean() or 0) > 0.7  # the rest is small talk
    for column in ("prompt", "system_prompt"):
        assert same_fingerprints(hidden[column].to_arrow(), plain[column].to_arrow())
    words = pl.concat_str(pl.col("system_prompt").fill_null(""), pl.col("prompt"))
    signs = "".join(hidden.filter(changed).select(words).to_series())
    assert re.search("[\u200b\u200c\u200d\u2060\ufeff]", signs)
    assert re.search("[асеорАСЕО]", signs)


@pytest.mark.parametrize("kind", ["synchronised", "low_and_wide", "multilingual", "soft_labels"])
def test_paraphrase_leaves_no_two_instructions_alike_but_keeps_tags(kind: str) -> None:
    def instructions(*names: str) -> pl.DataFrame:
        rows = delivered(play(kind, *names, accounts=40).night(1))
        words = pl.concat_str(pl.col("system_prompt").fill_null(""), pl.col("prompt"))
        return rows.with_columns(words.str.replace(r"\([a-z_]+ \d+\)", "").alias("words"))

    hidden, plain = instructions("paraphrase"), instructions()
    assert hidden["words"].n_unique() > 5 * plain["words"].n_unique()
    for theme in plain["theme"].unique():
        tags = [
            {tag for text in rows.filter(theme=theme)["words"] for tag in TAG.findall(text)}
            for rows in (plain, hidden)
        ]
        assert tags[0] == tags[1]


@pytest.mark.parametrize("kind", ["low_and_wide", "pivot", "multilingual", "probe_sweep"])
def test_slots_in_the_middle_have_the_instruction_on_both_sides(kind: str) -> None:
    hidden, plain = (delivered(play(kind, *names).night(1)) for names in (("slots_in_middle",), ()))
    bare = plain.filter(pl.col("prompt").str.replace(r"\([a-z_]+ \d+\)", "") == "")
    themes = set(plain["theme"]) - set(bare["theme"])  # others carry their instruction as a system prompt
    for theme in themes:
        rows, before = hidden.filter(theme=theme)["prompt"], plain.filter(theme=theme)["prompt"]
        assert (rows.str.len_bytes().mean() or 0) > 1.5 * (before.str.len_bytes().mean() or 0)
        assert rows.str.slice(0, 20).n_unique() < 0.1 * rows.len() + 13
        assert rows.str.slice(-20).n_unique() < 0.1 * rows.len() + 13


def test_a_text_is_cut_at_the_end_of_a_sentence_near_its_middle() -> None:
    texts = pa.array(["One. Two is here. Three!", "no end at all", "", "短い。もう一つの文です。", None])
    first, second = halves(texts)
    assert first.to_pylist() == ["One. Two is here. ", "no end at all", "", "短い。", ""]
    joined = [a + b for a, b in zip(first.to_pylist(), second.to_pylist(), strict=True)]
    assert joined == [text or "" for text in texts.to_pylist()]


def test_whole_requests_are_reworded_and_items_under_a_system_prompt_are_not() -> None:
    text = "Please explain the answer step by step. You must show all of your reasoning."
    blank = pa.array([""] * 60)
    framed = Framed(blank, pa.array([text] * 60), blank)
    texts = [
        worded(framed, ("paraphrase",), lambda n, rng: blank[:n], rng(), rewrite_items=whole).joined().prompt
        for whole in (True, False)
    ]
    assert len(texts[0].unique()) > 20
    assert texts[1].to_pylist() == [text] * 60


def test_it_shows_whether_a_queue_holds_whole_requests() -> None:
    questions = pa.array([f"{n} questions of many kinds?" for n in range(80)])
    rendered = pa.array([f"Answer with all of your reasoning shown. Question {n}?" for n in range(80)])
    nothing = Around(pa.array([""]), pa.array([""]))
    order = Around(pa.array([""]), pa.array([""]), pa.array(["Show your reasoning."]))
    framed = Around(pa.array(["Show your reasoning. "]), pa.array([""]))
    areas = equal_areas(80)
    assert speaks_for_itself(Queue(nothing, rendered, areas), rng())
    assert speaks_for_itself(Queue(order, rendered, areas), rng())
    assert not speaks_for_itself(Queue(order, questions, areas), rng())
    assert not speaks_for_itself(Queue(framed, questions, areas), rng())


def test_each_account_keeps_to_one_of_several_languages() -> None:
    rows = delivered(play("low_and_wide", "languages", accounts=120).night(1))
    scripts = {
        name: set(rows.filter(pl.col("prompt").str.contains(pattern))["account"])
        for name, pattern in (("han", r"\p{Han}"), ("cyrillic", r"\p{Cyrillic}"), ("arabic", r"\p{Arabic}"))
    }
    assert all(len(accounts) >= 5 for accounts in scripts.values())
    assert len(scripts["cyrillic"] & scripts["arabic"]) <= 2  # siblings take over what failed
    plain = delivered(play("low_and_wide", accounts=120).night(1))
    assert not plain["prompt"].str.contains(r"[\p{Cyrillic}\p{Arabic}]").any()


# --- pace ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["synchronised", "low_and_wide", "soft_labels", "pivot"])
def test_cover_comes_on_top_and_is_the_greater_part(kind: str) -> None:
    rows = play(kind, "cover_traffic", accounts=60, rate=10).night(1)
    cover = rows.filter(pl.col("item").is_null())
    share = cover.height / rows.height
    assert COVERED[0] - 0.08 < share < COVERED[1] + 0.03
    assert cover["n_turns"].max() > 3  # conversations, not single messages
    assert cover["system_prompt"].n_unique() > 10  # each person with a persona of its own


@pytest.mark.parametrize("kind", KINDS)
def test_throttled_accounts_stay_under_three_a_day(kind: str) -> None:
    rows = play(kind, "throttling", accounts=50, rate=100).nights(range(3))
    per_night = rows.group_by("account", "night").len()["len"]
    assert per_night.max() <= FEW_A_NIGHT
    assert rows.height > 0.4 * 3 * 50


def test_under_a_threshold_cover_counts_too() -> None:
    pace = paced(26.0, 0.15, ("cover_traffic", "throttling"), rng())
    assert pace.harvested / (1 - pace.cover) <= FEW_A_NIGHT
    assert pace.cover == COVERED[0]
    assert paced(26.0, 0.15, (), rng()).harvested == pytest.approx(26.0 * 0.85)


def test_day_and_night_follow_the_claimed_country_and_its_week() -> None:
    def local_hours(*names: str) -> tuple[pl.Series, int, int]:
        played = play("synchronised", *names, accounts=60, rate=40, nights=7)
        rows, weekend = played.night(2), played.night(6)
        offset = pl.Series(played.group.crowd.utc_offset_h[rows["account"].to_numpy()])
        return (rows["ts"].dt.hour().cast(pl.Int64) + offset) % 24, rows.height, weekend.height

    hours, work, weekend = local_hours("day_night")
    plain, plain_work, plain_weekend = local_hours()
    asleep = ((hours >= 2) & (hours < 6)).mean() or 0
    awake = ((plain >= 2) & (plain < 6)).mean() or 0
    assert asleep < 0.6 * awake
    assert weekend < 0.75 * work
    assert plain_weekend > 0.85 * plain_work


@pytest.mark.parametrize("kind", ["synchronised", "relay", "shared_pool"])
def test_rotation_brings_fresh_accounts_without_a_ban(kind: str) -> None:
    played = play(kind, "rotation", accounts=40)
    assert played.group.signups is not None
    signups = played.group.signups(played.nobody_banned())
    fresh = np.flatnonzero((signups >= 0) & (signups < NEVER))
    assert len(fresh) >= 20
    rows = played.nights(range(6))
    assert set(rows["account"]) & set(fresh.tolist())
    first = rows.group_by("account").agg(
        pl.col("ts").min().dt.epoch("us"), pl.col("night").max().alias("last")
    )
    for account, at, _ in first.iter_rows():
        assert at >= signups[account]
    retired = set(range(40)) - set(rows.filter(night=5)["account"])
    assert len(retired) > 8
    at_work = rows.group_by("night").agg(pl.col("account").n_unique())["account"]
    assert at_work.max() <= 52  # on the night of a change both the old and the new may be seen


# --- accounts and parameters -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["synchronised", "hydra", "shared_pool"])
def test_residential_accounts_share_neither_address_nor_payment(kind: str) -> None:
    played = play(kind, "residential", accounts=40, rate=30)
    rows = played.night(1)
    owners = rows.group_by("ip").agg(pl.col("account").n_unique())["account"]
    assert owners.max() == 1
    assert rows.group_by("account").agg(pl.col("ip").n_unique())["ip"].median() >= 3
    one_hour = rows.group_by("account", pl.col("ts").dt.truncate("1h")).agg(pl.col("ip").n_unique())["ip"]
    assert one_hour.max() == 1
    payments = [p for p in played.group.crowd.accounts["payment_fingerprint"].to_pylist() if p]
    assert len(payments) == len(set(payments))
    domains = pl.Series(played.group.crowd.accounts["email_domain"].to_pylist())
    assert domains.n_unique() > 0.3 * len(played.group.crowd)


@pytest.mark.parametrize("kind", SEVERAL)
def test_jitter_changes_every_parameter_that_is_not_the_aim(kind: str) -> None:
    rows = delivered(play(kind, "parameter_jitter", accounts=15, rate=60).night(1))
    if kind == "relay":
        rows = play(kind, "parameter_jitter", accounts=15, rate=60).night(1)
    per_account = rows.group_by("account").agg(
        pl.col("temperature", "top_p", "max_tokens", "stream", "user_agent").n_unique()
    )
    for column in ("temperature", "top_p", "max_tokens", "user_agent"):
        assert per_account[column].median() >= 3, column
    if kind == "soft_labels":
        assert rows["max_tokens"].max() < 256
        assert rows["top_logprobs"].null_count() == 0


def test_without_jitter_parameters_are_constant() -> None:
    rows = delivered(play("low_and_wide", accounts=40, rate=20).night(1))
    per_account = rows.group_by("account").agg(pl.col("max_tokens", "top_p", "user_agent").n_unique())
    for column in ("max_tokens", "top_p", "user_agent"):
        # but for what siblings took over, which came with their own
        assert per_account[column].max() == 1


def test_sign_ups_of_a_residential_pool_are_spread_over_the_day() -> None:
    def hours(*names: str) -> np.ndarray:
        played = play("low_and_wide", *names, accounts=60)
        bans = played.nobody_banned()
        bans[:50] = 2
        assert played.group.signups is not None
        signups = played.group.signups(bans)
        return np.asarray(signups[(signups > 0) & (signups < NEVER)] % DAY_US) / 3_600e6

    assert np.std(hours("residential")) > 2 * np.std(hours())
