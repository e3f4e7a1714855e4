"""The case store: decisions are added, never changed, and none is lost; on SQLite and on PostgreSQL."""

import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

import pytest
import sqlalchemy as sa

from pipelines.cases import Action, CaseStore, Label, Level, Said, Subject, Verdict
from pipelines.errors import UsageError

NOW = datetime(2025, 6, 4, 12, tzinfo=UTC)
KILN = Subject(Level.CAMPAIGN, "cmp-kiln")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cases.sqlite'}"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture
def store(url):
    with CaseStore.open(url) as opened:
        yield opened


def test_a_decision_is_kept_as_it_was_made(store):
    made = store.record(
        KILN,
        "approve",
        reason=" one template, one rhythm ",
        by="ana",
        action="suspend",
        members=["b", "a", "a"],
        at=NOW,
    )
    assert store.latest() == {KILN: made}
    assert (made.reason, made.members, made.action) == (
        "one template, one rhythm",
        ("a", "b"),
        Action.SUSPEND,
    )
    assert made.expires_at == NOW + timedelta(days=90)


def test_a_later_decision_follows_and_the_earlier_one_stays(store):
    first = store.record(KILN, "watch", reason="too early", by="ana", at=NOW)
    second = store.record(KILN, "dismiss", reason="a classroom", by="ben", at=NOW)
    assert store.latest()[KILN] == second
    assert store.history(KILN) == store.history() == (second, first)


def test_an_approval_reaches_its_members_until_one_is_dismissed(store):
    store.record(KILN, "approve", reason="harvest", by="ana", action="limit", members=["a", "b"], at=NOW)
    store.record(Subject(Level.ACCOUNT, "a"), "dismiss", reason="a customer", by="ben", at=NOW)
    assert [(row.account_id, row.campaign_id) for row in store.approved(at=NOW)] == [("b", "cmp-kiln")]
    assert store.approved(at=NOW + timedelta(days=91)) == ()


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"verdict": "dismiss", "reason": " \n\t"}, "needs a reason"),
        ({"verdict": "dismiss", "by": ""}, "needs a name"),
        ({"verdict": "ban"}, "no such verdict"),
        ({"verdict": "approve"}, "needs an action"),
        ({"verdict": "approve", "action": "delete"}, "no such action"),
        ({"verdict": "dismiss", "action": "limit"}, "only an approval"),
        ({"verdict": "watch", "expires_at": NOW - timedelta(days=1)}, "before it begins"),
        ({"verdict": "watch", "reason": "x" * 4_001}, "too long"),
    ],
)
def test_an_incomplete_decision_is_refused_and_leaves_nothing(tmp_path, asked, complaint):
    with CaseStore.open(f"sqlite:///{tmp_path / 'cases.sqlite'}") as store:
        with pytest.raises(UsageError, match=complaint):
            store.record(KILN, **({"reason": "seen", "by": "ana", "at": NOW} | asked))
        assert store.history() == ()


def test_a_recorded_decision_cannot_be_changed_or_removed(store, url):
    store.record(KILN, "dismiss", reason="a classroom", by="ana", members=["a"])
    engine = sa.create_engine(url)
    for statement in ("UPDATE decision SET verdict = 'approve'", "DELETE FROM decision_member"):
        with pytest.raises(sa.exc.DBAPIError, match="never changed"), engine.begin() as con:
            con.execute(sa.text(statement))
    engine.dispose()


def test_ids_survive_exactly_as_a_log_wrote_them(store):
    ids = ["a\x00b", "a\\0b", "c:\\temp\\\x00", "'; DROP TABLE decision; --", "帳號", "\u202egnp"]
    store.record(KILN, "watch", reason="odd names\x00", by="ana", members=ids)
    [made] = store.history(KILN)
    assert made.members == tuple(sorted(ids))
    for odd in ids:
        store.record(Subject(Level.ACCOUNT, odd), "dismiss", reason="fine", by="ana")
        assert store.history(Subject(Level.ACCOUNT, odd))[0].verdict is Verdict.DISMISS


def test_several_writers_lose_nothing(url):
    CaseStore.open(url).close()
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        list(pool.map(_write_ten, [url] * 3, range(3)))
    with CaseStore.open(url) as store:
        assert len({decision.decision_id for decision in store.history()}) == 30
        assert {len(decision.members) for decision in store.history()} == {20}


def test_consoles_that_start_together_migrate_once(url):
    opened = []
    threads = [threading.Thread(target=lambda: opened.append(CaseStore.open(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    opened[0].record(KILN, "watch", reason="seen", by="ana")
    assert {len(store.history()) for store in opened} == {1}
    for store in opened:
        store.close()


def test_a_store_made_by_a_later_version_is_left_alone(url):
    CaseStore.open(url).close()
    engine = sa.create_engine(url)
    with engine.begin() as con:
        con.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(UsageError, match="later version"):
        CaseStore.open(url)


@pytest.mark.parametrize(
    "nowhere", ["sqlite:////nowhere/at/all/cases.sqlite", "mysql://db/cases", "not a url", "sqlite:////"]
)
def test_a_store_that_cannot_be_opened_says_so_in_one_line(nowhere):
    with pytest.raises(UsageError) as caught:
        CaseStore.open(nowhere)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def _write_ten(url, writer):
    with CaseStore.open(url) as store:
        for n in range(10):
            members = [f"{writer}-{n}-{m}" for m in range(20)]
            store.record(KILN, "watch", reason="seen", by=f"writer {writer}", members=members)


def test_labels_are_kept_once_whatever_the_database_and_never_changed(store):
    label = Label(
        notice_id="evt\\1",
        account_id="a\x00b",
        source="openai",
        kind="safety_identifier.blocked",
        said=Said.ENFORCED,
        category="cyber_abuse",
        reason="x" * 5_000,
        said_by=None,
        said_at=NOW,
    )
    other = replace(label, account_id="c")
    many = [replace(label, account_id=f"m{n}") for n in range(1_200)]
    assert store.add_labels([label, other, label]) != ()
    assert store.add_labels([label, other]) == ()
    assert len(store.add_labels(many)) == len(many)
    (kept,) = store.labels(["a\x00b"])
    assert kept == replace(label, reason="x" * 4_000)
    assert len(store.labels()) == len(many) + 2
    assert [one.account_id for one in store.labels([f"m{n}" for n in range(600)])] == sorted(
        f"m{n}" for n in range(600)
    )
    with store._engine.begin() as con, pytest.raises(sa.exc.DBAPIError, match="never changed"):
        con.execute(sa.text("DELETE FROM label"))
