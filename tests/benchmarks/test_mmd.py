"""The test is quiet when nothing changed and loud when it did."""

import numpy as np

from benchmarks.peers.mmd import N_PERMUTATIONS, own_scores, pooled_scores

SIZE = 25


def _unit(rng: np.random.Generator, n: int, shift: float = 0.0) -> np.ndarray:
    """Directions in eight dimensions, pulled towards the first axis by `shift`."""
    drawn = rng.normal(size=(n, 8))
    drawn[:, 0] += shift
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def _ends(n_windows: int) -> np.ndarray:
    return np.arange(1, n_windows + 1, dtype=np.int64) * SIZE


def test_windows_of_the_reference_itself_are_rarely_flagged_and_shifted_ones_always():
    rng = np.random.default_rng(1)
    pool = _unit(rng, 1_000)
    same = pooled_scores(_unit(rng, 200 * SIZE), _ends(200), SIZE, pool)
    # The mean of twenty draws varies less than one draw of the null, so fewer than the nominal 5 % exceed it.
    assert (same > 0).mean() <= 0.08
    moved = pooled_scores(_unit(rng, 20 * SIZE, shift=2.0), _ends(20), SIZE, pool)
    assert (moved > 0).all()


def test_an_account_that_goes_on_as_before_is_flagged_at_the_nominal_rate():
    rng = np.random.default_rng(2)
    vectors = _unit(rng, 2 * 300 * SIZE)
    score = own_scores(vectors, _ends(600)[1::2], _ends(600)[::2], SIZE, gamma=1.0)
    # 300 tests at 5 %: 15 expected, standard deviation 3.8.
    assert 4 <= (score > 0).sum() <= 30


def test_an_account_that_changes_is_flagged():
    rng = np.random.default_rng(3)
    parts = [_unit(rng, SIZE, shift) for _ in range(20) for shift in (0.0, 2.0)]
    score = own_scores(np.concatenate(parts), _ends(40)[1::2], _ends(40)[::2], SIZE, gamma=1.0)
    assert (score > 0).all()


def test_the_kernel_agrees_with_the_definition():
    """One window against itself dealt anew: the identity deal is the plain unbiased MMD^2."""
    rng = np.random.default_rng(4)
    vectors = _unit(rng, 2 * SIZE, shift=0.5)
    x, y, gamma = vectors[SIZE:], vectors[:SIZE], 0.7

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        squared = ((a[:, None] - b[None]) ** 2).sum(axis=2)
        return np.mean([np.exp(-gamma * squared / scale**2) for scale in (0.5, 1, 2, 4)], axis=0)

    def within(k: np.ndarray) -> float:
        return (k.sum() - np.trace(k)) / (SIZE * (SIZE - 1))

    expected = within(kernel(x, x)) + within(kernel(y, y)) - 2 * kernel(x, y).mean()
    both = np.concatenate([x, y])
    dealt = []
    deals = np.random.default_rng(0)
    for _ in range(N_PERMUTATIONS):
        order = deals.permutation(2 * SIZE)
        a, b = both[order[:SIZE]], both[order[SIZE:]]
        dealt.append(within(kernel(a, a)) + within(kernel(b, b)) - 2 * kernel(a, b).mean())
    by_hand = (expected - np.percentile(dealt, 95)) / np.std(dealt)
    score = own_scores(vectors, np.array([2 * SIZE]), np.array([SIZE]), SIZE, gamma)
    assert np.isclose(score[0], by_hand, rtol=1e-3)
