"""Contracts, read by their scope: what an approved use does not cover, and one that has just ended.

Here: the scopes of the settings on tonight's accounts, and the reasons that follow. Not here: the rules
(detector.models.lone), what keeps approved accounts out of campaigns (detector.campaigns).
"""

from collections.abc import Collection
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from detector.models import lone
from pipelines.lone import Alone
from pipelines.scores import as_flagged_accounts, columns_of
from pipelines.settings import ApprovedUseSettings, Settings
from pipelines.warehouse.arrow import fetch, in_one_piece
from pipelines.warehouse.statements import statement

ENDED_DAYS = 30
"""A renewal takes its time: until a month after the end the likelier reason is paper, and a person asks."""


TECHNIQUES = tuple(name.removesuffix("_share") for name in lone.TRAINING_TECHNIQUES)


def flag_beyond_approval(
    con: duckdb.DuckDBPyConnection, day: date, settings: Settings, carriers: Collection[str], judged: Alone
) -> pa.Table:
    """Accounts of `day` that go beyond their approved use: columns of night.flagged_account, not written.

    `carriers` are approved accounts that work with what holds a flagged campaign together; `judged` is what
    `judge_alone` gave. A use that `settings.approved_uses` does not name covers everything.
    """
    if not settings.approved_uses:
        return fetch(con, "FROM night.flagged_account LIMIT 0")
    accounts = judged.accounts
    columns = columns_of(accounts, settings.detection.leave_out)
    named = in_one_piece(accounts["approved_use"]).dictionary_encode("encode")
    scopes = _scopes(settings, named.dictionary.to_pylist())
    use = named.indices.to_numpy(zero_copy_only=False)
    found = lone.beyond_approval(
        columns,
        np.asarray(accounts["peer_group"].to_numpy(zero_copy_only=False)),
        as_extractors={finding.row for finding in judged.extractors},
        as_relays={finding.row for finding in judged.relays},
        covered=np.array([[name in scope.techniques for name in TECHNIQUES] for scope in scopes])[use],
        covers_writers=np.array([scope.many_writers for scope in scopes])[use],
        carriers=np.isin(accounts["account_id"].to_numpy(zero_copy_only=False), list(carriers)),
    )
    return as_flagged_accounts(day, accounts, found)


def _scopes(settings: Settings, uses: list[str | None]) -> list[ApprovedUseSettings]:
    """What each of the uses covers; everything, where nobody said."""
    said = {name.strip().lower(): scope for name, scope in settings.approved_uses.items()}
    return [said.get(use or "", ApprovedUseSettings()) for use in uses]


def note_ended(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Say of flagged accounts that their approved use ended within 30 days, and only recommend `watch`."""
    con.execute(statement("approval_ended"), {"day": day, "days": ENDED_DAYS})
