"""docs/quality.md from the rows of many evaluations.

Here: the page, its tables as Markdown, the sources of its texts. Not here: the runs (quality), the figures
(pipelines.evaluation).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any

from pipelines.evaluation import over_seeds
from pipelines.evaluation.tables import Table
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
    "feedback": """Four campaigns, played night by night: whoever is recommended for more than `watch` is shut
before the next night, and the operators replace what they lost.""",
}


PEERS = """
## Beside other published detectors

The same logs, every detector judged by the same code, its operating point fixed beforehand; then each at the
best threshold that one could choose with the labels in hand ([what they are](../benchmarks/peers/README.md)):

```sh
python benchmarks/peers --scale small --split report --prompts ../shared/pools
```
"""


def page(rows: Sequence[Row], prompts: Path | None, peers: str | None = None) -> str:
    """The page, from the rows of all runs.

    Parameters
    ----------
    prompts : the pools whose sources are listed
    peers : what the comparison with other detectors printed
    """
    beside = [] if peers is None else [PEERS, "```", peers.rstrip(), "```"]
    return "\n".join([HEAD, *_worlds(rows), *beside, *_sources(rows, prompts)]).rstrip() + "\n"


def _worlds(rows: Sequence[Row]) -> Iterator[str]:
    def group(row: Row) -> tuple[int, str, str]:
        return [*WORLDS, row["world"]].index(row["world"]), row["world"], row["texts"]

    for (_, world, texts), of_group in groupby(sorted(rows, key=group), key=group):
        runs = list(of_group)
        worlds = sorted({(row["seed"], row.get("variant", "")) for row in runs})
        yield f"\n## `{world}`, words from {texts}\n"
        yield WORLDS.get(world, "A scenario of your own.") + "\n"
        yield _size(runs, len({seed for seed, _ in worlds}), len(worlds))
        pooled = over_seeds(
            [row for row in runs if (row["seed"], row.get("variant", "")) == one] for one in worlds
        )
        # Once at full length, on real prompts; elsewhere what says something.
        for table in pooled.tables(full=world == "standard" and texts != "own corpus"):
            yield from _markdown(table)


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
