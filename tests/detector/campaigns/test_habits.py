"""Which accounts of a group are other people's: told by what they do, where a text is all they share."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from nights import Night, flagged

from detector.campaigns.habits import MOST_CLASSES, MOST_FITTED, STEPS, classes_of, in_steps

LEAST = 5


def night_of(
    groups: list[tuple[int, list[tuple[float, float]]]], seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Steps of all accounts, and the group of each: groups are a number of accounts, and mean and spread of
    each habit; a thousand other accounts have habits of all kinds."""
    rng = np.random.default_rng(seed)
    n_habits = len(groups[0][1])
    values = [rng.normal(0, 3, (n_habits, 1000))]
    values += [np.array([rng.normal(mean, spread, n) for mean, spread in habits]) for n, habits in groups]
    owner = np.repeat(np.arange(len(groups) + 1), [1000, *(n for n, _ in groups)])
    return in_steps(list(np.concatenate(values, axis=1))), owner


def test_what_most_accounts_have_in_common_is_one_step_and_what_is_above_another() -> None:
    n_end_users = np.array([1.0] * 95 + [7.0, 9.0, 30.0, np.nan, 2.0])
    [steps] = in_steps([n_end_users])
    assert steps[:95].tolist() == [0] * 95
    assert steps[95:].tolist() == [1, 1, 1, -1, 1]


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=1, max_size=60))
def test_steps_keep_the_order_of_what_is_known(values: list[float | None]) -> None:
    known = np.array([np.nan if value is None else value for value in values])
    [steps] = in_steps([known])
    assert ((steps == -1) == np.isnan(known)).all()
    assert steps.max() < STEPS
    for one, step in zip(known, steps, strict=True):
        assert (steps[known < one] <= step).all()


def test_two_operators_with_habits_of_their_own_are_two_classes() -> None:
    one, other = [(-2.0, 0.5)] * 4 + [(2.0, 0.5)], [(2.0, 0.5)] * 4 + [(2.0, 0.5)]
    steps, owner = night_of([(60, one), (25, other)])
    classes = classes_of(steps, np.flatnonzero(owner > 0), LEAST)
    assert [sorted(found) for found in classes] == [
        np.flatnonzero(owner == group).tolist() for group in (1, 2)
    ]


def test_three_are_three() -> None:
    kinds = [[(-3.0, 0.4), (0.0, 0.4)], [(3.0, 0.4), (0.0, 0.4)], [(0.0, 0.4), (3.0, 0.4)]]
    steps, owner = night_of([(80, kinds[0] * 3), (60, kinds[1] * 3), (40, kinds[2] * 3)])
    classes = classes_of(steps, np.flatnonzero(owner > 0), LEAST)
    assert [set(owner[found]) for found in classes] == [{1}, {2}, {3}]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(10, 400), spread=st.floats(0.2, 4.0))
def test_habits_that_vary_each_by_itself_make_no_classes(seed: int, n: int, spread: float) -> None:
    """Whoever jitters every number at random stays one group."""
    steps, owner = night_of([(n, [(0.0, spread)] * 12)], seed)
    assert classes_of(steps, np.flatnonzero(owner > 0), LEAST) == []


def test_members_that_nothing_is_known_of_are_one_group() -> None:
    assert classes_of(np.full((5, 40), -1, np.int8), np.arange(40), LEAST) == []


def test_nobody_is_in_two_classes_and_nobody_in_none_however_large_the_group() -> None:
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 30, 5 * MOST_FITTED)
    steps = in_steps([rng.normal(kind * (habit + 1) % 7, 0.1) for habit in range(10)])
    members = np.arange(len(kind))
    classes = classes_of(steps, members, LEAST)
    assert 1 < len(classes) <= MOST_CLASSES
    assert np.array_equal(np.sort(np.concatenate(classes)), members)


def test_an_honest_app_that_took_the_same_text_is_left_out() -> None:
    """The campaign asks each account for as many long answers; the apps are old accounts that ask much or
    little, for short ones at temperature 0 and with tools."""
    night = Night()
    night.people(600)
    published = {"published": 1.0}
    kiln = night.campaign(
        "kiln", 60, objects=[{"template": published} for _ in range(60)], n_requests=night.rng.poisson(30, 60)
    )
    night.add(
        "app", 8, objects=[{"template": published} for _ in range(8)],
        n_requests=night.rng.poisson(30, 8).astype(float), output_tokens_mean=20.0, account_age_days=800.0,
        greedy_share=1.0, tools_share=1.0, single_turn_share=1.0, training_share=0.02, earlier_uses=3.0,
        training_of_templates=0.02,
    )  # fmt: skip
    [found] = flagged(night)
    assert sorted(found.members) == kiln
