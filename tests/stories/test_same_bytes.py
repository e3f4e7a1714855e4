"""The same requests give the same findings, byte for byte, however they are filed, split or repeated."""

import random
from pathlib import Path

import pytest
from village import NIGHTS, SECOND, Village, findings_of, flagged_in, published_tables, scan

from pipelines.settings import InputSettings, Settings
from pipelines.simulate.files import WRITERS
from pipelines.workspace import Workspace


def test_three_nights_of_the_village_show_its_campaign(village: Village, scanned_once: Workspace):
    """What the other stories stand on: equal bytes would prove nothing about empty findings."""
    for night in NIGHTS:
        (members,) = flagged_in(scanned_once, night).values()
        at_work = village.kiln & set(village.requests(night)["account_id"])  # some join a night late
        assert members <= at_work
        assert len(members) > 0.9 * len(at_work)


def test_a_night_scanned_again_changes_no_byte_also_after_later_nights(village: Village, scanned: Workspace):
    before, tables = findings_of(scanned), published_tables(scanned)
    of_the_night = findings_of(scanned, SECOND)
    again = scan(scanned, village.logs(SECOND), accounts=village.accounts)
    assert [night.day for night in again.nights] == [SECOND]
    assert again.n_repeated == 0
    assert findings_of(scanned, SECOND) == of_the_night
    assert findings_of(scanned) == before
    assert published_tables(scanned) == tables


def _split_and_shuffled(village: Village, folder: Path) -> list[Path]:
    """Each night's rows shuffled into three files of different formats, names against the order of time."""
    chance = random.Random(7)
    paths = []
    for number, night in enumerate(reversed(NIGHTS)):
        rows = village.requests(night).sample(fraction=1.0, shuffle=True, seed=number)
        cuts = [0, len(rows) // 5, len(rows) // 2, len(rows)]
        for part, log_format in enumerate(("jsonl.gz", "stillwatch", "jsonl")):
            ending, write = WRITERS[log_format]
            path = folder / f"{number}{chance.randrange(10)}{part}{ending}"
            write(rows[cuts[part] : cuts[part + 1]].to_arrow(), path)
            paths.append(path)
    chance.shuffle(paths)
    return paths


@pytest.mark.parametrize(
    ("filed", "settings"),
    [
        ("as they came", InputSettings(threads=1, batch_rows=1_000)),
        ("split and shuffled", InputSettings(threads=2)),
    ],
    ids=["one thread, small batches", "two threads, other files and formats"],
)
def test_all_nights_in_one_scan_are_the_nights_one_by_one(
    village: Village,
    scanned_once: Workspace,
    workspace: Workspace,
    tmp_path: Path,
    filed: str,
    settings: InputSettings,
):
    logs = [village.logs(night) for night in NIGHTS]
    if filed == "split and shuffled":
        logs = _split_and_shuffled(village, tmp_path)
    summary = scan(workspace, *logs, accounts=village.accounts, settings=Settings(input=settings))
    assert [night.day for night in summary.nights] == list(NIGHTS)
    assert findings_of(workspace) == findings_of(scanned_once)
    for night in NIGHTS:
        assert findings_of(workspace, night) == findings_of(scanned_once, night)
    assert published_tables(workspace) == published_tables(scanned_once)


@pytest.mark.parametrize("key", ["one more key", "another"])
def test_the_key_of_the_texts_changes_no_finding(
    village: Village, scanned_once: Workspace, workspace: Workspace, key: str
):
    """It names families and chooses what is shown; who is flagged, in which campaign, stays."""
    workspace.key_file.write_text(f"{key}\n")
    scan(workspace, village.logs(NIGHTS[0]), accounts=village.accounts)
    assert flagged_in(workspace, NIGHTS[0]) == flagged_in(scanned_once, NIGHTS[0])
