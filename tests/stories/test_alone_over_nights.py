"""Whole nights with nobody but single accounts to find: a lone extractor, a relay, and everybody like them.

The look-alikes are those that large accounts are: evaluation runs, suites, batch jobs, applications, agents,
resellers with a contract and without, customers who make training data by agreement, power users.
"""

from collections import Counter

import polars as pl
import pytest
from conftest import keyed
from village import asked, scan

from pipelines import findings
from pipelines.settings import LoneSettings, Settings
from pipelines.simulate import simulate
from pipelines.workspace import Workspace

SCENARIO = """
nights = 4
release_night = 4

[benign]
person_chat = 60
power_user = 60
single_purpose_app = 90
batch_job = 24
evaluation_harness = 8
regression_suite = 4
agent_orchestration = 8
synthetic_data_customer = 4
safety_research = 3
gateway = 8
shadow_api_user = 20
enterprise_seats = 20

[[campaign]]
name = "hermit"
kind = "lone_extractor"
accounts = 1
requests_per_day = 3000
begins = 2

[[campaign]]
name = "siphon"
kind = "relay"
accounts = 2
requests_per_day = 450
begins = 2
"""

LEAST_REQUESTS = 60

SETTINGS = Settings(lone=LoneSettings(least_requests=LEAST_REQUESTS, least_reference=40))
"""A small town has few busy accounts to compare with: quieter ones are judged, too."""


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """The scanned workspace, and whose account is whose."""
    root = tmp_path_factory.mktemp("alone")
    (root / "town.toml").write_text(SCENARIO)
    simulate(root / "town", scenario=root / "town.toml", seed=1)
    workspace = keyed(Workspace(root / "w"))
    for night in sorted((root / "town" / "logs").glob("day=*")):
        scan(workspace, night, accounts=root / "town" / "accounts.parquet", settings=SETTINGS)
    labels = pl.read_parquet(root / "town" / "labels.parquet")
    who = {
        account: campaign or kind
        for account, campaign, kind in labels.select("account_id", "campaign", "kind").rows()
    }
    return workspace, who


def flagged(town):
    """(who, first reason's code, action) of every lone flag, latest state of each."""
    workspace, who = town
    rows = findings.accounts(workspace).filter(pl.col("campaign_id").is_null())
    return [
        (who[row["account_id"]], row["reasons"][0]["code"], row["recommended_action"])
        for row in rows.iter_rows(named=True)
    ]


def test_the_extractor_and_the_relays_are_found_and_nobody_else(town):
    found = Counter((name, code) for name, code, _ in flagged(town))
    assert found == {("hermit", "lone_extractor"): 1, ("siphon", "relay"): 2}


def test_relays_are_only_watched_and_say_what_to_ask(town):
    assert {action for name, _, action in flagged(town) if name == "siphon"} == {"watch"}
    workspace, who = town
    rows = findings.accounts(workspace).filter(pl.col("campaign_id").is_null())
    for row in rows.iter_rows(named=True):
        if who[row["account_id"]] == "siphon":
            assert row["reasons"][-1]["code"] == "ask_the_reseller"


def test_every_busy_account_of_every_night_is_kept_for_the_next_ones(town):
    workspace, _ = town
    judged = asked(workspace, "SELECT day, count(*) FROM night.lone_account GROUP BY day ORDER BY day")
    busy = asked(
        workspace,
        """SELECT day, count(*) FROM night.account_day
           WHERE n_prompts >= $least AND n_requests >= $least
             AND (day, account_id) NOT IN
                 (SELECT (day, account_id) FROM night.flagged_account WHERE campaign_id IS NOT NULL)
           GROUP BY day ORDER BY day""",
        least=LEAST_REQUESTS,
    )
    assert judged == busy
    assert len(judged) == 4
