"""Publication: a snapshot appears whole or not at all, and says the same however often it is made."""

import duckdb
import polars as pl
import pytest

from pipelines import findings
from pipelines.publish import TABLES, publish
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace
from tests.story import FIRST, NIGHTS, SECOND, THIRD, go_on, members_of_kiln, told


def test_every_night_and_campaign_of_the_warehouse_is_in_the_snapshot(tmp_path):
    workspace = told(tmp_path)
    assert findings.nights(workspace)["day"].to_list() == [THIRD, SECOND, FIRST]
    assert findings.campaign_nights(workspace, "cmp-kiln")["status"].to_list() == ["growing", "steady", "new"]


def test_a_template_shows_its_share_and_examples_from_different_accounts(tmp_path):
    [family] = findings.families(told(tmp_path, hostile=False), "cmp-kiln").iter_rows(named=True)
    assert family["family_id"] == "fam-solve"
    assert family["share"] == pytest.approx(36 / 40)
    assert family["n_accounts"] == len(members_of_kiln(THIRD, hostile=False))
    assert len(set(family["exemplars"])) == 5


def test_the_harvest_of_the_latest_night_is_counted_and_said_in_plain_words(tmp_path):
    workspace = told(tmp_path, hostile=False)
    harvest = findings.harvest(workspace, "cmp-kiln")
    n = len(members_of_kiln(THIRD, hostile=False))
    assert harvest.row(0, named=True) == {
        "day": THIRD,
        "capability": "math_reasoning",
        "technique": "reasoning_trace",
        "n_requests": 29 * n,
        "output_tokens": 16_000 * n,
        "capability_said": "mathematical reasoning",
        "technique_said": "written-out reasoning",
    }
    assert harvest["n_requests"].sum() == 40 * n
    assert findings.harvest(workspace, "cmp-unknown").is_empty()


def test_the_links_of_the_latest_night_say_what_would_be_left_without_each(tmp_path):
    workspace = told(tmp_path, hostile=False)
    assert findings.links(workspace, "cmp-kiln")["said"].to_list() == [
        "without shared templates: 8.1 of 15.7, not flagged",
        "without shared payment: 13.2 of 15.7, still flagged",
    ]
    assert findings.links(workspace, "cmp-loom")["said"].to_list() == [
        "without shared templates: nothing else ties the accounts together"
    ]
    assert findings.links(workspace, "cmp-unknown").is_empty()


def test_the_history_of_a_campaign_is_told_latest_first(tmp_path):
    history = findings.history(told(tmp_path, hostile=False), "cmp-kiln")
    assert history.select("day", "said").rows() == [
        (THIRD, "grew to 11 accounts"),
        (THIRD, "5 accounts stopped, 5 new took over"),
        (SECOND, "went on with 11 accounts"),
        (FIRST, "first found, with 11 accounts"),
    ]


def test_a_merger_is_told_of_both_and_who_was_taken_in_is_dormant(tmp_path):
    workspace = told(tmp_path, nights=[FIRST, SECOND], hostile=False)
    with duckdb.connect(workspace.warehouse) as con:
        con.execute("DELETE FROM night.campaign WHERE campaign_id = 'cmp-loom' AND day = $1", [SECOND])
        con.execute(
            "INSERT INTO night.campaign_event VALUES ($1, 'cmp-kiln', 'merged', 'cmp-loom', 6, NULL)",
            [SECOND],
        )
        publish(con, workspace)
    taken_in = findings.history(workspace, "cmp-loom").filter(pl.col("event") == "merged")
    assert taken_in["said"].to_list() == ["goes on in cmp-kiln, 6 accounts of it"]
    told_of_kiln = findings.history(workspace, "cmp-kiln")["said"].to_list()
    assert "took in the earlier campaign cmp-loom, 6 accounts of it" in told_of_kiln
    latest, then = (
        dict(findings.campaigns(workspace, night).select("campaign_id", "status").iter_rows())
        for night in (None, FIRST)
    )
    assert latest == {"cmp-kiln": "steady", "cmp-loom": "dormant"}
    assert then == {"cmp-kiln": "new", "cmp-loom": "steady"}


