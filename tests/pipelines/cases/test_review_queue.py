"""The queue: what a person should look at, in which order, and when a decided case comes back."""

from datetime import timedelta

import pytest

from pipelines import findings
from pipelines.cases import CaseStore, Level, State, Subject, decide, review_queue, state_of
from pipelines.errors import UsageError
from tests.story import FIRST, HOSTILE, KILN_LATER, NOON, SECOND, THIRD, go_on, members_of_kiln, told

KILN = Subject(Level.CAMPAIGN, "cmp-kiln")
SOLO = Subject(Level.ACCOUNT, "solo-9")


@pytest.fixture
def told_so_far(tmp_path):
    workspace = told(tmp_path, nights=[FIRST, SECOND])
    with CaseStore.open(workspace.cases_url) as store:
        yield workspace, store


def states(workspace, store, **when):
    return {case.subject.id: case.state for case in review_queue(workspace, store, **when)}


def test_campaigns_and_lone_accounts_form_one_list_by_suspicion(told_so_far):
    cases = review_queue(*told_so_far)
    assert [case.subject.id for case in cases] == ["cmp-kiln", "solo-9", "cmp-loom", HOSTILE["link"]]
    assert cases[0].harvests == ("reasoning trace", "math reasoning", "coding")
    assert {case.state for case in cases} == {State.UNDECIDED}


def test_a_decision_freezes_the_accounts_that_were_seen(told_so_far):
    workspace, store = told_so_far
    made = decide(workspace, store, KILN, "approve", reason="harvest", by="ana", action="suspend")
    assert made.members == tuple(sorted(members_of_kiln(SECOND)))
    go_on(workspace, THIRD)
    reached = {row.account_id for row in store.approved()}
    assert reached == set(members_of_kiln(SECOND))


def test_an_approved_campaign_comes_back_when_accounts_have_joined(told_so_far):
    workspace, store = told_so_far
    decide(workspace, store, KILN, "approve", reason="harvest", by="ana", action="suspend")
    assert states(workspace, store)["cmp-kiln"] is State.APPROVED
    go_on(workspace, THIRD)
    [kiln] = [case for case in review_queue(workspace, store) if case.subject == KILN]
    assert kiln.state is State.GREW
    assert kiln.state.is_open
    assert kiln.n_new_accounts == len(set(KILN_LATER) - set(members_of_kiln(SECOND)))


def test_a_dismissed_campaign_stays_away_though_it_grows(told_so_far):
    workspace, store = told_so_far
    decide(workspace, store, KILN, "dismiss", reason="a course on kilns", by="ana")
    go_on(workspace, THIRD)
    assert states(workspace, store)["cmp-kiln"] is State.DISMISSED


def test_reopened_or_expired_a_case_is_undecided_again(told_so_far):
    workspace, store = told_so_far
    decide(workspace, store, KILN, "dismiss", reason="a course", by="ana")
    decide(workspace, store, KILN, "reopen", reason="it was not", by="ben")
    watched = decide(
        workspace, store, SOLO, "watch", reason="soon", by="ana", expires_at=NOON + timedelta(days=9999)
    )
    assert states(workspace, store)["cmp-kiln"] is State.UNDECIDED
    assert states(workspace, store)["solo-9"] is State.WATCHED
    assert states(workspace, store, at=watched.expires_at)["solo-9"] is State.UNDECIDED


def test_a_case_and_the_queue_agree_on_where_it_stands(told_so_far):
    workspace, store = told_so_far
    decide(workspace, store, KILN, "approve", reason="harvest", by="ana", action="suspend")
    decide(workspace, store, SOLO, "dismiss", reason="an evaluation", by="ana")
    go_on(workspace, THIRD)
    for case in review_queue(workspace, store):
        members = findings.members(workspace, case.subject.id)["account_id"].to_list()
        assert state_of(store, case.subject, members) is case.state


def test_one_night_shows_the_cases_of_that_night(told_so_far):
    workspace, store = told_so_far
    assert {case.day for case in review_queue(workspace, store, day=FIRST)} == {FIRST}


def test_nobody_decides_about_what_was_never_flagged(told_so_far):
    workspace, store = told_so_far
    for subject in (Subject(Level.CAMPAIGN, "cmp-none"), Subject(Level.ACCOUNT, "ana")):
        with pytest.raises(UsageError, match="never flagged"):
            decide(workspace, store, subject, "dismiss", reason="who?", by="ana")
    assert store.history() == ()
