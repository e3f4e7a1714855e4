"""What several commands take, and the workspace and settings that it names.

Here: arguments and options with their help, opening a workspace, reading settings. Not here: options of one
command alone, what a setting means (pipelines.settings).
"""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.invocation import invocation
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.settings import Settings
    from pipelines.workspace import Workspace

Logs = Annotated[list[str], typer.Argument(help="Log files, folders or quoted globs.", metavar="LOGS...")]
InWorkspace = Annotated[
    Path,
    typer.Option(
        "--workspace",
        "-w",
        envvar="STILLWATCH_WORKSPACE",
        help="Folder of the warehouse, findings and cases.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="STILLWATCH_CONFIG", help="Settings file; else stillwatch.toml in the workspace."
    ),
]
Accounts = Annotated[
    Path | None, typer.Option("--accounts", help="What is known of the accounts: Parquet, JSON Lines or CSV.")
]
LogFormat = Annotated[
    str, typer.Option("--format", help="Format of the logs, or a mapping file; auto looks at the data.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Write here instead of to standard output.")]
Day = Annotated[
    datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="One UTC day.", metavar="YYYY-MM-DD")
]
ScenarioFile = Annotated[Path | None, typer.Option("--scenario", help="Scenario file instead of a scale.")]
Prompts = Annotated[
    Path | None,
    typer.Option("--prompts", help="Folder of pools of real prompts to use instead of our own corpus."),
]


def open_workspace(root: Path) -> "Workspace":
    """The workspace, made or not; from now on errors are told in its journal."""
    from pipelines.workspace import Workspace

    workspace = Workspace(root)
    invocation.get().workspace = workspace
    return workspace


def existing_workspace(root: Path) -> "Workspace":
    """The workspace of a command that only reads: a wrong path is a mistake, not a new folder."""
    if not root.is_dir():
        raise UsageError(
            f"{root}: no such workspace", remedy="check --workspace, or scan some logs into it first"
        )
    return open_workspace(root)


def read_settings(workspace: "Workspace", config: Path | None) -> "Settings":
    """The settings of `--config`, else of the workspace's own file if it has one."""
    from pipelines.settings import load_settings

    if config is None and workspace.settings.is_file():
        config = workspace.settings
    return load_settings(config)


def as_date(day: datetime | None) -> date | None:
    """The day of an option, which typer gives as its midnight."""
    return day.date() if day is not None else None
