"""Joins, declared: which log adds to which other, by which ids, and what became of it.

Here: the declaration, and which files it means. Not here: joining (`joining`), telling edges apart (`edges`).
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, get_args

from pipelines.adapters.source import Halves

JoinColumn = Literal["request_id", "trace_id", "provider_request_id"]
"""Canonical columns that hold an id of the call."""

Filled = Literal[
    "account_id",
    "org_id",
    "project_id",
    "api_key_id",
    "end_user_id",
    "provider",
    "model",
    "endpoint",
    "status",
    "latency_ms",
    "ip",
    "country",
    "asn",
    "user_agent",
    "client_fingerprint",
]
"""Canonical columns that an edge can know. None of content: that is the other log's."""

Text = Literal[
    "prompt", "system_prompt", "n_turns", "tool_names", "n_images", "stop_reason", "body_state", "response"
]
"""Canonical columns of content, which may lie in records of another kind (`source.Apart`)."""

TEXTS: tuple[Text, ...] = get_args(Text)

_OF_THE_CALLER: tuple[Filled, ...] = (
    "account_id",
    "api_key_id",
    "ip",
    "country",
    "asn",
    "user_agent",
    "client_fingerprint",
)
_OF_THE_CALL: tuple[Filled, ...] = ("status", "latency_ms")


def usually_filled(by: JoinColumn) -> tuple[Filled, ...]:
    """What an edge fills unless somebody says. A trace may hold several calls of one caller: the first one's
    outcome is not that of the others."""
    return _OF_THE_CALLER if by == "trace_id" else (*_OF_THE_CALLER, *_OF_THE_CALL)


@dataclass(frozen=True, slots=True)
class Join:
    """Which log fills what of which other, and by which ids."""

    content: str
    """format of the log that knows the prompts, or whatever it knows; its rows are the requests"""
    edge: str
    """format of the log that adds to them"""
    by: JoinColumn = "request_id"
    """id in the content log"""
    edge_by: JoinColumn = "request_id"
    """id in the edge log"""
    fills: tuple[str, ...] = ()
    """columns that the edge fills where the content log has nothing; empty: what an edge usually fills"""
    content_files: str = ""
    """which files of that format are the content (`is_named`); empty: all"""
    edge_files: str = ""
    """which files of that format are the edge; empty: all"""
    mark: bytes = b""
    """what the line of a record of the edge has, where such records may lie among those of the content"""

    halves: Halves | None = None
    """the two tables of one log that are joined: the edge may know better, and those of its rows that no
    request asked for are requests themselves"""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the edge fills."""
        return self.fills or usually_filled(self.by)

    @property
    def is_told_by_records(self) -> bool:
        """Whether records say which files are the edge, for nobody else does."""
        return self.halves is not None and not self.edge_files

    def is_edge(self, path: Path) -> bool:
        """Whether a file of the edge's format is of the edge."""
        return is_named(path, self.edge_files)

    def is_content(self, path: Path) -> bool:
        """Whether a file of the content's format is of the content, and not the edge itself."""
        is_edge_too = self.content == self.edge and not self.is_told_by_records and self.is_edge(path)
        return is_named(path, self.content_files) and not is_edge_too


def is_named(path: Path, pattern: str) -> bool:
    """Whether a pattern names a file: the file itself, a folder it lies in, or their path's end.

    `*` stands for anything, `?` for one character. A pattern with a slash is compared with whole paths.
    """
    if not pattern:
        return True
    if "/" not in pattern:
        return any(fnmatchcase(part, pattern) for part in path.parts)
    written, named = f"/{path.as_posix().lstrip('/')}", pattern.strip("/")
    return any(fnmatchcase(written, f"*/{named}{rest}") for rest in ("", "/*"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What became of a join."""

    content: str
    edge: str
    by: str
    edge_by: str
    n_matched: int
    """requests that found their row of the edge"""
    n_alone: int
    """requests that did not"""
    n_edge: int
    """rows of the edge"""
    n_unused: int
    """of them, rows that no request asked for; repeats aside"""
    n_repeated: int
    """of them, rows whose id stood in an earlier one: the first counts"""
    n_without_id: int
    """of them, rows without an id"""


def labelled(log_format: str, files: str) -> str:
    """A format's name for people, with the files that are meant."""
    return f"{log_format} ({files})" if files else log_format
