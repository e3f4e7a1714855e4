"""What is said of each campaign, and of recall by sort, on worlds drawn by hand."""

import polars as pl
import pytest
from drawn_world import MON, NIGHTS, THU, TUE, WED, benign, campaign, flags, labels, one_campaign, sent

from pipelines.evaluation import judge
from pipelines.evaluation.recall import quantile


def test_a_lone_extractor_is_found_when_its_account_is_flagged_alone():
    truth = labels(*campaign("relay", "r1"), *benign("person", "ana bo"))
    scored = judge(truth, flags((TUE, None, "r1")), sent(((MON, TUE), "r1 ana bo", 5)))
    relay = one_campaign(scored, "relay")
    assert (relay["detected"], relay["matched"], relay["campaign_id"]) == (True, "alone", None)
    assert (relay["coverage"], relay["purity"], relay["nights_to_detection"]) == (1.0, 1.0, 2)
    assert (relay["n_exchanges"], relay["exchanges_to_detection"]) == (10, 10)


def test_a_lone_extractor_is_found_in_whatever_company():
    truth = labels(*campaign("relay", "r1"), *benign("person", "ana bo cy"))
    scored = judge(truth, flags((MON, "C-1", "r1 ana bo cy")), sent(((MON,), "r1 ana bo cy", 5)))
    relay = one_campaign(scored, "relay")
    assert (relay["detected"], relay["campaign_id"], relay["purity"]) == (True, "C-1", 0.25)


def test_two_lone_flags_are_no_campaign():
    truth = labels(*campaign("tallow", "t1 t2 t3"))
    scored = judge(truth, flags((MON, None, "t1 t2")), sent(((MON,), "t1 t2 t3", 5)))
    tallow = one_campaign(scored, "tallow")
    assert (tallow["detected"], tallow["n_flagged"], tallow["n_findings"]) == (False, 2, 0)


def test_a_pure_finding_names_a_campaign_that_a_larger_impure_one_swept_up():
    truth = labels(*campaign("tallow", "t1 t2 t3 t4 t5"), *benign("person", "p1 p2 p3 p4"))
    said = flags((MON, "C-1", "t1 t2 t3 p1 p2 p3 p4"), (TUE, "C-2", "t4 t5"))
    tallow = one_campaign(judge(truth, said, sent(((MON, TUE), "t1 t2 t3 t4 t5", 1))), "tallow")
    assert (tallow["campaign_id"], tallow["n_matched"], tallow["found_on"]) == ("C-2", 2, TUE)
    assert (tallow["n_findings"], tallow["n_naming"]) == (2, 1)


def test_exchanges_count_up_to_the_end_of_the_night_of_detection_flagged_or_not():
    truth = labels(*campaign("tallow", "t1 t2 t3 t4"))
    said = flags((WED, "C-1", "t1 t2 t3"))
    activity = sent(((MON, TUE, WED, THU), "t1 t2", 10), ((THU,), "t3", 60), ((MON,), "t4", 60))
    tallow = one_campaign(judge(truth, said, activity), "tallow")
    assert tallow["n_exchanges"] == 200
    assert tallow["exchanges_to_detection"] == 120  # t4 was never flagged and counts
    assert tallow["share_to_detection"] == 0.6
    assert tallow["share_of_exchanges"] == 140 / 200
    assert tallow["nights_to_detection"] == 3
    assert tallow["coverage"] == 3 / 4


def test_the_first_report_is_asked_only_for_those_who_were_there():
    truth = labels(*campaign("tallow", "t1 t2 t3 t4 t5"))
    said = flags((MON, "C-1", "t1 t2"), (WED, "C-1", "t4 t5"))
    activity = sent(((MON, TUE, WED), "t1 t2 t3", 1), ((WED,), "t4 t5", 1))
    tallow = one_campaign(judge(truth, said, activity), "tallow")
    assert tallow["coverage_at_first"] == 2 / 3  # t4 and t5 came later
    assert tallow["coverage_by_third_night"] == 4 / 5
    assert tallow["coverage"] == 4 / 5


def test_who_never_came_counts_nowhere():
    truth = labels(*campaign("tallow", "t1 t2 t3"), *campaign("unborn", "u1 u2"), *benign("person", "ana bo"))
    scored = judge(truth, flags((MON, "C-1", "t1 t2")), sent(((MON,), "t1 t2 ana", 1)))
    assert scored.campaigns["campaign"].to_list() == ["tallow"]
    tallow = one_campaign(scored, "tallow")
    assert (tallow["n_accounts"], tallow["n_silent"], tallow["coverage"]) == (2, 1, 1.0)
    assert scored.total["n_accounts"].item() == 3
    assert scored.benign_kinds["n_accounts"].to_list() == [1]


