"""Labels: what somebody outside the scans said about an account, and what counts of it.

Here: the words, and which of several labels stands. Not here: where labels come from (pipelines.labels),
where they are kept (store), what is learned from them (pipelines.labels.teaching).

A label is never evidence. A provider's notice may be wrong, is about other harm more often than about
harvesting, and is no observation of the account that would be independent of ours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Said(StrEnum):
    """What was said."""

    ENFORCED = "enforced"
    """It was acted against: blocked, banned, restricted, suspended."""
    NOTICED = "noticed"
    """It was warned or reported, no more."""
    CLEARED = "cleared"
    """It was found to be in order."""


OWN = "own"
"""Source of a deployment's own past decisions."""

EXTRACTION = frozenset(
    {"distillation", "model_distillation", "model_extraction", "reasoning_extraction", "frontier_llm"}
)
"""Categories that speak of what we look for: Anthropic's two refusal categories, and the plain words for
it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One thing that was said about one account."""

    notice_id: str
    """The notice's own id, or a hash of what it says: the same notice brought in twice counts once."""
    account_id: str
    source: str
    """openai, anthropic or own"""
    kind: str
    """What the source calls it, for example `safety_identifier.blocked`."""
    said: Said
    category: str | None
    reason: str | None
    said_by: str | None
    said_at: datetime

    @property
    def teaches(self) -> bool:
        """Whether it is a judgement about harvesting: one's own, or an enforcement that says so."""
        if self.source == OWN:
            return self.said is not Said.NOTICED
        return self.said is Said.ENFORCED and self.category in EXTRACTION


def standing(labels: Iterable[Label]) -> Mapping[str, Label]:
    """Of each account the label that stands: the latest of one's own, else of the providers' the hardest,
    then the latest. An account that one has cleared oneself is cleared, whatever a provider says."""
    found: dict[str, Label] = {}
    for label in labels:
        if label.account_id not in found or _weight(found[label.account_id]) < _weight(label):
            found[label.account_id] = label
    return found


def _weight(label: Label) -> tuple[bool, bool, datetime, str]:
    is_own = label.source == OWN
    return (is_own, not is_own and label.said is Said.ENFORCED, label.said_at, label.notice_id)
