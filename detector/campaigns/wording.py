"""A campaign in plain words: what was observed first, what is inferred from it second.

Here: sentences from numbers. Nothing that an outsider wrote enters them: no prompt, no name, no address.
"""

from collections.abc import Sequence

from detector.campaigns.evidence import COMMON, Evidence

PLAIN_CAPABILITY = {
    "general_chat": "general conversation",
    "coding": "coding",
    "math_reasoning": "mathematical reasoning",
    "general_reasoning": "general reasoning",
    "agentic": "agentic work",
    "tool_use": "tool use",
    "computer_use": "computer use",
    "data_analysis": "data analysis",
    "vision": "vision",
    "rubric_grading": "grading by rubric",
    "safety_sensitive": "sensitive questions",
    "creative_writing": "creative writing",
    "translation": "translation",
    "summarization": "summaries",
    "classification": "classification",
}
PLAIN_TECHNIQUE = {
    "none": "answers",
    "reasoning_trace": "written-out reasoning",
    "preference_labels": "grades and preferences",
    "instruction_generation": "new training tasks",
    "trajectory": "tool and agent trajectories",
    "safety_rewrite": "rewritten answers to sensitive questions",
    "soft_labels": "token probabilities",
    "multi_sample": "many samples of one prompt",
    "weakness_driven": "examples of one weakness",
    "trace_cleaning": "cleaned reasoning traces",
    "probe_sweep": "probes for extraction tricks",
}
PLAIN_LINK = {
    "template": "shared templates",
    "system_prompt": "shared system prompts",
    "tool_set": "shared sets of tools",
    "payment": "shared payment",
    "address": "shared addresses",
    "client": "the same client",
    "parameters": "the same parameters",
    "fail_over": "fail-over",
    "sign_up": "a common sign-up",
    "size": "the same size of requests",
}
PLAIN_UNSEEN = {
    "prompts": "prompts (templates, work queues, purpose)",
    "addresses": "addresses",
    "clients": "clients",
    "tokens": "token counts",
    "accounts": "sign-ups and payments (no accounts file)",
}
"""What a log may lack, and what is not known without it."""
_OBSERVED = {
    "SHARED_TEMPLATE": "{percent} of their requests are made from the same few templates",
    "SHARED_SYSTEM_PROMPT": "{percent} of their requests run under the same few system prompts",
    "WORK_QUEUE": "the items filled in hardly ever repeat from one account to another ({percent} do)",
    "DEALT_ITEMS": "any of them might have sent any item: one account's are no more alike than all accounts'",
    "TRAINING_TECHNIQUE": "those requests seem to ask for material to train a model (probability {percent})",
    "ADDED_TEXT": "{percent} of the accounts add one text to the requests of many products",
    "ONE_SIZE": "most requests of {percent} of the accounts are of one size",
    "SINGLE_TURN": "{percent} of requests open and end a conversation",
    "EVEN_LOAD": "the accounts carry nearly equal loads",
    "TAKING_TURNS": "their requests follow each other as if somebody dealt them out, not as people sit down",
    "FAIL_OVER": "{percent} of the requests that one account was refused, another one of them sent next",
    "ROUND_THE_CLOCK": "their day has hardly a quiet hour",
    "SHARED_PAYMENT": "{percent} of the accounts share a payment instrument across organisations",
    "SAME_CLIENT": "{percent} of the traffic comes from one client or one set of parameters",
    "YOUNG_ACCOUNTS": "the accounts are younger than others ({percent} of comparisons)",
    "SIGN_UP_COHORT": "{percent} of the accounts signed up in a rush together",
    "HAND_OVER": "{percent} of the newcomers began within hours of another account's last request",
    "NEW_MODEL": "{percent} of requests went to a model that is new",
    "UNUSUAL_ACCOUNTS": "one by one they stand out among their peers",
}


LEAST_SHARE = 0.1
"""A technique seen in fewer of the requests is the classifier's noise, not the campaign's aim."""


