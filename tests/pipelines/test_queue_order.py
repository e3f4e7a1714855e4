"""The queue learns its order from a real case store, and nothing but its order."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pytest

from detector.models.rerank import Standing
from pipelines import findings
from pipelines.cases import CaseStore, Label, Level, Said, State, Subject, review_queue
from pipelines.publish import publish
from pipelines.reranking import find_cases, learn_order
from pipelines.rows import json_lines
from pipelines.settings import Settings
from pipelines.workspace import Workspace
from tests.decided import LONG_AGO, NEWS, campaign, decided, given_decided_campaigns, lone
from tests.story import FIRST, NOON, SECOND, THIRD, add, told


@pytest.fixture
def con(tmp_path):
    with duckdb.connect(told(tmp_path).warehouse) as con:
        yield con


@pytest.fixture
def workspace(con, tmp_path):
    return Workspace(tmp_path)


@pytest.fixture
def store(workspace):
    with CaseStore.open(workspace.cases_url) as store:
        yield store


def given_news(con):
    add(con, "night.campaign", [campaign(name, THIRD, *said) for name, said in NEWS.items()])


def learned(con, workspace):
    lessons = learn_order(con, workspace, Settings())
    publish(con, workspace)
    return lessons


def names(workspace, store, **how):
    return [case.subject.id for case in review_queue(workspace, store, at=NOON, **how)]


def bytes_of(workspace):
    return [
        list(json_lines(findings.rows_of(read(workspace))))
        for read in (findings.campaigns, findings.accounts)
    ]


def test_the_new_cases_that_look_like_the_approved_ones_come_first(con, workspace, store):
    given_decided_campaigns(con, store)
    given_news(con)
    lessons = learned(con, workspace)
    assert lessons[Level.CAMPAIGN].standing is Standing.USED
    assert lessons[Level.ACCOUNT].standing is Standing.NO_DECISIONS
    plain = [name for name in names(workspace, store, learned=False) if name in NEWS]
    by_decisions = [name for name in names(workspace, store) if name in NEWS]
    assert plain == list(NEWS)
    assert by_decisions == ["new-d", "new-a", "new-c", "new-b"]  # the first of the plain order waits for one
    [campaigns, accounts] = findings.learned_order(workspace)["said"]
    assert "30 approved and 30 dismissed" in campaigns
    assert "nobody has decided" in accounts


def test_only_the_order_changes(con, workspace, store):
    given_decided_campaigns(con, store)
    given_news(con)
    publish(con, workspace)
    before = bytes_of(workspace), review_queue(workspace, store, at=NOON)
    learned(con, workspace)
    now = review_queue(workspace, store, at=NOON)
    assert now != before[1]
    assert sorted(now, key=str) == sorted(before[1], key=str)  # the same rows, whole
    assert bytes_of(workspace) == before[0]  # findings stand before any decision, in their order, too
    assert [case.confidence for case in now] == [case.confidence for case in before[1]]
    assert [case.subject.level for case in now] == [case.subject.level for case in before[1]]


def test_few_decisions_leave_the_plain_order_and_say_so(con, workspace, store):
    given_decided_campaigns(con, store, n_nights=2)
    given_news(con)
    assert learned(con, workspace)[Level.CAMPAIGN].standing is Standing.FEW_DECISIONS
    assert names(workspace, store) == names(workspace, store, learned=False)
    assert "10 approved and 10 dismissed so far" in findings.learned_order(workspace)["said"][0]


def test_decisions_that_evidence_does_not_explain_are_not_used(con, workspace, store):
    given_decided_campaigns(con, store, telling=0.0)
    lesson = learned(con, workspace)[Level.CAMPAIGN]
    assert lesson.standing is Standing.NO_GAIN
    assert findings.learned_cases(workspace).is_empty()


def test_what_was_reopened_or_watched_teaches_nothing_and_an_ended_approval_still_does(con, workspace, store):
    ids = given_decided_campaigns(con, store)
    for name, verdict in zip(ids[:2], ("reopen", "watch"), strict=True):
        store.record(Subject(Level.CAMPAIGN, name), verdict, reason="not so sure", by="kim")
    lesson = learned(con, workspace)[Level.CAMPAIGN]
    assert (lesson.n_approved, lesson.n_dismissed) == (29, 29)  # approvals of 2025 have long ended
    assert {case.state for case in review_queue(workspace, store) if case.subject.id in ids[2::2]} == {
        State.UNDECIDED
    }


def test_a_decision_teaches_by_what_was_to_be_seen_when_it_was_made(con, workspace, store):
    """It was dismissed on the 21st; what it did on the 21st and later was not known then."""
    kept = Subject(Level.CAMPAIGN, "grows")
    for night, payment in enumerate((1.0, 7.0, 8.0)):
        add(con, "night.campaign", [campaign(kept.id, LONG_AGO + timedelta(night), 0.6, payment)])
    decided(store, kept, guilty=False, day=LONG_AGO)
    made = {kept.id: store.history(kept)[0].decided_at.date()}
    found = find_cases(con, Level.CAMPAIGN, made, Settings())
    assert found.days == [LONG_AGO]
    assert found.cases.evidence[0, found.pieces.index("SHARED_PAYMENT")] == 1.0
    ahead = find_cases(con, Level.CAMPAIGN, {kept.id: date(2025, 1, 1)}, Settings())
    assert ahead.days == [LONG_AGO]  # a log whose clock runs ahead: the first night there is


def test_an_earlier_night_keeps_its_plain_order(con, workspace, store):
    given_decided_campaigns(con, store)
    add(con, "night.campaign", [campaign(name, SECOND, *said) for name, said in NEWS.items()])
    given_news(con)
    learned(con, workspace)
    for day in (FIRST, SECOND):
        assert names(workspace, store, day=day) == names(workspace, store, day=day, learned=False)
    assert names(workspace, store, day=THIRD) != names(workspace, store, day=THIRD, learned=False)


def test_lone_accounts_learn_from_their_own_decisions(con, workspace, store):
    """Whoever sent much was approved; scores say nothing."""
    rng = np.random.default_rng(2)
    for night, at in ((night, at) for night in range(6) for at in range(10)):
        name, day, guilty = f"lone-{night}-{at}", LONG_AGO + timedelta(night), at % 2 == 0
        n_requests = int(rng.integers(5_000, 9_000) if guilty else rng.integers(500, 900))
        flag, sent = lone(name, day, float(rng.uniform(0.5, 0.7)), n_requests)
        add(con, "night.flagged_account", [flag])
        add(con, "night.account_day", [sent])
        decided(store, Subject(Level.ACCOUNT, name), guilty=guilty, day=day)
    for name, score, n_requests in (("quiet", 0.69, 600), ("loud", 0.51, 8_000)):
        flag, sent = lone(name, THIRD, score, n_requests)
        add(con, "night.flagged_account", [flag])
        add(con, "night.account_day", [sent])
    lessons = learned(con, workspace)
    assert lessons[Level.ACCOUNT].standing is Standing.USED
    assert lessons[Level.CAMPAIGN].standing is Standing.NO_DECISIONS
    order = names(workspace, store)
    assert order.index("loud") < order.index("quiet")


def test_labels_of_ones_own_teach_like_decisions_and_a_providers_do_not(con, workspace, store):
    """Banned and cleared elsewhere, account by account, before anybody decided here."""
    labels = []
    for night, at in ((night, at) for night in range(2) for at in range(10)):
        name, day = f"lone-{night}-{at}", LONG_AGO + timedelta(night)
        flag, sent = lone(name, day, 0.6, 900)
        add(con, "night.flagged_account", [flag])
        add(con, "night.account_day", [sent])
        said = Said.ENFORCED if at % 2 else Said.CLEARED
        source, category = ("own", None) if night == 0 else ("openai", "cyber_abuse")
        labels.append(
            Label(
                notice_id=name,
                account_id=name,
                source=source,
                kind="k",
                said=said,
                category=category,
                reason=None,
                said_by=None,
                said_at=datetime(day.year, day.month, day.day, 20, tzinfo=UTC),
            )
        )
    store.add_labels(labels)
    lesson = learned(con, workspace)[Level.ACCOUNT]
    assert (lesson.n_approved, lesson.n_dismissed) == (5, 5)
    assert store.history() == ()


def test_evidence_alone_is_read(con, workspace, store):
    """No id, size, verdict, action or country is among the columns."""
    given_decided_campaigns(con, store)
    weighed = con.execute("SELECT DISTINCT unnest(evidence).code FROM night.campaign ORDER BY 1").fetchall()
    assert find_cases(con, Level.CAMPAIGN, None, Settings()).pieces == tuple(code for (code,) in weighed)
    of_accounts = find_cases(con, Level.ACCOUNT, None, Settings()).pieces
    assert not {"account_id", "n_countries", "is_approved", "top_family", "org_id"} & set(of_accounts)


def test_a_workspace_nobody_decided_in_gets_no_case_store(tmp_path):
    workspace = told(tmp_path)
    with duckdb.connect(workspace.warehouse) as con:
        learned(con, workspace)
    assert not workspace.cases.exists()


def test_learning_again_changes_nothing(con, workspace, store):
    given_decided_campaigns(con, store)
    given_news(con)
    learned(con, workspace)
    once = findings.learned_cases(workspace), findings.learned_order(workspace)
    learned(con, workspace)
    assert findings.learned_cases(workspace).equals(once[0])
    assert findings.learned_order(workspace).equals(once[1], null_equal=True)
