"""Enforcement lists as CSV: nested values as JSON text, cells made harmless for spreadsheets."""

from collections.abc import Iterator

from pipelines.export.actions import COLUMNS, EnforcementList
from pipelines.rows import csv_lines


def lines(actions: EnforcementList) -> Iterator[str]:
    """A heading and one record per action."""
    return csv_lines(COLUMNS, actions.rows)
