"""`console`: where it listens, and that it ends with its process."""

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from running import stillwatch, wait_until


def test_a_taken_port_is_told_before_a_server_starts(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = stillwatch("console", "--workspace", tmp_path, "--port", str(port))
    assert done.returncode == 2
    assert f"port {port} on 127.0.0.1 is taken" in done.stderr
    assert f"--port {port + 1}" in done.stderr


def test_an_address_that_is_not_ours_is_told(tmp_path):
    done = stillwatch("console", "--workspace", tmp_path, "--address", "192.0.2.1", "--port", "8599")
    assert done.returncode == 2
    assert "cannot listen on 192.0.2.1" in done.stderr


def test_the_console_answers_on_loopback_and_ends_with_its_process(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "pipelines.cli", "console", "-w", str(tmp_path), "--port", str(port)]
    console = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _is_healthy(port), seconds=60)
    finally:
        console.send_signal(signal.SIGINT)
        console.wait(timeout=30)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2)


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
            return answer.read() == b"ok"
    except OSError:
        return False
