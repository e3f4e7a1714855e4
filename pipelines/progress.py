"""How long steps tell a person that they are alive, without knowing what a terminal is.

A step calls `progress.step("load", total=n_bytes)`, advances it and leaves the block. The command
line draws bars on a terminal and plain lines elsewhere; tests and libraries stay silent.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One running step."""

    def advance(self, amount: float = 1) -> None:
        """Move on by `amount` of the step's total."""

    def note(self, text: str) -> None:
        """Say what came of it, in a few words (`1,204 families`); shown when the step ends."""


class Progress(Protocol):
    """Whoever watches the steps."""

    def step(self, name: str, total: float | None = None) -> AbstractContextManager[Step]:
        """Open a step; without a total it shows that it runs, not how far it is."""


class _SilentStep:
    def advance(self, amount: float = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class Silent:
    """Progress nobody watches."""

    @contextmanager
    def step(self, name: str, total: float | None = None) -> Iterator[Step]:
        yield _SilentStep()
