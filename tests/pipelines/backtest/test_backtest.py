"""What another policy would have flagged and missed: stricter, looser, softer, and what people decided."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from drawn_nights import FIRST, SECOND, THIRD, drawn
from running import stillwatch

from detector.campaigns import Policy
from pipelines.backtest import Backtest, Changed, backtest
from pipelines.backtest.history import read_history
from pipelines.backtest.replay import Reference
from pipelines.cases import CaseStore, Label, Level, Said, Subject, Verdict
from pipelines.errors import UsageError, WorkspaceBusy
from pipelines.settings import DetectionSettings, Settings
from pipelines.warehouse.opening import read_warehouse
from pipelines.workspace import Workspace

NOON = datetime(2025, 6, 4, 12, tzinfo=UTC)

KILN_AND_LOOM = """
    night | accounts | content | timing | identity | flagged
    1     | k1-k20   | 4.0     | 2.5    | 3.0      | cmp-kiln high verify
    1     | l1-l8    | 3.5     | 2.6    | -        | cmp-loom low watch
    1     | q1-q9    | 2.2     | 2.2    | -        | -
    2     | k1-k20   | 4.0     | 2.5    | 3.0      | cmp-kiln high suspend
    2     | l1-l8    | 3.5     | 2.0    | -        | cmp-loom low watch
    2     | q1-q9    | 2.2     | 2.2    | -        | -
    3     | k5-k24   | 4.0     | 2.5    | 3.0      | cmp-kiln high suspend
    3     | q2-q9    | 2.2     | 2.2    | -        | -
"""
"""Kiln is plain, loom is just above the threshold, q just below it, every night."""


@pytest.fixture
def watch(tmp_path: Path) -> Workspace:
    return drawn(tmp_path / "watch", KILN_AND_LOOM)


def by(workspace: Workspace, **policy: object) -> Backtest:
    """The backtest of a policy that differs from the usual one in these settings."""
    return backtest(workspace, Settings(detection=DetectionSettings.model_validate(policy)))


def changes(outcome: Backtest) -> dict[str | None, str]:
    """What became of each campaign; what no scan published is under None."""
    return {one.campaign_id: one.change for one in outcome.campaigns}


def about(outcome: Backtest, campaign_id: str | None) -> Changed:
    [only] = [one for one in outcome.campaigns if one.campaign_id == campaign_id]
    return only


# -- the policy moves -----------------------------------------------------------------------------------


def test_the_policy_that_was_in_force_changes_nothing(watch):
    outcome = by(watch)
    assert changes(outcome) == {"cmp-kiln": "unchanged", "cmp-loom": "unchanged"}
    assert [(night.n_were, night.n_would_be) for night in outcome.nights] == [(2, 2), (2, 2), (1, 1)]
    assert [(night.n_new, night.n_no_longer) for night in outcome.nights] == [(0, 0)] * 3
    assert [night.n_reference_nights for night in outcome.nights] == [0, 1, 2]


def test_a_stricter_policy_loses_what_was_just_enough(watch):
    outcome = by(watch, least_log_odds=7, first_night_log_odds=7)
    assert changes(outcome) == {"cmp-kiln": "unchanged", "cmp-loom": "no longer flagged"}
    loom = about(outcome, "cmp-loom")
    assert (loom.days_were, loom.days_would_be) == ((FIRST, SECOND), ())
    assert (loom.n_accounts, loom.log_odds, loom.families) == (8, 6.1, ("content", "timing"))
    assert (loom.action_was, loom.action_would_be) == ("watch", None)
    assert [(piece.code, piece.log_odds) for piece in loom.evidence] == [
        ("SOME_CONTENT", 3.5),
        ("SOME_TIMING", 2.6),
    ]
    assert [night.n_no_longer for night in outcome.nights] == [1, 1, 0]
    assert outcome.nights[0].n_accounts_would_be == 20


def test_a_looser_policy_finds_what_was_nearly_enough_once_over_all_nights(watch):
    outcome = by(watch, least_log_odds=4, first_night_log_odds=4)
    assert changes(outcome) == {None: "newly flagged", "cmp-kiln": "unchanged", "cmp-loom": "unchanged"}
    new = about(outcome, None)
    assert (new.days_were, new.days_would_be) == ((), (FIRST, SECOND, THIRD))
    assert (new.n_accounts, new.log_odds, new.candidate_id, new.day) == (9, 4.4, 2, FIRST)
    assert (new.confidence_would_be, new.action_would_be) == ("low", "watch")


def test_a_policy_that_asks_less_of_several_nights_finds_what_went_on(tmp_path):
    """Seen for the third time on the second night, on each just below what one night is asked for."""
    watch = drawn(
        tmp_path / "watch",
        """
        night | accounts | content | timing | nights | earlier | flagged
        1     | q1-q9    | 2.2     | 2.2    | 2      | 4.4     | -
        2     | q1-q9    | 2.2     | 2.2    | 3      | 8.8     | -
        """,
    )
    assert changes(by(watch)) == {}
    outcome = by(watch, mean_log_odds=4.3)
    assert changes(outcome) == {None: "newly flagged"}
    assert about(outcome, None).days_would_be == (SECOND,)
    assert changes(by(watch, mean_log_odds=4.3, several_nights=4)) == {}
    assert changes(by(watch, mean_log_odds=4.3, leave_out=["history"])) == {}


def test_a_first_night_alone_may_be_asked_for_more(watch):
    outcome = by(watch, first_night_log_odds=6.2)
    loom = about(outcome, "cmp-loom")
    assert (loom.change, loom.days_would_be) == ("later", (SECOND,))


def test_another_ladder_changes_actions_and_flags_nothing_else(watch):
    outcome = by(watch, high_action="verify", first_night_softer=0)
    assert changes(outcome) == {"cmp-kiln": "softer action", "cmp-loom": "unchanged"}
    kiln = about(outcome, "cmp-kiln")
    assert (kiln.action_was, kiln.action_would_be) == ("suspend", "verify")
    assert changes(by(watch, low_action="limit"))["cmp-loom"] == "harder action"
    assert changes(by(watch, high_log_odds=10))["cmp-kiln"] == "softer action"
    assert changes(by(watch, high_log_odds=10, medium_action="suspend"))["cmp-kiln"] == "other confidence"


def test_a_campaign_is_told_earlier_when_its_accounts_become_known_later(tmp_path):
    """The first night's group is no finding of that night, and is the campaign of the second."""
    watch = drawn(
        tmp_path / "watch",
        """
        night | accounts | content | timing | flagged
        1     | k1-k9    | 3.0     | 2.5    | -
        2     | k1-k12   | 4.0     | 2.5    | cmp-kiln low watch
        """,
    )
    kiln = about(by(watch, first_night_log_odds=5), "cmp-kiln")
    assert (kiln.change, kiln.days_were, kiln.days_would_be) == ("earlier", (SECOND,), (FIRST, SECOND))


