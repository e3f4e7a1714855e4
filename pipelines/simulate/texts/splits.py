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
_FREE = 3
"""Unless they have this many alternatives without words, which serve both sides anyway."""


def side_of_source(source: str) -> Side:
    """The side of a pool's source: that of its origin, the name up to the first colon.

    splits.toml names the origins whose side is given; of others the hash of the name decides.
    """
    origin = source.split(":", 1)[0]
    return _given().get(origin) or ("report" if _place(origin) >= 0.5 else "tune")


def has_words(text: str) -> bool:
    """Whether an alternative says anything itself, beside its slots."""
    return any(character.isalpha() for character in _SLOT.sub("", text))


def sides(alternatives: Sequence[str]) -> dict[str, Side]:
    """The side of each alternative of a rule that is on one side only; the others serve both.

    An alternative goes by the hash of its own text, not by its place among the others; only when that
    would leave one side with less than a third do the nearest ones change over. Alternatives without
    words of their own serve both sides: they only say in what order things come.
    """
    worded = sorted({text for text in alternatives if has_words(text)}, key=_place)
    if len(worded) < _FEW and len(alternatives) - len(worded) < _FREE:
        return {}
    n_tune = sum(_place(text) < 0.5 for text in worded)
    if len(worded) >= _FEW:
        least = -(-len(worded) // 3)
        n_tune = min(max(n_tune, least), len(worded) - least)
    return {text: "tune" if at < n_tune else "report" for at, text in enumerate(worded)}


def halved(rules: Mapping[str, Sequence[str]], split: Split) -> dict[str, list[str]]:
    """The rules of one side."""
    if split == "all":
        return {name: list(texts) for name, texts in rules.items()}
    halves: dict[str, list[str]] = {}
    for name, texts in rules.items():
        side = sides(texts)
        halves[name] = [text for text in texts if side.get(text, split) == split]
    return halves


def _place(text: str) -> float:
    """A number from 0 to 1 that depends on the text alone."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") / 2**32


@cache
def _given() -> dict[str, Side]:
    raw = tomllib.loads(files("pipelines.simulate.texts").joinpath("splits.toml").read_text("utf-8"))
    both: tuple[Side, Side] = ("tune", "report")
    return {origin: side for side in both for origin in raw[side]["origins"]}
