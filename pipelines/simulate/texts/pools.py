"""Pools of real prompts: Parquet files in the small schema of docs/reference/simulation-texts.md.

Here: reading the pools, and which rows serve which purpose. Not here: the texts made from them
(pool_texts, pool_work, recombine). Only `kind` and `prompt` are required; `source`, `capability`,
`system`, `language`, `group_id` and `turn` are used where a file has them. Files without those two
columns (traffic traces) are skipped.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.errors import UsageError
from pipelines.simulate.texts.promise import Indices
from pipelines.simulate.texts.splits import Split, side_of_source

_COLUMNS = {
    "source": pl.String,
    "kind": pl.String,
    "capability": pl.String,
    "system": pl.String,
    "prompt": pl.String,
    "language": pl.String,
    "group_id": pl.String,
    "turn": pl.Int32,
}

_PEOPLE = ("benign_user",)
_HARD = ("hard_negative",)
_HARVEST = ("distillation",)
_CHAT = ("general_chat", "roleplay", "creative_writing", "general_reasoning", "translation")


@dataclass(frozen=True, slots=True)
class Purpose:
    """Which rows stand for a theme, without naming a source: anyone's pools work."""

    kinds: tuple[str, ...]
    capabilities: tuple[str, ...]
    max_bytes: int | None = None
    """Of a prompt; people rarely type more, longer rows of a chat pool are prompt collections."""


_TYPED_BYTES = 6_000
_TALK = Purpose((*_PEOPLE, *_HARD), _CHAT, _TYPED_BYTES)

PURPOSES: dict[str, Purpose] = {
    "chat": _TALK,
    "work": _TALK,
    "coding": Purpose((*_PEOPLE, *_HARD), ("coding", "agentic"), _TYPED_BYTES),
    "agent": Purpose((*_PEOPLE, *_HARD), ("agentic", "tool_use"), _TYPED_BYTES),
    "test": Purpose(_HARD, ("tool_use", "coding")),
    "app": Purpose((*_PEOPLE, *_HARD), ("classification", "summarization", "coding", "tool_use")),
    "batch": Purpose(_HARD, ("summarization", "creative_writing", "translation")),
    "synthetic": Purpose(_HARVEST, ("general_chat", "classification", "roleplay")),
    "benchmark_math": Purpose(_HARD, ("math_reasoning",)),
    "benchmark_judge": Purpose(_HARD, ("rubric_grading",)),
    "benchmark_code": Purpose(_HARD, ("coding", "tool_use")),
    "regression": Purpose(_HARD, ("rubric_grading",)),
}
"""Benign themes. A theme that is not here, or has no row, is written in frames of our own."""

REQUESTS: dict[str, Purpose] = {
    "reasoning": Purpose(_HARVEST, ("math_reasoning", "general_reasoning")),
    "grading": Purpose(_HARVEST, ("rubric_grading",)),
    "judging": Purpose(_HARVEST, ("rubric_grading",)),
    "trajectory": Purpose(_HARVEST, ("agentic",)),
    "coding": Purpose(_HARVEST, ("coding",)),
    "tool_use": Purpose(_HARVEST, ("tool_use",)),
    "data_analysis": Purpose(_HARVEST, ("data_analysis",)),
    "computer_use": Purpose(_HARVEST, ("computer_use",)),
    "vision": Purpose(_HARVEST, ("vision",)),
    "instruction_generation": Purpose(_HARVEST, ("general_chat", "classification", "roleplay")),
    "multi_sample": Purpose(_HARD, ("math_reasoning", "coding", "general_chat", "general_reasoning")),
}
"""Work whose items are whole requests, as some harvester rendered them."""

PAYLOADS: dict[str, Purpose] = {
    "grading": Purpose(_HARD, ("rubric_grading",)),
    "judging": Purpose(_HARD, ("rubric_grading",)),
    "extract": Purpose(_HARD, ("general_chat", "math_reasoning", "coding", "data_analysis"), _TYPED_BYTES),
    "soft_label": Purpose(_PEOPLE, ("classification",)),
    "trace_cleaning": Purpose(_HARVEST, ("agentic",)),
}
"""Work whose items are real rows inside instructions of our own."""

RETOLD = ("safety_rewrite", "extract", "instruction_generation", "soft_label", "relay", "translation")
"""Work whose items may be people's messages inside instructions of our own (see recombine)."""


def read_pools(folder: Path, split: Split = "all") -> pl.DataFrame:
    """All text rows of one side of a folder of pools, in file and row order.

    Raises
    ------
    UsageError : the folder is missing, or holds no Parquet file with `kind` and `prompt`, or lacks
        benign rows or (all sides together) distillation rows.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of prompt pools", remedy="check --prompts")
    frames = [frame for path in sorted(folder.glob("*.parquet")) if (frame := _read(path)) is not None]
    rows = pl.concat(frames) if frames else pl.DataFrame(schema=_COLUMNS)
    for kind in ("benign_user", "distillation"):
        if rows.filter(pl.col("kind") == kind).is_empty():
            raise UsageError(
                f"{folder}: no row of kind {kind} in any Parquet file",
                remedy="docs/reference/simulation-texts.md describes the pools' columns",
            )
    if split == "all":
        return rows
    sources = rows.get_column("source").unique().to_list()
    mine = [source for source in sources if side_of_source(source) == split]
    rows = rows.filter(pl.col("source").is_in(mine))
    if rows.filter(pl.col("kind") == "benign_user").is_empty():
        raise UsageError(
            f"{folder}: no source with rows of kind benign_user on the side {split!r}",
            remedy="docs/reference/simulation-texts.md says on which side a source is",
        )
    return rows


def _read(path: Path) -> pl.DataFrame | None:
    try:
        schema = pl.read_parquet_schema(path)
    except (pl.exceptions.PolarsError, OSError):
        raise UsageError(f"{path}: not a Parquet file", remedy="remove it from the pools") from None
    if not {"kind", "prompt"} <= set(schema):
        return None
    present = [name for name in _COLUMNS if name in schema]
    frame = pl.read_parquet(path, columns=present).with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in _COLUMNS.items() if name not in present
    )
    return (
        frame.select(pl.col(name).cast(dtype, strict=False) for name, dtype in _COLUMNS.items())
        .with_columns(pl.col("source").fill_null(path.stem))
        .filter(pl.col("prompt").str.strip_chars().str.len_bytes() > 0)
    )


class Rows:
    """The rows of some pools, chosen by purpose."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.all = rows.with_row_index("row").with_columns(
            pl.col("row").cast(pl.Int64),
            pl.col("source").str.split(":").list.first().alias("origin"),
        )

    def serving(self, purpose: Purpose) -> pl.DataFrame:
        """Rows of the kinds and capabilities of a purpose, each text once; maybe none."""
        return self.turns(purpose).unique("prompt", keep="first", maintain_order=True)

    def turns(self, purpose: Purpose) -> pl.DataFrame:
        """The same, with what people said twice."""
        rows = self.all.filter(pl.col("kind").is_in(purpose.kinds))
        known = rows.get_column("capability").is_not_null().any()
        if known:
            rows = rows.filter(pl.col("capability").is_in(purpose.capabilities))
        if purpose.max_bytes is not None:
            rows = rows.filter(pl.col("prompt").str.len_bytes() <= purpose.max_bytes)
        return rows


def numbers(rows: pl.DataFrame) -> Indices:
    """Row numbers, as chosen."""
    return rows.get_column("row").to_numpy()


def origins(rows: pl.DataFrame) -> str:
    """Where rows are from, in words: origins in alphabetical order."""
    return ", ".join(rows.get_column("origin").unique().sort().to_list())
