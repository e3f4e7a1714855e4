"""The documents keep their word: commands in them run, links lead somewhere, nothing private is in them."""

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
import typer.main
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from running import ROOT, stillwatch

from pipelines import cli
from pipelines.simulate import simulate

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


# -- commands --------------------------------------------------------------------------------------


def shell_lines(document: Path) -> Iterator[str]:
    """Commands of the document's ```sh blocks, continued lines joined, comments dropped."""
    for block in re.findall(r"^```sh\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield " ".join(line.split("   #")[0].split())


def documented() -> list[tuple[str, list[str]]]:
    """Every command of every document: where it stands, and its words without pipes."""
    return [
        (f"{document.relative_to(ROOT)}: {line}", shlex.split(line.split(" | ")[0], comments=True))
        for document in DOCUMENTS
        for line in shell_lines(document)
    ]


def commands_of(program: str) -> list[Any]:
    found = [
        pytest.param(words[1:], id=where) for where, words in documented() if Path(words[0]).name == program
    ]
    assert found, f"the documents show no {program} command"
    return found


@pytest.mark.parametrize("arguments", commands_of("make"))
def test_every_documented_make_command_has_its_target(arguments):
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", rules, re.M))
    variables = set(re.findall(r"^(\w+) [?:]?=", rules, re.M))
    for argument in arguments:
        name, is_variable, _ = argument.partition("=")
        assert name in (variables if is_variable else targets)


@pytest.mark.parametrize("arguments", commands_of("stillwatch"))
def test_every_documented_command_and_option_exists(arguments):
    group: Any = typer.main.get_command(cli.app)
    words = [word for word in arguments if word != "--debug"]
    command = group.commands[words[0]]
    if words[1:] != ["--help"]:
        command.make_context(words[0], words[1:])  # exits when it does not understand a word


RUN = {"check", "sources", "scan", "findings", "evaluate", "backtest", "status"}
"""Commands that are cheap on a small world; others are run by the tests of their own room."""


@pytest.fixture(scope="module")
def as_documented(small_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the documents speak of, and a scanned workspace `watch`."""
    place = tmp_path_factory.mktemp("documented")
    night = small_world / "logs" / "day=2025-06-01"
    shutil.copytree(night, place / "logs" / night.name)
    shutil.copy(small_world / "accounts.parquet", place)
    pl.read_parquet(place / "accounts.parquet").write_csv(place / "accounts.csv")
    tiny = place / "tiny.toml"
    tiny.write_text("nights = 2\n[benign]\nperson_chat = 40\n")
    simulate(place / "world", scenario=tiny)
    shutil.copy(small_world / "labels.parquet", place / "world")
    pl.read_parquet(small_world / "labels.parquet").write_csv(place / "labels.csv")
    (place / "stricter.toml").write_text("[detection]\nleast_log_odds = 6.0\nfirst_night_log_odds = 7.0\n")
    rows = pl.read_parquet(night / "*.parquet").head(200)
    rows.write_ndjson(place / "logs" / "gateway-1.jsonl.gz", compression="gzip")
    own = (ROOT / "docs" / "how-to" / "own-format.md").read_text(encoding="utf-8")
    record = json.loads(re.search(r"```json\n(.*?)```", own, re.S)[1])  # type: ignore[index]
    (place / "usage.jsonl").write_text(json.dumps(record) + "\n")
    (place / "acme.toml").write_text(re.search(r"```toml\n(name.*?)```", own, re.S)[1])  # type: ignore[index]
    scan = "scan logs --workspace watch --accounts accounts.parquet"
    evaluate = "evaluate --workspace watch --labels labels.csv --format jsonl --out seed-1.jsonl"
    for command in (scan, "scan world/logs --workspace watch", evaluate):
        done = run_in(place, command.split())
        assert done.returncode == 0, done.stderr
    return place


def run_in(place: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return stillwatch(*arguments, cwd=place)


def is_cheap(arguments: list[str]) -> bool:
    return bool(arguments) and arguments[0] in RUN and not any(word.startswith("/") for word in arguments)


def cheap_commands() -> list[Any]:
    """Each once, though several documents show it."""
    found = {tuple(each.values[0]): each for each in reversed(commands_of("stillwatch"))}
    return [each for words, each in found.items() if is_cheap(list(words))]


@pytest.mark.parametrize("arguments", cheap_commands())
def test_documented_commands_do_what_they_say(as_documented, arguments):
    done = run_in(as_documented, arguments)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


# -- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(document):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        assert there.exists(), f"{target} leads nowhere"
        if heading:
            assert heading in headings(there), f"{target}: no such heading"


def headings(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_decision_is_listed_under_its_title():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(
        r"^- \[(.+)\]\((\d{4}-[^)]+)\)$", (folder / "README.md").read_text(encoding="utf-8"), re.M
    )
    pages = sorted(folder.glob("[0-9]*.md"))
    titles = [page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ") for page in pages]
    assert listed == list(zip(titles, (page.name for page in pages), strict=True))


# -- reference pages -------------------------------------------------------------------------------


def test_reference_pages_are_in_step_with_commands_and_settings():
    """Run tools/make_reference.py when this fails."""
    maker = load_tool("make_reference")
    reference = ROOT / "docs" / "reference"
    assert (reference / "commands.md").read_text(encoding="utf-8") == maker.commands_page()
    assert (reference / "settings.md").read_text(encoding="utf-8") == maker.settings_page()


def test_the_page_of_log_sources_is_in_step_with_them():
    """Run tools/make_sources_page.py when this fails."""
    assert (ROOT / "docs" / "sources.md").read_text(encoding="utf-8") == load_tool("make_sources_page").page()


def load_tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_term_of_the_glossary_is_defined_once():
    terms = re.findall(r"^\*\*([^*]+)\.\*\*", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"), re.M)
    assert len(terms) > 40
    assert len(terms) == len({term.lower() for term in terms})


# -- versions --------------------------------------------------------------------------------------


def test_everything_that_gets_installed_is_pinned_to_one_version():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin) for pin in pins)
    pinned = {canonicalize_name(pin.split("==")[0]) for pin in pins}
    assert len(pinned) == len(pins)
    assert needed() - pinned == set()


def needed() -> set[str]:
    """Names of all packages that `.[dev]` draws in, as far as they are installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [
        Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"]["dev"])
    ]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in seen:
            continue
        seen.add(name)
        try:
            texts = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        extras = [*requirement.extras, ""]
        further = [Requirement(text) for text in texts]
        waiting += [
            r for r in further if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in extras)
        ]
    return seen


# -- the repository speaks of the product alone ----------------------------------------------------

PRIVATE = {
    "a path of one machine": r"(?<![\w.])/(?:work|root|home|tmp|Users)/\w",
    "a package index": r"(?:pypi\.org|pythonhosted\.org|(?:extra-)?index-url|find-links|file:/{2,3}\w)",
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("kind", PRIVATE)
def test_no_tracked_file_holds(kind):
    pattern = re.compile(PRIVATE[kind])
    found = []
    for path in tracked():
        if path == Path(__file__):  # the patterns themselves
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


def test_the_command_runs_where_it_is_installed():
    installed = shutil.which("stillwatch", path=str(Path(sys.executable).parent))
    if installed is None:  # run from the sources without an installation: the module is the command
        assert stillwatch("--help").returncode == 0
        return
    shown = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["stillwatch", metadata.version("stillwatch")]
