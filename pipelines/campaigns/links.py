"""What holds each flagged campaign together, and whether it would stand without each kind of link.

Here: asking for every kind, and the words of a finding's links. Not here: how a group is weighed without a
kind (detector.campaigns.links), rows (writing).
"""

from collections.abc import Callable
from dataclasses import dataclass

from detector import campaigns as detect
from pipelines.campaigns.judging import Flagged


@dataclass(frozen=True, slots=True)
class Held:
    """One kind of link of a flagged campaign, and the verdict without it.

    log_odds_without : evidence that would be left; None when too few accounts would hang together
    stands_without : whether it would be flagged all the same
    """

    link: detect.Link
    log_odds_without: float | None
    stands_without: bool


def held_together(
    found: Flagged,
    objects: detect.SharedObjects,
    likeness: detect.Likeness,
    judge: Callable[[list[detect.Evidence]], detect.Verdict],
) -> list[Held]:
    """Every kind of link of a campaign, strongest first; `judge` gives the verdict on other evidence in its
    place, beside the night's other candidates as they are."""
    held = []
    for link in detect.links_of(found.candidate, found.group.population, objects):
        pieces = detect.weigh_without(
            link.kind, found.candidate, found.group, found.evidence, objects, likeness
        )
        if pieces is None:
            held.append(Held(link, None, False))
        else:
            verdict = judge(pieces)
            held.append(Held(link, verdict.log_odds, verdict.flagged))
    return held


_DETAIL = {
    "template": "prompt templates that hardly anyone else uses",
    "system_prompt": "system prompts that hardly anyone else uses",
    "tool_set": "the same sets of tools",
    "payment": "payment instruments in common",
    "address": "network addresses in common",
    "client": "the same rare client fingerprint",
    "parameters": "the same rare combination of request parameters",
    "fail_over": "requests that one account was refused and another one sent next, minutes later",
    "size": "requests of the same size in tokens, as one template makes them",
    "sign_up": "sign-ups in an hour in which many more than usual came",
}


def detail(link: detect.Link) -> str:
    """What is shared and by how many, for the findings."""
    return f"{_DETAIL[link.kind]}: {link.n_objects} reach {link.reach:.0%} of the accounts"
