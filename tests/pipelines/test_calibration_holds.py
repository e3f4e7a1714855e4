"""Calibration, watched night by night on drawn tables: who counts, what is kept, what a warning says."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from pipelines.drift import check_calibration
from pipelines.scores import score_accounts
from pipelines.settings import DetectionSettings, Settings
from tests.detector.models.accounts import crowd
from tests.drawn import JUNE_1, warehouse
from tests.pipelines.test_scores import given_account_days

SETTINGS = Settings()


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def night(n):
    """The n-th night, from 0."""
    return JUNE_1 + timedelta(n)


def given_scores(con, day, n, low_share, prefix="account"):
    """p-values as a night would leave them: so many accounts at 0.01, the rest at 0.5."""
    p_values = np.where(np.arange(n) < round(n * low_share), 0.01, 0.5)
    table = pa.table({"account_id": [f"{prefix}-{i:05}" for i in range(n)], "p_value": p_values})
    con.register("made_up", table)
    con.execute(
        """INSERT INTO night.account_score
        SELECT $day, account_id, 'person', 0.5, p_value, [] FROM made_up""",
        {"day": day},
    )
    con.unregister("made_up")


def given_flag(con, day, account_id):
    con.execute(
        """INSERT INTO night.flagged_account
        SELECT $day, $account_id, NULL, 0.9, 0.01, 'low', 'watch', [], $day, $day, 1, 1""",
        {"day": day, "account_id": account_id},
    )


def drift_of(con, day):
    result = con.execute("FROM night.drift WHERE day = $day ORDER BY lane", {"day": day})
    names = [column[0] for column in result.description]
    return {row[1]: dict(zip(names, row, strict=True)) for row in result.fetchall()}


def test_customers_as_ever_are_judged_from_the_second_night_on_and_never_warned_of(con):
    for n in range(10):
        given_account_days(con, crowd(400, seed=n), night(n))
        score_accounts(con, night(n), SETTINGS)
        assert check_calibration(con, night(n), SETTINGS) == 0
        assert list(drift_of(con, night(n))) == (["person"] if n else [])
    row = drift_of(con, night(9))["person"]
    assert (row["n_accounts"], row["n_reference"]) == (400, 400)
    assert 0 < row["n_low"] < row["tolerated_share"] * 400
    assert row["evidence"] < 10
    assert row["moved"] == []


def test_a_drift_is_warned_of_within_two_weeks_with_what_moved(con):
    """Newcomers ask from many addresses, night after night others of them."""
    given_account_days(con, crowd(3_000), night(0))
    warned = []
    for n in range(1, 15):
        given_account_days(con, crowd(300, seed=n, n_ips=9), night(n), prefix=f"newcomer-{n}")
        given_scores(con, night(n), 300, 0.3, prefix=f"newcomer-{n}")
        warned.append(check_calibration(con, night(n), SETTINGS))
    assert warned.index(1) + 1 in range(8, 15)
    row = drift_of(con, night(14))["person"]
    assert row["warned"]
    assert row["since"] == night(1)
    assert row["evidence"] == row["warn_at"]
    assert row["moved"][0]["feature"] == "n_ips"
    assert row["moved"][0]["distance"] > 0.3


def test_a_night_scanned_again_replaces_its_row_and_does_not_look_ahead(con):
    given_account_days(con, crowd(2_000), night(0))
    for n in range(1, 10):
        given_scores(con, night(n), 500, 0.3)
        check_calibration(con, night(n), SETTINGS)
    before = {n: drift_of(con, night(n)) for n in range(1, 10)}
    check_calibration(con, night(4), SETTINGS)
    assert {n: drift_of(con, night(n)) for n in range(1, 10)} == before
    # what a mended night says counts for the nights after it as soon as they are scanned
    con.execute("DELETE FROM night.account_score WHERE day = $day", {"day": night(4)})
    given_scores(con, night(4), 500, 0.0)
    check_calibration(con, night(4), SETTINGS)
    assert drift_of(con, night(5)) == before[5]
    check_calibration(con, night(9), SETTINGS)
    assert drift_of(con, night(9))["person"]["since"] == night(5)


def test_the_flagged_do_not_count_until_a_person_has_cleared_them(con):
    given_account_days(con, crowd(300), night(0))
    given_scores(con, night(3), 100, 0.2)
    given_flag(con, night(3), "account-00000")
    given_flag(con, night(2), "account-00001")
    given_flag(con, night(2), "account-00002")
    given_flag(con, night(4), "account-00003")  # a later night is not known yet
    con.execute("INSERT INTO core.cleared VALUES ('account-00002'), ('account-00000')")
    check_calibration(con, night(3), SETTINGS)
    row = drift_of(con, night(3))["person"]
    assert (row["n_accounts"], row["n_low"]) == (98, 18)
    assert row["n_reference"] == 299  # account 1 is no example of the ordinary


def test_a_group_without_earlier_nights_makes_no_bet(con):
    given_account_days(con, crowd(199), night(0))
    given_scores(con, night(1), 400, 0.9)
    assert check_calibration(con, night(1), SETTINGS) == 0
    assert drift_of(con, night(1)) == {}
    without = Settings(detection=DetectionSettings(leave_out=("history",)))
    given_account_days(con, crowd(300), night(0), prefix="more")
    check_calibration(con, night(1), SETTINGS)
    assert list(drift_of(con, night(1))) == ["person"]
    check_calibration(con, night(1), without)
    assert drift_of(con, night(1)) == {}


CANDIDATES = "INSERT INTO night.candidate VALUES ($day, $id, 5, $evidence, $flagged, true, true, 1, 0)"


def test_candidates_are_a_lane_of_their_own_without_the_flagged_and_their_parts(con):
    for at in range(40):
        given = {"day": night(0), "id": at, "evidence": at % 4 - 2.0, "flagged": False}
        con.execute(CANDIDATES, given)
    tonight = [(1, 4.0, False), (2, 4.5, False), (3, -1.0, False), (4, 9.0, True), (5, 4.0, False)]
    for at, evidence, flagged in tonight:
        given = {"day": night(1), "id": at, "evidence": evidence, "flagged": flagged}
        con.execute(CANDIDATES, given)
        con.execute(
            "INSERT INTO night.candidate_account VALUES ($1, $2, $3)",
            [night(1), at, "kiln-1" if at in (4, 5) else f"other-{at}"],
        )
    given_flag(con, night(1), "kiln-1")
    assert check_calibration(con, night(1), SETTINGS) == 0
    row = drift_of(con, night(1))["candidates"]
    assert (row["n_accounts"], row["n_low"], row["n_reference"]) == (3, 2, 40)
    assert 1 < row["factor"] <= 4
