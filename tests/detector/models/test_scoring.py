"""A night of accounts: judged among their like, with reasons, and calibrated on ordinary nights."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from detector.features import SCORED
from detector.models import PEER_GROUPS, peer_group, score_night
from detector.models.calibration import MIN_REFERENCE
from detector.models.scoring import Range, readable_range
from tests.detector.models.accounts import crowd, joined

BOT = {"single_turn_share": 1, "n_systems": 1, "top_system_share": 1, "active_hours": 24, "n_requests": 5_000}
NOBODY = crowd(0)
"""A night without a past."""


def reasons_of(scores, row):
    return [SCORED[place].name for place in scores.reason[row] if place >= 0]


def test_kinds_of_use_make_the_peer_groups():
    night = joined(
        crowd(1, n_requests=5),
        crowd(1, tools_share=0.9),
        crowd(1, **BOT),
        crowd(1, single_turn_share=1, n_requests=900, active_hours=3),
        crowd(1),
    )
    assert [PEER_GROUPS[code] for code in peer_group(night)] == [
        "quiet",
        "agent",
        "application",
        "batch",
        "person",
    ]


def test_a_support_bot_is_ordinary_among_bots_and_an_extractor_is_not():
    extractor = crowd(1, **BOT | {"n_requests": 60_000}, reasoning_trace_share=0.95, any_technique_share=0.95)
    night = joined(crowd(300), crowd(200, seed=6, **BOT), extractor)
    scores = score_night(night, NOBODY)
    bots = scores.score[300:500]
    assert scores.group_names[scores.group[300]] == "application"
    assert np.median(bots) < 0.3
    assert scores.score[500] > 0.6
    assert scores.score[500] == scores.score.max()
    assert {"n_requests", "reasoning_trace_share", "any_technique_share"} <= set(reasons_of(scores, 500))


def test_an_unusually_quiet_or_silent_account_is_not_suspicious():
    unknown = dict.fromkeys(("reasoning_trace_share", "single_turn_share", "n_ips", "output_tokens"), np.nan)
    night = joined(crowd(300), crowd(1, n_requests=20, output_tokens=1, active_hours=1), crowd(1, **unknown))
    scores = score_night(night, NOBODY)
    assert scores.score[300] < 0.5
    assert scores.score[301] < 0.5
    assert not set(reasons_of(scores, 301)) & set(unknown)


def test_shares_of_three_requests_say_nothing():
    night = joined(
        crowd(300, n_requests=3), crowd(1, n_requests=3, reasoning_trace_share=1, any_technique_share=1)
    )
    scores = score_night(night, NOBODY)
    assert scores.score[300] < 0.5
    assert "reasoning_trace_share" not in reasons_of(scores, 300)


def test_earlier_nights_calibrate_once_there_are_enough_of_them():
    night = joined(crowd(100, seed=1), crowd(1, n_requests=90_000, n_ips=400, reasoning_trace_share=0.9))
    few, many = crowd(MIN_REFERENCE - 1, seed=2), crowd(2_000, seed=3)
    assert score_night(night, few).p_value[100] == pytest.approx(1 / 101)
    calibrated = score_night(night, many)
    assert calibrated.p_value[100] == pytest.approx(1 / 2_001)
    assert 0.2 < np.median(calibrated.p_value[:100]) <= 1


def test_what_the_log_tells_since_tonight_makes_nobody_suspicious():
    told = crowd(500, seed=1)
    told["volume_z"] = np.random.default_rng(1).normal(size=500)
    calibrated = score_night(told, crowd(2_000, seed=2, volume_z=np.nan))  # not known yet
    assert (calibrated.p_value <= 0.05).mean() < 0.1
    assert not any("volume_z" in reasons_of(calibrated, row) for row in range(500))


def test_a_handful_of_agents_is_compared_with_everyone():
    scores = score_night(joined(crowd(100), crowd(3, tools_share=1)), NOBODY)
    assert [scores.group_names[code] for code in scores.group[100:]] == ["everyone"] * 3
    assert scores.group_names[scores.group[0]] == "person"


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_night_of_hardly_anyone_accuses_nobody(n):
    scores = score_night(crowd(n), NOBODY)
    assert scores.score.shape == (n,)
    assert (scores.p_value >= 0.5).all()


def test_row_order_and_a_second_run_change_nothing():
    night = joined(crowd(200), crowd(100, **BOT), crowd(40, n_requests=4))
    shuffle = np.random.default_rng(2).permutation(340)
    first, again = score_night(night, crowd(250, seed=9)), score_night(night, crowd(250, seed=9))
    shuffled = score_night({name: values[shuffle] for name, values in night.items()}, crowd(250, seed=9))
    for part in ("score", "p_value", "group", "reason"):
        assert_array_equal(getattr(first, part), getattr(again, part))
        assert_array_equal(getattr(first, part)[shuffle], getattr(shuffled, part))
    assert first.usual == shuffled.usual


def test_usual_ranges_read_well():
    by_name = {feature.name: feature for feature in SCORED}
    assert readable_range(Range(3, 12_400), by_name["n_requests"]) == "3 to 12,400 requests"
    assert readable_range(Range(0, 0.125), by_name["reasoning_trace_share"]) == "0 to 12 %"
    assert readable_range(Range(-0.5, 0.25), by_name["burstiness"]) == "-0.5 to 0.25"
    assert readable_range(None, by_name["n_ips"]) == "unknown"
