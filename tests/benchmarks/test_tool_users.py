"""People of a simulated world take up tools: what they send is their own, and only that is changed."""

import importlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from pipelines import nightly
from pipelines.settings import load_settings
from pipelines.simulate import simulate
from pipelines.workspace import Workspace

ROOT = Path(__file__).parents[2]
NIGHTS = [datetime(2026, 3, day, tzinfo=UTC) for day in (2, 3, 4)]


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("tool_users")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def logs_of(world: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in sorted((world / "logs").glob("day=*/*.parquet"))])


def test_a_world_with_tools_is_the_same_world_but_for_what_its_users_send(
    tools: ModuleType, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    simulate(world, scale="small", days=2, seed=3)
    before = logs_of(world)
    users = tools.take_up(world, 3)
    after = logs_of(world)
    assert after.schema == before.schema
    assert users["account_id"].is_unique().all()
    assert users["tool"].unique().sort().to_list() == sorted(tool.name for tool in tools.TOOLS)
    assert after["request_id"].is_unique().all()
    others = ~pl.col("account_id").is_in(users["account_id"].implode())
    assert after.filter(others).equals(before.filter(others))
    documents = after.join(before, on="request_id", how="anti")
    own = before.unique("account_id", keep="first", maintain_order=True).select("account_id", *tools.OWN)
    told = documents.select("account_id", *tools.OWN).unique()
    assert told.join(own, on=told.columns, how="anti", nulls_equal=True).is_empty()
    assert set(documents["user_agent"]) == {tools.TRANSLATOR.client, tools.DIGEST.client}
    wrapped = after.filter(pl.col("user_agent") == tools.WRITING.client)
    said = wrapped.join(before, on="request_id").select(
        (pl.lit(tools.WRITING.before) + pl.col("prompt_right")) == pl.col("prompt")
    )
    assert said.height > 10
    assert said.to_series().all()


def test_a_document_is_translated_from_its_beginning_in_one_go(
    tools: ModuleType, rng: np.random.Generator
) -> None:
    texts = [[f"{book} {page}" for page in range(400)] for book in "abc"]
    sent = tools.translations(["ann", "ben", "cho", "dee"], NIGHTS, texts, rng)
    of_ann = [one for night in sent for one in night if one[0] == "ann"]
    assert len(of_ann) >= 8
    assert [passage for _, _, passage in of_ann] == texts[0][: len(of_ann)]
    assert all(
        timedelta(0) < later - sooner < timedelta(seconds=10)
        for (_, sooner, _), (_, later, _) in pairwise(of_ann)
    )
    assert {passage.split()[0] for night in sent for who, _, passage in night if who == "dee"} == {"a"}


def test_a_digest_comes_at_its_hour_every_night_and_brings_news(
    tools: ModuleType, rng: np.random.Generator
) -> None:
    texts = [[f"{feed} {item}" for item in range(120)] for feed in range(5)]
    sent = tools.digests(["ann", "ben"], NIGHTS, texts, rng)
    of_ann = [[one for one in night if one[0] == "ann"] for night in sent]
    assert {len(night) for night in of_ann} <= set(range(8, 13))
    assert len({len(night) for night in of_ann}) == 1
    assert len({night[0][1].hour for night in of_ann}) == 1
    items = [passage for night in of_ann for _, _, passage in night]
    assert len({item.split()[0] for item in items}) <= 2
    for first, second in pairwise(of_ann):
        assert not {item for *_, item in first} & {item for *_, item in second}


def test_a_night_in_several_files_is_one_night(tools: ModuleType, tmp_path: Path) -> None:
    world = tmp_path / "world"
    simulate(world, scale="small", days=2, seed=3)
    for path in sorted((world / "logs").glob("day=*/*.parquet")):
        night = pl.read_parquet(path)
        night.head(night.height // 2).write_parquet(path.with_name("part-0.parquet"))
        night.tail(-(night.height // 2)).write_parquet(path.with_name("part-1.parquet"))
        if not path.name.startswith("part-"):
            path.unlink()
    tools.take_up(world, 3)
    for folder in sorted((world / "logs").glob("day=*")):
        night = pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])
        digests = night.filter(pl.col("user_agent") == tools.DIGEST.client)
        assert digests["ts"].dt.date().cast(pl.String).unique().to_list() == [folder.name[4:]]
        n_items = digests.group_by("account_id").len()["len"]
        assert n_items.is_between(8, 12).all(), "a digest is sent once a night, in whichever file"


def test_digests_of_more_nights_than_there_is_news_for_are_refused(
    tools: ModuleType, rng: np.random.Generator
) -> None:
    texts = [[f"{feed} {item}" for item in range(119)] for feed in range(5)]
    with pytest.raises(ValueError, match="40 items for each of 3 nights"):
        tools.digests(["ann"], NIGHTS, texts, rng)


def test_documents_are_of_one_library_each(tools: ModuleType) -> None:
    found = tools.documents()
    assert len(found) >= 20
    assert all(25 <= len(document) <= 900 for document in found)
    assert all(len(set(document)) == len(document) for document in found)


def test_who_uses_a_writing_helper_is_not_flagged(tools: ModuleType, tmp_path: Path) -> None:
    world, workspace = tmp_path / "world", Workspace(tmp_path / "watch")
    simulate(world, scale="small", days=2, seed=3)
    users = tools.take_up(world, 3)
    workspace.create().key_file.write_text("the key of a benchmark\n")
    for night in sorted((world / "logs").iterdir()):
        nightly.scan([str(night)], workspace, accounts=world / "accounts.parquet", settings=load_settings())
    flagged = tools.flagged_users(workspace, users)
    assert flagged["people"].sum() == users.height
    wrapping = flagged.filter(pl.col("tool").is_in([tool.name for tool in tools.WRAPPING]))
    assert wrapping["in_queue"].sum() == 0
    assert flagged["above_watch"].sum() == 0