def test_parts_of_a_group_are_no_more_findings_than_the_group(tmp_path):
    """Of three overlapping groups the scan published the middle one; the larger one passes, too."""
    watch = drawn(
        tmp_path / "watch",
        """
        night | accounts | content | timing | flagged
        1     | k1-k30   | 3.0     | 2.5    | -
        1     | k1-k20   | 3.9     | 2.5    | cmp-kiln low watch
        1     | k1-k7    | 3.0     | 2.5    | -
        1     | n1-n9    | 3.0     | 2.5    | -
        1     | n1-n5    | 3.0     | 2.6    | -
        """,
    )
    outcome = by(watch, first_night_log_odds=5)
    assert changes(outcome) == {"cmp-kiln": "unchanged", None: "newly flagged"}
    assert about(outcome, None).n_accounts == 9
    assert (outcome.nights[0].n_would_be, outcome.nights[0].n_accounts_would_be) == (2, 20 + 9)


# -- the reference --------------------------------------------------------------------------------------


def test_nights_are_judged_by_earlier_ones_only(tmp_path, watch):
    """What comes later, or is left out as later, changes no verdict of a night."""
    settings = Settings(detection=DetectionSettings(least_log_odds=4))
    whole, part = backtest(watch, settings), backtest(watch, settings, until=SECOND)
    assert list(part.nights) == list(whole.nights)[:2]
    louder = drawn(tmp_path / "louder", KILN_AND_LOOM + "4 | z1-z99 | 4.0 | 2.5 | 3.0 | cmp-z high suspend\n")
    assert list(backtest(louder, settings).nights)[:3] == list(whole.nights)


def test_nights_before_the_first_count_as_they_were_decided(watch):
    """A policy that had gone live on the second night does not undo the first."""
    outcome = backtest(watch, Settings(detection=DetectionSettings(least_log_odds=7)), since=SECOND)
    assert [night.day for night in outcome.nights] == [SECOND, THIRD]
    assert outcome.nights[0].n_reference_nights == 1
    assert about(outcome, "cmp-loom").days_were == (SECOND,)


