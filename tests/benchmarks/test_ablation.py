"""A scanned hamlet judged again without a part of the judgement."""

import json
import sys
from pathlib import Path

import pytest
from hamlet import HAMLET
from running import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from quality_ablation import NOTHING, PARTS, ablation_table, measured_without, without
from quality_runs import Run, scanned

from pipelines import findings
from pipelines.evaluation import evaluate


@pytest.fixture
def run(tmp_path: Path) -> Run:
    path = tmp_path / "hamlet.toml"
    path.write_text(HAMLET)
    return Run("hamlet", None, 1, "tune", scenario=path, ablation=True)


def test_judged_again_with_everything_the_nights_say_what_their_scan_said(run: Run, tmp_path: Path) -> None:
    with scanned(run) as (out, workspace, _):
        again = without(workspace, tmp_path / "again", ())
        labels = out / "labels.parquet"
        assert evaluate(again, labels).jsonl() == evaluate(workspace, labels).jsonl()
        assert findings.campaigns(workspace).height > 0
        assert findings.flags(again).equals(findings.flags(workspace))


def test_without_history_no_campaign_keeps_its_id_and_without_content_none_is_about_texts(
    run: Run, tmp_path: Path
) -> None:
    with scanned(run) as (_, workspace, _):
        kept = findings.flags(workspace)["campaign_id"].n_unique()
        nights = findings.nights(workspace).height
        forgetful = without(workspace, tmp_path / "forgetful", ("history",))
        assert kept < nights
        assert findings.flags(forgetful)["campaign_id"].n_unique() == nights
        unread = without(workspace, tmp_path / "unread", ("content", "identity"))
        reasons = findings.accounts(unread).explode("reasons")["reasons"].struct.field("code")
        assert not {"SHARED_TEMPLATE", "SHARED_PAYMENT"} & set(reasons.drop_nulls())


def test_the_table_has_a_line_for_each_part(run: Run) -> None:
    rows = [json.loads(json.dumps(row)) for row in measured_without(run)]
    table = ablation_table([row for row in rows if row["row"] != "run"])
    assert [row[0] for row in table.rows] == [NOTHING, *PARTS]
    assert table.rows[0][1:4] == ("1", "1", "100.0%")
    stated = {row["left_out"]: row["score"] for row in rows if row["row"] == "finding"}
    assert len(set(stated.values())) > 1  # it is not the same judgement five times over
