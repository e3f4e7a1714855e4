"""What a workspace holds, gathered from its published findings, its case store and its folder.

Here: reading and adding up. Not here: how it is shown (summary). The warehouse is never opened: a scan
may be running, and asking how things are must not disturb it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines import findings
from pipelines.cases import CaseStore, State, review_queue
from pipelines.settings import Settings
from pipelines.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One workspace at one moment."""

    root: Path
    nights: pl.DataFrame | None
    """One row per scanned night, latest first; null when nothing was published yet."""
    refused: pl.DataFrame | None
    """Refused rows by file, column and reason, most frequent first."""
    drift: pl.DataFrame | None
    """How calibration held, latest night first."""
    order: tuple[str, ...]
    """What the queue is ordered by, in plain words."""
    cases: Counter[State]
    """Cases by where they stand."""
    disk_bytes: tuple[tuple[str, int], ...]
    """What lies in the workspace, by first name below its root, largest first."""

    @property
    def n_open(self) -> int:
        """Cases that a person should look at."""
        return sum(number for state, number in self.cases.items() if state.is_open)


def read_status(workspace: Workspace, settings: Settings) -> Status:
    """Look at a workspace; only a case store that is missing or outdated is brought up to date.

    Raises
    ------
    UsageError : its snapshot or its case store cannot be read.
    """
    is_published = workspace.published.exists()
    return Status(
        root=workspace.root,
        nights=findings.nights(workspace) if is_published else None,
        refused=findings.refused(workspace) if is_published else None,
        drift=findings.drift(workspace) if is_published else None,
        order=tuple(findings.learned_order(workspace)["said"]) if is_published else (),
        cases=_cases(workspace, settings) if is_published else Counter(),
        disk_bytes=_disk_bytes(workspace.root),
    )


def _cases(workspace: Workspace, settings: Settings) -> Counter[State]:
    with CaseStore.open(settings.cases_url or workspace.cases_url) as store:
        return Counter(case.state for case in review_queue(workspace, store))


def _disk_bytes(root: Path) -> tuple[tuple[str, int], ...]:
    sizes: Counter[str] = Counter()
    for path, size in _files(root):
        sizes[path.relative_to(root).parts[0]] += size
    return tuple(sorted(sizes.items(), key=lambda entry: (-entry[1], entry[0])))


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every file below and its size; one that disappears meanwhile is passed over."""
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                yield path, path.stat().st_size
        except FileNotFoundError:  # a scan publishes by rename and cleans up behind itself
            continue
