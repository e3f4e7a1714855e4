"""Groups keep their names from night to night while they keep half of their accounts."""

from datetime import date

import numpy as np
import polars as pl

from benchmarks.peers.groups import components, large_groups, named_over_nights

JUNE = [date(2026, 6, day) for day in (1, 2)]


def test_single_linkage_joins_a_chain():
    label = components(np.array([0, 1, 4]), np.array([1, 2, 5]), 7)
    assert label[0] == label[1] == label[2] != label[3]
    assert large_groups(label, 3).tolist() == [True, True, True, False, False, False, False]


def _members(*groups: tuple[date, int, str]) -> pl.DataFrame:
    rows = [
        {"day": day, "account_id": account, "group": group}
        for day, group, names in groups
        for account in names
    ]
    return pl.DataFrame(rows)


def test_a_group_takes_over_the_name_of_the_one_it_came_from():
    named = named_over_nights(
        _members((JUNE[0], 0, "abcd"), (JUNE[0], 1, "wxyz"), (JUNE[1], 0, "wxyq"), (JUNE[1], 1, "abmn")), "g"
    )
    names = dict(named.filter(pl.col("day") == JUNE[1]).select("account_id", "campaign_id").iter_rows())
    before = dict(named.filter(pl.col("day") == JUNE[0]).select("account_id", "campaign_id").iter_rows())
    assert names["w"] == before["w"]
    assert names["a"] == before["a"] != before["w"]


def test_a_group_that_shares_too_few_accounts_is_a_new_one():
    named = named_over_nights(_members((JUNE[0], 0, "abcd"), (JUNE[1], 0, "dmno")), "g")
    assert named["campaign_id"].n_unique() == 2


def test_a_name_is_handed_on_once_a_night():
    named = named_over_nights(
        _members((JUNE[0], 0, "abcdefg"), (JUNE[1], 0, "abcd"), (JUNE[1], 1, "efg")), "g"
    )
    second = named.filter(pl.col("day") == JUNE[1])
    assert second.group_by("group").agg(pl.col("campaign_id").n_unique())["campaign_id"].to_list() == [1, 1]
    assert second["campaign_id"].n_unique() == 2
    assert second.filter(pl.col("group") == 0)["campaign_id"][0] == named["campaign_id"][0]
