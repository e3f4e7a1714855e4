"""Scopes from the settings on drawn accounts, and uses that have just ended."""

from datetime import timedelta

import pytest

from pipelines.approved import flag_beyond_approval, note_ended
from pipelines.errors import UsageError
from pipelines.lone import Alone, flagged_alone, judge_alone, measure_busy
from pipelines.scores import FLAGGED_COLUMNS, score_accounts
from pipelines.settings import Settings, load_settings
from tests.detector.models.accounts import crowd, joined
from tests.detector.models.test_lone import EXTRACTOR, applications
from tests.drawn import JUNE_1, warehouse
from tests.pipelines.test_scores import given_account_days

SCOPED = """
[approved_uses.evaluation]
techniques = ["preference_labels"]
[approved_uses.synthetic_data]
many_writers = false
"""


@pytest.fixture
def con():
    """Ordinary applications, and three extractors: for an evaluation, for synthetic data, for research."""
    with warehouse() as con:
        extractors = [crowd(1, **EXTRACTOR, is_approved=1) for _ in range(3)]
        given_account_days(con, joined(applications(400), *extractors))
        for at, use in ((400, " Evaluation"), (401, "synthetic_data"), (402, "research")):
            con.execute(
                "INSERT INTO core.account (account_id, approved_use) VALUES ($1, $2)",
                [f"account-{at:05}", use],
            )
        score_accounts(con, JUNE_1, Settings())
        yield con


@pytest.fixture
def scoped(tmp_path):
    path = tmp_path / "scoped.toml"
    path.write_text(SCOPED)
    return load_settings(path)


def judged_alone(con, settings) -> Alone:
    return judge_alone(con, JUNE_1, measure_busy(con, JUNE_1, settings), set(), settings)


def beyond(con, settings, carriers=()):
    judged = judged_alone(con, settings)
    return flag_beyond_approval(con, JUNE_1, settings, carriers, judged)


def test_only_whom_a_scope_does_not_cover_is_flagged_and_only_to_be_watched(con, scoped):
    assert flagged_alone(JUNE_1, judged_alone(con, scoped)).num_rows == 0
    [row] = beyond(con, scoped).to_pylist()
    assert row["account_id"] == "account-00400"
    assert (row["campaign_id"], row["confidence"], row["recommended_action"]) == (None, "low", "watch")
    codes = [reason["code"] for reason in row["reasons"]]
    assert codes == ["BEYOND_APPROVAL", "reasoning_trace_share", "n_requests"]


def test_without_a_section_every_use_covers_everything(con):
    table = beyond(con, Settings(), {"account-00400", "account-00402"})
    assert (table.num_rows, tuple(table.column_names)) == (0, FLAGGED_COLUMNS)


def test_a_carrier_is_judged_by_the_scope_of_its_use(con, scoped):
    con.execute(
        "UPDATE night.account_day SET n_prompts = 30, n_requests = 30 WHERE account_id > 'account-00399'"
    )
    assert beyond(con, scoped).num_rows == 0
    carriers = {"account-00000", "account-00400", "account-00401", "account-00402"}
    table = beyond(con, scoped, carriers)
    assert table["account_id"].to_pylist() == ["account-00400"]


def test_a_technique_nobody_knows_is_refused(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text('[approved_uses.evaluation]\ntechniques = ["everything"]\n')
    with pytest.raises(UsageError, match=r"approved_uses\.evaluation\.techniques"):
        load_settings(path)


def test_flags_say_which_approved_use_ended_in_the_last_thirty_days(con):
    ends = {"today": 0, "yesterday": 1, "a month ago": 30, "earlier": 31}
    for name, days in ends.items():
        con.execute(
            "INSERT INTO core.account (account_id, approved_use, approved_until) VALUES ($1, 'reseller', $2)",
            [name, JUNE_1 - timedelta(days)],
        )
    con.execute(
        "INSERT INTO core.account (account_id, approved_until) VALUES ('nothing', $1)",
        [JUNE_1 - timedelta(2)],
    )
    for day, names in ((JUNE_1, (*ends, "nothing", "unknown")), (JUNE_1 - timedelta(1), ("yesterday",))):
        for name in names:
            con.execute(
                """INSERT INTO night.flagged_account
                SELECT $day, $name, 'C-1', 0.9, 0.01, 'high', 'suspend', [], $day, $day, 1, 1""",
                {"day": day, "name": name},
            )
    note_ended(con, JUNE_1)
    rows = con.execute(
        "SELECT day, account_id, recommended_action, reasons FROM night.flagged_account"
    ).fetchall()
    told = {row[1]: row[3][-1] for row in rows if row[2] == "watch"}
    assert set(told) == {"yesterday", "a month ago"}
    assert all(day == JUNE_1 for day, _, action, _ in rows if action == "watch")
    assert told["yesterday"]["code"] == "APPROVAL_ENDED"
    assert str(JUNE_1 - timedelta(1)) in told["yesterday"]["detail"]
    assert [row[2:] for row in rows if row[1] == "unknown"] == [("suspend", [])]
