"""Many worlds pooled: recall, false flags, and whether the stated false-discovery rate is kept."""

import json
from datetime import date

import polars as pl
import pytest
from drawn_world import MON, TUE, benign, campaign, flags, labels, sent
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import UsageError
from pipelines.evaluation import Evaluation, Pooled, judge, over_seeds, read_evaluations
from pipelines.evaluation.intervals import exact, wilson

EVERYBODY = "t1 t2 u1 u2 p1 p2 p3 p4"


def world(*found: str, more: pl.DataFrame | None = None) -> Evaluation:
    """Two campaigns and four people; each text of `found` names the accounts of one finding of Monday."""
    truth = labels(
        *campaign("tallow", "t1 t2", regime="burst", evasions=""),
        *campaign("umber", "u1 u2", regime="middle", evasions="rotation"),
        *benign("person", "p1 p2 p3 p4", regime=None, evasions=None),
    )
    said = flags(*((MON, f"C-{n}", accounts) for n, accounts in enumerate(found)))
    said = said.with_columns(score=pl.lit(0.92), p_value=pl.lit(0.001), confidence=pl.lit("high"))
    if more is not None:
        said = pl.concat([said, more], how="diagonal")
    return judge(truth, said, sent(((MON, TUE), EVERYBODY, 10)), stated_rate=0.05)


def pooled(*worlds: Evaluation) -> Pooled:
    return over_seeds(scored.rows() for scored in worlds)


def test_campaigns_of_all_worlds_are_counted_together():
    recall = pooled(world("t1 t2"), world("t1 t2", "u1 u2"), world()).recall
    found = {(by, value): (n, k) for by, value, n, k in recall.select(recall.columns[:4]).iter_rows()}
    assert found[("all", "all")] == (6, 3)
    assert found[("regime", "burst")] == (3, 2)
    assert found[("evasion", "rotation")] == (3, 1)
    [overall] = recall.filter(by="all").iter_rows(named=True)
    assert (overall["low"], overall["high"]) == pytest.approx(wilson(3, 6))


def test_false_flags_are_added_up_before_they_are_divided():
    kinds = pooled(world("t1 t2 p1"), world("p1 p2"), world()).benign_kinds.row(0, named=True)
    assert (kinds["n_accounts"], kinds["at_watch"]) == (12, 3)
    assert kinds["per_million_flagged"] == 250_000
    assert kinds["per_million_flagged_high"] == pytest.approx(exact(3, 12).high * 1e6)


def test_the_realised_rate_is_a_mean_over_worlds_that_found_nothing_too():
    half_wrong, right, silent = world("t1 t2", "p1 p2"), world("t1 t2", "u1 u2"), world()
    every = pooled(half_wrong, right, silent).discoveries.row(0, named=True)
    assert (every["n_findings"], every["n_false"], every["share_false"]) == (4, 1, 0.25)
    assert every["fdr"] == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert every["fdr_low"] <= every["fdr"] <= every["fdr_high"]
    assert every["fdr_per_night"] == pytest.approx(1 / 2 / 6)  # three worlds of two nights
    assert every["stated_rate"] == 0.05


def test_findings_are_told_apart_by_company_action_and_confidence():
    lone = flags((TUE, None, "p3", "limit")).with_columns(score=pl.lit(0.4), confidence=pl.lit("low"))
    rows = pooled(world("t1 t2", more=lone)).discoveries
    shares = {
        (by, value): share for by, value, share in rows.select("by", "value", "share_false").iter_rows()
    }
    assert shares == {
        ("all", "all"): 0.5,
        ("company", "campaigns"): 0,
        ("company", "lone"): 1,
        ("action", "watch"): 0,
        ("action", "above watch"): 1,
        ("confidence", "high"): 0,
        ("confidence", "low"): 1,
    }


def test_a_finding_of_strangers_is_neither_true_nor_false():
    stranger = flags((MON, "C-9", "nobody knows us"))
    scored = world("t1 t2", more=stranger)
    assert scored.findings["is_true"].to_list() == [True, None]
    assert pooled(scored).discoveries["n_findings"][0] == 1


def test_calibration_is_in_tenths_of_the_score():
    lone = flags((TUE, None, "p3")).with_columns(score=pl.lit(1.0))
    scored = world("t1 t2", "u1 u2 p1 p2", more=lone)
    [tenth] = pooled(scored).calibration.iter_rows(named=True)
    assert (tenth["score_from"], tenth["score_to"], tenth["n_findings"]) == (0.9, 1.0, 3)
    assert tenth["share_true"] == pytest.approx(2 / 3)
    assert tenth["mean_score"] == pytest.approx((0.92 + 0.92 + 1) / 3)


