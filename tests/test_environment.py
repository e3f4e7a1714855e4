"""Set-up on machines that lack something: what `make` says before it gives up.

Each test draws a machine as a folder of programs; nothing outside it can be found.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "tools" / "environment.sh"

OLD_PYTHON = 'exit 1  # "is it at least 3.11?" has only one answer'
BARE_PYTHON = f"""
case "$2" in
    *ensurepip*) exit 1 ;;
    *) exec {sys.executable} "$@" ;;
esac
"""
WHOLE_PYTHON = f'exec {sys.executable} "$@"'
NOT_ROOT = "echo 1000"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of programs with nothing but the shell's own needs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "rm", "cat"):
        (programs / name).symlink_to(shutil.which(name) or name)
    return programs


def program(machine: Path, name: str, body: str) -> None:
    path = machine / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def make_environment(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(machine / "sh"), str(SCRIPT), str(machine.parent / "venv"), *arguments],
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_recent_python_it_says_which_one_is_needed(machine):
    program(machine, "python3", OLD_PYTHON)
    done = make_environment(machine)
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_a_python_that_was_asked_for_by_name_is_the_only_one_tried(machine):
    program(machine, "python3", WHOLE_PYTHON)
    program(machine, "python2", OLD_PYTHON)
    done = make_environment(machine, "python2")
    assert done.returncode == 2
    assert "python2 is not that" in done.stderr


def test_debian_without_the_venv_module_is_told_the_package(machine):
    program(machine, "python3", BARE_PYTHON)
    program(machine, "id", NOT_ROOT)
    done = make_environment(machine)
    assert done.returncode == 2
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert f"sudo apt-get install {package}" in done.stderr
    assert not (machine.parent / "venv").exists()


def test_as_root_on_debian_the_missing_package_is_installed(machine):
    """The drawn apt-get installs by putting a whole Python in the bare one's place."""
    program(machine, "python3", BARE_PYTHON)
    program(machine, "id", "echo 0")
    whole = machine.parent / "whole"
    program(machine.parent, "whole", WHOLE_PYTHON)
    program(machine, "mv", f'exec {shutil.which("mv")} "$@"')
    program(machine, "apt-get", f'case "$1" in install) mv {whole} {machine}/python3 ;; esac')
    done = make_environment(machine)
    assert done.returncode == 0, done.stderr
    assert (machine.parent / "venv" / "bin" / "python").exists()


def test_an_environment_that_was_there_is_replaced(machine):
    program(machine, "python3", WHOLE_PYTHON)
    leftover = machine.parent / "venv" / "leftover"
    leftover.parent.mkdir()
    leftover.touch()
    done = make_environment(machine)
    assert done.returncode == 0, done.stderr
    assert not leftover.exists()
    assert (machine.parent / "venv" / "bin" / "pip").exists()
