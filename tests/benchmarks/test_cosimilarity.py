"""Rare shared traces bind accounts; what everybody has weighs nothing."""

import numpy as np
import polars as pl
import pytest

from benchmarks.peers.cosimilarity import similar_accounts


def _used(rows: dict[str, dict[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"account": ord(a[0]) if len(a) == 1 else int(a[1:]), "trace": t, "n": n}
            for a, held in sorted(rows.items())
            for t, n in sorted(held.items())
        ],
        schema={"account": pl.UInt32, "trace": pl.UInt64, "n": pl.Int64},
    )


def test_a_trace_that_everybody_has_binds_nobody():
    first, _, _ = similar_accounts(_used({name: {0: 9, k + 1: 1} for k, name in enumerate("abcdef")}))
    assert len(first) == 0


def test_a_rare_trace_binds_its_two_holders():
    people = {name: {0: 9, k + 1: 1} for k, name in enumerate("abcdef")}
    people["b"][99] = people["e"][99] = 3
    first, second, cosine = similar_accounts(_used(people))
    assert (first.tolist(), second.tolist()) == ([1], [4])
    assert 0 < cosine[0] < 1


def test_the_weight_is_the_cosine_of_tf_idf():
    rng = np.random.default_rng(5)
    counts = rng.poisson(0.7, (12, 9))
    counts[:, 0] += 1
    used = _used({f"a{i:02}": {j: int(n) for j, n in enumerate(row) if n} for i, row in enumerate(counts)})
    held_by = (counts > 0).sum(axis=0)
    weights = counts * np.log(12 / np.maximum(held_by, 1))
    weights = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    first, second, cosine = similar_accounts(used)
    expected = weights @ weights.T
    assert len(first) > 0
    assert cosine == pytest.approx(expected[first, second])
    found = set(zip(first.tolist(), second.tolist(), strict=True))
    assert found == {(i, j) for i in range(12) for j in range(i + 1, 12) if expected[i, j] > 1e-12}