def profile(capabilities: Sequence[tuple[str, float]], techniques: Sequence[tuple[str, float]]) -> str:
    """What is harvested and how, in a few words: the leading technique and capability."""
    technique = next((name for name, share in techniques if name != "none" and share >= LEAST_SHARE), "none")
    capability = capabilities[0][0] if capabilities else None
    what = PLAIN_TECHNIQUE[technique]
    return what if capability is None else f"{what}, {PLAIN_CAPABILITY[capability]}"


_HAPPENED = {
    "new": "first found, with {accounts}",
    "growing": "grew to {accounts}",
    "steady": "went on with {accounts}",
    "resumed": "came back after a silence, with {accounts}",
    "dormant": "not found any more; it had {accounts} when last found",
    "replaced": "{stopped} stopped, {n} new took over",
    "merged": "took in the earlier campaign {other}, {accounts} of it",
    "split": "{accounts} split off and go on as {other}",
}
_HAPPENED_TO_THE_OTHER = {
    "merged": "goes on in {other}, {accounts} of it",
    "split": "split off from {other}, with {accounts}",
}


def event_in_words(
    event: str, *, other_id: str | None, n_accounts: int, n_stopped: int | None, of_the_other: bool = False
) -> str:
    """What happened to a campaign one night (detector.campaigns.history.Event).

    of_the_other : told of the campaign that the event names as the other; `other_id` is then the one it is of
    """
    said = (_HAPPENED_TO_THE_OTHER if of_the_other else _HAPPENED)[event]
    if event == "merged" and n_accounts == 0:
        said = said.replace("{accounts} of it", "by its templates")
    return said.format(
        accounts=_accounts(n_accounts), n=f"{n_accounts:,}", stopped=_accounts(n_stopped or 0), other=other_id
    )


def _accounts(n: int) -> str:
    return f"{n:,} account{'' if n == 1 else 's'}"


def without_link(kind: str, log_odds: float, log_odds_without: float | None, *, stands: bool) -> str:
    """What would be left of the case against a campaign without one kind of link.

    log_odds, log_odds_without : the evidence as it is, and without it; None where the accounts fall apart
    stands : whether it would be flagged all the same
    """
    link = PLAIN_LINK.get(kind, kind.replace("_", " "))
    if log_odds_without is None:
        return f"without {link}: nothing else ties the accounts together"
    verdict = "still flagged" if stands else "not flagged"
    return f"without {link}: {log_odds_without:.1f} of {log_odds:.1f}, {verdict}"


def summary(
    *,
    n_accounts: int,
    n_requests: int,
    output_tokens: int,
    harvested: str,
    evidence: Sequence[Evidence],
    status: str,
    rests_on: Sequence[str] = (),
    unseen: Sequence[str] = (),
    by_nights: int = 0,
) -> str:
    """One paragraph: the observation, then the inference, then what speaks against it.

    rests_on : kinds of links without any one of which it would not be flagged
    unseen : what the logs do not have of it (keys of PLAIN_UNSEEN)
    by_nights : over how many nights it was judged, where this night alone would not have sufficed; else 0
    """
    strongest = sorted(evidence, key=lambda piece: (-piece.log_odds, piece.code))
    seen = [
        _OBSERVED[piece.code].format(percent=f"{min(piece.value, 1.0):.0%}")
        for piece in strongest
        if piece.log_odds >= 0.5 and piece.code in _OBSERVED
    ][:5]
    against = [piece for piece in strongest if piece.log_odds <= -0.5 and piece.family != COMMON]
    text = (
        f"Observed: {n_accounts:,} accounts sent {n_requests:,} requests and received {output_tokens:,} "
        f"output tokens this night{''.join(f'; {what}' for what in seen)}. "
        f"Inferred: one operator is collecting {harvested} through them ({status})."
    )
    if by_nights:
        text += f" This night alone would not have sufficed; the mean of {by_nights} nights did."
    if rests_on:
        links = " or without ".join(PLAIN_LINK[kind] for kind in rests_on)
        text += f" Without {links} it would not be flagged."
    if against:
        reasons = ", ".join(f"{piece.detail} is {piece.value:.2f}" for piece in reversed(against[-2:]))
        text += f" Speaking against it: {reasons}."
    if unseen:
        missing = ", ".join(PLAIN_UNSEEN[kind] for kind in unseen)
        text += f" Could not be looked at, for the logs have none: {missing}."
    return text
