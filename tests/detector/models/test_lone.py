"""Lone extractors: found when independent evidence agrees among peers, and only then."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.campaigns import Nights
from detector.models import lone
from detector.models.lone.evidence import CAP, ESSENTIAL, LESSER_CAP
from tests.detector.models.accounts import crowd, joined

APPLICATION = {
    "single_turn_share": 1, "n_systems": 1, "top_system_share": 1, "active_hours": 22, "n_requests": 400,
    "n_prompts": 400, "hour_entropy_bits": 4.1, "zero_temperature_share": 0,
}  # fmt: skip

EXTRACTOR = APPLICATION | {
    "n_requests": 4_000, "n_prompts": 4_000, "output_tokens": 6_000_000, "output_tokens_mean": 1_500,
    "reasoning_trace_share": 0.35, "preference_labels_share": 0.2, "any_technique_share": 0.55,
    "active_hours": 24, "hour_entropy_bits": 4.5, "account_age_days": 3, "repeat_share": 0.01,
}  # fmt: skip

UNKNOWN = float("nan")

POLICY = lone.LonePolicy()


def applications(n, seed=5, **changes):
    """Ordinary applications: no two of one size, and some of them explain or grade a little."""
    rng = np.random.default_rng(seed)
    columns = crowd(n, seed=seed, **(APPLICATION | changes))
    for name, spread in (("n_requests", 0.6), ("output_tokens", 0.9)):
        columns[name] = np.round(columns[name] * rng.lognormal(0, spread, n))
    columns["reasoning_trace_share"] = rng.beta(1, 30, n)
    return columns


def as_judged(columns):
    """What the sample of texts would add."""
    n = len(columns["n_requests"])
    columns = columns | {"own_text_share": np.ones(n), "n_sampled": np.full(n, 256.0)}
    return columns | {"technique_share": lone.technique_share(columns)}


def judged(account, *, has_history=True, policy=POLICY, others=120, nights=None):
    """Findings of a night with one such account, the last, beside ordinary ones; earlier nights had 400."""
    night = as_judged(joined(applications(others, seed=9), crowd(1, **account)))
    groups = np.full(others + 1, "application")
    past = as_judged(applications(400))
    peers = lone.Peers(past, np.full(400, "application")) if has_history else lone.Peers(night, groups)
    evidence = lone.weigh(night, groups, peers)
    reference = lone.weigh(past, np.full(400, "application"), peers).total if has_history else np.empty(0)
    nights = nights or Nights.unknown(others + 1)
    verdicts = lone.decide(evidence, reference, nights, has_history=has_history, policy=policy)
    findings = lone.extractors(night, groups, peers, evidence, verdicts, policy)
    assert all(finding.row == others for finding in findings), "an ordinary application was flagged"
    return findings


def test_one_big_extractor_is_found_though_the_classifier_knows_but_half_of_its_requests():
    (finding,) = judged(EXTRACTOR)
    assert (finding.profile, finding.confidence) == ("lone extractor", "medium")
    assert finding.recommended_action == "verify"
    by_code = {reason.code: reason for reason in finding.reasons}
    assert list(by_code)[:3] == ["lone_log_odds", "reasoning_trace_share", "preference_labels_share"]
    assert by_code["lone_log_odds"].usual_range == "flagged from 4 on"
    assert {"technique_share", "output_tokens", "account_age_days", "repeat_share"} <= set(by_code)
    assert by_code["n_requests"].value == 4_000
    assert by_code["n_requests"].usual_range.endswith(" requests")


@pytest.mark.parametrize(
    "changes",
    [
        {"repeat_share": 0.9, "zero_temperature_share": 1},
        {"item_novelty": 0.1, "zero_temperature_share": 1},
        {"output_tokens_mean": 5, "output_tokens": 20_000},
        {"preference_labels_share": 0, "reasoning_trace_share": 0.03},
        {"n_requests": 300, "n_prompts": 300, "output_tokens": 12_000, "account_age_days": 300},
        {"preference_labels_share": 0, "reasoning_trace_share": 0.02, "single_turn_share": 0.2},
        {"reasoning_trace_share": 0, "multi_choice_share": 0.33, "single_turn_share": 0.6},
    ],
    ids=[
        "a regression suite that repeats its items each night",
        "a benchmark that draws each item many times over",
        "a labelling job with answers of one word",
        "the largest application of all, with another purpose",
        "a tutor that always shows its reasoning, of ordinary size",
        "people's long conversations through one account",
        "agents that propose, object and vote all night",
    ],
)
def test_what_looks_alike_stays_unflagged(changes):
    assert judged(EXTRACTOR | changes) == []


def test_a_first_night_asks_for_more_and_recommends_less():
    (finding,) = judged(EXTRACTOR, has_history=False)
    assert finding.recommended_action == "limit"
    assert {reason.code: reason.usual_range for reason in finding.reasons}["lone_log_odds"].startswith(
        "flagged from 5"
    )
    barely = EXTRACTOR | {"account_age_days": 300, "hour_entropy_bits": 4.1, "output_tokens": 900_000}
    assert judged(barely, policy=lone.LonePolicy(first_night_log_odds=6.5))
    assert judged(barely, policy=lone.LonePolicy(first_night_log_odds=6.5), has_history=False) == []


def test_the_policy_moves_what_is_found_and_what_is_recommended():
    assert judged(EXTRACTOR, policy=lone.LonePolicy(least_log_odds=20)) == []
    (watched,) = judged(EXTRACTOR, policy=lone.LonePolicy(medium_log_odds=20, low_action="limit"))
    assert (watched.confidence, watched.recommended_action) == ("low", "limit")
    assert judged(EXTRACTOR, policy=lone.LonePolicy(false_discovery_rate=1e-9)) == []


MODEST = EXTRACTOR | {
    "n_requests": 800, "n_prompts": 800, "output_tokens": 250_000, "reasoning_trace_share": 0.15,
    "preference_labels_share": 0.0, "account_age_days": 300, "hour_entropy_bits": 4.1, "active_hours": 22,
}  # fmt: skip
"""An extractor whose evidence lies above 3 and below 4 on every night."""


def seen(n_nights, mean, usual, others=120):
    """Earlier nights: everybody as seldom remarkable as usual, and the last account with this mean."""
    rng = np.random.default_rng(3)
    total, n = rng.normal(-4, 2, others + 1) * n_nights, np.full(others + 1, n_nights)
    total[-1] = mean * n_nights
    return Nights(total, n, usual)


USUAL = np.random.default_rng(4).normal(-4, 2, 400)


def test_an_extractor_too_modest_for_one_night_is_found_when_it_goes_on():
    assert judged(MODEST) == []
    (finding,) = judged(MODEST, nights=seen(4, 3.7, USUAL))
    tonight, over_nights = finding.reasons[:2]
    assert (tonight.code, over_nights.code) == ("lone_log_odds", "lone_log_odds_mean")
    assert 3 < tonight.value < 4
    assert 3 < over_nights.value < 4
    assert over_nights.detail.endswith("5 nights")
    assert over_nights.usual_range == "flagged from 3 on, over 3 nights or more"
    assert finding.recommended_action == "watch"


@pytest.mark.parametrize(
    "nights",
    [
        seen(1, 3.7, USUAL),
        seen(4, 2.5, USUAL),
        seen(4, 3.7, USUAL[:99]),
        seen(4, 3.7, np.concatenate([USUAL, np.full(40, 3.5)])),
    ],
    ids=[
        "two nights",
        "less on the mean",
        "too few to compare with",
        "what forty customers do night after night",
    ],
)
def test_several_nights_convict_nobody_who(nights):
    assert judged(MODEST, nights=nights) == []


def test_nights_of_one_account_are_averaged_and_not_added():
    assert judged(MODEST, nights=seen(27, 2.8, USUAL)) == []


def test_without_prompts_no_lone_account_is_accused():
    dark = {name: UNKNOWN for name in EXTRACTOR if name.endswith("_share") or name == "item_novelty"}
    assert judged(EXTRACTOR | dark) == []


def test_a_night_without_accounts_finds_none():
    nobody = as_judged(crowd(0))
    peers = lone.Peers(nobody, np.array([], str))
    evidence = lone.weigh(nobody, np.array([], str), peers)
    verdicts = lone.decide(evidence, np.empty(0), Nights.unknown(0), has_history=False, policy=POLICY)
    assert lone.extractors(nobody, np.array([], str), peers, evidence, verdicts, POLICY) == []


def weighed(account):
    columns = as_judged(crowd(1, **account))
    peers = lone.Peers(as_judged(applications(400)), np.full(400, "application"))
    return lone.weigh(columns, np.array(["application"]), peers)


ANY = st.one_of(st.just(UNKNOWN), st.floats(0, 1e12))
SHARE = st.one_of(st.just(UNKNOWN), st.floats(0, 1))


@given(
    account=st.fixed_dictionaries(
        dict.fromkeys(("reasoning_trace_share", "soft_label_share", "multi_choice_share"), SHARE)
        | dict.fromkeys(("output_tokens", "n_requests", "account_age_days", "volume_z", "burstiness"), ANY)
    )
)
def test_no_family_exceeds_its_cap_whatever_an_adversary_writes(account):
    evidence = weighed(EXTRACTOR | account)
    for family, (value,) in evidence.by_family.items():
        assert np.isfinite(value)
        assert value <= (CAP if family in ESSENTIAL else LESSER_CAP) + 1e-9
    assert all(value[0] <= 0 for value in evidence.against.values())


@given(share=st.floats(0, 1), more=st.floats(0, 1), tokens=st.floats(0, 1e9), times=st.floats(1, 100))
def test_more_of_what_extractors_do_never_speaks_less(share, more, tokens, times):
    less = weighed(EXTRACTOR | {"reasoning_trace_share": min(share, more), "output_tokens": tokens})
    most = weighed(EXTRACTOR | {"reasoning_trace_share": max(share, more), "output_tokens": tokens * times})
    assert most.total[0] >= less.total[0] - 1e-9


def test_a_share_of_few_requests_says_less_than_the_same_of_many():
    some = EXTRACTOR | {"reasoning_trace_share": 0.08, "preference_labels_share": 0}
    few, many = (weighed(some | {"n_prompts": n}).by_family["content"][0] for n in (100, 4_000))
    assert few < many


def test_what_is_unknown_says_nothing():
    known = weighed(EXTRACTOR)
    unknown = weighed(EXTRACTOR | {"account_age_days": UNKNOWN, "volume_z": UNKNOWN})
    assert unknown.by_family["lifecycle"][0] == 0
    assert unknown.total[0] == pytest.approx(known.total[0] - known.by_family["lifecycle"][0])
