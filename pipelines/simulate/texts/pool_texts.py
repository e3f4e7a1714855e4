"""Texts made from pools of real prompts.

Here: `PoolTexts`, which keeps the promise (promise.py) with real rows, and with frames of our own
around real rows where a side of the pools holds nothing that fits. Not here: choosing rows (pools),
work queues (pool_work), new messages from old ones (recombine).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.texts.grammar import LANGUAGES, Rng, scatter
from pipelines.simulate.texts.own_texts import OwnTexts
from pipelines.simulate.texts.pool_work import requests_work, rows_work
from pipelines.simulate.texts.pools import PAYLOADS, PURPOSES, REQUESTS, RETOLD, Rows, numbers, origins
from pipelines.simulate.texts.promise import TALK, TEMPLATES, WORKS, Flags, Indices, Prompts, Templates, Work
from pipelines.simulate.texts.recombine import Retold, conversations, retold
from pipelines.simulate.texts.splits import Split
from pipelines.simulate.texts.workqueue import N_ITEMS, equal_areas, queue_of

_OWN_WORDING = 0.5
"""Share of campaigns that word their instructions themselves though somebody published some: a purpose has
one or two published sources, and operators who do not know each other do not all take the same one."""

_ENOUGH_ROWS = 300
"""An application sends thousands of requests a week; a smaller source would make it repeat itself."""
_ENOUGH_WORK = 300
"""A harvester with a smaller queue would ask the same again and again."""
_ENOUGH_TALK = 150
"""Rows of a language below which people who speak it use our own corpus."""
_ENOUGH_CODE = 4_000
"""With fewer rows, coding agents would show each other's files: the rest comes from our own corpus."""
_PIECE_CHARS = 900
_DOCUMENT_BYTES = 2_000
"""Shorter texts are questions, not documents; nobody cuts them into pieces to index them."""
_REAL_SLOTS = {"message": 1, "letter_in": 1, "ticket": 1, "item": 1, "question": 1, "seed": 1, "document": 4}
"""Slots of our frames that real messages fill, and how many of them make one."""


@dataclass(frozen=True, slots=True)
class PoolTemplates:
    """Each template goes through some rows in an order of its own, on from a random place.

    Template t has the rows rows[first[t]:first[t] + size[t]] and takes every step[t]-th of them, going round.
    """

    texts: Prompts
    rows: Indices
    first: Indices
    size: Indices
    step: Indices
    systems: Sequence[str | None] | None = None
    """Where set, the system prompt of each template, instead of the rows' own."""

    def prompts(self, which: Indices, rng: Rng) -> Prompts:
        start = (rng.random(len(self.size)) * self.size).astype(np.int64)
        place = (start[which] + _nth(which)) * self.step[which] % self.size[which]
        texts = self.texts.take(self.rows[self.first[which] + place])
        if self.systems is None:
            return texts
        return Prompts(texts.prompt, pa.array(list(self.systems), pa.string()).take(pa.array(which)))


def pool_templates(
    texts: Prompts,
    decks: Sequence[Indices],
    deck: Indices,
    rng: Rng,
    systems: Sequence[str | None] | None = None,
) -> PoolTemplates:
    """Templates that share a few decks of rows; `deck` says which one each template goes through."""
    sizes = np.array([len(rows) for rows in decks], np.int64)
    firsts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    step = [_step(int(size), rng) for size in sizes[deck]]
    shuffled = np.concatenate([rng.permutation(rows) for rows in decks])
    return PoolTemplates(texts, shuffled, firsts[deck], sizes[deck], np.array(step, np.int64), systems)


def _step(size: int, rng: Rng) -> int:
    """A stride that meets every one of `size` places before one comes again."""
    step = int(rng.integers(1, size + 1))
    while gcd(step, size) != 1:
        step = step % size + 1
    return step


def _nth(which: Indices) -> Indices:
    """How many entries before each one have the same value."""
    order = np.argsort(which, kind="stable")
    begins = np.flatnonzero(np.diff(which[order], prepend=-1))
    nth = np.empty(len(which), np.int64)
    nth[order] = np.arange(len(which)) - np.repeat(begins, np.diff(np.append(begins, len(which))))
    return nth


