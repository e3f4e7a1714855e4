"""Lone extractors and relays: found when independent evidence agrees, and only then."""

import numpy as np
import pytest

from detector.models import lone_extractors, relays
from tests.detector.models.accounts import crowd, joined

APPLICATION = {"single_turn_share": 1, "n_systems": 1, "top_system_share": 1, "active_hours": 22}

EXTRACTOR = APPLICATION | {
    "n_requests": 4_000, "n_prompts": 4_000, "output_tokens": 6_000_000, "output_tokens_mean": 1_500,
    "reasoning_trace_share": 0.7, "preference_labels_share": 0.25, "any_technique_share": 0.95,
    "active_hours": 24, "hour_entropy_bits": 4.5, "account_age_days": 3, "repeat_share": 0.01,
}  # fmt: skip

RELAY = {
    "n_requests": 3_000, "n_prompts": 3_000, "reasoning_trace_share": 0.8, "any_technique_share": 0.8,
    "n_scripts": 7, "n_end_users": 240, "sessions_per_request": 0.8, "n_systems": 30, "n_user_agents": 12,
    "n_toolsets": 9,
}  # fmt: skip

UNKNOWN = float("nan")


def found_extractors(account, p_value=0.001):
    night = joined(crowd(400, **APPLICATION), crowd(1, **account))
    groups = np.full(401, "application")
    findings = lone_extractors(night, groups, np.append(np.full(400, 0.5), p_value))
    assert all(finding.row == 400 for finding in findings), "an ordinary application was flagged"
    return findings


def found_relays(account):
    night = joined(crowd(400, n_systems=1, n_scripts=2), crowd(1, **account))
    findings = relays(night, np.full(401, "person"))
    assert all(finding.row == 400 for finding in findings), "an ordinary account was flagged"
    return findings


def test_one_big_extractor_is_found_and_says_why():
    (finding,) = found_extractors(EXTRACTOR)
    assert (finding.profile, finding.confidence, finding.recommended_action) == (
        "lone extractor",
        "medium",
        "verify",
    )
    codes = [reason.code for reason in finding.reasons]
    assert codes[:2] == ["reasoning_trace_share", "preference_labels_share"]
    assert {"n_requests", "active_hours", "account_age_days", "repeat_share"} <= set(codes)
    volume = next(reason for reason in finding.reasons if reason.code == "n_requests")
    assert volume.value == 4_000
    assert volume.usual_range.endswith(" requests")


@pytest.mark.parametrize(
    "changes",
    [
        {"is_approved": 1},
        {"repeat_share": 0.9},
        {"item_novelty": 0.1},
        {"n_requests": 40, "output_tokens": 12_000},
        {"output_tokens_mean": 5},
        {"preference_labels_share": 0, "reasoning_trace_share": 0.1},
        {
            "active_hours": 9,
            "hour_entropy_bits": 2.5,
            "account_age_days": 300,
            "preference_labels_share": 0.01,
        },
        {"account_age_days": 900, "preference_labels_share": 0},
    ],
    ids=[
        "an approved use",
        "a regression suite that repeats its items each night",
        "a benchmark run that repeats its items within the night",
        "an ordinary volume",
        "a labelling job with answers of one word",
        "an application with another purpose",
        "an office's batch job of one kind, in office hours",
        "an old application that explains its decisions, day and night",
    ],
)
def test_what_looks_alike_stays_unflagged(changes):
    assert found_extractors(EXTRACTOR | changes) == []


def test_less_agreement_is_only_watched():
    (finding,) = found_extractors(EXTRACTOR | {"account_age_days": 400})
    assert (finding.confidence, finding.recommended_action) == ("low", "watch")
    (unsure,) = found_extractors(EXTRACTOR, p_value=0.2)
    assert (unsure.confidence, unsure.recommended_action) == ("medium", "watch")
    (first_night,) = found_extractors(EXTRACTOR | {"repeat_share": UNKNOWN})
    assert first_night.recommended_action == "watch"


def test_without_prompts_no_lone_account_is_accused():
    dark = {name: UNKNOWN for name in EXTRACTOR if name.endswith("_share") or name == "item_novelty"}
    assert found_extractors(EXTRACTOR | dark) == []
    assert found_relays(RELAY | {"n_scripts": UNKNOWN, "reasoning_trace_share": UNKNOWN}) == []


def test_a_relay_is_found_and_says_who_speaks_through_it():
    (finding,) = found_relays(RELAY)
    assert (finding.profile, finding.recommended_action) == ("relay", "watch")
    assert {"reasoning_trace_share", "n_scripts", "n_systems", "n_end_users"} <= {
        r.code for r in finding.reasons
    }
    (injected,) = found_relays(RELAY | {"top_family_share": 0.97, "reasoning_trace_share": 0.95})
    assert (injected.confidence, injected.recommended_action) == ("medium", "verify")


@pytest.mark.parametrize(
    "changes",
    [
        {"is_approved": 1},
        {"reasoning_trace_share": 0.05},
        {"n_systems": 1, "n_user_agents": 1, "n_toolsets": 1},
        {"n_scripts": 2},
        {"n_requests": 50, "n_prompts": 50},
        {"repeat_share": 0.8},
    ],
    ids=[
        "a gateway under contract",
        "a gateway whose customers just use the model",
        "one tutoring product used in many languages",
        "a team of one country",
        "a handful of requests",
        "an evaluation in many languages, every night",
    ],
)
def test_many_writers_alone_are_no_relay(changes):
    assert found_relays(RELAY | changes) == []


def test_a_night_without_accounts_finds_none():
    assert lone_extractors(crowd(0), np.array([], str), np.array([])) == []
    assert relays(crowd(0), np.array([], str)) == []
