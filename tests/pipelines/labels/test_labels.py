"""Notices of providers and past decisions: brought in once, shown as text, taught from, never counted as
evidence."""

import json
import re
import sqlite3
from datetime import UTC, date, datetime

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines import cli
from pipelines.adapters.connection import connect
from pipelines.cases import CaseStore, Label, Level, Said, Subject, Verdict, standing
from pipelines.errors import UnreadableInput
from pipelines.labels import campaign_accounts, import_labels, note_labels, with_labels
from pipelines.labels.notices import read_notices
from pipelines.settings import Settings
from pipelines.warehouse.statements import statement
from tests.running import ROOT
from tests.story import FIRST, HOSTILE, add, told

NOON = "2025-06-01T12:00:00Z"
LATER = date(2025, 6, 20)


@pytest.fixture
def workspace(tmp_path):
    made = told(tmp_path / "watch")
    with duckdb.connect(made.warehouse) as con:
        add(
            con,
            "core.request",
            [
                request("r-1", "kiln-01", end_user="u-1"),
                request("r-2", "kiln-02", end_user="u-shared"),
                request("r-3", "kiln-03", end_user="u-shared"),
            ],
        )
    return made


def request(request_id, account_id, *, end_user, call=None):
    def number(sql):
        return connect(1).sql(sql).fetchall()[0][0]

    return {
        "day": "2025-06-01",
        "sent_at": "2025-06-01 12:00:00",
        "account_id": account_id,
        "request_key": number(f"SELECT md5_number('{request_id}')"),
        "end_user_hash": number(f"SELECT hash('{end_user}')"),
        "call_key": None if call is None else number(f"SELECT hash('{call}')"),
        "refusal_category": "reasoning_extraction",
    }


@pytest.fixture
def store(workspace):
    with CaseStore.open(workspace.cases_url) as store:
        yield store


