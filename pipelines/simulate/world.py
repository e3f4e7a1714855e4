"""A whole simulated world, night by night, on disk.

Here: the order of things and the files: `logs/day=YYYY-MM-DD/part-N.parquet`, `accounts.parquet`,
`labels.parquet`. Not here: who sends what (kinds, campaigns, texts).
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import UsageError
from pipelines.progress import Progress, Silent
from pipelines.record import ACCOUNT_SCHEMA, LABEL_SCHEMA, REQUEST_SCHEMA
from pipelines.simulate.campaigns import CAMPAIGNS, CampaignSpec
from pipelines.simulate.files import WRITERS, write_parquet
from pipelines.simulate.group import Group, World
from pipelines.simulate.kinds import BENIGN
from pipelines.simulate.scenario import Scenario, load_scenario
from pipelines.simulate.texts import load_texts
from pipelines.simulate.traffic import finish

FIRST_DAY = date(2026, 3, 2)
"""A Monday, so that the first nights are working days."""

_MARK = ".stillwatch-simulation"
_ROWS_PER_FILE = 250_000


@dataclass(frozen=True, slots=True)
class SimulationSummary:
    """What was written."""

    out: Path
    days: tuple[date, ...]
    n_requests: int
    n_accounts: int
    n_campaign_requests: int
    n_campaign_accounts: int
    campaigns: tuple[str, ...]

    def as_line(self) -> str:
        """One sentence for a terminal."""
        share = self.n_campaign_requests / max(1, self.n_requests)
        return (
            f"{self.n_requests:,} requests of {self.n_accounts:,} accounts over {len(self.days)} nights; "
            f"{len(self.campaigns)} campaigns with {self.n_campaign_accounts:,} accounts "
            f"({share:.1%} of requests)"
        )


def simulate(
    out: Path,
    *,
    scale: str = "small",
    days: int | None = None,
    seed: int = 1,
    scenario: Path | None = None,
    prompts: Path | None = None,
    log_format: str = "stillwatch",
    first_day: date = FIRST_DAY,
    progress: Progress | None = None,
) -> SimulationSummary:
    """Write labelled traffic. The same arguments give the same bytes.

    Parameters
    ----------
    scale : preset world, unless `scenario` names a file
    days : number of nights, instead of the scenario's
    prompts : folder of Parquet pools of real prompts; without one, our own corpus is used
    log_format : form of the logs: `stillwatch` (Parquet), `jsonl`, `jsonl.gz` or `csv`

    Raises
    ------
    UsageError : an unknown scale, format or folder, a broken scenario, or `out` holds something that
        is not an earlier simulation.
    """
    plan = load_scenario(scale, scenario)
    n_days = plan.nights if days is None else days
    if n_days < 1:
        raise UsageError(f"{n_days} nights cannot be simulated", remedy="give --days 1 or more")
    if seed < 0:
        raise UsageError(f"seed {seed} is negative", remedy="give --seed 0 or more")
    if log_format not in WRITERS:
        raise UsageError(f"unknown log format {log_format!r}", remedy=f"choose one of {', '.join(WRITERS)}")
    texts = load_texts(prompts)
    _prepare(out)
    world = World(
        seed=seed,
        first_day=first_day,
        n_days=n_days,
        release_day=(plan.release_night or 10**6) - 1,
        texts=texts,
    )
    watch = progress or Silent()
    groups = _enrol_everybody(world, plan)
    accounts, labels = _write_people(out, groups)
    harvesters = labels.filter(pc.equal(labels["label"], "campaign"))["account_id"]
    n_requests = n_harvested = 0
    with watch.step("simulate", total=n_days) as step:
        for number in range(n_days):
            rows = _night(world, groups, number)
            _write_night(out / "logs", first_day + timedelta(days=number), rows, log_format)
            n_requests += rows.num_rows
            n_harvested += int(pc.sum(pc.is_in(rows["account_id"], harvesters)).as_py() or 0)
            step.advance()
        step.note(f"{n_requests:,} requests")
    return SimulationSummary(
        out=out,
        days=tuple(first_day + timedelta(days=number) for number in range(n_days)),
        n_requests=n_requests,
        n_accounts=accounts.num_rows,
        n_campaign_requests=n_harvested,
        n_campaign_accounts=len(harvesters),
        campaigns=tuple(campaign.name for campaign in _begun(world, plan)),
    )


def _prepare(out: Path) -> None:
    """An empty folder, or one that an earlier simulation filled: only our own files are replaced."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: not a folder", remedy="name a folder with --out")
    if out.is_dir() and any(out.iterdir()):
        if not (out / _MARK).exists():
            raise UsageError(
                f"{out}: holds files that are not of a simulation", remedy="name an empty or new folder"
            )
        shutil.rmtree(out / "logs", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).write_text("Written by stillwatch simulate; a new simulation replaces these files.\n")


def _enrol_everybody(world: World, plan: Scenario) -> list[tuple[str, Group]]:
    groups = []
    for kind, n in sorted(plan.benign.items()):
        if n > 0:
            groups.append((kind, BENIGN[kind](world, n, world.rng("benign", kind))))
    for spec in _begun(world, plan):
        rng = world.rng("campaign", spec.name)
        groups.append((f"campaign {spec.name}", CAMPAIGNS[spec.kind](world, spec, rng)))
    return groups


def _begun(world: World, plan: Scenario) -> list[CampaignSpec]:
    """Campaigns that begin within the simulated nights; of the others nobody has signed up yet."""
    return [spec for spec in plan.campaign if spec.begins <= world.n_days]


def _write_people(out: Path, groups: list[tuple[str, Group]]) -> tuple[pa.Table, pa.Table]:
    """Accounts and labels, each in the order of the random account ids."""
    accounts = (
        pa.concat_tables([g.crowd.accounts for _, g in groups]) if groups else ACCOUNT_SCHEMA.empty_table()
    )
    labels = pa.concat_tables([g.crowd.labels for _, g in groups]) if groups else LABEL_SCHEMA.empty_table()
    for name, table in (("accounts", accounts), ("labels", labels)):
        write_parquet(table.sort_by("account_id"), out / f"{name}.parquet")
    return accounts, labels


def _night(world: World, groups: list[tuple[str, Group]], number: int) -> pa.Table:
    day = world.first_day + timedelta(days=number)
    midnight_us = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
    tables = list(_tables(world, groups, number, midnight_us))
    rows = pa.concat_tables(tables) if tables else REQUEST_SCHEMA.empty_table()
    return rows.sort_by([("ts", "ascending"), ("request_id", "ascending")])


def _tables(
    world: World, groups: list[tuple[str, Group]], number: int, midnight_us: int
) -> Iterator[pa.Table]:
    for name, group in groups:
        rng = world.rng(name, "night", number)
        for traffic in group.day(number, rng):
            if len(traffic.arrivals) > 0:
                yield finish(traffic, group.crowd, number, midnight_us, rng)


def _write_night(logs: Path, day: date, rows: pa.Table, log_format: str) -> None:
    ending, write = WRITERS[log_format]
    folder = logs / f"day={day.isoformat()}"
    folder.mkdir(parents=True)
    n_files = max(1, -(-rows.num_rows // _ROWS_PER_FILE))
    per_file = -(-rows.num_rows // n_files) or 1
    for part in range(n_files):
        write(rows.slice(part * per_file, per_file), folder / f"part-{part}{ending}")
