"""What one feature is: its name, unit, range, absence, reason and source, and which direction is suspicious.

Here: the record that every family's list is made of; docs/features.md is generated from them. Not here: the
features themselves (one module a family), how they are computed from a log (pipelines.features), how they are
scored (detector.models).
"""

from dataclasses import dataclass
from typing import Literal

Scale = Literal["count", "plain"]
"""`count`: heavy-tailed, compared by its logarithm. `plain`: compared as it is."""

Direction = Literal["high", "low"]

Need = Literal["prompts", "templates", "past", "models", "peers", "plan", "accounts file"]
"""What a feature needs beyond the night's own records; without it the feature is null.

prompts        the texts of requests, as fingerprints
templates      prompts, and a template that several accounts share
past           earlier nights of the account, or of the workspace
models         two nights before last night, to know which models are new
peers          50 accounts of the same kind of use that night
plan           50 accounts on the same plan that night, by the accounts file
accounts file  a line about the account in the accounts file
"""


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
    why: str = ""
    """One line: what it tells an ordinary account from an extractor by, or which look-alike it sets apart."""
    source: str = ""
    """Where that is known from: a key of `sources.SOURCES`, with the place in it."""
    needs: tuple[Need, ...] = ()


NEVER = "never"
NO_PROMPTS = "no prompt of the account is in the log"
NO_PAST = "the account has no earlier night"
