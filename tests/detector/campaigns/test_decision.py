"""From evidence to a verdict: what is rare, what is enough, and what is recommended."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.campaigns import Evidence, Nights, Policy, Verdict, decide
from detector.campaigns.decision import (
    PRIOR_WEIGHT,
    TAIL_FROM,
    rejection_line,
    supporting_families,
    tail_p_values,
)
from tests.reference.decision import rejected_slow

FINITE = st.floats(-30, 30)
QUIET = np.linspace(-6.0, 1.0, 60)
"""Log-odds of innocent communities of earlier nights."""


def piece(family: str, log_odds: float) -> Evidence:
    return Evidence(family, "CODE", "what was measured", 0.5, "usually less", log_odds)


def verdict(
    *log_odds: float, reference: np.ndarray = QUIET, has_content: bool = True, policy: Policy | None = None
) -> Verdict:
    """On one candidate with these log-odds of content, timing, identity and lifecycle."""
    families = ("content", "timing", "identity", "lifecycle")
    pieces = [piece(family, points) for family, points in zip(families, log_odds, strict=False) if points]
    [only] = decide([pieces], reference, has_content=has_content, policy=policy or Policy())
    return only


# --- the tail ----------------------------------------------------------------------------------------------


@given(st.lists(FINITE, max_size=60), st.lists(FINITE, min_size=2, max_size=20))
@settings(deadline=None)
def test_more_evidence_never_has_a_higher_p_value(reference: list[float], values: list[float]) -> None:
    p_values = tail_p_values(np.sort(values), np.array(reference))
    assert (np.diff(p_values) <= 0).all()
    assert ((p_values > 0) & (p_values <= 1)).all()


@given(st.lists(FINITE, max_size=60), FINITE)
@settings(deadline=None)
def test_no_reference_makes_the_tail_thinner_than_markovs(reference: list[float], value: float) -> None:
    """As thin as exp(-t), for the part of benign communities that show something: no history beats that."""
    above = sum(points > TAIL_FROM for points in reference)
    [p_value] = tail_p_values(np.array([value]), np.array(reference))
    least_above = (above + PRIOR_WEIGHT * np.exp(-TAIL_FROM) / 2) / (len(reference) + PRIOR_WEIGHT)
    assert p_value >= min(least_above * np.exp(-max(value - TAIL_FROM, 0.0)), 1.0) * (1 - 1e-12)


def test_without_any_reference_the_bound_alone_speaks() -> None:
    np.testing.assert_allclose(tail_p_values(np.array([-1.0, 0.0, 5.0]), np.empty(0)), [1, 1, np.exp(-5) / 2])


def test_a_campaign_missed_on_an_earlier_night_does_not_hide_the_next_one() -> None:
    """Three missed ones with huge evidence among sixty innocent communities: five log-odds are still rare."""
    contaminated = np.concatenate([QUIET, [14.0, 15.0, 16.0]])
    [clean], [after] = tail_p_values(np.array([8.0]), QUIET), tail_p_values(np.array([8.0]), contaminated)
    assert clean < after < 0.01
    assert verdict(5.0, 2.0, 2.0, reference=contaminated).flagged


def test_a_week_of_campaigns_that_were_missed_does_not_hide_the_next_one_either() -> None:
    """Half of what was not flagged is campaigns just under the threshold."""
    contaminated = np.concatenate([QUIET, np.linspace(4.0, 4.9, len(QUIET))])
    assert verdict(5.0, 2.0, 2.0, reference=contaminated).flagged


def test_nights_whose_innocent_communities_reach_high_ask_for_more() -> None:
    loud = np.linspace(0.0, 9.0, 60)
    quiet_night, loud_night = verdict(3.0, 2.0, 1.0), verdict(3.0, 2.0, 1.0, reference=loud)
    assert quiet_night.flagged
    assert loud_night.p_value > 10 * quiet_night.p_value
    pieces = [[piece("content", 4.0), piece("timing", 2.0)], *([[piece("content", 1.0)]] * 9)]
    on_both = [decide(pieces, night, has_content=True, policy=Policy())[0] for night in (QUIET, loud)]
    assert [one.flagged for one in on_both] == [True, False]


# --- the false-discovery rate ------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.03, 0.05, 0.2, 0.5, 1.0]), min_size=1, max_size=15),
    st.sampled_from([0.01, 0.05, 0.2]),
)
@settings(deadline=None, max_examples=200)
def test_rejections_agree_with_the_definition(p_values: list[float], rate: float) -> None:
    values = np.array(p_values)
    assert (values <= rejection_line(values, rate)).tolist() == rejected_slow(p_values, rate)


def test_no_hypothesis_no_rejection() -> None:
    assert rejection_line(np.empty(0), 0.05) == -1.0


def test_many_candidates_of_chance_ask_more_of_each() -> None:
    """The same evidence passes as one of two candidates, and not as one of a thousand."""
    candidate = [piece("content", 3.0), piece("timing", 2.2)]
    for n_others, passes in ((1, True), (1_000, False)):
        others = [[piece("content", -2.0)]] * n_others
        verdicts = decide([candidate, *others], QUIET, has_content=True, policy=Policy())
        assert verdicts[0].flagged is passes
        assert not any(other.flagged for other in verdicts[1:])


# --- several nights ----------------------------------------------------------------------------------------


def lasting(
    *log_odds: float,
    nights: int = 3,
    mean: float = 4.8,
    usual: np.ndarray = QUIET,
    policy: Policy | None = None,
) -> Verdict:
    """On one candidate with these log-odds tonight, and such a mean over the nights before."""
    families = ("content", "timing", "identity", "lifecycle")
    pieces = [piece(family, points) for family, points in zip(families, log_odds, strict=False) if points]
    known = Nights(np.array([nights * mean]), np.array([nights]), usual)
    [only] = decide([pieces], QUIET, has_content=True, policy=policy or Policy(), nights=known)
    return only


def test_what_goes_on_for_several_nights_needs_less_on_each() -> None:
    assert not verdict(2.0, 2.7).flagged
    found = lasting(2.0, 2.7)
    assert found.flagged
    assert found.by_nights
    assert (found.n_nights, found.log_odds) == (4, 4.7)
    assert found.mean_log_odds == pytest.approx((3 * 4.8 + 4.7) / 4)
    assert 0.5 < found.score < 0.6
    assert found.recommended_action == "watch"


def test_what_suffices_tonight_is_said_to_suffice_tonight() -> None:
    assert lasting(3.0, 3.0).flagged
    assert not lasting(3.0, 3.0).by_nights


@pytest.mark.parametrize(
    "told",
    [
        {"nights": 1},
        {"mean": 4.2},
        {"usual": QUIET[:19]},
        {"usual": np.linspace(2.0, 9.0, 60)},
        {"policy": Policy(several_nights=5)},
        {"policy": Policy(mean_log_odds=4.9)},
    ],
    ids=[
        "two nights",
        "less on the mean",
        "too few innocent groups seen as often",
        "innocent groups that show as much night after night",
        "a policy that asks for more nights",
        "a policy that asks for more evidence",
    ],
)
def test_several_nights_do_not_suffice(told) -> None:
    assert not lasting(2.0, 2.7, **told).flagged


def test_several_nights_of_one_family_convict_nobody() -> None:
    assert not lasting(0.0, 4.7).flagged
    assert not lasting(4.7).flagged


@given(before=st.lists(FINITE, min_size=1, max_size=9), tonight=FINITE)
def test_nights_are_averaged_and_never_added(before: list[float], tonight: float) -> None:
    n, mean = Nights(np.array([sum(before)]), np.array([len(before)]), QUIET).with_tonight(
        np.array([tonight])
    )
    assert n.tolist() == [len(before) + 1]
    assert mean[0] == pytest.approx(np.mean([*before, tonight]))


# --- the policy --------------------------------------------------------------------------------------------


def test_one_family_of_evidence_is_never_enough() -> None:
    assert not verdict(20.0).flagged
    assert not verdict(20.0, 0.9).flagged
    assert verdict(20.0, 1.0).flagged


def test_where_prompts_are_logged_content_must_support_a_campaign() -> None:
    assert not verdict(0.0, 5.0, 5.0, 5.0).flagged
    assert not verdict(-1.0, 5.0, 5.0, 5.0).flagged
    assert verdict(0.0, 5.0, 5.0, 5.0, has_content=False).flagged


def test_pieces_of_a_family_are_weighed_together() -> None:
    pieces = [piece("timing", 0.6), piece("content", 2.0), piece("timing", 0.6), piece("identity", 0.9)]
    assert supporting_families(pieces, Policy()) == ("timing", "content")
    assert supporting_families([piece("content", 3.0), piece("content", -2.5)], Policy()) == ()


def test_a_first_night_is_stricter_and_recommends_one_step_less() -> None:
    """Without history the same evidence must be higher, and leads to a softer step."""
    nothing = np.empty(0)
    assert verdict(3.0, 2.5).flagged
    assert not verdict(3.0, 2.5, reference=nothing).flagged
    steps = {
        (confidence, verdict(*points, reference=reference).recommended_action)
        for confidence, points in {"low": (3.8, 2.5), "medium": (5.0, 2.5), "high": (5.0, 3.0, 2.0)}.items()
        for reference in (QUIET, nothing)
    }
    assert steps == {
        ("low", "watch"),
        ("medium", "verify"),
        ("medium", "limit"),
        ("high", "suspend"),
        ("high", "verify"),
    }


def test_the_ladder_of_actions_is_the_policys() -> None:
    """A house that never suspends by itself, and is two steps softer on a first night."""
    policy = Policy(medium_action="limit", high_action="verify", first_night_softer=2)
    recommended = [
        verdict(*points, reference=reference, policy=policy).recommended_action
        for reference in (QUIET, np.empty(0))
        for points in ((3.8, 2.5), (5.0, 2.5), (5.0, 3.0, 2.0))
    ]
    assert recommended == ["watch", "limit", "verify", "watch", "watch", "watch"]


def test_too_few_earlier_candidates_are_no_history() -> None:
    policy = Policy(least_reference=20)
    assert verdict(5.0, 2.5, reference=QUIET[:19], policy=policy).recommended_action == "limit"
    assert verdict(5.0, 2.5, reference=QUIET[:20], policy=policy).recommended_action == "verify"


def test_on_a_first_night_campaigns_do_not_excuse_one_another() -> None:
    """Five campaigns among twenty innocent groups: all five are flagged, though they are all the history."""
    night = [[piece("content", 9.0), piece("timing", 3.0)]] * 5
    night += [[piece("content", points)] for points in np.linspace(-4, 0.5, 20)]
    flags = [one.flagged for one in decide(night, np.empty(0), has_content=True, policy=Policy())]
    assert flags == [True] * 5 + [False] * 20


def test_high_confidence_takes_three_families() -> None:
    assert verdict(8.0, 8.0).confidence == "medium"
    assert verdict(8.0, 8.0, 2.0).confidence == "high"


def test_the_score_orders_and_is_one_half_at_the_threshold() -> None:
    assert verdict(3.0, 2.0).score == pytest.approx(0.5)
    scores = [verdict(points, 1.0).score for points in np.linspace(-5, 15, 9)]
    assert scores == sorted(scores)
    assert all(0 < score < 1 for score in scores)


def test_a_night_without_candidates_has_no_verdicts() -> None:
    assert decide([], np.empty(0), has_content=True, policy=Policy()) == []
    assert decide([[]], np.empty(0), has_content=True, policy=Policy())[0].flagged is False
