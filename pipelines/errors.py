"""Errors that people read: what went wrong, where, and what to do about it.

Each kind is a class with its own exit code. A message names files, rows, columns and settings; it
never quotes a prompt, an address or a key.
"""


class StillwatchError(Exception):
    """Something a person can act on. `str(error)` is one line; `remedy` says what to do next."""

    exit_code = 4

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


class UsageError(StillwatchError):
    """The command or its settings cannot be followed."""

    exit_code = 2


class UnreadableInput(StillwatchError):
    """A file that cannot be read at all; the scan goes on without it and ends with this code."""

    exit_code = 1


class WorkspaceBusy(StillwatchError):
    """Another scan holds the workspace."""

    exit_code = 3
