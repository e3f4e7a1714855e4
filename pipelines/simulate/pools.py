"""Text from pools of real prompts: Parquet files in the small schema of docs/reference/simulation.md.

Here: reading the pools, and which rows serve which purpose. Not here: the promise they keep (texts).
Only `kind` and `prompt` are required; `source`, `capability`, `system`, `group_id` and `turn` are used
where a file has them. Files without those two columns (traffic traces) are skipped.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import UsageError
from pipelines.simulate.grammar import Rng, scatter
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
    "app": ((*_PEOPLE, *_HARD), ("classification", "summarization", "coding", "general_reasoning")),
    "batch": (_HARD, ("summarization", "creative_writing", "translation", "general_chat")),
    "synthetic": (_HARVEST, ("general_chat", "classification", "roleplay")),
    "benchmark": (_HARD, ("math_reasoning", "tool_use", "data_analysis", "coding", "general_chat")),
    "regression": (_HARD, ("rubric_grading",)),
    "reasoning": (_HARVEST, ("math_reasoning", "general_reasoning")),
    "grading": (_HARVEST, ("rubric_grading",)),
    "trajectory": (_HARVEST, ("agentic", "tool_use", "computer_use")),
    "extract": (_HARVEST, ("coding", "data_analysis")),
}

_CONVERSATION_BYTES = 6_000
"""People rarely type more; longer rows of a chat pool are prompt collections, not messages."""


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


@dataclass(slots=True)
class PoolTemplates:
    """Each template is one deck: requests of one template never share an item until the deck is through."""

    pool: Prompts
    decks: list[Deck]
    wrap: Templates | None = None
    """Where set, the pool's text is the changing item of this fixed instruction."""

    def prompts(self, which: Indices, rng: Rng) -> Prompts:
        rows = np.empty(len(which), np.int64)
        for number, deck in enumerate(self.decks):
            mine = which == number
            rows[mine] = deck.deal(int(mine.sum()))
        return self.pool.take(rows)


@dataclass(slots=True)
class WrappedTemplates:
    """A fixed instruction of our own around items from a pool."""

    before: list[str]
    after: list[str]
    items: PoolTemplates

    def prompts(self, which: Indices, rng: Rng) -> Prompts:
        chunks = []
        for number in np.unique(which).tolist():
            n = int(np.sum(which == number))
            items = self.items.prompts(np.zeros(n, np.int64), rng).prompt.cast(pa.string())
            chunks.append(
                pc.binary_join_element_wise(
                    pa.scalar(self.before[number]), items, pa.scalar(self.after[number]), ""
                )
            )
        return Prompts(scatter(chunks, which))


@dataclass(slots=True)
class PoolTexts:
    """Real prompts; what no pool can hold (homework, fashions, probes) comes from our own corpus."""

    rows: pl.DataFrame
    own: OwnTexts = field(default_factory=OwnTexts)
    _pool: Prompts = field(init=False)
    _talk: dict[str, Deck] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = self.rows.with_row_index("row")
        arrow = self.rows.select("prompt", "system").to_arrow()
        self._pool = Prompts(
            arrow["prompt"].combine_chunks().cast(pa.large_string()),
            arrow["system"].combine_chunks().cast(pa.large_string()),
        )

    def _rows_for(self, theme: str) -> pl.DataFrame:
        kinds, capabilities = _PURPOSE[theme]
        rows = self.rows.filter(pl.col("kind").is_in(kinds))
        fitting = rows.filter(pl.col("capability").is_in(capabilities))
        if theme in ("chat", "work", "coding", "agent"):
            short = fitting.filter(pl.col("prompt").str.len_bytes() <= _CONVERSATION_BYTES)
            fitting = short if not short.is_empty() else fitting
        if not fitting.is_empty():
            return fitting
        if not rows.is_empty():
            return rows
        return self.rows.filter(pl.col("kind") == "benign_user")

    def _conversations(self, theme: str, rng: Rng) -> Deck:
        """All conversations of a theme, shuffled, their messages in order."""
        rows = self._rows_for(theme).with_columns(
            pl.coalesce(pl.concat_str(["source", "group_id"]), pl.col("row").cast(pl.String)).alias("group")
        )
        groups = rows.get_column("group").unique(maintain_order=True)
        order = pl.DataFrame({"group": groups, "place": rng.permutation(len(groups))})
        rows = rows.join(order, on="group").sort("place", "turn", "row")
        return Deck(rows.get_column("row").cast(pl.Int64).to_numpy())

    def conversation(self, theme: str, starts: Flags, language: Indices, rng: Rng) -> Prompts:
        if theme not in self._talk:
            self._talk[theme] = self._conversations(theme, rng)
        return self._pool.take(self._talk[theme].deal(len(starts)))

    def _queue(self, theme: str, rng: Rng) -> Deck:
        rows = self._rows_for(theme).unique("prompt", keep="first", maintain_order=True)
        return Deck(rng.permutation(rows.get_column("row").cast(pl.Int64).to_numpy()))

    def templates(self, theme: str, n: int, rng: Rng) -> Templates:
        if theme in ("viral", "probe"):
            return self.own.templates(theme, n, rng)
        if theme == "extract":
            shells = [self.own._english.frame("frame_extract", rng) for _ in range(n)]
            halves = [_around_item(shell.parts) for shell in shells]
            items = PoolTemplates(self._pool, [self._queue(theme, rng)])
            return WrappedTemplates([h[0] for h in halves], [h[1] for h in halves], items)
        if theme in ("app", "batch"):
            return PoolTemplates(self._pool, self._one_deck_per_source(theme, n, rng))
        return PoolTemplates(self._pool, [self._queue(theme, rng) for _ in range(n)])

    def _one_deck_per_source(self, theme: str, n: int, rng: Rng) -> list[Deck]:
        """Applications differ: each takes its prompts from one source, as large ones as there are."""
        rows = self._rows_for(theme).unique("prompt", keep="first", maintain_order=True)
        groups = [
            frame.get_column("row").cast(pl.Int64).to_numpy()
            for _, frame in rows.group_by("source", maintain_order=True)
        ]
        large = [group for group in groups if len(group) >= min(100, max(len(g) for g in groups))]
        return [Deck(rng.permutation(large[int(rng.integers(len(large)))])) for _ in range(n)]

    def fixed(self, theme: str, n: int, rng: Rng) -> Prompts:
        rows = self._rows_for(theme).unique("prompt", keep="first", maintain_order=True)
        sources = rows.get_column("source").unique(maintain_order=True).to_list()
        sizes = rows.group_by("source").len()
        fitting = sorted(name for name, size in sizes.iter_rows() if size >= min(n, 100)) or sources
        one = rows.filter(pl.col("source") == fitting[int(rng.integers(len(fitting)))])
        return self._pool.take(one.get_column("row").cast(pl.Int64).to_numpy()[:n])

    def assignment(self, n: int, rng: Rng) -> Prompts:
        tasks = self._rows_for("chat").filter(pl.col("prompt").str.len_bytes().is_between(200, 900))
        if tasks.is_empty():
            return self.own.assignment(n, rng)
        task = str(tasks.item(int(rng.integers(tasks.height)), "prompt"))
        return Prompts(self.own.pasted(task, n, rng))

    def personas(self, n: int, rng: Rng) -> pa.Array:
        return self.own.personas(n, rng)


def _around_item(parts: tuple[tuple[bool, str], ...]) -> tuple[str, str]:
    at = next(i for i, (is_slot, _) in enumerate(parts) if is_slot)
    return "".join(text for _, text in parts[:at]), "".join(text for _, text in parts[at + 1 :])
