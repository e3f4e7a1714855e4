"""A workspace: the folder that holds one deployment's warehouse, published findings and cases.

Here: where things live, and the lock that keeps two scans apart. Not here: what is inside them.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UsageError, WorkspaceBusy


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths inside one workspace folder."""

    root: Path

    @property
    def warehouse(self) -> Path:
        """The scan's DuckDB warehouse: one writer."""
        return self.root / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The read-only snapshot of findings, replaced by atomic rename."""
        return self.root / "published.duckdb"

    @property
    def cases_url(self) -> str:
        """Where decisions are kept unless the settings name another database."""
        return f"sqlite:///{self.root / 'cases.sqlite'}"

    @property
    def settings(self) -> Path:
        """Settings of this workspace, read when no --config is given."""
        return self.root / "stillwatch.toml"

    def create(self) -> "Workspace":
        """Make the folder if it is missing."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self

    def require_published(self) -> Path:
        """The snapshot's path.

        Raises
        ------
        UsageError : nothing has been scanned into this workspace yet.
        """
        if not self.published.exists():
            raise UsageError(
                f"{self.root}: no findings here yet",
                remedy="run `stillwatch scan LOGS --workspace DIR` first, or name another workspace",
            )
        return self.published

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace for one scan; the kernel drops the lock even if the scan is killed.

        Raises
        ------
        WorkspaceBusy : another scan holds it.
        """
        self.create()
        handle = os.open(self.root / "scan.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WorkspaceBusy(
                    f"{self.root}: another scan is running here",
                    remedy="wait for it to end, or scan into another workspace",
                ) from None
            yield
        finally:
            os.close(handle)
