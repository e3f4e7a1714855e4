"""Commands on what the scans found: `findings`, `evaluate` and `backtest`.

Here: their options, and which go together. Not here: reading findings (pipelines.findings), comparing them
with labels (evaluation) or with what another policy would have found (backtest).
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli.options import Config, Day, InWorkspace, Out, as_date, existing_workspace, read_settings
from pipelines.errors import UsageError

commands = typer.Typer()


@commands.command(
    epilog="""Examples:

\b
  stillwatch findings --workspace watch
  stillwatch findings --workspace watch --what accounts --format jsonl | head
  stillwatch findings --workspace watch --day 2025-06-01 --format parquet --out campaigns.parquet
"""
)
def findings(
    workspace: InWorkspace,
    day: Day = None,
    what: Annotated[
        Literal["campaigns", "accounts"], typer.Option(help="One row for each of these.")
    ] = "campaigns",
    output_format: Annotated[
        Literal["table", "jsonl", "csv", "parquet"], typer.Option("--format", help="Form of the output.")
    ] = "table",
    out: Out = None,
) -> None:
    """Show what the scans flagged, before any human decision, most suspicious first."""
    place = existing_workspace(workspace)
    from pipelines import findings as published

    frame = (published.campaigns if what == "campaigns" else published.accounts)(place, as_date(day))
    published.write_findings(frame, output_format, out)


@commands.command(
    epilog="""Examples:

\b
  stillwatch evaluate --workspace watch --labels world/labels.parquet
  stillwatch evaluate --workspace watch --labels labels.csv --format jsonl --out seed-1.jsonl
  stillwatch evaluate --workspace watch --labels labels.csv --format html --out evaluation.html
  stillwatch evaluate seed-1.jsonl
"""
)
def evaluate(
    seeds: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SEEDS]...", help="Earlier evaluations as JSON Lines, one world each: pool them instead."
        ),
    ] = None,
    *,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            envvar="STILLWATCH_WORKSPACE",
            help="Folder of the warehouse, findings and cases.",
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="What is true of each account; needs --workspace.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Another workspace that should have found the same: how far it did."),
    ] = None,
    output_format: Annotated[
        Literal["table", "jsonl", "html"], typer.Option("--format", help="Form of the output.")
    ] = "table",
    out: Out = None,
    config: Config = None,
) -> None:
    """Score the findings against labels: found, covered, pure, how soon, and falsely flagged."""
    if seeds and (labels or against):
        raise UsageError("evaluations are pooled, or a workspace is judged, not both", remedy="leave one out")
    if not seeds and (workspace is None or labels is None):
        missing = "--workspace" if workspace is None else "--labels"
        raise UsageError(f"{missing} is missing", remedy="name a workspace and its labels, or evaluations")
    from pipelines import evaluation
    from pipelines.evaluation.writing import write

    if workspace is None or labels is None or seeds:
        write(evaluation.over_seeds(evaluation.read_evaluations(seeds or [])), output_format, out)
        return
    place = existing_workspace(workspace)
    settings = read_settings(place, config)
    other = existing_workspace(against) if against else None
    write(evaluation.evaluate(place, labels, against=other, settings=settings), output_format, out)


@commands.command(
    epilog="""Examples:

\b
  stillwatch backtest --workspace watch --config stricter.toml
  stillwatch backtest --workspace watch --config stricter.toml --since 2025-06-01 --until 2025-06-30
  stillwatch backtest --workspace watch --config stricter.toml --format jsonl
"""
)
def backtest(
    workspace: InWorkspace,
    config: Config = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="First night to judge again; earlier ones count as they were decided.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Last night to judge again."),
    ] = None,
    output_format: Annotated[
        Literal["table", "jsonl"], typer.Option("--format", help="Form of the output.")
    ] = "table",
) -> None:
    """Show what a policy would have flagged and missed on past nights, before it goes live."""
    place = existing_workspace(workspace)
    settings = read_settings(place, config)
    if settings.cases_url is None:  # a file that holds a policy alone does not move the case store
        settings = settings.model_copy(update={"cases_url": read_settings(place, None).cases_url})
    from pipelines import backtest as testing

    testing.write(
        testing.backtest(place, settings, since=as_date(since), until=as_date(until)), output_format
    )
