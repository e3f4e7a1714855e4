"""Real prompts, where they are at hand."""

import os
from pathlib import Path

import polars as pl
import pytest

from detector.text import presentable

POOLS = Path(os.environ.get("STILLWATCH_POOLS", Path(__file__).parents[4] / "shared" / "pools"))


def need_pools() -> None:
    """Skips the test where the pools of real prompts are not at hand, and fails it in CI."""
    if not POOLS.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"CI needs the pools of real prompts at {POOLS}")
        pytest.skip("the pools of real prompts are not on this machine")


def dozen(pool: str, source: str, most_chars: int = 6_000) -> list[str]:
    """Twelve prompts spread evenly over those of a pool whose source holds this name, redacted and shortened
    as the step `evidence` does it."""
    need_pools()
    frame = pl.read_parquet(POOLS / f"{pool}.parquet", columns=["prompt", "source"])
    prompts = frame.filter(pl.col("source").str.contains(source, literal=True))["prompt"].to_list()
    return [presentable(prompt, most_chars) for prompt in prompts[:: max(len(prompts) // 12, 1)][:12]]
