"""Where prompts come from: one promise, kept by our own corpus here and by real pools in pools.py.

Here: what a kind may ask for (a conversation, templates with fresh slots, a fixed list of items) and
the corpus that answers. Not here: who asks, how often and when (kinds, campaigns, rhythm).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate.grammar import LANGUAGES, Expand, Frame, Rng, fill, join, load_grammars, scatter

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TALK = {
    "chat": ("chat", "followup"),
    "work": ("work", "followup"),
    "coding": ("coding", "agent_step"),
    "agent": ("agent_order", "agent_step"),
    "test": ("code_goal", "code_goal"),
}
"""Theme of a conversation to the symbols of its first and later messages."""

FRAMES = {
    "app": ("frame_app",),
    "batch": ("frame_batch",),
    "synthetic": ("frame_synthetic",),
    "viral": ("frame_viral",),
    "probe": ("frame_probe",),
    "benchmark_math": ("frame_benchmark_math",),
    "benchmark_judge": ("frame_benchmark_judge",),
    "benchmark_code": ("frame_benchmark_code",),
    "regression": ("frame_regression",),
    "reasoning": ("frame_reasoning",),
    "grading": ("frame_grading",),
    "extract": ("frame_extract",),
    "trajectory": ("frame_trajectory",),
}
"""Theme of a template to the symbols its frame is drawn from."""

ABROAD = {"message": "item", "letter_in": "ticket"}
"""Slots that are filled in every language, with the symbol that fills them in English."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """Texts of some requests: `prompt` always, `system` where the source brings its own."""

    prompt: pa.Array
    system: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.prompt)

    def take(self, rows: Indices) -> "Prompts":
        """The same texts in another order, or some of them several times."""
        index = pa.array(rows)
        return Prompts(self.prompt.take(index), None if self.system is None else self.system.take(index))


class Templates(Protocol):
    """Some templates; each keeps its fixed text for good and gets fresh slots with every request."""

    def prompts(self, which: Indices, rng: Rng) -> Prompts:
        """One text per entry of `which`, the number of the template to use."""


class Texts(Protocol):
    """A source of text for a whole world."""

    def conversation(self, theme: str, starts: Flags, language: Indices, rng: Rng) -> Prompts:
        """Messages of people, in order.

        Parameters
        ----------
        theme : a key of TALK
        starts : bool, shape (n,); true where a conversation begins
        language : int64, shape (n,); index into grammar.LANGUAGES
        """

    def templates(self, theme: str, n: int, rng: Rng) -> Templates:
        """Draw `n` templates of a theme (a key of FRAMES)."""

    def fixed(self, theme: str, n: int, rng: Rng) -> Prompts:
        """At most `n` distinct items that never change: a benchmark, a regression suite."""

    def assignment(self, n: int, rng: Rng) -> Prompts:
        """One piece of homework as `n` students paste it."""

    def personas(self, n: int, rng: Rng) -> pa.Array:
        """System prompts that people write for themselves."""


@dataclass(frozen=True, slots=True)
class OwnTemplates:
    """Frames of the corpus."""

    frames: Sequence[Frame]
    expand: Expand

    def prompts(self, which: Indices, rng: Rng) -> Prompts:
        return Prompts(fill(self.frames, which, self.expand, rng))


class OwnTexts:
    """Our own corpus: everything is written by grammar, in eight languages."""

    def __init__(self) -> None:
        self._grammars = load_grammars()
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
        symbols = FRAMES[theme]
        frames = [self._english.frame(symbols[at % len(symbols)], rng) for at in range(n)]
        return OwnTemplates(frames, self.slot)

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

    def frame(self, theme: str, rng: Rng) -> Frame:
        """One frame of a theme, its slots still open."""
        return self._english.frame(FRAMES[theme][0], rng)

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


def load_texts(prompts: Path | None, split: str) -> Texts:
    """Our own corpus, or pools of real prompts."""
    from pipelines.simulate.pools import PoolTexts, read_pools

    return OwnTexts() if prompts is None else PoolTexts(read_pools(prompts))