def test_how_calibration_held_is_told_latest_first_and_only_warnings_in_words(tmp_path):
    drift = findings.drift(told(tmp_path, hostile=False))
    assert drift.select("day", "lane", "warned").rows() == [
        (THIRD, "person", True),
        (THIRD, "quiet", False),
        (SECOND, "person", False),
        (SECOND, "quiet", False),
    ]
    assert drift["low_share"].to_list() == pytest.approx([0.18, 1 / 30, 0.05, 1 / 30])
    assert [said is None for said in drift["said"]] == [False, True, True, True]


def test_activity_counts_the_requests_of_every_account_that_ever_belonged(tmp_path):
    workspace = told(tmp_path, hostile=False)
    sent = findings.activity(workspace, "cmp-kiln")
    assert sent["n_requests"].sum() == 40 * sum(len(members_of_kiln(n, hostile=False)) for n in NIGHTS)
    assert sent["hour"].is_sorted()


def test_an_account_shows_its_nights_its_organisation_and_its_models(tmp_path):
    nights = findings.account_activity(told(tmp_path), "solo-9")
    assert nights["day"].to_list() == list(NIGHTS)
    assert nights.row(0, named=True) | {"day": None, "created_at": None} == {
        "day": None,
        "created_at": None,
        "org_id": "org-s",
        "plan": "pay-as-you-go",
        "country": "DE",
        "n_requests": 90,
        "output_tokens": 45_000,
        "active_hours": 16,
        "models": ["sonde-4-mini"],
    }


def test_publishing_twice_says_the_same(tmp_path):
    workspace = told(tmp_path)
    before = _everything(workspace)
    with duckdb.connect(workspace.warehouse) as con:
        con.execute("SET threads = 1")
        publish(con, workspace)
    assert _everything(workspace) == before


def test_a_publication_that_fails_leaves_the_old_snapshot_and_nothing_else(tmp_path):
    workspace = told(tmp_path, nights=[FIRST])
    there = {path.name for path in tmp_path.iterdir()}
    with duckdb.connect(workspace.warehouse) as con:
        con.execute("DROP TABLE raw.reject")
        with pytest.raises(duckdb.CatalogException):
            publish(con, workspace)
    assert {path.name for path in tmp_path.iterdir()} == there
    assert findings.nights(workspace)["day"].to_list() == [FIRST]


def test_what_a_killed_scan_left_behind_does_not_stop_the_next_one(tmp_path):
    workspace = told(tmp_path, nights=[FIRST])
    workspace.published.with_name("published.duckdb.new").write_bytes(b"half a snapshot")
    go_on(workspace, SECOND)
    assert findings.nights(workspace)["day"].to_list() == [SECOND, FIRST]
    assert not list(tmp_path.glob("*.new*"))


def test_a_reader_keeps_the_old_snapshot_while_a_new_one_takes_its_place(tmp_path):
    workspace = told(tmp_path, nights=[FIRST])
    with duckdb.connect(workspace.published, read_only=True) as reader:
        go_on(workspace, SECOND)
        assert reader.execute("SELECT count(*) FROM night").fetchall() == [(1,)]
    assert findings.nights(workspace).height == 2


def test_a_warehouse_without_findings_publishes_empty_tables(tmp_path):
    workspace = Workspace(tmp_path)
    with duckdb.connect(workspace.warehouse) as con:
        con.execute(statement("schema"))
        publish(con, workspace)
    assert findings.campaigns(workspace).columns == list(findings.CAMPAIGN_COLUMNS)
    assert findings.accounts(workspace).is_empty()


def _everything(workspace: Workspace) -> dict[str, list]:
    with duckdb.connect(workspace.published, read_only=True) as con:
        return {table: pl.DataFrame(con.sql(f"FROM {table}").to_arrow_table()).rows() for table in TABLES}
