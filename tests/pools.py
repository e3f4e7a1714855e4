"""Real prompts and traces, where they are at hand."""

import os
from pathlib import Path

import polars as pl
import pytest

from detector.text import presentable

POOLS = Path(os.environ.get("STILLWATCH_POOLS", Path(__file__).parents[2] / "shared" / "pools"))

with_pools = pytest.mark.skipif(
    not POOLS.is_dir() and not os.environ.get("CI"),
    reason="no pools of real prompts on this machine (STILLWATCH_POOLS names their folder)",
)
"""Of a test that reads them. In CI it never skips: without them it fails on the file that is missing."""


def dozen(pool: str, source: str, most_chars: int = 6_000) -> list[str]:
    """Twelve prompts spread evenly over those of a pool whose source holds this name, redacted and shortened
    as the step `evidence` does it."""
    frame = pl.read_parquet(POOLS / f"{pool}.parquet", columns=["prompt", "source"])
    prompts = frame.filter(pl.col("source").str.contains(source, literal=True))["prompt"].to_list()
    return [presentable(prompt, most_chars) for prompt in prompts[:: max(len(prompts) // 12, 1)][:12]]
