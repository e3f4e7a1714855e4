"""Pools of real prompts: small hand-made ones here, the real ones where they are at hand."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from worlds import bytes_of, hamlet, requests_of

from pipelines.errors import UsageError
from pipelines.simulate.pools import PoolTexts, read_pools

REAL = Path(os.environ.get("STILLWATCH_POOLS", Path(__file__).parents[4] / "shared" / "pools"))


def pool(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    folder.mkdir(exist_ok=True)
    pl.DataFrame(rows).write_parquet(folder / f"{name}.parquet")


@pytest.fixture
def pools(tmp_path: Path) -> Path:
    """Ten conversations of three messages, and a work queue of forty items."""
    folder = tmp_path / "pools"
    talk = [
        {
            "kind": "benign_user",
            "prompt": f"talk {c}.{t}",
            "source": "chat",
            "capability": "general_chat",
            "group_id": f"c{c}",
            "turn": t,
        }
        for c in range(10)
        for t in (2, 0, 1)
    ]
    pool(folder, "chat", talk)
    pool(folder, "queue", [{"kind": "distillation", "prompt": f"item {n}"} for n in range(40)])
    pl.DataFrame({"ts": [1.0], "input_tokens": [3]}).write_parquet(folder / "trace_times.parquet")
    return folder


def test_people_follow_conversations_turn_by_turn(pools: Path) -> None:
    texts = PoolTexts(read_pools(pools))
    said = texts.conversation("chat", np.ones(30, bool), np.zeros(30, np.int64), np.random.default_rng(1))
    lines = [line.removeprefix("talk ") for line in said.prompt.to_pylist()]
    assert [line.split(".")[1] for line in lines] == ["0", "1", "2"] * 10
    assert len(set(lines)) == 30  # nothing comes twice before everything came once


def test_a_campaign_deals_its_whole_queue_before_it_repeats(pools: Path) -> None:
    texts = PoolTexts(read_pools(pools))
    rng = np.random.default_rng(1)
    queue = texts.templates("reasoning", 2, rng)
    nights = [queue.prompts(np.arange(n) % 2, rng).prompt.to_pylist() for n in (25, 15, 40)]
    assert sorted(nights[0] + nights[1]) == sorted(f"item {n}" for n in range(40))
    assert sorted(nights[2]) == sorted(nights[0] + nights[1])


def test_an_extraction_instruction_stays_the_same_around_real_items(pools: Path) -> None:
    texts = PoolTexts(read_pools(pools))
    rng = np.random.default_rng(1)
    prompts = texts.templates("extract", 1, rng).prompts(np.zeros(40, np.int64), rng).prompt.to_pylist()
    assert len({prompt.replace(f"item {n}", "") for n, prompt in enumerate(prompts)}) <= 41
    assert all("item" in prompt and len(prompt) > 100 for prompt in prompts)


def test_kind_and_prompt_are_enough_for_a_whole_world(pools: Path, tmp_path: Path) -> None:
    made = hamlet(tmp_path / "world", prompts=pools)
    assert made.n_requests > 1_000
    requests = requests_of(tmp_path / "world")
    assert requests.filter(kind="person_chat")["prompt"].str.starts_with("talk").all()


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "no row of kind benign_user"),
        ([{"kind": "benign_user", "prompt": "hi"}], "no row of kind distillation"),
    ],
)
def test_pools_without_people_or_harvest_are_refused(
    rows: list[dict[str, object]], complaint: str, tmp_path: Path
) -> None:
    folder = tmp_path / "pools"
    pool(folder, "some", rows or [{"kind": "other", "prompt": "x"}])
    with pytest.raises(UsageError, match=complaint):
        read_pools(folder)


def test_a_file_that_is_no_parquet_is_named_without_its_content(pools: Path) -> None:
    (pools / "broken.parquet").write_text("my secret prompt")
    with pytest.raises(UsageError, match=r"broken\.parquet: not a Parquet file") as refused:
        read_pools(pools)
    assert "secret" not in str(refused.value)


@pytest.mark.skipif(
    not REAL.is_dir() and not os.environ.get("CI"), reason="the pools of real prompts are not on this machine"
)
def test_real_prompts_make_a_world_and_the_same_one_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        hamlet(tmp_path / name, prompts=REAL)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    kinds = {
        row["prompt"]: row["kind"] for row in read_pools(REAL).select("prompt", "kind").iter_rows(named=True)
    }
    requests = requests_of(tmp_path / "one")
    people = requests.filter(pl.col("kind").is_in(["person_chat", "enterprise_seats", "power_user"]))
    assert {kinds[prompt] for prompt in people["prompt"].unique()} <= {"benign_user", "hard_negative"}
    harvest = requests.filter(kind="synchronised").filter(pl.col("prompt").str.len_bytes() > 1_500)
    assert {kinds[prompt] for prompt in harvest["prompt"].unique()} >= {"distillation"}
    repeats = requests.filter(label="campaign").group_by("campaign", "prompt").len()
    assert repeats["len"].max() <= 4
