"""Campaigns as nights go by: replaced accounts, approvals, logs without prompts, evasions, retries."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from village import FIRST, NIGHTS, SECOND, THIRD, Village, asked, changed, findings_of, flagged_in, scan

from pipelines import findings
from pipelines.cases import CaseStore, Level, Subject
from pipelines.export import enforcement_list
from pipelines.settings import ApprovedUseSettings, Settings
from pipelines.workspace import Workspace


def _kiln_found(workspace: Workspace, village: Village, night: date = FIRST) -> set[str]:
    """Members of the one finding of a night, all of them planted."""
    (members,) = flagged_in(workspace, night).values()
    assert members <= village.kiln
    return members


def test_a_campaign_keeps_its_id_when_every_account_is_replaced_overnight(
    village: Village, workspace: Workspace, tmp_path: Path
):
    """The operator lost the first pool and goes on with a new one: other accounts, addresses and payments."""
    scan(workspace, village.logs(FIRST), accounts=village.accounts)
    is_kiln = pl.col("account_id").is_in(list(village.kiln))

    def replaced(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            pl.when(is_kiln).then(pl.lit(mark) + pl.col(name)).otherwise(name).alias(name)
            for name, mark in (("account_id", "new-"), ("ip", "198.51.100."), ("client_fingerprint", "x"))
        )

    scan(workspace, *changed(village, tmp_path / "later", replaced, [SECOND]))
    ((before, first_pool),) = flagged_in(workspace, FIRST).items()
    ((after, second_pool),) = flagged_in(workspace, SECOND).items()
    assert before == after
    assert not first_pool & second_pool
    assert {account.removeprefix("new-") for account in second_pool} <= village.kiln
    assert findings.campaigns(workspace, SECOND)["status"].to_list() != ["new"]
    renewed = findings.history(workspace, after).filter(pl.col("event") == "replaced")
    assert renewed.select("day", "n_accounts", "n_stopped").rows() == [
        (SECOND, len(second_pool), len(first_pool))
    ]


def test_a_campaign_says_what_it_takes_and_what_would_be_left_without_each_link(scanned_once: Workspace):
    """The kiln shares templates, system prompts and cards, and would stand without any one of them."""
    ((campaign_id, _),) = flagged_in(scanned_once, THIRD).items()
    (finding,) = findings.campaigns(scanned_once, THIRD).iter_rows(named=True)
    harvest = findings.harvest(scanned_once, campaign_id)
    assert 0.8 * finding["n_requests"] < harvest["n_requests"].sum() <= finding["n_requests"]
    by_technique = harvest.group_by("technique").agg(pl.sum("n_requests")).sort("n_requests")
    assert by_technique["technique"][-1] == finding["techniques"][0]["name"]
    links = findings.links(scanned_once, campaign_id)
    assert {(link["kind"], link["strength"]) for link in finding["links"]} == set(
        links.select("kind", "strength").iter_rows()
    )
    without = {row["kind"]: row for row in links.iter_rows(named=True)}
    assert all(row["stands_without"] for row in without.values())
    assert without["template"]["log_odds_without"] < without["template"]["log_odds"] - 0.9
    # Cards are one more sign of a scheduler that is sure without them: the common cap leaves nothing to lose.
    assert without["payment"]["log_odds_without"] <= without["payment"]["log_odds"]


def test_a_campaign_that_rests_for_a_night_is_dormant_and_comes_back_under_its_name(
    village: Village, workspace: Workspace, tmp_path: Path
):
    scan(workspace, village.logs(FIRST), accounts=village.accounts)
    ((kiln, members),) = flagged_in(workspace, FIRST).items()
    everybody_else = ~pl.col("account_id").is_in(list(village.kiln))
    resting = changed(village, tmp_path / "resting", lambda rows: rows.filter(everybody_else), [SECOND])
    scan(workspace, *resting)
    assert flagged_in(workspace, SECOND) == {}
    (latest,) = findings.campaigns(workspace).iter_rows(named=True)
    assert (latest["campaign_id"], latest["status"], latest["day"]) == (kiln, "dormant", FIRST)
    scan(workspace, village.logs(THIRD))
    assert set(flagged_in(workspace, THIRD)) == {kiln}
    history = findings.history(workspace, kiln).sort("day")
    assert history["event"].to_list() == ["new", "dormant", "resumed"]
    assert history["n_accounts"][1] == len(members)
    (latest,) = findings.campaigns(workspace).iter_rows(named=True)
    assert latest["status"] == "resumed"


def test_an_account_with_an_approved_use_is_never_flagged(
    village: Village, workspace: Workspace, tmp_path: Path
):
    """Half of the campaign's accounts have a contract; those whose contract has ended count as without."""
    kiln = sorted(village.kiln)
    approved, ended = kiln[:10], kiln[10:20]
    until = pl.when(pl.col("account_id").is_in(ended)).then(pl.date(2025, 5, 31))
    accounts = tmp_path / "accounts.parquet"
    pl.read_parquet(village.accounts).with_columns(
        approved_use=pl.when(pl.col("account_id").is_in(kiln[:20])).then(pl.lit("synthetic_data")),
        approved_until=until,
    ).write_parquet(accounts)
    scan(workspace, village.logs(FIRST), accounts=accounts)
    flagged = set(findings.accounts(workspace)["account_id"])
    assert not flagged & set(approved)
    assert len(flagged & set(ended)) >= 8


