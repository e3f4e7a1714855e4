"""Nothing but behaviour tells a campaign apart: no id, address, file name, row order or single word."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from worlds import requests_of

from pipelines.simulate import simulate
from pipelines.simulate.texts.grammar import LANGUAGES, Grammar, load_grammars
from pipelines.simulate.texts.promise import WORKS

MIN_SUPPORT = 0.25
"""A word is a give-away when at least this share of harvesting accounts uses it and nobody else does."""

N_SHUFFLES = 12
"""Shuffled labels a model is tried on: what it reaches there is chance."""


def auc(features: npt.NDArray[np.float64], guilty: npt.NDArray[np.bool_]) -> float:
    """Area under the curve of a forest that has never seen the account it judges."""
    forest = RandomForestClassifier(60, min_samples_leaf=3, class_weight="balanced", random_state=0)
    scores = cross_val_predict(forest, features, guilty, cv=5, method="predict_proba")[:, 1]
    return float(roc_auc_score(guilty, scores))


def is_at_chance(features: npt.NDArray[np.float64], guilty: npt.NDArray[np.bool_]) -> bool:
    """Whether a model finds no more in the features than in labels dealt out at random."""
    rng = np.random.default_rng(5)
    by_chance = [auc(features, rng.permutation(guilty)) for _ in range(N_SHUFFLES)]
    return auc(features, guilty) < float(np.mean(by_chance) + 4 * np.std(by_chance))


def characters(column: pl.Series, width: int) -> npt.NDArray[np.float64]:
    return np.array([[float(ord(c)) for c in text[:width].ljust(width)] for text in column.to_list()])


def borrowed(ids: pl.Series) -> pl.Series:
    """The ids, an absent one replaced by somebody's: whether a client reports sessions is behaviour."""
    known = ids.drop_nulls()
    at = np.random.default_rng(2).integers(0, len(known), len(ids))
    return ids.zip_with(ids.is_not_null(), known.gather(at))


