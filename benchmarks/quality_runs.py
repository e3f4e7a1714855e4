"""Worlds that quality is measured on: made, scanned, judged, and their rows kept in a file each.

Here: which runs there are, one run from simulation to rows, what it was made with. Not here: which of them
are due and what becomes of the rows (quality), scans without a part of the judgement (quality_ablation).
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import findings, nightly
from pipelines.evaluation import evaluate
from pipelines.settings import load_settings
from pipelines.simulate import load_scenario, simulate
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts.splits import Split
from pipelines.workspace import Workspace

Row = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench-data" / "quality"

PLAYED = ("feedback",)
"""Worlds that are made night by night, as enforcement leaves them."""


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
    ablation: bool = False
    """Scanned once more without each part of the judgement."""

    @property
    def texts(self) -> str:
        """Where its words are from."""
        return "own corpus" if self.prompts is None else "real pools"

    @property
    def marks(self) -> Row:
        """What all of its rows say of it."""
        marks = {"world": self.world, "texts": self.texts, "seed": self.seed, "split": self.split}
        return marks | {"variant": self.variant}

    def results(self, folder: Path) -> Path:
        """Its file of rows."""
        texts = "own" if self.prompts is None else "pools"
        name = f"{self.world}-{self.variant}" if self.variant else self.world
        place = folder / "ablation" if self.ablation else folder
        return place / f"{name}-{self.split}-{texts}-{self.seed}.jsonl"


# --- what a result was made with -------------------------------------------------------------------------


OWN_SQL = {"session.sql", "casts.sql", "json_fields.sql"}
"""Of `pipelines/adapters/sql` what logs of our own format are read with."""


def made_with(root: Path = ROOT) -> Row:
    """`code`, a digest of everything that decides what a scan finds and what a world holds, and `commit`.

    Two commits with equal digests find the same: one that changes a document, or how somebody else's log
    format is read, makes no result stale, for worlds are written in our own.
    """
    digest = hashlib.blake2b(digest_size=8)
    rooms = (root / "detector", root / "pipelines")
    foreign = root / "pipelines" / "adapters" / "sources"
    files = (
        path
        for room in rooms
        for path in room.rglob("*")
        if path.is_file()
        and foreign not in path.parents
        and (path.parent != foreign.with_name("sql") or path.name in OWN_SQL)
    )
    for path in sorted(path for path in files if path.suffix not in (".pyc", ".nbc", ".nbi", ".html", ".md")):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    asked = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return {"code": digest.hexdigest(), "commit": told.stdout.strip() or "unknown"}


def keep(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows of a run at once: a run that is broken off leaves nothing that looks like a result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    beside.replace(path)


def kept(paths: Iterable[Path]) -> list[Row]:
    """The rows of files of results, in the order of their names."""
    return [json.loads(line) for path in sorted(paths) for line in path.read_text("utf-8").splitlines()]


# --- runs ------------------------------------------------------------------------------------------------


def evasions(folder: Path) -> Iterator[tuple[str, Path]]:
    """A scenario for each row of the evasion matrix: two campaigns in five nights of a mid-sized service."""
    matrix = load_scenario("evasions").campaign
    folder.mkdir(parents=True, exist_ok=True)
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


def measured(run: Run) -> Iterator[Row]:
    """Every row of the evaluation of one world, marked with what it was, and one row about the run."""
    began = time.perf_counter()
    with scanned(run) as (out, workspace, made):
        for line in evaluate(workspace, out / "labels.parquet").jsonl():
            yield run.marks | json.loads(line)
        yield run.marks | about(run, made, began)


def about(run: Run, made: Row, began: float) -> Row:
    """The row that says what a run was; how long it took goes to stderr, too."""
    seconds = round(time.perf_counter() - began, 1)
    print(f"{run.results(Path()).stem}: {made['n_requests']:,} requests, {seconds:.0f} s", file=sys.stderr)
    return {"row": "run", **made, **made_with(), "seconds": seconds}


@contextmanager
def scanned(run: Run) -> Iterator[tuple[Path, Workspace, Row]]:
    """The world's folder, the workspace its nights were scanned into, and its size; gone afterwards."""
    (ROOT / "bench-data").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "bench-data", prefix="world-") as folder:
        out, workspace = Path(folder) / "world", Workspace(Path(folder) / "watch")
        workspace.create().key_file.write_text("the key of a benchmark\n")  # the same figures every time
        made = _played(run, out, workspace) if run.played else _at_once(run, out, workspace)
        yield out, workspace, made
        shutil.rmtree(folder)
        Path(folder).mkdir()  # the context manager removes it again


def _at_once(run: Run, out: Path, workspace: Workspace) -> Row:
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


def _played(run: Run, out: Path, workspace: Workspace) -> Row:
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


def _world(run: Run) -> Row:
    """What `simulate` takes of a run."""
    return {
        "scale": run.world,
        "scenario": run.scenario,
        "seed": run.seed,
        "prompts": run.prompts,
        "split": run.split,
    }


def _scan(night: Path, out: Path, workspace: Workspace) -> None:
    done = nightly.scan([str(night)], workspace, accounts=out / "accounts.parquet", settings=load_settings())
    if done.unreadable:
        raise SystemExit(f"{night}: {done.unreadable[0]}")
