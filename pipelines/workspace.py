"""A workspace: the folder that holds one deployment's warehouse, published findings and cases.

Here: where things live, and the lock that keeps two scans apart. Not here: what is inside them.
"""

import fcntl
import os
import secrets
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
    def cases(self) -> Path:
        """The case store's file, unless the settings name another database."""
        return self.root / "cases.sqlite"

    @property
    def cases_url(self) -> str:
        """Where decisions are kept unless the settings name another database."""
        return f"sqlite:///{self.cases}"

    @property
    def settings(self) -> Path:
        """Settings of this workspace, read when no --config is given."""
        return self.root / "stillwatch.toml"

    @property
    def fetched(self) -> Path:
        """Files of rows that scans fetched from databases."""
        return self.root / "fetched"

    @property
    def key_file(self) -> Path:
        """The key of the hashes of this workspace's texts, made once; nobody else needs to read it."""
        return self.root / "text.key"

    def key(self) -> bytes:
        """The key of the hashes of texts; made when it is missing.

        Raises
        ------
        UsageError : the file is empty, or cannot be read.
        """
        self.create()
        try:
            handle = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "w") as stream:
                stream.write(secrets.token_hex(32) + "\n")
        try:
            key = self.key_file.read_bytes().strip()
        except OSError as error:
            raise UsageError(
                f"{self.key_file}: cannot be read ({type(error).__name__})",
                remedy="scan as the user who made the workspace, or give this file to the one who scans",
            ) from None
        if not key:
            raise UsageError(
                f"{self.key_file}: the key of this workspace's texts is empty",
                remedy="restore the file, or move the warehouse and this file away and scan the nights anew",
            )
        return key

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
        with self._locked(fcntl.LOCK_EX):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep scans out while the warehouse is read: for a moment only, since a scan does not wait.

        Several may read at once; what is read then is of one state, snapshot and warehouse alike.

        Raises
        ------
        WorkspaceBusy : a scan holds the workspace.
        """
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        handle = os.open(self.root / "scan.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, how | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WorkspaceBusy(
                    f"{self.root}: another scan is running here",
                    remedy="wait for it to end, or name another workspace",
                ) from None
            yield
        finally:
            os.close(handle)
