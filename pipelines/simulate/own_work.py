"""Work queues of our own corpus: instructions around banks of items.

Here: how rules become a queue. Not here: the queue itself (queue), the rules (corpus/*.toml).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipelines.simulate.grammar import Frame, Grammar, Rng, fill
from pipelines.simulate.promise import MIN_AREAS
from pipelines.simulate.queue import N_ITEMS, Around, Queue, equal_areas, queue_of

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
    """Draw `n_frames` instructions per grammar."""
    drawn = [grammar.frames(f"work_{theme}", n_frames, rng) for grammar in grammars]
    frames = [language[at] for at in range(n_frames) for language in drawn]
    sides = [_sides(frame) for frame in frames]
    systems = [frame.system for frame in frames]
    return Around(
        pa.array([before for before, _ in sides], pa.string()),
        pa.array([after for _, after in sides], pa.string()),
        None if all(system is None for system in systems) else pa.array(systems, pa.string()),
    )


def write_work(
    grammars: Mapping[str, Grammar], theme: str, rng: Rng, *, n_frames: int, languages: Sequence[str]
) -> Queue:
    """Write instructions and items of a theme."""
    chosen = speakers(grammars, theme, languages)
    around = write_around(chosen, theme, n_frames, rng)
    plans = [layouts(grammar, theme, rng) for grammar in chosen]
    areas = equal_areas(N_ITEMS, max(MIN_AREAS, *(len(plan) for plan in plans)))
    area = np.repeat(np.arange(len(areas)), np.diff(np.append(areas, N_ITEMS)))
    banks = [
        fill(plan, area % len(plan), grammar.expand, rng)
        for grammar, plan in zip(chosen, plans, strict=True)
    ]
    return queue_of(around, banks, areas)


def _sides(frame: Frame) -> tuple[str, str]:
    at = next(i for i, (is_slot, text) in enumerate(frame.parts) if is_slot and text == _PAYLOAD)
    return "".join(text for _, text in frame.parts[:at]), "".join(text for _, text in frame.parts[at + 1 :])
