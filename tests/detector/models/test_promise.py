"""One promise, one test: every account model is held to detector.models.base."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from detector.models import MODELS

EACH_MODEL = pytest.mark.parametrize("make", MODELS, ids=lambda make: make().name)


@pytest.fixture
def crowd_with_outlier_first() -> np.ndarray:
    """600 accounts, six features, most of them usual; account 0 far out in three."""
    rng = np.random.default_rng(7)
    crowd = np.maximum(rng.normal(size=(600, 6)), 0.0)
    crowd[0] = [9, 0, 8, 0, 9, 0]
    return crowd


@EACH_MODEL
def test_the_odd_one_out_scores_highest(make, crowd_with_outlier_first):
    assert make().fit(crowd_with_outlier_first).score(crowd_with_outlier_first).argmax() == 0


@EACH_MODEL
def test_its_odd_features_explain_it(make, crowd_with_outlier_first):
    model = make().fit(crowd_with_outlier_first)
    parts = model.contributions(crowd_with_outlier_first)
    assert parts.shape == crowd_with_outlier_first.shape
    assert (parts >= 0).all()
    assert set(np.argsort(-parts[0])[:3]) == {0, 2, 4}
    assert_array_equal(parts[0][[1, 3, 5]], 0)


@EACH_MODEL
def test_a_crowd_of_twins_cannot_hide_in_its_own_company(make, crowd_with_outlier_first):
    twins = np.vstack([crowd_with_outlier_first, np.tile(crowd_with_outlier_first[0], (30, 1))])
    scores = make().fit(twins).score(twins)
    assert scores[[0, *range(600, 630)]].min() > np.quantile(scores[1:600], 0.9)


@EACH_MODEL
def test_the_order_of_rows_changes_nothing(make, crowd_with_outlier_first):
    shuffle = np.random.default_rng(1).permutation(len(crowd_with_outlier_first))
    straight = make().fit(crowd_with_outlier_first).score(crowd_with_outlier_first)
    shuffled = make().fit(crowd_with_outlier_first[shuffle]).score(crowd_with_outlier_first[shuffle])
    assert_array_equal(straight[shuffle], shuffled)


@EACH_MODEL
def test_pickling_and_a_second_run_change_nothing(make, crowd_with_outlier_first):
    model = make().fit(crowd_with_outlier_first)
    first = model.score(crowd_with_outlier_first)
    assert_array_equal(first, pickle.loads(pickle.dumps(model)).score(crowd_with_outlier_first))
    assert_array_equal(first, make().fit(crowd_with_outlier_first).score(crowd_with_outlier_first))


@EACH_MODEL
def test_newcomers_are_scored_by_what_was_learned(make, crowd_with_outlier_first):
    model = make().fit(crowd_with_outlier_first)
    newcomers = np.array([[9.0] * 6, [0.0] * 6])
    scores = model.score(newcomers)
    assert scores[0] > np.quantile(model.score(crowd_with_outlier_first), 0.99) > scores[1]
    assert model.contributions(newcomers)[1].sum() == 0


@EACH_MODEL
def test_a_scored_account_does_not_change_with_its_company(make, crowd_with_outlier_first):
    model = make().fit(crowd_with_outlier_first)
    whole = model.score(crowd_with_outlier_first)
    # the tail model ranks newcomers beside those of the fit, so the part may differ in the last ranks
    assert_allclose(model.score(crowd_with_outlier_first[:300]), whole[:300], rtol=0.25, atol=0.25)


@EACH_MODEL
@pytest.mark.parametrize("n_accounts", [0, 1, 2])
def test_a_crowd_of_none_or_few_is_no_error(make, n_accounts):
    matrix = np.arange(n_accounts * 3.0).reshape(n_accounts, 3)
    scores = make().fit(matrix).score(matrix)
    assert scores.shape == (n_accounts,)
    assert np.isfinite(scores).all()


@EACH_MODEL
def test_nothing_is_suspicious_where_nobody_differs(make):
    same = np.full((80, 4), 3.0)
    model = make().fit(same)
    assert_array_equal(model.score(same), 0)
    assert_array_equal(model.contributions(same), 0)


@EACH_MODEL
def test_what_a_model_cannot_read_is_refused(make):
    with pytest.raises(ValueError, match="unknown values"):
        make().fit(np.array([[1.0, np.nan], [0.0, 1.0]]))
    with pytest.raises(ValueError, match="one row per account"):
        make().fit(np.zeros((9, 2))).score(np.zeros((9, 3)))
    with pytest.raises(ValueError, match="one row per account"):
        make().fit(np.zeros(9))
