"""The door to all words: where prompts come from, and the promise every source keeps.

Here: `load_texts`. Not here: the sources (own_texts, pool_texts), who asks, how often and when
(kinds, campaigns, rhythm).
"""

from pathlib import Path

from pipelines.simulate.texts.own_texts import OwnTexts
from pipelines.simulate.texts.pool_texts import PoolTexts
from pipelines.simulate.texts.pools import read_pools
from pipelines.simulate.texts.promise import (
    MIN_AREAS,
    TALK,
    TEMPLATES,
    WORKS,
    Flags,
    Framed,
    Indices,
    Prompts,
    Templates,
    Texts,
    Work,
)
from pipelines.simulate.texts.splits import Split


def load_texts(prompts: Path | None, split: Split = "all") -> Texts:
    """Our own corpus, or a folder of pools; of one half of their sources or of all.

    Raises
    ------
    UsageError : the folder holds no pools, or this half of them holds no benign row.
    """
    return OwnTexts(split) if prompts is None else PoolTexts(read_pools(prompts, split), split)


__all__ = [
    "MIN_AREAS",
    "TALK",
    "TEMPLATES",
    "WORKS",
    "Flags",
    "Framed",
    "Indices",
    "OwnTexts",
    "PoolTexts",
    "Prompts",
    "Split",
    "Templates",
    "Texts",
    "Work",
    "load_texts",
]
