"""The `stillwatch` command: parse, call one function, show what came of it.

Here: options, exit codes, and which function each command calls. Not here: any work, nor how things
look on a screen (terminal, summary). A command imports what it runs, so that `--help` and mistakes
are answered at once: scikit-learn and numba alone take seconds.

Results go to standard output, messages to standard error. Exit codes: 0 done, 1 some input could
not be read (the rest was done), 2 usage or configuration, 3 another scan holds the workspace,
4 internal error, 130 interrupted.
"""

import gc
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperGroup

from pipelines.errors import StillwatchError, UnreadableInput, UsageError

if TYPE_CHECKING:
    from pipelines.settings import Settings
    from pipelines.workspace import Workspace


LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class _Invocation:
    """What the handling of errors has to know about the command that is running."""

    debug: bool = False
    workspace: "Workspace | None" = None
    is_scan: bool = False


_invocation: ContextVar[_Invocation] = ContextVar("invocation")


class _Commands(TyperGroup):
    """The group of all commands: every error of a command passes here on its way out."""

    def invoke(self, ctx: Any) -> Any:
        with _errors_for_people():
            return super().invoke(ctx)


@contextmanager
def _errors_for_people() -> Iterator[None]:
    _invocation.set(_Invocation(debug=os.environ.get("STILLWATCH_DEBUG", "") not in {"", "0"}))
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough, and what is still buffered has no reader
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except KeyboardInterrupt:
        from pipelines.terminal import say

        say("interrupted; what was published before stands as it was")
        raise typer.Exit(130) from None
    except StillwatchError as error:
        _end(error, cause=error)
    except OSError as error:
        _end(_about_a_file(error), cause=error)
    except Exception as error:
        if isinstance(error, (typer.Exit, typer.Abort)) or hasattr(error, "format_message"):
            raise  # typer's own: an exit code, or a usage error that it shows itself
        _end(_about_the_unforeseen(error), cause=error)


def _end(shown: StillwatchError, *, cause: Exception) -> NoReturn:
    from pipelines.terminal import show_error

    if _invocation.get().debug:
        sys.excepthook(type(cause), cause, cause.__traceback__)
    show_error(shown)
    raise typer.Exit(shown.exit_code) from None


def _about_a_file(error: OSError) -> StillwatchError:
    if error.filename is None:
        return _about_the_unforeseen(error)
    return UsageError(
        f"{os.fsdecode(error.filename)}: {error.strerror}",
        remedy="check the path, its permissions and the free space",
    )


def _about_the_unforeseen(error: Exception) -> StillwatchError:
    """Names the place, never the text: a library's message may quote the prompt it stumbled over."""
    from pipelines.journal import Journal, places

    remedy = "run it again as `stillwatch --debug ...` to see everything"
    workspace = _invocation.get().workspace
    if workspace is not None and workspace.root.is_dir():
        with Journal(workspace.root / "logs" / "errors.jsonl") as journal:
            journal.failed(error)
        remedy = f"details are in {journal.path}; {remedy}"
    place = (places(error) or ["an unknown place"])[-1]
    return StillwatchError(f"internal {type(error).__name__} at {place}", remedy=remedy)


app = typer.Typer(
    name="stillwatch",
    cls=_Commands,
    help="Find distillation campaigns in the request logs of a language-model API.",
    epilog="Start with `stillwatch demo`, or read docs/how-to/nightly.md to scan your own logs.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,  # plain help: it is piped, searched and pasted into runbooks
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="stillwatch")
    except SystemExit as left:
        invocation = _invocation.get(None)  # none: help and mistakes end before any command begins
        if arguments is None and invocation and invocation.is_scan and isinstance(left.code, int):
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
    _invocation.get().debug |= debug
    if not _invocation.get().debug:
        warnings.simplefilter("ignore")  # libraries warn whoever develops with them, not who runs a scan


# -- arguments that several commands share --------------------------------------------------------

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
LogFormat = Annotated[str, typer.Option("--format", help="Format of the logs; auto looks at the data.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write here instead of to standard output.")]
Scale = Literal[
    "small",
    "medium",
    "incident",
    "benign",
    "low_and_wide",
    "middle",
    "high_and_narrow",
    "burst",
    "evasions",
    "feedback",
    "standard",
]
Day = Annotated[
    datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="One UTC day.", metavar="YYYY-MM-DD")
]
ScenarioFile = Annotated[Path | None, typer.Option("--scenario", help="Scenario file instead of a scale.")]
Prompts = Annotated[
    Path | None,
    typer.Option("--prompts", help="Folder of pools of real prompts to use instead of our own corpus."),
]


def _open_workspace(root: Path) -> "Workspace":
    from pipelines.workspace import Workspace

    workspace = Workspace(root)
    _invocation.get().workspace = workspace
    return workspace


def _existing_workspace(root: Path) -> "Workspace":
    if not root.is_dir():
        raise UsageError(
            f"{root}: no such workspace", remedy="check --workspace, or scan some logs into it first"
        )
    return _open_workspace(root)


def _read_settings(workspace: "Workspace", config: Path | None) -> "Settings":
    from pipelines.settings import load_settings

    if config is None and workspace.settings.is_file():
        config = workspace.settings
    return load_settings(config)


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


def _as_date(day: datetime | None) -> date | None:
    return day.date() if day is not None else None


# -- commands -------------------------------------------------------------------------------------


