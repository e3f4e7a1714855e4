"""What a person sees in a terminal: safe text, progress, errors and small tables.

Here: everything that knows about screens, colours and control characters. Not here: what is said
(cli, demo, status), nor how a step reports itself (progress).

Every name in a log may have been written by an adversary, so no text reaches the terminal before
`visible` has made its control characters harmless, and Rich's own markup is never switched on.
"""

import sys
import threading
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.table import Table
from rich.text import Text

from pipelines.errors import StillwatchError
from pipelines.progress import Step

WIDTH_WITHOUT_TERMINAL = 160
"""Columns when output goes to a file or a pipe: wide enough that no table cell is cut in a log."""


def visible(text: str) -> str:
    """The same text with everything that steers a terminal, or hides in it, made visible.

    Control characters (ANSI escapes begin with one), format characters (bidirectional overrides,
    zero-width ones), line and paragraph separators, surrogates and private-use characters become
    escapes such as `\\x1b` or `\\u202e`; line breaks and tabs too, so one value stays one line.
    """
    return "".join(_escape(char) if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


class _Console(Console):
    """Rich's console, but a reader that went away is an error for the command to handle, not its end."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@cache
def messages() -> Console:
    """The console for progress, warnings and errors: standard error."""
    return _console(stderr=True)


@cache
def results() -> Console:
    """The console for what a command was asked for: standard output."""
    return _console(stderr=False)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return _Console(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
        width=None if stream.isatty() else WIDTH_WITHOUT_TERMINAL,
    )


def say(text: str = "", *, style: str | None = None) -> None:
    """One message line to standard error."""
    messages().print(visible(text), style=style)


def show(text: str = "", *, style: str | None = None) -> None:
    """One result line to standard output."""
    results().print(visible(text), style=style)


def show_error(error: StillwatchError) -> None:
    """An error in the product's own form: what went wrong, and what to do about it."""
    messages().print(f"error: {visible(str(error))}", style="bold red")
    if error.remedy:
        messages().print(f"  remedy: {visible(error.remedy)}")


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> None:
    """A small borderless table to standard output; the columns named in `right` hold numbers."""
    results().print(_table(headings, rows, right=set(right)), soft_wrap=False)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: set[str]) -> Table:
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        is_number = heading in right
        drawn.add_column(
            heading, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    for row in rows:
        drawn.add_row(*(Text(visible(cell)) for cell in row))
    return drawn


def in_words(seconds: float) -> str:
    """A duration as a person says it: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def size_in_words(n_bytes: int) -> str:
    """A size as a person says it: `812 B`, `1.4 MB`."""
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def terminal_progress() -> "TerminalProgress | PlainProgress":
    """Bars on a terminal; elsewhere one plain line per finished step."""
    return TerminalProgress() if messages().is_terminal else PlainProgress()


class _PlainStep:
    """A step that only remembers its note."""

    def __init__(self) -> None:
        self.noted = ""

    def advance(self, amount: float = 1) -> None:
        pass

    def note(self, text: str) -> None:
        self.noted = text


class PlainProgress:
    """One line per finished step: its name, seconds and note. For logs, pipes and cron's mail."""

    def __init__(self) -> None:
        self._depth = 0

    @contextmanager
    def step(self, name: str, total: float | None = None) -> Iterator[Step]:
        """Open a step; its line appears when it ends."""
        step, began = _PlainStep(), time.monotonic()
        self._depth += 1
        came_of_it = "failed"
        try:
            yield step
            came_of_it = step.noted
        finally:
            self._depth -= 1
            _print_finished(name, time.monotonic() - began, came_of_it, depth=self._depth)


class _BarStep:
    """A step drawn as a bar."""

    def __init__(self, bars: RichProgress, task: TaskID) -> None:
        self._bars = bars
        self._task = task
        self.noted = ""

    def advance(self, amount: float = 1) -> None:
        self._bars.advance(self._task, amount)

    def note(self, text: str) -> None:
        self.noted = text
        self._bars.update(self._task, note=visible(text))


class TerminalProgress:
    """A bar per running step, replaced by the same line `PlainProgress` prints when it ends."""

    def __init__(self) -> None:
        self._bars: RichProgress | None = None
        self._depth = 0
        self._lock = threading.Lock()

    @contextmanager
    def step(self, name: str, total: float | None = None) -> Iterator[Step]:
        """Open a step; without a total its bar only shows that it is alive."""
        bars = self._enter()
        task = bars.add_task("  " * (self._depth - 1) + visible(name), total=total, note="")
        step, began = _BarStep(bars, task), time.monotonic()
        came_of_it = "failed"
        try:
            yield step
            came_of_it = step.noted
        finally:
            bars.remove_task(task)
            self._leave()
            _print_finished(name, time.monotonic() - began, came_of_it, depth=self._depth)

    def _enter(self) -> RichProgress:
        with self._lock:
            if self._bars is None:
                self._bars = _bars()
                self._bars.start()
            self._depth += 1
            return self._bars

    def _leave(self) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._bars is not None:
                self._bars.stop()
                self._bars = None


def _bars() -> RichProgress:
    return RichProgress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=32),
        TaskProgressColumn(markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=messages(),
        transient=True,
    )


def _print_finished(name: str, seconds: float, came_of_it: str, *, depth: int) -> None:
    label = "  " * depth + visible(name)
    messages().print(f"  {label:<28}{in_words(seconds):>12}  {visible(came_of_it)}".rstrip())