def test_what_the_policy_would_have_flagged_taints_its_own_later_nights(tmp_path):
    """Two dozen groups of the first night are innocent unless one of their accounts was flagged before them.

    With the looser policy it is, and the second night has too few innocent groups to be no first night.
    """
    shared = "\n".join(f"1 | q{n} s{n} t{n} | 1.0 | - | -" for n in range(1, 26))
    watch = drawn(
        tmp_path / "watch",
        f"""
        night | accounts | content | timing | flagged
        1     | q1-q25   | 3.0     | 2.5    | -
        {shared}
        2     | k1-k9    | 3.0     | 2.5    | cmp-kiln low watch
        """,
    )
    n_crowd_and_shared = 50
    usual = by(watch, least_reference=n_crowd_and_shared, least_log_odds=5.6)
    assert usual.nights[1].n_reference_nights == 1
    looser = by(
        watch, least_reference=n_crowd_and_shared, least_log_odds=5.6, first_night_log_odds=5
    )  # flags q1-q25 on the first night
    assert looser.nights[0].n_new == 1
    assert looser.nights[1].n_reference_nights == 0


def test_nights_scanned_before_evidence_was_kept_are_left_out_and_still_calibrate(tmp_path):
    watch = drawn(tmp_path / "watch", KILN_AND_LOOM, without_pieces=[FIRST])
    outcome = by(watch, least_log_odds=7, first_night_log_odds=7)
    assert outcome.left_out == [FIRST]
    assert [night.day for night in outcome.nights] == [SECOND, THIRD]
    assert [night.n_reference_nights for night in outcome.nights] == [1, 2]
    assert about(outcome, "cmp-loom").days_were == (SECOND,)


# -- what people decided ----------------------------------------------------------------------------------


def test_decided_cases_say_what_a_policy_would_have_missed_and_spared(watch):
    """Kiln was confirmed and its approval has ended; loom was dismissed; and both are looked at again."""
    kiln, loom = (Subject(Level.CAMPAIGN, name) for name in ("cmp-kiln", "cmp-loom"))
    with CaseStore.open(watch.cases_url) as store:
        store.record(kiln, "dismiss", reason="a class?", by="ana", at=NOON - timedelta(days=200))
        store.record(
            *(kiln, "approve"), reason="no class", by="ana", action="limit", at=NOON - timedelta(days=150)
        )
        store.record(loom, "dismiss", reason="their own", by="ben", at=NOON)
        store.record(Subject(Level.ACCOUNT, "k1"), "dismiss", reason="ours", by="ben", at=NOON)

    def counts(**policy: object) -> dict[Verdict, tuple[int, int, int]]:
        decided = by(watch, **policy).decided
        return {one.verdict: (one.n_cases, one.n_would_be, one.n_no_longer) for one in decided}

    assert counts() == {Verdict.APPROVE: (1, 1, 0), Verdict.DISMISS: (1, 1, 0)}
    stricter = {"least_log_odds": 7, "first_night_log_odds": 7}
    assert counts(**stricter) == {Verdict.APPROVE: (1, 1, 0), Verdict.DISMISS: (1, 0, 1)}
    nothing = {"least_log_odds": 50, "first_night_log_odds": 50}
    assert counts(**nothing) == {Verdict.APPROVE: (1, 0, 1), Verdict.DISMISS: (1, 0, 1)}
    with CaseStore.open(watch.cases_url) as store:
        store.record(loom, "reopen", reason="look again", by="ana", at=NOON)
    assert counts() == {Verdict.APPROVE: (1, 1, 0)}
    assert about(by(watch), "cmp-loom").decided is None


def test_a_new_finding_of_accounts_somebody_decided_about_carries_their_verdict(watch):
    """A case from before these nights, on the accounts that a looser policy would flag."""
    with CaseStore.open(watch.cases_url) as store:
        store.record(
            Subject(Level.CAMPAIGN, "cmp-old"),
            "dismiss",
            reason="a hackathon",
            by="ana",
            members=[f"q{n}" for n in range(1, 7)],
            at=NOON,
        )
    outcome = by(watch, least_log_odds=4, first_night_log_odds=4)
    old = about(outcome, "cmp-old")
    assert (old.change, old.decided) == ("newly flagged", Verdict.DISMISS)
    assert [(one.verdict, one.n_were, one.n_would_be) for one in outcome.decided] == [(Verdict.DISMISS, 0, 1)]


def test_past_decisions_from_elsewhere_count_where_nobody_decided_here(watch):
    """Kiln's accounts were banned long before; one of loom's was, and says nothing of the others."""
    with CaseStore.open(watch.cases_url) as store:
        store.add_labels([banned(f"k{n}") for n in range(1, 21)] + [banned("l1")])
    decided = by(watch).decided
    assert [(one.verdict, one.n_cases) for one in decided] == [(Verdict.APPROVE, 1)]
    with CaseStore.open(watch.cases_url) as store:
        store.record(Subject(Level.CAMPAIGN, "cmp-kiln"), "dismiss", reason="ours", by="ana", at=NOON)
    assert [one.verdict for one in by(watch).decided] == [Verdict.DISMISS]