def test_coverage_is_told_from_the_bottom():
    coverage = pooled(world("t1 t2", "u1 u2 p1"), world("t1 t2")).coverage
    [purity] = coverage.filter(what="purity").iter_rows(named=True)
    assert (purity["n_campaigns"], purity["worst"], purity["median"]) == (3, pytest.approx(2 / 3), 1.0)


def test_from_world_to_world_the_least_and_the_most_are_kept():
    figures = pooled(world("t1 t2"), world()).figures
    [recall] = figures.filter(figure="campaign_recall").iter_rows(named=True)
    assert (recall["least"], recall["mean"], recall["most"]) == (0, 0.25, 0.5)
    [precision] = figures.filter(figure="precision").iter_rows(named=True)
    assert precision["n_worlds"] == 1  # where nothing is flagged there is no precision


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.lists(st.sampled_from(["t1 t2", "u1 u2", "p1 p2", "t1 p1 p2 p3"]), unique=True),
        min_size=1,
        max_size=4,
    )
)
def test_files_and_memory_pool_to_the_same(tmp_path_factory, found):
    worlds = [world(*each) for each in found]
    paths = []
    for number, scored in enumerate(worlds):
        paths.append(tmp_path_factory.mktemp("pool") / f"{number}.jsonl")
        paths[-1].write_text("\n".join(scored.jsonl()) + "\n")
    assert over_seeds(read_evaluations(paths)).jsonl() == pooled(*worlds).jsonl()


def test_rows_hold_what_json_can_hold():
    rows = [json.loads(line) for line in pooled(world("t1 t2"), world()).jsonl()]
    assert {row["row"] for row in rows} >= {"recall", "coverage", "discovery", "figure", "total", "campaign"}
    assert [row["world"] for row in rows if row["row"] == "campaign"] == [1, 1, 2, 2]


def test_a_world_without_its_total_is_refused():
    rows = [row for row in world("t1 t2").rows() if row["row"] != "total"]
    with pytest.raises(ValueError, match="exactly one row named total"):
        over_seeds([rows])
    with pytest.raises(ValueError, match="exactly one row named total"):
        over_seeds([])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not the evaluation of one world"),
        ('{"row":"total"}\nnot json\n', "line 2: not a row of an evaluation"),
        ('{"row":"total"}\n[]\n', "line 2: not a row of an evaluation"),
        ('{"row":7}\n', "line 1: not a row of an evaluation"),
        ('{"row":"total"}\n{"row":"total"}\n', "not the evaluation of one world"),
    ],
)
def test_files_that_are_no_evaluation_are_refused_by_line(tmp_path, text, complaint):
    path = tmp_path / "seed.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=complaint):
        read_evaluations([path])


def test_a_pool_is_not_pooled_again(tmp_path):
    path = tmp_path / "pool.jsonl"
    path.write_text("\n".join(pooled(world("t1 t2")).jsonl()))
    with pytest.raises(UsageError, match="not the evaluation of one world"):
        read_evaluations([path])
    with pytest.raises(UsageError, match="no such evaluation"):
        read_evaluations([tmp_path / "missing.jsonl"])


def test_a_finding_states_what_its_first_night_stated():
    truth = labels(*campaign("tallow", "t1 t2 t3"))
    said = flags((MON, "C-1", "t1 t2"), (TUE, "C-1", "t3")).with_columns(
        p_value=pl.Series([0.04, 0.03, 0.5]), score=pl.Series([0.6, 0.7, 0.1])
    )
    activity = sent(((MON, TUE), "t1 t2 t3", 1))
    of_accounts = judge(truth, said, activity).findings.row(0, named=True)
    assert (of_accounts["first_day"], of_accounts["last_day"]) == (MON, TUE)
    assert (of_accounts["p_value"], of_accounts["score"]) == (0.03, 0.7)
    stated = pl.DataFrame(
        {
            "day": [MON, TUE],
            "campaign_id": ["C-1", "C-1"],
            "p_value": [0.002, 0.9],
            "score": [0.8, 0.2],
            "confidence": ["medium", "low"],
        }
    )
    whole = judge(truth, said, activity, stated=stated).findings.row(0, named=True)
    assert (whole["p_value"], whole["score"], whole["confidence"]) == (0.002, 0.8, "medium")
    assert isinstance(whole["first_day"], date)


def test_precision_at_a_real_base_rate_is_of_all_worlds_together():
    total = pooled(world("t1 t2 p1"), world("u1 u2"), world()).total.row(0, named=True)
    caught, wronged = 4 / 12, 1 / 12  # of twelve guilty and of twelve innocent accounts
    assert total["precision_one_in_thousand"] == pytest.approx(caught / (caught + 999 * wronged))
    assert total["precision_one_in_thousand_low"] == pytest.approx(
        caught / (caught + 999 * exact(1, 12).high)
    )
