"""A night without prompts, or without what else a log may lack: the rest speaks, and what is missing is
said."""

import polars as pl
import pytest

from pipelines import findings, nightly
from pipelines.simulate import simulate
from pipelines.workspace import Workspace

SCENARIO = """
nights = 1

[benign]
person_chat = 300
coding_agent = 40
single_purpose_app = 8

[[campaign]]
name = "kiln"
kind = "synchronised"
accounts = 60
requests_per_day = 25
"""
CONTENT = ("prompt", "system_prompt", "response", "tool_names")
NETWORK = ("ip", "country", "asn", "user_agent", "client_fingerprint")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    place = tmp_path_factory.mktemp("world")
    (place / "scenario.toml").write_text(SCENARIO)
    simulate(place / "world", scenario=place / "scenario.toml", split="tune")
    return place / "world"


def scanned(world, place, *, without, accounts=True):
    """The night's findings when the log has nothing of these columns."""
    logs = place / "logs"
    logs.mkdir()
    for path in sorted(world.glob("logs/*/*.parquet")):
        rows = pl.read_parquet(path)
        rows = rows.with_columns(pl.lit(None, rows.schema[name]).alias(name) for name in without)
        rows.write_parquet(logs / path.name)
    workspace = Workspace(place / "watch")
    nightly.scan([str(logs)], workspace, accounts=world / "accounts.parquet" if accounts else None)
    return findings.campaigns(workspace), findings.accounts(workspace)


def test_a_campaign_is_found_without_prompts_and_says_that_they_were_missing(world, tmp_path):
    campaigns, accounts = scanned(world, tmp_path, without=CONTENT)
    labels = pl.read_parquet(world / "labels.parquet")
    guilty = set(labels.filter(pl.col("label") == "campaign")["account_id"])
    flagged = set(accounts["account_id"])
    assert (
        len(flagged & guilty) >= len(guilty) / 3
    )  # whom payments and rhythm tie; with prompts it is everybody
    assert flagged <= guilty
    for said in campaigns["summary"]:
        assert said.endswith("the logs have none: prompts (templates, work queues, purpose).")
    assert set(map(len, campaigns["capabilities"])) == {0}


def test_everything_that_a_night_lacks_is_named_and_nothing_else(world, tmp_path):
    whole, _ = scanned(world, _made(tmp_path / "whole"), without=())
    assert "Could not be looked at" not in "".join(whole["summary"])
    partly, _ = scanned(world, _made(tmp_path / "partly"), without=NETWORK, accounts=False)
    for said in partly["summary"]:
        assert said.endswith(
            "the logs have none: addresses, clients, sign-ups and payments (no accounts file)."
        )
    assert not partly.is_empty()


def _made(place):
    place.mkdir()
    return place
