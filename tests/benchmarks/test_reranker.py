"""The benchmark of the queue's order: its reviewers, its cases, its figures."""

import numpy as np
import pytest

from benchmarks.reranker import Group, Reviewer, in_order, measured, orders, same_case


def group(night, at, *, guilty, pieces, score):
    return Group(
        night=night,
        case=f"{night}-{at}",
        guilty=guilty,
        score=score,
        confidence="low",
        published=True,
        pieces=pieces,
    )


@pytest.fixture
def groups():
    """Seven nights of 30: payment tells, the score does not."""
    rng = np.random.default_rng(1)
    return [
        group(
            night,
            at,
            guilty=at % 2 == 0,
            pieces={"SHARED_PAYMENT": 3.0 * (at % 2 == 0) + float(rng.normal())},
            score=float(rng.uniform(0.5, 0.6)),
        )
        for night in range(1, 8)
        for at in range(30)
    ]


def test_a_reviewer_works_from_the_top_once_per_case_and_errs_as_stated(groups):
    reviewer = Reviewer(np.random.default_rng(0), error=0.2, capacity=20)
    for night in range(1, 8):
        reviewer.look_at([one for one in groups if one.night == night])
    assert len(reviewer.decided) == 140
    wrong = sum(said != one.guilty for one, said in reviewer.decided.values())
    assert 0.1 < wrong / 140 < 0.3
    first = [one for one in groups if one.night == 1]
    assert {one.case for one in reviewer.open(first)} == {
        one.case for one in sorted(first, key=lambda one: -one.score)[20:]
    }


def test_what_tells_makes_the_top_of_the_next_night_cleaner(groups):
    rows = list(measured(groups, Reviewer(np.random.default_rng(0), error=0.0, capacity=30)))
    last = {row["order"]: row for row in rows if row["after"] == rows[-1]["after"]}
    assert last["console"]["used"] == 1.0
    assert last["plain"]["chance"] == 0.5
    assert last["console"]["top 10"] > last["plain"]["top 10"]
    assert last["model"]["pairs"] > last["bounded"]["pairs"] > last["plain"]["pairs"]


def test_before_both_sorts_were_decided_every_order_is_plain(groups):
    reviewer = Reviewer(np.random.default_rng(0), error=0.0, capacity=30)
    reviewer.look_at([one for one in groups if one.night == 1 and one.guilty])
    given, _ = orders(reviewer, [one for one in groups if one.night == 2])
    assert all(order.tolist() == list(range(30)) for order in given.values())


def test_a_group_is_the_case_that_holds_half_of_its_accounts():
    cases = {"a": {"1", "2", "3", "4"}, "b": {"5", "6"}}
    assert same_case(cases, {"3", "4", "9", "10"}) == "a"
    assert same_case(cases, {"4", "9", "10"}) is None
    assert same_case({}, {"1"}) is None


def test_pairs_in_order_are_counted():
    assert in_order(np.array([True, False, True, False])) == 0.75
    assert in_order(np.array([True, True])) is None
