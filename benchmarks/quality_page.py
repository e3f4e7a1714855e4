"""docs/quality.md from the rows of many evaluations.

Here: the page, its tables as Markdown, the sources of its texts. Not here: the runs (quality), the figures
(pipelines.evaluation).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any

import polars as pl
from quality_ablation import ablation_table
from quality_acceptance import BYSTANDER, acceptance_table, only_bystanders

from pipelines.evaluation import over_seeds
from pipelines.evaluation.intervals import exact
from pipelines.evaluation.tables import Table, between
from pipelines.simulate.texts import load_texts

Row = dict[str, Any]

HEAD = """# Quality

What Stillwatch finds and whom it wrongs, measured on simulated worlds of the `report` split: no source of
text, no sentence of our corpus and no random stream in them ever served to choose a setting
([why](decisions/0031-tune-and-report-share-nothing.md)). Nights are scanned in their order, each calibrated
on earlier nights alone. Every number is [defined](reference/evaluation.md); every table can be made again
(`--world` and `--seeds` choose fewer; how many there were stands above each):

```sh
python benchmarks/quality.py --prompts ../shared/pools
```

Numbers from simulations are numbers about simulations. [Realism](realism.md) says how close the traffic comes
to real traces, and what no trace shows. Nobody has published labelled traffic of real campaigns.
"""

WORLDS = {
    "standard": """Every benign kind and every campaign kind at the rates of the public record; ordinary
requests are about a hundred times those of any one campaign. Two nights pass before the first one begins.""",
    "evasions": """Two campaigns, one at the lowest rate of the public record and one in its middle, each
plainly, under every evasion alone, under four at once and under all ten: a world of its own for each.""",
    "benign": """No campaign at all: every flag is a mistake.""",
    "benign_large": """No campaign, and many more people than look-alikes: how many accounts in a million are
flagged for nothing.""",
    "bystanders": """Campaigns of four rates, and around each of them people who share exactly one object with
it: its template, an exit address, its client, a voucher, its system prompt.""",
    "feedback": """Four campaigns, played night by night: whoever is recommended for more than `watch` is shut
before the next night, and the operators replace what they lost.""",
}

MOST_NAMED = 6
"""Runs that are named in a cell; the rest is counted."""

ASKED = """
## Asked and measured

What was asked of the monitor before it was built, beside what it does. **Met**: the whole interval keeps to
what was asked. **Not met**: the measured value does not. **Not shown**: it does, and the worlds are too few
to be sure; a recall of 95 % needs about seventy campaigns without a miss, ten in a million some 370,000
accounts without a flag. Plain campaigns, findings and benign kinds are of `standard`, unless said otherwise.
"""

RUNS = """
## What was run

Results stay until the same world is measured anew. Those of earlier code are marked: a commit that changed
neither `detector` nor `pipelines` leaves them as they are. `python benchmarks/quality.py --stale` measures
marked ones again; worlds, seeds and words can be measured in parts, in any order.
"""

ABLATION = """
## What each part is worth

The same nights judged once more without one part of the judgement (`detection.leave_out`,
[Policy](reference/policy.md)): its links tie nobody together, its evidence is not weighed. Without history
every night is a first one, and actions are softer.

```sh
python benchmarks/quality.py --ablation --world standard --seeds 1
```
"""

PEERS = """
## Beside other published detectors

The same logs, every detector judged by the same code, its operating point fixed beforehand; then each at the
best threshold that one could choose with the labels in hand ([what they are](../benchmarks/peers/README.md)):

```sh
python benchmarks/peers --scale small --split report --prompts ../shared/pools
```
"""

TOOLS = """
## Beside what is simulated: people who use one tool

Users of open tools share a prompt and a client, each with a key of their own, and no kind of the simulation
is like them ([what they do](../benchmarks/tool_users.py)):

