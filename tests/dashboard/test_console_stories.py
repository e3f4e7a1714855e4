"""The console without a browser: what an analyst sees, decides, and sees afterwards."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import charts, drawing
from pipelines.cases import CaseStore, Label, Level, Said, Subject, Verdict, decide, review_queue
from pipelines.publish import publish
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace
from tests.story import FIRST, HOSTILE, SECOND, THIRD, add, go_on, members_of_kiln, told

APP = Path(drawing.__file__).with_name("app.py")
KILN = Subject(Level.CAMPAIGN, "cmp-kiln")
SOLO = Subject(Level.ACCOUNT, "solo-9")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    made = told(tmp_path / "watch")
    monkeypatch.setenv("STILLWATCH_WORKSPACE", str(made.root))
    return made


def opened(page="", **query):
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.query_params.update(query)
    app.run()
    if page:
        app.switch_page(f"screens/{page}.py").run()
    assert not app.exception
    return app


def words(app):
    """Everything our own HTML says."""
    return " ".join(element.proto.body for element in app.get("html"))


def store(workspace):
    return CaseStore.open(workspace.cases_url)


def record(app, subject, verdict=Verdict.APPROVE, meanwhile=None, **filled):
    app.segmented_control(key=f"verdict:{subject.id}").set_value(verdict).run()
    if meanwhile is not None:
        meanwhile()
    for name, kind in (("reason", app.text_area), ("by", app.text_input), ("action", app.selectbox)):
        if name in filled:
            kind(key=f"{name}:{subject.id}").set_value(filled[name])
    app.button(key=f"record:{subject.id}").click().run()
    assert not app.exception
    return app


def test_the_queue_lists_campaigns_and_lone_accounts_by_suspicion(workspace):
    shown = words(opened())
    places = [shown.index(name) for name in ("cmp-kiln", "solo-9", "cmp-loom")]
    assert places == sorted(places)
    assert "4 of 4" in shown
    assert "reasoning trace" in shown


def test_an_approval_is_recorded_with_its_reason_and_the_accounts_on_the_page(workspace):
    app = record(
        opened("campaign", campaign="cmp-kiln"), KILN, reason="one list of problems", by="ana", action="limit"
    )
    assert "Recorded: approved (limit) by ana" in words(app)
    with store(workspace) as cases:
        [made] = cases.history()
    assert (made.verdict, made.action, made.by) == (Verdict.APPROVE, "limit", "ana")
    assert set(made.members) == set(members_of_kiln(FIRST)) | set(members_of_kiln(THIRD))


def test_a_campaign_says_what_it_takes_and_how_much(workspace):
    shown = words(opened("campaign", campaign="cmp-kiln"))
    assert "mathematical reasoning</td><td>written-out reasoning</td>" in shown
    n_requests = 29 * len(members_of_kiln(THIRD))
    assert f">{n_requests}</td>" in shown
    assert ">72%</td>" in shown
    assert "rarer pairs" not in shown


def test_what_is_rare_is_one_bar_of_a_chart():
    named = [("coding", 0.004), ("general chat", 0.5), ("tool use", 0.4), ("vision", 0.096)]
    assert charts.bars(named) == [
        ("general chat", 0.5), ("tool use", 0.4), ("vision", 0.096), ("1 rarer", 0.004),
    ]  # fmt: skip
    many = charts.bars([(f"kind {n}", 0.1) for n in range(10)])
    assert [name for name, _ in many] == [*(f"kind {n}" for n in range(7)), "3 rarer"]
    assert sum(share for _, share in many) == pytest.approx(1)
    assert charts.bars([]) == []


def test_what_speaks_neither_for_a_campaign_nor_against_it_is_folded_away(workspace):
    app = opened("campaign", campaign="cmp-kiln")
    [folded] = [one for one in app.expander if one.label == "Neither for it nor against it: 1 measurement"]
    [silent] = [element.proto.body for element in folded.get("html")]
    assert "requests that follow closely" in silent
    assert "accounts start together" not in silent
    assert words(app).count("requests that follow closely") == 1
    loom = opened("campaign", campaign="cmp-loom")
    assert not any("Neither for it" in one.label for one in loom.expander)


def test_a_campaign_says_what_would_be_left_without_each_link(workspace):
    shown = words(opened("campaign", campaign="cmp-kiln"))
    assert "without shared templates: 8.1 of 15.7, not flagged" in shown
    assert "without shared payment: 13.2 of 15.7, still flagged" in shown


def test_a_campaign_tells_what_became_of_it_and_leaves_quiet_nights_out(workspace):
    shown = words(opened("campaign", campaign="cmp-kiln"))
    n = len(members_of_kiln(THIRD))
    assert f"2025-06-03</td><td>grew to {n} accounts" in shown
    assert "2025-06-03</td><td>5 accounts stopped, 5 new took over" in shown
    assert "went on with" not in shown
    assert "What became of it" not in words(opened("campaign", campaign="cmp-loom"))


def test_a_campaign_that_was_not_found_any_more_is_dormant(workspace):
    with duckdb.connect(workspace.warehouse) as con:
        con.execute(
            "INSERT INTO night.campaign_event "
            "VALUES (DATE '2025-06-04', 'cmp-kiln', 'dormant', NULL, 13, NULL)"
        )
        publish(con, workspace)
    shown = words(opened("campaign", campaign="cmp-kiln"))
    assert "Latest night 2025-06-03, dormant since." in shown
    assert "not found any more; it had 13 accounts when last found" in shown
    assert "dormant" in words(opened())


def test_no_verdict_is_chosen_beforehand(workspace):
    app = opened("campaign", campaign="cmp-kiln")
    assert app.segmented_control(key="verdict:cmp-kiln").value in (None, [])
    assert "Choose a verdict" in words(app)


def test_without_a_reason_nothing_is_recorded_and_the_page_says_why(workspace):
    app = record(opened("campaign", campaign="cmp-kiln"), KILN, reason="  ", by="ana")
    assert "Say why: a decision needs a reason" in words(app)
    with store(workspace) as cases:
        assert cases.history() == ()


def test_a_dismissed_case_leaves_the_open_ones_and_stays_among_the_decided(workspace):
    app = opened("account", account="solo-9")
    record(app, SOLO, Verdict.DISMISS, reason="an evaluation we know", by="ben")
    queue = opened()
    assert "solo-9" not in words(queue)
    queue.segmented_control(key="show").set_value("Decided").run()
    assert "solo-9" in words(queue)
    assert "dismissed" in words(queue)


def test_when_all_is_decided_the_queue_says_what_comes_next(workspace):
    with store(workspace) as cases:
        for case in review_queue(workspace, cases):
            decide(workspace, cases, case.subject, "dismiss", reason="known", by="ana")
    assert "every case is decided" in words(opened())


def test_an_approval_reaches_whom_the_page_showed_though_a_scan_published_meanwhile(tmp_path, monkeypatch):
    workspace = told(tmp_path / "watch", nights=[FIRST, SECOND])
    monkeypatch.setenv("STILLWATCH_WORKSPACE", str(workspace.root))
    app = opened("campaign", campaign="cmp-kiln")
    record(app, KILN, meanwhile=lambda: go_on(workspace, THIRD), reason="seen on two nights", by="ana")
    with store(workspace) as cases:
        assert set(cases.history()[0].members) == set(members_of_kiln(SECOND))
    assert "+5 since" in words(opened())


def test_an_open_page_shows_the_new_night_after_the_snapshot_was_replaced(tmp_path, monkeypatch):
    workspace = told(tmp_path / "watch", nights=[FIRST])
    monkeypatch.setenv("STILLWATCH_WORKSPACE", str(workspace.root))
    app = opened("nights")
    assert "2025-06-02" not in words(app)
    go_on(workspace, SECOND)
    assert "2025-06-02" in words(app.run())


def test_one_night_can_be_looked_at_as_it_was(workspace):
    app = opened()
    app.selectbox(key="night").set_value("2025-06-01").run()
    assert "seen 2025-06-01" in words(app)
    assert "seen 2025-06-03" not in words(app)


def test_the_list_is_exported_with_its_manifest_and_without_the_contract(workspace):
    with store(workspace) as cases:
        decide(workspace, cases, KILN, "approve", reason="harvest", by="ana", action="suspend")
    app = opened("decisions")
    app.selectbox(key="format").set_value("jsonl").run()
    app.button(key="export").click().run()
    assert not app.exception
    [manifest] = (workspace.root / "exports").glob("*.jsonl.manifest.json")
    assert "written to exports/enforcement-" in words(app)
    assert (
        manifest.with_name(manifest.name.removesuffix(".manifest.json")).read_text("utf-8").count("\n") == 18
    )


def test_nothing_approved_means_nothing_to_export(workspace):
    app = opened("decisions")
    assert app.button(key="export").disabled
    assert "nothing would leave" in words(app)


def test_the_nights_page_shows_what_was_refused(workspace):
    shown = words(opened("nights"))
    assert "gateway-03.jsonl" in shown
    assert "year 1970" in shown


def test_the_nights_page_warns_when_calibration_has_drifted(tmp_path, monkeypatch, workspace):
    shown = words(opened("nights"))
    assert "calibration has drifted: 18.0% of the ordinary accounts of the group person" in shown
    assert "n_ips (distance 0.41)" in shown
    assert "weigh them less" in shown
    quiet = told(tmp_path / "two nights", nights=[FIRST, SECOND])
    monkeypatch.setenv("STILLWATCH_WORKSPACE", str(quiet.root))
    shown = words(opened("nights"))
    assert "has drifted" not in shown
    assert "Tolerated" in shown


@pytest.mark.parametrize("page", ["", "campaign", "account", "decisions", "nights"])
def test_without_findings_every_page_says_what_to_do(tmp_path, monkeypatch, page):
    monkeypatch.setenv("STILLWATCH_WORKSPACE", str(tmp_path / "nowhere"))
    app = opened(page, **({page: "x"} if page in {"campaign", "account"} else {}))
    assert "stillwatch scan" in words(app)
    assert not (tmp_path / "nowhere").exists()


def test_a_long_queue_is_shown_a_page_at_a_time(workspace):
    with duckdb.connect(workspace.warehouse) as con:
        con.execute(
            "INSERT INTO night.flagged_account "
            "SELECT found.* REPLACE ('lone-' || n AS account_id, 0.5 AS score) "
            "FROM night.flagged_account AS found, range(40) AS many(n) WHERE account_id = 'solo-9'"
        )
        publish(con, workspace)
    app = opened()
    assert "44 of 44" in words(app)
    assert words(app).count("lone account") == 25 - 2  # and two campaigns
    app.session_state["page"] = 2
    assert "cmp-kiln" not in words(app.run())
    assert words(app).count("lone account") == 44 - 25
    app.session_state["page"] = 9  # as after a night with more cases
    assert "lone-" in words(app.run())
    assert not app.exception


def test_an_empty_snapshot_is_no_error(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path)
    with duckdb.connect(workspace.warehouse) as con:
        con.execute(statement("schema"))
        publish(con, workspace)
    monkeypatch.setenv("STILLWATCH_WORKSPACE", str(tmp_path))
    said = {
        "": "No night",
        "campaign": "No campaign",
        "decisions": "nothing would leave",
        "nights": "No night",
    }
    for page, expected in said.items():
        assert expected in words(opened(page))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_id_in_the_address_is_text(workspace, name):
    for page in ("campaign", "account"):
        shown = words(opened(page, **{page: HOSTILE[name]}))
        assert "<script>" not in shown
        assert "<img" not in shown


def test_no_markdown_element_ever_holds_what_a_log_said(workspace):
    """Streamlit renders Markdown in these; our pages put only their own words there."""
    for app in (opened("campaign", campaign="cmp-kiln"), opened("account", account=HOSTILE["html"])):
        markdown = [element.value for kind in ("markdown", "caption", "title") for element in app.get(kind)]
        labels = [str(element.label) for kind in ("button", "expander", "tab") for element in app.get(kind)]
        for said in (*markdown, *labels):
            assert "evil.example" not in said
            assert "owned" not in said


def test_hidden_characters_become_visible():
    assert "\\u202e" in drawing.inert(HOSTILE["bidi"])
    assert drawing.inert(HOSTILE["script"]).startswith("&lt;script&gt;")
    assert len(drawing.inert("x" * 1_000_000)) < 10_000


def test_what_others_said_stands_beside_the_evidence_as_text_only(workspace):
    said = {"source": "openai", "kind": "safety_identifier.blocked", "said": Said.ENFORCED, "said_by": None}
    with store(workspace) as cases:
        cases.add_labels(
            [
                Label(
                    notice_id=f"n-{account}",
                    account_id=account,
                    category=HOSTILE["script"],
                    reason=HOSTILE["html"],
                    said_at=datetime(2025, 6, 2, tzinfo=UTC),
                    **said,
                )
                for account in ("kiln-01", "kiln-02", "solo-9")
            ]
        )
    with duckdb.connect(workspace.warehouse) as con:
        add(con, "core.request", [refused(f"{at}", "solo-9") for at in range(3)])
        publish(con, workspace)
    account, campaign = opened("account", account="solo-9"), opened("campaign", campaign="cmp-kiln")
    assert "What others said" in words(account)
    assert "OpenAI" in words(account)
    assert "2025-06-02 00:00 UTC" in words(account)
    assert "refused 3 requests as reasoning_extraction, from 2025-06-01 to 2025-06-01" in words(account)
    shown = words(campaign).split("What others said")[1]
    assert '<td class="sw-number">2</td>' in shown
    for page in (account, campaign):
        assert "<script>" not in words(page)
        assert "<img" not in words(page)
    assert "What others said" not in words(opened("campaign", campaign="cmp-loom"))


def refused(key, account_id):
    return {
        "day": FIRST,
        "sent_at": datetime(2025, 6, 1, 12),  # noqa: DTZ001  the warehouse keeps UTC without a zone
        "account_id": account_id,
        "request_key": int(key),
        "refusal_category": "reasoning_extraction",
    }
