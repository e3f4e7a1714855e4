"""The program: all commands as one, and leaving it.

Here: the group that holds the commands, the options before a command, the process's end. Not here: the
commands (simulated, nights, results, casework), errors (invocation).
"""

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from pipelines.cli import casework, nights, results, simulated
from pipelines.cli.invocation import Commands, invocation

app = typer.Typer(
    name="stillwatch",
    cls=Commands,
    help="Find distillation campaigns in the request logs of a language-model API.",
    epilog="Start with `stillwatch demo`, or read docs/how-to/nightly.md to scan your own logs.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,  # plain help: it is piped, searched and pasted into runbooks
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for group in (simulated, nights, results, casework):  # in the order of --help
    app.add_typer(group.commands)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="stillwatch")
    except SystemExit as left:
        running = invocation.get(None)  # none: help and mistakes end before any command begins
        if arguments is None and running and running.is_scan and isinstance(left.code, int):
            _leave_at_once(left.code)
        raise
    raise AssertionError("typer leaves by itself")  # pragma: no cover


def _leave_at_once(code: int) -> NoReturn:
    """End the process here. Every file is closed by now, and Python would still take nearly a second to take
    apart, object by object, the thousands of modules a scan has imported."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"stillwatch {version('stillwatch')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of any error (or STILLWATCH_DEBUG=1).")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    invocation.get().debug |= debug
    if not invocation.get().debug:
        warnings.simplefilter("ignore")  # libraries warn whoever develops with them, not who runs a scan
