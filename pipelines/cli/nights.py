"""Commands on a night of logs: `check`, `sources` and `scan`.

Here: their options and exit codes. Not here: the ordered steps (nightly), formats of logs (adapters).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli.invocation import invocation
from pipelines.cli.options import (
    Accounts,
    Config,
    Day,
    InWorkspace,
    LogFormat,
    Logs,
    as_date,
    open_workspace,
    read_settings,
)
from pipelines.errors import UnreadableInput

commands = typer.Typer()


@commands.command(
    epilog="""Examples:

\b
  stillwatch check logs/day=2025-06-01
  stillwatch check 'logs/**/*.jsonl.gz' --accounts accounts.csv
"""
)
def check(
    logs: Logs,
    *,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Of a database, this UTC day alone.", metavar="YYYY-MM-DD"),
    ] = None,
    log_format: LogFormat = "auto",
    accounts: Accounts = None,
    config: Config = None,
) -> None:
    """Validate logs without loading them: every problem with its file, row and remedy."""
    from pipelines.adapters.check import check_logs
    from pipelines.settings import load_settings
    from pipelines.summary import show_check
    from pipelines.terminal import terminal_progress

    settings = load_settings(config)
    report = check_logs(
        logs,
        format=log_format,
        accounts=accounts,
        account=settings.input.account,
        mappings=settings.input.formats,
        joins=settings.input.joins(),
        day=as_date(day),
        progress=terminal_progress(),
    )
    show_check(report)
    if not report.ok:
        raise typer.Exit(UnreadableInput.exit_code)


@commands.command(
    epilog="""Examples:

\b
  stillwatch sources
  stillwatch sources --format jsonl
  stillwatch sources acme.toml
"""
)
def sources(
    mappings: Annotated[
        list[Path] | None, typer.Argument(metavar="[MAPPINGS]...", help="Mapping files to list first.")
    ] = None,
    *,
    output_format: Annotated[
        Literal["table", "jsonl"], typer.Option("--format", help="Form of the output.")
    ] = "table",
    config: Config = None,
) -> None:
    """List the log formats that are read: what each carries, and what detection loses without the rest."""
    from pipelines.adapters import with_mappings
    from pipelines.adapters.overview import overview
    from pipelines.settings import load_settings
    from pipelines.summary import show_sources

    known = with_mappings([*(mappings or []), *load_settings(config).input.formats])
    show_sources(overview(known), output_format)


@commands.command(
    epilog="""Examples:

\b
  stillwatch scan logs/day=2025-06-01 --workspace watch
  stillwatch scan /var/log/gateway --day 2025-06-01 --workspace watch --accounts accounts.parquet
"""
)
def scan(
    logs: Logs,
    *,
    workspace: InWorkspace,
    day: Day = None,
    log_format: LogFormat = "auto",
    accounts: Accounts = None,
    engine: Annotated[Literal["local"], typer.Option(help="Where the night is computed.")] = "local",
    config: Config = None,
) -> None:
    """Scan a night of logs, end to end; safe to run again."""
    invocation.get().is_scan = True
    place = open_workspace(workspace)
    settings = read_settings(place, config)
    with _without_collector():
        from pipelines import nightly
        from pipelines.adapters.logs import shown
        from pipelines.journal import journaled, write_summary
        from pipelines.summary import show_scan
        from pipelines.terminal import terminal_progress

    with journaled(place, terminal_progress(), logs=[*map(shown, logs)], day=day, engine=engine) as progress:
        summary = nightly.scan(
            logs,
            place,
            day=as_date(day),
            log_format=log_format,
            accounts=accounts,
            settings=settings,
            progress=progress,
        )
        write_summary(progress.journal, summary)
    show_scan(summary, place)
    if summary.unreadable:
        raise typer.Exit(UnreadableInput.exit_code)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Import in peace: the collector would look through half a million objects of modules again and again,
    now and whenever more is imported, and none of them ever goes."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