@pytest.fixture
def file(tmp_path):
    def write(*records, name="notices.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(one) + "\n" for one in records))
        return path

    return write


def blocked(identifier, category="cyber_abuse", **fields):
    data = {"safety_identifier": identifier, "safety_category": category}
    return {
        "id": f"evt_{identifier}",
        "type": "safety_identifier.blocked",
        "created_at": NOON,
        "data": data,
    } | fields


def profile(reference, status="banned", **fields):
    return {
        "id": f"uprof_{reference}",
        "access_type": "application",
        "enforcement_status": status,
        "enforcement_actions": [
            {"id": "act_1", "type": "ban", "reason": "fraud_or_abuse", "opened_at": NOON}
        ],
        "external_user_details": {"reference_id": reference},
        "created_at": "2025-01-01T00:00:00Z",
        **fields,
    }


def decision(account_id, word="banned", **fields):
    return {
        "account_id": account_id,
        "decision": word,
        "decided_at": NOON,
        "reason": "resold",
        "by": "ana",
    } | fields


def a_label(account_id, said=Said.ENFORCED, source="own", day=1, category=None):
    return Label(
        notice_id=f"{source}/{account_id}/{day}/{said}",
        account_id=account_id,
        source=source,
        kind="k",
        said=said,
        category=category,
        reason=None,
        said_by=None,
        said_at=datetime(2025, 6, day, tzinfo=UTC),
    )


# -- reading -----------------------------------------------------------------------------------------


def test_each_form_of_notice_is_known_and_read(file):
    notices = {
        "openai-webhooks": (
            blocked("u-1"),
            {
                "id": "e2",
                "type": "safety.warning_issued",
                "created_at": 1_748_779_200,
                "data": {"id": "case_1"},
            },
            {"id": "e3", "type": "safety.alert.created", "created_at": NOON, "data": {"request_id": "r-1"}},
        ),
        "openai-cases": (
            {
                "id": "case_1",
                "object": "safety.case",
                "created_at": 1_748_779_200,
                "entity_identifier": "u-1",
                "reason": "cyber_abuse",
                "notice": {"type": "deactivation"},
            },
        ),
        "anthropic-profiles": (profile("u-1"), profile("u-2", "unrestricted"), profile("u-3", "pending")),
        "decisions": (
            decision("kiln-01"),
            decision("kiln-02", "False positive"),
            decision("kiln-03", "watch"),
        ),
    }
    said = {}
    for name, records in notices.items():
        read = read_notices(file(*records))
        assert (read.format, read.refused.num_rows) == (name, 0)
        said[name] = [(row["subject"], row["level"], row["verdict"]) for row in read.rows.to_pylist()]
        said[name].append(read.n_passed_over)
    assert said == {
        "openai-webhooks": [
            ("u-1", "user", "enforced"), ("case_1", "case", "noticed"), ("r-1", "request", "noticed"), 0
        ],
        "openai-cases": [("u-1", "user", "enforced"), 0],
        "anthropic-profiles": [("u-1", "user", "enforced"), ("u-3", "user", "noticed"), 1],
        "decisions": [
            ("kiln-01", "account", "enforced"),
            ("kiln-02", "account", "cleared"),
            ("kiln-03", "account", "noticed"),
            0,
        ],
    }  # fmt: skip


def test_decisions_come_as_csv_too_and_bad_rows_are_refused_by_number(tmp_path):
    path = tmp_path / "past.csv"
    path.write_text(
        "account_id,decision,date,reason\na,ban,2025-05-01,resold\nb,perhaps,2025-05-01,\nc,ban,soon,\n,ban,2025-05-01,\n"
    )
    read = read_notices(path)
    assert read.rows["subject"].to_pylist() == ["a"]
    refused = [(row["row_number"], row["column_name"], row["reason"]) for row in read.refused.to_pylist()]
    assert refused == [
        (3, "decision", "a decision of no known word"),
        (4, "said_at", "expected a time"),
        (5, "subject", "missing or empty"),
    ]


def test_a_file_may_hold_every_form_one_after_the_other(tmp_path):
    blocks = re.findall(
        r"```json\n(.*?)```", (ROOT / "docs/how-to/labels.md").read_text(encoding="utf-8"), re.S
    )
    path = tmp_path / "as-they-came.jsonl"
    late = json.dumps(decision("kiln-01")) + "\n"
    path.write_text("".join(blocks) + "{broken\n" + json.dumps({"hello": 1}) + "\n" + late)
    read = read_notices(path)
    assert [(row["kind"], row["subject"]) for row in read.rows.to_pylist()] == [
        ("safety_identifier.blocked", "u-81"),
        ("safety.case.warning", "u-81"),
        ("user_profile.restricted", "u-81"),
        ("decision.banned", "kiln-01"),
    ]
    assert [row["row_number"] for row in read.refused.to_pylist()] == [4]
    assert read.n_passed_over == 1
    path.write_text((json.dumps(profile("u-9")) + "\n") * 40 + json.dumps(blocked("u-1")) + "\n")
    assert read_notices(path).rows["subject"].to_pylist() == ["u-9"] * 40 + ["u-1"]


def test_a_file_of_neither_is_said_with_what_is_in_it(file):
    with pytest.raises(UnreadableInput, match="neither notices nor decisions; its fields are hello"):
        read_notices(file({"hello": 1}))


# -- whose they are ----------------------------------------------------------------------------------


def test_notices_find_their_accounts_and_what_finds_none_is_said(workspace, store, file):
    path = file(
        blocked("u-1"),  # an end user of one account
        blocked("solo-9"),  # the account itself
        blocked("u-shared"),  # whose, nobody can tell
        blocked("stranger"),
        {"id": "e", "type": "safety.alert.created", "created_at": NOON, "data": {"request_id": "r-2"}},
        {"id": "w", "type": "safety.warning_issued", "created_at": NOON, "data": {"id": "case_1"}},
    )
    done = import_labels(workspace, store, [path])
    assert {(one.account_id, one.said) for one in store.labels()} == {
        ("kiln-01", Said.ENFORCED), ("solo-9", Said.ENFORCED), ("kiln-02", Said.NOTICED)
    }  # fmt: skip
    assert (done.unknown, done.ambiguous, done.n_cases) == (("stranger",), ("u-shared",), 1)


def test_an_alert_finds_its_request_by_the_ids_that_the_provider_gave_it(workspace, store, file):
    with duckdb.connect(workspace.warehouse) as con:
        calls = [("own-1", "kiln-04", "req_1"), ("own-2", "kiln-05", "resp_2"), ("own-3", "kiln-06", "req_3")]
        calls += [
            ("own-4", "kiln-07", "req_3"),
            ("req_1", "kiln-08", "req_9"),
        ]  # one id shared, one taken over
        add(
            con,
            "core.request",
            [request(own, account, end_user=own, call=call) for own, account, call in calls],
        )

    def alert(at, **ids):
        return {"id": f"al_{at}", "type": "safety.alert.created", "created_at": NOON, "data": ids}

    path = file(
        alert(1, request_id="req_1"),
        alert(2, request_id="req_2", response_id="resp_2"),
        alert(3, request_id="req_3"),
        alert(4, response_id="resp_4"),
    )
    done = import_labels(workspace, store, [path])
    assert sorted((one.notice_id, one.account_id) for one in store.labels()) == [
        ("al_1", "kiln-04"), ("al_2", "kiln-05")
    ]  # fmt: skip
    assert (done.unknown, done.ambiguous) == (("resp_4",), ("req_3",))


def test_the_operator_says_whose_an_id_is(workspace, store, file, tmp_path):
    ids = tmp_path / "ids.csv"
    ids.write_text("subject,account_id\nu-shared,kiln-07\n")
    import_labels(workspace, store, [file(blocked("u-shared"))], ids=ids)
    assert [one.account_id for one in store.labels()] == ["kiln-07"]


def test_a_past_decision_about_an_account_nobody_knows_yet_is_kept_and_said(workspace, store, file):
    done = import_labels(workspace, store, [file(decision("later-1"))])
    assert done.unknown == ("later-1",)
    assert [one.account_id for one in store.labels()] == ["later-1"]


def test_the_same_notice_twice_counts_once(workspace, store, file):
    blocks = file(blocked("u-1"), blocked("u-1"))
    past, copy = file(decision("kiln-01"), name="past.jsonl"), file(decision("kiln-01"), name="copy.jsonl")
    first = import_labels(workspace, store, [blocks])
    second = import_labels(workspace, store, [blocks, past, copy])
    third = import_labels(workspace, store, [blocks, past, copy])
    assert [(one.n_new, one.n_known) for one in (first, second, third)] == [(1, 0), (1, 1), (0, 2)]
    assert len(store.labels()) == 2


def test_labels_are_added_and_never_changed(workspace, store, file):
    import_labels(workspace, store, [file(decision("kiln-01"))])
    with (
        sqlite3.connect(workspace.cases) as con,
        pytest.raises(sqlite3.IntegrityError, match="never changed"),
    ):
        con.execute("UPDATE label SET said = 'cleared'")


# -- what stands -------------------------------------------------------------------------------------


def test_ones_own_word_stands_before_a_providers_and_enforcement_before_a_warning():
    openai = a_label("a", source="openai", day=9)
    own = a_label("a", Said.CLEARED, day=2)
    assert standing([openai, own])["a"] is own
    assert standing([own, openai])["a"] is own
    warning, block = a_label("b", Said.NOTICED, "openai", 9), a_label("b", Said.ENFORCED, "anthropic", 1)
    assert standing([warning, block])["b"] is block
    old, new = a_label("c", day=1), a_label("c", Said.CLEARED, day=3)
    assert standing([new, old])["c"] is new


def test_only_judgements_about_harvesting_teach():
    assert a_label("a").teaches
    assert a_label("a", Said.CLEARED).teaches
    assert not a_label("a", Said.NOTICED).teaches
    assert not a_label("a", source="openai", category="cyber_abuse").teaches
    assert a_label("a", source="anthropic", category="frontier_llm").teaches
    assert not a_label("a", Said.NOTICED, "anthropic", category="frontier_llm").teaches


def test_labels_stand_in_for_decisions_where_nobody_decided_here(store):
    campaigns = {"half": ["a", "b"], "few": ["a", "x", "y"], "torn": ["a", "c"], "decided": ["a", "b"]}
    labels = [a_label("a"), a_label("b", day=5), a_label("c", Said.CLEARED)]
    here = store.record(Subject(Level.CAMPAIGN, "decided"), "dismiss", reason="ours", by="kim")
    known = with_labels({here.subject: here}, labels, campaigns)
    found = {(subject.level.value, subject.id): made.verdict for subject, made in known.items()}
    assert found == {
        ("account", "a"): Verdict.APPROVE,
        ("account", "b"): Verdict.APPROVE,
        ("account", "c"): Verdict.DISMISS,
        ("campaign", "half"): Verdict.APPROVE,
        ("campaign", "decided"): Verdict.DISMISS,
    }
    assert known[Subject(Level.CAMPAIGN, "half")].decided_at.day == 5
    assert store.history() == (here,)  # nothing was recorded by that


def test_campaigns_are_known_with_all_accounts_they_were_seen_with(workspace):
    with duckdb.connect(workspace.warehouse) as con:
        found = campaign_accounts(con)
    assert {"kiln-00", "kiln-14", "reseller-1"} <= set(found["cmp-kiln"])


def test_a_labelled_account_is_no_example_of_the_ordinary_until_it_is_cleared(workspace, store):
    store.add_labels([a_label("ana"), a_label("bob", source="openai"), a_label("eve", Said.CLEARED)])
    with duckdb.connect(workspace.warehouse) as con:
        assert note_labels(con, workspace, Settings()) == 2
        assert con.sql("FROM core.labelled ORDER BY 1").fetchall() == [("ana",), ("bob",)]
        store.add_labels([a_label("bob", Said.CLEARED, day=4)])
        assert note_labels(con, workspace, Settings()) == 1


def test_a_labelled_account_leaves_every_reference(workspace):
    """The statements behind scores, lone accounts and campaigns, with the label and without."""

    def references(con):
        of_accounts = {"day": LATER, "nights": 30, "rows": 999, "outgrown": 4.0, "least_nights": 6}
        of_lone = {"day": LATER, "nights": 30, "rows": 999, "least": 3.0}
        found = [
            con.execute(statement("account_reference"), of_accounts).fetchall(),
            con.execute(statement("lone/reference"), of_lone).fetchall(),
            con.execute(
                statement("campaigns/reference"), {"day": LATER, "least": 5.0, "tainted": 0.5}
            ).fetchall(),
        ]
        return list(map(len, found))

    with duckdb.connect(workspace.warehouse) as con:
        account = {"day": FIRST, "account_id": "quiet-1"}
        sent = {
            "first_sent_at": "2025-06-01 12:00",
            "last_sent_at": "2025-06-01 13:00",
            "hour_counts": [0] * 24,
        }
        add(con, "night.account_day", [account | sent | {"n_requests": 300}])
        add(con, "night.account_score", [account | {"peer_group": "chat", "reasons": []}])
        add(con, "night.lone_account", [account])
        add(
            con, "night.candidate", [{"day": FIRST, "candidate_id": 7_001, "evidence": 1.0, "flagged": False}]
        )
        add(con, "night.candidate_account", [account | {"candidate_id": 7_001}])
        before = references(con)
        con.execute("INSERT INTO core.labelled VALUES ('quiet-1')")
        assert references(con) == [n - 1 for n in before]
        con.execute("INSERT INTO core.cleared VALUES ('quiet-1')")
        assert references(con) == before


# -- people ------------------------------------------------------------------------------------------


def test_the_command_brings_in_and_lists_with_hostile_text_as_text_only(workspace, file):
    path = file(decision("kiln-01", reason="\x1b[31mred\u202e" + HOSTILE["script"]), decision("nobody-1"))
    run = CliRunner().invoke
    done = run(cli.app, ["labels", str(path), "--workspace", str(workspace.root)])
    assert done.exit_code == 0, done.output
    assert "2 notices: 2 new labels (2 enforced), 0 known before" in done.stdout
    assert "No account of this workspace: nobody-1" in done.stdout
    listed = run(cli.app, ["labels", "--workspace", str(workspace.root)]).stdout
    assert "\x1b" not in listed
    assert "\u202e" not in listed
    assert "kiln-01" in listed
    again = run(cli.app, ["labels", str(path), "--workspace", str(workspace.root)]).stdout
    assert "0 new labels, 2 known before" in again


def test_an_unreadable_file_costs_itself_and_the_exit_code(workspace, file):
    good, bad = file(decision("kiln-01")), file({"x": 1}, name="bad.jsonl")
    done = CliRunner().invoke(cli.app, ["labels", str(bad), str(good), "--workspace", str(workspace.root)])
    assert done.exit_code == 1
    assert "1 new label" in done.stdout


def test_the_documented_forms_are_read(workspace, store, tmp_path):
    text = (ROOT / "docs" / "how-to" / "labels.md").read_text(encoding="utf-8")
    table, _ = re.findall(r"```csv\n(.*?)```", text, re.S)
    (tmp_path / "past.csv").write_text(table)
    records = [
        json.loads(line)
        for block in re.findall(r"```json\n(.*?)```", text, re.S)
        for line in block.splitlines()
    ]
    for at, record in enumerate(records):
        (tmp_path / f"{at}.jsonl").write_text(json.dumps(record))
    files = [tmp_path / "past.csv", *(tmp_path / f"{at}.jsonl" for at in range(len(records)))]
    done = import_labels(workspace, store, files)
    assert (done.unreadable, done.refused) == ((), ())
    assert done.n_notices == pl.read_csv(tmp_path / "past.csv").height + len(records)
