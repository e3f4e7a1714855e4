"""The night as a whole on a handful of rows: broken scans, two at once, forgotten and strange nights."""

import json
import threading
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from drawn import given_requests, warehouse

from pipelines import findings, nightly
from pipelines.errors import UsageError, WorkspaceBusy
from pipelines.features import build_features
from pipelines.nightly import ScanSummary
from pipelines.settings import RetentionSettings, Settings
from pipelines.warehouse.opening import open_warehouse
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace

JUNE_1 = date(2025, 6, 1)


def june(day: int) -> date:
    return JUNE_1 + timedelta(days=day - 1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def log_of(folder: Path, name: str, days: Iterable[date], n_accounts: int = 6, **columns: object) -> Path:
    """A few requests of a few accounts on each of some days."""
    path = folder / name
    rows = [
        {
            "request_id": f"{name}-{day}-{n}-{hour}",
            "ts": f"{day}T{hour:02}:15:00Z",
            "account_id": f"acct-{n}",
            "prompt": f"what is the weather in town {n} at {hour} o'clock",
            "output_tokens": 40,
            **columns,
        }
        for day in days
        for n in range(n_accounts)
        for hour in (9, 13)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def scan(workspace: Workspace, *logs: Path, settings: Settings | None = None, **more: object) -> ScanSummary:
    return nightly.scan([str(log) for log in logs], workspace, settings=settings, **more)  # type: ignore[arg-type]


def nights_of(workspace: Workspace) -> dict[date, int]:
    """Published nights and their requests."""
    return dict(findings.nights(workspace).select("day", "n_requests").sort("day").iter_rows())


# -- broken scans ----------------------------------------------------------------------------------


def test_a_scan_that_breaks_leaves_the_published_findings_and_the_next_scan_finishes_its_nights(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    scan(workspace, log_of(tmp_path, "one.jsonl", [june(1)]))
    published = workspace.published.read_bytes()

    def breaks(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr("pipelines.campaigns.find_campaigns", breaks)
        with pytest.raises(MemoryError):
            scan(workspace, log_of(tmp_path, "two.jsonl", [june(2), june(3)]))
    assert workspace.published.read_bytes() == published
    assert nights_of(workspace) == {june(1): 12}

    # Tomorrow's scan names tomorrow's log only, and yet no night is missing afterwards.
    after = scan(workspace, log_of(tmp_path, "four.jsonl", [june(4)]))
    assert [night.day for night in after.nights] == [june(2), june(3), june(4)]
    assert nights_of(workspace) == {june(day): 12 for day in (1, 2, 3, 4)}


def test_a_broken_scan_of_a_night_that_was_done_before_is_finished_by_the_next(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    log = log_of(tmp_path, "one.jsonl", [june(1)])
    scan(workspace, log)
    log_of(tmp_path, "one.jsonl", [june(1)], n_accounts=9)

    def breaks(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr("pipelines.scores.score_accounts", breaks)
        with pytest.raises(MemoryError):
            scan(workspace, log)
    assert nights_of(workspace) == {june(1): 12}
    scan(workspace, log_of(tmp_path, "two.jsonl", [june(2)]))
    assert nights_of(workspace) == {june(1): 18, june(2): 12}


def test_a_scan_that_breaks_while_publishing_leaves_the_old_snapshot(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    scan(workspace, log_of(tmp_path, "one.jsonl", [june(1)]))
    with monkeypatch.context() as broken:
        broken.setattr("pipelines.publish._sync", lambda _path: (_ for _ in ()).throw(OSError("disk")))
        with pytest.raises(OSError, match="disk"):
            scan(workspace, log_of(tmp_path, "two.jsonl", [june(2)]))
    assert nights_of(workspace) == {june(1): 12}
    scan(workspace, tmp_path / "two.jsonl")
    assert nights_of(workspace) == {june(1): 12, june(2): 12}


# -- two at once -----------------------------------------------------------------------------------


def test_the_second_of_two_scans_is_turned_away_and_harms_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    log = log_of(tmp_path, "one.jsonl", [june(1)])
    inside, go_on = threading.Event(), threading.Event()
    whole = nightly.scores.score_accounts

    def slowly(con: duckdb.DuckDBPyConnection, day: date, settings: Settings) -> int:
        inside.set()
        assert go_on.wait(60)
        return whole(con, day, settings)

    monkeypatch.setattr("pipelines.scores.score_accounts", slowly)
    first = threading.Thread(target=scan, args=(workspace, log))
    first.start()
    try:
        assert inside.wait(60)
        with pytest.raises(WorkspaceBusy) as refused:
            scan(workspace, log)
        assert refused.value.remedy
    finally:
        go_on.set()
        first.join(60)
    assert nights_of(workspace) == {june(1): 12}


def test_a_reader_keeps_the_snapshot_it_opened_while_a_scan_publishes(workspace: Workspace, tmp_path: Path):
    scan(workspace, log_of(tmp_path, "one.jsonl", [june(1)]))
    with duckdb.connect(workspace.published, read_only=True) as reader:
        scan(workspace, log_of(tmp_path, "two.jsonl", [june(2)]))
        assert reader.execute("SELECT day FROM night").fetchall() == [(june(1),)]
    assert nights_of(workspace) == {june(1): 12, june(2): 12}


# -- nights that end, come late, or never were -----------------------------------------------------

TWO_NIGHTS = Settings(retention=RetentionSettings(request_nights=2))


def test_requests_older_than_the_retention_go_and_findings_stay(workspace: Workspace, tmp_path: Path):
    for day in (1, 2, 3):
        scan(workspace, log_of(tmp_path, f"{day}.jsonl", [june(day)]), settings=TWO_NIGHTS)
    assert _days_of_requests(workspace) == [june(2), june(3)]
    assert nights_of(workspace) == {june(1): 12, june(2): 12, june(3): 12}


def test_a_straggler_of_a_forgotten_night_does_not_undo_that_night(workspace: Workspace, tmp_path: Path):
    for day in (1, 2, 3):
        scan(workspace, log_of(tmp_path, f"{day}.jsonl", [june(day)]), settings=TWO_NIGHTS)
    late = log_of(tmp_path, "late.jsonl", [june(1), june(4)], n_accounts=1)
    summary = scan(workspace, late, settings=TWO_NIGHTS)
    assert [night.day for night in summary.nights] == [june(4)]
    assert nights_of(workspace)[june(1)] == 12
    assert _days_of_requests(workspace) == [june(3), june(4)]
    # Asked for by name, it is scanned again: the operator knows why.
    scan(workspace, late, settings=TWO_NIGHTS, day=june(1))
    assert nights_of(workspace)[june(1)] == 2


def test_a_straggler_of_last_night_is_added_to_it(workspace: Workspace, tmp_path: Path):
    scan(workspace, log_of(tmp_path, "one.jsonl", [june(1)]))
    summary = scan(workspace, log_of(tmp_path, "two.jsonl", [june(1), june(2)], n_accounts=1))
    assert [night.day for night in summary.nights] == [june(1), june(2)]
    assert nights_of(workspace) == {june(1): 14, june(2): 2}


def test_one_row_of_a_clock_that_runs_ahead_does_not_age_other_nights(workspace: Workspace, tmp_path: Path):
    scan(workspace, log_of(tmp_path, "one.jsonl", [june(1)]))
    scan(workspace, log_of(tmp_path, "two.jsonl", [june(2), date(2099, 12, 31)], n_accounts=1))
    assert _days_of_requests(workspace) == [june(1), june(2), date(2099, 12, 31)]


def test_logs_without_a_single_row_publish_an_empty_workspace(workspace: Workspace, tmp_path: Path):
    (tmp_path / "empty.jsonl").touch()
    summary = scan(workspace, tmp_path / "empty.jsonl")
    assert (summary.nights, summary.n_rows, summary.unreadable) == ((), 0, ())
    assert nights_of(workspace) == {}


def test_files_left_alone_for_their_names_are_in_the_summary(workspace: Workspace, tmp_path: Path):
    (tmp_path / "logs").mkdir()
    for name in ("empty.jsonl", "log.jsonl.tmp"):
        (tmp_path / "logs" / name).touch()
    summary = scan(workspace, tmp_path / "logs")
    assert (summary.n_files, summary.not_taken) == (1, (tmp_path / "logs" / "log.jsonl.tmp",))


def test_a_day_without_rows_is_no_night(workspace: Workspace, tmp_path: Path):
    log = log_of(tmp_path, "one.jsonl", [june(1)])
    summary = scan(workspace, log, day=june(2))
    assert (summary.nights, summary.n_other_day) == ((), 12)
    assert nights_of(workspace) == {}


def test_a_night_whose_rows_moved_away_is_shown_empty(workspace: Workspace, tmp_path: Path):
    """The log's clock was an hour wrong and was corrected: the night it named before holds nothing now."""
    log = log_of(tmp_path, "one.jsonl", [june(2)])
    scan(workspace, log)
    log.write_text(log.read_text().replace(f'"ts": "{june(2)}', f'"ts": "{june(1)}'))
    scan(workspace, log)
    assert nights_of(workspace) == {june(1): 12, june(2): 0}


def test_numbers_beyond_belief_do_not_stop_a_night(workspace: Workspace, tmp_path: Path):
    """Token counts come from a log: their sums pass what a column can hold."""
    log = log_of(
        tmp_path, "one.jsonl", [june(1)], n_accounts=12, output_tokens=2**63 - 1, input_tokens=2**63 - 1
    )
    summary = scan(workspace, log)
    assert [night.n_requests for night in summary.nights] == [24]


# -- accounts --------------------------------------------------------------------------------------


def test_an_unreadable_accounts_file_is_named_and_the_scan_goes_on(workspace: Workspace, tmp_path: Path):
    accounts = tmp_path / "accounts.parquet"
    accounts.write_bytes(b"PAR1 no accounts here")
    summary = scan(workspace, log_of(tmp_path, "one.jsonl", [june(1)]), accounts=accounts)
    (error,) = summary.unreadable
    assert "accounts.parquet" in str(error)
    assert nights_of(workspace) == {june(1): 12}


def test_an_accounts_file_is_the_latest_word_on_the_accounts_it_names(workspace: Workspace, tmp_path: Path):
    log = log_of(tmp_path, "one.jsonl", [june(1)])
    for text in (
        "account_id,plan\nacct-1,free\nacct-2,free\nacct-2,pro\n",
        "account_id,plan\nacct-1,team\n",
    ):
        (tmp_path / "accounts.csv").write_text(text)
        scan(workspace, log, accounts=tmp_path / "accounts.csv")
    with open_warehouse(workspace, Settings()) as con:
        kept = con.execute("SELECT account_id, plan FROM core.account ORDER BY account_id").fetchall()
    assert [account for account, _ in kept] == ["acct-1", "acct-2"]
    assert kept[0][1] == "team"


@pytest.mark.parametrize(
    ("approved_use", "approved_until", "is_approved"),
    [
        ("synthetic_data", None, True),
        ("synthetic_data", JUNE_1, True),
        ("synthetic_data", JUNE_1 - timedelta(days=1), False),
        ("", None, False),
        ("  ", None, False),
        (None, None, False),
    ],
)
def test_an_approval_holds_when_it_names_a_use_and_has_not_ended(approved_use, approved_until, is_approved):
    con = warehouse()
    given_requests(con, "account | sent_at\n ana | 09:00", day=JUNE_1)
    con.execute("INSERT INTO core.account (account_id, approved_use, approved_until) VALUES ('ana', ?, ?)",
                [approved_use, approved_until])  # fmt: skip
    build_features(con, JUNE_1)
    result = con.execute(statement("campaigns/accounts"), {"day": JUNE_1})
    column = [name for name, *_ in result.description].index("is_approved")
    assert [row[column] for row in result.fetchall()] == [is_approved]


def test_an_account_between_two_organisations_belongs_to_the_same_one_in_any_order():
    answers = set()
    for orgs in (
        ("org-b", "org-a", "org-c", "org-c", "org-a"),
        ("org-c", "org-a", "org-a", "org-b", "org-c"),
    ):
        con = warehouse()
        rows = "\n".join(f"ana | 09:0{n} | {org}" for n, org in enumerate(orgs))
        given_requests(con, f"account | sent_at | org_id\n{rows}", day=JUNE_1)
        build_features(con, JUNE_1)
        result = con.execute(statement("campaigns/accounts"), {"day": JUNE_1})
        column = [name for name, *_ in result.description].index("org_id")
        answers |= {row[column] for row in result.fetchall()}
    assert len(answers) == 1
    assert answers < {"org-a", "org-b", "org-c"}


def test_logs_that_are_not_there_are_a_mistake_of_the_command(workspace: Workspace, tmp_path: Path):
    with pytest.raises(UsageError):
        scan(workspace, tmp_path / "nothing")


def _days_of_requests(workspace: Workspace) -> list[date]:
    with open_warehouse(workspace, Settings()) as con:
        return [
            row[0] for row in con.execute("SELECT DISTINCT day FROM core.request ORDER BY day").fetchall()
        ]


# -- versions --------------------------------------------------------------------------------------


def test_a_warehouse_with_fingerprints_of_another_version_is_not_added_to(
    workspace: Workspace, tmp_path: Path
):
    log = log_of(tmp_path, "one.jsonl", [june(1)])
    scan(workspace, log)
    with open_warehouse(workspace, Settings()) as con:
        con.execute("UPDATE core.made_with SET fingerprint_version = fingerprint_version - 1")
    with pytest.raises(UsageError, match="fingerprinted by another version"):
        scan(workspace, log)


def test_a_warehouse_that_does_not_say_its_version_is_an_old_one(workspace: Workspace, tmp_path: Path):
    log = log_of(tmp_path, "one.jsonl", [june(1)])
    scan(workspace, log)
    with open_warehouse(workspace, Settings()) as con:
        con.execute("DROP TABLE core.made_with")
    with pytest.raises(UsageError, match="fingerprinted by another version"):
        scan(workspace, log)