def test_a_split_campaign_and_a_finding_that_merges_two():
    truth = labels(*campaign("amber", "a1 a2 a3 a4"), *campaign("birch", "b1 b2"))
    said = flags((MON, "C-1", "a1 a2"), (MON, "C-2", "a3 a4 b1 b2"))
    scored = judge(truth, said, sent(((MON,), "a1 a2 a3 a4 b1 b2", 1)))
    assert one_campaign(scored, "amber")["n_naming"] == 2
    total = scored.total.row(0, named=True)
    assert (total["n_split"], total["n_merging_findings"]) == (1, 1)
    assert scored.findings["n_merges"].to_list() == [0, 1]


def test_a_pool_that_carries_two_campaigns_is_merged_by_nobody():
    truth = labels(*campaign("amber", "a1 a2 a3"), *campaign("birch", "a1 a2 a3"))
    scored = judge(truth, flags((MON, "C-1", "a1 a2 a3")), sent(((MON,), "a1 a2 a3", 1)))
    assert scored.campaigns["detected"].to_list() == [True, True]
    assert scored.total["n_merging_findings"].item() == 0
    assert scored.total["n_campaign_accounts"].item() == 3
    assert scored.total["b_cubed_precision"].item() == 1  # one finding is right about each pair
    assert scored.total["b_cubed_recall"].item() == 0.5  # but both campaigns were there to be seen


def test_recall_by_regime_kind_and_evasion():
    truth = labels(
        *campaign("amber", "a1 a2", regime="burst", evasions=""),
        *campaign("birch", "b1 b2", regime="burst", evasions="paraphrase"),
        *campaign("cedar", "c1 c2", regime="middle", evasions="paraphrase+rotation"),
        *campaign("dill", "d1 d2", regime="middle", evasions="rotation"),
        *benign("person", "ana", regime=None, evasions=None),
    )
    everybody = "a1 a2 b1 b2 c1 c2 d1 d2 ana"
    said = flags((MON, "C-1", "a1 a2"), (MON, "C-2", "c1 c2"))
    recall = judge(truth, said, sent(((MON,), everybody, 1))).recall
    found = {(by, value): (n, k) for by, value, n, k in recall.select(recall.columns[:4]).iter_rows()}
    assert found == {
        ("all", "all"): (4, 2),
        ("regime", "burst"): (2, 1),
        ("regime", "middle"): (2, 1),
        ("kind", "synchronised"): (4, 2),
        ("evasion", "none"): (1, 1),
        ("evasion", "paraphrase"): (1, 0),
        ("evasion", "rotation"): (1, 0),
        ("evasion", "several"): (1, 1),
        ("with_evasion", "paraphrase"): (2, 1),
        ("with_evasion", "rotation"): (2, 1),
    }
    [overall] = recall.filter(by="all").iter_rows(named=True)
    assert (overall["low"], overall["high"]) == pytest.approx((0.1500, 0.8500), abs=1e-4)  # Wilson, 2 of 4


def test_labels_that_tell_no_regime_make_no_table_of_regimes():
    scored = judge(labels(*campaign("amber", "a1 a2")), flags(), sent(((MON,), "a1 a2", 1)))
    assert scored.recall["by"].to_list() == ["all", "kind"]
    assert "regime" not in scored.table()


def test_a_campaign_that_was_never_found_has_no_end():
    truth = labels(*campaign("amber", "a1 a2"), *campaign("birch", "b1 b2"), *campaign("cedar", "c1 c2"))
    said = flags((MON, "C-1", "a1 a2"), (TUE, "C-2", "b1 b2"))
    scored = judge(truth, said, sent((NIGHTS[:4], "a1 a2 b1 b2 c1 c2", 5)))
    every, detected = scored.delays.iter_rows(named=True)
    assert (every["nights_median"], every["nights_p90"], every["nights_worst"]) == (2, None, None)
    assert (detected["nights_median"], detected["nights_p90"], detected["nights_worst"]) == (1, 2, 2)
    assert (detected["share_median"], detected["share_worst"]) == (0.25, 0.5)
    assert "median 2, p90 never, worst never" in scored.table()


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.1, 1), (0.5, 2), (0.75, 3), (0.76, None), (1, None)]
)
def test_a_quantile_is_kept_within_by_at_least_its_share(share, expected):
    assert quantile([1, 2, 3], share, 4) == expected


def test_without_activity_what_needs_it_is_unknown():
    truth = labels(*campaign("amber", "a1 a2 a3"), *benign("person", "ana"))
    scored = judge(truth, flags((MON, "C-1", "a1 a2")))
    amber = one_campaign(scored, "amber")
    assert (amber["detected"], amber["coverage"]) == (True, 2 / 3)
    assert amber["n_exchanges"] is None
    assert amber["n_silent"] is None
    assert scored.nights["n_active"].null_count() == len(scored.nights)
    assert scored.delays["share_median"].null_count() == 2


def test_nothing_at_all_is_judged_without_a_division_by_zero():
    nothing = pl.DataFrame(schema={"account_id": pl.String, "label": pl.String, "campaign": pl.String})
    scored = judge(nothing, flags(), sent())
    assert scored.total["campaign_recall"].item() is None
    assert "The labels name no campaign." in scored.table()