class PoolTexts:
    """Real prompts; what no pool can hold (homework, fashions, probes) comes from our own corpus."""

    def __init__(self, rows: pl.DataFrame, split: Split = "all") -> None:
        self._own = OwnTexts(split)
        self._rows = Rows(rows)
        arrow = self._rows.all.select("prompt", "system").to_arrow()
        self._texts = Prompts(
            *(arrow[name].combine_chunks().cast(pa.large_string()) for name in ("prompt", "system"))
        )
        self._talk = self._speakers()
        self._code: dict[str, tuple[Indices, Indices]] = {}
        self._pieces: Prompts | None = None

    # --- people ---------------------------------------------------------------------------------
    def conversation(self, theme: str, starts: Flags, language: Indices, rng: Rng) -> Prompts:
        if theme in ("chat", "work"):
            return self._people(theme, starts, language, rng)
        rows = self._rows.turns(PURPOSES[theme])
        if rows.is_empty():
            return self._own.conversation(theme, starts, language, rng)
        return self._code_talk(theme, rows, starts, language, rng)

    def _speakers(self) -> dict[int, Retold]:
        """Rows of people, by language; rows in a language unknown speak for all where no row has one."""
        rows = self._rows.turns(PURPOSES["chat"])
        if rows.is_empty():
            rows = self._rows.all.filter(pl.col("kind") == "benign_user")
        if rows.get_column("language").is_null().all():
            everybody = retold(rows)
            return dict.fromkeys(range(len(LANGUAGES)), everybody)
        spoken = {}
        for number, language in enumerate(LANGUAGES):
            mine = rows.filter(pl.col("language") == language)
            if mine.height >= _ENOUGH_TALK or (language == "en" and mine.height > 0):
                spoken[number] = retold(mine, self._own.closing(language))
        return spoken

    def _people(self, theme: str, starts: Flags, language: Indices, rng: Rng) -> Prompts:
        chunks = []
        for number in np.unique(language).tolist():
            mine = language == number
            if number in self._talk:
                chunks.append(self._talk[number].write(starts[mine], rng))
            else:
                chunks.append(self._own.conversation(theme, starts[mine], language[mine], rng).prompt)
        return Prompts(scatter(chunks, language))

    def _code_talk(
        self, theme: str, rows: pl.DataFrame, starts: Flags, language: Indices, rng: Rng
    ) -> Prompts:
        """Whole rows, conversation by conversation; scarce ones are mixed with words of our own."""
        if theme not in self._code:
            ordered, sizes = conversations(rows)
            self._code[theme] = numbers(ordered), np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        row, first = self._code[theme]
        run = np.cumsum(starts)
        begins = np.flatnonzero(np.concatenate(([True], run[1:] != run[:-1])))[: len(starts)]
        turn = np.arange(len(starts)) - np.repeat(begins, np.diff(np.append(begins, len(starts))))
        chosen = np.repeat(
            rng.integers(0, len(first) - 1, len(begins)), np.diff(np.append(begins, len(starts)))
        )
        at = (first[chosen] + turn) % len(row)  # whoever has more to say goes on with the next one
        real = self._texts.take(row[at]).prompt.cast(pa.string())
        is_own = rng.random(len(starts)) >= len(row) / _ENOUGH_CODE
        own = self._own.conversation(theme, starts[is_own], language[is_own], rng).prompt
        place = np.arange(len(starts))
        place[is_own] = len(starts) + np.arange(int(is_own.sum()))
        return Prompts(pa.concat_arrays([real, own]).take(pa.array(place)))

    def messages(self, n: int, rng: Rng, languages: Sequence[str] = ()) -> pa.Array:
        """First messages of people, in the languages that the pools speak, as often as they do."""
        numbers_ = [LANGUAGES.index(name) for name in languages] or list(self._talk)
        weights = np.array(
            [len(self._talk[k].first_row) if k in self._talk else 1 for k in numbers_], np.float64
        )
        language = rng.choice(np.array(numbers_), n, p=weights / weights.sum())
        return self._people("chat", np.ones(n, np.bool_), language, rng).prompt

    # --- programs -------------------------------------------------------------------------------
    def templates(self, theme: str, n: int, rng: Rng) -> Templates:
        purpose = PURPOSES.get(theme) or REQUESTS.get(theme)
        rows = None if purpose is None else self._rows.serving(purpose)
        if rows is None or rows.is_empty():
            return self._own.framed(theme, n, rng, self.slot)
        if theme == "app":
            return self._apps(rows, n, rng)
        if theme == "batch":
            return self._batches(rows, n, rng)
        return pool_templates(self._texts, [numbers(rows)], np.zeros(n, np.int64), rng)

    def slot(self, symbol: str, n: int, rng: Rng) -> pa.Array:
        """What fills a slot of a frame of our own: real messages where it asks for a message."""
        if symbol not in _REAL_SLOTS:
            return self._own.slot(symbol, n, rng)
        languages = () if symbol in ("message", "letter_in") else ("en",)
        columns = [self.messages(n, rng, languages) for _ in range(_REAL_SLOTS[symbol])]
        return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, "\n\n")

    def fixed(self, theme: str, n: int, rng: Rng) -> Prompts:
        rows = self._rows.serving(PURPOSES[theme]) if theme in PURPOSES else self._rows.all.clear()
        if rows.is_empty():
            return self._own.framed(theme, 1, rng, self.slot).prompts(np.zeros(n, np.int64), rng)
        sizes = rows.group_by("source").len().sort("source")
        large = [name for name, size in sizes.iter_rows() if size >= min(n, 100)]
        names = large or sizes["source"].to_list()
        one = rows.filter(pl.col("source") == names[int(rng.integers(len(names)))])
        return self._texts.take(numbers(one)[:n])

    def assignment(self, n: int, rng: Rng) -> Prompts:
        rows = self._rows.serving(PURPOSES["chat"])
        tasks = rows.filter(pl.col("prompt").str.len_bytes().is_between(200, 900))
        if tasks.is_empty():
            return self._own.assignment(n, rng)
        task = str(tasks.item(int(rng.integers(tasks.height)), "prompt"))
        return Prompts(self._own.pasted(task, n, rng))

    def personas(self, n: int, rng: Rng) -> pa.Array:
        return self._own.personas(n, rng)

    def _apps(self, rows: pl.DataFrame, n: int, rng: Rng) -> Templates:
        """Applications: each does one thing (texts of one origin), under a system prompt of its own."""
        sizes = rows.group_by("origin").len().sort("origin")
        large = sizes.filter(pl.col("len") >= _ENOUGH_ROWS).get_column("origin").to_list()
        if not large:
            return self._own.framed("app", n, rng, self.slot)
        deck = rng.integers(0, len(large), n)
        decks = [rows.filter(pl.col("origin") == origin) for origin in large]
        given = [
            deck_rows.get_column("system").drop_nulls().unique(maintain_order=True) for deck_rows in decks
        ]
        systems: list[str | None] = []
        for frame, number in zip(self._own.framed("app", n, rng, self.slot).frames, deck, strict=True):
            words = " ".join(text.strip() for is_slot, text in frame.parts if not is_slot)
            own = given[number]
            systems.append(
                (frame.system or words) if own.is_empty() else str(own[int(rng.integers(len(own)))])
            )
        return pool_templates(self._texts, [numbers(deck_rows) for deck_rows in decks], deck, rng, systems)

    def _batches(self, rows: pl.DataFrame, n: int, rng: Rng) -> PoolTemplates:
        """Back-fills: documents cut into pieces, one order for all of them."""
        documents = rows.filter(pl.col("prompt").str.len_bytes() >= _DOCUMENT_BYTES)
        rows = rows if documents.is_empty() else documents
        if self._pieces is None:
            self._pieces = Prompts(pa.array(_cut(rows.get_column("prompt").to_list()), pa.string()))
        given = rows.get_column("system").drop_nulls().unique(maintain_order=True)
        systems: list[str | None] = [
            None if given.is_empty() else str(given[int(rng.integers(len(given)))]) for _ in range(n)
        ]
        deck = np.zeros(n, np.int64)
        return pool_templates(self._pieces, [np.arange(len(self._pieces))], deck, rng, systems)

    # --- campaigns ------------------------------------------------------------------------------
    def work(self, theme: str, rng: Rng, *, n_frames: int = 1, languages: Sequence[str] = ("en",)) -> Work:
        english = tuple(languages) == ("en",)
        way, rows = self._way(theme, english=english)
        if way == "requests" and rng.random() < _OWN_WORDING:
            way, rows = self._way(theme, english=english, rendered=False)
        if way == "requests":
            return requests_work(rows, rng)
        if way == "own":
            return self._own.work(theme, rng, n_frames=n_frames, languages=languages)
        around = self._own.around(theme, rng, n_frames=n_frames, languages=languages)
        if way == "rows":
            return rows_work(rows, around, len(languages), rng)
        banks = [self.messages(N_ITEMS, rng, (language,)) for language in languages]
        return queue_of(around, banks, equal_areas(N_ITEMS))

    def _way(self, theme: str, *, english: bool, rendered: bool = True) -> tuple[str, pl.DataFrame]:
        """How a queue is made: whole requests, rows or retold messages in frames of ours, or all our own.

        Whole requests are in the language they were written in: a campaign in several languages has
        instructions of our own, and so has one that does not take what others `rendered`.
        """
        for way, purposes in (("requests", REQUESTS if rendered else {}), ("rows", PAYLOADS)):
            if theme in purposes and english:
                rows = self._rows.serving(purposes[theme])
                if rows.height >= (_ENOUGH_WORK if theme in RETOLD else 1):
                    return way, rows
        return ("retold" if theme in RETOLD else "own"), self._rows.all.clear()

    # --- where it is from -----------------------------------------------------------------------
    def provenance(self) -> list[tuple[str, str]]:
        return [
            *((theme, self._talk_source(theme)) for theme in TALK),
            *((theme, self._template_source(theme)) for theme in TEMPLATES),
            *((theme, self._work_source(theme)) for theme in WORKS),
        ]

    def _talk_source(self, theme: str) -> str:
        if theme in ("chat", "work"):
            rows = self._rows.turns(PURPOSES["chat"])
            spoken = ", ".join(LANGUAGES[number] for number in self._talk)
            return f"retold from {origins(rows)} in {spoken}; own corpus in other languages"
        rows = self._rows.turns(PURPOSES[theme])
        if rows.is_empty():
            return "own corpus"
        share = min(1.0, rows.height / _ENOUGH_CODE)
        return origins(rows) + ("" if share == 1.0 else f" ({share:.0%} of messages); own corpus")

    def _template_source(self, theme: str) -> str:
        rows = self._rows.serving(PURPOSES[theme]) if theme in PURPOSES else self._rows.all.clear()
        if theme == "app" and rows.group_by("origin").len().filter(pl.col("len") >= _ENOUGH_ROWS).is_empty():
            rows = rows.clear()
        return "own frames around retold messages" if rows.is_empty() else origins(rows)

    def _work_source(self, theme: str) -> str:
        way, rows = self._way(theme, english=True)
        return {
            "requests": f"requests of {origins(rows)}, filled up; own frames in every second campaign",
            "rows": f"own frames around rows of {origins(rows)}, filled up",
            "retold": "own frames around retold messages",
            "own": "own corpus",
        }[way]


def _cut(documents: list[str]) -> list[str]:
    """Documents in pieces of some hundred characters, as indexing jobs cut them; no piece twice."""
    pieces = (text[at : at + _PIECE_CHARS] for text in documents for at in range(0, len(text), _PIECE_CHARS))
    return list(dict.fromkeys(piece for piece in pieces if piece.strip()))
