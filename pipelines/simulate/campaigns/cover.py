"""Cover: ordinary talk between harvesting requests, in the very words customers use.

Here: the messages and personas of small talk and of whole conversations. Not here: who sends them when
(dispatch), how much of it there is (operation).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate.campaigns.dispatch import Customers
from pipelines.simulate.population import Crowd
from pipelines.simulate.rhythm import Arrivals
from pipelines.simulate.texts import Texts
from pipelines.simulate.texts.grammar import LANGUAGES, Rng, scatter

Ints = npt.NDArray[np.int64]

_THEMES = ("chat", "work", "coding")
_OF_THEME = (0.6, 0.2, 0.2)
"""What customers of a relay talk about: as those of a contracted gateway do."""
_WITH_PERSONA = 0.5
_CUSTOMERS = 3
"""Customers of a proxy for each conversation of a night."""
_GOES_ON = 0.6
"""Share of small talk that goes on with what the account said before."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Messages of conversations."""

    arrivals: Arrivals
    message: pa.Array
    persona: pa.Array | None
    """System prompts; null where a conversation has none."""
    person: Ints | None = None
    """Number of the customer who speaks, of a proxy's."""

    def take(self, rows: Ints) -> "Talk":
        """Some of the messages."""
        a, index = self.arrivals, pa.array(rows)
        some = Arrivals(a.account[rows], a.second[rows], a.session[rows], a.turn[rows])
        persona = None if self.persona is None else self.persona.take(index)
        person = None if self.person is None else self.person[rows]
        return Talk(some, self.message.take(index), persona, person)

    @classmethod
    def of_customers(cls, texts: Texts, people: Customers, rng: Rng) -> "Talk":
        """Customers of a relay: every conversation has its own language, theme and maybe a persona."""
        n = int(people.conversation.max()) + 1 if len(people.conversation) else 0
        language = rng.integers(0, len(LANGUAGES), n)[people.conversation]
        theme = rng.choice(len(_THEMES), n, p=_OF_THEME)[people.conversation]
        chunks = []
        for at in np.unique(theme).tolist():
            mine = theme == at
            said = texts.conversation(_THEMES[at], people.starts[mine], language[mine], rng)
            chunks.append(said.prompt.cast(pa.string()))
        message = scatter(chunks, theme)
        persona = personas(texts, n, rng).take(pa.array(people.conversation))
        person = rng.integers(0, 1 + n * _CUSTOMERS, n)[people.conversation]
        return cls(people.arrivals, message, persona, person)

    @classmethod
    def of_accounts(
        cls, texts: Texts, people: Customers, language: Ints, persona: pa.Array, rng: Rng
    ) -> "Talk":
        """Each account plays one person; `language` and `persona` have one entry per account."""
        who = people.arrivals.account
        said = texts.conversation("chat", people.starts, language[who], rng)
        return cls(people.arrivals, said.prompt.cast(pa.string()), persona.take(pa.array(who)))


def small_talk(texts: Texts, crowd: Crowd, arrivals: Arrivals, rng: Rng) -> Talk:
    """Single messages at given times (ordered by account and time); many go on with what was said before."""
    n = len(arrivals)
    starts = np.ones(n, bool)
    starts[1:] = (arrivals.account[1:] != arrivals.account[:-1]) | (rng.random(max(0, n - 1)) >= _GOES_ON)
    session = np.cumsum(starts) - 1
    turn = np.arange(n) - np.flatnonzero(starts)[session] if n else np.arange(0)
    said = texts.conversation("chat", starts, crowd.language[arrivals.account], rng)
    return Talk(
        Arrivals(arrivals.account, arrivals.second, session, turn), said.prompt.cast(pa.string()), None
    )


def personas(texts: Texts, n: int, rng: Rng) -> pa.Array:
    """System prompts of `n` people; null for those who write none."""
    written = texts.personas(n, rng).cast(pa.string())
    return written.take(pa.array(np.arange(n), mask=rng.random(n) >= _WITH_PERSONA))
