"""Who is enforced in the end: a person's word about one account outranks any campaign."""

from datetime import UTC, datetime, timedelta

from pipelines.cases import Action, Decision, Level, Subject, Verdict
from pipelines.cases.standing import enforced

NOW = datetime(2025, 6, 4, tzinfo=UTC)


def decided(number, level, id_, verdict, action=None, members=(), expires_at=None):
    subject = Subject(Level(level), id_)
    made = Decision(
        decision_id=number,
        subject=subject,
        verdict=Verdict(verdict),
        action=Action(action) if action else None,
        reason="seen",
        by="ana",
        decided_at=NOW - timedelta(days=1),
        expires_at=expires_at,
        members=tuple(members),
    )
    return subject, made


def outcome(*decisions, at=NOW):
    return {row.account_id: row.action.value for row in enforced(dict(decisions), at)}


def test_an_approved_campaign_reaches_the_accounts_it_was_decided_about():
    assert outcome(decided(1, "campaign", "c", "approve", "limit", ["a", "b"])) == {
        "a": "limit",
        "b": "limit",
    }


def test_dismissed_or_watched_alone_an_account_stays_out_whenever_that_was_said():
    campaign = decided(2, "campaign", "c", "approve", "suspend", ["a", "b", "d"])
    before, after = decided(1, "account", "a", "dismiss"), decided(3, "account", "b", "watch")
    assert outcome(campaign, before, after) == {"d": "suspend"}


def test_approved_alone_an_account_gets_its_own_action():
    campaign = decided(1, "campaign", "c", "approve", "suspend", ["a"])
    assert outcome(campaign, decided(2, "account", "a", "approve", "verify")) == {"a": "verify"}


def test_reopened_alone_an_account_follows_its_campaign_again():
    campaign = decided(1, "campaign", "c", "approve", "suspend", ["a"])
    assert outcome(campaign, decided(2, "account", "a", "reopen")) == {"a": "suspend"}


def test_of_two_campaigns_the_harder_action_counts():
    soft, hard = (
        decided(2, "campaign", "c2", "approve", "watch", ["a"]),
        decided(1, "campaign", "c1", "approve", "verify", ["a"]),
    )
    assert outcome(soft, hard) == outcome(hard, soft) == {"a": "verify"}


def test_what_has_expired_no_longer_counts():
    approval = decided(1, "campaign", "c", "approve", "limit", ["a"], expires_at=NOW)
    assert outcome(approval) == {}
    assert outcome(approval, at=NOW - timedelta(seconds=1)) == {"a": "limit"}


def test_dismissed_watched_and_reopened_campaigns_reach_nobody():
    for verdict in ("dismiss", "watch", "reopen"):
        assert outcome(decided(1, "campaign", "c", verdict, members=["a"])) == {}
