"""Text from pools of real prompts: Parquet files in the small schema of docs/reference/simulation.md.

Here: reading the pools, and which rows serve which purpose. Not here: the promise they keep (texts).
Only `kind` and `prompt` are required; `source`, `capability`, `system`, `group_id` and `turn` are used
where a file has them. Files without those two columns (traffic traces) are skipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.errors import UsageError
from pipelines.simulate.grammar import Rng, join
from pipelines.simulate.texts import Flags, Indices, OwnTexts, Prompts, Templates

_COLUMNS = {
    "source": pl.String,
    "kind": pl.String,
    "capability": pl.String,
    "system": pl.String,
    "prompt": pl.String,
    "group_id": pl.String,
    "turn": pl.Int32,
}

_PEOPLE = ("benign_user",)
_HARD = ("hard_negative",)
_HARVEST = ("distillation",)
_CHAT = ("general_chat", "roleplay", "creative_writing", "general_reasoning", "translation")

# Theme to (kinds, capabilities; empty = any). Real rows stand for each theme without naming a source,
# so that anyone's pools work: what a row is for is in its kind and capability.
_PURPOSE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "chat": (_PEOPLE, _CHAT),
    "work": (_PEOPLE, _CHAT),
    "coding": ((*_PEOPLE, *_HARD), ("coding", "agentic")),
    "agent": ((*_PEOPLE, *_HARD), ("agentic", "tool_use")),
    "test": (_HARD, ("tool_use", "coding")),
    "app": ((*_PEOPLE, *_HARD), ("classification", "summarization", "coding", "tool_use")),
    "batch": (_HARD, ("summarization", "creative_writing", "translation")),
    "synthetic": (_HARVEST, ("general_chat", "classification", "roleplay")),
    "benchmark_math": (_HARD, ("math_reasoning",)),
    "benchmark_judge": (_HARD, ("rubric_grading",)),
    "benchmark_code": (_HARD, ("coding", "tool_use")),
    "regression": (_HARD, ("rubric_grading",)),
    "reasoning": (_HARVEST, ("math_reasoning", "general_reasoning")),
    "grading": (_HARVEST, ("rubric_grading",)),
    "trajectory": (_HARVEST, ("agentic", "computer_use")),
    "extract": (_HARVEST, ("coding", "data_analysis")),
}

_TYPED = ("chat", "work", "coding", "agent")
_TYPED_BYTES = 6_000
"""People rarely type more; longer rows of a chat pool are prompt collections, not messages."""
_PIECE_CHARS = 900
_DOCUMENT_BYTES = 2_000
"""Shorter texts are questions, not documents; nobody cuts them into pieces to index them."""
_ENOUGH_ROWS = 300
"""An application sends thousands of requests a week; a smaller source would make it repeat itself."""


def read_pools(folder: Path) -> pl.DataFrame:
    """All text rows of a folder of pools, in file and row order.

    Raises
    ------
    UsageError : the folder is missing, or holds no Parquet file with `kind` and `prompt`, or lacks
        benign or distillation rows.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of prompt pools", remedy="check --prompts")
    frames = []
    for path in sorted(folder.glob("*.parquet")):
        try:
            schema = pl.read_parquet_schema(path)
        except (pl.exceptions.PolarsError, OSError):
            raise UsageError(f"{path}: not a Parquet file", remedy="remove it from the pools") from None
        if not {"kind", "prompt"} <= set(schema):
            continue
        present = [name for name in _COLUMNS if name in schema]
        frame = pl.read_parquet(path, columns=present).with_columns(
            pl.lit(None, dtype=dtype).alias(name) for name, dtype in _COLUMNS.items() if name not in present
        )
        frames.append(
            frame.select(pl.col(name).cast(dtype, strict=False) for name, dtype in _COLUMNS.items())
            .with_columns(pl.col("source").fill_null(path.stem))
            .filter(pl.col("prompt").str.strip_chars().str.len_bytes() > 0)
        )
    rows = pl.concat(frames) if frames else pl.DataFrame(schema=_COLUMNS)
    for kind in ("benign_user", "distillation"):
        if rows.filter(pl.col("kind") == kind).is_empty():
            raise UsageError(
                f"{folder}: no row of kind {kind} in any Parquet file",
                remedy="docs/reference/simulation.md describes the pools' columns",
            )
    return rows


