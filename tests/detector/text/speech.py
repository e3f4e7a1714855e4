"""Texts in nobody's language, and the families of a night that is made of them.

Here: words without everyday phrases, templates, accounts that fill them. Not here: real prompts (pools).
"""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from detector.text import Families, find_families, fingerprint
from detector.text.fingerprint import NO_SECRET, Secret

Prompt = tuple[int, str]
"""(account, what it asked)"""

WORDS = [
    first + second
    for first in ("ba", "ke", "li", "mo", "nu", "pra", "sti", "tor", "ve", "zan", "gri", "hal")
    for second in ("bel", "dor", "fin", "gas", "hem", "jol", "kur", "lat", "mis", "nop", "rel", "sud", "tav")
]
"""Words of nobody's language: text without everyday phrases."""


class Speech:
    """Endless own words, the same for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = np.random.default_rng(seed)

    def __call__(self, n_words: int) -> str:
        return " ".join(self._rng.choice(WORDS, n_words))


def families_of(prompts: Sequence[Prompt], threads: int = 1, secret: Secret = NO_SECRET) -> Families:
    """The families of a night in which each account asked what is listed."""
    prints = fingerprint(pa.array([prompt for _, prompt in prompts], pa.string()), secret=secret)
    return find_families(
        prints.shingles.flatten().to_numpy(),
        prints.shingles.offsets.to_numpy().astype(np.int64),
        np.array([account for account, _ in prompts], np.int32),
        prints.text_hash.to_numpy(),
        threads=threads,
    )


def crowd(say: Speech, n_accounts: int = 40, first: int = 1_000) -> list[Prompt]:
    """People with texts of their own, three each."""
    return [(first + n, say(30)) for n in range(n_accounts) for _ in range(3)]


def made_by(write: Callable[[], str], n_accounts: int = 20, each: int = 3, first: int = 0) -> list[Prompt]:
    """Accounts that send texts made by one recipe."""
    return [(first + account, write()) for account in range(n_accounts) for _ in range(each)]


TEMPLATE = (
    "Please act as a strict examiner and grade the submission below against the rubric on a scale of one to "
    "five, explain each deduction in full sentences, and finish with the final grade alone on its own line"
)
OTHER = (
    "Rewrite the following exercise so that it needs two more steps of reasoning than before, keep each name "
    "and number consistent, then solve it and show how each intermediate result follows from the last one"
)
