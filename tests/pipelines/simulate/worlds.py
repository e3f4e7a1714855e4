"""Small worlds to test on: enough of everybody, done in a second or two."""

from pathlib import Path

import polars as pl

from pipelines.simulate import SimulationSummary, simulate

HAMLET = """
nights = 3
release_night = 2

[benign]
person_chat = 150
power_user = 4
enterprise_seats = 15
classroom = 20
viral_prompt = 15
coding_agent = 20
test_automation = 2
single_purpose_app = 5
batch_job = 2
synthetic_data_customer = 2
gateway = 1
evaluation_harness = 4
regression_suite = 2
safety_research = 2

[[campaign]]
name = "tallow"
kind = "synchronised"
accounts = 30
requests_per_day = 12

[[campaign]]
name = "lantern"
kind = "low_and_wide"
accounts = 50
requests_per_day = 6
begins = 2

[[campaign]]
name = "ferry"
kind = "pivot"
accounts = 20
requests_per_day = 12
"""


def hamlet(out: Path, *, seed: int = 1, prompts: Path | None = None, text: str = HAMLET) -> SimulationSummary:
    """Simulate the hamlet into `out`."""
    scenario = out.parent / f"{out.name}.toml"
    scenario.write_text(text)
    return simulate(out, scenario=scenario, seed=seed, prompts=prompts)


def requests_of(world: Path) -> pl.DataFrame:
    """All requests with their labels, in order of files and rows; `place` is the row within its file."""
    logs = [
        pl.read_parquet(path).with_row_index("place").with_columns(pl.lit(path.name).alias("file"))
        for path in sorted(world.glob("logs/*/*.parquet"))
    ]
    labels = pl.read_parquet(world / "labels.parquet")
    return pl.concat(logs).join(labels, on="account_id", how="left", maintain_order="left")


def bytes_of(world: Path) -> dict[str, bytes]:
    """Content of every file of a world, by its path."""
    paths = sorted(path for path in world.rglob("*") if path.is_file())
    return {str(path.relative_to(world)): path.read_bytes() for path in paths}
