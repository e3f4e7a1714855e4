"""Export: only what a person approved leaves, once, vouched for, and never over an older list."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.cases import CaseStore, Level, Subject, decide
from pipelines.errors import UsageError
from pipelines.export import COLUMNS, export_decisions
from pipelines.export.reasons import SENTENCES
from tests.story import HOSTILE, KILN_FIRST, KILN_LATER, LOOM, NOON, told

KILN = Subject(Level.CAMPAIGN, "cmp-kiln")


@pytest.fixture
def told_so_far(tmp_path):
    workspace = told(tmp_path / "workspace")
    with CaseStore.open(workspace.cases_url) as store:
        yield workspace, store


@pytest.fixture
def approved(told_so_far):
    workspace, store = told_so_far
    decide(workspace, store, KILN, "approve", reason="one list of problems", by="ana", action="suspend")
    return workspace, store


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_nothing_leaves_that_nobody_approved(told_so_far, tmp_path):
    workspace, store = told_so_far
    decide(workspace, store, KILN, "watch", reason="not sure", by="ana")
    decide(workspace, store, Subject(Level.CAMPAIGN, "cmp-loom"), "dismiss", reason="a contest", by="ana")
    summary = export_decisions(workspace, store, "jsonl", tmp_path / "list.jsonl")
    assert summary.n_actions == 0
    assert (tmp_path / "list.jsonl").read_bytes() == b""


def test_an_approved_campaign_leaves_account_by_account_with_its_ground(approved, tmp_path):
    export_decisions(*approved, "jsonl", tmp_path / "list.jsonl", at=NOON)
    left = rows(tmp_path / "list.jsonl")
    assert {tuple(row) for row in left} == {COLUMNS}
    assert {row["subject_id"] for row in left} >= {*KILN_FIRST, *KILN_LATER, HOSTILE["formula"]}
    assert {row["subject_id"] for row in left}.isdisjoint(LOOM)
    one = left[0]
    assert (one["action"], one["approved_by"], one["case_id"]) == ("suspend", "ana", "campaign:cmp-kiln")
    assert one["reason_codes"] == [
        "COORDINATED_ACCOUNTS",
        "TEMPLATED_HARVEST",
        "REASONING_TRACE_HARVEST",
        "OUTPUT_HARVEST",
    ]
    assert all(SENTENCES[code] in one["statement"] for code in one["reason_codes"])
    assert one["expires_at"] > one["effective_at"]


def test_a_valid_contract_holds_an_account_back_and_an_expired_one_does_not(approved, tmp_path):
    workspace, store = approved
    decide(
        workspace,
        store,
        Subject(Level.ACCOUNT, "solo-9"),
        "approve",
        reason="alone",
        by="ana",
        action="limit",
    )
    summary = export_decisions(workspace, store, "jsonl", tmp_path / "now.jsonl", at=NOON)
    left = {row["subject_id"] for row in rows(tmp_path / "now.jsonl")}
    assert "reseller-1" not in left
    assert "solo-9" in left
    assert summary.n_withheld == 1
    new_year = datetime(2026, 1, 1, tzinfo=UTC)  # the day after the contract's last
    again = {"action": "suspend", "members": ["reseller-1"], "at": new_year}
    store.record(KILN, "approve", reason="the contract is over", by="ana", **again)
    export_decisions(workspace, store, "jsonl", tmp_path / "later.jsonl", at=new_year)
    assert "reseller-1" in {row["subject_id"] for row in rows(tmp_path / "later.jsonl")}


def test_an_account_dismissed_on_its_own_never_leaves(approved, tmp_path):
    workspace, store = approved
    decide(workspace, store, Subject(Level.ACCOUNT, "kiln-07"), "dismiss", reason="a customer", by="ben")
    export_decisions(workspace, store, "jsonl", tmp_path / "list.jsonl", at=NOON)
    assert "kiln-07" not in {row["subject_id"] for row in rows(tmp_path / "list.jsonl")}


def test_the_statement_for_the_customer_tells_no_detector_secret(approved, tmp_path):
    export_decisions(*approved, "jsonl", tmp_path / "list.jsonl", at=NOON)
    for row in rows(tmp_path / "list.jsonl"):
        statement = row["statement"]
        assert not any(char.isdigit() for char in statement)
        for secret in (
            "fam-solve",
            "template share",
            "p-value",
            "score",
            "one list of problems",
            row["subject_id"],
        ):
            assert secret not in statement


def test_the_same_approvals_have_the_same_action_ids(approved, tmp_path):
    ids = []
    for n in range(2):
        out = tmp_path / f"list-{n}.jsonl"
        export_decisions(*approved, "jsonl", out, at=NOON + timedelta(hours=n))
        ids.append([(row["action_id"], row["idempotency_key"]) for row in rows(out)])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(ids[0])


def test_csv_and_json_lines_hold_the_same_and_csv_holds_no_formula(approved, tmp_path):
    export_decisions(*approved, "jsonl", tmp_path / "list.jsonl", at=NOON)
    export_decisions(*approved, "csv", tmp_path / "list.csv", at=NOON)
    text = (tmp_path / "list.csv").read_text("utf-8")
    as_csv = list(csv.DictReader(io.StringIO(text)))
    assert [row["action_id"] for row in as_csv] == [row["action_id"] for row in rows(tmp_path / "list.jsonl")]
    assert "'" + HOSTILE["formula"] in {row["subject_id"] for row in as_csv}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in as_csv for cell in row.values())


def test_the_manifest_vouches_for_the_file(approved, tmp_path):
    out = tmp_path / "list.csv"
    summary = export_decisions(*approved, "csv", out, at=NOON)
    manifest = json.loads(summary.manifest.read_text("utf-8"))
    assert manifest["sha256"] == summary.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    assert manifest["rows"] == summary.n_actions == manifest["rows_by_action"]["suspend"]
    assert manifest["withheld"] == {"approved use is valid": 1}
    assert manifest["nights"] == ["2025-06-01", "2025-06-02", "2025-06-03"]


@pytest.mark.parametrize("taken", ["list.csv", "list.csv.manifest.json"])
def test_an_older_list_is_never_overwritten(approved, tmp_path, taken):
    (tmp_path / taken).write_text("acted upon")
    with pytest.raises(UsageError, match="never overwritten"):
        export_decisions(*approved, "csv", tmp_path / "list.csv")
    assert [path.name for path in tmp_path.glob("*list*")] == [taken]
    assert (tmp_path / taken).read_text() == "acted upon"


def test_unknown_formats_and_missing_folders_are_usage_errors(approved, tmp_path):
    with pytest.raises(UsageError, match="no such export format"):
        export_decisions(*approved, "xlsx", tmp_path / "list.xlsx")
    with pytest.raises(UsageError, match="no such folder"):
        export_decisions(*approved, "csv", tmp_path / "missing" / "list.csv")
