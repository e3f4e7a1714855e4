"""Our own corpus: everything is written by grammar.

Here: how rules become conversations, templates and fixed items. Not here: the rules (corpus/*.toml),
work queues (own_work), the promise kept (promise).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.simulate.texts.grammar import LANGUAGES, Expand, Frame, Rng, fill, join, load_grammars, scatter
from pipelines.simulate.texts.own_work import layouts, own_words, speakers, write_around, write_work
from pipelines.simulate.texts.promise import TALK, TEMPLATES, WORKS, Flags, Indices, Prompts
from pipelines.simulate.texts.splits import Split
from pipelines.simulate.texts.workqueue import Around, Queue

ABROAD = {"message": "item", "letter_in": "ticket"}
"""Slots that are filled in every language, with the symbol that fills them in English."""


@dataclass(frozen=True, slots=True)
class OwnTemplates:
    """Frames of the corpus."""

    frames: Sequence[Frame]
    expand: Expand

    def prompts(self, which: Indices, rng: Rng) -> Prompts:
        prompt = fill(self.frames, which, self.expand, rng)
        if all(frame.system is None for frame in self.frames):
            return Prompts(prompt)
        systems = pa.array([frame.system for frame in self.frames], pa.string())
        return Prompts(prompt, systems.take(pa.array(which)))


class OwnTexts:
    """Our own corpus, or one half of it."""

    def __init__(self, split: Split = "all") -> None:
        self._grammars = load_grammars(split)
        self._english = self._grammars["en"]

    def conversation(self, theme: str, starts: Flags, language: Indices, rng: Rng) -> Prompts:
        first, later = TALK[theme]
        choice = language * 2 + (~starts)
        chunks = []
        for value in np.unique(choice).tolist():
            grammar = self._grammars[LANGUAGES[value // 2]]
            symbol = later if value % 2 else first
            if symbol not in grammar:  # code and its tools speak English everywhere
                grammar = self._english
            chunks.append(grammar.expand(symbol, int(np.sum(choice == value)), rng))
        return Prompts(scatter(chunks, choice))

    def templates(self, theme: str, n: int, rng: Rng) -> OwnTemplates:
        return self.framed(theme, n, rng, self.slot)

    def framed(self, theme: str, n: int, rng: Rng, expand: Expand) -> OwnTemplates:
        """Templates whose slots somebody else fills."""
        if f"frame_{theme}" in self._english:
            return OwnTemplates(own_words(self._english.frames(f"frame_{theme}", n, rng), rng), expand)
        frames = own_words(self._english.frames(f"work_{theme}", n, rng), rng)
        payloads = layouts(self._english, theme, rng)

        def filled(symbol: str, n: int, rng: Rng) -> pa.Array:
            if symbol != "payload":
                return expand(symbol, n, rng)
            return fill(payloads, rng.integers(0, len(payloads), n), expand, rng)

        return OwnTemplates(frames, filled)

    def slot(self, symbol: str, n: int, rng: Rng) -> pa.Array:
        """What fills a slot: English, but letters and messages come in every language."""
        if symbol not in ABROAD:
            return self._english.expand(symbol, n, rng)
        language = np.where(rng.random(n) < 0.7, 0, rng.integers(0, len(LANGUAGES), n))
        chunks = []
        for number in np.unique(language).tolist():
            count = int(np.sum(language == number))
            name = ABROAD[symbol] if number == 0 else "work"
            chunks.append(self._grammars[LANGUAGES[number]].expand(name, count, rng))
        return scatter(chunks, language)

    def fixed(self, theme: str, n: int, rng: Rng) -> Prompts:
        return self.templates(theme, 1, rng).prompts(np.zeros(n, np.int64), rng)

    def assignment(self, n: int, rng: Rng) -> Prompts:
        task = self._english.one("frame_assignment", rng)
        return Prompts(self.pasted(task, n, rng))

    def pasted(self, task: str, n: int, rng: Rng) -> pa.Array:
        """A task as different people paste it: with words before and after, some sentences dropped."""
        sentences = [part for part in task.replace("? ", "?\n").replace(". ", ".\n").split("\n") if part]
        bodies = []
        for _ in range(n):
            kept = [s for s in sentences if len(sentences) < 3 or rng.random() < 0.85] or sentences
            bodies.append(" ".join(kept))
        before = self._english.expand("student_before", n, rng)
        after = self._english.expand("student_after", n, rng)
        return join([before, pa.array(bodies, pa.string()), after], n)

    def personas(self, n: int, rng: Rng) -> pa.Array:
        """System prompts that people write for themselves."""
        return self._english.expand("persona_system", n, rng)

    def work(self, theme: str, rng: Rng, *, n_frames: int = 1, languages: Sequence[str] = ("en",)) -> Queue:
        return write_work(
            self._grammars, theme, rng, n_frames=n_frames, languages=languages, english=self.slot
        )

    def around(self, theme: str, rng: Rng, *, n_frames: int, languages: Sequence[str]) -> Around:
        """Instructions of a theme for items of somebody else."""
        return write_around(speakers(self._grammars, theme, languages), theme, n_frames, rng)

    def closing(self, language: str) -> Callable[[int, Rng], pa.Array]:
        """Last words of messages in a language: a question, a wish."""
        grammar = self._grammars[language]
        return lambda n, rng: grammar.expand("closing", n, rng)

    def provenance(self) -> list[tuple[str, str]]:
        return [(theme, "own corpus") for theme in dict.fromkeys((*TALK, *TEMPLATES, *WORKS))]
