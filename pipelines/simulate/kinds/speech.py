"""Putting words to arrivals: conversations, templates with fresh slots, lists of items.

Here: from arrivals and a source of text to `Traffic`; whatever else a request wants is passed through.
Not here: when (rhythm), which words (texts), what a kind is (the kinds).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.simulate.group import World
from pipelines.simulate.population import Crowd, Ints
from pipelines.simulate.rhythm import Arrivals
from pipelines.simulate.shapes import Like
from pipelines.simulate.texts import Prompts, Templates
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic


def talk(world: World, crowd: Crowd, arrivals: Arrivals, theme: str, rng: Rng, **wishes: Any) -> Traffic:
    """People (or agents) speak, each in the account's language."""
    language = crowd.language[arrivals.account]
    texts = world.texts.conversation(theme, arrivals.starts, language, rng)
    wishes.setdefault("system", texts.system)
    wishes.setdefault("answers_like", answers_like(theme))
    return Traffic(arrivals=arrivals, prompt=texts.prompt, **wishes)


def answers_like(theme: str) -> Like:
    """Whose answers those of a conversation are like: a chat's, or the steps of work on code."""
    return "conversation" if theme in ("chat", "work") else "code"


def ask(templates: Templates, which: Ints, arrivals: Arrivals, rng: Rng, **wishes: Any) -> Traffic:
    """A program fills one of its templates per request."""
    return recite(templates.prompts(which, rng), np.arange(len(which)), arrivals, **wishes)


def recite(items: Prompts, which: Ints, arrivals: Arrivals, **wishes: Any) -> Traffic:
    """Fixed items, the same words every time. A system prompt among the wishes goes before the items' own."""
    texts = items.take(which)
    wishes.setdefault("system", texts.system)
    return Traffic(arrivals=arrivals, prompt=texts.prompt, **wishes)


def bound(books: Sequence[Prompts]) -> Prompts:
    """Several lists of items as one, in order."""
    systems = None
    if any(book.system is not None for book in books):
        systems = pa.concat_arrays(
            [
                pa.nulls(len(book), pa.string()) if book.system is None else book.system.cast(pa.string())
                for book in books
            ]
        )
    return Prompts(pa.concat_arrays([book.prompt.cast(pa.string()) for book in books]), systems)


def own_words(world: World, crowd: Crowd, share: float, rng: Rng) -> None:
    """Some accounts wrote a system prompt of their own and always send it."""
    n = len(crowd)
    words = world.texts.personas(n, rng).cast(pa.string())
    mine = np.where(rng.random(n) < share, np.arange(n), n + np.arange(n))
    crowd.system = pa.concat_arrays([words, crowd.system.cast(pa.string())]).take(pa.array(mine))
