"""Commands for whoever decides: `console`, `status`, `decide`, `labels` and `export`.

Here: their options. Not here: the rules of deciding (pipelines.cases), the screen (dashboard), formats of the
enforcement list (export).
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli.options import Config, InWorkspace, existing_workspace, read_settings
from pipelines.errors import UnreadableInput

commands = typer.Typer()

LOOPBACK = "127.0.0.1"


@commands.command(
    epilog="""Examples:

\b
  stillwatch console --workspace watch
  stillwatch console --workspace watch --port 8600
"""
)
def console(
    workspace: InWorkspace,
    address: Annotated[
        str, typer.Option(help="Where to listen; the console has no login of its own.")
    ] = LOOPBACK,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8501,
    config: Config = None,
) -> None:
    """Open the console: triage campaigns, record decisions, export what was approved."""
    from pipelines.console import is_loopback, start_console
    from pipelines.terminal import say

    place = existing_workspace(workspace)
    read_settings(place, config)  # a mistake in it is better told here than in a browser
    if not is_loopback(address):
        say(f"warning: whoever reaches {address} can record decisions; put a proxy with a login before it")
    say(f"Stillwatch console: http://{address}:{port}  (Ctrl-C ends it)")
    start_console(place, address=address, port=port, config=config)


@commands.command(
    epilog="""Example:

\b
  stillwatch status --workspace watch
"""
)
def status(workspace: InWorkspace, config: Config = None) -> None:
    """Show what a workspace holds: nights, rows, refusals, open cases, disk use."""
    from pipelines.status import read_status
    from pipelines.summary import show_status

    place = existing_workspace(workspace)
    show_status(read_status(place, read_settings(place, config)))


@commands.command(
    epilog="""Examples:

\b
  stillwatch decide camp-3f9a --workspace watch --verdict approve --action suspend \\
      --by ana --reason "one work queue over 120 accounts"
  stillwatch decide acct-81 --account --workspace watch --verdict dismiss \\
      --by ana --reason "an evaluation run we know"
"""
)
def decide(
    subject: Annotated[str, typer.Argument(help="Id of a campaign, or of an account with --account.")],
    *,
    workspace: InWorkspace,
    verdict: Annotated[
        Literal["approve", "dismiss", "watch", "reopen"], typer.Option(help="What you concluded.")
    ],
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
    action: Annotated[
        Literal["watch", "limit", "verify", "suspend"] | None,
        typer.Option(help="What may be enforced; an approval needs one."),
    ] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="UTC day on which it ends.", metavar="YYYY-MM-DD"),
    ] = None,
    account: Annotated[bool, typer.Option("--account", help="The subject is one account.")] = False,
    config: Config = None,
) -> None:
    """Record a decision from the terminal, in the same case store as the console."""
    place = existing_workspace(workspace)
    settings = read_settings(place, config)
    from pipelines import cases
    from pipelines.summary import show_decision

    level = cases.Level.ACCOUNT if account else cases.Level.CAMPAIGN
    with cases.CaseStore.open(settings.cases_url or place.cases_url) as store:
        made = cases.decide(
            place,
            store,
            cases.Subject(level, subject),
            verdict,
            reason=reason,
            by=by,
            action=action,
            expires_at=expires,
        )
    show_decision(made)


@commands.command(
    epilog="""Examples:

\b
  stillwatch labels notices.jsonl --workspace watch
  stillwatch labels past-decisions.csv --workspace watch --ids ids.csv
  stillwatch labels --workspace watch
"""
)
def labels(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILES]...", help="Files of notices or past decisions; without any, labels are listed."
        ),
    ] = None,
    *,
    workspace: InWorkspace,
    ids: Annotated[
        Path | None,
        typer.Option(help="Table of subject and account_id: whom the ids stand for that a provider names."),
    ] = None,
    config: Config = None,
) -> None:
    """Bring in notices of providers and past decisions, as labels of accounts."""
    place = existing_workspace(workspace)
    settings = read_settings(place, config)
    from pipelines.cases import CaseStore
    from pipelines.labels import import_labels
    from pipelines.labels.summary import show_import, show_labels

    with CaseStore.open(settings.cases_url or place.cases_url) as store:
        if not files:
            show_labels(store.labels())
            return
        done = import_labels(place, store, files, ids=ids)
    show_import(done)
    if done.unreadable:
        raise typer.Exit(UnreadableInput.exit_code)


@commands.command(
    epilog="""Examples:

\b
  stillwatch export --workspace watch --format csv --out enforce.csv
  stillwatch export --workspace watch --format jsonl --out enforce.jsonl
"""
)
def export(
    workspace: InWorkspace,
    output_format: Annotated[str, typer.Option("--format", help="csv or jsonl.")],
    out: Annotated[Path, typer.Option("--out", help="File to make; one that exists is never replaced.")],
    config: Config = None,
) -> None:
    """Write the approved decisions, and only those, for the systems that enforce them."""
    place = existing_workspace(workspace)
    settings = read_settings(place, config)
    from pipelines.cases import CaseStore
    from pipelines.export import export_decisions
    from pipelines.summary import show_export

    with CaseStore.open(settings.cases_url or place.cases_url) as store:
        show_export(export_decisions(place, store, output_format, out))
