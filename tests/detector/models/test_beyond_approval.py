"""Approved accounts are judged where anybody would be flagged, and by what their use does not cover."""

import numpy as np

from detector.models import lone
from detector.models.lone import TRAINING_TECHNIQUES
from tests.detector.models.accounts import crowd, joined
from tests.detector.models.test_lone import APPLICATION, EXTRACTOR

EVERYTHING = (*TRAINING_TECHNIQUES, "writers")

RELAY = EXTRACTOR | {"n_scripts": 7, "n_end_users": 240, "n_systems": 30, "preference_labels_share": 0}


def found(account, *, covers, approved=1, carries=False, as_if=("extractor",)):
    """Codes of the reasons, for the last of 401 accounts; the others are approved and ordinary. `as_if` is
    what it would be flagged for without its approval."""
    night = joined(crowd(400, **APPLICATION, is_approved=1), crowd(1, **account, is_approved=approved))
    covered = np.zeros((401, len(TRAINING_TECHNIQUES)), bool)
    covered[400] = [name in covers for name in TRAINING_TECHNIQUES]
    findings = lone.beyond_approval(
        night,
        np.full(401, "application"),
        as_extractors={400} if "extractor" in as_if else set(),
        as_relays={400} if "relay" in as_if else set(),
        covered=covered,
        covers_writers=np.append(np.zeros(400, bool), "writers" in covers),
        carriers=np.append(np.zeros(400, bool), carries),
    )
    assert all(finding.row == 400 for finding in findings), "an ordinary customer was flagged"
    assert all(
        (f.profile, f.confidence, f.recommended_action) == ("beyond approval", "low", "watch")
        for f in findings
    )
    return [reason.code for finding in findings for reason in finding.reasons]


def test_what_is_covered_is_no_finding_and_what_is_not_is_named_alone():
    assert found(EXTRACTOR, covers=EVERYTHING) == []
    graded = found(EXTRACTOR, covers=("preference_labels_share",))
    assert graded == ["reasoning_trace_share", "n_requests"]
    assert found(EXTRACTOR, covers=())[:2] == ["reasoning_trace_share", "preference_labels_share"]


def test_an_account_without_a_contract_is_not_judged_by_one():
    assert found(EXTRACTOR, covers=(), approved=0) == []
    assert found(EXTRACTOR, covers=(), approved=np.nan) == []


def test_a_contract_does_not_lower_the_bar():
    assert found(EXTRACTOR, covers=(), as_if=()) == []


def test_who_carries_a_campaign_is_judged_at_any_volume_but_by_scope_all_the_same():
    few = EXTRACTOR | {"n_requests": 40, "n_prompts": 40, "output_tokens": 12_000}
    assert found(few, covers=(), carries=True, as_if=())[0] == "reasoning_trace_share"
    assert found(few, covers=EVERYTHING, carries=True, as_if=()) == []
    plain = few | dict.fromkeys(TRAINING_TECHNIQUES, 0.05)
    assert found(plain, covers=(), carries=True, as_if=()) == []


def test_a_reseller_may_have_many_writers_and_an_evaluation_may_not():
    reasoning = ("reasoning_trace_share",)
    assert found(RELAY, covers=(*reasoning, "writers"), as_if=("relay",)) == []
    assert found(RELAY, covers=reasoning, as_if=("relay",))[:2] == ["n_scripts", "n_end_users"]


def test_without_prompts_nobody_is_beyond_anything():
    unknown = dict.fromkeys((*TRAINING_TECHNIQUES, "item_novelty"), np.nan)
    assert found(EXTRACTOR | unknown, covers=(), carries=True) == []
