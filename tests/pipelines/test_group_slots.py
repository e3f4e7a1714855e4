"""What fills the slots of a group, measured on its members' requests alone."""

import numpy as np
import pytest

from detector.campaigns import Slots
from pipelines.campaigns import slots
from pipelines.campaigns.asked import Asked
from pipelines.campaigns.samples import gather_samples
from tests.dealt import given_families, harvest, people, request
from tests.drawn import JUNE_1, insert_requests, warehouse


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


def measure_slots(con, day, groups):
    return slots.measure_slots(con, day, gather_samples(con, day, groups))


BOTS = [f"bot-{n:03}" for n in range(100)]
PEOPLE = [f"user-{n:03}" for n in range(60)]


def test_a_list_is_seen_among_the_strangers_who_use_its_template_too(con):
    """The family as a whole is a mixture; its pool was dealt a list, the others wrote their own."""
    rng = np.random.default_rng(1)
    insert_requests(con, [*harvest(rng), *people(rng)], JUNE_1)
    given_families(con, mixed="")  # everybody's
    pool, crowd, nobody = measure_slots(
        con, JUNE_1, [Asked(BOTS, ["mixed"]), Asked(PEOPLE, ["mixed"]), Asked(["stranger"], ["mixed"])]
    )
    assert (pool.n_items, pool.n_compared) == (600, 100)
    assert abs(pool.likeness) < 0.03
    assert pool.geometric_z < -2.3
    assert crowd.likeness > 0.3
    assert crowd.geometric_z > -2.3
    assert nobody.n_items == 0
    assert np.isnan(nobody.likeness)


def test_who_is_given_another_template_is_not_unlike_the_next(con):
    """Half the pool works with long texts in one template, half with short ones in another: two lists."""
    rng = np.random.default_rng(1)
    long, short = (harvest(rng, 50, name=name) for name in ("long", "short"))
    for row in long:
        row["n_prompt_bytes"] = int(row["n_prompt_bytes"]) * 50
    insert_requests(con, [*long, *short], JUNE_1)
    given_families(con, one="long", other="short")
    members = [f"{name}-{n:03}" for name in ("long", "short") for n in range(50)]
    [together] = measure_slots(con, JUNE_1, [Asked(members, ["one", "other"])])
    assert together.n_compared == 100
    assert abs(together.likeness) < 0.03


def test_a_request_in_two_of_a_groups_families_counts_once(con):
    rows = [request(f"bot-{n % 6:03}", 60 * n, f"item {n % 20}") for n in range(60)]
    insert_requests(con, rows, JUNE_1)
    given_families(con, frame="bot", item="bot")
    [found] = measure_slots(con, JUNE_1, [Asked(BOTS, ["frame", "item"])])
    assert found.n_items == 20
    assert found.shared == 1.0
    assert found.top_item == pytest.approx(0.5)


def test_what_stands_under_a_shared_system_prompt_is_measured_as_what_fills_a_template_is(con):
    """No text of theirs is a template: the pool is dealt a list, and people ask what is theirs."""
    rng = np.random.default_rng(1)
    rows = [*harvest(rng), *people(rng)]
    insert_requests(con, [row | {"system_hash": 77} for row in rows], JUNE_1)
    given_families(con, system_hash=77)
    pool, crowd = measure_slots(con, JUNE_1, [Asked(BOTS, ["system"]), Asked(PEOPLE, ["system"])])
    assert (pool.n_items, pool.n_compared) == (600, 100)
    assert abs(pool.likeness) < 0.03
    assert crowd.likeness > 0.3


def test_what_is_sent_without_the_system_prompt_is_not_looked_at(con):
    rng = np.random.default_rng(1)
    rows = [*[row | {"system_hash": 77} for row in harvest(rng, 20)], *harvest(rng, 20, name="other")]
    insert_requests(con, rows, JUNE_1)
    given_families(con, system_hash=77)
    both = [f"{name}-{n:03}" for name in ("bot", "other") for n in range(20)]
    [found] = measure_slots(con, JUNE_1, [Asked(both, ["system"])])
    assert (found.n_items, found.n_compared) == (120, 20)


def test_a_group_is_measured_the_same_whatever_else_is_asked(con, monkeypatch):
    rng = np.random.default_rng(1)
    insert_requests(con, [*harvest(rng), *people(rng)], JUNE_1)
    given_families(con, list="bot", crowd="user")
    asked = [Asked(BOTS, ["list"]), Asked(PEOPLE, ["crowd"]), Asked([], []), Asked(PEOPLE[:9], ["crowd"])]
    alone = [measure_slots(con, JUNE_1, [one])[0] for one in asked]
    monkeypatch.setattr("pipelines.campaigns.slots.GROUPS_AT_ONCE", 2)
    together = measure_slots(con, JUNE_1, asked)
    assert [text_of(one) for one in together] == [text_of(one) for one in alone]


def text_of(found: Slots) -> str:
    """NaN is equal to itself in words."""
    return repr(found)
