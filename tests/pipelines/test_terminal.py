"""What a terminal is shown: progress, durations, and no sign that steers it."""

import os
import pty
import select
import subprocess
import sys

import pytest

from pipelines import terminal

HOSTILE = "acct\x1b[2J\x1b]0;owned\x07\u202e[bold red]x[/]\r\nerror: fake"


def test_nothing_that_steers_a_terminal_comes_through():
    shown = terminal.visible(HOSTILE + "\x00\x7f\x9b\u200b\ufeff\u2028\ud800")
    assert shown.isprintable()
    assert shown.startswith("acct\\x1b[2J\\x1b]0;owned\\x07\\u202e[bold red]x[/]\\r\\nerror: fake")
    assert terminal.visible("Grüße, 世界 😀") == "Grüße, 世界 😀"


def test_hostile_cells_and_notes_stay_text(capsys):
    terminal.show_table(["account"], [[HOSTILE]])
    terminal.say(HOSTILE)
    with terminal.PlainProgress().step(HOSTILE) as step:
        step.note(HOSTILE)
    written = capsys.readouterr()
    for text in (written.out, written.err):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[bold red]x[/]" in text  # Rich's own markup is no markup here


def test_without_a_terminal_each_finished_step_is_one_plain_line(capsys):
    progress = terminal.PlainProgress()
    with progress.step("load", total=10) as step:
        step.advance(10)
        step.note("10 requests")
    with pytest.raises(ValueError, match="broken"), progress.step("features"):
        raise ValueError("broken")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split() for line in lines] == [
        ["load", "0.0", "s", "10", "requests"],
        ["features", "0.0", "s", "failed"],
    ]


def test_on_a_terminal_there_is_a_bar_and_then_the_same_line():
    code = (
        "import time\n"
        "from pipelines.terminal import terminal_progress\n"
        "with terminal_progress().step('load', total=4) as step:\n"
        "    for _ in range(4):\n"
        "        step.advance(1)\n"
        "        time.sleep(0.15)\n"
        "    step.note('4 requests')\n"
    )
    drawn = _in_a_terminal([sys.executable, "-c", code])
    assert "%" in drawn
    assert drawn.rstrip().splitlines()[-1].split()[-2:] == ["4", "requests"]


def _in_a_terminal(command: list[str]) -> str:
    """What a command writes when its output is a terminal."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
        close_fds=True,
    )
    os.close(theirs)
    written = b""
    while running.poll() is None or select.select([ours], [], [], 0.1)[0]:
        try:
            if select.select([ours], [], [], 0.1)[0]:
                written += os.read(ours, 65_536)
        except OSError:  # the terminal's other end is gone
            break
    os.close(ours)
    assert running.wait(timeout=60) == 0
    return written.decode()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (185, "3 min 05 s"), (7_800, "2 h 10 min")],
)
def test_durations_read_as_a_person_says_them(seconds, words):
    assert terminal.in_words(seconds) == words
