"""From LOGS arguments to log files.

Here: files, folders and patterns. Not here: what is in the files (`containers`).
"""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.adapters.blocks import BOM
from pipelines.errors import UsageError

_ENDING = re.compile(r"\.(parquet|jsonl|ndjson|json|csv|log)([.-]\d[\d.-]*)?(\.gz|\.zst)?$", re.IGNORECASE)
"""Of a log's name, also once a rotation has given it a number or a day (.json.1, .log-20250601.gz)."""
_BESIDE_LOGS = {"accounts", "labels"}
"""Tables that `simulate` writes next to its logs, so that a person may name the whole folder."""
_BEDROCK = "BedrockModelInvocationLogs"
"""Below a folder of this name Bedrock keeps, in folders `data`, large bodies apart from their records."""
_DIGESTS = "CloudTrail-Digest"
"""In a folder of this name CloudTrail keeps hashes of its log files, beside them."""
_SHOWN_FILES = 3


class LogFiles(NamedTuple):
    """What LOGS arguments come to."""

    paths: list[Path]
    """The log files, sorted and without repeats."""

    not_taken: tuple[Path, ...]
    """Files in the folders whose names are none of a log's, sorted."""


def find_logs(logs: Sequence[str]) -> list[Path]:
    """The files that `logs` name, as `log_files` finds them.

    Raises
    ------
    UsageError : one of the arguments matches nothing.
    """
    return log_files(logs).paths


def log_files(logs: Sequence[str]) -> LogFiles:
    """The files that `logs` name: files, folders (searched for known endings), patterns (`**` too).

    In folders and patterns, names that begin with a dot or an underscore are passed over (unfinished and
    bookkeeping files), and so are `accounts` and `labels` tables. A name without any ending, as callbacks
    give to objects in a store, is taken where the file begins as JSON does.

    Raises
    ------
    UsageError : one of the arguments matches nothing.
    """
    found: dict[Path, Path] = {}
    others: set[Path] = set()
    for argument in logs:
        not_taken: list[Path] = []
        paths = sorted(_matches(argument, not_taken), key=os.fspath)
        if not paths:
            only = f" but {_listed(sorted(not_taken))}, whose names are none of a log's" if not_taken else ""
            raise UsageError(
                f"{shown(argument)}: no log files here{only}",
                remedy="name files, folders with .parquet, .jsonl, .csv or .log files, or a quoted pattern",
            )
        for path in paths:
            found.setdefault(path.resolve(), path)
        others.update(not_taken)
    taken = sorted(found.values(), key=os.fspath)
    return LogFiles(taken, tuple(sorted(path for path in others if path.resolve() not in found)))


def _listed(paths: Sequence[Path]) -> str:
    names = ", ".join(map(str, paths[:_SHOWN_FILES])) + (", ..." if len(paths) > _SHOWN_FILES else "")
    return f"{len(paths):,} file{'s' if len(paths) != 1 else ''} ({names})"


def shown(argument: str) -> str:
    """A LOGS argument as it may be printed and kept: a database's without user and password."""
    return (
        re.sub(r"(?<=://)[^/?]*@", "", argument).split("?", maxsplit=1)[0] if "://" in argument else argument
    )


def _matches(argument: str, not_taken: list[Path]) -> Iterator[Path]:
    """The log files that one argument names; what else is in its folders is added to `not_taken`."""
    path = Path(argument)
    if path.is_dir():
        yield from _in_folder(path, not_taken)
    elif path.exists():
        yield path
    else:
        for match in map(Path, glob.glob(argument, recursive=True)):  # noqa: PTH207  absolute patterns too
            if match.is_dir():
                yield from _in_folder(match, not_taken)
            elif not _is_passed_over(match.name):
                yield match


def _in_folder(folder: Path, not_taken: list[Path]) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_")) and name != _DIGESTS]
        if _BEDROCK in Path(here).parts and "data" in folders:
            folders.remove("data")
        for name in names:
            path = Path(here, name)
            if _is_passed_over(name) or not path.is_file():
                continue
            if _ENDING.search(name) or ("." not in name and _begins_as_json(path)):
                yield path
            else:
                not_taken.append(path)


def _begins_as_json(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(64).removeprefix(BOM).lstrip().startswith((b"{", b"["))
    except OSError:  # named among those that are not taken
        return False


def _is_passed_over(name: str) -> bool:
    return name.startswith((".", "_")) or name.split(".", maxsplit=1)[0] in _BESIDE_LOGS