@app.command(
    epilog="""Examples:

\b
  stillwatch demo
  stillwatch demo --scale medium --workspace /var/tmp/stillwatch-demo
"""
)
def demo(
    workspace: Annotated[
        Path,
        typer.Option("--workspace", "-w", help="Folder to make the demo in; replaced when it is a demo."),
    ] = Path("demo"),
    scale: Annotated[Literal["small", "medium"], typer.Option(help="Size of the simulated world.")] = "small",
    scenario: ScenarioFile = None,
    prompts: Prompts = None,
) -> None:
    """Simulate several nights, scan each, and show what was found."""
    from pipelines.demo import run_demo
    from pipelines.terminal import terminal_progress

    run_demo(
        _open_workspace(workspace),
        scale=scale,
        scenario=scenario,
        prompts=prompts,
        progress=terminal_progress(),
    )


@app.command(
    epilog="""Examples:

\b
  stillwatch simulate --out world
  stillwatch simulate --out world --scale medium --days 10 --seed 7
  stillwatch simulate --out world --night 2 --findings night-1.jsonl
"""
)
def simulate(
    *,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for logs/, accounts.parquet and labels.parquet.")
    ],
    scale: Annotated[Scale, typer.Option(help="Size of the simulated world.")] = "small",
    days: Annotated[int | None, typer.Option(min=1, max=366, help="Nights; else as the scale says.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same traffic, byte for byte.")] = 1,
    scenario: ScenarioFile = None,
    prompts: Prompts = None,
    split: Annotated[
        Literal["tune", "report", "all"],
        typer.Option(help="Half of all sources and words: one to choose settings by, one to judge them."),
    ] = "all",
    log_format: Annotated[str, typer.Option("--log-format", help="Format of the logs.")] = "stillwatch",
    night: Annotated[
        int | None, typer.Option(min=1, help="Write this night alone, beside the nights that are there.")
    ] = None,
    findings: Annotated[
        list[Path] | None,
        typer.Option(help="Flagged accounts of the nights before: they are shut, and operators answer."),
    ] = None,
    ban_at: Annotated[
        Literal["watch", "limit", "verify", "suspend"],
        typer.Option("--ban-at", help="Mildest recommended action that shuts an account."),
    ] = "limit",
) -> None:
    """Make labelled traffic to test with: logs, accounts and the truth about them."""
    from pipelines.simulate import simulate as make_traffic
    from pipelines.summary import show_simulation
    from pipelines.terminal import terminal_progress

    made = make_traffic(
        out,
        scale=scale,
        days=days,
        seed=seed,
        scenario=scenario,
        prompts=prompts,
        split=split,
        log_format=log_format,
        night=night,
        findings=findings or (),
        ban_at=ban_at,
        progress=terminal_progress(),
    )
    show_simulation(made)


@app.command(
    epilog="""Examples:

\b
  stillwatch check logs/day=2025-06-01
  stillwatch check 'logs/**/*.jsonl.gz' --accounts accounts.csv
"""
)
def check(logs: Logs, log_format: LogFormat = "auto", accounts: Accounts = None) -> None:
    """Validate logs without loading them: every problem with its file, row and remedy."""
    from pipelines.adapters.check import check_logs
    from pipelines.summary import show_check
    from pipelines.terminal import terminal_progress

    report = check_logs(logs, format=log_format, accounts=accounts, progress=terminal_progress())
    show_check(report)
    if not report.ok:
        raise typer.Exit(UnreadableInput.exit_code)


@app.command(
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
    _invocation.get().is_scan = True
    place = _open_workspace(workspace)
    settings = _read_settings(place, config)
    with _without_collector():
        from pipelines import nightly
        from pipelines.journal import journaled, write_summary
        from pipelines.summary import show_scan
        from pipelines.terminal import terminal_progress

    with journaled(place, terminal_progress(), logs=logs, day=day, engine=engine) as progress:
        summary = nightly.scan(
            logs,
            place,
            day=_as_date(day),
            log_format=log_format,
            accounts=accounts,
            settings=settings,
            progress=progress,
        )
        write_summary(progress.journal, summary)
    show_scan(summary, place)
    if summary.unreadable:
        raise typer.Exit(UnreadableInput.exit_code)


@app.command(
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
    place = _existing_workspace(workspace)
    from pipelines import findings as published

    frame = (published.campaigns if what == "campaigns" else published.accounts)(place, _as_date(day))
    published.write_findings(frame, output_format, out)


@app.command(
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
    place = _existing_workspace(workspace)
    settings = _read_settings(place, config)
    other = _existing_workspace(against) if against else None
    write(evaluation.evaluate(place, labels, against=other, settings=settings), output_format, out)


@app.command(
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

    place = _existing_workspace(workspace)
    _read_settings(place, config)  # a mistake in it is better told here than in a browser
    if not is_loopback(address):
        say(f"warning: whoever reaches {address} can record decisions; put a proxy with a login before it")
    say(f"Stillwatch console: http://{address}:{port}  (Ctrl-C ends it)")
    start_console(place, address=address, port=port, config=config)


@app.command(
    epilog="""Example:

\b
  stillwatch status --workspace watch
"""
)
def status(workspace: InWorkspace, config: Config = None) -> None:
    """Show what a workspace holds: nights, rows, refusals, open cases, disk use."""
    from pipelines.status import read_status
    from pipelines.summary import show_status

    place = _existing_workspace(workspace)
    show_status(read_status(place, _read_settings(place, config)))


@app.command(
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
    place = _existing_workspace(workspace)
    settings = _read_settings(place, config)
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


@app.command(
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
    place = _existing_workspace(workspace)
    settings = _read_settings(place, config)
    from pipelines.cases import CaseStore
    from pipelines.export import export_decisions
    from pipelines.summary import show_export

    with CaseStore.open(settings.cases_url or place.cases_url) as store:
        show_export(export_decisions(place, store, output_format, out))


if __name__ == "__main__":
    main()
