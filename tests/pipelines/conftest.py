"""A PostgreSQL server of our own, for every test that needs a real one."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa


@pytest.fixture(scope="session")
def postgresql_server():
    """A server on a free loopback port, run by a user who is not root, gone afterwards."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        if os.environ.get("CI"):
            pytest.fail("CI must have a PostgreSQL server: apt-get install postgresql")
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="stillwatch-postgresql-"))  # pytest's own folders are root's alone
    data, as_user = folder / "data", _as_somebody_else(folder)
    port = _free_port()
    subprocess.run(
        [*as_user, found[-1], "-D", data, "-U", "watch", "--auth=trust", "--encoding=UTF8", "--no-sync"],
        check=True,
        capture_output=True,
    )
    control = [*as_user, found[-1].with_name("pg_ctl"), "-D", data]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    log = folder / "log"
    subprocess.run([*control, "-l", log, "-w", "-o", options, "start"], check=True, stdout=subprocess.DEVNULL)
    yield port
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)


@pytest.fixture
def postgresql_url(postgresql_server, request):
    """A database of its own for each test."""
    name = f"cases_{abs(hash(request.node.nodeid))}"
    root = sa.create_engine(
        f"postgresql+psycopg://watch@127.0.0.1:{postgresql_server}/postgres", isolation_level="AUTOCOMMIT"
    )
    with root.connect() as con:
        con.execute(sa.text(f"CREATE DATABASE {name}"))
    root.dispose()
    return f"postgresql+psycopg://watch@127.0.0.1:{postgresql_server}/{name}"


def _as_somebody_else(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres", "postgres")  # the server refuses to run as root
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
