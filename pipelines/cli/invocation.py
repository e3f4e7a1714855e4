"""The command that is running: how it ends when something is wrong.

Here: what the handling of errors has to know, messages for people, exit codes. Not here: the classes of
errors (pipelines.errors), how a message looks (terminal).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperGroup

from pipelines.errors import StillwatchError, UsageError

if TYPE_CHECKING:
    from pipelines.workspace import Workspace


@dataclass(slots=True)
class Invocation:
    """What the handling of errors has to know about the command that is running."""

    debug: bool = False
    workspace: "Workspace | None" = None
    is_scan: bool = False


invocation: ContextVar[Invocation] = ContextVar("invocation")


class Commands(TyperGroup):
    """The group of all commands: every error of a command passes here on its way out."""

    def invoke(self, ctx: Any) -> Any:
        with errors_for_people():
            return super().invoke(ctx)


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Whatever goes wrong inside becomes one message and an exit code."""
    invocation.set(Invocation(debug=os.environ.get("STILLWATCH_DEBUG", "") not in {"", "0"}))
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough, and what is still buffered has no reader
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except KeyboardInterrupt:
        from pipelines.terminal import say

        say("interrupted; what was published before stands as it was")
        raise typer.Exit(130) from None
    except StillwatchError as error:
        _end(error, cause=error)
    except OSError as error:
        _end(_about_a_file(error), cause=error)
    except Exception as error:
        if isinstance(error, (typer.Exit, typer.Abort)) or hasattr(error, "format_message"):
            raise  # typer's own: an exit code, or a usage error that it shows itself
        _end(_about_the_unforeseen(error), cause=error)


def _end(shown: StillwatchError, *, cause: Exception) -> NoReturn:
    from pipelines.terminal import show_error

    if invocation.get().debug:
        sys.excepthook(type(cause), cause, cause.__traceback__)
    show_error(shown)
    raise typer.Exit(shown.exit_code) from None


def _about_a_file(error: OSError) -> StillwatchError:
    if error.filename is None:
        return _about_the_unforeseen(error)
    return UsageError(
        f"{os.fsdecode(error.filename)}: {error.strerror}",
        remedy="check the path, its permissions and the free space",
    )


def _about_the_unforeseen(error: Exception) -> StillwatchError:
    """Names the place, never the text: a library's message may quote the prompt it stumbled over."""
    from pipelines.journal import Journal, places

    remedy = "run it again as `stillwatch --debug ...` to see everything"
    workspace = invocation.get().workspace
    if workspace is not None and workspace.root.is_dir():
        with Journal(workspace.root / "logs" / "errors.jsonl") as journal:
            journal.failed(error)
        remedy = f"details are in {journal.path}; {remedy}"
    place = (places(error) or ["an unknown place"])[-1]
    return StillwatchError(f"internal {type(error).__name__} at {place}", remedy=remedy)
