"""What a source of words promises to kinds and campaigns.

Here: the texts of some requests, templates, work queues, and the protocol that our own corpus
(own_texts) and pools of real prompts (pool_texts) both keep. Not here: a single word of them.

Sources remember nothing from night to night: what is drawn depends on the arguments and on `rng`
alone, so that any night of a world can be made without the nights before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate.texts.grammar import Rng, join

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

TEMPLATES = (
    "app",
    "batch",
    "synthetic",
    "viral",
    "probe",
    "benchmark_math",
    "benchmark_judge",
    "benchmark_code",
    "regression",
    "rag",
    "code_review",
    "support",
    "translation_job",
    "own_evaluation",
    "survey",
)
"""Themes of `Texts.templates` and `Texts.fixed`; frames: `frame_<theme>`."""

WORKS = (
    "reasoning",
    "grading",
    "safety_rewrite",
    "extract",
    "trajectory",
    "coding",
    "tool_use",
    "data_analysis",
    "computer_use",
    "vision",
    "instruction_generation",
    "trace_cleaning",
    "judging",
    "probe",
    "soft_label",
    "multi_sample",
    "weakness",
    "relay",
    "translation",
)
"""Themes of `Texts.work`; frames: `work_<theme>`, items: `pay_<theme>`. `Texts.templates` takes them, too."""

MIN_AREAS = 4


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


@dataclass(frozen=True, slots=True)
class Framed:
    """Harvesting requests, taken apart: words of the campaign around an item of its queue.

    Of requests that others rendered, `before` and `after` are what all of one source have in common,
    "" where that is nothing; `system` is None where requests bring no system prompt of their own, and
    null in rows that bring none.
    """

    before: pa.Array
    payload: pa.Array
    after: pa.Array
    system: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.payload)

    def joined(self) -> Prompts:
        """The requests as they are sent when nothing is hidden."""
        return Prompts(join([self.before, self.payload, self.after], len(self)), self.system)


class Work(Protocol):
    """Fixed instructions of a campaign and its queue of items."""

    @property
    def n_items(self) -> int:
        """Distinct items in the queue."""

    @property
    def n_frames(self) -> int:
        """Instructions; number f is in language f modulo the number of languages asked for."""

    @property
    def areas(self) -> Indices:
        """First item of each topic area, ascending, areas[0] == 0; at least MIN_AREAS of them."""

    def texts(self, frame: Indices, item: Indices, rng: Rng) -> Framed:
        """Items inside instructions.

        Parameters
        ----------
        frame : int64, shape (n,); at least 0, taken modulo n_frames
        item : int64, shape (n,); at least 0, taken modulo n_items. An item has the same payload
            whenever it is asked for; in a frame of another language it is put in that language.
        """


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
        """Draw `n` templates of a theme (of TEMPLATES or WORKS)."""

    def fixed(self, theme: str, n: int, rng: Rng) -> Prompts:
        """At most `n` distinct items that never change: a benchmark, a regression suite."""

    def assignment(self, n: int, rng: Rng) -> Prompts:
        """One piece of homework as `n` students paste it."""

    def personas(self, n: int, rng: Rng) -> pa.Array:
        """System prompts that people write for themselves."""

    def work(self, theme: str, rng: Rng, *, n_frames: int = 1, languages: Sequence[str] = ("en",)) -> Work:
        """The instructions and the queue of one campaign.

        Parameters
        ----------
        theme : one of WORKS
        n_frames : instructions to draw per language
        languages : of grammar.LANGUAGES; one in which nobody wrote such instructions speaks English
        """

    def provenance(self) -> list[tuple[str, str]]:
        """What stands for each theme: (theme, sources or what was put in their place)."""
