"""What the use of a group's texts says against membership: how often, how many of them, since when."""

import numpy as np
import pytest

from detector.campaigns.usage import breadth, novelty, scarcity


def test_few_uses_speak_against_membership_only_where_members_have_many() -> None:
    members = np.array([40.0] * 50)
    assert scarcity(np.array([1.0]), np.array([False])).tolist() == [0.0]
    uses, is_member = np.append(members, [1.0, 40.0]), np.append(np.ones(50, bool), [False, False])
    once, often = scarcity(uses, is_member)[-2:]
    assert once < -4
    assert often == 0.0
    quiet = scarcity(np.array([1.0] * 51), np.append(np.ones(50, bool), False))
    assert quiet[-1] == 0.0


def test_who_uses_one_of_several_texts_is_hardly_one_of_those_who_use_them_all() -> None:
    is_member, nobody = np.repeat([True, False], [60, 60]), np.empty(0, np.int64)
    many_and_one, one_each = np.repeat([5, 1], [60, 60]), np.ones(60, np.int64)
    said = breadth(many_and_one, is_member, one_each)
    assert said[is_member].tolist() == [0.0] * 60
    assert (said[~is_member] < -2).all()
    # Members that use one each, dealt to them, are no measure; nor is a stranger's having all of them.
    assert not breadth(np.ones(120, np.int64), is_member, one_each).any()
    assert breadth(np.repeat([1, 5], [60, 60]), is_member, 5 * one_each)[:60].tolist() == [0.0] * 60
    assert not breadth(np.zeros(120, np.int64), is_member, one_each).any()
    # Nobody to compare with: nothing is said.
    assert not breadth(many_and_one, is_member, nobody).any()
    assert not breadth(many_and_one, np.zeros(120, np.bool_), one_each).any()


def test_who_was_here_before_and_uses_a_campaigns_text_for_the_first_time_is_hardly_of_it() -> None:
    used = np.array([True] * 40 + [False] * 3)
    seen = np.array([True] * 42 + [False])
    is_member = np.array([True] * 40 + [False] * 3)
    assert novelty(used, seen, is_member).tolist() == [0.0] * 40 + [-3.0, -3.0, 0.0]
    assert novelty(np.zeros(43, bool), seen, is_member).min() == 0.0  # it begins tonight: new to everybody
    half = np.array([True] * 20 + [False] * 23)
    assert novelty(half, seen, is_member)[-2] == pytest.approx(np.log(20.5 / 40.5))
    assert novelty(used, seen, np.zeros(43, bool)).max() == 0.0
