"""Accounts that act on one object in the same hours are a group; users of a popular object are not."""

from pathlib import Path
from typing import Any

from small_worlds import groups_of, world_of

from benchmarks.peers.synchrotrap import SynchroTrap

POOL = [f"pool-{k}" for k in range(6)]


def _in_step() -> list[dict[str, Any]]:
    """Six accounts that ask one thing in the same six hours."""
    return [
        {"account": account, "hour": hour + 0.1 * k, "prompt": f"Distil item {hour} of the list"}
        for k, account in enumerate(POOL)
        for hour in (2, 5, 8, 11, 14, 20)
    ]


def _popular() -> list[dict[str, Any]]:
    """Sixty accounts that say hello, each in hours of its own."""
    return [
        {"account": f"person-{k}", "hour": (k * 7 + step * step) % 24 + 0.5, "prompt": "hello there"}
        for k in range(60)
        for step in range(2, 6)
    ]


def test_those_in_step_are_a_group_and_users_of_a_popular_prompt_are_not(tmp_path: Path):
    found = SynchroTrap().find(world_of(tmp_path, _in_step() + _popular()))
    assert groups_of(found.flags) == {frozenset(POOL)}


def test_shared_payments_count_when_they_are_used_together(tmp_path: Path):
    rows = [{**row, "prompt": f"{row['account']} asks {row['hour']}"} for row in _in_step()]
    world = world_of(tmp_path, rows, payments=dict.fromkeys(POOL, "one card"))
    assert groups_of(SynchroTrap().find(world).flags) == {frozenset(POOL)}


def test_a_higher_threshold_flags_no_more(tmp_path: Path):
    found = SynchroTrap().find(world_of(tmp_path, _in_step() + _popular()))
    sizes = [len(flags) for _, flags in found.others]
    assert sizes == sorted(sizes, reverse=True)
