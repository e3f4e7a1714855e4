"""What Stillwatch finds and whom it wrongs, on worlds it was not tuned on.

    python benchmarks/quality.py [--seeds 5] [--prompts ../shared/pools] [--world standard ...]
    python benchmarks/quality.py --ablation [--world standard] [--seeds 1] [--prompts ../shared/pools]
    python benchmarks/quality.py --page

For each world, each source of text and each seed: simulate, scan the nights in their order, evaluate. Every
row of every evaluation goes to bench-data/quality/*.jsonl, one file a run; then docs/quality.md is written
from all the files that are there, whoever made them and when. A run whose file is there is not made again, so
a long measurement may be broken off, taken up, and made in parts. A result of earlier code stays on the page,
marked as such; `--stale` makes those runs anew, `--again` all of them.

    standard      every benign and every campaign kind; benign requests a hundred times any one campaign's
    evasions      two campaigns, plainly and under each evasion alone, then under several at once: a world of
                  its own for each, or campaigns that take the same published template would be one
    benign        no campaign: whatever is flagged is a mistake
    benign_large  the same, several times the accounts, each with less to say
    bystanders    campaigns, and people who share exactly one object with one of them
    feedback      night by night: who was flagged is shut before the next night, and operators answer

`--ablation` judges the same nights once more without each part of the judgement. `--scenario FILE` measures a
world of your own instead; with `--play`, night by night. What `python benchmarks/peers` and `python
benchmarks/tool_users.py` printed into bench-data/quality/peers.txt and tools.txt is added to the page.

Worlds are of the `report` split: no source, text or random stream of theirs ever served to choose a setting.
The page of another split goes beside its results, never to docs/quality.md.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import quality_runs
from quality_ablation import measured_without
from quality_page import page
from quality_runs import PLAYED, ROOT, Run, kept, made_with, measured

PAGE = ROOT / "docs" / "quality.md"

WORLDS = ("standard", "evasions", "benign", "benign_large", "bystanders", "feedback")


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    if not options.page:
        for run in _runs(options):
            path = run.results(quality_runs.RESULTS)
            if options.again or not path.exists() or (options.stale and _is_stale(path)):
                rows = measured_without(run) if run.ablation else measured(run)
                quality_runs.keep(path, rows)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(_page(options), encoding="utf-8")
    print(f"wrote {options.out}", file=sys.stderr)


def _page(options: argparse.Namespace) -> str:
    """The page of everything that was ever measured on this split."""
    results = quality_runs.RESULTS
    mine = f"*-{options.split}-*.jsonl"
    return page(
        kept(results.glob(mine)),
        options.prompts,
        code=made_with()["code"],
        ablation=kept((results / "ablation").glob(mine)),
        peers=_printed(results / "peers.txt"),
        tools=_printed(results / "tools.txt"),
    )


def _printed(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _is_stale(path: Path) -> bool:
    """Whether a result was made with other code than is here now."""
    about = [row for row in kept([path]) if row["row"] == "run"]
    return not about or about[0].get("code") != made_with()["code"]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--world", choices=WORLDS, nargs="+", help="some of the worlds; all, or standard")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--prompts", type=Path, help="pools of real prompts, measured beside our own corpus")
    parser.add_argument("--split", choices=("report", "tune"), default="report")
    parser.add_argument("--only", choices=("own", "pools"), help="words of one kind alone")
    parser.add_argument("--ablation", action="store_true", help="judge without each part of the judgement")
    parser.add_argument("--again", action="store_true", help="make runs anew whose results are there")
    parser.add_argument("--stale", action="store_true", help="make runs anew whose results are of other code")
    parser.add_argument("--page", action="store_true", help="make no run, write the page alone")
    parser.add_argument("--out", type=Path, help="where the page goes; docs/quality.md for the report split")
    parser.add_argument("--scenario", type=Path, help="a scenario file, instead of the worlds above")
    parser.add_argument("--play", action="store_true", help="play the scenario night by night")
    options = parser.parse_args(arguments)
    if options.out is None:
        tuning = quality_runs.RESULTS / f"quality-{options.split}.md"
        options.out = PAGE if options.split == "report" else tuning
    return options


def _runs(options: argparse.Namespace) -> Iterator[Run]:
    worlds = options.world or (("standard",) if options.ablation else WORLDS)
    sources = {"own": None, "pools": options.prompts}
    names = [options.only] if options.only else ["own", "pools"] if options.prompts else ["own"]
    for world in [options.scenario.stem] if options.scenario else worlds:
        for prompts in (sources[name] for name in names):
            for seed in range(1, options.seeds + 1):
                yield from _of_world(world, prompts, seed, options)


def _of_world(world: str, prompts: Path | None, seed: int, options: argparse.Namespace) -> Iterator[Run]:
    """The one run of a world, or one for each of its variants."""
    plan = {"prompts": prompts, "seed": seed, "split": options.split, "ablation": options.ablation}
    if world == "evasions" and not options.scenario:
        for variant, scenario in quality_runs.evasions(quality_runs.RESULTS / "scenarios"):
            yield Run(world, scenario=scenario, variant=variant, **plan)
    else:
        played = options.play if options.scenario else world in PLAYED and not options.ablation
        yield Run(world, scenario=options.scenario, played=played, **plan)


if __name__ == "__main__":
    main()
