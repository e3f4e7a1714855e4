"""From LOGS arguments to log files.

Here: files, folders and patterns. Not here: what is in the files (`containers`).
"""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.errors import UsageError

_ENDINGS = tuple(
    kind + packed
    for kind in (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".log")
    for packed in ("", ".gz", ".zst")
)
_BESIDE_LOGS = {"accounts", "labels"}
"""Tables that `simulate` writes next to its logs, so that a person may name the whole folder."""
_BEDROCK = "BedrockModelInvocationLogs"
"""Below a folder of this name Bedrock keeps, in folders `data`, large bodies apart from their records."""


def find_logs(logs: Sequence[str]) -> list[Path]:
    """The files that `logs` name: files, folders (searched for known endings), patterns (`**` too).

    Sorted and without repeats. In folders and patterns, names that begin with a dot or an underscore are
    passed over (unfinished and bookkeeping files), and so are `accounts` and `labels` tables.

    Raises
    ------
    UsageError : one of the arguments matches nothing.
    """
    found: dict[Path, Path] = {}
    for argument in logs:
        paths = sorted(_matches(argument), key=os.fspath)
        if not paths:
            raise UsageError(
                f"{shown(argument)}: no log files here",
                remedy="name files, folders with .parquet, .jsonl, .csv or .log files, or a quoted pattern",
            )
        for path in paths:
            found.setdefault(path.resolve(), path)
    return sorted(found.values(), key=os.fspath)


def shown(argument: str) -> str:
    """A LOGS argument as it may be printed and kept: a database's without user and password."""
    return (
        re.sub(r"(?<=://)[^/?]*@", "", argument).split("?", maxsplit=1)[0] if "://" in argument else argument
    )


def _matches(argument: str) -> Iterator[Path]:
    path = Path(argument)
    if path.is_dir():
        yield from _in_folder(path)
    elif path.exists():
        yield path
    else:
        for match in map(Path, glob.glob(argument, recursive=True)):  # noqa: PTH207  absolute patterns too
            if match.is_dir():
                yield from _in_folder(match)
            elif not _is_passed_over(match.name):
                yield match


def _in_folder(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        if _BEDROCK in Path(here).parts and "data" in folders:
            folders.remove("data")
        for name in names:
            path = Path(here, name)
            if name.lower().endswith(_ENDINGS) and not _is_passed_over(name) and path.is_file():
                yield path


def _is_passed_over(name: str) -> bool:
    return name.startswith((".", "_")) or name.split(".", maxsplit=1)[0] in _BESIDE_LOGS
