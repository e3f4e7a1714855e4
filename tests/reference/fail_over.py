"""Who sends next what was refused: the definition read aloud, prompt by prompt."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Sent:
    """One request: who, for whom, what, when (seconds), and whether it was refused."""

    account: str
    owner: str
    prompt: str
    second: int
    is_refused: bool


Outcome = tuple[str, str | None, bool, int, int | None]
"""Account, heir, whether refused, others who sent the prompt, delay in seconds."""


def outcomes(sent: Sequence[Sent], most_senders: int, within_s: int) -> Counter[Outcome]:
    """Every run of every prompt that few accounts sent, and what became of it, counted."""
    found: Counter[Outcome] = Counter()
    in_order = sorted(sent, key=lambda one: (one.prompt, one.second, one.account))
    for _, same in groupby(in_order, key=lambda one: one.prompt):
        requests = list(same)
        accounts = {one.account for one in requests}
        if len(accounts) > most_senders:
            continue
        if len(accounts) == 1:
            found[requests[0].account, None, any(one.is_refused for one in requests), 0, None] += 1
            continue
        runs = _runs(requests, within_s)
        for run, following in zip(runs, [*runs[1:], None], strict=True):
            is_refused = any(one.is_refused for one in run)
            heir = delay = None
            if following is not None and run[-1].is_refused == is_refused:
                wait = following[0].second - run[-1].second
                if wait <= within_s:
                    heir, delay = following[0].account, wait
            n_others = len(accounts) - 1 - (heir is not None)
            found[run[-1].account, heir, is_refused, n_others, delay] += 1
    return found


def _runs(requests: Sequence[Sent], within_s: int) -> list[list[Sent]]:
    """One owner's requests of one prompt without a longer pause."""
    runs: list[list[Sent]] = []
    for one in requests:
        goes_on = runs and runs[-1][-1].owner == one.owner and one.second - runs[-1][-1].second <= within_s
        if goes_on:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs
