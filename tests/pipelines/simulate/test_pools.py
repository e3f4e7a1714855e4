"""Pools of real prompts: small hand-made ones here, the real ones where they are at hand."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from test_texts import check_promise, numbers
from worlds import bytes_of, hamlet, requests_of

from pipelines.errors import UsageError
from pipelines.simulate.texts import TEMPLATES, WORKS, PoolTexts, load_texts
from pipelines.simulate.texts.grammar import LANGUAGES
from pipelines.simulate.texts.pools import read_pools
from pipelines.simulate.texts.recombine import SHORT_BYTES, pieces
from pipelines.simulate.texts.splits import side_of_source
from tests.pools import POOLS, with_pools


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def pool(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    folder.mkdir(exist_ok=True)
    pl.DataFrame(rows).write_parquet(folder / f"{name}.parquet")


def said(texts: PoolTexts, starts: np.ndarray, language: str = "en", seed: int = 1) -> list[str]:
    number = np.full(len(starts), LANGUAGES.index(language))
    return texts.conversation("chat", starts, number, rng(seed)).prompt.to_pylist()


@pytest.fixture
def pools(tmp_path: Path) -> Path:
    """Ten conversations of three short messages, and a work queue of forty items."""
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


@pytest.fixture
def chatter(tmp_path: Path) -> Path:
    """People who write in two languages, and a harvester."""
    folder = tmp_path / "chatter"
    words = {
        "en": "The {n} birds fly home at dusk. Who counts the {n} birds? Nobody counts {n} of them.",
        "de": "Die {n} Vögel fliegen abends heim. Wer zählt die {n} Vögel? Niemand zählt {n} davon.",
    }
    rows = [
        {
            "kind": "benign_user",
            "prompt": text.format(n=n),
            "capability": "general_chat",
            "source": f"{language}-{n % 9}:part",
            "language": language,
        }
        for language, text in words.items()
        for n in range(200)
    ]
    pool(folder, "chat", rows)
    pool(folder, "harvest", [{"kind": "distillation", "prompt": "reason", "source": "harvest"}])
    return folder


def test_people_follow_conversations_turn_by_turn(pools: Path) -> None:
    texts = PoolTexts(read_pools(pools))
    starts = numbers(300) % 3 == 0
    lines = [line.removeprefix("talk ").split(".") for line in said(texts, starts)]
    assert [turn for _, turn in lines] == ["0", "1", "2"] * 100
    assert all(len({c for c, _ in lines[at : at + 3]}) == 1 for at in range(0, 300, 3))
    assert len({c for c, _ in lines}) == 10


def test_texts_remember_nothing(pools: Path) -> None:
    """What is said on a night depends on that night's stream alone."""
    fresh, used = PoolTexts(read_pools(pools)), PoolTexts(read_pools(pools))
    starts = np.ones(40, bool)
    said(used, starts, seed=8)
    assert said(fresh, starts) == said(used, starts)
    for theme in ("reasoning", "app", "rag"):
        one, other = (texts.templates(theme, 3, rng()) for texts in (fresh, used))
        other.prompts(numbers(60) % 3, rng(9))
        assert one.prompts(numbers(60) % 3, rng(2)) == other.prompts(numbers(60) % 3, rng(2))


def test_a_row_is_cut_into_pieces_that_make_it_again() -> None:
    for text in (
        "One. Two! Three?\nFour",
        "你好。再见。",
        "no end",
        "a.\n\n\nb.\n",
        "```\nx. y. z.\n```",
        "x. " * 99,
    ):
        assert "".join(pieces(text)) == text
        assert 1 <= len(pieces(text)) <= 6


def test_messages_are_new_but_every_piece_is_real_or_a_closing(chatter: Path) -> None:
    texts = PoolTexts(read_pools(chatter))
    messages = said(texts, np.ones(3_000, bool))
    real = {row["prompt"] for row in read_pools(chatter).iter_rows(named=True)}
    first = {text.split(".")[0] for text in real}
    assert len(set(messages)) > 2_500
    assert all(message.split(".")[0] in first for message in messages)
    assert sum(message in real for message in messages) < 0.03 * len(messages)
    assert not any("Vögel" in message for message in messages)
    assert sum("birds" in message for message in said(texts, np.ones(300, bool), "de")) == 0


def test_a_language_the_pools_do_not_speak_is_our_own(chatter: Path) -> None:
    korean = said(PoolTexts(read_pools(chatter)), np.ones(60, bool), "ko")
    assert sum(any("가" <= letter <= "힣" for letter in text) for text in korean) > 50


def test_a_side_of_the_pools_is_made_of_whole_sources(chatter: Path) -> None:
    halves = [set(read_pools(chatter, split)["source"]) for split in ("tune", "report")]
    assert halves[0].isdisjoint(halves[1])
    assert halves[0] | halves[1] == set(read_pools(chatter)["source"])
    for split in ("tune", "report"):
        texts = load_texts(chatter, split)
        assert len(said(texts, np.ones(20, bool))) == 20
        assert texts.work("reasoning", rng()).n_items >= 1


def test_a_side_without_people_is_refused(pools: Path) -> None:
    empty = "report" if side_of_source("chat") == "tune" else "tune"
    with pytest.raises(UsageError, match="no source with rows of kind benign_user"):
        read_pools(pools, empty)


def test_a_campaign_works_through_its_whole_queue(pools: Path) -> None:
    work = PoolTexts(read_pools(pools)).work("reasoning", rng())
    assert work.n_items == 40
    texts = work.texts(numbers(80) * 0, numbers(80), rng()).joined().prompt.to_pylist()
    assert sorted(texts[:40]) == sorted(f"item {n}" for n in range(40))
    assert texts[40:] == texts[:40]


def test_what_the_requests_of_a_source_share_is_told_apart_from_their_items(tmp_path: Path) -> None:
    folder = tmp_path / "pools"
    pool(folder, "chat", [{"kind": "benign_user", "prompt": "hello there"}])
    rows = [
        {
            "kind": "distillation",
            "prompt": f"Solve this for me: Bus {n} leaves. When is bus {n} home?\nThink first, then answer.",
            "system": f"system {n}",
        }
        for n in range(60)
    ]
    pool(folder, "harvest", rows)
    work = PoolTexts(read_pools(folder)).work("reasoning", rng())
    framed = work.texts(numbers(work.n_items) * 0, numbers(work.n_items), rng())
    assert set(framed.before.to_pylist()) == {"Solve this for me: Bus "}
    assert set(framed.after.to_pylist()) == {" home?\nThink first, then answer."}
    assert 60 < work.n_items <= 660  # filled up, each item once
    assert len(framed.payload.unique()) == work.n_items
    real = {row["prompt"]: row["system"] for row in rows}
    joined = framed.joined()
    assert set(real) <= set(joined.prompt.to_pylist())
    pairs = dict(zip(joined.prompt.to_pylist(), joined.system.to_pylist(), strict=True))
    assert all(pairs[prompt] == system for prompt, system in real.items())


def test_an_instruction_of_ours_stays_the_same_around_real_messages(pools: Path) -> None:
    framed = PoolTexts(read_pools(pools)).work("relay", rng()).texts(numbers(40) * 0, numbers(40), rng())
    assert len(framed.before.unique()) == len(framed.after.unique()) == 1
    assert all(text.startswith("talk ") for text in framed.payload.to_pylist())


def test_kind_and_prompt_are_enough_for_a_whole_world(pools: Path, tmp_path: Path) -> None:
    made = hamlet(tmp_path / "world", prompts=pools)
    assert made.n_requests > 1_000
    requests = requests_of(tmp_path / "world")
    talk = requests.filter(generator="everyday")["prompt"].str.starts_with("talk")
    assert talk.mean() > 0.95  # a few borrow an instruction or a fashion


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


@with_pools
@pytest.mark.parametrize("split", ["all", "tune", "report"])
def test_real_pools_keep_the_promise_on_every_side(split: str) -> None:
    texts = load_texts(POOLS, split)
    for theme in WORKS:
        check_promise(texts.work(theme, rng(), n_frames=2))
        check_promise(texts.work(theme, rng(), languages=("de", "ko")))
    for theme in TEMPLATES:
        assert len(texts.templates(theme, 3, rng()).prompts(numbers(30) % 3, rng())) == 30
        assert len(texts.fixed(theme, 20, rng())) > 0
    named = " ".join(where for _, where in texts.provenance())
    for origin in set(read_pools(POOLS)["source"].str.split(":").list.first()):
        assert split in ("all", side_of_source(origin)) or origin not in named


@with_pools
@pytest.mark.parametrize("split", ["tune", "report"])
def test_thousands_of_people_do_not_send_the_same_few_texts(split: str) -> None:
    """Two long messages alike are rarer than one in a hundred; short ones repeat, as in life."""
    messages = said(load_texts(POOLS, split), np.ones(20_000, bool))
    long = [text for text in messages if len(text.encode()) > 3 * SHORT_BYTES]
    assert len(long) > 10_000
    assert len(set(long)) > 0.97 * len(long)


@with_pools
def test_real_prompts_make_a_world_and_the_same_one_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        hamlet(tmp_path / name, prompts=POOLS)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
