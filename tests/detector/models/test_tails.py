"""The tail model's parts are those of the library that defines them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pyod.models.ecod import ECOD

from detector.models.tails import tail_parts

RNG = np.random.default_rng(7)


@pytest.mark.parametrize(
    "matrix",
    [
        RNG.random((400, 3)),
        np.round(RNG.gamma(1.0, 3.0, (900, 4))),
        np.array([[0.0], [1.0], [0.0], [1.0]]),
        np.array([[0.0, 1.0], [1.0, 1.5], [2.0, 5.0]]),
    ],
    ids=["all different", "many ties", "leans to neither side", "few rows"],
)
def test_a_value_is_as_surprising_as_ecod_finds_it(matrix):
    assert_allclose(tail_parts(matrix), ECOD(n_jobs=1).fit(matrix).O, rtol=1e-12)
