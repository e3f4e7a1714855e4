"""Findings: the contract's columns, in its order, the same bytes each time, harmless in a spreadsheet."""

import csv
import io
import json
from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import findings
from pipelines.errors import UsageError
from pipelines.rows import FORMULA_STARTS, csv_lines, json_lines
from pipelines.workspace import Workspace
from tests.story import FIRST, HOSTILE, KILN_FIRST, KILN_LATER, SECOND, THIRD, told


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return told(tmp_path_factory.mktemp("told"))


def test_campaigns_come_most_suspicious_first_each_at_its_latest_state(workspace):
    found = findings.campaigns(workspace)
    assert tuple(found.columns) == findings.CAMPAIGN_COLUMNS
    assert found.select("campaign_id", "status", "day").rows() == [
        ("cmp-kiln", "growing", THIRD),
        ("cmp-loom", "steady", THIRD),
    ]


def test_one_night_is_told_as_it_was_then(workspace):
    assert findings.campaigns(workspace, FIRST)["status"].to_list() == ["new", "steady"]
    assert set(findings.accounts(workspace, THIRD)["account_id"]).isdisjoint(KILN_FIRST[:5])


def test_replaced_accounts_stay_in_the_findings_at_the_night_they_were_last_flagged(workspace):
    found = findings.accounts(workspace)
    assert tuple(found.columns) == findings.ACCOUNT_COLUMNS
    last = dict(found.select("account_id", "day").iter_rows())
    assert {last[account_id] for account_id in KILN_FIRST[:5]} == {SECOND}
    assert {last[account_id] for account_id in KILN_LATER} == {THIRD}


def test_a_night_that_was_never_scanned_is_an_error_with_a_remedy(workspace):
    with pytest.raises(UsageError, match="2025-07-01") as caught:
        findings.campaigns(workspace, date(2025, 7, 1))
    assert caught.value.remedy == "scanned nights run from 2025-06-01 to 2025-06-03"


def test_a_workspace_without_findings_says_what_to_do(tmp_path):
    with pytest.raises(UsageError) as caught:
        findings.campaigns(Workspace(tmp_path))
    assert "stillwatch scan" in caught.value.remedy


def test_a_snapshot_that_is_no_database_is_a_clear_error(tmp_path):
    Workspace(tmp_path).published.write_bytes(b"x" * 5000)
    with pytest.raises(UsageError, match="cannot be read"):
        findings.campaigns(Workspace(tmp_path))


def test_json_lines_keep_the_contract_order_and_utc_times(workspace, tmp_path):
    out = tmp_path / "campaigns.jsonl"
    findings.write_findings(findings.campaigns(workspace), "jsonl", out)
    first = json.loads(out.read_text("utf-8").splitlines()[0])
    assert tuple(first) == findings.CAMPAIGN_COLUMNS
    assert first["last_seen"] == "2025-06-03T09:30:00.000000Z"
    assert first["day"] == "2025-06-03"


def test_the_same_findings_are_the_same_bytes(tmp_path):
    written = []
    for name in ("one", "two"):
        out = tmp_path / f"{name}.jsonl"
        findings.write_findings(findings.accounts(told(tmp_path / name)), "jsonl", out)
        written.append(out.read_bytes())
    assert written[0] == written[1]


def test_csv_holds_nested_columns_as_json_and_no_formula(workspace, tmp_path):
    out = tmp_path / "accounts.csv"
    findings.write_findings(findings.accounts(workspace), "csv", out)
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert json.loads(rows[0]["reasons"])[0]["code"] == "VOLUME"
    assert "'" + HOSTILE["formula"] in {row["account_id"] for row in rows}


def test_parquet_comes_back_as_it_was(workspace, tmp_path):
    out = tmp_path / "accounts.parquet"
    findings.write_findings(findings.accounts(workspace), "parquet", out)
    assert pl.read_parquet(out).equals(findings.accounts(workspace))
    with pytest.raises(UsageError, match="standard output"):
        findings.write_findings(findings.accounts(workspace), "parquet", None)


def test_a_table_never_lets_a_control_character_through(workspace, capsys):
    findings.write_findings(findings.accounts(workspace), "table", None)
    frame = pl.DataFrame({"account_id": ["a\x1b[2Jb"], "score": [0.5]})
    findings.write_findings(frame, "table", None)
    shown = capsys.readouterr().out
    assert "kiln-00" in shown
    assert "\x1b[2J" not in shown


@given(st.text())
def test_no_cell_ever_begins_as_a_formula(text):
    lines = "".join(csv_lines(["id"], [{"id": text.encode("utf-8", "replace").decode()}]))
    # The apostrophe itself is what spreadsheets read as "this is text".
    cell = lines.removeprefix("id\n").lstrip('"')
    assert not cell.lstrip("\t\r\n\x00\ufeff ").startswith(FORMULA_STARTS)


@given(st.dictionaries(st.text(), st.floats() | st.text() | st.none() | st.datetimes() | st.booleans()))
def test_every_row_is_one_line_of_real_json(row):
    [line] = json_lines([row])
    assert line.endswith("\n")
    assert "\n" not in line[:-1]
    assert "NaN" not in line or any("NaN" in str(part) for pair in row.items() for part in pair)
    json.loads(line, parse_constant=pytest.fail)


def test_negative_numbers_are_numbers_and_stay_bare():
    assert "".join(csv_lines(["x", "y"], [{"x": -1.5, "y": datetime(2025, 6, 1)}])) == (  # noqa: DTZ001
        "x,y\n-1.5,2025-06-01T00:00:00.000000Z\n"
    )
