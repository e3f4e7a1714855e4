"""What people wrote: a few redacted examples of flagged accounts are kept, and none when switched off."""

import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from running import ROOT, stillwatch
from streamlit.testing.v1 import AppTest
from village import FIRST, Village, asked, changed, flagged_in, published_tables, scan

from pipelines import findings
from pipelines.settings import EvidenceSettings, Settings
from pipelines.workspace import Workspace

WITH_WORDS = {"night.exemplar.text", "night.family.skeleton", "main.account_exemplar.text",
              "main.campaign_family.exemplars", "main.campaign_family.skeleton"}  # fmt: skip
"""The only places where words of a prompt may stand."""

OF_KILN, OF_OTHERS = "qzkilnword", "qzpeopleword"


@pytest.fixture(scope="module")
def told(village: Village, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """A night whose every prompt holds a planted word, scanned by the command; and all it said."""
    root = tmp_path_factory.mktemp("planted")
    folder = root / "logs"
    kiln = pl.col("account_id").is_in(list(village.kiln))

    def planted(rows: pl.DataFrame) -> pl.DataFrame:
        word = pl.when(kiln).then(pl.lit(OF_KILN)).otherwise(pl.lit(OF_OTHERS))
        return rows.with_columns(
            prompt=pl.col("prompt") + " " + word + " mail me: planted@example.com",
            system_prompt=pl.lit(OF_OTHERS),
            response=pl.lit(OF_OTHERS),
        )

    (log,) = changed(village, folder, planted)
    with log.with_suffix(".jsonl").open("w") as refused:
        refused.write(
            json.dumps({"request_id": "x", "ts": OF_OTHERS, "account_id": "a", "prompt": OF_OTHERS}) + "\n"
        )
    workspace = Workspace(root / "w")
    done = stillwatch("scan", folder, "--workspace", workspace.root, "--accounts", village.accounts)
    assert done.returncode == 0, done.stderr
    assert "1 row" in done.stderr + done.stdout
    return workspace, done.stdout + done.stderr


def _places_with(words: str, workspace: Workspace) -> set[str]:
    """Columns of the warehouse and of the snapshot in which a word stands."""
    places = set()
    for path in (workspace.warehouse, workspace.published):
        with duckdb.connect(path, read_only=True) as con:
            columns = con.execute(
                """SELECT schema_name, table_name, column_name FROM duckdb_columns()
                   WHERE NOT internal AND database_name NOT IN ('system', 'temp')"""
            ).fetchall()
            for schema, table, column in columns:
                query = (
                    f'SELECT count(*) FROM "{schema}"."{table}" WHERE contains("{column}"::VARCHAR, $words)'
                )
                if con.execute(query, {"words": words}).fetchall()[0][0]:
                    places.add(f"{schema}.{table}.{column}")
    return places


def test_words_of_flagged_accounts_stand_in_examples_alone(told: tuple[Workspace, str]):
    workspace, _ = told
    assert flagged_in(workspace, FIRST)
    places = _places_with(OF_KILN, workspace)
    assert "night.exemplar.text" in places
    assert places <= WITH_WORDS


def test_words_of_everybody_else_stand_only_in_what_five_accounts_share(told: tuple[Workspace, str]):
    """The planted word is in the prompts of many, so templates hold it; nothing of it is published."""
    workspace, _ = told
    assert _places_with(OF_OTHERS, workspace) <= {"night.exemplar.text", "night.family.skeleton"}
    written = [path for path in workspace.root.rglob("*") if path.is_file()]
    assert len(written) > 2
    telling = [path for path in written if OF_OTHERS.encode() in path.read_bytes()]
    assert set(telling) <= {workspace.warehouse}


def test_neither_the_terminal_nor_the_journal_repeats_a_word(told: tuple[Workspace, str]):
    workspace, said = told
    journals = "".join(path.read_text() for path in (workspace.root / "logs").glob("*.jsonl"))
    assert "families" in journals
    for words in (OF_KILN, OF_OTHERS, "planted@example.com"):
        assert words not in said + journals


def test_examples_are_redacted_and_short(told: tuple[Workspace, str]):
    workspace, _ = told
    assert _places_with("planted@example.com", workspace) == set()
    settings = EvidenceSettings()
    assert asked(workspace, "SELECT max(length(text)) FROM night.exemplar")[0][0] <= settings.exemplar_chars
    most = "SELECT max(n) FROM (SELECT count(*) AS n FROM night.exemplar GROUP BY account_id, family_id)"
    assert asked(workspace, most)[0][0] <= settings.exemplars_per_account


def test_every_published_example_is_of_a_flagged_account_and_of_others_three_for_a_template(
    told: tuple[Workspace, str],
):
    workspace, _ = told
    (members,) = flagged_in(workspace, FIRST).values()
    rows = asked(workspace, "SELECT account_id, family_id, count(*) FROM night.exemplar GROUP BY ALL")
    assert members <= {account for account, _, _ in rows}
    of_others = [(family, n) for account, family, n in rows if account not in members]
    assert all(family is not None for family, _ in of_others)
    most = EvidenceSettings().exemplars_per_account
    assert all(sum(n for name, n in of_others if name == family) <= most for family, _ in of_others)
    published = published_tables(workspace)["account_exemplar"]
    assert {row[0] for row in published} == members


def test_without_exemplars_no_text_is_kept_and_the_findings_are_the_same(
    village: Village, told: tuple[Workspace, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Switched off on the second scan: what the first one kept goes too, and nothing else changes."""
    with_text, _ = told
    shutil.copytree(with_text.root, tmp_path / "w")
    workspace = Workspace(tmp_path / "w")
    (log,) = asked(workspace, "SELECT path FROM raw.file WHERE n_loaded > 0")
    settings = Settings(evidence=EvidenceSettings(exemplars=False))
    scan(workspace, Path(log[0]), accounts=village.accounts, settings=settings)
    assert _places_with(OF_KILN, workspace) == set()
    assert findings.accounts(workspace).equals(findings.accounts(with_text))
    for campaign in findings.campaigns(workspace)["campaign_id"]:
        templates = findings.families(workspace, campaign)
        assert len(templates) > 0
        assert set(templates["skeleton"]) == {""}
        assert templates["exemplars"].list.len().sum() == 0
    assert published_tables(workspace)["account_exemplar"] == []
    monkeypatch.setenv("STILLWATCH_WORKSPACE", str(workspace.root))
    (campaign,) = findings.campaigns(workspace)["campaign_id"]
    for page in (None, "screens/campaign.py", "screens/account.py"):
        app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
        app.query_params["campaign"] = campaign
        app.run()
        if page:
            app.switch_page(page).run()
        assert not app.exception


def test_the_planted_templates_read_like_templates(scanned_once: Workspace):
    """A skeleton keeps what the examples share and leaves the slots out."""
    (campaign,) = findings.campaigns(scanned_once)["campaign_id"]
    skeletons = findings.families(scanned_once, campaign).filter(pl.col("kind") == "prompt")["skeleton"]
    assert sum("<text>" in text and len(text.split()) >= 5 for text in skeletons) >= 2