```sh
python benchmarks/tool_users.py --split report
```
"""


def page(
    rows: Sequence[Row],
    prompts: Path | None,
    *,
    code: str,
    ablation: Sequence[Row] = (),
    peers: str | None = None,
    tools: str | None = None,
) -> str:
    """The page, from the rows of all runs.

    Parameters
    ----------
    prompts : the pools whose sources are listed
    code : digest of the code there is; results of other code are marked
    ablation : rows of runs that were judged without each part
    peers, tools : what the comparison with other detectors printed, and what tool_users did
    """
    printed = ((PEERS, peers), (TOOLS, tools))
    beside = [
        part for said, text in printed if text is not None for part in (said, "```", text.rstrip(), "```")
    ]
    parts = (*_asked(rows), *_runs(rows, ablation, code), *_worlds(rows, code), *_ablation(ablation, code))
    return "\n".join([HEAD, *parts, *beside, *_sources(rows, prompts)]).rstrip() + "\n"


def _of_run(row: Row) -> tuple[int, str]:
    return row["seed"], row.get("variant", "")


def _by_run(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each run of one world, in the order of seeds."""
    return [list(of_run) for _, of_run in groupby(sorted(rows, key=_of_run), key=_of_run)]


def _asked(rows: Sequence[Row]) -> Iterator[str]:
    """Asked and measured, for each kind of text."""
    if not rows:
        return
    yield ASKED
    for texts in sorted({row["texts"] for row in rows}, reverse=True):
        ours = [row for row in rows if row["texts"] == texts]
        worlds = {
            world: _by_run(row for row in ours if row["world"] == world)
            for world in sorted({row["world"] for row in ours})
        }
        yield f"Words from {texts}:\n"
        yield from _markdown(acceptance_table(worlds))


def _runs(rows: Sequence[Row], ablation: Sequence[Row], code: str) -> Iterator[str]:
    """What was run with what code, and what is not there."""
    yield RUNS
    lines = []
    for name, some in (("", rows), (", each part left out", ablation)):
        about = [row for row in some if row["row"] == "run"]
        for (_, world, texts), of_group in groupby(sorted(about, key=_world_key), key=_world_key):
            runs = list(of_group)
            seeds = sorted({row["seed"] for row in runs})
            stale = [_named(row) for row in runs if row.get("code") != code]
            lines.append(
                (
                    f"{world}{name}",
                    texts,
                    ", ".join(map(str, seeds)),
                    f"{len(runs):,}",
                    ", ".join(sorted({row.get("commit") or "unknown" for row in runs})),
                    _few(stale) or "none",
                    _few(_absent(runs)) or "none",
                )
            )
    heads = ("world", "words", "seeds", "worlds", "commits", "of earlier code", "missing variants")
    yield from _markdown(Table("What was run", heads, lines, tuple(range(len(heads)))))
    there = {row["world"] for row in rows}
    missing = [world for world in WORLDS if world not in there]
    if missing:
        yield f"Not measured at all: {', '.join(f'`{world}`' for world in missing)}.\n"


def _world_key(row: Row) -> tuple[int, str, str]:
    return _place(row["world"]), row["world"], row["texts"]


def _place(world: str) -> int:
    return [*WORLDS, world].index(world)


def _named(row: Row) -> str:
    return f"seed {row['seed']}" + (f" {row['variant']}" if row.get("variant") else "")


def _absent(runs: Sequence[Row]) -> list[str]:
    """Variants that some seed has and another lacks."""
    variants = dict.fromkeys(row.get("variant", "") for row in runs)
    there = {(row["seed"], row.get("variant", "")) for row in runs}
    seeds = sorted({row["seed"] for row in runs})
    return [
        f"seed {seed} {variant}" for seed in seeds for variant in variants if (seed, variant) not in there
    ]


def _few(names: Sequence[str]) -> str:
    """The names, the rest counted."""
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else shown


def _stale(runs: Sequence[Row], code: str) -> Iterator[str]:
    """A warning where results are of other code."""
    about = [row for row in runs if row["row"] == "run"]
    old = sum(row.get("code") != code for row in about)
    if old:
        share = "These results are" if old == len(about) else f"{old:,} of these {len(about):,} worlds are"
        yield f"**Stale:** {share} of earlier code; `--stale` measures them anew.\n"


