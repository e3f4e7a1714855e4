"""A planted block is found under camouflage, and peeling is what the paper says."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers.fraudar import _peel, dense_blocks


def _background(rng: np.random.Generator, n_rows: int, n_columns: int, per_row: int) -> set[tuple[int, int]]:
    """Everybody uses a few objects, popular ones (low numbers) more than others."""
    columns = (n_columns * rng.random((n_rows, per_row)) ** 3).astype(int)
    return {(row, int(column)) for row in range(n_rows) for column in columns[row]}


def _packed(edges: set[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    row, column = np.array(sorted(edges), np.int64).T
    return np.unique(row, return_inverse=True)[1], np.unique(column, return_inverse=True)[1]


def test_a_block_is_found_though_its_rows_use_popular_columns_as_well():
    rng = np.random.default_rng(3)
    edges = _background(rng, 400, 300, 4)
    planted = {(row, 1_000 + column) for row in range(30) for column in range(30) if rng.random() < 0.8}
    camouflage = {(row, column) for row in range(30) for column in rng.integers(0, 12, 20)}
    blocks = dense_blocks(*_packed(edges | planted | camouflage), n_blocks=1)
    rows, density = next(iter(blocks))
    assert set(np.flatnonzero(rows)) == set(range(30))
    assert density > 2


def test_two_planted_blocks_come_one_after_another():
    edges = {(row, column) for row in range(20) for column in range(20)}
    edges |= {(20 + row, 20 + column) for row in range(10) for column in range(10)}
    first, second = (set(np.flatnonzero(rows)) for rows, _ in dense_blocks(*_packed(edges), n_blocks=2))
    assert first == set(range(20))
    assert second == set(range(20, 30))


def _peel_slow(edges: set[tuple[int, int]], weight: np.ndarray) -> float:
    """The density reached by the definition read aloud."""
    nodes = {("row", row) for row, _ in edges} | {("column", column) for _, column in edges}
    best = 0.0
    while nodes:
        inside = [(r, c) for r, c in edges if ("row", r) in nodes and ("column", c) in nodes]
        best = max(best, sum(weight[c] for _, c in inside) / len(nodes))
        load = dict.fromkeys(nodes, 0.0)
        for r, c in inside:
            load["row", r] += weight[c]
            load["column", c] += weight[c]
        nodes.remove(min(nodes, key=lambda node: (load[node], node[0] == "column", node[1])))
    return best


@settings(deadline=None)  # the first call compiles
@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20))
def test_the_kernel_peels_as_densely_as_the_definition(edges: set[tuple[int, int]]):
    row, column = _packed(edges)
    weight = 1 / np.log(np.bincount(column) + 5.0)
    inside, density = _peel(row, column, weight, int(row.max()) + 1)
    kept = inside[row] & inside[int(row.max()) + 1 + column]
    assert np.isclose(density, weight[column[kept]].sum() / inside.sum())
    # Equal loads may be peeled in another order and end elsewhere; half of the optimum is guaranteed to both.
    slow = _peel_slow(set(zip(row.tolist(), column.tolist(), strict=True)), weight)
    assert slow / 2 - 1e-9 <= density <= 2 * slow + 1e-9