def test_who_carries_a_campaign_beyond_a_contract_is_watched_and_never_a_member_or_exported(
    village: Village, workspace: Workspace, tmp_path: Path
):
    """Ten of its accounts have a contract for grades, ten one that has ended the day before."""
    kiln = sorted(village.kiln)
    approved, ended = kiln[:10], kiln[10:20]
    accounts = tmp_path / "accounts.parquet"
    pl.read_parquet(village.accounts).with_columns(
        approved_use=pl.when(pl.col("account_id").is_in(kiln[:20])).then(pl.lit("evaluation")),
        approved_until=pl.when(pl.col("account_id").is_in(ended)).then(pl.date(2025, 5, 31)),
    ).write_parquet(accounts)
    grades_only = Settings(
        approved_uses={"evaluation": ApprovedUseSettings(techniques=("preference_labels",))}
    )
    scan(workspace, village.logs(FIRST), accounts=accounts, settings=grades_only)
    rows = {row["account_id"]: row for row in findings.accounts(workspace).iter_rows(named=True)}
    beyond = [rows[account] for account in approved if account in rows]
    assert len(beyond) >= 8
    assert all(row["campaign_id"] is None and row["recommended_action"] == "watch" for row in beyond)
    assert all(row["reasons"][0]["code"] == "BEYOND_APPROVAL" for row in beyond)
    told = [rows[account] for account in ended if account in rows]
    assert len(told) >= 8
    assert all(row["campaign_id"] and row["recommended_action"] == "watch" for row in told)
    assert all(row["reasons"][-1]["code"] == "APPROVAL_ENDED" for row in told)
    others = [row for account, row in rows.items() if account not in kiln[:20]]
    assert not {"BEYOND_APPROVAL", "APPROVAL_ENDED"} & {r["code"] for row in others for r in row["reasons"]}
    next_day = datetime(2025, 6, 2, tzinfo=UTC)
    with CaseStore.open(workspace.cases_url) as store:
        for account in (approved[0], ended[0]):
            subject = Subject(Level.ACCOUNT, account)
            store.record(subject, "approve", action="suspend", reason="a harvest", by="kim", at=next_day)
        leaving = enforcement_list(workspace, store, at=next_day)
    assert [row["subject_id"] for row in leaving.rows] == [ended[0]]
    assert [one.account_id for one in leaving.withheld] == [approved[0]]


METADATA = pl.selectors.exclude("prompt", "system_prompt", "response", "tool_names")


def test_logs_without_prompts_are_scanned_on_what_they_hold(
    village: Village, workspace: Workspace, tmp_path: Path
):
    """Content is unknown then: null, not zero. One card for all, even loads and young accounts still tell."""
    one_card = pl.when(pl.col("account_id").is_in(list(village.kiln))).then(pl.lit("card-1"))
    accounts = tmp_path / "accounts.parquet"
    pl.read_parquet(village.accounts).with_columns(
        payment_fingerprint=one_card.otherwise("payment_fingerprint")
    ).write_parquet(accounts)
    logs = changed(village, tmp_path / "bare", lambda rows: rows.select(METADATA), NIGHTS)
    summary = scan(workspace, *logs, accounts=accounts)
    assert [night.n_families for night in summary.nights] == [0, 0, 0]
    content = ("item_novelty", "top_family_share", "top_capability_share", "any_technique_share", "n_systems")
    known = ", ".join(f"count({name})" for name in content)
    (counts,) = asked(workspace, f"SELECT count(*) > 0, {known} FROM night.account_day")
    assert counts == (True, *([0] * len(content)))
    assert asked(workspace, "SELECT count(*) FROM night.exemplar") == [(0,)]
    for night in NIGHTS:
        assert len(_kiln_found(workspace, village, night)) >= 0.8 * len(village.kiln)


