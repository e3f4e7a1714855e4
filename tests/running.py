"""The real command in a process of its own, and a small scenario for it to work on."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

JUNE_1 = date(2025, 6, 1)

SCENARIO = """
nights = 2

[benign]
person_chat = 300
coding_agent = 40
single_purpose_app = 8
evaluation_harness = 2

[[campaign]]
name = "kiln"
kind = "synchronised"
accounts = 60
requests_per_day = 22
"""


def stillwatch(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `stillwatch` as it is in this repository; it may fail, the test says whether it should."""
    environment = {**os.environ, "STILLWATCH_DEBUG": "", "COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=cwd,
        env={**environment, **(env or {})},
    )


def wait_until(true: Callable[[], bool], *, seconds: float) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