@dataclass(slots=True)
class Deck:
    """Rows of a pool in the order they are dealt; after the last comes the first again."""

    rows: Indices
    dealt: int = 0

    def deal(self, n: int) -> Indices:
        """The next `n` rows."""
        places = (self.dealt + np.arange(n)) % len(self.rows)
        self.dealt += n
        return self.rows[places]


@dataclass(frozen=True, slots=True)
class Conversations:
    """Rows of one theme, grouped: conversation i is rows[first[i]:first[i + 1]], in order of turns."""

    rows: Indices
    first: Indices

    def deal(self, n: int, rng: Rng) -> Indices:
        """`n` rows, conversation after conversation in a fresh order."""
        dealt: list[Indices] = []
        n_dealt = 0
        while n_dealt < n:
            order = rng.permutation(len(self.first) - 1)
            sizes = np.diff(self.first)[order]
            ends = np.cumsum(sizes)
            inside = np.arange(int(ends[-1])) - np.repeat(ends - sizes, sizes)
            dealt.append(self.rows[np.repeat(self.first[:-1][order], sizes) + inside])
            n_dealt += len(dealt[-1])
        return np.concatenate(dealt)[:n] if dealt else np.empty(0, np.int64)


@dataclass(slots=True)
class PoolTemplates:
    """Each template deals from a deck: an item comes again only when its deck is through.

    Templates that share one deck share a work queue.
    """

    texts: Prompts
    decks: list[Deck]
    shells: Sequence[tuple[str, str]] | None = None
    """Where set, fixed words of our own before and after the pool's text, per template."""
    systems: Sequence[str | None] | None = None
    """Where set, the system prompt of each template, instead of the rows' own."""

    def prompts(self, which: Indices, rng: Rng) -> Prompts:
        rows = np.empty(len(which), np.int64)
        for number in np.unique(which).tolist():
            mine = which == number
            rows[mine] = self.decks[number].deal(int(mine.sum()))
        texts = self.texts.take(rows)
        index = pa.array(which)
        prompt, system = texts.prompt.cast(pa.string()), texts.system
        if self.shells is not None:
            before, after = (
                pa.array(list(words), pa.string()).take(index) for words in zip(*self.shells, strict=True)
            )
            prompt = join([before, prompt, after], len(which))
        if self.systems is not None:
            system = pa.array(list(self.systems), pa.string()).take(index)
        return Prompts(prompt, system)


