"""Similar sets are found without comparing all with all, and popularity alone makes nobody similar."""

import numpy as np

from benchmarks.peers.candidates import similar_pairs


def _packed(sets: list[set[int]]) -> tuple[np.ndarray, np.ndarray]:
    items = np.array([item for each in sets for item in sorted(each)], np.uint64)
    return items, np.concatenate([[0], np.cumsum([len(each) for each in sets])]).astype(np.int64)


def test_the_similarity_of_a_pair_is_its_jaccard():
    sets = [{1, 2, 3, 4}, {2, 3, 4, 5}, {70, 71, 72, 73}]
    first, second, similarity = similar_pairs(*_packed(sets), least_common=3)
    assert (first.tolist(), second.tolist(), similarity.tolist()) == ([0], [1], [3 / 5])


def test_pairs_with_too_little_in_common_are_left_out():
    first, _, _ = similar_pairs(*_packed([{1, 2}, {1, 2}]), least_common=3)
    assert len(first) == 0


def test_an_item_that_all_share_costs_little_and_links_nobody():
    sets = [{0, *range(1_000 * k, 1_000 * k + 20)} for k in range(1, 2_001)]
    first, _, similarity = similar_pairs(*_packed(sets), least_common=1)
    assert len(first) < 2_000 * 32 * 8
    assert similarity.max() < 0.05


def test_nothing_comes_of_nothing():
    first, second, similarity = similar_pairs(*_packed([]), least_common=1)
    assert len(first) == len(second) == len(similarity) == 0
