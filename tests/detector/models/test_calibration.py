"""Scores between 0 and 1, and p-values that mean what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector.features import Feature
from detector.models.calibration import conformal_p_values, rank_p_values, surprise, unit_score
from detector.models.suspicion import suspicion_matrix

SCORES = arrays(float, st.integers(0, 40), elements=st.floats(0, 9))


@given(SCORES, SCORES)
def test_p_values_agree_with_the_definition(scores, reference):
    wanted = [(1 + sum(r >= s for r in reference)) / (1 + len(reference)) for s in scores]
    assert conformal_p_values(scores, reference).tolist() == pytest.approx(wanted)
    ranks = [sum(other >= s for other in scores) / len(scores) for s in scores]
    assert rank_p_values(scores).tolist() == pytest.approx(ranks)


def test_ordinary_accounts_get_uniform_p_values():
    rng = np.random.default_rng(3)
    p = conformal_p_values(rng.normal(size=20_000), rng.normal(size=5_000))
    for level in (0.01, 0.05, 0.2, 0.5):
        assert (p <= level).mean() == pytest.approx(level, rel=0.25)


def test_a_campaign_cannot_rank_itself_below_its_own_size():
    scores = np.concatenate([np.zeros(900), np.full(100, 5.0)])
    assert rank_p_values(scores).min() == pytest.approx(0.1)


@given(arrays(float, st.integers(0, 60), elements=st.floats(-1e6, 1e6)))
def test_a_unit_score_keeps_the_order_and_its_bounds(raw):
    score = unit_score(surprise(raw))
    assert ((score >= 0) & (score < 1)).all()
    order = np.argsort(raw, kind="stable")
    assert (np.diff(score[order]) >= 0).all()


def test_one_in_a_hundred_scores_one_half_and_the_usual_little():
    raw = np.random.default_rng(1).normal(size=10_000)
    score = unit_score(surprise(raw))[np.argsort(raw)]
    assert score[9_900] == pytest.approx(0.5, abs=0.01)
    assert score[5_000] == pytest.approx(np.log(2) / np.log(200), abs=0.01)
    assert score[0] == 0


@given(arrays(float, st.integers(0, 40), elements=st.integers(0, 9).map(float)))
def test_up_to_the_tail_surprise_is_the_share_that_scores_as_high(raw):
    nats = surprise(raw)
    start = np.sort(raw)[len(raw) - 1 - len(raw) // 2] if len(raw) else 0
    for value, told in zip(raw.tolist(), nats.tolist(), strict=True):
        if value <= start:
            assert told == pytest.approx(-np.log(sum(other >= value for other in raw) / len(raw)))


def test_groups_with_longer_and_shorter_tails_compare():
    rng = np.random.default_rng(2)
    short, long = rng.exponential(size=20_000), rng.exponential(size=20_000) ** 3
    highest = [np.sort(surprise(group))[-20:].mean() for group in (short, long)]
    assert highest[1] < 2 * highest[0]
    beyond = [(np.sort(group)[-20:].mean() / np.quantile(group, 0.99)) for group in (short, long)]
    assert beyond[1] > 3 * beyond[0], "as distances they would not"


def test_the_scale_of_the_tail_is_not_widened_by_a_campaign_in_it():
    rng = np.random.default_rng(3)
    quiet = rng.exponential(size=10_000)
    with_campaign = np.append(quiet, np.full(20, 40.0))
    at = np.argmax(quiet)
    assert surprise(with_campaign)[at] > 0.7 * surprise(quiet)[at]
    assert surprise(with_campaign)[-20:].min() > surprise(with_campaign)[:-20].max()


def test_only_the_suspicious_side_of_the_median_counts():
    features = [Feature("up", "", "", "", "", "high"), Feature("down", "", "", "", "", "low")]
    nan = float("nan")
    matrix = suspicion_matrix(
        {"up": np.array([1, 2, 9, nan]), "down": np.array([1, 5, 9, nan])}, features
    )  # fmt: skip
    assert matrix.tolist() == [[0, 4], [0, 0], [7, 0], [0, 0]]


def test_counts_are_compared_by_their_logarithm_and_unknown_columns_are_silent():
    features = [Feature("n", "", "", "", "", "high", "count"), Feature("dark", "", "", "", "", "high")]
    nan = float("nan")
    matrix = suspicion_matrix({"n": np.array([0.0, 9, 99]), "dark": np.array([nan] * 3)}, features)
    assert matrix[2] == pytest.approx([np.log(10), 0])
