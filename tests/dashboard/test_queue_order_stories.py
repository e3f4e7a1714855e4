"""The queue says what it is ordered by, and goes back to the plain order at a click."""

import duckdb
import pytest

from pipelines.publish import publish
from tests.dashboard.test_console_stories import opened, words
from tests.decided import NEWS, learned
from tests.story import THIRD, told


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    made = told(tmp_path / "watch")
    monkeypatch.setenv("STILLWATCH_WORKSPACE", str(made.root))
    return made


def order_of(app):
    shown = words(app)
    return sorted(NEWS, key=shown.index)


def test_the_queue_says_that_past_decisions_order_it_and_how_much_better(workspace):
    learned(workspace)
    app = opened()
    shown = words(app)
    assert "Campaigns are ordered by past decisions, 30 approved and 30 dismissed" in shown
    assert "later ones they put the approved case before the dismissed one in" in shown
    assert "Lone accounts stand in plain order: nobody has decided about one yet" in shown
    assert "none is left out" in shown
    assert order_of(app)[0] == "new-d"


def test_the_queue_says_nothing_of_the_order_of_those_who_are_not_in_it(workspace):
    """Campaigns were found, and no lone account."""
    learned(workspace)
    with duckdb.connect(workspace.warehouse) as con:
        con.execute("DELETE FROM night.flagged_account WHERE campaign_id IS NULL")
        publish(con, workspace)
    shown = words(opened())
    assert "Campaigns are ordered by past decisions" in shown
    assert "Lone accounts" not in shown


def test_a_switch_goes_back_to_the_plain_order_and_loses_nobody(workspace):
    learned(workspace)
    app = opened()
    rows = words(app).count("sw-case")
    app.toggle(key="learned").set_value(False).run()
    assert not app.exception
    assert order_of(app) == list(NEWS)
    assert words(app).count("sw-case") == rows
    assert "Switched back to plain order" in words(app)


def test_an_earlier_night_is_not_ordered_by_later_decisions(workspace):
    learned(workspace)
    app = opened(night="2025-06-02")
    assert "stands in its plain order" in words(app)
    assert not app.toggle
    assert order_of(opened(night=f"{THIRD}"))[0] == "new-d"


def test_without_enough_decisions_there_is_no_switch(workspace):
    app = opened()
    assert not app.toggle
    assert "past decisions" not in words(app)
