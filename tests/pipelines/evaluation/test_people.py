"""Accounts one by one, whom the monitor wrongs, and how sure each figure is."""

import math

import numpy as np
import polars as pl
import pytest
from drawn_world import MON, TUE, benign, campaign, flags, labels, sent
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evaluation import judge
from pipelines.evaluation.intervals import by_unit, exact, mean_of_units, wilson


def test_none_of_forty_thousand_is_at_most_ninety_two_per_million():
    crowd = pl.DataFrame({"account_id": [f"p{n}" for n in range(40_000)]}).with_columns(
        label=pl.lit("benign"), campaign=pl.lit(None, pl.String), kind=pl.lit("person_chat")
    )
    scored = judge(crowd, flags(), crowd.select("account_id", day=MON, n_requests=1))
    assert "0 (at most 92)" in scored.table()
    assert scored.benign_kinds["per_million_flagged_high"].item() == pytest.approx(92.2, abs=0.1)


@settings(deadline=None)
@given(st.integers(1, 60).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_exact_bounds_leave_two_and_a_half_percent_on_either_side(counts):
    part, whole = counts
    low, high = exact(part, whole)

    def at_most(k: int, share: float) -> float:
        return sum(math.comb(whole, j) * share**j * (1 - share) ** (whole - j) for j in range(k + 1))

    assert part / whole >= low
    assert part / whole <= high
    if part:
        assert 1 - at_most(part - 1, low) == pytest.approx(0.025, abs=1e-6)
    if part < whole:
        assert at_most(part, high) == pytest.approx(0.025, abs=1e-6)


def test_wilson_bounds_of_a_textbook_case():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (None, None)
    assert wilson(5, 5)[1] == 1
    assert wilson(0, 5)[0] == 0


def test_a_bootstrap_of_units_is_wider_than_one_of_accounts():
    """Ten campaigns of 100 accounts, half of them caught whole: ten proofs, not a thousand."""
    parts, wholes = np.repeat([100, 0], 5), np.full(10, 100)
    low, high = by_unit(parts, wholes)
    assert 0.15 < low < 0.3
    assert 0.7 < high < 0.85
    alone = by_unit(np.repeat([1, 0], 500), np.ones(1000, dtype=np.int64))
    assert alone.high - alone.low < 0.08


def test_campaigns_found_whole_prove_no_more_than_their_number():
    assert by_unit(np.array([500, 80, 9]), np.array([500, 80, 9])) == exact(3, 3)
    assert by_unit(np.array([0, 0]), np.array([4, 4])) == exact(0, 2)
    assert by_unit(np.array([0]), np.array([0])) == (None, None)


def test_units_are_drawn_within_their_stratum():
    """Three campaigns caught whole, one stranger of a thousand wronged: the campaigns are always there."""
    parts = np.array([40, 40, 40, *np.zeros(1_000, np.int64)])
    wholes = np.array([40, 40, 40, 1, *np.zeros(999, np.int64)])
    strata = np.array([1, 1, 1, *np.zeros(1_000, np.int64)])
    low, high = by_unit(parts, wholes, strata)
    assert high == 1  # the stranger is often not drawn
    assert low > 120 / 125  # three or more of him hardly ever
    assert by_unit(parts, wholes).low < low  # thrown together, some draws hold no campaign at all


def test_one_world_tells_no_spread():
    assert mean_of_units(np.array([0.5])) == (None, None)
    low, high = mean_of_units(np.array([0.0, 0.1, 0.2, 0.3]))
    assert 0 <= low < 0.15 < high <= 0.3


def test_an_organisation_is_wronged_as_one():
    """Twenty seats of one company beside one campaign are one mistake, not twenty."""
    seats, others = " ".join(f"s{n}" for n in range(20)), " ".join(f"o{n}" for n in range(20))
    caught = " ".join(f"t{n}" for n in range(20))
    truth = labels(*campaign("tallow", caught), *benign("enterprise_seats", f"{seats} {others}"))
    said = flags((MON, "C-1", f"{seats} {caught}"))
    activity = sent(((MON,), f"{seats} {others} {caught}", 1))
    of_one = pl.DataFrame({"account_id": seats.split(), "org_id": ["acme"] * 20})
    strangers = judge(truth, said, activity).total
    company = judge(truth, said, activity, accounts=of_one).total
    assert company["precision"].item() == strangers["precision"].item() == 0.5
    widths = [
        total["precision_high"].item() - total["precision_low"].item() for total in (company, strangers)
    ]
    assert widths[0] > 2 * widths[1]


def test_each_kind_generator_country_language_and_script_has_a_line():
    truth = labels(
        *benign("classroom", "c1 c2", generator="pasted", language="de"),
        *benign("classroom", "c3", generator="paraphrased", language="de"),
        *benign("person", "p1 p2", generator=None, language="ja"),
        *campaign("tallow", "t1 t2", generator=None, language="de"),
    )
    everybody = "c1 c2 c3 p1 p2 t1 t2"
    known = pl.DataFrame(
        {
            "account_id": everybody.split(),
            "country": ["DE", "DE", "AT", "JP", None, "DE", "DE"],
            "script": ["latin", "latin", "latin", "kana", "kana", "latin", "latin"],
        }
    )
    said = flags((MON, "C-1", "t1 t2 c1"), (TUE, "C-1", "c1 c3", "verify"))
    scored = judge(truth, said, sent(((MON, TUE), everybody, 1)), accounts=known)

    def lines(frame: pl.DataFrame, *names: str) -> list[tuple[object, ...]]:
        return frame.select(*names, "n_accounts", "at_watch", "above_watch").rows()

    assert lines(scored.benign_kinds, "kind") == [("classroom", 3, 0, 2), ("person", 2, 0, 0)]
    assert lines(scored.benign_generators, "kind", "generator") == [
        ("classroom", "paraphrased", 1, 0, 1),
        ("classroom", "pasted", 2, 0, 1),
    ]
    assert lines(scored.benign_countries, "country") == [("AT", 1, 0, 1), ("DE", 2, 0, 1), ("JP", 1, 0, 0)]
    assert lines(scored.benign_languages, "language") == [("de", 3, 0, 2), ("ja", 2, 0, 0)]
    assert lines(scored.benign_scripts, "script") == [("kana", 2, 0, 0), ("latin", 3, 0, 2)]
    table = scored.table()
    assert "no false flag in 1 other country: 1 account" in table
    assert "classroom, pasted" in table
    assert any("person" in row[0] for part in scored.tables(full=True) for row in part.rows)
    assert "JP" not in table  # summed up on a terminal, a line of its own on the page
    assert "JP" in {row[0] for part in scored.tables(full=True) for row in part.rows}


def test_false_flags_per_night_count_each_night_on_which_an_account_is_flagged():
    truth = labels(*benign("person", "p1 p2 p3 p4"))
    said = flags((MON, None, "p1"), (TUE, None, "p1"), (TUE, "C-1", "p1 p2"))
    total = judge(truth, said, sent(((MON, TUE), "p1 p2 p3 p4", 1))).total.row(0, named=True)
    assert total["n_benign_account_nights"] == 8
    assert total["per_million_account_nights"] == pytest.approx(3 / 8 * 1e6)
    assert total["per_million_flagged"] == 500_000


def test_an_action_once_recommended_stays_recommended():
    truth = labels(*benign("person", "p1"), *campaign("tallow", "t1 t2"))
    said = flags((MON, "C-1", "t1 t2 p1", "suspend"), (TUE, "C-1", "t1 t2 p1", "watch"))
    scored = judge(truth, said, sent(((MON, TUE), "p1 t1 t2", 1)))
    assert scored.benign_kinds["above_watch"].item() == 1
    assert scored.total["recall_above_watch"].item() == 1
    assert scored.findings["action"].to_list() == ["suspend"]


def test_precision_at_a_real_base_rate():
    """Half of the guilty and one in a hundred of the innocent flagged: among a thousand, 0.5 and 9.99."""
    innocent = " ".join(f"p{n}" for n in range(100))
    truth = labels(*campaign("tallow", "t1 t2 t3 t4"), *benign("person", innocent))
    total = judge(truth, flags((MON, "C-1", "t1 t2 p0")), sent(((MON,), f"t1 t2 t3 t4 {innocent}", 1))).total
    assert total["precision"].item() == 2 / 3
    assert total["precision_one_in_thousand"].item() == pytest.approx(0.5 / (0.5 + 9.99))
    most = exact(1, 100).high
    assert total["precision_one_in_thousand_low"].item() == pytest.approx(0.5 / (0.5 + 999 * most))
    assert total["precision_one_in_thousand_above_watch"].item() is None  # nobody was flagged above watch


def test_rows_that_come_twice_count_once():
    truth = labels(*campaign("tallow", "t1 t2"), *benign("person", "p1"))
    said, activity = flags((MON, "C-1", "t1 t2 p1")), sent(((MON,), "t1 t2 p1", 4))
    once = judge(truth, said, activity)
    half = activity.with_columns(n_requests=2)
    assert judge(truth, pl.concat([said, said]), pl.concat([half, half])).jsonl() == once.jsonl()
