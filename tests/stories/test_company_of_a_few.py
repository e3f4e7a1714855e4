"""Four accounts that send three hundred requests a night each, and people who once paste their template."""

import polars as pl
import pytest
from village import NIGHTS, SECOND, THIRD, Village, flagged_in, make_village, scan

from pipelines.workspace import Workspace

NEEDLE = """
[[campaign]]
name = "needle"
kind = "high_and_narrow"
accounts = 4
requests_per_day = 300
bystanders = 20
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Village:
    return make_village(tmp_path_factory.mktemp("company") / "town", NEEDLE)


def test_who_pastes_a_few_accounts_template_is_not_published_with_them(
    town: Village, workspace: Workspace
) -> None:
    """Every sign of a scheduler is measured on requests, and so on the four."""
    labels = pl.read_parquet(town.root / "labels.parquet")
    needle = set(labels.filter(pl.col("campaign") == "needle")["account_id"])
    for night in NIGHTS:
        scan(workspace, town.logs(night), accounts=town.accounts)
    found = [members for night in NIGHTS for members in flagged_in(workspace, night).values()]
    assert max(map(len, found)) >= 4
    assert set().union(*found) <= needle
    pasted = labels.filter(pl.col("kind") == "bystander_template")["account_id"].to_list()
    used = pl.concat(town.requests(night) for night in (SECOND, THIRD))
    assert used["account_id"].is_in(pasted).any()  # they were there
