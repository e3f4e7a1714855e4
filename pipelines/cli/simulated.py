"""Commands to try it without logs of one's own: `demo` and `simulate`.

Here: their options. Not here: the demo's folder (pipelines.demo), the traffic (pipelines.simulate).
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli.options import Prompts, ScenarioFile, open_workspace

commands = typer.Typer()

Scale = Literal[
    "small",
    "medium",
    "incident",
    "benign",
    "benign_large",
    "low_and_wide",
    "middle",
    "high_and_narrow",
    "burst",
    "evasions",
    "bystanders",
    "feedback",
    "standard",
]


@commands.command(
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
        open_workspace(workspace),
        scale=scale,
        scenario=scenario,
        prompts=prompts,
        progress=terminal_progress(),
    )


@commands.command(
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
