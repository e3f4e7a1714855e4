"""Past nights judged by another policy: the evidence a scan keeps, and what a backtest makes of it."""

from datetime import date

import pytest
from village import FIRST, NIGHTS, Village, asked, flagged_in, scan

from detector.campaigns import Policy
from pipelines.backtest import Backtest, backtest
from pipelines.backtest.history import read_history
from pipelines.backtest.replay import replay
from pipelines.campaigns.judging import reference
from pipelines.cases import CaseStore, Level, Subject, Verdict
from pipelines.settings import DetectionSettings, Settings
from pipelines.warehouse.opening import read_warehouse
from pipelines.workspace import Workspace


def test_every_candidate_keeps_the_evidence_it_was_judged_by(scanned_once: Workspace):
    """Flagged or not: the pieces of each add up to what the scan weighed it at, and belong to its night."""
    weighed = asked(
        scanned_once,
        """SELECT day, candidate_id, evidence, flagged, has_content, sum(log_odds), count(position),
                  list(position ORDER BY position)
           FROM night.candidate LEFT JOIN night.candidate_evidence USING (day, candidate_id)
           GROUP BY ALL ORDER BY day, candidate_id""",
    )
    assert {row[0] for row in weighed} == set(NIGHTS)
    assert {row[3] for row in weighed} == {True, False}
    for _day, _id, total, _flagged, has_content, added, n_pieces, positions in weighed:
        assert has_content is True
        assert abs(total - added) < 1e-9
        assert 2 <= n_pieces <= 30
        assert positions == list(range(n_pieces))


def test_a_night_scanned_again_keeps_one_set_of_pieces(village: Village, scanned: Workspace):
    kept = "SELECT * FROM night.candidate_evidence ORDER BY ALL"
    before = asked(scanned, kept)
    scan(scanned, village.logs(FIRST), accounts=village.accounts)
    assert asked(scanned, kept) == before


def test_the_policy_in_force_replayed_is_what_the_scans_decided_to_the_last_digit(scanned_once: Workspace):
    """Flags, p-values, confidence and action of every candidate, and the reference of every night."""
    with scanned_once.reading(), read_warehouse(scanned_once) as con:
        history = read_history(con, date.min, date.max)
        innocent = [reference(con, night, Policy()) for night in NIGHTS]
    replayed = replay(history, Policy(), lambda _night: True)
    has_history = [len(one.log_odds) >= Policy.least_reference for one in innocent]
    assert [one.n_reference_nights for one in replayed] == [
        one.n_nights if known else 0 for one, known in zip(innocent, has_history, strict=True)
    ]
    said = "SELECT p_value, confidence, recommended_action, n_accounts FROM night.campaign WHERE day = $day"
    for one in replayed:
        assert sorted(asked(scanned_once, said, day=one.night.day)) == sorted(
            (f.verdict.p_value, f.verdict.confidence, f.verdict.recommended_action, len(f.accounts))
            for f in one.findings
        )


@pytest.fixture
def decided(scanned: Workspace, village: Village) -> Workspace:
    """A person has looked at the village's nights and confirmed the one campaign in them."""
    (campaign_id,) = {name for night in NIGHTS for name in flagged_in(scanned, night)}
    with CaseStore.open(scanned.cases_url) as store:
        store.record(
            Subject(Level.CAMPAIGN, campaign_id),
            "approve",
            reason="one list dealt out",
            by="ana",
            action="suspend",
            members=sorted(village.kiln),
        )
    return scanned


def by(workspace: Workspace, **policy: object) -> Backtest:
    """The backtest of a policy that differs from the usual one in these settings."""
    return backtest(workspace, Settings(detection=DetectionSettings.model_validate(policy)))


def test_a_stricter_policy_shows_the_confirmed_campaign_it_would_miss(decided: Workspace):
    (weight,) = {one.log_odds for one in by(decided).campaigns}
    assert weight is not None
    stricter = by(decided, least_log_odds=weight + 1, first_night_log_odds=weight + 1)
    (lost,) = stricter.campaigns
    assert (lost.change, lost.decided) == ("no longer flagged", Verdict.APPROVE)
    assert len(lost.days_were) == len(NIGHTS)
    assert lost.log_odds == weight
    assert sum(piece.log_odds for piece in lost.evidence) == pytest.approx(weight)
    (missed,) = stricter.decided
    assert (missed.n_cases, missed.n_no_longer) == (1, 1)


def test_even_the_loosest_policy_would_flag_nobody_innocent_here(decided: Workspace):
    """The village holds one campaign; everything else that a scan looks at is somebody's day's work."""
    looser = by(
        decided, least_log_odds=0, first_night_log_odds=0, false_discovery_rate=0.999, family_log_odds=0
    )
    (kiln,) = looser.campaigns
    assert kiln.days_would_be == NIGHTS
    assert kiln.log_odds is not None
    assert kiln.evidence
    assert [(one.verdict, one.n_no_longer) for one in looser.decided] == [(Verdict.APPROVE, 0)]
