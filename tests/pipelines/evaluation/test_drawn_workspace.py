"""A published snapshot drawn by hand, and what an honest evaluation must say about it.

Three nights. Finding `cmp-a` holds four of the five accounts of campaign `tallow` (one of them only on
the first night) and a bystander; `cmp-b` holds the fifth; a lone flag hits an application. Campaign
`lantern` is swept up as a minority of a finding about nobody we know. There is no warehouse beside the
snapshot: what accounts sent that were never flagged is unknown.
"""

import json
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.errors import UsageError
from pipelines.evaluation import Evaluation, evaluate, read_labels
from pipelines.warehouse.statements import statement
from pipelines.workspace import Workspace

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))

FLAGS = (
    # night, account, finding, action
    (TUESDAY, "t1", "cmp-a", "watch"),
    (TUESDAY, "t2", "cmp-a", "watch"),
    (TUESDAY, "t3", "cmp-a", "watch"),
    (WEDNESDAY, "t1", "cmp-a", "suspend"),
    (WEDNESDAY, "t2", "cmp-a", "suspend"),
    (WEDNESDAY, "t4", "cmp-a", "suspend"),
    (WEDNESDAY, "ana", "cmp-a", "suspend"),
    (WEDNESDAY, "t5", "cmp-b", "limit"),
    (WEDNESDAY, "app", None, "watch"),
    (WEDNESDAY, "l1", "cmp-c", "watch"),
    (WEDNESDAY, "l2", "cmp-c", "watch"),
    (WEDNESDAY, "bo", "cmp-c", "watch"),
    (WEDNESDAY, "cy", "cmp-c", "watch"),
    (WEDNESDAY, "di", "cmp-c", "watch"),
    (WEDNESDAY, "nobody-labelled-me", "cmp-c", "watch"),
)

