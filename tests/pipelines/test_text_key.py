"""The key of a workspace's texts: made once, for its owner alone; a warehouse knows which one it is of."""

import stat
from pathlib import Path

import pytest

from pipelines.errors import UsageError
from pipelines.settings import Settings
from pipelines.warehouse.opening import open_warehouse
from pipelines.workspace import Workspace


def test_a_key_is_made_once_and_its_owner_alone_may_read_it(tmp_path: Path):
    workspace = Workspace(tmp_path / "w")
    first = workspace.key()
    assert len(first) == 64
    assert workspace.key() == first
    assert stat.S_IMODE(workspace.key_file.stat().st_mode) == 0o600
    assert Workspace(tmp_path / "other").key() != first


def test_an_empty_key_is_refused(tmp_path: Path):
    workspace = Workspace(tmp_path).create()
    workspace.key_file.write_text("\n")
    with pytest.raises(UsageError, match=r"text\.key: the key .* is empty"):
        workspace.key()


def test_a_warehouse_of_another_key_is_refused_and_opens_again_with_its_own(tmp_path: Path):
    workspace = Workspace(tmp_path)
    with open_warehouse(workspace, Settings()) as con:
        con.execute("SELECT 1 FROM core.made_with")
    own = workspace.key()
    workspace.key_file.write_text("somebody else's\n")
    with pytest.raises(UsageError, match="another key") as refused, open_warehouse(workspace, Settings()):
        pass
    assert "restore the file" in refused.value.remedy
    workspace.key_file.write_bytes(own)
    with open_warehouse(workspace, Settings()):
        pass
