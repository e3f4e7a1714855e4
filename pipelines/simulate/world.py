"""A whole simulated world, night by night, on disk.

Here: the order of things and the files: `logs/day=YYYY-MM-DD/part-N.parquet`, `accounts.parquet`,
`labels.parquet`, `bans.parquet`. Not here: who sends what (kinds, campaigns, texts), who was shut (bans).
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import UsageError
from pipelines.progress import Progress, Silent
from pipelines.record import ACCOUNT_SCHEMA, REQUEST_SCHEMA, SIMULATED_LABEL_SCHEMA
from pipelines.simulate.bans import Bans, convicted
from pipelines.simulate.bystanders import bystanders
from pipelines.simulate.campaigns import CAMPAIGNS
from pipelines.simulate.files import WRITERS, write_parquet
from pipelines.simulate.group import NEVER, Group, Night, World
from pipelines.simulate.kinds import BENIGN
from pipelines.simulate.outage import Outage, struck
from pipelines.simulate.scenario import Scenario, load_scenario
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts import load_texts
from pipelines.simulate.texts.splits import Split
from pipelines.simulate.traffic import finish

FIRST_DAY = date(2026, 3, 2)
"""A Monday, so that the first nights are working days."""

SPLITS: tuple[Split, ...] = get_args(Split)

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
    n_banned: int
    """Accounts shut by the last of these nights."""

    def as_line(self) -> str:
        """One sentence for a terminal."""
        share = self.n_campaign_requests / max(1, self.n_requests)
        shut = f"; {self.n_banned:,} accounts shut" if self.n_banned else ""
        return (
            f"{self.n_requests:,} requests of {self.n_accounts:,} accounts over {len(self.days)} nights; "
            f"{len(self.campaigns)} campaigns with {self.n_campaign_accounts:,} accounts "
            f"({share:.1%} of requests){shut}"
        )


def simulate(
    out: Path,
    *,
    scale: str = "small",
    days: int | None = None,
    seed: int = 1,
    scenario: Path | None = None,
    prompts: Path | None = None,
    split: Split = "all",
    log_format: str = "stillwatch",
    first_day: date = FIRST_DAY,
    night: int | None = None,
    findings: Sequence[Path] = (),
    ban_at: str = "limit",
    progress: Progress | None = None,
) -> SimulationSummary:
    """Write labelled traffic. The same arguments give the same bytes.

    Parameters
    ----------
    scale : preset world, unless `scenario` names a file
    days : number of nights, instead of the scenario's
    prompts : folder of Parquet pools of real prompts; without one, our own corpus is used
    split : half of the sources, words and random streams: `tune` to choose settings by, `report` to judge
        them; they share nothing
    log_format : form of the logs: `stillwatch` (Parquet), `jsonl`, `jsonl.gz` or `csv`
    night : write this night alone (1 is the first) beside those that are there, as enforcement left the
        world; the nights before it need not have been written
    findings : what the scan of the nights before flagged; whoever it convicts is shut from `night` on, and
        operators answer. Bans of earlier calls stay
    ban_at : mildest recommended action that shuts an account

    Raises
    ------
    UsageError : an unknown scale, format or folder, a broken scenario or file of findings, or `out` holds
        something that is not an earlier simulation (with `night`: of the very same world).
    """
    plan = load_scenario(scale, scenario)
    n_days = plan.nights if days is None else days
    _check(n_days, seed, split, log_format, night, findings)
    shut = convicted(findings, ban_at)
    recipe = _recipe(plan, n_days, seed, split, prompts, log_format, first_day)
    texts = load_texts(prompts, split)
    _prepare(out, recipe, keep_nights=night is not None)
    bans = Bans.none()
    if night is not None:
        tonight = first_day + timedelta(days=night - 1)
        bans = Bans.read(out / "bans.parquet", before=tonight).with_more(shut, tonight)
        bans.write(out / "bans.parquet")
    world = World(
        seed=seed,
        first_day=first_day,
        n_days=n_days,
        release_day=(plan.release_night or 10**6) - 1,
        texts=texts,
        split=split,
    )
    groups = _enrol_everybody(world, plan, bans)
    numbers = range(n_days) if night is None else range(night - 1, night)
    return _write_world(out, world, plan, groups, bans, numbers, log_format, progress or Silent())


def _check(
    n_days: int, seed: int, split: str, log_format: str, night: int | None, findings: Sequence[Path]
) -> None:
    if n_days < 1:
        raise UsageError(f"{n_days} nights cannot be simulated", remedy="give --days 1 or more")
    if seed < 0:
        raise UsageError(f"seed {seed} is negative", remedy="give --seed 0 or more")
    if log_format not in WRITERS:
        raise UsageError(f"unknown log format {log_format!r}", remedy=f"choose one of {', '.join(WRITERS)}")
    if split not in SPLITS:
        raise UsageError(f"unknown split {split!r}", remedy=f"choose one of {', '.join(SPLITS)}")
    if night is not None and not 1 <= night <= n_days:
        raise UsageError(f"night {night} is none of this world's {n_days}", remedy="see --night and --days")
    if findings and night is None:
        raise UsageError(
            "findings change the nights after them, so the world must be made night by night",
            remedy="name the next night with --night",
        )


def _recipe(
    plan: Scenario, n_days: int, seed: int, split: str, prompts: Path | None, log_format: str, first_day: date
) -> str:
    """What decides a world, as text: nights written one by one must all be of the same one."""
    facts = {
        "scenario": hashlib.sha256(plan.model_dump_json().encode()).hexdigest()[:16],
        "nights": n_days,
        "seed": seed,
        "split": split,
        "prompts": None if prompts is None else prompts.name,
        "log_format": log_format,
        "first_day": first_day.isoformat(),
    }
    return json.dumps(facts, indent=1) + "\n"


def _prepare(out: Path, recipe: str, *, keep_nights: bool) -> None:
    """An empty folder, or one that an earlier simulation filled: only our own files are replaced."""
    mark = out / _MARK
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: not a folder", remedy="name a folder with --out")
    if out.is_dir() and any(out.iterdir()):
        if not mark.exists():
            raise UsageError(
                f"{out}: holds files that are not of a simulation", remedy="name an empty or new folder"
            )
        if keep_nights and mark.read_text(encoding="utf-8") != recipe:
            raise UsageError(
                f"{out}: holds nights of another world",
                remedy="repeat the options of its first night, or name a new folder",
            )
        if not keep_nights:
            shutil.rmtree(out / "logs", ignore_errors=True)
            (out / "bans.parquet").unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    mark.write_text(recipe, encoding="utf-8")


# --- people ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Enrolled:
    """A group with its name, and what enforcement and time did to its accounts."""

    name: str
    group: Group
    banned_on: npt.NDArray[np.int64]
    signed_up_us: npt.NDArray[np.int64] | None
    """Microseconds from the first midnight; None when everybody was there before."""


def _enrol_everybody(world: World, plan: Scenario, bans: Bans) -> list[_Enrolled]:
    return [_enrolled(world, name, group, bans) for name, group in _groups(world, plan)]


def _groups(world: World, plan: Scenario) -> Iterator[tuple[str, Group]]:
    for (kind, generator), n in sorted(plan.generators().items()):
        name = f"{kind}/{generator}"
        yield name, BENIGN[kind][generator](world, n, world.rng("benign", name))
    for spec in _begun(world, plan):
        rng = world.rng("campaign", spec.name)
        campaign = CAMPAIGNS[spec.kind](world, spec, rng)
        yield f"campaign {spec.name}", campaign
        yield from bystanders(world, spec, campaign)


def _begun(world: World, plan: Scenario) -> list[CampaignSpec]:
    """Campaigns that begin within the simulated nights; of the others nobody has signed up yet."""
    return [spec for spec in plan.campaign if spec.begins <= world.n_days]


def _enrolled(world: World, name: str, group: Group, bans: Bans) -> _Enrolled:
    ids = group.crowd.accounts["account_id"].combine_chunks()
    banned_on = bans.nights(ids, world.first_day, NEVER)
    return _Enrolled(
        name, group, banned_on, None if group.signups is None else group.signups(banned_on).astype(np.int64)
    )


def _people(world: World, enrolled: _Enrolled, n_nights: int) -> tuple[pa.Table, pa.Table]:
    """Accounts and labels of one group by the end of a night: who signed up later is in no file yet."""
    accounts, labels = enrolled.group.crowd.accounts, enrolled.group.crowd.labels
    if enrolled.signed_up_us is None:
        return accounts, labels
    day_us = 86_400_000_000
    is_here = enrolled.signed_up_us < n_nights * day_us
    newcomer = enrolled.signed_up_us >= 0
    times = pa.array(_midnight_us(world.first_day) + np.where(is_here, enrolled.signed_up_us, 0))
    times = times.cast(pa.timestamp("us", tz="UTC"))
    created = pc.if_else(pa.array(newcomer), times, accounts["created_at"].combine_chunks())
    at = accounts.schema.get_field_index("created_at")
    ids = accounts["account_id"]
    accounts = accounts.set_column(at, accounts.schema.field(at), created).filter(pa.array(is_here))
    # An account that serves two campaigns has two labels.
    row = pc.index_in(labels["account_id"].combine_chunks(), value_set=ids.combine_chunks())
    joined = pc.if_else(pa.array(newcomer), times, pa.scalar(None, times.type)).take(row)
    at = labels.schema.get_field_index("joined")
    labels = labels.set_column(at, labels.schema.field(at), joined)
    return accounts, labels.filter(pa.array(is_here).take(row))


def _write_people(
    out: Path, world: World, groups: Sequence[_Enrolled], n_nights: int
) -> tuple[pa.Table, pa.Table]:
    """Accounts and labels, each in the order of the random account ids."""
    parts = [_people(world, enrolled, n_nights) for enrolled in groups]
    accounts = pa.concat_tables([ACCOUNT_SCHEMA.empty_table(), *(accounts for accounts, _ in parts)])
    labels = pa.concat_tables([SIMULATED_LABEL_SCHEMA.empty_table(), *(labels for _, labels in parts)])
    write_parquet(accounts.sort_by("account_id"), out / "accounts.parquet")
    by_id = [("account_id", "ascending"), ("campaign", "ascending")]
    write_parquet(labels.sort_by(by_id), out / "labels.parquet")
    return accounts, labels


# --- nights ----------------------------------------------------------------------------------------------


def _write_world(
    out: Path,
    world: World,
    plan: Scenario,
    groups: Sequence[_Enrolled],
    bans: Bans,
    numbers: range,
    log_format: str,
    progress: Progress,
) -> SimulationSummary:
    accounts, labels = _write_people(out, world, groups, numbers.stop)
    harvesters = pc.unique(labels.filter(pc.equal(labels["label"], "campaign"))["account_id"])
    n_requests = n_harvested = 0
    days = tuple(world.first_day + timedelta(days=number) for number in numbers)
    threads = len(os.sched_getaffinity(0))
    with progress.step("simulate", total=len(numbers)) as step, ThreadPoolExecutor(threads) as pool:
        for number, day in zip(numbers, days, strict=True):
            rows = _night(world, groups, number, plan.outage, pool)
            _write_night(out / "logs", day, rows, log_format)
            n_requests += rows.num_rows
            n_harvested += int(pc.sum(pc.is_in(rows["account_id"], harvesters)).as_py() or 0)
            step.advance()
        step.note(f"{n_requests:,} requests")
    return SimulationSummary(
        out=out,
        days=days,
        n_requests=n_requests,
        n_accounts=accounts.num_rows,
        n_campaign_requests=n_harvested,
        n_campaign_accounts=len(harvesters),
        campaigns=tuple(campaign.name for campaign in _begun(world, plan)),
        n_banned=bans.rows.height,
    )


def _midnight_us(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def _night(
    world: World,
    groups: Sequence[_Enrolled],
    number: int,
    outages: Sequence[Outage],
    pool: ThreadPoolExecutor,
) -> pa.Table:
    """All requests of a night in order of time; groups know nothing of each other, so threads share them."""
    tonight = [outage for outage in outages if outage.night == number + 1]
    tables = pool.map(lambda enrolled: _group_night(world, enrolled, number, tonight), groups)
    rows = pa.concat_tables([REQUEST_SCHEMA.empty_table(), *tables])
    return rows.sort_by([("ts", "ascending"), ("request_id", "ascending")])


def _group_night(world: World, enrolled: _Enrolled, number: int, outages: Sequence[Outage]) -> pa.Table:
    night = Night(number, world.rng(enrolled.name, "night", number), enrolled.banned_on)
    midnight_us = _midnight_us(world.first_day + timedelta(days=number))
    crowd = enrolled.group.crowd
    tables = [REQUEST_SCHEMA.empty_table()]
    for traffic in enrolled.group.day(night):
        if len(traffic.arrivals) > 0:
            rows = finish(traffic, crowd, number, midnight_us, night.rng)
            if night.is_shut.any():
                rows = rows.filter(pa.array(~night.is_shut[traffic.arrivals.account]))
            tables.append(rows)
    rows = pa.concat_tables(tables)
    if not outages:
        return rows
    # A stream of its own: with an outage or without, people send the same.
    return struck(rows, outages, midnight_us, world.rng(enrolled.name, "outage", number))


def _write_night(logs: Path, day: date, rows: pa.Table, log_format: str) -> None:
    ending, write = WRITERS[log_format]
    folder = logs / f"day={day.isoformat()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    n_files = max(1, -(-rows.num_rows // _ROWS_PER_FILE))
    per_file = -(-rows.num_rows // n_files) or 1
    for part in range(n_files):
        write(rows.slice(part * per_file, per_file), folder / f"part-{part}{ending}")
