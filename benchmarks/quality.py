"""What Stillwatch finds and whom it wrongs, on worlds it was not tuned on.

    python benchmarks/quality.py [--seeds 5] [--prompts ../shared/pools] [--world standard ...]

For each world, each source of text and each seed: simulate, scan the nights in their order, evaluate. Every
row of every evaluation goes to bench-data/quality/*.jsonl, one file a run, and a run whose file is there is
not made again; then docs/quality.md is written from all the files.

    standard   every benign and every campaign kind; benign requests a hundred times any one campaign's
    evasions   two campaigns, plainly and under each evasion alone, then under several at once: a world of its
               own for each, or campaigns that take the same published template would be one
    benign     no campaign: whatever is flagged is a mistake
    feedback   night by night: who was flagged is shut before the next night, and operators answer

`--scenario FILE` measures a world of your own instead; with `--play`, night by night. What
`python benchmarks/peers ... > bench-data/quality/peers.txt` printed is added to the page.

Worlds are of the `report` split: no source, text or random stream of theirs ever served to choose a setting.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality_page import page

from pipelines import findings, nightly
from pipelines.evaluation import evaluate
from pipelines.settings import load_settings
from pipelines.simulate import load_scenario, simulate
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts.splits import Split
from pipelines.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench-data" / "quality"
PAGE = ROOT / "docs" / "quality.md"

WORLDS = ("standard", "evasions", "benign", "feedback")


@dataclass(frozen=True, slots=True)
class Run:
    """One world to make, scan and judge."""

    world: str
    prompts: Path | None
    seed: int
    split: Split
    scenario: Path | None = None
    """Instead of the preset of that name."""
    played: bool = False
    """Night by night, with enforcement."""
    variant: str = ""
    """Which of several worlds of one name."""

    @property
    def texts(self) -> str:
        """Where its words are from."""
        return "own corpus" if self.prompts is None else "real pools"

    @property
    def results(self) -> Path:
        """Its file of rows."""
        texts = "own" if self.prompts is None else "pools"
        name = f"{self.world}-{self.variant}" if self.variant else self.world
        return RESULTS / f"{name}-{self.split}-{texts}-{self.seed}.jsonl"


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    RESULTS.mkdir(parents=True, exist_ok=True)
    for run in _runs(options):
        if not run.results.exists() or options.again:
            rows = list(_rows(run))
            run.results.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    results = sorted(RESULTS.glob(f"*-{options.split}-*.jsonl"))  # also those of earlier calls
    rows = [json.loads(line) for path in results for line in path.read_text("utf-8").splitlines()]
    peers = RESULTS / "peers.txt"
    beside = peers.read_text("utf-8") if peers.exists() else None
    options.out.write_text(page(rows, options.prompts, beside), encoding="utf-8")
    print(f"wrote {options.out}", file=sys.stderr)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--world", choices=WORLDS, nargs="+", default=WORLDS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--prompts", type=Path, help="pools of real prompts, measured beside our own corpus")
    parser.add_argument("--split", choices=("report", "tune"), default="report")
    parser.add_argument("--only", choices=("own", "pools"), help="words of one kind alone")
    parser.add_argument("--again", action="store_true", help="make runs anew whose results are there")
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--scenario", type=Path, help="a scenario file, instead of the worlds above")
    parser.add_argument("--play", action="store_true", help="play the scenario night by night")
    return parser.parse_args(arguments)


def _runs(options: argparse.Namespace) -> Iterator[Run]:
    for world in [options.scenario.stem] if options.scenario else options.world:
        sources = {"own": None, "pools": options.prompts}
        names = [options.only] if options.only else ["own", "pools"] if options.prompts else ["own"]
        for prompts in (sources[name] for name in names):
            for seed in range(1, options.seeds + 1):
                if world == "evasions" and not options.scenario:
                    for variant, scenario in _evasions():
                        yield Run(world, prompts, seed, options.split, scenario, variant=variant)
                    continue
                played = options.play if options.scenario else world == "feedback"
                yield Run(world, prompts, seed, options.split, options.scenario, played)


def _evasions() -> Iterator[tuple[str, Path]]:
    """A scenario for each row of the evasion matrix: two campaigns in five nights of a mid-sized service."""
    matrix = load_scenario("evasions").campaign
    folder = RESULTS / "scenarios"
    folder.mkdir(exist_ok=True)
    for variant in dict.fromkeys(campaign.name.partition("-")[2] for campaign in matrix):
        path = folder / f"{variant}.toml"
        entries = [campaign for campaign in matrix if campaign.name.partition("-")[2] == variant]
        path.write_text('base = "medium"\nnights = 5\n' + "".join(map(_entry, entries)), encoding="utf-8")
        yield variant, path


def _entry(campaign: CampaignSpec) -> str:
    """A campaign as a scenario file says it: numbers, texts and lists read the same in JSON and TOML."""
    facts = campaign.model_dump(exclude_none=True)
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in facts.items())
    return "\n[[campaign]]\n" + "".join(lines)


def _rows(run: Run) -> Iterator[dict[str, Any]]:
    """Every row of the evaluation of one world, marked with what it was, and one row about the run."""
    began = time.perf_counter()
    (ROOT / "bench-data").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "bench-data", prefix="world-") as folder:
        out, workspace = Path(folder) / "world", Workspace(Path(folder) / "watch")
        workspace.create().key_file.write_text("the key of a benchmark\n")  # the same figures every time
        made = _played(run, out, workspace) if run.played else _at_once(run, out, workspace)
        marks = {"world": run.world, "texts": run.texts, "seed": run.seed, "split": run.split}
        marks["variant"] = run.variant
        for line in evaluate(workspace, out / "labels.parquet").jsonl():
            yield marks | json.loads(line)
        seconds = round(time.perf_counter() - began, 1)
        print(f"{run.results.stem}: {made['n_requests']:,} requests, {seconds:.0f} s", file=sys.stderr)
        yield marks | {"row": "run", **made, "seconds": seconds}
        shutil.rmtree(folder)
        Path(folder).mkdir()  # the context manager removes it again


def _at_once(run: Run, out: Path, workspace: Workspace) -> dict[str, Any]:
    made = simulate(out, **_world(run))
    for night in sorted((out / "logs").glob("day=*")):
        _scan(night, out, workspace)
    return {
        "n_requests": made.n_requests,
        "n_accounts": made.n_accounts,
        "n_campaign_requests": made.n_campaign_requests,
        "nights": len(made.days),
        "n_banned": 0,
    }


def _played(run: Run, out: Path, workspace: Workspace) -> dict[str, Any]:
    """Simulate a night, scan it, shut whom it convicts, and so on."""
    total = {"n_requests": 0, "n_accounts": 0, "n_campaign_requests": 0, "nights": 0, "n_banned": 0}
    flagged: list[Path] = []
    for number in range(1, load_scenario(run.world, run.scenario).nights + 1):
        made = simulate(out, **_world(run), night=number, findings=flagged)
        _scan(out / "logs" / f"day={made.days[0]}", out, workspace)
        flagged = [out / "flagged.parquet"]
        findings.accounts(workspace, made.days[0]).write_parquet(flagged[0])
        total["n_requests"] += made.n_requests
        total["n_campaign_requests"] += made.n_campaign_requests
        total |= {"n_accounts": made.n_accounts, "nights": number, "n_banned": made.n_banned}
    return total


def _world(run: Run) -> dict[str, Any]:
    """What `simulate` takes of a run."""
    return {
        "scale": run.world,
        "scenario": run.scenario,
        "seed": run.seed,
        "prompts": run.prompts,
        "split": run.split,
    }


def _scan(night: Path, out: Path, workspace: Workspace) -> None:
    scanned = nightly.scan(
        [str(night)], workspace, accounts=out / "accounts.parquet", settings=load_settings()
    )
    if scanned.unreadable:
        raise SystemExit(f"{night}: {scanned.unreadable[0]}")


if __name__ == "__main__":
    main()
