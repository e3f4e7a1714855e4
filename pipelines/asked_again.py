"""What accounts ask night after night: items of tonight that the same account sent before.

Here: night.asked_again, which the steps `families` and `features` read. Not here: what it means for an
account (detector.features) or for a group (detector.campaigns).
"""

from datetime import date

import duckdb

from pipelines.warehouse.statements import statement

REPEAT_NIGHTS = 7
"""Nights searched for items an account repeats: a week shows weekly suites as well as nightly ones."""


def note_asked_again(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Replace all rows of night.asked_again by those of `day`: two steps on two connections read them."""
    con.execute("DELETE FROM night.asked_again")
    con.execute(statement("asked_again"), {"day": day, "nights": REPEAT_NIGHTS})