def identities(rows: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Every id of a request as numbers, its place in the log and the name of its file."""
    address = rows["ip"].str.extract_all(r"\d+").list.slice(1).list.eval(pl.element().cast(pl.Float64))
    columns = [
        characters(rows["account_id"], 21),
        characters(rows["api_key_id"], 16),
        characters(borrowed(rows["org_id"]), 16),
        characters(borrowed(rows["project_id"]), 15),
        characters(borrowed(rows["session_id"]), 21),
        characters(rows["request_id"], 26),
        characters(rows["provider_request_id"], 21),
        characters(rows["file"], 12),
        address.list.mean().fill_null(0).to_numpy()[:, None],
        rows["place"].to_numpy()[:, None].astype(np.float64) % 97,
    ]
    return np.hstack(columns)


def test_ids_addresses_order_and_file_names_carry_no_label(requests: pl.DataFrame) -> None:
    # Each account once, at its first request on the last night: everybody is at work by then.
    last = requests.filter(pl.col("ts").dt.date() == pl.col("ts").dt.date().max())
    accounts = last.unique("account_id", keep="first", maintain_order=True)
    guilty = (accounts["label"] == "campaign").to_numpy()
    assert guilty.sum() > 60
    assert is_at_chance(identities(accounts), guilty)


def test_a_label_in_an_id_would_be_seen(requests: pl.DataFrame) -> None:
    """The test above can fail: one letter of an id that depends on the label a little is found."""
    accounts = requests.unique("account_id", keep="first", maintain_order=True)
    guilty = (accounts["label"] == "campaign").to_numpy()
    told = np.random.default_rng(1).random(len(guilty)) < 0.7
    features = identities(accounts)
    features[:, 6] = np.where(told, 97.0 + guilty, features[:, 6])
    assert not is_at_chance(features, guilty)


def test_people_files_are_in_the_order_of_random_ids(world: Path) -> None:
    labels = pl.read_parquet(world / "labels.parquet")
    assert labels["account_id"].is_sorted()
    place = np.arange(labels.height, dtype=np.float64)[:, None]
    assert is_at_chance(place, (labels["label"] == "campaign").to_numpy())


def test_tune_and_report_worlds_share_no_account_and_no_prompt(tmp_path: Path) -> None:
    worlds = {}
    for split in ("tune", "report"):
        simulate(tmp_path / split, scale="small", days=1, split=split)
        worlds[split] = requests_of(tmp_path / split)
    tune, report = worlds["tune"], worlds["report"]
    for column in ("account_id", "ip", "org_id", "session_id"):
        assert set(tune[column].drop_nulls()).isdisjoint(report[column].drop_nulls()), column
    long = pl.col("prompt").str.len_bytes() >= 60
    prompts = (set(frame.filter(long)["prompt"]) for frame in (tune, report))
    assert next(prompts).isdisjoint(next(prompts))


def test_no_single_word_gives_a_campaign_away(town: pl.DataFrame) -> None:
    words = (
        town.select(
            "account_id",
            "label",
            pl.col("prompt").str.to_lowercase().str.extract_all(r"\p{L}+").alias("word"),
        )
        .explode("word")
        .drop_nulls("word")
        .unique()
    )
    n_guilty = words.filter(label="campaign")["account_id"].n_unique()
    by_word = words.group_by("word").agg(
        (pl.col("label") == "campaign").sum().alias("guilty"),
        (pl.col("label") == "benign").sum().alias("benign"),
    )
    giveaways = by_word.filter((pl.col("guilty") >= MIN_SUPPORT * n_guilty) & (pl.col("benign") == 0))
    assert giveaways["word"].sort().to_list() == []


def words_of(texts: list[str]) -> pl.Series:
    """Distinct words of each text, one below the other."""
    said = pl.Series("word", texts).str.to_lowercase().str.extract_all(r"\p{L}+").list.unique()
    return said.explode().drop_nulls()


def harvest_words(grammar: Grammar) -> set[str]:
    """Words that instructions of campaigns hold, whatever their items are."""
    rng = np.random.default_rng(1)
    frames = [
        frame
        for theme in WORKS
        if f"work_{theme}" in grammar
        for frame in (
            *grammar.frames(f"work_{theme}", 300, rng),
            *(layout for _ in range(8) for layout in grammar.each_frame(f"pay_{theme}", rng)),
        )
    ]
    fixed = [" ".join(text for is_slot, text in frame.parts if not is_slot) for frame in frames]
    return set(words_of([*fixed, *(frame.system or "" for frame in frames)]))


@pytest.mark.parametrize("split", ["tune", "report"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_people_say_every_word_that_a_campaign_says(language: str, split: str) -> None:
    grammar, rng = load_grammars(split)[language], np.random.default_rng(2)
    messages = [
        *grammar.expand("chat", 8_000, rng).to_pylist(),
        *grammar.expand("followup", 14_000, rng).to_pylist(),
    ]
    often = words_of(messages).value_counts().filter(pl.col("count") >= 2)
    assert harvest_words(grammar) - set(often["word"]) == set()


def test_benign_people_ask_for_steps_and_grades_too(town: pl.DataFrame) -> None:
    people = town.filter(pl.col("kind").is_in(["person_chat", "coding_agent", "power_user"]))
    for phrase in ("step by step", "reasoning", "score", "criteri"):
        assert people["prompt"].str.contains(phrase).sum() > 0, phrase


def test_common_clients_networks_and_parameters_serve_everybody(town: pl.DataFrame) -> None:
    guilty, benign = (town.filter(label=label) for label in ("campaign", "benign"))
    for column in (
        "client_fingerprint",
        "user_agent",
        "asn",
        "country",
        "model",
        "max_tokens",
    ):
        common = set(benign[column].drop_nulls())
        assert set(guilty[column].drop_nulls()) <= common, column
