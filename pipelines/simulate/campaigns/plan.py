"""What a campaign kind decides: its tasks, who does them, and how it goes about it.

Here: plain descriptions. Not here: how they turn into requests (operation).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipelines.simulate.texts import Work

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

Pick = Callable[[int, Ints], Ints]
"""A night (0-based) and places in the queue to the items that stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """Request parameters of a task; None leaves the account its own."""

    temperature: float | None = None
    max_tokens: int | None = None
    thinking: bool | None = None
    n_choices: int | None = None
    top_logprobs: int | None = None
    n_logit_bias: int | None = None
    response_format: str | None = None
    n_images: int = 0
    toolsets: tuple[int, ...] = ()
    """Tool lists (positions in the catalog's); each account sends one of them."""
    steps: float = 1.0
    """Mean number of model answers so far in a conversation that comes whole with each request."""
    output_tokens: float = 800.0
    refused: float = 0.006


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One kind of work: instructions, a queue of items, parameters."""

    work: Work
    asks: Asks = field(default_factory=Asks)
    share: float | Floats = 1.0
    """Of its team's requests; an array has one entry per night of the world."""
    pick: Pick | None = None
    """Where None, place p in the queue is item p."""
    whole: bool = False
    """Whether its items are whole requests, instruction and all; `set_up` finds out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Places of the pool that share tasks."""

    places: npt.NDArray[np.bool_]
    tasks: tuple[Task, ...]
    of_customers: bool = False
    """The instruction is put around messages of a relay's own customers instead of around a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a kind goes about its work."""

    clock: Literal["pulse", "shifts", "flat", "local"] = "pulse"
    """When: jobs that start and end, two long shifts, round the clock, or each account's own day."""
    even: bool = True
    """Whether the account that rested longest is next, so that loads differ by one at most."""
    attendance: float = 0.97
    """Share of the pool at work on a night."""
    jobs: bool = False
    """Tasks take turns in jobs of some hours, instead of being mixed."""
    delay_nights: int = 0
    """Nights until a banned account is replaced; 0 is within hours."""
    rotates_every: int = 0
    """Nights after which part of the pool is retired unasked; 0 is never."""
    slow_after_bans: float = 1.0
    """Factor on the rate in a night in which accounts were lost."""
    talk: Literal["small", "customers", "own"] = "small"
    """Cover: single messages in between, conversations of a proxy's customers, or each account's own."""
    passes_ids: bool = False
    """Whether a proxy hands its customers' ids on: the same ones then appear on several accounts."""
    trips: float = 0.012
    """Share of requests that run into a limit and are taken over by a sibling."""
    cool_down_s: float = 300.0
    """An account that ran into a limit rests so long, to the second; relays use constants for it."""
