"""Help as a person meets it: at once, complete, with examples."""

import subprocess
import sys
import time

import pytest
from running import stillwatch

COMMANDS = [
    "demo",
    "simulate",
    "check",
    "sources",
    "scan",
    "findings",
    "evaluate",
    "backtest",
    "status",
    "console",
    "decide",
    "labels",
    "export",
]


def test_help_answers_before_anybody_looks_away():
    best = min(_seconds("--help") for _ in range(5))
    assert best < 0.5


def _seconds(*arguments: str) -> float:
    began = time.monotonic()
    assert stillwatch(*arguments).returncode == 0
    return time.monotonic() - began


def test_help_imports_none_of_the_heavy_libraries():
    code = (
        "import sys; sys.argv = ['stillwatch', '--help']\n"
        "from pipelines.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'duckdb', 'numba', 'polars', 'sklearn', 'pyod', 'streamlit', 'pandas', 'sqlalchemy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does_and_shows_an_example(command):
    shown = stillwatch(command, "--help").stdout
    purpose = " ".join(shown.split("\n\n")[1].split())
    assert purpose.endswith(".")
    assert 20 < len(purpose) < 100
    assert f"  stillwatch {command}" in shown.split("Example")[1]


def test_the_list_of_commands_is_the_contract():
    listed = stillwatch("--help").stdout.split("Commands:\n")[1].split("\n\n")[0]
    assert sorted(line.split()[0] for line in listed.splitlines()) == sorted(COMMANDS)
