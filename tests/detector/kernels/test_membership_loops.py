"""What accounts carry of a group's objects, against the slow twin."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from detector.campaigns.groups import Groups
from detector.kernels import membership
from tests.reference import membership as slow

N_LAYERS = 3


@st.composite
def nights(draw):
    """A small night: who carries what, some members, some objects with their ratios and layers."""
    n_accounts, n_objects = draw(st.integers(1, 12)), draw(st.integers(1, 9))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    carried = np.round(rng.random((n_accounts, n_objects)), 3)
    carried[rng.random(carried.shape) < draw(st.sampled_from([0.2, 0.6, 0.95, 1.0]))] = 0
    members = np.flatnonzero(rng.random(n_accounts) < 0.4)
    objects = np.flatnonzero(rng.random(n_objects) < 0.6)
    ratio = np.round(rng.random(len(objects)) * 8, 3)
    layer = rng.integers(0, N_LAYERS, len(objects))
    against = np.where(rng.random(len(objects)) < 0.4, -np.round(rng.random(len(objects)) * 4, 3), 0.0)
    return carried, members, objects, ratio, layer, against


@settings(deadline=None)
@given(nights())
def test_the_loops_agree_with_one_account_and_one_object_at_a_time(night):
    carried, members, objects, ratio, layer, against = night
    by_account = csr_matrix(carried)
    by_object = by_account.tocsc()
    n_accounts, n_objects = carried.shape
    among = membership.who_could_join(by_object.indptr, by_object.indices, objects, members, n_accounts)
    assert among.tolist() == slow.who_could_join(carried, objects, members)
    others, n_of_each = membership.n_of_others(
        by_object.indptr, by_object.indices, objects, members, n_accounts
    )
    assert dict(zip(others.tolist(), n_of_each.tolist(), strict=True)) == slow.n_of_others(
        carried, objects, members
    )
    counted = membership.n_carrying(by_account.indptr, by_account.indices, members, objects, n_objects)
    assert counted.tolist() == slow.n_carrying(carried, members, objects)
    fast = membership.weigh_carried(
        by_account.indptr, by_account.indices, by_account.data, among, objects, ratio, layer, against,
        n_objects, N_LAYERS,
    )  # fmt: skip
    for mine, twin in zip(
        fast, slow.weigh_carried(carried, among, objects, ratio, layer, against, N_LAYERS), strict=True
    ):
        np.testing.assert_allclose(mine, twin, rtol=1e-12)


@st.composite
def alike_groups(draw):
    """Groups of a small night, each one before with a few accounts more and a few less."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    groups = [set(rng.choice(60, 30, replace=False).tolist())]
    for _ in range(draw(st.integers(1, 90))):
        taken = groups[rng.integers(len(groups))]
        groups.append(taken ^ set(rng.choice(60, rng.integers(0, 9), replace=False).tolist()) or {0})
    return groups


@settings(deadline=None, max_examples=60)
@given(alike_groups(), st.sampled_from([0.3, 0.5, 0.8, 0.9, 0.99]))
def test_a_group_is_nearly_an_earlier_one_as_when_each_two_are_compared(drawn, same):
    groups = Groups(60)
    for at, members in enumerate(drawn):
        asked = np.array(sorted(members))
        assert groups.hold(asked, same) == slow.are_a_group(members, drawn[:at], same)
        groups.add(asked)