def test_retries_are_not_volume(
    village: Village, workspace: Workspace, scanned_once: Workspace, tmp_path: Path
):
    """Every client sends each request three times over: findings count what was asked, not how often."""

    def insistent(rows: pl.DataFrame) -> pl.DataFrame:
        again = [
            rows.with_columns(
                pl.col("request_id") + f"-{attempt}",
                pl.col("ts").dt.offset_by("1s"),
                attempt=pl.lit(attempt, pl.Int32),
            )
            for attempt in (2, 3)
        ]
        return pl.concat([rows, *again])

    scan(workspace, *changed(village, tmp_path / "retried", insistent), accounts=village.accounts)
    columns = ("account_id", "n_requests", "output_tokens")
    volume = [
        findings.accounts(w, FIRST).select(columns).sort("account_id") for w in (workspace, scanned_once)
    ]
    both = volume[0].join(volume[1], on="account_id", how="inner")
    assert len(both) >= 0.9 * len(village.kiln)
    assert both["n_requests"].equals(both["n_requests_right"], check_names=False)
    assert both["output_tokens"].equals(both["output_tokens_right"], check_names=False)


ZERO_WIDTH = "\u200b"
LOOK_ALIKE = str.maketrans("aeopcx", "аеорсх")


@pytest.mark.parametrize("evasion", ["zero-width signs", "look-alike letters", "full-width letters"])
def test_a_template_is_found_through(village: Village, workspace: Workspace, tmp_path: Path, evasion: str):
    """Every other prompt of the campaign is written with signs that look the same and are not."""
    full_width = str.maketrans({chr(n): chr(n + 0xFEE0) for n in range(0x61, 0x7B)})
    ways = {
        "zero-width signs": ZERO_WIDTH.join,
        "look-alike letters": lambda text: text.translate(LOOK_ALIKE),
        "full-width letters": lambda text: text.translate(full_width),
    }

    def evading(rows: pl.DataFrame) -> pl.DataFrame:
        every_other = pl.col("account_id").is_in(list(village.kiln)) & (pl.int_range(pl.len()) % 2 == 0)
        disguised = pl.col("prompt").map_elements(ways[evasion], return_dtype=pl.String)
        return rows.with_columns(pl.when(every_other).then(disguised).otherwise("prompt").alias("prompt"))

    scan(workspace, *changed(village, tmp_path / "evading", evading), accounts=village.accounts)
    assert len(_kiln_found(workspace, village)) >= 0.8 * len(village.kiln)


def test_a_template_with_broken_utf8_in_it_is_found(village: Village, workspace: Workspace, tmp_path: Path):
    """JSON Lines as a careless gateway writes them: stray bytes after every prompt's first blank."""
    log = tmp_path / "broken.jsonl"
    village.requests(FIRST).with_columns(pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")).write_ndjson(log)
    lines = log.read_bytes().splitlines(keepends=True)
    key = b'"prompt":"'
    for at, line in enumerate(lines):
        head, _, prompt = line.partition(key)
        lines[at] = head + key + prompt.replace(b" ", b" \xff\xc3 ", 1) if prompt else line
    log.write_bytes(b"".join(lines))
    summary = scan(workspace, log, accounts=village.accounts)
    assert summary.unreadable == ()
    assert summary.n_loaded + summary.n_refused == len(lines)
    assert summary.n_refused == 0
    assert len(_kiln_found(workspace, village)) >= 0.8 * len(village.kiln)


def test_token_counts_beyond_belief_do_not_hide_a_campaign(
    village: Village, workspace: Workspace, tmp_path: Path
):
    """Its requests claim as many tokens as a column can hold: no sum of them fits into one."""
    most = pl.when(pl.col("account_id").is_in(list(village.kiln))).then(2**63 - 1)
    logs = changed(
        village,
        tmp_path / "absurd",
        lambda rows: rows.with_columns(output_tokens=most.otherwise("output_tokens").cast(pl.Int64)),
    )
    scan(workspace, *logs, accounts=village.accounts)
    assert len(_kiln_found(workspace, village)) >= 0.8 * len(village.kiln)
    assert findings.campaigns(workspace)["output_tokens"].min() > 10**18


def test_names_written_by_an_adversary_travel_unharmed(
    village: Village, workspace: Workspace, tmp_path: Path
):
    """Whatever a client can write into a log is compared and shown as it stands, and never run."""
    hostile = pl.concat_str(
        pl.lit("'; DROP TABLE night.campaign; -- \x1b[2J\u202e\n$day {0} %s <slot> \U0001f4a3 "), "account_id"
    )
    is_kiln = pl.col("account_id").is_in(list(village.kiln))
    written = (
        "account_id",
        "model",
        "user_agent",
        "client_fingerprint",
        "ip",
        "org_id",
        "stop_reason",
        "endpoint",
    )

    def hostile_names(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            pl.when(is_kiln).then(hostile).otherwise(name).alias(name) for name in written
        )

    logs = changed(village, tmp_path / "hostile", hostile_names)
    assert scan(workspace, *logs).n_refused == 0
    (members,) = flagged_in(workspace, FIRST).values()
    assert len(members) >= 0.8 * len(village.kiln)
    assert {name.rpartition(" ")[2] for name in members} <= village.kiln
    (line,) = findings_of(workspace)["campaigns"].splitlines()
    assert b"DROP TABLE" not in line
