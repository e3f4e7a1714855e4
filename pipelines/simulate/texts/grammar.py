"""A slot grammar that writes text by the column: many sentences at once, in Arrow buffers.

Here: rules, their expansion, and frames (fixed text around slots that change per request).
Not here: what is written (corpus/*.toml), who writes it (kinds, campaigns).
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.texts.splits import Split, halved

Rng = np.random.Generator
Expand = Callable[[str, int, Rng], pa.Array]
"""Writes some texts for a symbol."""
Part = tuple[bool, str]  # (is a slot, literal text or symbol)

_SLOT = re.compile(r"\{([a-z_0-9]+)\}")
_FRAME_SLOT = re.compile(r"<<([a-z_0-9]+)>>")
_DRAWN: dict[str, tuple[int, int]] = {"number": (2, 98), "amount": (100, 9_800), "year": (1_820, 2_032)}
_LETTERS = pa.array(list("ABCDEFGHJKLMNPQRSTUVWXYZ"))
_FEW = 48
"""Below so many texts an Arrow call costs more than it saves (measured: 3 to 9 times faster so)."""

_TRIES = 4
_SYSTEM_END = " %% "
"""In a frame: what stands before is the system prompt, what follows the message."""

LANGUAGES = ("en", "de", "fr", "es", "zh", "ja", "ru", "ar", "ko", "pt", "hi", "it")


def _parts(text: str, pattern: re.Pattern[str]) -> tuple[Part, ...]:
    """Split text at its slots; empty literals are left out."""
    pieces = pattern.split(text)
    return tuple((at % 2 == 1, piece) for at, piece in enumerate(pieces) if at % 2 == 1 or piece)


def join(columns: Sequence[pa.Array | str], n_rows: int) -> pa.Array:
    """Glue columns and constants together, row by row."""
    if not any(isinstance(column, pa.Array) for column in columns):
        return pa.repeat("".join(str(column) for column in columns), n_rows)
    scalars = [c if isinstance(c, pa.Array) else pa.scalar(c) for c in columns]
    return pc.binary_join_element_wise(*scalars, "")


class Grammar:
    """The rules of one language.

    Parameters
    ----------
    rules : symbol to its alternatives; `{symbol}` inside an alternative is expanded in turn.
    """

    def __init__(self, rules: Mapping[str, Sequence[str]]) -> None:
        self._rules = {name: [_parts(text, _SLOT) for text in texts] for name, texts in rules.items()}
        self._constant = {
            name: pa.array([alt[0][1] if alt else "" for alt in alternatives], pa.string())
            for name, alternatives in self._rules.items()
            if all(len(alt) == 0 or (len(alt) == 1 and not alt[0][0]) for alt in alternatives)
        }

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._rules or symbol in _DRAWN or symbol == "letter"

    def unknown(self) -> list[str]:
        """Symbols that are used but defined nowhere; a corpus without mistakes has none."""
        used = {text for alts in self._rules.values() for alt in alts for slot, text in alt if slot}
        return sorted(symbol for symbol in used if symbol not in self)

    def expand(self, symbol: str, n: int, rng: Rng) -> pa.Array:
        """Write `n` texts for a symbol.

        Raises
        ------
        KeyError : the grammar has no such symbol.
        """
        if n <= _FEW:
            return pa.array([self._text(symbol, rng) for _ in range(n)], pa.string())
        if symbol in _DRAWN:
            return pa.array(rng.integers(*_DRAWN[symbol], n)).cast(pa.string())
        if symbol == "letter":
            return _LETTERS.take(pa.array(rng.integers(0, len(_LETTERS), n)))
        if symbol in self._constant:
            table = self._constant[symbol]
            return table.take(pa.array(rng.integers(0, len(table), n)))
        alternatives = self._rules[symbol]
        return _assemble(alternatives, rng.integers(0, len(alternatives), n), self.expand, rng)

    def _text(self, symbol: str, rng: Rng) -> str:
        """A single text, without Arrow: the deep ends of a large expansion ask for a handful at a time."""
        if symbol in _DRAWN:
            low, high = _DRAWN[symbol]
            return str(low + int(rng.random() * (high - low)))
        if symbol == "letter":
            return str(_LETTERS[int(rng.random() * len(_LETTERS))])
        alternatives = self._rules[symbol]
        return self._written(alternatives[int(rng.random() * len(alternatives))], rng)

    def _written(self, parts: tuple[Part, ...], rng: Rng) -> str:
        """One alternative written out; a slot that comes twice says something else the second time."""
        said: list[str] = []
        for is_slot, text in parts:
            words = self._text(text, rng) if is_slot else text
            for _ in range(_TRIES):
                if not is_slot or words not in said:
                    break
                words = self._text(text, rng)
            said.append(words)
        return "".join(said)

    def one(self, symbol: str, rng: Rng) -> str:
        """Write a single text."""
        return str(self.expand(symbol, 1, rng)[0].as_py())

    def frames(self, symbol: str, n: int, rng: Rng) -> "list[Frame]":
        """Draw `n` frames, each alternative of the rule once before one comes again.

        Everything in `{}` is decided now, everything in `<<>>` per request.
        """
        alternatives = self._rules[symbol]
        order = rng.permutation(len(alternatives))
        return [self._frame(alternatives[order[at % len(order)]], rng) for at in range(n)]

    def each_frame(self, symbol: str, rng: Rng) -> "list[Frame]":
        """Every alternative of a rule once, in its order."""
        return [self._frame(parts, rng) for parts in self._rules[symbol]]

    def _frame(self, parts: tuple[Part, ...], rng: Rng) -> "Frame":
        system, found, message = self._written(parts, rng).partition(_SYSTEM_END)
        return Frame(_parts(message, _FRAME_SLOT), system) if found else Frame(_parts(system, _FRAME_SLOT))


def scatter(chunks: Sequence[pa.Array], choice: npt.NDArray[np.int64]) -> pa.Array:
    """Put the texts of each alternative back where they were asked for.

    Parameters
    ----------
    chunks : one array per distinct value of `choice`, in ascending order of that value
    choice : int64, shape (n,); which alternative each row wants
    """
    if not chunks:
        return pa.array([], pa.string())
    order = np.argsort(choice, kind="stable")
    place = np.empty(len(choice), np.int64)
    place[order] = np.arange(len(choice))
    return pa.concat_arrays([chunk.cast(pa.string()) for chunk in chunks]).take(pa.array(place))


@dataclass(frozen=True, slots=True)
class Frame:
    """A fixed text around slots: what a template family looks like from the inside."""

    parts: tuple[Part, ...]
    system: str | None = None
    """System prompt the template is sent with, if it brings one."""

    @property
    def slots(self) -> tuple[str, ...]:
        """Symbols to fill, in order; a symbol may come twice."""
        return tuple(text for is_slot, text in self.parts if is_slot)


def fill(frames: Sequence[Frame], which: npt.NDArray[np.int64], expand: Expand, rng: Rng) -> pa.Array:
    """Fill one frame per row, with fresh slots.

    Parameters
    ----------
    which : int64, shape (n,); the frame of each row
    expand : writes the slots
    """
    return _assemble([frame.parts for frame in frames], which, expand, rng)


def _assemble(
    texts: Sequence[tuple[Part, ...]], which: npt.NDArray[np.int64], expand: Expand, rng: Rng
) -> pa.Array:
    """One of several texts per row, its slots written anew.

    A symbol is expanded once for all texts and places that need it, then dealt out: few long columns
    instead of many short ones.
    """
    sizes = np.bincount(which, minlength=len(texts)).tolist()
    wanted: dict[str, int] = {}
    for parts, size in zip(texts, sizes, strict=True):
        for is_slot, symbol in parts:
            if is_slot and size > 0:
                wanted[symbol] = wanted.get(symbol, 0) + size
    written = {symbol: expand(symbol, n, rng) for symbol, n in wanted.items()}
    used = dict.fromkeys(wanted, 0)
    chunks = []
    for parts, size in zip(texts, sizes, strict=True):
        if size == 0:
            continue
        columns: list[pa.Array | str] = []
        for is_slot, text in parts:
            columns.append(written[text].slice(used[text], size) if is_slot else text)
            if is_slot:
                used[text] += size
        chunks.append(join(columns, size))
    return scatter(chunks, which)


@cache
def load_rules(language: str) -> Mapping[str, Sequence[str]]:
    """The rules of one language: of its file and of those that carry its name on (en, en_work ...)."""
    corpus = files("pipelines.simulate.texts").joinpath("corpus")
    names = sorted(path.name for path in corpus.iterdir() if path.name.endswith(".toml"))
    rules: dict[str, list[str]] = {}
    for name in names:
        if name.removesuffix(".toml").split("_")[0] == language:
            rules.update(tomllib.loads(corpus.joinpath(name).read_text("utf-8")))
    return rules


def load_grammars(split: Split = "all") -> dict[str, Grammar]:
    """One grammar per language, of one half of the corpus or of all of it; each may use the common words."""
    return {
        language: Grammar(halved({**load_rules("common"), **load_rules(language)}, split))
        for language in LANGUAGES
    }
