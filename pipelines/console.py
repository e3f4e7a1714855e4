"""Starting the console: the Streamlit server on dashboard/app.py, on loopback unless told otherwise.

Here: the command line and environment it is started with. Not here: any page (dashboard), which
this room never imports: the script is found by its place in the installation.
"""

import errno
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from pipelines.errors import StillwatchError, UsageError
from pipelines.workspace import Workspace


def start_console(workspace: Workspace, *, address: str, port: int, config: Path | None) -> NoReturn:
    """Become the console's server; Ctrl-C ends it.

    Raises
    ------
    UsageError : the port is taken, or the address is not one of this machine's.
    """
    require_free(address, port)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, command(address=address, port=port), environment(workspace, config))


def command(*, address: str, port: int) -> list[str]:
    """The server's command line."""
    return [
        sys.executable,
        *("-m", "streamlit", "run", str(app_script())),
        *("--server.address", address),
        *("--server.port", str(port)),
        *("--server.headless", "true"),
        *("--browser.gatherUsageStats", "false"),
    ]


def environment(workspace: Workspace, config: Path | None) -> dict[str, str]:
    """The server's environment: absolute paths, for the server may change its folder."""
    named = {"STILLWATCH_WORKSPACE": str(workspace.root.resolve())}
    if config is not None:
        named["STILLWATCH_CONFIG"] = str(config.resolve())
    return {**os.environ, **named}


def app_script() -> Path:
    """The console's entry script, found without importing it.

    Raises
    ------
    StillwatchError : the installation is incomplete.
    """
    spec = find_spec("dashboard")
    if spec is None or not spec.submodule_search_locations:
        raise StillwatchError("the console is not installed", remedy="install stillwatch again")
    return Path(next(iter(spec.submodule_search_locations))) / "app.py"


def require_free(address: str, port: int) -> None:
    """Nothing listens on that port yet.

    Raises
    ------
    UsageError : something does, or the address cannot be listened on.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {port} on {address} is taken",
                remedy=f"choose another, for example --port {port + 1}, or close what is open there",
            ) from None
        raise UsageError(
            f"cannot listen on {address}, port {port}: {error.strerror}",
            remedy="check --address and --port; 127.0.0.1 always works, and ports below 1024 are reserved",
        ) from None


def is_loopback(address: str) -> bool:
    """Only this machine can reach it."""
    return address in {"localhost", "::1"} or address.startswith("127.")
