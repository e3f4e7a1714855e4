"""Bets on calibration: what they promise when it holds, and how soon they tell when it does not."""

from datetime import date
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.models import drift

COUNTS = st.integers(1, 5_000)


@given(n=COUNTS, n_reference=st.integers(200, 20_000), low=st.floats(0, 1), high=st.floats(0, 1))
def test_no_night_wins_in_expectation_while_the_share_is_tolerated(n, n_reference, low, high):
    """However the accounts of a night hang together: every distribution with a mean is a mixture of
    distributions on two counts, one on either side of it."""
    edge = drift.tolerated_share(n, n_reference) * n
    below, above = int(low * np.floor(edge)), int(np.ceil(edge) + high * (n - np.ceil(edge)))
    to_above = (edge - below) / (above - below) if above > below else 1.0
    factors = [drift.night_factor(k, n, n_reference) for k in (below, above)]
    assert min(factors) >= 0
    assert max(factors) <= drift.MOST_FACTOR
    assert (1 - to_above) * factors[0] + to_above * factors[1] <= 1 + 1e-9


@given(st.lists(st.floats(0, drift.MOST_FACTOR), min_size=1, max_size=40))
def test_the_evidence_is_what_the_best_night_to_begin_on_has_won(factors):
    now = drift.standing(np.array(factors), warn_at=1e300)
    assert now.evidence == pytest.approx(max(prod(factors[start:]) for start in range(len(factors))))
    assert now.evidence == pytest.approx(prod(factors[now.began :]))


def all_or_nothing(rng, n, share):
    return n * int(rng.random() < share)


def independent(rng, n, share):
    return int(rng.binomial(n, share))


def restless(rng, n, share):
    """Nights differ: on one in three the share is treble, on the others it is none."""
    return int(rng.binomial(n, 3 * share)) if rng.random() < 1 / 3 else 0


@pytest.mark.parametrize("nights_are", [all_or_nothing, independent, restless])
@pytest.mark.parametrize("is_shared", [True, False])
def test_false_warnings_are_as_rare_as_promised_at_the_very_edge(nights_are, is_shared):
    """Three lanes, each always at the edge, with one night's weather or three; 60 nights are promised."""
    rng = np.random.default_rng(3)
    n, n_reference, promised, lanes, patience = 120, 4_000, 60, 3, 1_500
    edge = drift.tolerated_share(n, n_reference)
    waited = []
    for _ in range(60):
        first = patience
        counts = [
            [nights_are(rng, n, edge) for _ in range(patience)] for _ in range(1 if is_shared else lanes)
        ]
        for lane in counts:
            factors = np.array([drift.night_factor(k, n, n_reference) for k in lane])
            evidence = 1.0
            for night, factor in enumerate(factors[:first].tolist(), start=1):
                evidence = max(evidence, 1.0) * factor
                if evidence >= promised * lanes:
                    first = night
                    break
        waited.append(first)
    assert np.mean(waited) - 2 * np.std(waited) / np.sqrt(len(waited)) >= promised


def test_ten_years_of_kept_promises_bring_no_warning_in_any_lane():
    rng = np.random.default_rng(8)
    for n, n_reference in ((30, 200), (60, 400), (300, 1_500), (2_000, 9_000), (9_000, 20_000), (9, 60)):
        # the accounts are the same each night, and so is what they have by chance
        own_share = rng.binomial(n, drift.ALPHA) / n
        counts = rng.binomial(n, own_share, 3_650)
        factors = [drift.night_factor(int(k), n, n_reference) for k in counts]
        evidence = [
            drift.standing(np.array(factors[: at + 1]), 1e300).evidence for at in range(0, 3_650, 365)
        ]
        assert max(evidence) < 100
        assert not drift.standing(np.array(factors), drift.threshold(6)).warned


@pytest.mark.parametrize(("share", "within"), [(0.5, 8), (0.3, 9), (0.2, 14), (0.15, 25)])
def test_a_real_drift_is_found_within_some_nights(share, within):
    rng = np.random.default_rng(4)
    usual, drifted = (rng.binomial(1_500, p, 60).tolist() for p in (0.05, share))
    factors = np.array([drift.night_factor(k, 1_500, 6_000) for k in usual + drifted])
    after = [drift.standing(factors[: 60 + nights], drift.threshold(6)) for nights in range(1, 40)]
    found = next(nights for nights, now in enumerate(after, start=1) if now.warned)
    assert 8 <= found <= within
    assert abs(after[found - 1].began - 60) <= 1


def test_a_broken_week_is_no_drift_and_a_warning_ends_with_its_drift():
    worst, usual = drift.night_factor(1_000, 1_000, 5_000), drift.night_factor(50, 1_000, 5_000)
    warn_at = drift.threshold(6)
    assert not drift.standing(np.array([worst] * 7), warn_at).warned
    assert drift.standing(np.array([worst] * 8), warn_at).warned
    assert drift.standing(np.array([worst] * 300), warn_at).warned
    assert not drift.standing(np.array([worst] * 300 + [usual]), warn_at).warned


def test_nobody_to_judge_is_no_bet():
    assert drift.night_factor(0, 0, 500) == 1.0
    assert drift.night_factor(0, 50, 0) == 1.0
    with pytest.raises(ValueError, match="no night"):
        drift.standing(np.empty(0), 100.0)


def test_the_features_that_moved_are_named_furthest_first():
    rng = np.random.default_rng(6)
    here = {name: rng.normal(size=600) for name in ("steady", "somewhat", "far", "rare", "fourth", "fifth")}
    past = {name: rng.normal(size=900) for name in here}
    for name, by in (("somewhat", 0.6), ("far", 2.0), ("rare", 5.0), ("fourth", 0.3), ("fifth", 0.9)):
        here[name] = here[name] + by
    here["rare"][40:] = np.nan  # known of forty accounts
    moved = drift.moved_features(here, past, list(here))
    assert [one.feature for one in moved] == ["far", "fifth", "somewhat"]
    assert 0.5 < moved[0].distance < 0.8
    assert drift.moved_features(past, past, list(past)) == []


def test_a_warning_says_what_was_promised_what_is_seen_and_what_moved():
    seen = {"low_share": 0.18, "tolerated_share": 0.091, "since": date(2025, 6, 1)}
    said = drift.in_words("person", **seen, moved=[{"feature": "n_ips", "distance": 0.314}])
    assert "18.0% of the ordinary accounts of the group person" in said
    assert "9.1%" in said
    assert "since 2025-06-01" in said
    assert said.endswith("moved most: n_ips (distance 0.31)")
    of_candidates = drift.in_words("candidates", **seen, moved=[])
    assert "candidates for campaigns" in of_candidates
    assert "moved" not in of_candidates
