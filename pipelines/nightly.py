"""The night: an ordered list of steps, from log files to published findings.

Here: order, and what a scan reports. Not here: what a step does (the module it names). Every step
replaces its own rows of the day in one transaction and reads only what earlier steps and earlier nights
wrote, so a night may be scanned twice, and a broken scan leaves the last published findings as they were.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa

from detector import campaigns as communities
from detector import features as measures
from detector import models, text
from pipelines import accounts as account_files
from pipelines import (
    adapters,
    campaigns,
    dismissals,
    drift,
    evidence,
    families,
    features,
    labels,
    load,
    publish,
    queues,
    reranking,
    scores,
    templates,
    ties,
)
from pipelines.adapters.database import fetched, is_database
from pipelines.errors import UnreadableInput
from pipelines.load import Refusals
from pipelines.progress import Progress, Silent
from pipelines.settings import Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.opening import n_threads, open_warehouse
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction
from pipelines.workspace import Workspace

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class NightSummary:
    """One night in numbers."""

    day: date
    n_requests: int
    n_accounts: int
    n_families: int
    n_candidates: int
    n_campaigns: int
    n_flagged: int
    calibration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSummary:
    """What a scan did; `unreadable` files were left out and make it end with exit code 1."""

    nights: tuple[NightSummary, ...]
    unreadable: tuple[UnreadableInput, ...]
    n_files: int
    n_rows: int
    n_loaded: int
    n_refused: int
    n_repeated: int
    n_told_elsewhere: int
    n_other_day: int
    n_passed_over: int
    n_elsewhere: int
    """Requests whose body lies in a file that was not there."""
    not_understood: tuple[str, ...]
    formats: tuple[str, ...]
    refused: tuple[Refusals, ...]
    joined: tuple[adapters.Joined, ...]
    unseen: Mapping[str, Mapping[str, str]]
    seconds: float
    not_taken: tuple[Path, ...] = ()
    """Files in the logs' folders whose names are none of a log's."""


def scan(
    logs: Sequence[str],
    workspace: Workspace,
    *,
    day: date | None = None,
    log_format: str = "auto",
    accounts: Path | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> ScanSummary:
    """Scan logs into a workspace, night by night, and publish the findings.

    `log_format` is `auto`, a format's name or a mapping file.

    Without `day`, every UTC day in the logs is a night, oldest first; with it, other days' rows are left out
    and counted.

    Raises
    ------
    UsageError : no logs, or an accounts file that cannot be followed.
    WorkspaceBusy : another scan holds the workspace.
    """
    settings, progress = settings or Settings(), progress or Silent()
    log_format, mappings = adapters.named(log_format, settings.input.formats)
    settings = settings.with_formats(mappings)
    started = time.monotonic()
    known_sets = queues.read_known_sets(settings.text.known_sets, workspace.key())
    with workspace.lock(), open_warehouse(workspace, settings) as con:
        with progress.step("kernels"):
            load.warm_up()
        unreadable: list[UnreadableInput] = []
        if accounts is not None:
            with progress.step("accounts") as step:
                step.note(f"{_load_accounts(con, accounts, unreadable):,} accounts known")
        if any(map(is_database, logs)):
            with progress.step("fetch"):
                logs = fetched(logs, workspace.fetched, day)
        dismissals.note_dismissals(con, workspace, settings)
        labels.note_labels(con, workspace, settings)
        forgotten = _forgotten_nights(con)
        with ThreadPoolExecutor(1) as meanwhile:
            meanwhile.submit(warm_up)
            loaded = load.load_requests(
                con,
                logs,
                day=day,
                log_format=log_format,
                settings=settings,
                key=workspace.key(),
                progress=progress,
                scratch=workspace.root,
            )
        due = _nights_due(con, loaded.days, forgotten, day)
        nights = [_scan_night(con, night, settings, workspace.key(), progress, known_sets) for night in due]
        _forget(con, settings)
        with progress.step("order") as step:
            lessons = reranking.learn_order(con, workspace, settings)
            step.note(", ".join(f"{level}s: {lesson.standing}" for level, lesson in lessons.items()))
        with progress.step("publish"):
            publish.publish(con, workspace)
    return ScanSummary(
        nights=tuple(night for night in nights if night is not None),
        unreadable=(*unreadable, *loaded.unreadable),
        n_files=loaded.n_files,
        n_rows=loaded.n_rows,
        n_loaded=loaded.n_loaded,
        n_refused=loaded.n_refused,
        n_repeated=loaded.n_repeated,
        n_told_elsewhere=loaded.n_told_elsewhere,
        n_other_day=loaded.n_other_day,
        n_passed_over=loaded.n_passed_over,
        n_elsewhere=loaded.n_elsewhere,
        not_understood=loaded.not_understood,
        formats=loaded.formats,
        refused=loaded.refused,
        joined=loaded.joined,
        unseen=loaded.unseen,
        seconds=time.monotonic() - started,
        not_taken=loaded.not_taken,
    )


def warm_up() -> None:
    """Compile the kernels of the steps after loading, or fetch them from numba's cache, and import what
    models and communities need: it takes seconds, which can pass while logs are read."""
    text.warm_up()
    measures.warm_up()
    communities.warm_up()
    models.import_libraries()


def _forgotten_nights(con: duckdb.DuckDBPyConnection) -> set[date]:
    """Scanned nights whose request rows retention has dropped."""
    rows = con.execute(
        """SELECT day FROM night.summary ANTI JOIN (SELECT DISTINCT day FROM core.request) USING (day)
           WHERE n_requests > 0"""
    ).fetchall()
    return {row[0] for row in rows}


def _nights_due(
    con: duckdb.DuckDBPyConnection, changed: Sequence[date], forgotten: set[date], day: date | None
) -> list[date]:
    """Nights to scan, oldest first: those whose rows changed, and those that a broken scan left half done.

    A forgotten night keeps its findings when a straggler of it turns up among later logs; asked for with
    `day`, it is scanned anew. A night has no summary until it is done, which is how a later scan knows a
    broken one.
    """
    due = {night for night in changed if night not in forgotten or night == day}
    with registered(con, "due", pa.table({"day": pa.array(sorted(due), pa.date32())})):
        con.execute("DELETE FROM night.summary WHERE day IN (SELECT day FROM due)")
    left = con.execute(
        """SELECT DISTINCT day FROM core.request ANTI JOIN night.summary USING (day)
           WHERE day = coalesce($day, day)""",
        {"day": day},
    ).fetchall()
    return sorted(due | {row[0] for row in left})


def _scan_night(
    con: duckdb.DuckDBPyConnection,
    day: date,
    settings: Settings,
    key: bytes,
    progress: Progress,
    known_sets: text.KnownSets | None,
) -> NightSummary | None:
    """The steps of one night, in order."""

    def step(name: str, run: Callable[[], Result], note: Callable[[Result], str]) -> Result:
        with progress.step(f"{day} {name}") as running:
            result = run()
            running.note(note(result))
        return result

    threads = n_threads(settings)
    # Two connections, for two processors: most of the features need no families, and the objects that
    # accounts share need no scores.
    with con.cursor() as beside, ThreadPoolExecutor(1) as meanwhile:
        gathered = meanwhile.submit(features.gather_features, beside, day)
        n_families = step(
            "families",
            lambda: families.find_night_families(con, day, key, threads),
            lambda n: f"{n:,} template families",
        )
        step(
            "queues",
            lambda: queues.judge_queues(con, day, known_sets),
            lambda n: f"{n:,} lists dealt out",
        )
        templates.read_templates(con, day, key=key, settings=settings, progress=progress)
        step("ties", lambda: ties.tie_families(con, day), lambda n: f"{n:,} ties between families")
        n_accounts = step(
            "features",
            lambda: features.store_features(beside, day, gathered.result()),
            lambda n: f"{n:,} accounts",
        )
        objects = meanwhile.submit(campaigns.gather_objects, beside, day)
        step("scores", lambda: scores.score_accounts(con, day, settings), lambda n: f"{n:,} accounts scored")
        found = step(
            "campaigns",
            lambda: campaigns.find_campaigns(con, day, settings, objects.result()),
            lambda found: f"{found.n_campaigns:,} campaigns of {found.n_candidates:,} candidates",
        )
    step(
        "drift",
        lambda: drift.check_calibration(con, day, settings),
        lambda n: f"{n} warnings" if n else "calibration holds",
    )
    evidence.keep_evidence(con, day, key=key, settings=settings, progress=progress)
    with transaction(con):
        con.execute("DELETE FROM night.summary WHERE day = $day", {"day": day})
        con.execute(
            statement("summary"),
            {
                "day": day,
                "n_accounts": n_accounts,
                "n_families": n_families,
                "n_candidates": found.n_candidates,
                "n_campaigns": found.n_campaigns,
                "n_flagged": found.n_flagged,
                "calibration": found.calibration,
            },
        )
    n_requests = con.execute("SELECT n_requests FROM night.summary WHERE day = $day", {"day": day}).fetchall()
    return NightSummary(
        day=day,
        n_requests=int(n_requests[0][0]),
        n_accounts=n_accounts,
        n_families=n_families,
        n_candidates=found.n_candidates,
        n_campaigns=found.n_campaigns,
        n_flagged=found.n_flagged,
        calibration=found.calibration,
    )


def _load_accounts(con: duckdb.DuckDBPyConnection, path: Path, unreadable: list[UnreadableInput]) -> int:
    """Bring core.account up to date; an accounts file that cannot be read costs context, not the scan."""
    try:
        table, refused = account_files.read_accounts(path)
    except UnreadableInput as error:
        unreadable.append(error)
        return 0
    if len(refused):
        first = refused.column("row_number")[0].as_py()
        unreadable.append(
            UnreadableInput(
                f"{path}: {len(refused):,} rows refused, the first at row {first:,}",
                remedy="run `stillwatch check` with --accounts to see each of them",
            )
        )
    with registered(con, "known_accounts", table), transaction(con):
        con.execute(
            "DELETE FROM core.account USING known_accounts AS k WHERE core.account.account_id = k.account_id"
        )
        con.execute("INSERT INTO core.account BY NAME FROM known_accounts")
    return len(table)


def _forget(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Drop request rows beyond the latest nights of the retention; what was made of them stays.

    Nights are counted, not days: one row of a clock that runs years ahead must not age all others at once.
    """
    con.execute(
        """DELETE FROM core.request WHERE day NOT IN (
               SELECT day FROM (SELECT DISTINCT day FROM core.request) ORDER BY day DESC LIMIT $nights)""",
        {"nights": settings.retention.request_nights},
    )


__all__ = ["NightSummary", "ScanSummary", "scan", "warm_up"]
