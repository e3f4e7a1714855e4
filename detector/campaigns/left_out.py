"""A night as it looks to somebody who is not told everything.

Here: which arrays of a population belong to a part of the judgement, and the population without them. Not
here: pieces of evidence that are not weighed (decision), why one would leave something out (the settings).

A part that is left out is not known: its links tie nobody together, its numbers are NaN, its habits unknown,
as in a log that does not carry them. Requests and tokens are every part's, and stay. So does what even loads
say of which overlapping groups stand (schedule, standing) and of several samples of one list
(evidence.work_queue).
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from detector.campaigns.decision import Part
from detector.campaigns.habits import HABITS
from detector.campaigns.population import (
    CONTENT_LAYERS,
    IDENTITY_LAYERS,
    LIFECYCLE_LAYERS,
    TIMING_LAYERS,
    FailOvers,
    HandOvers,
    Population,
    Uses,
)


def without(population: Population, parts: Collection[Part]) -> Population:
    """The same accounts, nothing known of these parts.

    content : templates, system prompts and sets of tools; what is asked for; turns, length of
        answers and temperature 0; with the prompts, who took over what was refused and who whose work
    timing : the hours of the day; who took over what was refused
    identity : payments, addresses, clients and parameters; organisations
    lifecycle : ages, sign-ups and hand-overs, moves to a new model, how unusual an account is
    history : what accounts sent on earlier nights, and whether anything; which models are new; hand-overs.
        Fail-overs of earlier nights stay
    """
    unknown = np.full(len(population), np.nan)
    nobody = np.full(len(population), -1)
    changed: dict[str, Any] = {}
    hidden: set[str] = set()
    if "content" in parts:
        hidden.update(CONTENT_LAYERS)
        changed |= {"templates": Uses.none(), "systems": Uses.none(), "training_share": unknown}
        changed["adds_text"] = None
        changed |= dict.fromkeys(
            ("repeat_share", "single_turn_share", "output_tokens_mean", "greedy_share"), unknown
        )
    if "timing" in parts:
        changed["hour_counts"] = np.zeros_like(population.hour_counts)
    if "timing" in parts or "content" in parts:
        hidden.update(TIMING_LAYERS)
        changed["fail_overs"] = FailOvers.none()
    if not {"content", "lifecycle", "history"}.isdisjoint(parts):
        changed["hand_overs"] = HandOvers.none()
    if "identity" in parts:
        hidden.update(IDENTITY_LAYERS)
        changed |= {"payment": nobody, "organisation": nobody}
    if "lifecycle" in parts:
        hidden.update(LIFECYCLE_LAYERS)
        changed |= dict.fromkeys(("account_age_days", "new_model_share", "account_score"), unknown)
    if "history" in parts:
        changed |= dict.fromkeys(("repeat_share", "new_model_share", "nights_seen"), unknown)
        if "content" not in parts:
            changed |= {name: _tonight(getattr(population, name)) for name in ("templates", "systems")}
    is_unknown = np.array([not set(needed).isdisjoint(parts) for needed in HABITS.values()])
    changed["habits"] = np.where(is_unknown[:, None], np.int8(-1), population.habits)
    changed["layers"] = tuple(layer for layer in population.layers if layer.kind not in hidden)
    return replace(population, **changed)


def _tonight(uses: Uses) -> Uses:
    return replace(uses, n_earlier_requests=np.zeros_like(uses.n_earlier_requests))
