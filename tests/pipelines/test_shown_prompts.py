"""The steps `templates` and `evidence`: which texts are read again, from files that may have changed, and
what is written."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.evidence import keep_evidence
from pipelines.load import load_requests
from pipelines.progress import Silent
from pipelines.settings import EvidenceSettings, InputSettings, Settings
from pipelines.templates import EXAMPLES_PER_FAMILY, read_templates
from pipelines.warehouse.opening import open_warehouse
from pipelines.workspace import Workspace

NIGHT = date(2025, 6, 1)
ONE_THREAD = InputSettings(threads=1, batch_rows=50)
KEY = b"the key of a test"
TEMPLATE = "Rate the answer below from one to ten and explain each point: {} Write your verdict as JSON."
ANIMALS = ("a heron", "the old mole", "seven bees", "one lynx")


class Night:
    """One loaded log whose first accounts are flagged, and the template they share."""

    def __init__(self, con: duckdb.DuckDBPyConnection, log: Path) -> None:
        self.con, self.log = con, log

    def given(self, rows: list[dict[str, Any]], flagged: set[str]) -> None:
        """Load rows; every request of a flagged account belongs to the template `fam`."""
        self.write(rows)
        load_requests(
            self.con,
            [str(self.log)],
            day=None,
            log_format="auto",
            settings=Settings(input=ONE_THREAD),
            key=KEY,
            progress=Silent(),
        )
        self.con.execute(
            "CREATE TEMP TABLE tonight_family_request (row_id BIGINT, family_id VARCHAR, place TINYINT)"
        )
        self.con.execute("CREATE TEMP TABLE tonight_system_family (text_hash UBIGINT, family_id VARCHAR)")
        for account in sorted(flagged):
            self.con.execute(
                """INSERT INTO tonight_family_request
                   SELECT rowid, 'fam', 0 FROM core.request WHERE account_id = ?""",
                [account],
            )
            self.con.execute(
                """INSERT INTO night.flagged_account
                   VALUES ($day, $account, 'C-1', 0.9, 0.01, 'high', 'verify', [], $day, $day, 1, 1)""",
                {"day": NIGHT, "account": account},
            )
        self.con.execute(
            """INSERT INTO night.family BY NAME
               SELECT $day AS day, 'fam' AS family_id, 'prompt' AS kind, 9 AS n_accounts, 9 AS n_requests,
                      9 AS n_items, $day AS first_seen, '' AS skeleton, range(9)::UINTEGER[] AS shingles""",
            {"day": NIGHT},
        )
        self.con.execute(
            """INSERT INTO night.campaign
               VALUES ($day, 'C-1', 0.9, 0.01, 'high', 'verify', 9, 9, 9, $day, $day, [], [], '', [], [], '',
                       'new', ['fam'])""",
            {"day": NIGHT},
        )

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Write the log anew."""
        self.log.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def keep(self, **evidence: Any) -> list[tuple[str, str]]:
        """Run both steps; what they wrote, as (account, text)."""
        settings = Settings(input=ONE_THREAD, evidence=EvidenceSettings(**evidence))
        read_templates(self.con, NIGHT, key=KEY, settings=settings, progress=Silent())
        keep_evidence(self.con, NIGHT, key=KEY, settings=settings, progress=Silent())
        return self.con.execute("SELECT account_id, text FROM night.exemplar ORDER BY ALL").fetchall()

    def skeleton(self) -> str:
        """Readable form of the template."""
        return str(self.con.execute("SELECT skeleton FROM night.family").fetchall()[0][0])


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with open_warehouse(Workspace(tmp_path / "w"), Settings(input=ONE_THREAD)) as con:
        yield Night(con, tmp_path / "log.jsonl")


def requests(accounts: int, each: int, prompt: str = TEMPLATE) -> list[dict[str, Any]]:
    return [
        {
            "request_id": f"r-{account}-{n}",
            "ts": f"2025-06-01T09:{n:02}:00Z",
            "account_id": f"acct-{account:02}",
            "prompt": prompt.format(f"{ANIMALS[(account + n) % 4]} number {account * each + n}."),
        }
        for account in range(accounts)
        for n in range(each)
    ]


