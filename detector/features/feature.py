"""What one feature is: its name, unit, range, and which direction is suspicious.

Here: the record that every family's list is made of. Not here: the features themselves (one module
a family), how they are computed from a log (pipelines.features), how they are scored (detector.models).
"""

from dataclasses import dataclass
from typing import Literal

Scale = Literal["count", "plain"]
"""`count`: heavy-tailed, compared by its logarithm. `plain`: compared as it is."""

Direction = Literal["high", "low"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One number an account has on one day.

    `name` is the column of night.account_day. `meaning` is a plain phrase that also stands in front
    of an analyst as the reason of a score. `absent` says when the value is null: unknown is never 0.
    """

    name: str
    unit: str
    span: str
    meaning: str
    absent: str
    suspicious: Direction | None = None
    """The only direction that may raise a score; null for features that are shown, not scored."""
    scale: Scale = "plain"


NEVER = "never"
NO_PROMPTS = "no prompt of the account is in the log"
