"""A workspace with something to show."""

from pathlib import Path

import pytest
import story

from pipelines.workspace import Workspace


@pytest.fixture
def told(tmp_path: Path) -> Workspace:
    """A workspace with three published nights, some of them written by an adversary."""
    return story.told(tmp_path / "watch")