def test_only_flagged_accounts_and_families_are_quoted_each_a_few_times(night: Night):
    night.given(requests(40, 6), flagged={"acct-03", "acct-07"})
    kept = night.keep(exemplars_per_account=2)
    assert {account for account, _ in kept} == {"acct-03", "acct-07"}  # nobody else uses the family
    assert 4 <= len(kept) <= 6
    assert len(set(kept)) == len(kept)
    assert all("⟦Rate the answer below" in text for _, text in kept)


def test_what_a_template_shares_is_marked_and_its_slots_are_not(night: Night):
    night.given(requests(9, 4), flagged={f"acct-{n:02}" for n in range(9)})
    for _, text in night.keep():
        shared = re.findall("⟦([^⟧]*)⟧", text)
        assert any("Rate the answer below from one to ten" in piece for piece in shared)
        assert not any(animal in piece for piece in shared for animal in ANIMALS)


def test_the_template_is_read_off_different_accounts(night: Night):
    flagged = {f"acct-{n:02}" for n in range(30)}
    night.given(requests(30, 4), flagged=flagged)
    kept = night.keep(exemplars_per_account=1)
    assert len({account for account, _ in kept}) == 30
    assert len(kept) <= 30 + EXAMPLES_PER_FAMILY
    skeleton = night.skeleton()
    assert skeleton.startswith("Rate the answer below from one to ten and explain each point")
    assert skeleton.count("<text>") == 1
    assert not any(animal in skeleton for animal in ANIMALS)


def test_what_stands_in_the_log_by_now_is_not_taken_for_what_stood_there(night: Night):
    """The gateway started a new file under the same name while the scan was running."""
    rows = requests(10, 4)
    night.given(rows, flagged={"acct-01", "acct-02"})
    others = [
        row | {"request_id": f"new-{at}", "prompt": "my diary, keep out"} for at, row in enumerate(rows)
    ]
    night.write(others[:6] + rows[6:])
    kept = night.keep(exemplars_per_account=4)
    assert len(kept) == 6
    assert "diary" not in str(kept) + night.skeleton()


def test_a_log_that_is_gone_costs_its_examples_and_nothing_else(night: Night):
    night.given(requests(10, 4), flagged={"acct-01"})
    night.log.unlink()
    assert night.keep() == []
    assert night.skeleton() == ""


def test_a_log_that_turned_into_nonsense_costs_its_examples_and_nothing_else(night: Night):
    night.given(requests(10, 4), flagged={"acct-01"})
    night.log.write_bytes(b"PAR1 nonsense")
    assert night.keep() == []


def test_the_choice_of_examples_does_not_depend_on_the_order_of_rows(tmp_path: Path):
    kept = []
    for name, turn in (("forward", 1), ("backward", -1)):
        with open_warehouse(Workspace(tmp_path / name), Settings(input=ONE_THREAD)) as con:
            night = Night(con, tmp_path / f"{name}.jsonl")
            night.given(requests(20, 6)[::turn], flagged={f"acct-{n:02}" for n in range(20)})
            kept.append((night.keep(exemplars_per_account=1), night.skeleton()))
    assert kept[0] == kept[1]


def test_examples_are_redacted_and_cut(night: Night):
    secret = "write to ana@example.com with card 4111 1111 1111 1111 "
    night.given(requests(5, 1, prompt=secret + TEMPLATE + " padding" * 400), flagged={"acct-01"})
    ((_, text),) = night.keep(exemplar_chars=200)
    assert len(re.sub("[⟦⟧]", "", text)) <= 200
    assert "ana@" not in text
    assert "4111" not in text


def test_switched_off_no_text_is_kept_also_of_earlier_nights(night: Night):
    night.given(requests(10, 4), flagged={"acct-01", "acct-02"})
    assert night.keep()
    night.con.execute("INSERT INTO night.exemplar SELECT * REPLACE (day - 1 AS day) FROM night.exemplar")
    assert night.keep(exemplars=False) == []
    assert night.skeleton() == ""


def test_a_night_without_findings_keeps_no_text(night: Night):
    night.given(requests(10, 4), flagged=set())
    assert night.keep() == []
