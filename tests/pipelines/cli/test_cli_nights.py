"""`check` and `scan` on a night of logs, good and broken."""

import json
import shutil
import signal
import subprocess
import sys

from running import stillwatch, wait_until

from pipelines.errors import WorkspaceBusy
from pipelines.workspace import Workspace


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


def test_a_second_scan_finds_the_workspace_taken(tmp_path, night_of_logs):
    workspace = Workspace(tmp_path / "w")
    with workspace.lock():
        done = stillwatch("scan", night_of_logs, "--workspace", workspace.root)
    assert done.returncode == WorkspaceBusy.exit_code == 3
    assert "another scan is running here" in done.stderr


def test_ctrl_c_ends_with_130(tmp_path, night_of_logs):
    logs = night_of_logs
    command = [sys.executable, "-m", "pipelines.cli", "scan", str(logs), "--workspace", str(tmp_path / "w")]
    scan = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    journal_path = tmp_path / "w" / "logs" / "scan.jsonl"
    wait_until(journal_path.exists, seconds=60)
    scan.send_signal(signal.SIGINT)
    _, messages = scan.communicate(timeout=60)
    assert scan.returncode == 130
    assert "interrupted" in messages
    assert "Traceback" not in messages
