"""Campaigns over nights in a warehouse: what is remembered, and what is written down of it."""

from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from pipelines.campaigns.histories import MEMORY_NIGHTS, identities
from tests.drawn import JUNE_1, warehouse

NIGHTS = [JUNE_1 + timedelta(n) for n in range(6)]


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def night(con, day: date, *found: tuple[str, str], active: str = "") -> list[str]:
    """Name and store the groups of one night, each drawn as its accounts and its families; returns their ids.

    `active` are accounts that sent something and are in no group.
    """
    groups = [
        SimpleNamespace(account_ids=who.split(), family_requests=dict.fromkeys(families.split(), 9.0))
        for who, families in found
    ]
    sent = sorted({*active.split(), *(name for group in groups for name in group.account_ids)})
    con.execute("DELETE FROM night.campaign_event WHERE day = $1", [day])
    con.execute("DELETE FROM night.campaign WHERE day = $1", [day])
    con.execute("DELETE FROM night.flagged_account WHERE day = $1", [day])
    accounts = pl.DataFrame({"account_id": sent}, schema={"account_id": pl.String})
    named = identities(con, SimpleNamespace(day=day, accounts=accounts, remembers=True), groups)
    for (campaign_id, status), group in zip(named, groups, strict=True):
        con.execute(
            """INSERT INTO night.campaign
               VALUES ($day, $id, 1, 0, 'high', 'verify', $n, 1, 1, $day, $day, [], [], '', [], [], '',
                       $status, $families)""",
            {"day": day, "id": campaign_id, "status": status, "n": len(group.account_ids),
             "families": sorted(group.family_requests)},
        )  # fmt: skip
        for account_id in group.account_ids:
            con.execute(
                """INSERT INTO night.flagged_account
                   VALUES ($day, $account, $id, 0.9, 0.01, 'high', 'verify', [], $day, $day, 1, 1)""",
                {"day": day, "account": account_id, "id": campaign_id},
            )
    return [campaign_id for campaign_id, _ in named]


def told(con) -> list[tuple]:
    """Everything that was written down: night, campaign, event, other campaign, accounts, stopped."""
    rows = con.execute(
        "SELECT day, * EXCLUDE (day) FROM night.campaign_event ORDER BY day, campaign_id, event"
    ).fetchall()
    return [(NIGHTS.index(row[0]), *row[1:]) for row in rows]


OLD = "a b c d e f g h i j"
NEW = "k l m n o p q r s t"


def test_a_rest_is_written_down_once_and_so_is_the_return(con):
    [kiln] = night(con, NIGHTS[0], (OLD, "p-1"))
    night(con, NIGHTS[1])
    night(con, NIGHTS[2])
    assert night(con, NIGHTS[3], (OLD, "p-1")) == [kiln]
    night(con, NIGHTS[4])
    assert told(con) == [
        (0, kiln, "new", None, 10, None),
        (1, kiln, "dormant", None, 10, None),
        (3, kiln, "resumed", None, 10, None),
        (4, kiln, "dormant", None, 10, None),
    ]


def test_a_pool_made_anew_with_reworded_templates_is_tied_to_its_campaign(con):
    """Other accounts, other families: only the tie leads back, and only if its kinds add up to enough."""
    [kiln] = night(con, NIGHTS[0], (OLD, "p-1"))
    tie = "INSERT INTO night.family_tie VALUES ($1, 'p-1', 'p-2', $2, $3)"
    con.execute(tie, [NIGHTS[1], "contract", 5.0])
    assert night(con, NIGHTS[1], (NEW, "p-2")) != [kiln]
    con.execute(tie, [NIGHTS[1], "wording", 4.0])
    assert night(con, NIGHTS[1], (NEW, "p-2")) == [kiln]
    assert told(con)[1:] == [
        (1, kiln, "replaced", None, 10, 10),
        (1, kiln, "steady", None, 10, None),
    ]


def test_who_was_ever_in_it_is_not_new_to_it(con):
    """Ten accounts, then ten others, then the first ten again: nobody new the third time."""
    [kiln] = night(con, NIGHTS[0], (OLD, "p-1"))
    night(con, NIGHTS[1], (NEW, "p-1"))
    night(con, NIGHTS[2], (OLD, "p-1"))
    assert [row[2] for row in told(con)] == ["new", "replaced", "steady", "steady"]
    assert {row[1] for row in told(con)} == {kiln}


def test_members_that_still_send_something_have_not_stopped(con):
    night(con, NIGHTS[0], (OLD, "p-1"))
    night(con, NIGHTS[1], (NEW, "p-1"), active=OLD)
    assert [row[2] for row in told(con)] == ["new", "steady"]


FEW = "k l m n o"


def test_a_merger_is_written_down_once_and_the_old_name_is_kept_for_a_return(con):
    kiln, loom = night(con, NIGHTS[0], (OLD, "p-1"), (FEW, "p-2"))
    for at in (1, 2):
        assert night(con, NIGHTS[at], (f"{OLD} {FEW}", "p-1 p-2")) == [kiln]
    assert night(con, NIGHTS[3], (OLD, "p-1"), (FEW, "p-3")) == [kiln, loom]
    assert [row for row in told(con) if row[2] in {"merged", "split", "dormant", "resumed"}] == [
        (1, kiln, "merged", loom, 5, None),
        (3, loom, "resumed", None, 5, None),
    ]


def test_a_split_is_written_down_once(con):
    [kiln] = night(con, NIGHTS[0], (f"{OLD} {FEW}", "p-1"))
    apart = [night(con, NIGHTS[at], (OLD, "p-1"), (FEW, "p-1")) for at in (1, 2)]
    assert apart[0] == apart[1]
    assert apart[0][0] == kiln
    assert [row for row in told(con) if row[2] in {"merged", "split", "dormant"}] == [
        (1, kiln, "split", apart[0][1], 5, None),
    ]


def test_a_night_scanned_again_tells_the_same_also_after_later_nights(con):
    night(con, NIGHTS[0], (OLD, "p-1"))
    night(con, NIGHTS[1])
    night(con, NIGHTS[2], (OLD, "p-1"))
    before = told(con)
    for at, found in ((1, ()), (2, ((OLD, "p-1"),)), (0, ((OLD, "p-1"),))):
        night(con, NIGHTS[at], *found)
        assert told(con) == before


def test_a_campaign_of_long_ago_is_forgotten(con):
    [kiln] = night(con, JUNE_1 - timedelta(MEMORY_NIGHTS + 1), (OLD, "p-1"))
    assert night(con, JUNE_1, (OLD, "p-1")) != [kiln]
