"""Writing an enforcement list: the file, whole or not at all, and the manifest that vouches for it.

Here: names, checks against overwriting, digests. Not here: what a row says (actions).
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.cases import CaseStore
from pipelines.errors import UsageError
from pipelines.export import as_csv, as_jsonl
from pipelines.export.actions import COLUMNS, SCHEMA_VERSION, EnforcementList, enforcement_list
from pipelines.rows import instant
from pipelines.workspace import Workspace

FORMATS: Mapping[str, Callable[[EnforcementList], Iterator[str]]] = {
    "csv": as_csv.lines,
    "jsonl": as_jsonl.lines,
}
"""Every format by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """What left."""

    path: Path
    manifest: Path
    n_actions: int
    n_by_action: Mapping[str, int]
    n_withheld: int
    """Approved accounts that stayed because their approved use is valid."""
    sha256: str


def export_decisions(
    workspace: Workspace,
    store: CaseStore,
    format: str,  # noqa: A002
    out: Path,
    *,
    at: datetime | None = None,
) -> ExportSummary:
    """Write the approved actions to `out`, and `out`.manifest.json beside it.

    Parameters
    ----------
    format : a name in FORMATS.
    out : a new file; an existing one is never overwritten, for it may have been acted upon.
    at : decisions and approved uses count as of then; now, unless told.

    Raises
    ------
    UsageError : unknown format, the file or its manifest exists, its folder does not, or nothing was
        published here.
    """
    if format not in FORMATS:
        raise UsageError(f"{format}: no such export format", remedy=f"choose one of {', '.join(FORMATS)}")
    manifest = out.with_name(f"{out.name}.manifest.json")
    _check_new(out, manifest)
    now = at or datetime.now(UTC)
    actions = enforcement_list(workspace, store, at=now)
    content = as_bytes(actions, format)
    digest = hashlib.sha256(content).hexdigest()
    _write_new(out, content)
    _write_new(manifest, _manifest(actions, format, out, digest, now))
    return ExportSummary(
        path=out,
        manifest=manifest,
        n_actions=len(actions.rows),
        n_by_action=dict(sorted(Counter(row["action"] for row in actions.rows).items())),
        n_withheld=len(actions.withheld),
        sha256=digest,
    )


def as_bytes(actions: EnforcementList, format: str) -> bytes:  # noqa: A002
    """The list in one of FORMATS, exactly as a file of it would hold."""
    return "".join(FORMATS[format](actions)).encode()


def _manifest(actions: EnforcementList, format: str, out: Path, digest: str, now: datetime) -> bytes:  # noqa: A002
    described: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "run_id": digest[:16],
        "created_at": instant(now),
        "file": out.name,
        "format": format,
        "rows": len(actions.rows),
        "rows_by_action": dict(sorted(Counter(row["action"] for row in actions.rows).items())),
        "withheld": dict(sorted(Counter(held.why for held in actions.withheld).items())),
        "sha256": digest,
        "columns": list(COLUMNS),
        "nights": [night.isoformat() for night in actions.nights],
    }
    return (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode()


def _check_new(*paths: Path) -> None:
    for path in paths:
        if path.exists() or path.is_symlink():
            raise UsageError(
                f"{path}: exists already, and enforcement lists are never overwritten",
                remedy="choose another name, or move the old list away",
            )
    folder = paths[0].parent
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder", remedy="make it first, or choose another place")


def _write_new(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("xb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        _name_it(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _name_it(beside: Path, path: Path) -> None:
    try:
        os.link(beside, path)  # unlike a rename, this fails when someone has taken the name meanwhile
    except FileExistsError:
        _check_new(path)
    except OSError:  # a file system without hard links
        beside.rename(path)
