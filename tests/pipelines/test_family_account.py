"""Who used which family: what an account sent before is counted within the family, whatever else it sends."""

import pyarrow as pa

from pipelines.warehouse.arrow import registered
from pipelines.warehouse.statements import statement
from tests.drawn import JUNE_1, warehouse


def test_requests_whose_item_came_before_are_counted_in_their_family() -> None:
    """Account 0 sends item 7 in both families and sent it before; account 1 sends it for the first time."""
    with warehouse() as con:
        con.execute(
            """CREATE TEMP TABLE tonight_account AS
               FROM (VALUES (0, 'suite'), (1, 'new')) drawn(account, account_id)"""
        )
        con.execute(
            """CREATE TEMP TABLE sent AS
               FROM (VALUES (0, 0, 7, 3, 900), (0, 0, 8, 2, 0), (0, 1, 7, 1, 0), (1, 0, 7, 4, 0))
                    drawn(family, account, item, n_requests, training_permille)"""
        )
        con.execute("INSERT INTO night.asked_again VALUES ('suite', 7), ('away', 8)")
        names = pa.table({"family": pa.array([0, 1], pa.int32()), "family_id": ["p-a", "p-b"]})
        with registered(con, "tonight_family", names):
            con.execute(statement("families/family_account"), {"day": JUNE_1})
        rows = con.sql(
            """SELECT family_id, account_id, n_requests, n_items, n_shared_items, training_permille,
                      n_repeated
               FROM night.family_account ORDER BY family_id, account_id"""
        ).fetchall()
    assert rows == [
        ("p-a", "new", 1, 1, 1, 0, 0),
        ("p-a", "suite", 5, 2, 1, 900, 3),
        ("p-b", "suite", 4, 1, 0, 0, 4),
    ]
