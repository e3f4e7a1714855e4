"""The step `ties`: families in the warehouse, tonight's and earlier ones, and what joins them."""

from datetime import timedelta

import pytest

from pipelines.ties import MEMORY_NIGHTS, tie_families
from tests.drawn import JUNE_1, rows_of, warehouse


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def given_families(con, table, day=JUNE_1):
    """Insert drawn families: `marks` and `slots` are numbers apart by spaces, `accounts` are names."""
    for row in rows_of(table):
        marks, slots, accounts = ((row.get(name) or "").split() for name in ("marks", "slots", "accounts"))
        con.execute(
            """INSERT INTO night.family BY NAME SELECT $day AS day, $family AS family_id, 'prompt' AS kind,
                   $n AS n_accounts, 9 AS n_requests, 9 AS n_items, $day AS first_seen,
                   coalesce($skeleton, '') AS skeleton, []::UINTEGER[] AS shingles,
                   $marks::UINTEGER[] AS marks""",
            {"day": day, "family": row["family"], "n": len(accounts), "skeleton": row.get("skeleton"),
             "marks": [int(mark) for mark in marks]},
        )  # fmt: skip
        for slot in slots:
            con.execute(
                "INSERT INTO night.family_slot VALUES ($1, $2, $3, 1)", [day, row["family"], int(slot)]
            )
        for name in accounts:
            con.execute(
                """INSERT INTO night.family_account BY NAME SELECT $1 AS day, $2 AS family_id,
                   $3 AS account_id, 1 AS n_requests, 1 AS n_items, 0 AS n_shared_items""",
                [day, row["family"], name],
            )


def ties_of(con, day=JUNE_1):
    return [
        (first, second, kind)
        for first, second, kind in con.execute(
            """SELECT first_family_id, second_family_id, kind FROM night.family_tie
               WHERE day = $day AND strength > 2 ORDER BY ALL""",
            {"day": day},
        ).fetchall()
    ]


QUEUE = " ".join(map(str, range(500, 540)))
CROWD = "family | marks | accounts\n" + "\n".join(
    f"p-{n} | {1000 + 2 * n} {1001 + 2 * n} | c{n} d{n}" for n in range(60)
)


def test_families_with_one_contract_or_one_queue_are_tied(con):
    given_families(con, CROWD)
    given_families(
        con,
        f"""
        family | marks    | slots   | accounts
        p-en   | 71 72 73 | {QUEUE} | ana bob
        p-de   | 71 72 73 | -       | cyd dan
        p-fr   | -        | {QUEUE} | eve fay
    """,
    )
    assert tie_families(con, JUNE_1) == 2
    assert ties_of(con) == [("p-de", "p-en", "contract"), ("p-en", "p-fr", "source")]


def test_tonight_is_tied_to_an_earlier_night_and_to_no_forgotten_one(con):
    yesterday, long_ago = JUNE_1 - timedelta(1), JUNE_1 - timedelta(MEMORY_NIGHTS + 1)
    given_families(con, CROWD)
    marks = "family | marks | accounts\n{} | 71 72 73 | x"
    given_families(con, marks.format("p-old"), yesterday)
    given_families(con, marks.format("p-older"), yesterday)
    given_families(con, marks.format("p-gone"), long_ago)
    given_families(con, marks.format("p-new"))
    tie_families(con, JUNE_1)
    assert ties_of(con) == [("p-new", "p-old", "contract"), ("p-new", "p-older", "contract")]


def test_a_second_run_changes_nothing_and_an_empty_night_has_no_ties(con):
    assert tie_families(con, JUNE_1) == 0
    given_families(con, CROWD)
    given_families(con, "family | marks | accounts\np-a | 71 72 | x\np-b | 71 72 | y")
    assert tie_families(con, JUNE_1) == tie_families(con, JUNE_1) == 1
    assert len(ties_of(con)) == 1