def _worlds(rows: Sequence[Row], code: str) -> Iterator[str]:
    for (_, world, texts), of_group in groupby(sorted(rows, key=_world_key), key=_world_key):
        runs = list(of_group)
        by_run = _by_run(runs)
        yield f"\n## `{world}`, words from {texts}\n"
        yield WORLDS.get(world, "A scenario of your own.") + "\n"
        yield from _stale(runs, code)
        yield _size(runs, len({row["seed"] for row in runs}), len(by_run))
        pooled = over_seeds(by_run)
        swept_in = only_bystanders(pooled.benign_kinds)
        if not swept_in.is_empty():
            yield from _markdown(_bystander_table(swept_in))
        # Once at full length, on real prompts; elsewhere what says something.
        for table in pooled.tables(full=world == "standard" and texts != "own corpus"):
            yield from _markdown(table)


def _bystander_table(kinds: pl.DataFrame) -> Table:
    """Bystanders by what they share with a campaign: swept in, of how many."""
    cells = []
    for row in kinds.iter_rows(named=True):
        flagged, n = row["at_watch"] + row["above_watch"], row["n_accounts"]
        low, high = exact(flagged, n)
        shared = row["kind"].removeprefix(BYSTANDER).replace("_", " ")
        cells.append((shared, f"{n:,}", f"{flagged:,}", f"{row['above_watch']:,}", between(low, high)))
    heads = ("bystanders share", "accounts", "swept in", "above watch", "95 % interval")
    return Table("Bystanders", heads, cells, (0,))


def _ablation(rows: Sequence[Row], code: str) -> Iterator[str]:
    if not rows:
        return
    yield ABLATION
    for (_, world, texts), of_group in groupby(sorted(rows, key=_world_key), key=_world_key):
        runs = list(of_group)
        yield f"`{world}`, words from {texts}:\n"
        yield from _stale(runs, code)
        about = [row for row in runs if row["row"] == "run"]
        yield _size(about, len({row["seed"] for row in about}), len(about))
        yield from _markdown(ablation_table([row for row in runs if row["row"] != "run"]))


def _size(rows: Sequence[Row], n_seeds: int, n_worlds: int) -> str:
    runs = [row for row in rows if row["row"] == "run"]
    requests, accounts = (mean(row[name] for row in runs) for name in ("n_requests", "n_accounts"))
    harvested = mean(row["n_campaign_requests"] for row in runs) / requests
    line = (
        f"Seeds: {n_seeds}; worlds: {n_worlds}; on average {requests:,.0f} requests of {accounts:,.0f} "
        f"accounts over {runs[0]['nights']} nights"
    )
    if harvested:
        line += f"; {harvested:.1%} of requests are of campaigns"
    banned = mean(row["n_banned"] for row in runs)
    return line + (f"; {banned:,.0f} accounts shut" if banned else "") + ".\n"


def _markdown(table: Table) -> Iterator[str]:
    if table.heads:
        yield "| " + " | ".join(table.heads) + " |"
        yield "|" + "|".join("---" if at in table.words else "---:" for at in range(len(table.heads))) + "|"
        for row in table.rows:
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
        yield ""
    if table.note:
        yield from (f"- {line}" for line in table.note.splitlines() if line)
        yield ""


def _sources(rows: Sequence[Row], prompts: Path | None) -> Iterator[str]:
    """Where the words of the worlds with real prompts are from."""
    if prompts is None or all(row["texts"] == "own corpus" for row in rows):
        return
    yield "\n## Sources of the real prompts\n"
    yield "Of this split alone; [Words](reference/simulation-texts.md) explains *retold* and *filled up*.\n"
    yield "| purpose | words |"
    yield "|---|---|"
    for theme, source in load_texts(prompts, rows[0]["split"]).provenance():
        yield f"| {theme} | {source} |"
