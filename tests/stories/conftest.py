"""One village, simulated once and scanned once night by night; stories copy what they change."""

import shutil
from pathlib import Path

import pytest
from village import NIGHTS, Village, make_village, scan

from pipelines.workspace import Workspace


@pytest.fixture(scope="session")
def village(tmp_path_factory: pytest.TempPathFactory) -> Village:
    return make_village(tmp_path_factory.mktemp("stories") / "village")


@pytest.fixture(scope="session")
def scanned_once(village: Village, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The village's three nights, one scan each. Nobody changes it: take `scanned` for that."""
    workspace = keyed(Workspace(tmp_path_factory.mktemp("scanned") / "w"))
    for night in NIGHTS:
        scan(workspace, village.logs(night), accounts=village.accounts)
    return workspace


def keyed(workspace: Workspace) -> Workspace:
    """The workspace with the key that all of these stories share: equal keys, equal bytes."""
    workspace.create().key_file.write_text("the key of a story\n")
    return workspace


@pytest.fixture
def scanned(scanned_once: Workspace, tmp_path: Path) -> Workspace:
    """A copy of it to go on with."""
    shutil.copytree(scanned_once.root, tmp_path / "scanned")
    return Workspace(tmp_path / "scanned")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty one."""
    return keyed(Workspace(tmp_path / "w"))
