"""Judging again: the reference is the scan's own, whatever the nights held."""

import random
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from drawn import warehouse
from drawn_nights import FIRST

from detector.campaigns import Policy
from pipelines.backtest.history import read_history
from pipelines.backtest.replay import Reference
from pipelines.campaigns.judging import reference
from pipelines.warehouse.arrow import registered

N_NIGHTS, N_CANDIDATES, N_ACCOUNTS = 7, 15, 1_500


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("least_log_odds", [2.0, 5.0])
def test_what_looks_innocent_before_each_night_is_what_a_scan_takes_for_it(seed: int, least_log_odds: float):
    """Random nights: groups that overlap, come again, are flagged, were flagged once; some are cleared."""
    con = _random_nights(random.Random(seed))
    policy = Policy(least_log_odds=least_log_odds)
    history = read_history(con, date.min, date.max)
    ours = Reference(history, policy)
    sizes, means = [], []
    for night in history.nights:
        expected = reference(con, night.day, policy)
        innocent = ours.before(night)
        np.testing.assert_array_equal(innocent.log_odds, expected.log_odds)
        np.testing.assert_array_equal(innocent.means, expected.means)
        assert innocent.n_nights == expected.n_nights
        sizes.append(len(expected.log_odds))
        means.append(len(expected.means))
        recorded = history.flagged[night.candidates.start : night.candidates.stop]
        ours.learn(night, recorded, [night.alone, *(campaign.accounts for campaign in night.campaigns)])
    assert len(history.nights) == N_NIGHTS
    assert 0 < means[-1] < sizes[-1]
    quiet = ~history.flagged & (history.log_odds < least_log_odds)
    assert 0 < sizes[-1] < quiet[: history.nights[-1].candidates.start].sum()  # some of them are tainted


def _random_nights(chance: random.Random) -> duckdb.DuckDBPyConnection:
    con = warehouse()
    candidates, members, flagged = [], [], []
    for number in range(N_NIGHTS):
        day = FIRST + timedelta(days=number)
        con.execute("""INSERT INTO night.summary VALUES ($day, 0, 0, 0, 0, 0, 0, 0, 0, '')""", {"day": day})
        tonight: list[tuple[set[str], float]] = []
        for candidate_id in range(N_CANDIDATES if number != 3 else 0):
            accounts = [f"a{n}" for n in chance.sample(range(N_ACCOUNTS), chance.choice((5, 20, 40)))]
            if tonight and chance.random() < 0.3:  # a part of the one before, with a stranger
                accounts = [*sorted(tonight[-1][0])[:4], accounts[0]]
            accused = chance.random() < 0.06
            tonight.append((set(accounts), chance.gauss(0, 3)))
            n_nights = chance.choice((None, 1, 2, 3, 6))
            earlier = None if n_nights is None else (n_nights - 1) * chance.gauss(0, 2)
            candidates.append(
                (day, candidate_id, len(accounts), tonight[-1][1], accused, True, n_nights, earlier)
            )
            members += [(day, candidate_id, account) for account in accounts]
            if accused:
                published = accounts if chance.random() < 0.7 else accounts[:2]
                flagged += [(day, account, f"cmp-{number}-{candidate_id}") for account in published]
        for at, (mine, evidence) in enumerate(tonight):
            stronger = [other for other, more in tonight if more > evidence]
            is_head = not any(2 * len(mine & other) >= len(mine) for other in stronger)
            candidates[at - len(tonight)] += (is_head,)
        flagged += [(day, f"a{chance.randrange(N_ACCOUNTS)}", None)]
    columns = "day candidate_id n_accounts evidence flagged has_content n_nights earlier_evidence is_head"
    _insert(con, "candidate", columns, candidates)
    _insert(con, "candidate_account", "day candidate_id account_id", members)
    _insert(con, "flagged_account", "day account_id campaign_id", flagged, UNTOLD)
    cleared = chance.sample(sorted({account for _, account, _ in flagged}), 8)
    con.executemany("INSERT INTO core.cleared VALUES (?)", [[account] for account in cleared])
    return con


UNTOLD = """0.9 AS score, 0.01 AS p_value, 'low' AS confidence, 'watch' AS recommended_action, [] AS reasons,
            day::TIMESTAMP AS first_seen, day::TIMESTAMP AS last_seen, 1 AS n_requests, 1 AS output_tokens"""


def _insert(
    con: duckdb.DuckDBPyConnection, table: str, columns: str, rows: list[tuple[object, ...]], more: str = ""
) -> None:
    drawn = pa.table({name: [row[at] for row in rows] for at, name in enumerate(columns.split())})
    with registered(con, "drawn", drawn):
        chosen = f"*, {more}" if more else "*"
        con.execute(f"INSERT INTO night.{table} BY NAME SELECT {chosen} FROM drawn")
