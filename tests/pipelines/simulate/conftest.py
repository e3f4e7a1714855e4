"""One hamlet for all tests that only look at it."""

from pathlib import Path

import polars as pl
import pytest
from worlds import hamlet, requests_of

from pipelines.simulate import simulate


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "hamlet"
    hamlet(out)
    return out


@pytest.fixture(scope="session")
def requests(world: Path) -> pl.DataFrame:
    return requests_of(world)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Two nights of the demo's own scale, with its thousands of people."""
    out = tmp_path_factory.mktemp("town") / "world"
    simulate(out, scale="small", days=2)
    return requests_of(out)
