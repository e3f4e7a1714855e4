"""The command line as a person or a scheduler meets it: exit codes, streams, safe text, pipes."""

import json
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import story
import typer
from running import SCENARIO, stillwatch

from pipelines import cli, journal, terminal
from pipelines import demo as demo_module
from pipelines.errors import UsageError, WorkspaceBusy
from pipelines.progress import Silent
from pipelines.workspace import Workspace

COMMANDS = [
    "demo",
    "simulate",
    "check",
    "scan",
    "findings",
    "evaluate",
    "status",
    "console",
    "decide",
    "export",
]
HOSTILE = "acct\x1b[2J\x1b]0;owned\x07\u202e[bold red]x[/]\r\nerror: fake"


# -- help ------------------------------------------------------------------------------------------


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


# -- exit codes and messages -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["scan", "--workspace", "w"],
        ["scan", "logs"],
        ["scan", "logs", "--workspace", "w", "--day", "June"],
        ["scan", "logs", "--workspace", "w", "--engine", "abacus"],
        ["findings", "--workspace", "missing"],
        ["findings", "--workspace", ".", "--format", "xml"],
        ["status", "--workspace", "missing"],
        ["scan", "nothing-here", "--workspace", "w"],
        ["scan", "nothing-here", "--workspace", "w", "--config", "missing.toml"],
        ["check", "nothing-here"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_followed_ends_with_2_and_one_clear_message(tmp_path, arguments):
    done = stillwatch(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "rror:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistake_in_the_settings_names_the_setting(tmp_path):
    config = tmp_path / "watch.toml"
    config.write_text("[evidence]\nexemplars_per_account = 900\n")
    done = stillwatch("scan", tmp_path, "--workspace", tmp_path / "w", "--config", config)
    assert done.returncode == 2
    assert "evidence.exemplars_per_account" in done.stderr
    assert "remedy:" in done.stderr


def test_a_second_scan_finds_the_workspace_taken(tmp_path, night_of_logs):
    workspace = Workspace(tmp_path / "w")
    with workspace.lock():
        done = stillwatch("scan", night_of_logs, "--workspace", workspace.root)
    assert done.returncode == WorkspaceBusy.exit_code == 3
    assert "another scan is running here" in done.stderr


def test_an_unforeseen_error_is_one_line_and_its_words_stay_out_of_every_log(tmp_path, capsys):
    """A library's message may quote the prompt it stumbled over: the place is told, the words are not."""

    def stumble() -> None:
        cli._existing_workspace(tmp_path)
        raise ValueError("the planted prompt")

    with pytest.raises(typer.Exit) as ended, cli._errors_for_people():
        stumble()
    assert ended.value.exit_code == 4
    messages = capsys.readouterr().err
    assert messages.startswith("error: internal ValueError at tests/test_cli.py:")
    details = tmp_path / "logs" / "errors.jsonl"
    assert str(details) in messages
    assert "test_cli.py" in details.read_text()
    assert "planted" not in messages + details.read_text()


def test_debug_shows_everything(tmp_path):
    done = stillwatch("--debug", "findings", "--workspace", tmp_path)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "error: " in done.stderr


def test_the_place_of_an_error_is_told_without_its_words():
    try:
        raise ValueError("the planted prompt")
    except ValueError as error:
        places = journal.places(error)
    assert places == [f"tests/test_cli.py:{places[0].split(':')[1].split()[0]} {places[0].split()[-1]}"]
    assert "planted" not in str(places)


def test_ctrl_c_ends_with_130(tmp_path, night_of_logs):
    logs = night_of_logs
    command = [sys.executable, "-m", "pipelines.cli", "scan", str(logs), "--workspace", str(tmp_path / "w")]
    scan = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    journal_path = tmp_path / "w" / "logs" / "scan.jsonl"
    _wait_until(journal_path.exists, seconds=60)
    scan.send_signal(signal.SIGINT)
    _, messages = scan.communicate(timeout=60)
    assert scan.returncode == 130
    assert "interrupted" in messages
    assert "Traceback" not in messages


def _wait_until(true, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


# -- text that attacks the terminal ----------------------------------------------------------------


def test_nothing_that_steers_a_terminal_comes_through():
    shown = terminal.visible(HOSTILE + "\x00\x7f\x9b\u200b\ufeff\u2028\ud800")
    assert shown.isprintable()
    assert shown.startswith("acct\\x1b[2J\\x1b]0;owned\\x07\\u202e[bold red]x[/]\\r\\nerror: fake")
    assert terminal.visible("Grüße, 世界 😀") == "Grüße, 世界 😀"


def test_a_hostile_path_is_shown_harmless(tmp_path):
    done = stillwatch("status", "--workspace", tmp_path / "w\x1b[31m[red]\n")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\\x1b[31m[red]\\n: no such workspace" in done.stderr


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


def test_findings_of_a_hostile_night_are_shown_harmless(told):
    for what in ("campaigns", "accounts"):
        shown = stillwatch("findings", "--workspace", told.root, "--what", what)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.replace("\n", "").isprintable()
    assert story.HOSTILE["formula"] in shown.stdout


# -- check -----------------------------------------------------------------------------------------


def test_check_names_every_problem_and_ends_with_1(tmp_path):
    """Two good rows, one without a time, one line that is no JSON, and a hostile file that is no log."""
    good = '{"request_id": "r1", "ts": "2025-06-01T10:00:00Z", "account_id": "ana", "prompt": "PLANTED"}\n'
    log = tmp_path / "night.jsonl"
    log.write_text(good + '{"request_id": "r2", "account_id": "ana", "prompt": "PLANTED"}\n{"half\n')
    (tmp_path / "evil\x1b[2J.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    done = stillwatch("check", tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line for line in lines if f"{log}, row 2, ts: " in line]
    assert [line for line in lines if f"{log}, row 3" in line]
    assert [line for line in lines if "evil\\x1b[2J.parquet" in line]
    assert all("remedy: " in line for line in lines[:-1])
    assert "2 would be refused" in lines[-1]
    assert "1 file cannot be read" in lines[-1]
    assert "PLANTED" not in done.stdout + done.stderr


def test_check_of_clean_logs_ends_with_0(night_of_logs):
    done = stillwatch("check", night_of_logs)
    assert done.returncode == 0, done.stdout
    assert "0 would be refused" in done.stdout


# -- scan ------------------------------------------------------------------------------------------


def test_a_night_is_scanned_without_what_cannot_be_read_and_says_what_that_was(tmp_path, night_of_logs):
    """A good file, one with two bad rows, and one that is cut off: the first two are loaded."""
    logs = tmp_path / "logs"
    shutil.copytree(night_of_logs, logs)
    good = '{"request_id": "g1", "ts": "2025-06-01T10:00:00Z", "account_id": "ana", "prompt": "PLANTED"}'
    no_time = '{"request_id": "g2", "account_id": "ana", "prompt": "PLANTED"}'
    no_number = good.replace("g1", "g3").replace("{", '{"output_tokens": "many", ')
    (logs / "gateway.jsonl").write_text("\n".join([good, no_time, no_number, good]) + "\n")
    (logs / "cut.parquet").write_bytes(b"PAR1" + bytes(200))
    done = stillwatch("scan", logs, "--workspace", tmp_path / "w")
    assert done.returncode == 1, done.stderr
    assert "Refused 2 rows" in done.stdout
    assert f"{logs}/gateway.jsonl, row 2, ts: " in done.stdout
    assert f"{logs}/gateway.jsonl, row 3, output_tokens: " in done.stdout
    assert "Dropped 1 repeated request_id" in done.stdout
    assert "Could not read 1 input" in done.stdout
    assert f"{logs}/cut.parquet" in done.stdout
    assert done.stdout.count("remedy: ") >= 3
    written = "".join(path.read_text() for path in (tmp_path / "w" / "logs").glob("*.jsonl"))
    assert "PLANTED" not in done.stdout + done.stderr + written
    last = json.loads(written.splitlines()[-1])
    assert last["event"] == "finished"
    assert (last["n_refused"], last["n_repeated"], last["n_unreadable"]) == (2, 1, 1)


# -- results ---------------------------------------------------------------------------------------


@pytest.fixture
def told(tmp_path: Path) -> Workspace:
    """A workspace with three published nights, some of them written by an adversary."""
    return story.told(tmp_path / "watch")


def test_results_go_to_standard_output_and_nothing_else_does(told):
    done = stillwatch("findings", "--workspace", told.root, "--what", "accounts", "--format", "jsonl")
    assert done.returncode == 0
    assert done.stderr == ""
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"account_id", "campaign_id", "score", "reasons"} <= rows[0].keys()


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
def test_a_reader_that_has_seen_enough_is_no_error(told, form):
    command = [sys.executable, "-m", "pipelines.cli", "findings", "-w", str(told.root), "--format", form]
    findings = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert findings.stdout is not None
    findings.stdout.close()  # what `| head` does, only sooner
    assert findings.stderr is not None
    messages = findings.stderr.read()
    assert findings.wait(timeout=60) == 0
    assert messages == ""


def test_a_decision_from_the_terminal_is_exported_and_counted(told, tmp_path):
    """Ana approves a campaign; the enforcement list holds its accounts; the status tells what is left."""
    before = stillwatch("status", "--workspace", told.root).stdout
    decided = stillwatch(
        *("decide", "cmp-kiln", "--workspace", told.root, "--verdict", "approve", "--action", "suspend"),
        *("--by", "ana", "--reason", "one work queue over all of them"),
    )
    assert decided.returncode == 0, decided.stderr
    assert decided.stdout.startswith("campaign cmp-kiln: approve, suspend, reaching")
    out = tmp_path / "enforce.csv"
    exported = stillwatch("export", "--workspace", told.root, "--format", "csv", "--out", out)
    assert exported.returncode == 0, exported.stderr
    assert "kiln-05" in out.read_text()
    assert "manifest" in exported.stdout
    after = stillwatch("status", "--workspace", told.root).stdout
    assert _open_cases(after) == _open_cases(before) - 1
    assert "1 approved" in after
    again = stillwatch("export", "--workspace", told.root, "--format", "csv", "--out", out)
    assert again.returncode == 2  # a list that may have been acted upon is never replaced


def _open_cases(status: str) -> int:
    return int(status.split("Open cases: ")[1].split(maxsplit=1)[0])


def test_a_file_that_cannot_be_written_is_named(told, tmp_path):
    out = tmp_path / "no such folder" / "findings.jsonl"
    done = stillwatch("findings", "--workspace", told.root, "--format", "jsonl", "--out", out)
    assert done.returncode == 2
    assert "no such folder" in done.stderr
    assert "remedy: " in done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ["cmp-nobody", "--verdict", "dismiss", "--reason", "r"],
        ["cmp-kiln", "--verdict", "approve", "--reason", "no action"],
        ["cmp-kiln", "--verdict", "dismiss", "--reason", " "],
        ["cmp-kiln", "--verdict", "dismiss", "--action", "suspend", "--reason", "r"],
        ["cmp-kiln", "--verdict", "watch", "--reason", "r", "--expires", "2020-01-01"],
    ],
    ids=["unknown", "no action", "no reason", "action without approval", "past"],
)
def test_half_a_decision_is_refused_with_a_remedy(told, wrong):
    done = stillwatch("decide", *wrong, "--workspace", told.root, "--by", "ana")
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "remedy: " in done.stderr


def test_the_status_of_an_empty_workspace_says_so(tmp_path):
    done = stillwatch("status", "--workspace", tmp_path)
    assert done.returncode == 0
    assert "no night was scanned" in done.stdout


def test_the_status_shows_nights_refusals_and_disk(told):
    done = stillwatch("status", "--workspace", told.root)
    assert done.returncode == 0, done.stderr
    for night in story.NIGHTS:
        assert night.isoformat() in done.stdout
    assert "published.duckdb" in done.stdout


# -- progress --------------------------------------------------------------------------------------


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


# -- the journal -----------------------------------------------------------------------------------


def test_the_journal_has_a_line_per_step_under_one_run(tmp_path):
    workspace = Workspace(tmp_path / "w")
    with (
        journal.journaled(workspace, Silent(), logs=["a.parquet"]) as progress,
        progress.step("load") as step,
    ):
        step.note("3 requests")
    with (
        pytest.raises(RuntimeError),
        journal.journaled(workspace, Silent(), logs=[]) as progress,
        progress.step("features"),
    ):
        raise RuntimeError("the planted prompt")
    text = (workspace.root / "logs" / "scan.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines] == ["began", "step", "began", "step", "failed"]
    assert lines[1] | {"name": "load", "outcome": "done", "note": "3 requests"} == lines[1]
    assert lines[3]["outcome"] == "failed"
    assert len({line["run"] for line in lines}) == 2
    assert all(line["at"].endswith("Z") for line in lines)
    assert "planted" not in text


# -- the demo's folder -----------------------------------------------------------------------------


def test_the_demo_never_touches_a_folder_it_did_not_make(tmp_path):
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "dear.txt").write_text("keep me")
    with pytest.raises(UsageError, match="not made by the demo"):
        demo_module.clear_earlier_demo(Workspace(letters))
    assert (letters / "dear.txt").read_text() == "keep me"
    assert len(list(letters.iterdir())) == 1


def test_the_demo_replaces_what_an_earlier_demo_made_and_nothing_else(tmp_path):
    workspace = Workspace(tmp_path / "demo")
    demo_module.clear_earlier_demo(workspace)
    (workspace.root / "world" / "logs").mkdir(parents=True)
    (workspace.root / "world" / "labels.parquet").touch()
    for name in ("warehouse.duckdb", "published.duckdb", "cases.sqlite", "notes.txt"):
        (workspace.root / name).touch()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (workspace.root / "logs").symlink_to(outside)
    demo_module.clear_earlier_demo(workspace)
    left = {path.name for path in workspace.root.iterdir()}
    assert left == {demo_module.MARKER, "notes.txt", "scan.lock"}
    assert (outside / "precious").exists()


def test_the_demo_waits_for_no_scan_that_is_running_in_it(tmp_path):
    workspace = Workspace(tmp_path / "demo")
    demo_module.clear_earlier_demo(workspace)
    with workspace.lock(), pytest.raises(WorkspaceBusy):
        demo_module.clear_earlier_demo(workspace)


def test_the_demo_shows_the_whole_way_and_runs_again_to_the_same_findings(tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO)
    place = tmp_path / "my demo"
    first, found = _demo(place, scenario), _findings(place)
    assert "night 2026-03-02 (1 of 2)" in first.stderr
    assert "kiln" in first.stdout  # the evaluation names the planted campaign
    assert first.stdout.splitlines()[-1].strip() == f"stillwatch console --workspace '{place}'"
    _demo(place, scenario)
    assert _findings(place) == found


def _demo(place: Path, scenario: Path) -> subprocess.CompletedProcess[str]:
    done = stillwatch("demo", "--workspace", place, "--scenario", scenario)
    assert done.returncode == 0, done.stderr
    return done


def _findings(place: Path) -> list[str]:
    return [
        stillwatch("findings", "-w", place, "--what", what, "--format", "jsonl").stdout
        for what in ("campaigns", "accounts")
    ]


# -- the console -----------------------------------------------------------------------------------


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
        _wait_until(lambda: _is_healthy(port), seconds=60)
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
