"""PRADA's distances on streams whose answer is known by hand."""

import numpy as np
from scipy.stats import norm

from benchmarks.peers.prada import normality


def _stream(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vectors = np.asarray(values, np.float32).reshape(-1, 1)
    return vectors, np.array([0]), np.array([len(vectors)])


def _sparse_stream(gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A walk outward: each query's nearest predecessor is the one before, `gaps` away."""
    return _stream(np.concatenate([[0.0], np.cumsum(gaps)]))


def test_a_uniform_grid_has_one_distance_and_says_nothing_about_normality():
    assert np.isnan(normality(*_sparse_stream(np.full(200, 1.0)))[0])


def test_normal_distances_are_taken_for_benign_and_two_kinds_of_distance_for_an_attack():
    rng = np.random.default_rng(0)
    like_people = rng.permutation(norm.ppf((np.arange(300) + 0.5) / 300, loc=10, scale=0.5))
    like_a_sweep = np.where(rng.random(300) < 0.5, 10.0, 11.0) + 0.001 * rng.random(300)
    assert normality(*_sparse_stream(like_people))[0] > 0.98
    assert normality(*_sparse_stream(like_a_sweep))[0] < 0.8


def test_a_query_near_an_old_one_does_not_join_the_set():
    """0, 10 and 20 join; 20.5 does not, being close; 21 is therefore 1 away from 20, not 0.5 from 20.5."""
    from benchmarks.peers.prada import _nearest_kernel  # noqa: PLC0415

    vectors, starts, ends = _stream(np.array([0.0, 10.0, 20.0, 20.5, 21.0]))
    distances = np.empty(4)
    _nearest_kernel(vectors, starts, ends, np.array([0]), distances)
    assert distances.tolist() == [10.0, 10.0, 0.5, 1.0]