LABELS = [
    *(
        {"account_id": f"t{n}", "label": "campaign", "campaign": "tallow", "kind": "synchronised"}
        for n in range(1, 6)
    ),
    *(
        {"account_id": f"l{n}", "label": "campaign", "campaign": "lantern", "kind": "low_and_wide"}
        for n in (1, 2, 3)
    ),
    *(
        {"account_id": name, "label": "benign", "campaign": None, "kind": "person_chat"}
        for name in ("ana", "bo", "cy", "di", "eva")
    ),
    {"account_id": "app", "label": "benign", "campaign": None, "kind": "single_purpose_app"},
    {"account_id": "class", "label": "benign", "campaign": None, "kind": "classroom"},
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    place = Workspace(tmp_path / "watch").create()
    with duckdb.connect(place.published) as con:
        con.execute(statement("schema"))
        con.execute(statement("snapshot"))
        con.execute("CREATE TABLE campaign AS FROM night.campaign")
        con.execute("CREATE TABLE flagged_account AS FROM night.flagged_account")
        for day in (MONDAY, TUESDAY, WEDNESDAY):
            con.execute("INSERT INTO main.night VALUES ($1, 0, 0, 0, 0, 0, 0, 0, 0, '')", [day])
        for day, account, finding, action in FLAGS:
            con.execute(
                """INSERT INTO flagged_account
                   VALUES ($1, $2, $3, 0.9, 0.01, 'high', $4, [], $1, $1, 10, 100)""",
                [day, account, finding, action],
            )
        for account in sorted({flag[1] for flag in FLAGS}):
            first = MONDAY if account.startswith("t") else WEDNESDAY
            con.execute(
                """INSERT INTO account_activity
                       (account_id, day, n_requests, output_tokens, active_hours, models)
                   VALUES ($1, $2, 1, 1, 1, [])""",
                [account, first],
            )
    return place


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.parquet"
    pl.DataFrame(LABELS).write_parquet(path)
    return path


@pytest.fixture
def scored(workspace: Workspace, labels: Path) -> Evaluation:
    return evaluate(workspace, labels)


def test_a_campaign_is_matched_to_the_finding_that_holds_most_of_it(scored: Evaluation) -> None:
    tallow = scored.campaigns.filter(campaign="tallow").row(0, named=True)
    assert tallow == {
        "campaign": "tallow",
        "kind": "synchronised",
        "regime": None,
        "evasions": None,
        "n_accounts": 5,
        "n_silent": None,  # without the warehouse nobody knows who came
        "detected": True,
        "matched": "finding",
        "campaign_id": "cmp-a",
        "n_matched": 4,
        "coverage": 0.8,  # t3 was replaced after the first night and still counts
        "coverage_at_first": 0.6,
        "coverage_by_third_night": 0.8,
        "share_of_exchanges": None,
        "purity": 0.8,  # ana was swept in
        "n_findings": 2,
        "n_naming": 1,  # a single account of five is no finding about the campaign
        "n_flagged": 5,
        "found_on": TUESDAY,
        "nights_to_detection": 2,  # at work since Monday
        "n_exchanges": None,
        "exchanges_to_detection": None,
        "share_to_detection": None,
    }


def test_being_swept_up_by_somebody_elses_finding_is_no_detection(scored: Evaluation) -> None:
    lantern = scored.campaigns.filter(campaign="lantern").row(0, named=True)
    assert lantern["detected"] is False
    assert lantern["campaign_id"] == "cmp-c"
    assert lantern["purity"] == 2 / 5  # the account without a label counts for neither side
    assert lantern["coverage"] == 2 / 3


def test_each_benign_kind_has_its_own_line(scored: Evaluation) -> None:
    wronged = {row["kind"]: row for row in scored.benign_kinds.iter_rows(named=True)}
    assert list(wronged) == ["classroom", "person_chat", "single_purpose_app"]
    assert (wronged["person_chat"]["at_watch"], wronged["person_chat"]["above_watch"]) == (3, 1)
    assert wronged["person_chat"]["per_million_flagged"] == 800_000
    assert wronged["person_chat"]["per_million_above_watch"] == 200_000
    assert wronged["classroom"]["per_million_flagged"] == 0
    assert wronged["single_purpose_app"]["at_watch"] == 1


def test_totals_count_every_account_once_at_its_strongest_action(scored: Evaluation) -> None:
    total = scored.total.row(0, named=True)
    # t1, t2, t4, t5 and ana were above watch on some night; t3 was only ever watched.
    assert (total["n_flagged"], total["n_above_watch"], total["n_unlabelled"]) == (12, 5, 1)
    assert total["precision"] == 7 / 12
    assert total["precision_above_watch"] == 4 / 5
    assert total["recall"] == 7 / 8
    assert total["recall_above_watch"] == 4 / 8
    assert (total["n_campaigns"], total["n_detected"], total["campaign_recall"]) == (2, 1, 0.5)
    assert (total["n_nights"], total["n_findings"], total["n_accounts"]) == (3, 3, 15)


def test_machines_get_one_object_a_line_and_people_a_table(scored: Evaluation) -> None:
    rows = [json.loads(line) for line in scored.jsonl()]
    counts = {name: sum(row["row"] == name for row in rows) for name in (row["row"] for row in rows)}
    assert counts == {
        "campaign": 2,
        "recall": 3,  # overall and by two kinds; the labels tell neither regime nor evasions
        "delay": 2,
        "benign_kind": 3,
        "finding": 4,
        "night": 3,
        "total": 1,
    }
    table = scored.table()
    assert "tallow" in table
    assert "80.0%" in table
    assert "1 of 2 campaigns found" in table
    assert "without a label, left out above: 1" in table


def test_a_label_cannot_steer_a_terminal(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"account_id": "ana", "label": "benign", "kind": "\x1b[2Jgone\u202e"}) + "\n")
    assert "\x1b" not in evaluate(workspace, path).table()


def test_nothing_flagged_is_said_without_dividing_by_zero(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("account_id,label,campaign,kind\nstranger,benign,,person_chat\n")
    scored = evaluate(workspace, path)
    assert scored.total.row(0, named=True)["precision"] is None
    assert "name no campaign" in scored.table()


def test_without_a_scan_there_is_nothing_to_evaluate(labels: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no findings here yet"):
        evaluate(Workspace(tmp_path / "empty"), labels)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("account_id,kind\na,b\n", "no column label"),
        ("account_id,label\na,benign\nb,guilty\n", "row 2: a label is neither"),
        ("account_id,label\n,benign\n", "row 1: an account_id is missing"),
        ("account_id,label,campaign\na,campaign,\n", "row 1: a campaign has no name"),
        ("account_id,label,campaign\na,campaign,x\na,benign,\n", "both campaign and benign"),
    ],
)
def test_wrong_labels_are_refused_by_row(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=complaint):
        read_labels(path)


def test_labels_of_no_known_form_are_refused(tmp_path: Path) -> None:
    for name, content in (("labels.xlsx", b"PK"), ("labels.parquet", b"not parquet")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UsageError):
            read_labels(path)
    with pytest.raises(UsageError, match="no such labels file"):
        read_labels(tmp_path / "missing.csv")
