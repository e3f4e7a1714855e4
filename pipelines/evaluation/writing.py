"""Where an evaluation goes: a terminal, a pipe, a file.

Here: the forms of `stillwatch evaluate --format`. Not here: what they hold (outcome, page).
"""

import sys
from pathlib import Path
from typing import Literal

from pipelines.errors import UsageError
from pipelines.evaluation.outcome import Outcome
from pipelines.terminal import show

Form = Literal["table", "jsonl", "html"]


def write(scored: Outcome, form: Form, out: Path | None) -> None:
    """Write an evaluation to a file, or to standard output without one; a file appears whole or not at all.

    Raises
    ------
    UsageError : a page was asked for on standard output.
    """
    if form == "html":
        if out is None:
            raise UsageError("a page is not for standard output", remedy="name a file with --out")
        from pipelines.evaluation.page import page  # noqa: PLC0415  matplotlib takes a second

        _write_whole(page(scored), out)
    elif form == "jsonl":
        text = "".join(f"{line}\n" for line in scored.jsonl())
        if out is None:
            sys.stdout.write(text)
        else:
            _write_whole(text, out)
    elif out is None:
        for line in scored.table().splitlines():
            show(line)
    else:
        _write_whole(scored.table() + "\n", out)


def _write_whole(text: str, out: Path) -> None:
    beside = out.with_name(f".{out.name}.new")
    try:
        beside.write_text(text, encoding="utf-8", newline="")
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
