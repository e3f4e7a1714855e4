"""Two halves of everything that words are made from: one to tune on, one to report on.

Here: which side a source of a pool or a sentence of the corpus is on. Not here: the words themselves.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Literal

Split = Literal["tune", "report", "all"]
Side = Literal["tune", "report"]

_SLOT = re.compile(r"\{[a-z_0-9]+\}|<<[a-z_0-9]+>>")
_FEW = 6
"""Rules with fewer alternatives that hold words of their own are shared: function words, not content."""


def side_of_text(text: str) -> Side:
    """The side of a text by its own hash: it never changes sides when others are written beside it."""
    return "report" if blake2b(text.encode(), digest_size=2).digest()[0] & 1 else "tune"


def side_of_source(source: str) -> Side:
    """The side of a pool's source: that of its origin, the name up to the first colon.

    splits.toml names the origins whose side is given; of others the hash of the name decides.
    """
    origin = source.split(":", 1)[0]
    return _given().get(origin) or side_of_text(origin)


def has_words(text: str) -> bool:
    """Whether an alternative says anything itself, beside its slots."""
    return any(character.isalpha() for character in _SLOT.sub("", text))


def is_cut(alternatives: Sequence[str]) -> bool:
    """Whether a rule has enough to say to be cut in two."""
    return sum(has_words(text) for text in alternatives) >= _FEW


def halved(rules: Mapping[str, Sequence[str]], split: Split) -> dict[str, list[str]]:
    """The rules of one side.

    Alternatives without words of their own serve both sides: they only say in what order things come.
    """
    if split == "all":
        return {name: list(texts) for name, texts in rules.items()}
    return {
        name: [text for text in texts if not has_words(text) or side_of_text(text) == split]
        if is_cut(texts)
        else list(texts)
        for name, texts in rules.items()
    }


@cache
def _given() -> dict[str, Side]:
    raw = tomllib.loads(files("pipelines.simulate").joinpath("splits.toml").read_text("utf-8"))
    sides: tuple[Side, Side] = ("tune", "report")
    return {origin: side for side in sides for origin in raw[side]["origins"]}
