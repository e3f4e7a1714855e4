"""The evidence for and against a candidate: each piece measured, explained, and turned into log-odds.

Here: which questions are asked, and what several answers have in common. One module per family holds one
function per piece: content, timing, identity, lifecycle. Not here: who belongs to the candidate
(communities), what total convicts (decision).

Each piece answers one question about the group, says what is usual, and speaks for (+) or against (-) one
operator who harvests, within a cap. Caps keep any one piece, which an adversary may fake or a customer may
trip over, from deciding. The pieces belong to four families that fail independently: content, timing,
identity, lifecycle. Nothing here knows a country or a language. Separators of look-alikes are pieces like any
other, with negative sign: many people's own requests repeat one another, come in human volumes, and outlive
a night.
"""

from collections.abc import Callable

from detector.campaigns.evidence.content import (
    DEAL_TOO,
    added_text,
    conversation,
    dealing,
    dealt_items,
    exclusive_text,
    greedy_answers,
    one_size,
    repeated_items,
    shared_template,
    short_answers,
    training_technique,
    work_queue,
)
from detector.campaigns.evidence.identity import one_customer, one_room, same_client, shared_payment
from detector.campaigns.evidence.lifecycle import (
    handed_over,
    lasting_use,
    moved_together,
    much_asked,
    signed_up_together,
    unusual_accounts,
    young_accounts,
)
from detector.campaigns.evidence.piece import Evidence
from detector.campaigns.evidence.timing import even_load, sleepless, taken_over, taking_turns
from detector.campaigns.group import Group


def weigh(group: Group) -> list[Evidence]:
    """Every piece of evidence that the log can carry, in a fixed order."""
    return summed_up([piece for question in QUESTIONS if (piece := question(group)) is not None])


def summed_up(pieces: list[Evidence]) -> list[Evidence]:
    """Answers to all questions, and what is taken back where several of them are signs of one fact."""
    excess = _dealt_for_others(pieces)
    return pieces if excess is None else [*pieces, excess]


OF_ONE_SCHEDULER = frozenset(
    ("WORK_QUEUE", "DEALT_ITEMS", "EVEN_LOAD", "TAKING_TURNS", "FAIL_OVER", "SHARED_PAYMENT", "SAME_CLIENT")
)
"""What shows that one scheduler deals out a group's work, whatever it is for."""

SCHEDULER_CAP = 5.3
"""Of groups that share texts, one in two hundred is some reseller's, gateway's or batch's, who deals
out work, pays for the accounts and harvests nothing: showing a scheduler says no more for a campaign."""


COMMON = "common"
"""Stands in place of a family where something is taken back that several families said of one fact."""


def _dealt_for_others(pieces: list[Evidence]) -> Evidence | None:
    """What the signs of one scheduler say beyond their common cap, taken back: they are signs of one fact,
    and that fact alone does not convict. Of no family: each still supports as far as it does by itself."""
    said = sum(piece.log_odds for piece in pieces if piece.code in OF_ONE_SCHEDULER)
    if said <= SCHEDULER_CAP:
        return None
    return Evidence(
        COMMON, "ONE_SCHEDULER", "log-odds that signs of one scheduler add up to",
        said, f"over {SCHEDULER_CAP:g} for a reseller's or a gateway's accounts, too", SCHEDULER_CAP - said,
    )  # fmt: skip


QUESTIONS: tuple[Callable[[Group], Evidence | None], ...] = (
    shared_template, exclusive_text, work_queue, dealt_items, training_technique, added_text,
    repeated_items, short_answers, greedy_answers, conversation, one_size,
    even_load, taking_turns, taken_over, sleepless,
    shared_payment, same_client, one_customer, one_room,
    young_accounts, signed_up_together, handed_over, lasting_use, much_asked, moved_together,
    unusual_accounts,
)  # fmt: skip

__all__ = [
    "COMMON",
    "DEAL_TOO",
    "OF_ONE_SCHEDULER",
    "QUESTIONS",
    "SCHEDULER_CAP",
    "Evidence",
    "added_text",
    "conversation",
    "dealing",
    "dealt_items",
    "even_load",
    "exclusive_text",
    "greedy_answers",
    "handed_over",
    "lasting_use",
    "moved_together",
    "much_asked",
    "one_customer",
    "one_room",
    "one_size",
    "repeated_items",
    "same_client",
    "shared_payment",
    "shared_template",
    "short_answers",
    "signed_up_together",
    "sleepless",
    "summed_up",
    "taken_over",
    "taking_turns",
    "training_technique",
    "unusual_accounts",
    "weigh",
    "work_queue",
    "young_accounts",
]
