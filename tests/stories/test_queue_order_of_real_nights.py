"""Real scans beside past decisions: a scan learns the order and says so, and nothing else changes."""

import shutil

import duckdb
import pytest

from pipelines import findings
from pipelines.cases import CaseStore, review_queue
from pipelines.settings import Settings
from pipelines.simulate import simulate
from pipelines.status import read_status
from pipelines.summary import show_scan, show_status
from pipelines.workspace import Workspace
from tests.decided import given_decided_campaigns
from tests.hamlet import HAMLET
from tests.stories.village import FIRST, SECOND, findings_of, scan


@pytest.fixture(scope="module")
def hamlet(tmp_path_factory):
    """A world of three nights, and a workspace with the first one."""
    root = tmp_path_factory.mktemp("hamlet")
    (root / "hamlet.toml").write_text(HAMLET)
    simulate(root / "world", scenario=root / "hamlet.toml", seed=4, first_day=FIRST)
    workspace = Workspace(root / "watch")
    scan(workspace, root / "world" / "logs" / f"day={FIRST}", accounts=root / "world" / "accounts.parquet")
    return root


def second_night(hamlet, workspace):
    return scan(
        workspace, hamlet / "world" / "logs" / f"day={SECOND}", accounts=hamlet / "world" / "accounts.parquet"
    )


def test_past_decisions_order_the_queue_of_the_next_scan_and_leave_its_findings_alone(
    hamlet, tmp_path, capsys
):
    silent, taught = (Workspace(tmp_path / name) for name in ("silent", "taught"))
    for workspace in (silent, taught):
        shutil.copytree(hamlet / "watch", workspace.root)
        with duckdb.connect(workspace.warehouse) as con, CaseStore.open(workspace.cases_url) as store:
            ids = given_decided_campaigns(con, store)
            if workspace is silent:
                for subject in store.latest():
                    store.record(subject, "reopen", reason="none of it counts", by="kim")
        summary = second_night(hamlet, workspace)
        show_scan(summary, workspace)
        show_status(read_status(workspace, Settings()))
        said = " ".join(capsys.readouterr().out.split())
        sentence = {
            silent: "Queue: Campaigns stand in plain order: nobody has decided about one yet.",
            taught: "Queue: Campaigns are ordered by past decisions, 30 approved and 30 dismissed",
        }[workspace]
        assert said.count(sentence) == 2  # in the summary of the night and in the status
    assert findings_of(silent) == findings_of(taught)
    assert findings.learned_cases(silent).is_empty()
    with CaseStore.open(taught.cases_url) as store:
        plain, now = (review_queue(taught, store, learned=learned) for learned in (False, True))
    assert {case.subject.id for case in now} > set(ids[::2])
    assert sorted(now, key=str) == sorted(plain, key=str)
    assert now != plain


def test_a_scan_that_is_run_again_learns_the_same(hamlet, tmp_path):
    workspace = Workspace(tmp_path / "watch")
    shutil.copytree(hamlet / "watch", workspace.root)
    with duckdb.connect(workspace.warehouse) as con, CaseStore.open(workspace.cases_url) as store:
        given_decided_campaigns(con, store)
    taught = []
    for _ in range(2):
        second_night(hamlet, workspace)
        taught.append((findings.learned_cases(workspace), findings.learned_order(workspace)))
    assert taught[0][0].height > 60
    assert taught[0][0].equals(taught[1][0])
    assert taught[0][1].equals(taught[1][1], null_equal=True)
