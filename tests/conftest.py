"""A small simulated world that several tests read and none changes."""

from pathlib import Path

import pytest
from running import JUNE_1, SCENARIO

from pipelines.simulate import simulate


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