class PoolTexts:
    """Real prompts; what no pool can hold (homework, fashions, probes) comes from our own corpus."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._own = OwnTexts()
        self._rows = rows.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        arrow = self._rows.select("prompt", "system").to_arrow()
        self._texts = Prompts(
            *(arrow[name].combine_chunks().cast(pa.large_string()) for name in ("prompt", "system"))
        )
        self._conversations: dict[str, Conversations] = {}
        self._pieces: Prompts | None = None

    def conversation(self, theme: str, starts: Flags, language: Indices, rng: Rng) -> Prompts:
        if theme not in self._conversations:
            self._conversations[theme] = self._group(theme)
        return Prompts(self._texts.take(self._conversations[theme].deal(len(starts), rng)).prompt)

    def templates(self, theme: str, n: int, rng: Rng) -> Templates:
        if theme in ("viral", "probe"):
            return self._own.templates(theme, n, rng)
        if theme == "app":
            return self._apps(n, rng)
        if theme == "batch":
            return self._batches(n, rng)
        queue = Deck(rng.permutation(_numbers(self._distinct(theme))))
        shells = None
        if theme == "extract":
            shells = [_around_item(self._own.frame("extract", rng).parts) for _ in range(n)]
        return PoolTemplates(self._texts, [queue] * n, shells)

    def fixed(self, theme: str, n: int, rng: Rng) -> Prompts:
        rows = self._distinct(theme)
        sizes = rows.group_by("source").len().sort("source")
        large = [name for name, size in sizes.iter_rows() if size >= min(n, 100)]
        names = large or sizes["source"].to_list()
        one = rows.filter(pl.col("source") == names[int(rng.integers(len(names)))])
        return self._texts.take(_numbers(one)[:n])

    def assignment(self, n: int, rng: Rng) -> Prompts:
        tasks = self._rows_for("chat").filter(pl.col("prompt").str.len_bytes().is_between(200, 900))
        if tasks.is_empty():
            return self._own.assignment(n, rng)
        task = str(tasks.item(int(rng.integers(tasks.height)), "prompt"))
        return Prompts(self._own.pasted(task, n, rng))

    def personas(self, n: int, rng: Rng) -> pa.Array:
        return self._own.personas(n, rng)

    def _rows_for(self, theme: str) -> pl.DataFrame:
        """Rows that serve a theme: of its kinds and capabilities, or of its kinds, or any benign row."""
        kinds, capabilities = _PURPOSE[theme]
        rows = self._rows.filter(pl.col("kind").is_in(kinds))
        fitting = rows.filter(pl.col("capability").is_in(capabilities))
        if theme in _TYPED:
            fitting = fitting.filter(pl.col("prompt").str.len_bytes() <= _TYPED_BYTES)
        for choice in (fitting, rows):
            if not choice.is_empty():
                return choice
        return self._rows.filter(pl.col("kind") == "benign_user")

    def _distinct(self, theme: str) -> pl.DataFrame:
        return self._rows_for(theme).unique("prompt", keep="first", maintain_order=True)

    def _group(self, theme: str) -> Conversations:
        rows = self._rows_for(theme).with_columns(
            pl.coalesce(pl.concat_str("source", "group_id"), pl.col("row").cast(pl.String)).alias("group")
        )
        ordered = rows.with_columns(pl.col("row").min().over("group").alias("place")).sort(
            "place", "turn", "row"
        )
        sizes = ordered.group_by("place", maintain_order=True).len().get_column("len").to_numpy()
        return Conversations(_numbers(ordered), np.concatenate(([0], np.cumsum(sizes))).astype(np.int64))

    def _apps(self, n: int, rng: Rng) -> PoolTemplates:
        """Applications: each does one thing (texts of one origin), under a system prompt of its own."""
        rows = self._distinct("app").with_columns(
            pl.col("source").str.split(":").list.first().alias("origin")
        )
        sizes = rows.group_by("origin").len().sort("origin")
        origins = sizes.filter(pl.col("len") >= _ENOUGH_ROWS).get_column("origin").to_list()
        origins = origins or sizes.get_column("origin").to_list()
        decks: list[Deck] = []
        systems: list[str | None] = []
        for _ in range(n):
            mine = rows.filter(pl.col("origin") == origins[int(rng.integers(len(origins)))])
            own = mine.get_column("system").drop_nulls().unique(maintain_order=True)
            words = self._own.frame("app", rng).parts
            instruction = " ".join(text.strip() for is_slot, text in words if not is_slot)
            systems.append(instruction if own.is_empty() else str(own[int(rng.integers(len(own)))]))
            decks.append(Deck(rng.permutation(_numbers(mine))))
        return PoolTemplates(self._texts, decks, systems=systems)

    def _batches(self, n: int, rng: Rng) -> PoolTemplates:
        """Back-fills: documents cut into pieces, one order for all of them."""
        rows = self._distinct("batch")
        documents = rows.filter(pl.col("prompt").str.len_bytes() >= _DOCUMENT_BYTES)
        rows = rows if documents.is_empty() else documents
        if self._pieces is None:
            self._pieces = Prompts(pa.array(_cut(rows.get_column("prompt").to_list()), pa.string()))
        orders = rows.get_column("system").drop_nulls().unique(maintain_order=True)
        systems: list[str | None] = [
            None if orders.is_empty() else str(orders[int(rng.integers(len(orders)))]) for _ in range(n)
        ]
        decks = [Deck(rng.permutation(len(self._pieces))) for _ in range(n)]
        return PoolTemplates(self._pieces, decks, systems=systems)


def _numbers(rows: pl.DataFrame) -> Indices:
    return rows.get_column("row").to_numpy()


def _cut(documents: list[str]) -> list[str]:
    """Documents in pieces of some hundred characters, as indexing jobs cut them; no piece twice."""
    pieces = (text[at : at + _PIECE_CHARS] for text in documents for at in range(0, len(text), _PIECE_CHARS))
    return list(dict.fromkeys(piece for piece in pieces if piece.strip()))


def _around_item(parts: tuple[tuple[bool, str], ...]) -> tuple[str, str]:
    at = next(i for i, (is_slot, _) in enumerate(parts) if is_slot)
    return "".join(text for _, text in parts[:at]), "".join(text for _, text in parts[at + 1 :])
