"""Figures of a detector on a world small enough to count on one's fingers."""

from datetime import date

import polars as pl
import pytest

from benchmarks.peers.peer import FLAG_SCHEMA, cut
from benchmarks.peers.scorecard import Truth, best_with_labels, score, together
from benchmarks.peers.table import FIXED, ORACLE, Row, as_table, pooled

JUNE_1 = date(2026, 6, 1)
KILN = [f"k{n}" for n in range(4)]
PEOPLE = [f"p{n}" for n in range(10)]


@pytest.fixture
def truth() -> Truth:
    labels = pl.DataFrame(
        [{"account_id": a, "label": "campaign", "campaign": "kiln", "kind": "synchronised"} for a in KILN]
        + [{"account_id": a, "label": "benign", "campaign": None, "kind": "person"} for a in PEOPLE]
    )
    activity = pl.DataFrame([{"account_id": a, "day": JUNE_1, "n_requests": 3} for a in KILN + PEOPLE])
    return Truth(labels, activity, (JUNE_1,))


def _flags(accounts: list[str], group: str | None = None) -> pl.DataFrame:
    rows = [{"day": JUNE_1, "account_id": a, "campaign_id": group, "score": 1.0} for a in accounts]
    return pl.DataFrame(rows, schema=FLAG_SCHEMA)


def test_a_group_of_three_of_four_and_one_person_is_found_impurely(truth: Truth):
    card = score(_flags([*KILN[:3], PEOPLE[0]], "g-1"), truth)
    assert (card.n_found, card.n_campaigns, card.n_half_flagged) == (1, 1, 1)
    assert (card.median_coverage, card.median_purity) == (0.75, 0.75)
    assert (card.precision, card.recall) == (0.75, 0.75)
    assert card.wronged_per_million == 100_000
    assert card.worst_kinds() == [("person", 1, 10)]


def test_accounts_flagged_one_by_one_find_no_campaign_but_are_counted(truth: Truth):
    card = score(_flags(KILN[:2]), truth)
    assert (card.n_found, card.n_half_flagged, card.recall) == (0, 1, 0.5)
    assert card.wronged_per_million == 0
    # 1 - 0.025 ** (1 / 10): nothing seen among ten.
    assert card.wronged_per_million_high == pytest.approx(308_497, abs=1)


def test_nothing_flagged_has_no_precision(truth: Truth):
    card = score(_flags([]), truth)
    assert (card.precision, card.recall, card.median_coverage) == (None, 0.0, None)


def test_the_oracle_takes_the_best_point_and_the_sparing_one_that_wrongs_few(truth: Truth):
    points = [("all", _flags(KILN + PEOPLE)), ("good", _flags([*KILN, PEOPLE[0]])), ("shy", _flags(KILN[:1]))]
    best = best_with_labels(points, truth)
    sparing = best_with_labels(points, truth, most_per_million=1_000)
    assert best is not None
    assert sparing is not None
    assert (best[0], sparing[0]) == ("good", "shy")
    assert best_with_labels(points[:1], truth, most_per_million=1_000) is None


def test_worlds_add_up(truth: Truth):
    cards = [score(_flags(KILN, "g-1"), truth), score(_flags([PEOPLE[0]], "g-1"), truth)]
    whole = together(cards)
    assert (whole.n_found, whole.n_campaigns, whole.precision) == (1, 2, 0.8)
    assert whole.wronged_per_million == 50_000
    rows = [Row(f"w{n}", "X", f"point {n}", ORACLE, card, 1.0, 10) for n, card in enumerate(cards)]
    (merged,) = pooled(rows)
    assert (merged.card.n_campaigns, merged.seconds, merged.point) == (2, 2.0, "one per world")


def test_a_table_shows_worlds_and_their_sum(truth: Truth):
    rows = [
        Row(world, "X", "as published", FIXED, score(_flags(KILN, "g"), truth), 1.0, 10)
        for world in ("a", "b")
    ]
    text = as_table(rows)
    assert "1 of 1" in text
    assert "2 of 2" in text
    assert "all 2 worlds" in text


def test_thresholds_for_the_oracle_reach_from_half_of_all_to_the_topmost_few():
    scores = pl.DataFrame(
        {"day": [JUNE_1] * 100, "account_id": PEOPLE * 10, "score": [float(n) for n in range(100)]}
    )
    found = cut(scores, 90.0, "ninety")
    sizes = [len(flags) for _, flags in found.others]
    assert len(found.flags) == 10
    assert (max(sizes), min(sizes)) == (50, 2)
