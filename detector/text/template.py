"""What a few prompts of one family share, and where they differ: the template, by alignment.

Here: `Template`, the pieces of it in order, and the way back from any text to what in it belongs to a
template. Not here: how a template is written down (skeleton), what it demands (contract), how families are
found.

Bounds: of at most MOST_EXAMPLES texts the first MOST_CHARS characters and in them MOST_WORDS words are
read. Two texts of m and n words are aligned with n operations on whole numbers of m bits; at the bounds
this is about a second in all, whatever the texts hold.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Self

SHARED_BY = 0.6
"""A run of words belongs to the template when this share of the examples holds it, in the same order."""

RUN = 3
"""Words that must stand together to count as shared: single words are shared by chance."""

MOST_EXAMPLES = 12
MOST_WORDS = 6_000
MOST_CHARS = 24_000

_BASES = 3
"""Middle-sized examples tried as the one the others are aligned to: one alone may be odd."""

_EDGE = "\x00"
"""Stands before the first and behind the last word, so that a short opening is a run. No word is like it."""

_WORD = re.compile(
    r"[぀-ヿ㐀-鿿가-힯฀-๿]"  # scripts without spaces: a sign is a word
    r"|[^\W_]{1,64}+|[^\w\s]|_|\n\s*+"  # a line's end is a word, too: templates are made of lines
)
_LETTERS = re.compile(r"[^\W\d_]")
_FRAME = frozenset(':：<>[]{}#*|"`\n' + _EDGE)

_NO_LIMIT = 1 << 30


class Word(NamedTuple):
    """A word as it is compared, and where it stands."""

    folded: str
    start: int
    end: int


class Run(NamedTuple):
    """RUN words in a row, and which word of the text is the first."""

    at: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of `Template.base` from character `start` to `end`: fixed text, or a slot with its fillers.

    Fillers are what stands in the slot, with the blanks around it, in every example in which both its sides
    were found; blank ones are left out. Fixed text has none.
    """

    start: int
    end: int
    is_slot: bool
    fillers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """Fixed text and slots in order, read off a few examples; `runs` are its runs of words in order."""

    base: str
    pieces: tuple[Piece, ...]
    examples: tuple[str, ...]
    runs: tuple[Run, ...]

    @classmethod
    def of(cls, examples: "Sequence[str] | Template") -> "Template":
        """Align the examples (already a template: itself). Their order changes nothing.

        A word of the base belongs to the template when a run of RUN words around it stands at the same
        place in the order of SHARED_BY of all examples: what one holds twice counts once, and of two parts
        that changed places the longer one counts.
        """
        if isinstance(examples, Template):
            return examples
        texts = sorted((text[:MOST_CHARS] for text in examples), key=lambda text: (len(text), text))
        if len(texts) > MOST_EXAMPLES:
            texts = [texts[at * len(texts) // MOST_EXAMPLES] for at in range(MOST_EXAMPLES)]
        return _aligned(texts) if texts else cls("", (), (), ())

    def fixed_in(self, text: str) -> list[tuple[int, int]]:
        """(start, end) in characters of the stretches of any text that belong to this template, in order."""
        words = _words(text)
        kept = [False] * len(words)
        for _, at in matches(self.runs, _runs(words, {run.words for run in self.runs})):
            kept[at : at + RUN] = [True] * RUN
        return [(words[first].start, words[last].end) for first, last in _stretches(words, kept)]


def _aligned(texts: list[str]) -> Template:
    words = [_words(text) for text in texts]
    n_holding = Counter(run for of_text in words for run in {run.words for run in _runs(of_text)})
    least = SHARED_BY * len(texts)
    shared = {run for run, n in n_holding.items() if n >= least}
    runs = [_runs(of_text, shared) for of_text in words]
    first = max((len(texts) - _BASES) // 2, 0)
    tried = [
        _Alignment.to(base, words, runs, least) for base in range(first, min(first + _BASES, len(texts)))
    ]
    return max(tried, key=lambda alignment: alignment.n_kept).template(texts)


@dataclass(frozen=True, slots=True)
class _Alignment:
    """All examples aligned to one of them.

    `stretches` are (first, last) words of the base that are kept, in order, cut where most examples hold
    something in between; `places` say for each example where words of the base stand in it.
    """

    base: int
    words: list[list[Word]]
    stretches: list[tuple[int, int]]
    places: list[dict[int, int]]

    @property
    def n_kept(self) -> int:
        return sum(last - first + 1 for first, last in self.stretches)

    @classmethod
    def to(cls, base: int, words: list[list[Word]], runs: list[list[Run]], least: float) -> Self:
        places = [_places(runs[base], of_text) for of_text in runs]
        votes = Counter(at for place in places for at in place)
        kept = [votes[at] >= least for at in range(len(words[base]))]
        cuts = _cuts(places, len(words) - least)
        return cls(base, words, _stretches(words[base], kept, cuts), places)

    def template(self, texts: list[str]) -> Template:
        mine, text = self.words[self.base], texts[self.base]
        ends = [-1, *(last for _, last in self.stretches)]
        starts = [*(first for first, _ in self.stretches), len(mine)]
        pieces: list[Piece] = []
        for n, (left, right) in enumerate(zip(ends, starts, strict=True)):
            start = mine[left].end if left >= 0 else 0
            end = mine[right].start if right < len(mine) else len(text)
            found = [self._filler(texts, at, left, right) for at in range(len(texts))]
            fillers = tuple(filler for filler in found if filler and not filler.isspace())
            if fillers:
                pieces.append(Piece(start, end, is_slot=True, fillers=fillers))
            if n < len(self.stretches):
                first, last = self.stretches[n]
                pieces.append(Piece(mine[first].start, mine[last].end, is_slot=False))
        runs = tuple(
            run for first, last in self.stretches for run in _runs(mine[first : last + 1], offset=first)
        )
        return Template(text, tuple(pieces), tuple(texts), runs)

    def _filler(self, texts: list[str], at: int, left: int, right: int) -> str:
        """What stands in one example between two words of the base; empty when either was not found in it."""
        words, place = self.words[at], self.places[at]
        start = 0 if left < 0 else words[place[left]].end if left in place else _NO_LIMIT
        at_end = right >= len(self.words[self.base])
        end = len(texts[at]) if at_end else words[place[right]].start if right in place else 0
        return texts[at][start:end]


# --- words and runs -----------------------------------------------------------------------------------------


def _words(text: str) -> list[Word]:
    """The first words of a text, with an edge at its beginning and, when all of it was read, at its end."""
    found = [
        Word(_folded(match.group()), *match.span()) for match in islice(_WORD.finditer(text), MOST_WORDS)
    ]
    last = [Word(_EDGE, len(text), len(text))] if len(found) < MOST_WORDS else []
    return [Word(_EDGE, 0, 0), *found, *last]


def _folded(word: str) -> str:
    return "\n" if word[0] == "\n" else word.casefold()


def _runs(words: list[Word], only: set[tuple[str, ...]] | None = None, offset: int = 0) -> list[Run]:
    found = (
        Run(at + offset, tuple(word.folded for word in words[at : at + RUN]))
        for at in range(len(words) - RUN + 1)
    )
    return [run for run in found if only is None or run.words in only]


def _stretches(
    words: list[Word], kept: list[bool], cuts: frozenset[int] = frozenset()
) -> list[tuple[int, int]]:
    """(first, last) of the kept words that stand together and say enough; a cut stands before its word."""
    found = []
    first = None
    for at in range(len(words) + 1):
        goes_on = at < len(words) and kept[at]
        if first is not None and (not goes_on or at in cuts):
            if _says_enough([word.folded for word in words[first:at]]):
                found.append((first, at - 1))
            first = None
        if goes_on and first is None:
            first = at
    return found


def _says_enough(words: list[str]) -> bool:
    """RUN words, signs of a frame counted as words: `Answer:` on its own line does, `. The` does not."""
    n_words = sum(_LETTERS.search(word) is not None for word in words)
    is_all = words[0] == words[-1] == _EDGE and len(words) > 1
    return is_all or (n_words > 0 and n_words + sum(word in _FRAME for word in words) >= RUN)


# --- alignment ----------------------------------------------------------------------------------------------


def _places(base: list[Run], other: list[Run]) -> dict[int, int]:
    """Which word of the other text each matched word of the base is."""
    place: dict[int, int] = {}
    for mine, its in matches(base, other):
        for step in range(RUN):
            place.setdefault(mine + step, its + step)
    return place


def _cuts(places: list[dict[int, int]], most: float) -> frozenset[int]:
    """Words of the base before which more than that many examples hold something that the base does not."""
    n_wider = Counter(
        at for place in places for at, its in place.items() if at - 1 in place and its - place[at - 1] > 1
    )
    return frozenset(at for at, n in n_wider.items() if n > most)


def matches(base: Sequence[Run], other: Sequence[Run]) -> list[tuple[int, int]]:
    """(at in base, at in other) of a longest common subsequence of runs, in order.

    Hyyro, "Bit-parallel LCS-length computation revisited" (2004): one row of the table is one whole number,
    whose zero bits are the columns at which the length grows. Rows are kept, and the way is read back from
    them.
    """
    first, last = _common_ends(base, other)
    mine = base[first : len(base) - last]
    its = other[first : len(other) - last]
    inner = [(one + first, two + first) for one, two in _drawn_together(mine, its, _inner_matches(mine, its))]
    head = [(at, at) for at in range(first)]
    tail = [(len(base) - at, len(other) - at) for at in range(last, 0, -1)]
    return [(base[one].at, other[two].at) for one, two in (*head, *inner, *tail)]


def _common_ends(base: Sequence[Run], other: Sequence[Run]) -> tuple[int, int]:
    """How many runs are the same at the beginning and, behind these, at the end."""
    most = min(len(base), len(other))
    first = next((at for at in range(most) if base[at].words != other[at].words), most)
    ends = range(1, most - first + 1)
    last = next((at - 1 for at in ends if base[-at].words != other[-at].words), most - first)
    return first, last


def _inner_matches(base: Sequence[Run], other: Sequence[Run]) -> list[tuple[int, int]]:
    """Indices of a longest common subsequence, backwards."""
    columns: dict[tuple[str, ...], int] = defaultdict(int)
    for column, run in enumerate(base):
        columns[run.words] |= 1 << column
    everything = (1 << len(base)) - 1
    row = everything
    rows = []
    for run in other:
        taken = row & columns.get(run.words, 0)
        row = ((row + taken) | (row - taken)) & everything
        rows.append(row)
    found = []
    at, column = len(rows) - 1, len(base) - 1
    while at >= 0 and column >= 0:
        if rows[at] >> column & 1:
            column -= 1
        elif at > 0 and not rows[at - 1] >> column & 1:
            at -= 1
        else:
            found.append((column, at))
            at, column = at - 1, column - 1
    return found


def _drawn_together(
    base: Sequence[Run], other: Sequence[Run], backwards: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Of several longest ways one that keeps neighbours together, in order.

    A slot may quote the template. Each match moves right, next to the one behind it, where the texts agree
    there.
    """
    drawn: list[tuple[int, int]] = []
    for mine, its in backwards:
        at = (mine, its)
        if drawn:
            before = (drawn[-1][0] - 1, drawn[-1][1] - 1)
            if (
                before[0] >= mine
                and before[1] >= its
                and base[before[0]].words == other[before[1]].words
                and base[before[0]].at == base[before[0] + 1].at - 1
                and other[before[1]].at == other[before[1] + 1].at - 1
            ):
                at = before
        drawn.append(at)
    return drawn[::-1]
