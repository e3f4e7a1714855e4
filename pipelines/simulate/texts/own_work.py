"""Work queues of our own corpus: instructions around banks of items.

Here: how rules become a queue. Not here: the queue itself (workqueue), the rules (corpus/*.toml).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.texts.grammar import Expand, Frame, Grammar, Rng, fill
from pipelines.simulate.texts.paraphrase import paraphrased
from pipelines.simulate.texts.promise import MIN_AREAS
from pipelines.simulate.texts.workqueue import N_ITEMS, Around, Queue, queue_of

_PAYLOAD = "payload"
"""The slot of an instruction that the item stands in."""


def layouts(grammar: Grammar, theme: str, rng: Rng) -> list[Frame]:
    """How a campaign lays out its items, one frame per topic area; what is fixed is decided now."""
    return grammar.each_frame(f"pay_{theme}", rng)


def speakers(grammars: Mapping[str, Grammar], theme: str, languages: Sequence[str]) -> list[Grammar]:
    """The grammar of each language, or English where nobody wrote such instructions in it."""
    return [
        grammars[language] if f"work_{theme}" in grammars[language] else grammars["en"]
        for language in languages
    ]


def write_around(grammars: Sequence[Grammar], theme: str, n_frames: int, rng: Rng) -> Around:
    """Draw `n_frames` instructions per grammar, each in words of this operator's own: there are but a handful
    of instructions for a theme, and two operators who do not know each other do not write the same text."""
    drawn = [grammar.frames(f"work_{theme}", n_frames, rng) for grammar in grammars]
    frames = [language[at] for at in range(n_frames) for language in drawn]
    sides = [_sides(frame) for frame in frames]
    systems = [frame.system for frame in frames]
    return Around(
        _reworded([before for before, _ in sides], rng),
        _reworded([after for _, after in sides], rng),
        None if all(system is None for system in systems) else _reworded(systems, rng),
    )


_OWN_WORDS = 0.7
"""How much of an instruction its user says in other words than its author did: paraphrase's strength."""

_SENTENCE_CHARS = 40
"""Shorter fixed texts are headings and rules between slots."""


def own_words(frames: Sequence[Frame], rng: Rng) -> list[Frame]:
    """The same frames, each worded by a user of its own: applications and suites differ in words, too."""
    long = [text for frame in frames for is_slot, text in frame.parts if _is_sentence(is_slot, text)]
    worded = iter(_reworded(long, rng).to_pylist())
    return [
        replace(
            frame,
            parts=tuple(
                (is_slot, next(worded) if _is_sentence(is_slot, text) else text)
                for is_slot, text in frame.parts
            ),
        )
        for frame in frames
    ]


def _is_sentence(is_slot: bool, text: str) -> bool:
    return not is_slot and len(text) >= _SENTENCE_CHARS


def _reworded(texts: Sequence[str | None], rng: Rng) -> pa.Array:
    """The same texts in other words; who has none gets none."""
    given = pa.array(texts, pa.string())
    worded = paraphrased(pc.fill_null(given, ""), rng, strength=_OWN_WORDS)
    return pc.if_else(given.is_valid(), worded, pa.scalar(None, pa.string()))


def write_work(
    grammars: Mapping[str, Grammar],
    theme: str,
    rng: Rng,
    *,
    n_frames: int,
    languages: Sequence[str],
    english: Expand,
) -> Queue:
    """Write instructions and items of a theme; `english` fills the slots of English items."""
    chosen = speakers(grammars, theme, languages)
    around = write_around(chosen, theme, n_frames, rng)
    plans = [layouts(grammar, theme, rng) for grammar in chosen]
    fills = [english if grammar is grammars["en"] else grammar.expand for grammar in chosen]
    n_areas = max(MIN_AREAS, *(len(plan) for plan in plans))
    banks: list[list[pa.Array]] = [[] for _ in chosen]
    areas = [0]
    for area in range(n_areas):
        pieces = [
            _distinct(plan[area % len(plan)], N_ITEMS // n_areas, expand, rng)
            for plan, expand in zip(plans, fills, strict=True)
        ]
        n = min(len(piece) for piece in pieces)
        for bank, piece in zip(banks, pieces, strict=True):
            bank.append(piece.slice(0, n))
        areas.append(areas[-1] + n)
    return queue_of(around, [pa.concat_arrays(bank) for bank in banks], np.array(areas[:-1], np.int64))


def _distinct(frame: Frame, n: int, expand: Expand, rng: Rng) -> pa.Array:
    """At most `n` items of one area; a narrow field repeats itself, and what comes twice is left out."""
    return fill([frame], np.zeros(n, np.int64), expand, rng).unique()


def _sides(frame: Frame) -> tuple[str, str]:
    at = next(i for i, (is_slot, text) in enumerate(frame.parts) if is_slot and text == _PAYLOAD)
    return "".join(text for _, text in frame.parts[:at]), "".join(text for _, text in frame.parts[at + 1 :])
