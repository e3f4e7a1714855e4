"""A night of refusals: an outage for everybody, classes that ask too fast, and an operator with many keys."""

from pathlib import Path

import duckdb
import polars as pl
import pytest
from village import scan

from pipelines import findings
from pipelines.simulate import simulate
from pipelines.workspace import Workspace

TOWN = """
nights = 2

[benign]
person_chat = 500
enterprise_seats = 30
"classroom/homework_hour" = 90
coding_agent = 40
single_purpose_app = 10

[[campaign]]
name = "tallow"
kind = "synchronised"
accounts = 40
requests_per_day = 30

[[outage]]
night = 2
hour = 13
hours = 3
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Workspace]:
    root = tmp_path_factory.mktemp("town")
    (root / "town.toml").write_text(TOWN)
    simulate(root / "world", scenario=root / "town.toml", seed=3)
    workspace = Workspace(root / "w")
    workspace.create().key_file.write_text("the key of a story\n")
    for night in sorted((root / "world" / "logs").iterdir()):
        scan(workspace, night, accounts=root / "world" / "accounts.parquet")
    return root / "world", workspace


def passed_on(workspace: Workspace, world: Path) -> pl.DataFrame:
    """Who took over from whom: kinds of both, for each two accounts and night."""
    kinds = pl.read_parquet(world / "labels.parquet").select("account_id", "kind")
    with duckdb.connect(str(workspace.warehouse), read_only=True) as con:
        rows = con.execute(
            "SELECT day::VARCHAR, account_id, heir_id FROM night.fail_over WHERE heir_id IS NOT NULL"
        ).fetchall()
    pairs = pl.DataFrame(rows, schema=["day", "account_id", "heir_id"], orient="row")
    heirs = kinds.rename({"account_id": "heir_id", "kind": "heir_kind"})
    return pairs.join(kinds, on="account_id").join(heirs, on="heir_id")


def test_only_the_operator_and_neighbours_in_class_pass_on_what_they_are_refused(town) -> None:
    world, workspace = town
    pairs = passed_on(workspace, world)
    ours = pairs.filter(kind="synchronised", heir_kind="synchronised")
    assert ours["day"].n_unique() == 2
    assert len(ours) >= 8
    others = pairs.filter((pl.col("kind") != "synchronised") | (pl.col("heir_kind") != "synchronised"))
    assert set(others["kind"]) <= {"classroom"}
    assert set(others["heir_kind"]) <= {"classroom"}


def test_an_outage_ties_nobody(town) -> None:
    """A thousand requests fail within three hours and come again, each from the account it came from."""
    world, workspace = town
    pairs = passed_on(workspace, world)
    on_the_night = pairs.filter(pl.col("day") == pairs["day"].max(), pl.col("kind") != "synchronised")
    with duckdb.connect(str(workspace.warehouse), read_only=True) as con:
        [(n_refused,)] = con.execute(
            "SELECT sum(n_requests) FROM night.fail_over WHERE day = (SELECT max(day) FROM night.fail_over)"
        ).fetchall()
    assert n_refused > 100
    assert len(on_the_night) <= 0.02 * n_refused


def test_the_campaign_shows_it_among_its_reasons_and_nobody_else_is_flagged(town) -> None:
    world, workspace = town
    labels = pl.read_parquet(world / "labels.parquet").select("account_id", "campaign")
    flagged = findings.accounts(workspace).join(labels, on="account_id")
    assert (flagged["campaign"] == "tallow").all()
    assert flagged["account_id"].n_unique() >= 30
    largest = findings.campaigns(workspace).sort("n_accounts").row(-1, named=True)
    [link] = [link for link in largest["links"] if link["kind"] == "fail_over"]
    assert link["strength"] > 0.5
    assert "another one sent next" in link["detail"]
