"""What a value is worth among peers: valid where peers show it, and never infinite beyond them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from detector.campaigns.shares import lower_share
from detector.models.lone.surprise import KEENNESS, evidence_of, tail_probability

VALUES = st.lists(st.floats(-50, 50), max_size=300)


@given(VALUES, st.lists(st.floats(-100, 100), min_size=1, max_size=20), st.booleans())
def test_probabilities_fall_as_values_rise_and_stay_above_zero(reference, values, has_tail):
    found = tail_probability(np.sort(values), np.sort(np.array(reference)), has_tail=has_tail)
    assert (found > 0).all()
    assert (found <= 1).all()
    assert (np.diff(found) <= 1e-12).all()


@given(VALUES, st.floats(-100, 100))
def test_without_a_tail_it_is_the_share_that_is_at_least_as_high_counting_oneself(reference, value):
    found = tail_probability(np.array([value]), np.sort(np.array(reference)), has_tail=False)
    assert_allclose(found, (1 + sum(other >= value for other in reference)) / (1 + len(reference)))


def test_an_exponential_crowd_is_continued_as_one():
    crowd = np.sort(np.random.default_rng(3).exponential(1, 100_000))
    assert_allclose(
        np.log(tail_probability(np.array([8.0, 12.0]), crowd, has_tail=True)), [-8, -12], atol=0.4
    )


def test_one_odd_customer_does_not_widen_what_all_are_judged_by():
    crowd = np.sort(np.random.default_rng(3).exponential(1, 400))
    odd = np.append(crowd[:-1], 1_000.0)
    alone, beside = (tail_probability(np.array([9.0]), of, has_tail=True)[0] for of in (crowd, odd))
    assert alone / 2 < beside < 2 * alone


def test_evidence_averages_to_no_more_than_one_over_ordinary_accounts():
    p_values = (np.arange(1_000_000) + 0.5) / 1_000_000
    assert 0.9 < evidence_of(p_values).mean() <= 1.0
    assert evidence_of(np.array([1.0]))[0] == KEENNESS
    assert np.isnan(evidence_of(np.array([np.nan]))[0])


@given(st.integers(1, 5_000), st.data())
def test_the_least_a_share_may_be_is_no_more_than_it_was_seen_to_be(n, data):
    share = data.draw(st.integers(0, n)) / n
    (least,) = lower_share(np.array([share]), np.array([float(n)]))
    assert 0 <= least <= share + 1e-12
    assert least <= lower_share(np.array([share]), np.array([4.0 * n]))[0] + 1e-12
