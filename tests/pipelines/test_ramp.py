"""Who grows slowly does not become the new normal, and whom a person clears is ordinary again."""

from datetime import timedelta

import numpy as np
import pytest

from pipelines.cases import CaseStore, Level, Subject
from pipelines.dismissals import note_dismissals
from pipelines.scores import read_reference, score_accounts
from pipelines.settings import Settings
from pipelines.workspace import Workspace
from tests.detector.models.accounts import crowd
from tests.drawn import JUNE_1, warehouse
from tests.pipelines.test_scores import SETTINGS, given_account_days, scores

NIGHTS = 21
N_CUSTOMERS, N_ADVERSARIES = 600, 60


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def night(n, growth):
    """Customers as ever; the adversary's accounts begin as customers do and grow by `growth` a night."""
    level = round(40 * growth**n)
    grown = {"n_requests": level, "output_tokens": 300 * level, "growth_ratio": level / 40}
    return crowd(N_CUSTOMERS, seed=n), crowd(N_ADVERSARIES, seed=900 + n, **grown)


def test_a_pool_that_grows_by_15_percent_a_night_stays_visible_and_moves_no_threshold(con):
    """Nobody flags it in three weeks. A tenth of the peer group ramps: its own nights must not calibrate
    it."""
    unusual_customers, adversary_p = [], []
    for n in range(NIGHTS):
        day = JUNE_1 + timedelta(n)
        customers, adversary = night(n, 1.15)
        given_account_days(con, customers, day, prefix="customer")
        given_account_days(con, adversary, day, prefix="ramp")
        score_accounts(con, day, SETTINGS)
        p_values = {name: row[2] for name, row in scores(con, day).items()}
        adversary_p.append(np.median([p for name, p in p_values.items() if name.startswith("ramp")]))
        customers_p = [p for name, p in p_values.items() if name.startswith("customer")]
        unusual_customers.append(np.mean(np.array(customers_p) <= 0.05))
    assert adversary_p[0] > 0.1  # it began like everybody else
    assert max(adversary_p[15:]) < 0.01  # a sixteenth of the reference would be 0.09
    assert 0.02 < np.mean(unusual_customers[15:]) < 0.08  # customers are judged as before it came
    kept = read_reference(con, JUNE_1 + timedelta(NIGHTS))["account_id"].to_pylist()
    assert len(kept) == N_CUSTOMERS
    assert not any(name.startswith("ramp") for name in kept)


def test_a_customer_whose_traffic_doubles_stays_in_the_reference(con):
    for n in range(NIGHTS):
        customers, growing = night(n, 2 ** (1 / NIGHTS))
        given_account_days(con, customers, JUNE_1 + timedelta(n), prefix="customer")
        given_account_days(con, growing, JUNE_1 + timedelta(n), prefix="growing")
    kept = read_reference(con, JUNE_1 + timedelta(NIGHTS))["account_id"].to_pylist()
    assert sum(name.startswith("growing") for name in kept) == N_ADVERSARIES


FLAGGED = """
INSERT INTO night.flagged_account
SELECT $day, account_id, campaign_id, 0.9, 0.01, 'low', 'watch', [], $day, $day, 1, 1
FROM (VALUES ('account-00000', 'C-1'), ('account-00001', 'C-1'), ('account-00001', 'C-2'),
             ('account-00002', NULL), ('account-00003', NULL), ('account-00004', 'C-1')) AS f(account_id,
             campaign_id)
"""


def test_only_whom_a_person_dismissed_in_every_case_comes_back(con, tmp_path):
    """C-1 is dismissed as it was (without account 4, which joined later), C-2 is undecided; 2 is dismissed
    alone."""
    given_account_days(con, crowd(6))
    con.execute(FLAGGED, {"day": JUNE_1})
    workspace = Workspace(tmp_path)
    settings = Settings()
    assert note_dismissals(con, workspace, settings) == 0  # nobody has decided anything, and no store is made
    assert not workspace.cases.exists()
    with CaseStore.open(workspace.cases_url) as store:
        members = ("account-00000", "account-00001")
        store.record(Subject(Level.CAMPAIGN, "C-1"), "dismiss", reason="a class", by="kim", members=members)
        store.record(Subject(Level.ACCOUNT, "account-00002"), "dismiss", reason="a customer", by="kim")
        store.record(Subject(Level.ACCOUNT, "account-00003"), "watch", reason="not sure", by="kim")
    assert note_dismissals(con, workspace, settings) == 2
    kept = read_reference(con, JUNE_1 + timedelta(1))["account_id"].to_pylist()
    assert sorted(kept) == ["account-00000", "account-00002", "account-00005"]
    with CaseStore.open(workspace.cases_url) as store:
        store.record(Subject(Level.CAMPAIGN, "C-1"), "reopen", reason="no class", by="kim")
    assert note_dismissals(con, workspace, settings) == 1
