"""Enforcement lists as JSON Lines: one object per action, keys in the order of COLUMNS."""

from collections.abc import Iterator

from pipelines.export.actions import EnforcementList
from pipelines.rows import json_lines


def lines(actions: EnforcementList) -> Iterator[str]:
    """One line per action."""
    return json_lines(actions.rows)
