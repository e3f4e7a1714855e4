"""A scanned village before the judge: what is really in the warehouse, locks, and the command itself."""

import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from running import stillwatch
from village import FIRST, NIGHTS, SECOND, Village, scan

from pipelines import evaluation, findings
from pipelines.errors import UsageError, WorkspaceBusy
from pipelines.workspace import Workspace


@pytest.fixture(scope="module")
def labels(village: Village) -> Path:
    return village.root / "labels.parquet"


@pytest.fixture(scope="module")
def scored(scanned_once: Workspace, labels: Path) -> evaluation.Evaluation:
    return evaluation.evaluate(scanned_once, labels)


def test_exchanges_are_those_of_the_logs(village, scored):
    requests = pl.concat(village.requests(night) for night in NIGHTS)
    is_ours = pl.col("account_id").is_in(list(village.kiln))
    ours = requests.filter(
        is_ours & (pl.col("attempt").fill_null(1) <= 1)
    )  # a retry is no exchange of its own
    kiln = scored.campaigns.row(0, named=True)
    assert kiln["n_exchanges"] == ours.height
    until = ours.filter(pl.col("ts").dt.date() <= kiln["found_on"])
    assert kiln["exchanges_to_detection"] == until.height
    assert kiln["n_accounts"] == ours["account_id"].n_unique()


def test_everybody_who_came_is_judged_with_country_and_script(village, scored):
    came = pl.concat(village.requests(night) for night in NIGHTS)["account_id"].unique()
    assert scored.total["n_accounts"].item() == len(came)
    known = pl.read_parquet(village.accounts).filter(pl.col("account_id").is_in(came.implode()))
    innocent = known.filter(~pl.col("account_id").is_in(list(village.kiln)))
    countries = dict(innocent.group_by("country").len().iter_rows())
    told = dict(scored.benign_countries.select("country", "n_accounts").iter_rows())
    assert told == {name: n for name, n in countries.items() if name is not None}
    assert "latin" in {name.lower() for name in scored.benign_scripts["script"]}


def test_findings_state_the_campaigns_own_p_value(scanned_once, scored):
    [row] = scored.findings.filter(pl.col("campaign_id").is_not_null()).iter_rows(named=True)
    [first] = findings.campaigns(scanned_once, row["first_day"]).iter_rows(named=True)
    assert (row["p_value"], row["score"]) == (first["p_value"], first["score"])
    assert row["is_true"] is True
    assert scored.total["stated_rate"].item() == 0.05


def test_a_scan_agrees_with_its_copy_and_not_with_a_shorter_one(village, scanned, labels, tmp_path):
    shorter = Workspace(tmp_path / "shorter")
    scan(shorter, village.logs(SECOND), accounts=village.accounts)
    same = evaluation.evaluate(scanned, labels, against=scanned).against
    assert same["day"].to_list() == list(NIGHTS)
    assert same["jaccard_memberships"].to_list() == [1.0, 1.0, 1.0]
    fewer = evaluation.evaluate(scanned, labels, against=shorter).against
    assert fewer["day"].to_list() == [SECOND]
    assert fewer["n_flagged_other"].item() <= fewer["n_flagged"].item()


def test_scans_of_different_nights_cannot_be_compared(village, scanned, labels, tmp_path):
    other = Workspace(tmp_path / "other")
    scan(other, village.logs(FIRST), accounts=village.accounts)
    with pytest.raises(UsageError, match="shares no night"):
        evaluation.evaluate(other, labels, against=_without(scanned, FIRST))


def _without(workspace: Workspace, night: object) -> Workspace:
    """The same snapshot with one night forgotten."""
    with duckdb.connect(workspace.published) as con:
        con.execute("DELETE FROM night WHERE day = $1", [night])
    return workspace


def test_a_snapshot_without_its_warehouse_is_judged_without_exchanges(scanned, labels):
    scanned.warehouse.unlink()
    scored = evaluation.evaluate(scanned, labels)
    assert scored.campaigns["detected"].to_list() == [True]
    assert scored.campaigns["n_exchanges"].to_list() == [None]
    assert scored.benign_countries.is_empty()


def test_judging_waits_for_no_scan(scanned, labels):
    with scanned.lock(), pytest.raises(WorkspaceBusy):
        evaluation.evaluate(scanned, labels)


def test_two_may_judge_at_once_and_leave_no_lock(scanned, labels):
    with scanned.reading():
        assert evaluation.evaluate(scanned, labels).total["n_detected"].item() == 1
        with pytest.raises(WorkspaceBusy), scanned.lock():
            pass
    with scanned.lock():
        pass


def test_a_warehouse_of_another_version_is_named(scanned, labels):
    scanned.warehouse.write_bytes(b"no database")
    with pytest.raises(UsageError, match="this warehouse cannot be read"):
        evaluation.evaluate(scanned, labels)


