"""The demo: a simulated world, scanned night by night as a deployment would, and shown.

Here: the order of things and the demo's own folder. Not here: traffic (simulate), the night
(nightly), how results look (summary).
"""

import shutil
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.progress import Progress
from pipelines.summary import show_demo
from pipelines.terminal import say
from pipelines.workspace import Workspace

MARKER = ".stillwatch-demo"
"""A file that says: this folder was made by `stillwatch demo`, which may replace what it made."""

WORLD = "world"
"""Folder of the simulated logs, accounts and labels inside the demo."""


def run_demo(
    workspace: Workspace, *, scale: str, scenario: Path | None, prompts: Path | None, progress: Progress
) -> None:
    """Simulate a world, scan each of its nights in order, and show findings and their quality.

    Parameters
    ----------
    scale, scenario, prompts : as `simulate` takes them.

    Raises
    ------
    UsageError : the folder holds something that no demo made.
    WorkspaceBusy : an earlier demo is still scanning there.
    """
    from pipelines.evaluation import evaluate
    from pipelines.simulate import simulate

    clear_earlier_demo(workspace)
    world = workspace.root / WORLD
    simulate(world, scale=scale, scenario=scenario, prompts=prompts, progress=progress)
    nights = sorted((world / "logs").glob("day=*"))
    for number, night in enumerate(nights, start=1):
        say()
        say(f"night {night.name.removeprefix('day=')} ({number} of {len(nights)})", style="bold")
        _scan_night(night, workspace, world / "accounts.parquet", progress)
    show_demo(workspace, evaluate(workspace, world / "labels.parquet"))


def _scan_night(logs: Path, workspace: Workspace, accounts: Path, progress: Progress) -> None:
    from pipelines import nightly
    from pipelines.journal import journaled, write_summary
    from pipelines.settings import load_settings

    with journaled(workspace, progress, logs=[str(logs)]) as journaled_progress:
        summary = nightly.scan(
            [str(logs)],
            workspace,
            day=None,
            log_format="auto",
            accounts=accounts,
            settings=load_settings(),
            progress=journaled_progress,
        )
        write_summary(journaled_progress.journal, summary)
    for unreadable in summary.unreadable:  # our own logs, just written: nothing to go on with
        raise unreadable


def clear_earlier_demo(workspace: Workspace) -> None:
    """An empty folder with the demo's marker: what an earlier demo made there is removed.

    Only names that a demo makes are removed, and only beside its marker; anything else that someone
    put into the folder stays.

    Raises
    ------
    UsageError : the folder is not empty and holds no marker.
    WorkspaceBusy : a scan is running in it.
    """
    marker = workspace.root / MARKER
    if workspace.root.exists() and not marker.is_file() and any(workspace.root.iterdir()):
        raise UsageError(
            f"{workspace.root}: this folder was not made by the demo, which would replace its contents",
            remedy="choose another folder with --workspace, or remove this one yourself",
        )
    workspace.create()
    marker.write_text(
        "Made by `stillwatch demo`; running it again replaces what it made here.\n", encoding="utf-8"
    )
    with workspace.lock():
        for path in _made_by_a_demo(workspace):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _made_by_a_demo(workspace: Workspace) -> list[Path]:
    root = workspace.root
    databases = (*root.glob("*.duckdb*"), *root.glob("cases.sqlite*"))
    return sorted({*databases, *(path for path in (root / WORLD, root / "logs") if path.exists())})
