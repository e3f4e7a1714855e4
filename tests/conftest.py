"""A small simulated world that several tests read and none changes."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.simulate import simulate

JUNE_1 = date(2025, 6, 1)

SCENARIO = """
nights = 2

[benign]
person_chat = 300
coding_agent = 40
single_purpose_app = 8
evaluation_harness = 2

[[campaign]]
name = "kiln"
kind = "synchronised"
accounts = 60
requests_per_day = 22
"""


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with logs/day=2025-06-01, logs/day=2025-06-02, accounts.parquet and labels.parquet."""
    folder = tmp_path_factory.mktemp("small")
    scenario = folder / "scenario.toml"
    scenario.write_text(SCENARIO)
    simulate(folder / "world", scenario=scenario, first_day=JUNE_1)
    return folder / "world"


@pytest.fixture(scope="session")
def night_of_logs(small_world: Path) -> Path:
    """The folder of the small world's first night."""
    return small_world / "logs" / f"day={JUNE_1}"
