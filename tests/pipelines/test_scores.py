"""From features to scores in the warehouse, night after night."""

from datetime import timedelta

import pyarrow as pa
import pytest

from detector.features import FEATURES
from pipelines.scores import score_accounts
from pipelines.settings import Settings
from tests.detector.models.accounts import crowd, joined
from tests.drawn import JUNE_1, warehouse

SETTINGS = Settings()


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def given_account_days(con, columns, day=JUNE_1, prefix="account"):
    """Write made-up accounts as the feature step would."""
    n = len(columns["n_requests"])
    table = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    table["account_id"] = pa.array([f"{prefix}-{i:05}" for i in range(n)])
    con.register("made_up", pa.table(table))
    names = {
        "n_prompts": "coalesce(n_prompts, 0) AS n_prompts",
        "is_approved": "is_approved::INTEGER::BOOLEAN AS is_approved",
    }
    told = ", ".join(
        names.get(f.name, f.name) for f in FEATURES if f.name in columns and f.name != "hour_mask"
    )
    con.execute(
        f"""INSERT INTO night.account_day BY NAME
        SELECT $day AS day, account_id, {told}, $day + INTERVAL 1 HOUR AS first_sent_at,
               $day + INTERVAL 20 HOUR AS last_sent_at, 0 AS hour_mask, [] AS hour_counts
        FROM made_up""",
        {"day": day},
    )
    con.unregister("made_up")


def scores(con, day=JUNE_1):
    rows = con.execute(
        """SELECT account_id, peer_group, score, p_value, reasons
        FROM night.account_score WHERE day = $day ORDER BY account_id""",
        {"day": day},
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def test_scores_carry_reasons_with_the_usual_range(con):
    given_account_days(con, joined(crowd(300), crowd(1, n_requests=9_000, n_ips=80)))
    assert score_accounts(con, JUNE_1, SETTINGS) == 301
    group, score, p_value, reasons = scores(con)["account-00300"]
    assert (group, p_value) == ("person", pytest.approx(1 / 301))
    assert score > 0.5
    by_code = {reason["code"]: reason for reason in reasons}
    assert by_code["n_ips"] == {
        "code": "n_ips",
        "detail": "different addresses",
        "value": 80,
        "usual_range": "2 to 2 addresses",
    }
    assert 1 <= len(reasons) <= 4


def test_earlier_nights_calibrate_but_not_with_flagged_accounts(con):
    odd = {"n_requests": 9_000, "n_ips": 80, "output_tokens": 9_000_000}
    given_account_days(con, joined(crowd(600), crowd(50, **odd)))
    tonight = JUNE_1 + timedelta(1)
    given_account_days(con, joined(crowd(100, seed=8), crowd(1, **odd)), tonight, prefix="late")
    score_accounts(con, tonight, SETTINGS)
    hidden_among_its_like = scores(con, tonight)["late-00100"][2]
    assert hidden_among_its_like > 5 / 651
    con.execute(
        """INSERT INTO night.flagged_account
        SELECT day, account_id, 'c1', 1, 0.001, 'high', 'suspend', [], first_sent_at, last_sent_at,
               n_requests, 0
        FROM night.account_day WHERE day = $day AND account_id >= 'account-00600'""",
        {"day": JUNE_1},
    )
    score_accounts(con, tonight, SETTINGS)
    assert scores(con, tonight)["late-00100"][2] == pytest.approx(1 / 601)


def test_a_second_run_and_another_number_of_threads_give_the_same_rows(con):
    given_account_days(con, joined(crowd(300), crowd(80, tools_share=1), crowd(30, n_requests=3)))
    score_accounts(con, JUNE_1, SETTINGS)
    first = scores(con)
    con.execute("SET threads = 1")
    assert score_accounts(con, JUNE_1, SETTINGS) == 410
    assert scores(con) == first


def test_an_empty_night_has_no_scores(con):
    assert score_accounts(con, JUNE_1, SETTINGS) == 0
