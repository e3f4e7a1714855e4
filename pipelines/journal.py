"""A scan's own record: one JSON line per event in WORKSPACE/logs/scan.jsonl, for machines to follow.

Here: run id, steps, counts, durations and failures. Not here: what a person reads (terminal).
A line holds names, counts and places in our own code. It never holds a prompt, and so never the text
of an unexpected exception either: libraries quote the value they stumbled over.
"""

import secrets
import time
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

import structlog

from pipelines.errors import StillwatchError
from pipelines.progress import Progress, Step
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.nightly import ScanSummary


class Journal:
    """Lines of one run, each with its time and run id; the file is appended to and never rewritten.

    Raises
    ------
    OSError : the folder or file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.run_id = secrets.token_hex(6)
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(self._file),
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                _what_first,
                structlog.processors.JSONRenderer(default=str),
            ],
        ).bind(run=self.run_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def write(self, event: str, **fields: Any) -> None:
        """Append one line."""
        self._logger.info(event, **fields)

    def failed(self, error: BaseException) -> None:
        """Append what ended the run: the message of our own errors, only the place of others."""
        if isinstance(error, StillwatchError):
            self.write("failed", error=type(error).__name__, message=str(error), remedy=error.remedy)
        else:
            self.write("failed", error=type(error).__name__, where=places(error))


def _what_first(_logger: object, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Time, run and event open every line, so that a person can read down the file."""
    return {name: event[name] for name in ("at", "run", "event")} | dict(event)


def places(error: BaseException) -> list[str]:
    """Where an exception came from, outermost first: `file:line function`, and nothing of its text."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short(filename: str) -> str:
    """The last two parts of a source path: enough to find it, and silent about the machine."""
    return "/".join(Path(filename).parts[-2:])


@dataclass(slots=True)
class _JournaledStep:
    """Passes everything on, and remembers the note for the journal."""

    step: Step
    noted: str = ""

    def advance(self, amount: float = 1) -> None:
        self.step.advance(amount)

    def note(self, text: str) -> None:
        self.noted = text
        self.step.note(text)


@dataclass(frozen=True, slots=True)
class JournaledProgress:
    """Progress that is shown by another one and written down here when a step ends."""

    shown: Progress
    journal: Journal

    @contextmanager
    def step(self, name: str, total: float | None = None) -> Iterator[Step]:
        """Open a step; its line says `done` or `failed`, with seconds and note."""
        began, outcome = time.monotonic(), "failed"
        with self.shown.step(name, total) as shown_step:
            step = _JournaledStep(shown_step)
            try:
                yield step
                outcome = "done"
            finally:
                seconds = round(time.monotonic() - began, 3)
                self.journal.write("step", name=name, outcome=outcome, seconds=seconds, note=step.noted)


@contextmanager
def journaled(workspace: Workspace, shown: Progress, **asked: object) -> Iterator[JournaledProgress]:
    """Progress for one scan of this workspace, written down from `began` to its end, good or bad."""
    with Journal(workspace.create().root / "logs" / "scan.jsonl") as journal:
        journal.write("began", **asked)
        try:
            yield JournaledProgress(shown, journal)
        except BaseException as error:
            journal.failed(error)
            raise


def write_summary(journal: Journal, summary: "ScanSummary") -> None:
    """The scan's last lines: one for each file that could not be read, each night, and the whole."""
    for unreadable in summary.unreadable:
        journal.write("unreadable", message=str(unreadable), remedy=unreadable.remedy)
    for night in summary.nights:
        journal.write(
            "night",
            day=night.day,
            n_requests=night.n_requests,
            n_accounts=night.n_accounts,
            n_families=night.n_families,
            n_candidates=night.n_candidates,
            n_campaigns=night.n_campaigns,
            n_flagged=night.n_flagged,
            calibration=night.calibration,
        )
    for joined in summary.joined:
        journal.write("joined", **asdict(joined))
    journal.write(
        "finished",
        n_files=summary.n_files,
        n_rows=summary.n_rows,
        n_loaded=summary.n_loaded,
        n_refused=summary.n_refused,
        n_repeated=summary.n_repeated,
        n_told_elsewhere=summary.n_told_elsewhere,
        n_other_day=summary.n_other_day,
        n_passed_over=summary.n_passed_over,
        n_elsewhere=summary.n_elsewhere,
        n_unreadable=len(summary.unreadable),
        seconds=round(summary.seconds, 3),
    )