def test_what_a_killed_scan_left_behind_is_no_obstacle(scanned, labels, tmp_path):
    """Its last writes are in a log beside the warehouse; the published nights are what is judged."""
    before = evaluation.evaluate(scanned, labels).jsonl()
    left = Workspace(tmp_path / "left")
    with duckdb.connect(scanned.warehouse) as con:
        con.execute(
            "INSERT INTO night.account_day BY NAME SELECT * REPLACE (day + 1 AS day) FROM night.account_day"
        )
        shutil.copytree(scanned.root, left.root)  # as the disk is when the power fails here
    assert left.warehouse.with_name("warehouse.duckdb.wal").stat().st_size > 0
    assert evaluation.evaluate(left, labels).total["n_nights"].item() == len(NIGHTS)
    assert evaluation.evaluate(scanned, labels).jsonl() != before  # the doubled rows do count once written
    assert evaluation.evaluate(left, labels).jsonl() == evaluation.evaluate(scanned, labels).jsonl()


def test_labels_of_a_few_accounts_are_enough(scanned, labels, tmp_path):
    """Who has no label is left out of everything but its own count."""
    few = pl.read_parquet(labels).filter(pl.col("label") == "campaign").head(10)
    path = tmp_path / "few.parquet"
    few.write_parquet(path)
    scored = evaluation.evaluate(scanned, path)
    assert scored.total["n_accounts"].item() == 10
    flagged = set(scored.findings["n_accounts"])
    assert scored.total["n_unlabelled"].item() == max(flagged) - 10
    assert scored.campaigns["coverage"].to_list() == [1.0]


def test_judging_changes_nothing(scanned, labels):
    before = _contents(scanned)
    evaluation.evaluate(scanned, labels)
    assert _contents(scanned) == before


def _contents(workspace: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in workspace.root.iterdir() if path.suffix == ".duckdb"}


# -- the command -----------------------------------------------------------------------------------


def test_the_command_writes_tables_rows_and_a_page(scanned, labels, tmp_path):
    table = stillwatch("evaluate", "-w", scanned.root, "--labels", labels)
    assert table.returncode == 0, table.stderr
    assert "kiln" in table.stdout
    assert "1 of 1 campaigns found" in table.stdout
    rows = stillwatch("evaluate", "-w", scanned.root, "--labels", labels, "--format", "jsonl")
    assert [json.loads(line)["row"] for line in rows.stdout.splitlines()][-1] == "total"
    seed, page = tmp_path / "seed-1.jsonl", tmp_path / "page.html"
    for form, out in (("jsonl", seed), ("html", page)):
        done = stillwatch("evaluate", "-w", scanned.root, "--labels", labels, "--format", form, "--out", out)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert seed.read_text() == rows.stdout
    assert page.read_text().startswith("<!doctype html>")
    both = stillwatch("evaluate", seed, seed)
    assert both.returncode == 0, both.stderr
    assert "2 of 2 campaigns found" in both.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["page.html", "seed-1.jsonl"]


def test_the_workspace_may_come_from_the_environment_and_gives_way_to_files(scanned, labels, tmp_path):
    environment = {"STILLWATCH_WORKSPACE": str(scanned.root)}
    rows = stillwatch("evaluate", "--labels", labels, "--format", "jsonl", env=environment)
    assert rows.returncode == 0, rows.stderr
    seed = tmp_path / "seed.jsonl"
    seed.write_text(rows.stdout)
    assert "1 world of 3 nights" in stillwatch("evaluate", seed, env=environment).stdout


def test_the_command_says_what_is_missing(scanned, labels, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(labels, tmp_path / "labels.parquet")
    expected = {
        ("--labels", labels): "--workspace is missing",
        ("-w", scanned.root): "--labels is missing",
        ("-w", tmp_path / "nowhere", "--labels", labels): "no such workspace",
        ("-w", empty, "--labels", labels): "no findings here yet",
        ("-w", scanned.root, "--labels", tmp_path / "no.csv"): "no such labels file",
        ("-w", scanned.root, "--labels", labels, "--format", "html"): "not for standard output",
        ("-w", scanned.root, "--labels", labels, "--against", empty): "no findings here yet",
        (labels, "--labels", labels): "not both",
        (tmp_path / "labels.parquet",): "not a row of an evaluation",
        (tmp_path / "missing.jsonl",): "no such evaluation",
    }
    for arguments, message in expected.items():
        done = stillwatch("evaluate", *arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert message in done.stderr
        assert "remedy: " in done.stderr
        assert done.stdout == ""


def test_a_running_scan_ends_the_command_with_its_own_code(scanned, labels):
    with scanned.lock():
        done = stillwatch("evaluate", "-w", scanned.root, "--labels", labels)
    assert done.returncode == 3
    assert "another scan is running here" in done.stderr


def test_a_folder_that_is_not_there_is_named(scanned, labels, tmp_path):
    out = tmp_path / "nowhere" / "x.jsonl"
    done = stillwatch("evaluate", "-w", scanned.root, "--labels", labels, "--format", "jsonl", "--out", out)
    assert done.returncode == 2
    assert "No such file or directory" in done.stderr
