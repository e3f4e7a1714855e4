"""Matching and B-cubed agree with their definitions read aloud, on every small world that comes to mind."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evaluation import judge
from pipelines.evaluation.bcubed import b_cubed
from tests.reference.evaluation import World, b_cubed_slow, matched_slow

START = date(2026, 3, 2)
ACCOUNTS = [f"a{n}" for n in range(8)]
CAMPAIGNS = ["amber", "birch", "cedar"]
FINDINGS = ["C-1", "C-2", "C-3", None]
DAYS = range(4)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Accounts in none, one or several campaigns and findings, on up to four nights."""
    campaigns = {
        name: draw(st.sets(st.sampled_from(ACCOUNTS), min_size=1, max_size=6))
        for name in draw(st.sets(st.sampled_from(CAMPAIGNS), max_size=3))
    }
    guilty = set().union(*campaigns.values())
    innocent = draw(st.sets(st.sampled_from(ACCOUNTS))) - guilty
    flag = st.tuples(st.sampled_from(DAYS), st.sampled_from([*ACCOUNTS, "nobody"]), st.sampled_from(FINDINGS))
    flags = draw(st.lists(flag, max_size=20, unique=True))
    places = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(DAYS))
    sent = draw(st.dictionaries(places, st.integers(1, 9), max_size=20))
    return World(campaigns, innocent, flags, sent)


def day(number: int) -> date:
    return START + timedelta(number)


def judged(world: World):
    labels = [(a, "campaign", name, "k") for name, accounts in world.campaigns.items() for a in accounts]
    labels += [(a, "benign", None, "person") for a in world.innocent]
    text = dict.fromkeys(("account_id", "label", "campaign", "kind"), pl.String)
    flags = pl.DataFrame(
        [(day(d), account, finding) for d, account, finding in world.flags],
        {"day": pl.Date, "account_id": pl.String, "campaign_id": pl.String},
        orient="row",
    )
    activity = pl.DataFrame(
        [(account, day(d), n) for (account, d), n in world.sent.items()],
        {"account_id": pl.String, "day": pl.Date, "n_requests": pl.Int64},
        orient="row",
    )
    return judge(pl.DataFrame(labels, text, orient="row"), flags, activity)


@settings(deadline=None, max_examples=120)
@given(worlds())
def test_matching_agrees_with_its_definition(world):
    rows = {row["campaign"]: row for row in judged(world).campaigns.iter_rows(named=True)}
    assert rows.keys() == {name for name in world.campaigns if world.members(name)}
    for name, row in rows.items():
        expected = matched_slow(world, name)
        if expected["found_on"] is not None:
            expected["found_on"] = day(expected["found_on"])
        assert {key: row[key] for key in expected} == pytest.approx(expected), name


@settings(deadline=None, max_examples=120)
@given(worlds())
def test_b_cubed_agrees_with_its_definition_over_pairs(world):
    found = {
        account: {finding for finding in world.findings() if account in world.held(finding)}
        for account in world.came
    }
    labelled = {
        account: {name for name in world.campaigns if account in world.members(name)}
        for account in world.came
    }
    precision, recall = b_cubed_slow(found, labelled)
    total = judged(world).total.row(0, named=True)
    assert (total["b_cubed_precision"], total["b_cubed_recall"]) == pytest.approx((precision, recall))


def test_b_cubed_of_the_published_example():
    """Two overlapping categories found as one cluster: recall is whole, precision pays for the pairs.

    Of a, b (in x), c (in x and y) and d (in y), a and d share nothing, nor do b and d.
    """
    found = pl.DataFrame({"account_id": ["a", "b", "c", "d"], "finding": [1, 1, 1, 1]})
    labelled = pl.DataFrame({"account_id": ["a", "b", "c", "c", "d"], "campaign": ["x", "x", "x", "y", "y"]})
    scored = b_cubed(found, labelled)
    # a: a, b, c of four; b the same; c: all four; d: c, d of four.
    assert scored.precision == pytest.approx((3 / 4 + 3 / 4 + 1 + 2 / 4) / 4)
    # a, b and d: whole. c with itself shares two campaigns but one finding: (1 + 1 + 1 + 1/2) / 4.
    assert scored.recall == pytest.approx((1 + 1 + 7 / 8 + 1) / 4)
    assert scored.f1 == pytest.approx(
        2 * scored.precision * scored.recall / (scored.precision + scored.recall)
    )


@settings(deadline=None, max_examples=30)
@given(worlds(), st.randoms())
def test_the_order_of_rows_changes_nothing(world, random):
    shuffled = World(dict(reversed(world.campaigns.items())), world.innocent, list(world.flags), {})
    random.shuffle(shuffled.flags)
    places = list(world.sent.items())
    random.shuffle(places)
    shuffled.sent.update(places)
    assert judged(shuffled).jsonl() == judged(world).jsonl()
