"""What goes wrong in a command: exit codes, one clear message, and no words of a prompt in it."""

import pytest
import typer
from running import stillwatch

from pipelines import journal
from pipelines.cli.invocation import errors_for_people
from pipelines.cli.options import existing_workspace


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


def test_an_unforeseen_error_is_one_line_and_its_words_stay_out_of_every_log(tmp_path, capsys):
    """A library's message may quote the prompt it stumbled over: the place is told, the words are not."""

    def stumble() -> None:
        existing_workspace(tmp_path)
        raise ValueError("the planted prompt")

    with pytest.raises(typer.Exit) as ended, errors_for_people():
        stumble()
    assert ended.value.exit_code == 4
    messages = capsys.readouterr().err
    assert messages.startswith("error: internal ValueError at cli/test_cli_errors.py:")
    details = tmp_path / "logs" / "errors.jsonl"
    assert str(details) in messages
    assert "test_cli_errors.py" in details.read_text()
    assert "planted" not in messages + details.read_text()


def test_debug_shows_everything(tmp_path):
    done = stillwatch("--debug", "findings", "--workspace", tmp_path)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "error: " in done.stderr


def test_a_hostile_path_is_shown_harmless(tmp_path):
    done = stillwatch("status", "--workspace", tmp_path / "w\x1b[31m[red]\n")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\\x1b[31m[red]\\n: no such workspace" in done.stderr


def test_the_place_of_an_error_is_told_without_its_words():
    try:
        raise ValueError("the planted prompt")
    except ValueError as error:
        places = journal.places(error)
    assert places == [f"cli/test_cli_errors.py:{places[0].split(':')[1].split()[0]} {places[0].split()[-1]}"]
    assert "planted" not in str(places)