def test_accounts_that_a_label_speaks_against_are_no_innocent_reference(tmp_path):
    """As in a scan: q would be a reference on later nights, were its accounts not labelled."""
    watch = drawn(tmp_path / "watch", KILN_AND_LOOM)

    def innocent():
        with read_warehouse(watch) as con:
            history = read_history(con, FIRST, THIRD)
        return len(Reference(history, Policy()).before(history.nights[2]).log_odds)

    with_q = innocent()
    with duckdb.connect(watch.warehouse) as con:
        con.execute("INSERT INTO core.labelled SELECT concat('q', n) FROM range(1, 10) AS _(n)")
    assert innocent() == with_q - 2  # q of both nights before
    with duckdb.connect(watch.warehouse) as con:
        con.execute("INSERT INTO core.cleared FROM core.labelled")
    assert innocent() == with_q


def banned(account_id):
    return Label(
        notice_id=f"own/{account_id}",
        account_id=account_id,
        source="own",
        kind="decision.banned",
        said=Said.ENFORCED,
        category=None,
        reason="resold",
        said_by="ana",
        said_at=NOON - timedelta(days=90),
    )


# -- the command ------------------------------------------------------------------------------------------


def test_the_command_tells_both_ways_and_touches_nothing(watch, tmp_path):
    """Cases live where the workspace's own settings say, though the policy is in another file."""
    cases = f"sqlite:///{tmp_path / 'team.sqlite'}"
    watch.settings.write_text(f'cases_url = "{cases}"\n')
    with CaseStore.open(cases) as store:
        loom = Subject(Level.CAMPAIGN, "cmp-loom")
        store.record(loom, "approve", reason="harvest", by="ana", action="limit", members=["l1"], at=NOON)
    policy = tmp_path / "stricter.toml"
    policy.write_text("[detection]\nleast_log_odds = 7\nfirst_night_log_odds = 7\n")
    before = watch.warehouse.read_bytes()
    shown = stillwatch("backtest", "--workspace", watch.root, "--config", policy)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "3 nights judged again, 2025-06-01 to 2025-06-03" in shown.stdout
    [line] = [line for line in shown.stdout.splitlines() if "cmp-loom" in line]
    assert line.split()[:3] == ["no", "longer", "flagged"]
    assert "confirmed" in line
    assert "SOME_CONTENT +3.5" in line
    assert "Confirmed campaigns: 1; 1 were flagged, 0 would be, 1 missed" in shown.stdout
    told = stillwatch(
        "backtest", "-w", watch.root, "--config", policy, "--since", SECOND, "--format", "jsonl"
    )
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert [row["row"] for row in rows] == ["policy", "campaign", "campaign", "night", "night", "decided"]
    assert rows[0]["least_log_odds"] == 7
    assert rows[1]["campaign_id"] == "cmp-loom"
    assert rows[1]["evidence"][0] == {
        "family": "content",
        "code": "SOME_CONTENT",
        "value": 0.5,
        "usual_range": "less",
        "log_odds": 3.5,
    }
    assert watch.warehouse.read_bytes() == before


def test_without_a_change_the_table_says_so_and_which_nights_it_left_out(tmp_path):
    watch = drawn(tmp_path / "watch", KILN_AND_LOOM, without_pieces=[FIRST])
    shown = stillwatch("backtest", "--workspace", watch.root).stdout
    assert "Nothing changes: 2 campaigns as before." in shown
    assert "Left out: 1 night scanned before the evidence of candidates was kept" in shown
    assert "Nobody has decided" in shown


def test_nights_that_cannot_be_judged_again_are_told_with_a_remedy(tmp_path, watch):
    old = drawn(tmp_path / "old", KILN_AND_LOOM, without_pieces=[FIRST, SECOND, THIRD])
    with pytest.raises(UsageError, match="before the evidence of candidates was kept") as unkept:
        by(old)
    assert "scan the latest of them again" in unkept.value.remedy
    with pytest.raises(UsageError, match="no night of these was scanned"):
        backtest(watch, Settings(), since=THIRD + timedelta(days=1))
    with pytest.raises(UsageError, match="no night of these was scanned"):
        backtest(watch, Settings(), since=THIRD, until=SECOND)
    with pytest.raises(UsageError, match="no findings here yet"):
        by(Workspace(tmp_path / "empty").create())
    with watch.lock(), pytest.raises(WorkspaceBusy):
        by(watch)
